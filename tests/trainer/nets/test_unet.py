"""The U-Net: size, depth, layout, initial weights; and around a channel-wise fully-connected layer."""

import hashlib
from typing import Any

import pytest
import torch
from plain_layers import batch_norm, connect, double, drawn, halve, leaky, weights_of
from torch import Tensor

from gan_eval.errors import UserError
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


def settings_of(**changes: object) -> TrainingSettings:
    given = {"steps": 1, "generator": "channelwise_unet", "generator_channels": 1, "inpainting": InpaintingSettings()}
    return TrainingSettings(**given | changes)


def test_the_layer_adds_its_weights_alone() -> None:
    with torch.device("meta"):
        plain, connected = UNet(depth=6), UNet(depth=6, bottleneck_side=4)
    extra = 512 * (16 * 16 + 16)
    counts = [sum(weight.numel() for weight in net.parameters()) for net in (plain, connected)]
    assert counts[1] == counts[0] + extra
    assert list(connected.state_dict()) == [*plain.state_dict(), "bottleneck.weight", "bottleneck.bias"]
    assert (plain.only_size, plain.multiple, plain.smallest) == (None, 64, 64)
    assert (connected.only_size, connected.multiple, connected.smallest, connected.depth) == (256, 256, 256, 6)


@pytest.mark.parametrize("order", ["norm_activation", "activation_norm"])
@pytest.mark.parametrize(("depth", "side"), [(2, 1), (3, 2), (4, 4)])
def test_is_the_computation_written_out(depth: int, side: int, order: EncoderOrder) -> None:
    net = drawn(UNet(depth=depth, channels=2, dropout=0, bottleneck_side=side, encoder_order=order))
    W, size = weights_of(net), side * 2**depth
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
    with pytest.raises(
        UserError, match=r"^image_size: 192 pixels a side do not halve to 4; .* 128 or 256, or give depth"
    ):
        generator_for(settings_of(image_size=192))
    with pytest.raises(UserError, match=r"^depth 2: a bottleneck of 64 pixels a side, more than 32; give more depth"):
        generator_for(settings_of(image_size=256, depth=2))
