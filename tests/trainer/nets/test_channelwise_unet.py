"""The U-Net around a channel-wise fully-connected layer."""

import pytest
import torch
from plain_layers import batch_norm, connect, double, drawn, halve, leaky, weights_of
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.settings.training import EncoderOrder, InpaintingSettings, TrainingSettings
from trainer.nets.build import empty_generator
from trainer.nets.unet import UNet


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
        empty_generator(settings_of(image_size=192))
    with pytest.raises(UserError, match=r"^depth 2: a bottleneck of 64 pixels a side, more than 32; give more depth"):
        empty_generator(settings_of(image_size=256, depth=2))
