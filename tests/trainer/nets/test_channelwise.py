"""The channel-wise fully-connected layer: a plain linear layer for each channel is the reference."""

import pytest
import torch
from plain_layers import connect, weights_of
from torch import nn

from trainer.nets.layers import ChannelwiseLinear


def drawn_layer(channels: int, side: int, seed: int = 0) -> ChannelwiseLinear:
    layer = ChannelwiseLinear(channels, side).double()
    numbers = torch.Generator().manual_seed(seed)
    for weight in layer.parameters():
        nn.init.normal_(weight, generator=numbers)
    return layer


@pytest.mark.parametrize(("count", "channels", "side"), [(1, 1, 1), (1, 3, 4), (5, 2, 4), (2, 7, 3)])
def test_agrees_with_a_linear_layer_for_each_channel(count: int, channels: int, side: int) -> None:
    for seed in range(5):
        layer = drawn_layer(channels, side, seed)
        x = torch.randn(count, channels, side, side, dtype=torch.float64)
        y = layer(x)
        assert y.shape == x.shape
        W = {f"layer.{name}": tensor for name, tensor in weights_of(layer).items()}
        torch.testing.assert_close(y, connect(W, "layer", x), rtol=0, atol=1e-12)


def test_gradients_agree_with_finite_differences() -> None:
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    layer = drawn_layer(3, 2)
    assert torch.autograd.gradcheck(layer, (x,))
    assert torch.autograd.gradcheck(
        lambda weight: torch.func.functional_call(layer, {"weight": weight}, (x.detach(),)), (layer.weight,)
    )
