import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from refusals import refused

from gan_eval.base.digests import sha256_bytes, sha256_file
from gan_eval.metrics.weights import cache, package
from gan_eval.metrics.weights.known import Convolutions, Packaged, Weights
from gan_eval.metrics.weights.package import write_convolutions

PLACES = (0, 3)
MEMBER = "some_pkg/network.ckpt"


def _network() -> dict:
    rng = np.random.default_rng(5)
    return {
        "Net_0": {
            "Conv_0": {"kernel": rng.normal(size=(3, 5, 2, 4)).astype("f4"), "bias": rng.normal(size=4).astype("f4")},
            "Conv_1": {"kernel": rng.normal(size=(1, 1, 4, 6)).astype("f4"), "bias": rng.normal(size=6).astype("f4")},
        },
        "heads": {"NetLinLayer_0": np.zeros(3, "f4")},
    }


def _pickled(value: object) -> bytes:
    """Pickle a value as numpy 1 did, whose module of arrays had another name."""
    return pickle.dumps(value, protocol=3).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def test_torchvisions_names_and_order_of_axes(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    source, target = tmp_path / "network.ckpt", tmp_path / "network.safetensors"
    source.write_bytes(_pickled(_network()))
    write_convolutions(source, target, Convolutions("Net_0", PLACES, ""))
    found = load_file(target)
    layers = _network()["Net_0"]
    assert set(found) == {f"features.{k}.{part}" for k in PLACES for part in ("weight", "bias")}
    assert found["features.0.weight"].shape == (4, 2, 3, 5)
    assert found["features.0.weight"][1, 0, 2, 4] == layers["Conv_0"]["kernel"][2, 4, 0, 1]
    assert np.array_equal(found["features.3.bias"], layers["Conv_1"]["bias"])


class _Code:
    def __reduce__(self) -> tuple:
        return (os.system, ("touch code-of-the-file-ran",))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (_Code(), "system, which is not an array"),
        (print, "print, which is not an array"),
        ({"Other_0": {}}, "Net_0"),
        ({"Net_0": {"Conv_0": {}}}, "Net_0"),
        ([1, 2], "Net_0"),
    ],
)
def test_anything_else_is_refused_and_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.ckpt").write_bytes(_pickled(value))
    with pytest.raises(ValueError, match=reason):
        write_convolutions(tmp_path / "network.ckpt", tmp_path / "out.safetensors", Convolutions("Net_0", PLACES, ""))
    assert [path.name for path in tmp_path.iterdir()] == ["network.ckpt"]


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Fetches the pickled network out of a package, with the hash that the rewritten file is to have."""
    content, archive = _pickled(_network()), tmp_path / "some-pkg-1.0.tar.gz"
    (tmp_path / "network.ckpt").write_bytes(content)
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(tmp_path / "network.ckpt", f"some-pkg-1.0/{MEMBER}")
    monkeypatch.setattr(package, "archive_urls", lambda *_: ("the index", [archive.as_uri()]))
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))

    def fetch_with(sha256: str) -> Path:
        becomes = Convolutions("Net_0", PLACES, sha256)
        digests = sha256_bytes(content), (sha256_file(archive),)
        packaged = Packaged("some-pkg", "1.0", MEMBER, "net.safetensors", *digests, becomes)
        monkeypatch.setattr(cache, "WEIGHTS", {"net": Weights("net", "for the test", None, packaged)})
        return cache.fetch("net")

    return fetch_with


def test_a_fetched_network_is_rewritten_and_the_cache_checked_whole(fetch: Callable[..., Path], tmp_path: Path) -> None:
    write_convolutions(tmp_path / "network.ckpt", tmp_path / "wanted", Convolutions("Net_0", PLACES, ""))
    wanted = sha256_file(tmp_path / "wanted")
    path = fetch(wanted)
    assert path.read_bytes() == (tmp_path / "wanted").read_bytes()
    assert sorted(p.name for p in path.parent.iterdir()) == ["net.safetensors"]
    assert cache.find("net") == path
    path.write_bytes(path.read_bytes()[:-1])
    refused(r"net\.safetensors: damaged", cache.find, "net")


def test_a_rewritten_file_with_another_hash_is_refused(fetch: Callable[..., Path], tmp_path: Path) -> None:
    refused(r"network\.ckpt:.*SHA-256.*expected 00000000", fetch, "0" * 64)
    assert list((tmp_path / "cache" / "weights").iterdir()) == []
