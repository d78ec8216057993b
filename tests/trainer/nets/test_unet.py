"""The U-Net: size, depth, layout, initial weights; and around a channel-wise fully-connected layer."""

import hashlib
from typing import Any

import pytest
import torch
from plain_layers import batch_norm, connect, double, drawn, halve, leaky, weights_of
from refusals import refused
from torch import Tensor

from gan_eval.settings.training import EncoderOrder, InpaintingSettings, TrainingSettings
from trainer.nets.build import generator_for, new_networks
from trainer.nets.unet import UNet


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
        ({"image_size": 64, "seed": 2**63 - 1}, "640b5e528314083d", "4553f4614001e16c"),
    ],
)
def test_initial_weights_stay_what_they_were(changes: dict[str, Any], generator: str, discriminator: str) -> None:
    """Check that a run of an earlier version resumes, and that its seed still gives the same networks."""
    nets = new_networks(TrainingSettings(steps=1, generator_channels=4, discriminator_channels=4, **changes))
    assert [sha256(net)[:16] for net in nets] == [generator, discriminator]


def settings_of(**changes: object) -> TrainingSettings:
    given = {"steps": 1, "generator": "channelwise_unet", "generator_channels": 1, "inpainting": InpaintingSettings()}
    return TrainingSettings(**given | changes)


@pytest.mark.parametrize("order", ["norm_activation", "activation_norm"])
@pytest.mark.parametrize(("depth", "side"), [(2, 1), (3, 2), (4, 4)])
def test_is_the_computation_written_out(depth: int, side: int, order: EncoderOrder) -> None:
    net = drawn(UNet(depth=depth, channels=2, dropout=0, bottleneck_side=side, encoder_order=order))
    W, size = weights_of(net), side * 2**depth
    assert (net.only_size, net.multiple, net.smallest) == (size, size, size)
    x = torch.rand(3, 3, size, size, dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(net(x), written_out(W, x, depth, first=order == "activation_norm"), rtol=0, atol=1e-10)


def written_out(W: dict[str, Tensor], x: Tensor, depth: int, *, first: bool) -> Tensor:
    """The network; `first`: LeakyReLU stands before the norm, not before the next convolution."""
    encoded = [leaky(halve(W, "down.0.conv", x)) if first else halve(W, "down.0.conv", x)]
    for level in range(1, depth):
        y = halve(W, f"down.{level}.conv", encoded[-1] if first else leaky(encoded[-1]))
        y = leaky(y) if first else y
        encoded.append(y if level == depth - 1 else batch_norm(W, f"down.{level}.norm", y))
    y = connect(W, "bottleneck", encoded.pop() if first else leaky(encoded.pop()))
    for level in range(depth - 1, 0, -1):
        y = batch_norm(W, f"up.{level}.norm", double(W, f"up.{level}.conv", y.clamp(min=0)))
        y = torch.cat([encoded.pop(), y], 1)
    return torch.tanh(double(W, "up.0.conv", y.clamp(min=0)))


def test_what_cannot_be_built_is_refused() -> None:
    refused(r"^image_size: 192 pixels.*4;.*128.*256", generator_for, settings_of(image_size=192))
    refused(r"^depth 2:.*64 pixels.*32", generator_for, settings_of(image_size=256, depth=2))
