"""Winograd's convolution: the library's, in float64, is the reference."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.nets import convolution
from trainer.nets.convolution import Conv2d, use_matrix_products
from trainer.nets.discriminators import PatchGAN


def gradients(y: Tensor, *of: Tensor) -> list[Tensor]:
    """Output and the gradients of `of` for a fixed gradient of the output."""
    grad = torch.randn(y.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    return [y.detach(), *torch.autograd.grad(y, of, grad)]


def made(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of output channels of each convolution by Winograd's method, for layers of any width."""
    monkeypatch.setattr(convolution, "WIDE", 0)
    monkeypatch.setattr(convolution, "TILES", 0)
    channels: list[int] = []
    own = convolution.Winograd.apply

    def counted(x: Tensor, weight: Tensor, padding: tuple[int, ...]) -> Tensor:
        channels.append(len(weight))
        return own(x, weight, padding)

    monkeypatch.setattr(convolution.Winograd, "apply", counted)
    return channels


@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 0), (3, 1)])
@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 3, 32, 32), (2, 3, 9, 7), (3, 3, 5, 16)])
def test_agrees_in_float64(shape: tuple[int, ...], padding: tuple[int, int]) -> None:
    x, weight = made(shape, 2), made((5, 3, 4, 4), 3)
    ours = gradients(convolution.Winograd.apply(x, weight, padding), x, weight)
    theirs = gradients(F.conv2d(x, weight, padding=padding), x, weight)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


def test_gradients_agree_with_finite_differences() -> None:
    assert torch.autograd.gradcheck(
        lambda x, weight: convolution.Winograd.apply(x, weight, (1, 1)), (made((2, 2, 6, 5), 2), made((3, 2, 4, 4), 3))
    )


def test_is_within_millionths_in_float32() -> None:
    x, weight = made((1, 64, 32, 32), 2), made((64, 64, 4, 4), 3)
    exact = gradients(F.conv2d(x, weight, padding=1), x, weight)
    x, weight = (one.detach().float().requires_grad_() for one in (x, weight))
    for ours, theirs in zip(gradients(convolution.Winograd.apply(x, weight, (1, 1)), x, weight), exact, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 4e-6


def test_a_gradient_alone_is_that_of_both() -> None:
    x, weight = made((1, 2, 8, 8), 2), made((3, 2, 4, 4), 3)
    _, of_x, of_weight = gradients(convolution.Winograd.apply(x, weight, (1, 1)), x, weight)
    _, of_x_alone = gradients(convolution.Winograd.apply(x, weight.detach(), (1, 1)), x)
    _, of_weight_alone = gradients(convolution.Winograd.apply(x.detach(), weight, (1, 1)), weight)
    assert torch.equal(of_x_alone, of_x)
    assert torch.equal(of_weight_alone, of_weight)


def test_layers_of_stride_1_take_it_with_their_bias(taken: list[int]) -> None:
    x = made((1, 3, 12, 12), 2)
    for layer in (Conv2d(3, 5, 4, 1, 1), Conv2d(3, 6, 4, 2, 1), Conv2d(3, 7, 3, 1, 1)):
        y = layer.double()(x)
        torch.testing.assert_close(y, F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding))
    assert taken == [5]


def test_the_widest_layer_of_a_patchgan_takes_it(monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    net = use_matrix_products(PatchGAN(in_channels=6, channels=64))
    monkeypatch.setattr(convolution, "WIDE", 2**20)
    monkeypatch.setattr(convolution, "TILES", 64)
    net(torch.zeros(1, 6, 256, 256))
    net(torch.zeros(1, 6, 128, 128))  # few tiles
    assert taken == [512]
