"""Weights that no package holds: from their official release, or put into the cache by hand."""

import hashlib
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from gan_eval.cli import doctor
from gan_eval.cli.metrics import weights_app
from gan_eval.errors import UserError
from gan_eval.metrics.weights import cache
from gan_eval.metrics.weights.files import read_state, required_tensors
from gan_eval.metrics.weights.known import Release, Weights

CONTENT = b"network " * 100
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path for the official file of the only known network; the cache is empty."""
    file = tmp_path / "away" / "net.pth"
    file.parent.mkdir()
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    known = Weights("vgg13_bn", "for the test", Release(file.as_uri(), "net.pth", DIGEST[:8]), of_metrics=False)
    monkeypatch.setattr(cache, "WEIGHTS", {"vgg13_bn": known})
    return file


def test_a_release_out_of_reach_is_told_with_its_address_and_place(release: Path) -> None:
    with pytest.raises(UserError) as caught:
        cache.fetch("vgg13_bn")
    line = str(caught.value)
    assert "no package is known to hold them" in line
    assert f"put net.pth from {release.as_uri()} into {cache.cache_folder()}" in line
    assert "\n" not in line
    assert "--" not in line  # `gan-eval metrics` has no option for them


def test_another_file_of_that_name_is_damaged(release: Path) -> None:
    cache.cache_folder().mkdir(parents=True)
    (cache.cache_folder() / "net.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"net\.pth: damaged .*`gan-eval weights fetch vgg13_bn` replaces it"):
        cache.find("vgg13_bn")
    (cache.cache_folder() / "net.pth").write_bytes(CONTENT)
    assert cache.find("vgg13_bn") == cache.cache_folder() / "net.pth"


def test_list_and_doctor_tell_what_to_put_where(release: Path) -> None:
    fix = f"`gan-eval weights fetch vgg13_bn`, or put net.pth from {release.as_uri()} into {cache.cache_folder()}"
    listed = CliRunner().invoke(weights_app, ["list"])
    assert listed.stdout == f"vgg13_bn: not in the cache; {fix} (for the test)\n"
    (finding,) = doctor.weights_findings()
    assert (finding.status, finding.detail) == ("optional", "not in the cache (for the test)")
    assert finding.fix == f"where they are needed: {fix}"
    with pytest.raises(UserError) as caught:
        cache.find("vgg13_bn")
    assert str(caught.value) == f"weights vgg13_bn: not in the cache; {fix}"


def test_a_file_that_is_none_is_refused_without_an_option_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"text")
    with pytest.raises(UserError, match=r"mine\.pth: not the weights vgg13_bn \(.*\); .* or give another file$"):
        read_state(tmp_path / "mine.pth", "vgg13_bn")
    with pytest.raises(UserError, match=r"\(no a\); .* another --vgg16-weights FILE$"):
        required_tensors({"b": torch.zeros(1)}, {"a": (1,)}, tmp_path / "mine.pth", "vgg16")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path, value: float) -> None:
    """Also those that float32 cannot hold; what is not taken does not matter."""
    found = {"a": torch.tensor([1.0, value], dtype=torch.float64), "b": torch.tensor([float("nan")])}
    with pytest.raises(UserError, match=r"mine\.pth: not the weights vgg16 \(a has numbers that are not finite\)"):
        required_tensors(found, {"a": (2,)}, tmp_path / "mine.pth", "vgg16")


def test_a_few_bytes_that_stand_for_a_huge_tensor_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**10)}, tmp_path / "mine.pth")
    with pytest.raises(UserError, match=r"mine\.pth: not the weights vgg16 \(a has fewer numbers than places\)"):
        read_state(tmp_path / "mine.pth", "vgg16")
