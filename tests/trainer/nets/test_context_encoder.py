"""Context encoders: size, shapes, the computation written out, what is refused."""

import pytest
import torch
import torch.nn.functional as F
from plain_layers import batch_norm, connect, decode, drawn, encode, leaky, weights_of

from gan_eval.settings.training import NormKind, UpsamplingKind
from trainer.nets.context_encoder import ContextEncoder, RegionEncoder


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


def test_activation_stands_before_the_norm_where_asked() -> None:
    region = RegionEncoder(size=32, channels=2, encoder_order="activation_norm")
    centre = ContextEncoder(size=32, hole=16, channels=2, bottleneck=5, encoder_order="activation_norm")
    for net in (region, centre):
        first, *inner = (list(dict(stage.named_children())) for stage in net.encoder)
        assert first == ["conv", "activation"]
        assert inner == [["conv", "activation", "norm"]] * 2
        assert [list(dict(stage.named_children())) for stage in net.decoder][-2] == ["conv", "norm", "activation"]
        W, x = weights_of(drawn(net)), picture(3, 3, 32)
        y = leaky(F.conv2d(x, W["encoder.0.conv.weight"], stride=2, padding=1))
        for level in (1, 2):
            y = leaky(F.conv2d(y, W[f"encoder.{level}.conv.weight"], stride=2, padding=1))
            y = batch_norm(W, f"encoder.{level}.norm", y)
        torch.testing.assert_close(net.encoder(x), y, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("size", "hole", "channels"), [(16, 8, 3), (32, 16, 3), (64, 32, 3), (32, 32, 4)])
def test_context_encoder_is_the_computation_written_out(size: int, hole: int, channels: int) -> None:
    net = drawn(ContextEncoder(size=size, hole=hole, channels=2, bottleneck=5, in_channels=channels))
    W, x = weights_of(net), picture(3, channels, size)
    inner = leaky(batch_norm(W, "bottleneck.norm", F.conv2d(encode(W, x), W["bottleneck.conv.weight"])))
    assert inner.shape == (3, 5, 1, 1)
    outer = torch.einsum("nbij,bchw->nchw", inner, W["decoder.0.conv.weight"])
    wanted = decode(W, batch_norm(W, "decoder.0.norm", outer).clamp(min=0), first=1)
    torch.testing.assert_close(net(x), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("size", "channels"), [(16, 3), (32, 4), (64, 3)])
def test_region_encoder_is_the_computation_written_out(size: int, channels: int) -> None:
    net = drawn(RegionEncoder(size=size, channels=2, in_channels=channels))
    W, x = weights_of(net), picture(2, channels, size)
    mixed = torch.einsum("nchw,dc->ndhw", connect(W, "channelwise", encode(W, x)), W["mixing.conv.weight"][..., 0, 0])
    wanted = decode(W, batch_norm(W, "mixing.norm", mixed).clamp(min=0), first=0)
    torch.testing.assert_close(net(x), wanted, rtol=0, atol=1e-10)
