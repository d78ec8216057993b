"""Convolutions as matrix products, where they are faster on a CPU: `use_matrix_products(net)`.

At the bottom of a U-Net a convolution reads tens of megabytes of weights for a handful of pixels. The library's
kernels first bring the weights into an order of their own, at each call; a matrix product reads them where they lie.
A PatchGAN's widest layer, a quarter of a training step, takes Winograd's products.
Same keys, same initial weights, same mathematics (floating-point sums in another order).

Without them a step of 256 pixels at batch 1 takes 1.22 times as long (1.07 to 1.36; CPU time on one thread, ten steps
of each in turn, 30 November 2026).
"""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from trainer.devices import NetT

WEIGHTS_PER_PIXEL = 2**16
"""Number of weights per pixel of the small side, over the batch, from which the products are faster (2 CPU threads)."""
BLOCK = 256  # columns of the weights in one product; few rows alone would leave threads idle


def use_matrix_products(net: NetT) -> NetT:
    """Make the plain convolutions of a network use matrix products where these are faster, on a CPU; return `net`.

    Its weights and their keys stay the same. Convolutions to one channel have too few weights to gain from it. Groups,
    dilation and borders other than zeros are not supported.
    """
    for module in net.modules():
        if type(module) is nn.Conv2d and module.out_channels > 1:
            module.__class__ = Conv2d
        elif type(module) is nn.ConvTranspose2d:
            module.__class__ = ConvTranspose2d
    return net


class Conv2d(nn.Conv2d):
    """`nn.Conv2d` with zero padding, by matrix products where they are faster."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, h, w)."""
        if isinstance(self.padding, str) or not _possible(self, x):
            return super().forward(x)
        height, width = _sides(x, self.weight, self.stride, self.padding)
        if _few_pixels(self, x.shape[0] * height * width):
            y = _ConvolutionProduct.apply(x, self.weight, self.stride, self.padding)
        elif winograd_is_faster(self.weight, self.stride, x.shape[0], height, width):
            y = Winograd.apply(x, self.weight, self.padding)
        else:
            return super().forward(x)
        return y if self.bias is None else y + self.bias[:, None, None]


