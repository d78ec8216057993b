"""Context encoders: size, shapes, the computation written out, what is refused."""

import pytest
import torch
import torch.nn.functional as F
from plain_layers import batch_norm, connect, decode, drawn, encode, leaky, weights_of

from gan_eval.settings.training import EncoderOrder, NormKind, UpsamplingKind
from trainer.nets.context_encoder import ContextEncoder, RegionEncoder

ORDERS: tuple[EncoderOrder, ...] = ("norm_activation", "activation_norm")


def picture(count: int, channels: int, size: int) -> torch.Tensor:
    numbers = torch.Generator().manual_seed(0)
    return torch.rand(count, channels, size, size, dtype=torch.float64, generator=numbers) * 2 - 1


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize(("size", "hole", "channels"), [(16, 8, 3), (32, 16, 3), (64, 16, 4), (128, 64, 4)])
def test_shapes_and_range(size: int, hole: int, channels: int, norm: NormKind, upsampling: UpsamplingKind) -> None:
    centre = ContextEncoder(
        size=size, hole=hole, channels=2, bottleneck=6, norm=norm, upsampling=upsampling, in_channels=channels
    )
    region = RegionEncoder(size=size, channels=2, norm=norm, upsampling=upsampling, in_channels=channels)
    assert (centre.multiple, centre.smallest, centre.only_size) == (size, size, size)
    x = picture(2, channels, size)
    for net, side in ((centre, hole), (region, size)):
        y = drawn(net)(x)
        assert y.shape == (2, 3, side, side)
        assert float(y.detach().abs().max()) <= 1
        assert float(y.detach().std()) > 0
        y.square().sum().backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("size", "hole", "channels"), [(16, 8, 3), (32, 16, 3), (64, 32, 3), (32, 32, 4)])
def test_context_encoder_equals_the_plain_computation(size: int, hole: int, channels: int, order: EncoderOrder) -> None:
    net = ContextEncoder(size=size, hole=hole, channels=2, bottleneck=5, in_channels=channels, encoder_order=order)
    W, x = weights_of(drawn(net)), picture(3, channels, size)
    inner = leaky(batch_norm(W, "bottleneck.norm", F.conv2d(encode(W, x, order), W["bottleneck.conv.weight"])))
    assert inner.shape == (3, 5, 1, 1)
    outer = torch.einsum("nbij,bchw->nchw", inner, W["decoder.0.conv.weight"])
    wanted = decode(W, batch_norm(W, "decoder.0.norm", outer).clamp(min=0), first=1)
    torch.testing.assert_close(net(x), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("size", "channels"), [(16, 3), (32, 4), (64, 3)])
def test_region_encoder_equals_the_plain_computation(size: int, channels: int, order: EncoderOrder) -> None:
    net = drawn(RegionEncoder(size=size, channels=2, in_channels=channels, encoder_order=order))
    W, x = weights_of(net), picture(2, channels, size)
    crossed = connect(W, "channelwise", encode(W, x, order))
    mixed = torch.einsum("nchw,dc->ndhw", crossed, W["mixing.conv.weight"][..., 0, 0])
    wanted = decode(W, batch_norm(W, "mixing.norm", mixed).clamp(min=0), first=0)
    torch.testing.assert_close(net(x), wanted, rtol=0, atol=1e-10)
