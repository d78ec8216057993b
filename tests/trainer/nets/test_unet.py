"""The generator: size, depth, range, layout."""

import hashlib
from typing import Any

import pytest
import torch

from gan_eval.settings.training import TrainingSettings
from trainer.nets.build import empty_generator, new_networks
from trainer.nets.unet import UNet, default_depth


def test_parameter_count_is_the_published_networks() -> None:
    with torch.device("meta"):
        net = UNet(depth=8, channels=64)
    assert sum(weight.numel() for weight in net.parameters()) == 54_413_955


@pytest.mark.parametrize(
    ("size", "depth"), [(256, 8), (128, 7), (64, 6), (192, 6), (96, 5), (32, 5), (16, 4), (512, 9)]
)
def test_default_depth(size: int, depth: int) -> None:
    assert default_depth(size) == depth
    assert size % 2**depth == 0


def test_pooling_halves_in_place_of_strides_and_nothing_else_changes() -> None:
    settings = TrainingSettings(steps=1, image_size=64, generator_channels=2, depth=5, dropout=0)
    strided, _ = new_networks(settings)
    pooled, _ = new_networks(settings.model_copy(update={"downsampling": "pool"}))
    assert sum(isinstance(module, torch.nn.MaxPool2d) for module in pooled.modules()) == 5
    assert not any(isinstance(module, torch.nn.MaxPool2d) for module in strided.modules())
    assert list(pooled.state_dict()) == list(strided.state_dict())
    assert [
        name for name, weight in pooled.state_dict().items() if weight.shape != strided.state_dict()[name].shape
    ] == [f"down.{level}.conv.weight" for level in range(5)]
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    assert pooled(x).shape == strided(x).shape
    conv = torch.nn.functional.conv2d(x, pooled.down[0].conv.weight, padding=1)
    assert torch.equal(pooled.down[0](x), torch.nn.functional.max_pool2d(conv, 2))


def test_biases_and_norms_follow_the_layout() -> None:
    with torch.device("meta"):
        batch, instance = UNet(depth=8, channels=2), UNet(depth=8, channels=2, norm="instance")
    assert [name for name, _ in batch.named_parameters() if "conv.bias" in name] == ["up.0.conv.bias"]
    assert sum("conv.bias" in name for name, _ in instance.named_parameters()) == 16
    assert not any("norm" in name for name in instance.state_dict())
    assert [level for level, down in enumerate(batch.down) if hasattr(down, "norm")] == [1, 2, 3, 4, 5, 6]
    assert [level for level, up in enumerate(batch.up) if hasattr(up, "norm")] == [1, 2, 3, 4, 5, 6, 7]


def test_initial_weights_follow_from_the_seed_alone() -> None:
    settings = TrainingSettings(steps=1, image_size=64, generator_channels=8, seed=1)
    torch.manual_seed(0)
    one, D = new_networks(settings)
    torch.manual_seed(99)
    two, _ = new_networks(settings)
    other, _ = new_networks(settings.model_copy(update={"seed": 2}))
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name
    assert not torch.equal(one.down[0].conv.weight, other.down[0].conv.weight)
    inner = one.down[4].conv.weight.detach()
    assert float(inner.mean()) == pytest.approx(0, abs=5e-4)
    assert float(inner.std()) == pytest.approx(0.02, rel=0.02)
    assert float(one.down[4].norm.weight.detach().mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(one.up[0].conv.bias, torch.zeros(3))
    assert torch.equal(one.down[4].norm.running_var, torch.ones(64))
    assert torch.equal(D.model[0].bias, torch.zeros(64))


def sha256(net: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize(
    ("changes", "generator", "discriminator"),
    [
        ({}, "fdc5214a8f3bf236", "4876a9f6ac3a9735"),
        ({"image_size": 64, "norm": "instance"}, "c73979cd899a4d1c", "c4d64575212beb7d"),
        ({"image_size": 64, "norm": "none", "dropout": 0.0}, "d6e6f54f00a2bf80", "58f175f5a1dc0256"),
    ],
)
def test_initial_weights_stay_what_they_were(changes: dict[str, Any], generator: str, discriminator: str) -> None:
    """Check that a run of an earlier version resumes, and that its seed still gives the same networks."""
    nets = new_networks(TrainingSettings(steps=1, generator_channels=4, discriminator_channels=4, **changes))
    assert [sha256(net)[:16] for net in nets] == [generator, discriminator]


def test_resize_replaces_the_transposed_convolutions() -> None:
    settings = TrainingSettings(steps=1, image_size=64, generator_channels=2)
    plain, resize = (
        empty_generator(settings.model_copy(update={"upsampling": kind})) for kind in ("transposed", "resize")
    )
    assert list(plain.state_dict()) == list(resize.state_dict())
    assert {tuple(up.conv.weight.shape[2:]) for up in resize.up} == {(3, 3)}
