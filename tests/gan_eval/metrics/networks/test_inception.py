import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import features_of, texture
from refusals import refused
from torch import nn

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics.networks.extractors import inception_extractor
from gan_eval.metrics.networks.inception import load_inception
from gan_eval.metrics.weights import cache

PICTURES = [texture(0, 299, 299), texture(1, 256, 256), texture(2, 120, 200)]


def _relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.slow
def test_equals_torch_fidelitys_with_the_same_weights(seeded_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    for draw in ("kaiming_uniform_", "uniform_", "trunc_normal_"):  # saves seconds: the weights are replaced
        monkeypatch.setattr(nn.init, draw, lambda tensor, *_, **__: tensor)
    peer = FeatureExtractorInceptionV3("peer", ["2048"], feature_extractor_weights_path=str(seeded_weights))
    pictures = PICTURES[::2]
    wanted = np.concatenate([peer(torch.from_numpy(p).permute(2, 0, 1)[None])[0].numpy() for p in pictures])
    found = features_of(pictures, inception_extractor(seeded_weights, device="cpu"))
    assert found.shape == (2, 2048)
    assert found.std() > 0
    assert _relative(found, wanted) < 1e-5


class _Layer(nn.Module):
    """A convolution as the TorchScript packing stores it."""

    def __init__(self, weight: torch.Tensor, beta: torch.Tensor, mean: torch.Tensor, var: torch.Tensor) -> None:
        super().__init__()
        for name, value in {"weight": weight, "beta": beta, "mean": mean, "var": var}.items():
            self.register_buffer(name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_both_formats_give_one_network(seeded_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(seeded_weights, weights_only=True)
    names = [name.removesuffix(".conv.weight") for name in state if name.endswith(".conv.weight")]
    for name in names:
        state[f"{name}.bn.weight"] = torch.ones_like(state[f"{name}.bn.weight"])
    torch.save(state, tmp_path / "state.pth")
    layers = [
        _Layer(state[f"{n}.conv.weight"], *(state[f"{n}.bn.{k}"] for k in ("bias", "running_mean", "running_var")))
        for n in names
    ]
    torch.jit.script(nn.Sequential(*layers)).save(tmp_path / "script.pt")
    refused(r"script\.pt:.*TorchScript", load_inception, tmp_path / "script.pt")
    known = cache.WEIGHTS["inception"]
    packaged = replace(known.packaged, member_sha256=sha256_file(tmp_path / "script.pt"))
    monkeypatch.setitem(cache.WEIGHTS, "inception", replace(known, packaged=packaged))
    first, second = load_inception(tmp_path / "state.pth"), load_inception(tmp_path / "script.pt")
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


class _Script(nn.Module):
    """A module whose loading runs its code."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.zeros(1)

    @torch.jit.export
    def __getstate__(self) -> tuple[torch.Tensor, bool]:
        return (self.weight, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool]) -> None:
        print("code of the file runs")
        self.weight = state[0]
        self.training = state[1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore:.*torch.jit:DeprecationWarning")
def test_no_code_of_an_unknown_script_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.jit.script(_Script()).save(tmp_path / "code.pt")
    torch.jit.load(tmp_path / "code.pt")
    assert "code of the file runs" in capfd.readouterr().out
    refused("TorchScript", load_inception, tmp_path / "code.pt")
    assert capfd.readouterr().out == ""


def whole_module() -> bytes:
    """A module as `torch.save` writes it: loading it would run code."""
    stored = io.BytesIO()
    torch.save(nn.Conv2d(3, 8, 3), stored)
    return stored.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"not weights at all", b"PK\x03\x04 broken zip", b"PK\5\6" + bytes(18), whole_module()],
    ids=["empty", "text", "a broken zip", "an empty zip", "a module"],  # the bytes of a module differ from run to run
)
def test_a_file_that_is_no_weights(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    refused(r"w\.pth:", load_inception, path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bn.running_var", -1.0),  # its root is none: neither weight nor bias is finite
        ("conv.weight", np.inf),
        ("bn.bias", np.inf),
    ],
)
def test_weights_that_are_not_finite_are_refused(seeded_weights: Path, tmp_path: Path, name: str, value: float) -> None:
    """The first layer is looked at first, so the others may be one number each."""
    whole = torch.load(seeded_weights, weights_only=True, mmap=True)
    state = {key: tensor[(slice(1),) * tensor.ndim].clone() for key, tensor in whole.items()}
    state[f"Conv2d_1a_3x3.{name}"][0] = value
    torch.save(state, tmp_path / "w.pth")
    refused(r"w\.pth:", load_inception, tmp_path / "w.pth")


@pytest.fixture
def script() -> Path:
    """The known TorchScript, which holds the original network to compare with."""
    try:
        path = cache.find("inception")
    except UserError as error:
        pytest.skip(str(error))
    if path.suffix != ".pt":
        pytest.skip(f"{path.name}: only the TorchScript packing holds the original network")
    return path


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_real_weights_equal_the_original_network(script: Path) -> None:
    extractor = inception_extractor(script, device="cpu")
    found = features_of(PICTURES, extractor)
    original = torch.jit.load(str(script), map_location="cpu")
    with torch.inference_mode():
        wanted = original((torch.stack([extractor.prepare(p) for p in PICTURES]) - 128) / 128).numpy()
    assert _relative(found, wanted) < 1e-5
    assert np.abs(found - wanted).max() < 1e-5 * np.abs(wanted).max()


def test_weights_that_lack_a_tensor_or_are_cut_are_named_in_words(tmp_path: Path) -> None:
    torch.save({"model.1.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "w.pth")
    refused(r"w\.pth: not the weights of Inception .*\(it has no model\.1\.beta\)", load_inception, tmp_path / "w.pth")
    (tmp_path / "w.pth").write_bytes(b"")
    refused(r"w\.pth: not the weights of Inception .*\(the file ends too early\)", load_inception, tmp_path / "w.pth")