class ConvTranspose2d(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d`, by matrix products where they are faster."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, in_channels, h, w) to (N, out_channels, H, W)."""
        plain = output_size is not None or any(self.output_padding) or not _possible(self, x)
        if plain or not _few_pixels(self, x.shape[0] * x.shape[-2] * x.shape[-1]):
            return super().forward(x, output_size)
        y = _TransposedProduct.apply(x, self.weight, self.stride, self.padding)
        return y if self.bias is None else y + self.bias[:, None, None]


def _few_pixels(layer: nn.Conv2d | nn.ConvTranspose2d, pixels: int) -> bool:
    """Return True if reading the weights is most of the work."""
    return pixels * WEIGHTS_PER_PIXEL <= layer.weight.numel()


def _possible(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Return True if the products can be used: on a CPU, in the precision of the weights."""
    return x.device.type == "cpu" and x.dtype == layer.weight.dtype and not torch.is_autocast_enabled("cpu")


class _ConvolutionProduct(torch.autograd.Function):
    """y = W @ unfold(x), pixel by pixel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        y, patches = _down(x, weight, stride, padding)
        ctx.save_for_backward(patches, weight)
        ctx.geometry = x.shape, stride, padding
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        patches, weight = ctx.saved_tensors
        pixels = _pixels(grad)
        grad_x = _up(pixels, weight, *ctx.geometry) if ctx.needs_input_grad[0] else None
        return grad_x, (pixels.t() @ patches).view_as(weight), None, None


class _TransposedProduct(torch.autograd.Function):
    """y = fold(W^T @ x): the transpose of a convolution, with forward and backward exchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> Tensor:
        pixels = _pixels(x)
        ctx.save_for_backward(pixels, weight)
        ctx.geometry = stride, padding
        sides = [
            (side - 1) * step - 2 * pad + kernel
            for side, pad, kernel, step in zip(x.shape[2:], padding, weight.shape[2:], stride, strict=True)
        ]
        return _up(pixels, weight, (len(x), weight.shape[1], *sides), stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        pixels, weight = ctx.saved_tensors
        grad_x, patches = _down(grad, weight, *ctx.geometry)
        return grad_x, (pixels.t() @ patches).view_as(weight), None, None


def _sides(x: Tensor, weight: Tensor, stride: tuple[int, ...], padding: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of a convolution's output."""
    height, width = (
        (side + 2 * pad - kernel) // step + 1
        for side, pad, kernel, step in zip(x.shape[-2:], padding, weight.shape[2:], stride, strict=True)
    )
    return height, width


def _pixels(x: Tensor) -> Tensor:
    """Reshape (N, C, h, w) to a row for each pixel: (N * h * w, C)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]).contiguous()


def _down(x: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return a convolution (N, C, h, w), and its input with a row for each place of the kernel."""
    columns = F.unfold(x, weight.shape[2:], stride=stride, padding=padding)
    patches = columns.transpose(1, 2).reshape(-1, columns.shape[1]).contiguous()
    rows = (weight.flatten(1) @ patches.t()).t()  # in the order in which the library runs along the rows of the weights
    picture = rows.view(len(x), *_sides(x, weight, stride, padding), len(weight)).permute(0, 3, 1, 2)
    return picture.contiguous(), patches


def _up(
    pixels: Tensor, weight: Tensor, shape: tuple[int, ...], stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """Return the transpose of `_down`: rows (N * h * w, C) to a picture of `shape`. The product is in blocks of
    columns."""
    matrix = weight.flatten(1)
    a, b = matrix.shape
    if b % BLOCK:
        rows = pixels @ matrix
    else:
        blocks = matrix.view(a, b // BLOCK, BLOCK).transpose(0, 1)
        rows = torch.bmm(pixels.expand(len(blocks), -1, -1), blocks).transpose(0, 1).reshape(-1, b)
    columns = rows.view(shape[0], -1, b).transpose(1, 2)
    return F.fold(columns, shape[2:], weight.shape[2:], stride=stride, padding=padding)


KERNEL = 4
OUT = 3  # side of a tile's output in pixels
TILE = OUT + KERNEL - 1  # side of a tile's input in pixels; the next tile begins `OUT` further
POINTS = 0.0, 1.0, -1.0, 2.0, -0.5
"""Points at which the polynomials are evaluated, besides infinity (Cook and Toom); of the sets tried the most exact."""
WIDE = 2**20  # minimum number of weights at which it is faster than the library
TILES = 64  # and from this number of tiles of the whole batch on, with one and with two threads


def winograd_is_faster(weight: Tensor, stride: tuple[int, ...], count: int, height: int, width: int) -> bool:
    """Return True if Winograd's products are faster than the library for `count` outputs of this size."""
    tiles = count * -(-height // OUT) * -(-width // OUT)
    return weight.shape[2:] == (KERNEL, KERNEL) and stride == (1, 1) and weight.numel() >= WIDE and tiles >= TILES


class Winograd(torch.autograd.Function):
    """Convolutions 4x4 of stride 1 by Winograd's minimal filtering, F(3x3, 4x4), for wide layers on a CPU.

    y = A ((G w) * (B x)) for each tile, where * is a matrix product over the channels for each of 36 places. Nine
    output pixels of a pair of channels cost 36 multiplications instead of 144 (Lavin and Gray 2016, arXiv 1509.09308,
    have 3x3 kernels). In float32 the output is within 2e-6 of the exact one, relative to its norm, the library's within
    3e-7.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, padding: tuple[int, ...]) -> Tensor:
        of_output, of_weight, of_input = transforms(x.dtype)
        count, channels, *sides = x.shape
        wanted = [side + 2 * pad - KERNEL + 1 for side, pad in zip(sides, padding, strict=True)]
        rows, columns = grid = [-(-side // OUT) for side in wanted]
        below, right = (OUT * n + KERNEL - 1 - side - pad for n, side, pad in zip(grid, sides, padding, strict=True))
        tiles = F.pad(x, (padding[1], right, padding[0], below)).unfold(2, TILE, OUT).unfold(3, TILE, OUT)
        inputs = (of_input @ _places_first(tiles)).view(TILE**2, channels, -1)
        weights = (of_weight @ weight.permute(2, 3, 0, 1).reshape(KERNEL**2, -1)).view(TILE**2, -1, channels)
        y = (of_output @ (weights @ inputs).flatten(1)).view(OUT, OUT, -1, count, rows, columns)
        ctx.save_for_backward(inputs, weights)
        ctx.geometry = x.shape, padding
        picture = y.permute(3, 2, 4, 0, 5, 1).reshape(count, -1, OUT * rows, OUT * columns)
        return picture[..., : wanted[0], : wanted[1]].contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, weights = ctx.saved_tensors
        (count, channels, height, width), (above, left) = ctx.geometry
        of_output, of_weight, of_input = transforms(grad.dtype)
        below, right = (-side % OUT for side in grad.shape[2:])
        tiles = F.pad(grad, (0, right, 0, below)).unfold(2, OUT, OUT).unfold(3, OUT, OUT)
        rows, columns = tiles.shape[2:4]
        products = (of_output.t() @ _places_first(tiles)).view(TILE**2, grad.shape[1], -1)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            places = (of_input.t() @ (weights.transpose(1, 2) @ products).flatten(1)).view(
                -1, channels, count, rows * columns
            )
            overlaid = places.permute(2, 1, 0, 3).reshape(count, channels * TILE**2, -1)
            sides = OUT * rows + KERNEL - 1, OUT * columns + KERNEL - 1
            grad_x = F.fold(overlaid, sides, TILE, stride=OUT)[..., above : above + height, left : left + width]
        if ctx.needs_input_grad[1]:
            of_pairs = of_weight.t() @ (products @ inputs.transpose(1, 2)).flatten(1)
            grad_weight = of_pairs.view(KERNEL, KERNEL, -1, channels).permute(2, 3, 0, 1).contiguous()
        return grad_x, grad_weight, None


def _places_first(tiles: Tensor) -> Tensor:
    """Reshape tiles (N, C, rows, columns, h, w) to a row for each place in a tile: (h * w, C * N * rows * columns)."""
    return tiles.permute(4, 5, 1, 0, 2, 3).reshape(tiles.shape[4] * tiles.shape[5], -1)


@cache
def transforms(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Return A (9, 36), G (36, 16) and B (36, 36) for both axes: Kronecker products of one axis's with itself.

    The product of two polynomials follows from their values at as many points as it has coefficients; a correlation
    is the transpose of that. Each row of B has a maximum of 1, so that values keep their size.
    """
    points = torch.tensor(POINTS, dtype=torch.float64)

    def values(coefficients: int) -> Tensor:
        """Return (6, coefficients): the powers of each point; for infinity, only the highest one."""
        at_infinity = torch.eye(coefficients, dtype=torch.float64)[-1:]
        return torch.cat([points[:, None] ** torch.arange(coefficients), at_infinity])

    of_input = torch.linalg.inv(values(TILE)).t()
    scale = of_input.abs().amax(dim=1, keepdim=True)
    of_output, of_weight, of_input = values(OUT).t(), values(KERNEL) * scale, of_input / scale
    of_both = [torch.kron(one, one).to(dtype) for one in (of_output, of_weight, of_input)]
    return of_both[0], of_both[1], of_both[2]
