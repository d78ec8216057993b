"""The style loss against NumPy in float64, on seeded networks that are read as real ones are."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_eval.settings.training import StyleLayers, StyleNetwork
from trainer.style import StyleLoss, load_style_network

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CHANNELS = {  # of the convolutions before each of the five poolings
    "vgg13_bn": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "vgg16": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
}


def _state(name: str) -> dict[str, Tensor]:
    """Seeded weights in torchvision's layout."""
    generator = torch.Generator().manual_seed(7)
    state, place, inputs = {}, 0, 3
    for block in CHANNELS[name]:
        for outputs in block:
            scale = (2 / (9 * inputs)) ** 0.5
            state[f"features.{place}.weight"] = scale * torch.randn(outputs, inputs, 3, 3, generator=generator)
            state[f"features.{place}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
            if name == "vgg13_bn":
                place += 1
                for key in ("weight", "running_var"):
                    state[f"features.{place}.{key}"] = 0.5 + torch.rand(outputs, generator=generator)
                for key in ("bias", "running_mean"):
                    state[f"features.{place}.{key}"] = 0.1 * torch.randn(outputs, generator=generator)
            place, inputs = place + 2, outputs
        place += 1
    return state


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[StyleNetwork, Path]:
    """A state dict file for each network."""
    folder = tmp_path_factory.mktemp("weights")
    paths: dict[StyleNetwork, Path] = {"vgg13_bn": folder / "vgg13_bn.pth", "vgg16": folder / "vgg16.pth"}
    for name, path in paths.items():
        torch.save(_state(name) | {"classifier.6.bias": torch.zeros(1000)}, path)
    return paths


def _pictures(seed: int, *size: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, size))


def _convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight, optimize=True) + bias[:, None, None]


def _pooled(x: np.ndarray) -> np.ndarray:
    n, channels, height, width = x.shape
    whole = x[:, :, : height // 2 * 2, : width // 2 * 2]
    return whole.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def _style_by_numpy(name: str, state: dict[str, Tensor], fake: Tensor, target: Tensor, layers: StyleLayers) -> float:
    """The definition, in float64, on both pictures together."""

    def distance(x: np.ndarray) -> float:
        grams = np.einsum("nihw,njhw->nij", x, x) / x[0].size
        return sum(np.sqrt(np.mean((grams[n] - grams[batch + n]) ** 2)) for n in range(batch)) / batch

    parameters = {key: value.double().numpy()[...] for key, value in state.items()}
    x = ((torch.cat([fake, target]).numpy() + 1) / 2 - MEAN[:, None, None]) / DEVIATION[:, None, None]
    batch, total, place = len(fake), 0.0, 0
    for number, block in enumerate(CHANNELS[name] if layers == "all" else CHANNELS[name][:4]):
        x = _pooled(x) if number else x
        place += bool(number)
        for _ in block:
            x = _convolved(x, parameters[f"features.{place}.weight"], parameters[f"features.{place}.bias"])
            if name == "vgg13_bn":
                place += 1
                scale, shift, mean, variance = (
                    parameters[f"features.{place}.{key}"][:, None, None]
                    for key in ("weight", "bias", "running_mean", "running_var")
                )
                x = scale * (x - mean) / np.sqrt(variance + 1e-5) + shift
            x, place = np.maximum(x, 0), place + 2
            total += distance(x) if layers == "all" else 0
        total += distance(x) if layers == "poolings" else 0
    return total


@pytest.mark.parametrize("name", ["vgg13_bn", "vgg16"])
@pytest.mark.parametrize(("size", "layers"), [((13, 18), "poolings"), ((17, 16), "all")])
def test_the_style_loss_is_its_formula(
    files: dict[StyleNetwork, Path], name: StyleNetwork, size: tuple[int, int], layers: StyleLayers
) -> None:
    fake, target = _pictures(0, 2, 3, *size), _pictures(1, 2, 3, *size)
    wanted = _style_by_numpy(name, _state(name), fake, target, layers)
    loss = StyleLoss(load_style_network(name, files[name], layers), layers)
    assert len(loss.compared) == (4 if layers == "poolings" else sum(map(len, CHANNELS[name])))
    assert float(loss(fake.float(), target.float())) == pytest.approx(wanted, rel=1e-4)
    assert float(loss.double()(fake, target)) == pytest.approx(wanted, rel=1e-6)  # the mean is kept in float32


@pytest.mark.parametrize("autocast", [False, True])
def test_at_equal_pictures_loss_and_gradient_are_0(files: dict[StyleNetwork, Path], autocast: bool) -> None:
    loss = StyleLoss(load_style_network("vgg13_bn", files["vgg13_bn"]))
    target = _pictures(5, 2, 3, 16, 16).float()
    fake = target.clone().requires_grad_(True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        value = loss(fake, target)
    value.backward()
    assert value.dtype == torch.float32
    assert float(value.detach()) == 0
    assert (fake.grad == 0).all()
