"""Convolutions 4×4 of stride 1 by Winograd's minimal filtering, F(3×3, 4×4), for wide layers on a CPU.

Nine output pixels of a pair of channels cost 36 multiplications instead of 144 (Lavin and Gray 2016, arXiv 1509.09308,
have 3×3 kernels). A 70×70 PatchGAN has one such layer, a quarter of a training step. Same mathematics: in float32 the
output is within 2e-6 of the exact one, relative to its norm, the library's within 3e-7.
"""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

KERNEL = 4
OUT = 3  # output pixels of a tile, a side
TILE = OUT + KERNEL - 1  # input pixels of a tile, a side; the next begins `OUT` further
POINTS = 0.0, 1.0, -1.0, 2.0, -0.5
"""Points at which the polynomials are evaluated, besides infinity (Cook and Toom); of the sets tried the most exact."""
WIDE = 2**20  # faster than the library from this number of weights on
TILES = 64  # and from this number of tiles of the whole batch on, with one and with two threads


def is_faster(weight: Tensor, stride: tuple[int, ...], count: int, height: int, width: int) -> bool:
    """Return whether `convolution` takes less time than the library for `count` outputs of this height and width."""
    tiles = count * -(-height // OUT) * -(-width // OUT)
    return weight.shape[2:] == (KERNEL, KERNEL) and stride == (1, 1) and weight.numel() >= WIDE and tiles >= TILES


def convolution(x: Tensor, weight: Tensor, padding: tuple[int, ...]) -> Tensor:
    """`F.conv2d(x, weight, padding=padding)`: (N, C, H, W) and (O, C, 4, 4) to (N, O, h, w)."""
    y: Tensor = _Winograd.apply(x, weight, padding)
    return y


class _Winograd(torch.autograd.Function):
    """y = A ((G w) * (B x)) for each tile, where * is a matrix product over the channels for each of 36 places."""

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
    """(N, C, rows, columns, h, w), tiles of h×w, to a row for each place in a tile: (h * w, C * N * rows * columns)."""
    return tiles.permute(4, 5, 1, 0, 2, 3).reshape(tiles.shape[4] * tiles.shape[5], -1)


@cache
def transforms(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """A (9, 36), G (36, 16) and B (36, 36) of both axes: products of the one axis's with itself.

    The product of two polynomials is known from their values at as many points as it has coefficients; a correlation
    is the transpose of that. Each row of B has a maximum of 1, so that values keep their size.
    """
    points = torch.tensor(POINTS, dtype=torch.float64)

    def values(coefficients: int) -> Tensor:
        """(6, coefficients): at each point the powers, at infinity the highest alone."""
        at_infinity = torch.eye(coefficients, dtype=torch.float64)[-1:]
        return torch.cat([points[:, None] ** torch.arange(coefficients), at_infinity])

    of_input = torch.linalg.inv(values(TILE)).t()
    scale = of_input.abs().amax(dim=1, keepdim=True)
    of_output, of_weight, of_input = values(OUT).t(), values(KERNEL) * scale, of_input / scale
    of_both = [torch.kron(one, one).to(dtype) for one in (of_output, of_weight, of_input)]
    return of_both[0], of_both[1], of_both[2]
