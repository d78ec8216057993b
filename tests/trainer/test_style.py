"""The style loss against its definition in float64, on seeded networks that are read as real ones are."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from gan_eval.settings.training import StyleLayers, StyleNetwork, TrainingSettings
from trainer import style
from trainer.losses import total_variation
from trainer.step import Batch
from trainer.style import StyleLoss, load_style_network
from trainer.tasks.task import Translation

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
NETWORKS: tuple[StyleNetwork, ...] = ("vgg13_bn", "vgg16")
BEFORE_POOLINGS = {"vgg13_bn": {5, 12, 19, 26}, "vgg16": {3, 8, 15, 22}}
"""Places of the last ReLUs of four blocks among torchvision's layers."""


def _layers(name: StyleNetwork) -> nn.Sequential:
    """torchvision's layers with seeded weights, and with statistics that are not BatchNorm's first ones."""
    torch.manual_seed(7)
    layers = make_layers(cfgs["B" if name == "vgg13_bn" else "D"], batch_norm=name == "vgg13_bn")
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
    return layers.eval()


@pytest.fixture(scope="module")
def networks() -> dict[StyleNetwork, nn.Sequential]:
    return {name: _layers(name) for name in NETWORKS}


@pytest.fixture(scope="module")
def files(networks: dict[StyleNetwork, nn.Sequential], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a state dict file of each network, as older files are: without `num_batches_tracked`."""
    folder = tmp_path_factory.mktemp("weights")
    for name, layers in networks.items():
        kept = {f"features.{key}": value for key, value in layers.state_dict().items() if not key.endswith("tracked")}
        torch.save(kept | {"classifier.6.bias": torch.zeros(1000)}, folder / f"{name}.pth")
    return folder


def _pictures(seed: int, *size: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, size))


def _style_by_definition(network: nn.Sequential, fake: Tensor, target: Tensor, compared: set[int]) -> float:
    """Compute in float64, on both pictures together."""
    planes = (torch.cat([fake, target]).numpy() + 1) / 2
    x = torch.from_numpy((planes - MEAN[:, None, None]) / DEVIATION[:, None, None])
    total = 0.0
    for index, layer in enumerate(deepcopy(network[: max(compared) + 1]).double()):
        x = layer(x)
        if index in compared:
            features = x.detach().numpy()
            ours, theirs = np.split(np.einsum("nihw,njhw->nij", features, features) / features[0].size, 2)
            total += np.sqrt(np.mean((ours - theirs) ** 2, axis=(1, 2))).mean()
    return total


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("size", "layers"), [((13, 18), "poolings"), ((17, 16), "all")])
def test_the_style_loss_is_its_formula(
    networks: dict[StyleNetwork, nn.Sequential],
    files: Path,
    name: StyleNetwork,
    size: tuple[int, int],
    layers: StyleLayers,
) -> None:
    fake, target = _pictures(0, 2, 3, *size), _pictures(1, 2, 3, *size)
    every = {index for index, layer in enumerate(networks[name]) if isinstance(layer, nn.ReLU)}
    compared = BEFORE_POOLINGS[name] if layers == "poolings" else every
    wanted = _style_by_definition(networks[name], fake, target, compared)
    loss = StyleLoss(load_style_network(name, files / f"{name}.pth", layers), layers)
    assert loss.compared == compared
    assert float(loss(fake.float(), target.float())) == pytest.approx(wanted, rel=1e-4)
    assert float(loss.double()(fake, target)) == pytest.approx(wanted, rel=1e-6)  # the mean is kept in float32


@pytest.mark.parametrize("autocast", [False, True])
def test_at_equal_pictures_loss_and_gradient_are_0(files: Path, autocast: bool) -> None:
    loss = StyleLoss(load_style_network("vgg13_bn", files / "vgg13_bn.pth"))
    target = _pictures(5, 2, 3, 16, 16).float()
    fake = target.clone().requires_grad_(True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        value = loss(fake, target)
    value.backward()
    assert value.dtype == torch.float32
    assert float(value.detach()) == 0
    assert (fake.grad == 0).all()


def test_a_translation_learns_by_style_and_total_variation(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "find", lambda name: files / f"{name}.pth")
    settings = TrainingSettings(lambda_l1=0, lambda_tv=2.0, lambda_style=3.0, style_network="vgg16", image_size=32)
    terms = {term.name: term for term in Translation(settings, "AtoB").objective(torch.device("cpu")).reconstruction}
    assert {name: term.weight for name, term in terms.items()} == {"g_l1": 0, "g_tv": 2, "g_style": 3}
    output, target = (_pictures(seed, 2, 3, 32, 32).float() for seed in (0, 1))
    values = {name: term.loss(output, Batch(target, target)) for name, term in terms.items()}
    assert values["g_tv"] == total_variation(output)
    assert values["g_style"] == StyleLoss(load_style_network("vgg16", files / "vgg16.pth"))(output, target)
