"""Convolutions by matrix products and by Winograd's: the library's convolution is the reference."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.nets import convolution
from trainer.nets.convolution import Conv2d, ConvTranspose2d, Winograd

Shape = tuple[int, ...]


def with_gradients(y: Tensor, *of: Tensor) -> list[Tensor]:
    """Output and the gradients of `of` for a fixed gradient of the output."""
    grad = torch.randn(y.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    return [y.detach(), *torch.autograd.grad(y, of, grad)]


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the products that were computed; layers of any size use them."""
    monkeypatch.setattr(convolution, "WEIGHTS_PER_PIXEL", 0)
    taken: list[str] = []
    for name in ("_ConvolutionProduct", "_TransposedProduct"):
        apply: Callable[..., Tensor] = getattr(convolution, name).apply
        monkeypatch.setattr(
            getattr(convolution, name), "apply", lambda *a, f=apply, name=name: (taken.append(name), f(*a))[1]
        )
    return taken


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 6, 1, 1), (1, 6, 5, 7), (2, 6, 4, 8), (3, 6, 4, 4)])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 2, 1), (2, 1, 0), (2, 2, 0)])
@pytest.mark.parametrize("is_transposed", [False, True])
def test_convolutions_agree_in_float64(
    is_transposed: bool, shape: Shape, bias: bool, kernel: int, stride: int, padding: int, products: list[str]
) -> None:
    if not is_transposed:
        shape = (*shape[:2], *(max(side, kernel) for side in shape[2:]))
    how = {"stride": stride, "padding": padding, "bias": bias, "dtype": torch.float64}
    library, own = (nn.ConvTranspose2d, ConvTranspose2d) if is_transposed else (nn.Conv2d, Conv2d)
    theirs, ours = library(6, 16, kernel, **how), own(6, 16, kernel, **how)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(shape, dtype=torch.float64).requires_grad_()
    found, wanted = (with_gradients(layer(x), x, *layer.parameters()) for layer in (ours, theirs))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    assert products == ["_TransposedProduct" if is_transposed else "_ConvolutionProduct"]


def test_library_is_used_for_large_pictures_and_autocast(products: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "WEIGHTS_PER_PIXEL", 10)  # of 192 weights
    small, large = torch.randn(1, 3, 4, 4), torch.randn(1, 3, 64, 64)
    down, up = Conv2d(3, 4, 4, 2, 1), ConvTranspose2d(3, 4, 4, 2, 1)
    down(large), up(large)
    with torch.autocast("cpu", torch.bfloat16):
        assert down(small).dtype == torch.bfloat16
        assert up(small).dtype == torch.bfloat16
    assert products == []
    down(small), up(small)
    assert products == ["_ConvolutionProduct", "_TransposedProduct"]


def made(shape: Shape, seed: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (2, 0), (3, 1)])
@pytest.mark.parametrize("shape", [(1, 3, 4, 4), (1, 3, 32, 32), (2, 3, 9, 7)])
def test_winograd_agrees_in_float64(shape: Shape, padding: tuple[int, int]) -> None:
    x, weight = made(shape, 2), made((5, 3, 4, 4), 3)
    ours = with_gradients(Winograd.apply(x, weight, padding), x, weight)
    theirs = with_gradients(F.conv2d(x, weight, padding=padding), x, weight)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


def test_winograd_is_within_millionths_in_float32() -> None:
    x, weight = made((1, 64, 32, 32), 2), made((64, 64, 4, 4), 3)
    exact = with_gradients(F.conv2d(x, weight, padding=1), x, weight)
    x, weight = (one.detach().float().requires_grad_() for one in (x, weight))
    for ours, theirs in zip(with_gradients(Winograd.apply(x, weight, (1, 1)), x, weight), exact, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) < 4e-6
