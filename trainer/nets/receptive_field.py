"""Which convolutions give a discriminator's logit a wanted receptive field."""

from dataclasses import dataclass

from gan_eval.errors import UserError

KERNEL = 4
"""The published kernel (arXiv 1611.07004, section 6.1.2)."""


@dataclass(frozen=True)
class Layer:
    """A convolution's geometry."""

    kernel: int
    stride: int

    @property
    def padding(self) -> int:
        """Zeros around the picture: as published (1) at kernels 4 and 3, none at 2 and 1."""
        return (self.kernel - 1) // 2


def plan_layers(field: int) -> tuple[Layer, ...]:
    """Convolutions, input to output, whose logits see exactly `field` x `field` pixels.

    A field of 1 takes three convolutions of kernel 1 (the "PixelGAN"). The published family has n convolutions of
    kernel 4 and stride 2 and two of stride 1: fields of 9 * 2^n - 2 pixels (16, 34, 70, 142, 286, ...). For a field
    between two members the larger one is taken and kernels are made smaller. A pixel less in the kernel of a layer
    takes as many pixels from the field as the strides before it multiply to: 2^n in the last two layers, and 1, 2, 4,
    ... 2^(n-1) in those before, which are the binary digits of the rest. So any number can be taken away.

    Raises:
        UserError: the field is smaller than a pixel.

    >>> [(layer.kernel, layer.stride) for layer in plan_layers(70)]
    [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]
    >>> [(layer.kernel, layer.stride) for layer in plan_layers(50)]
    [(4, 2), (4, 2), (3, 2), (3, 1), (3, 1)]
    """
    if field < 1:
        raise UserError(f"receptive_field {field}: at least 1 pixel is wanted")
    if field == 1:
        return (Layer(1, 1),) * 3
    halvings = 0
    while 9 * 2**halvings - 2 < field:
        halvings += 1
    last_two, digits = divmod(9 * 2**halvings - 2 - field, 2**halvings)
    down = [Layer(KERNEL - (digits >> level & 1), 2) for level in range(halvings)]
    return (*down, Layer(KERNEL - last_two // 2, 1), Layer(KERNEL - (last_two + 1) // 2, 1))


def receptive_field(layers: tuple[Layer, ...]) -> int:
    """Side of the square of input pixels that one output logit sees.

    >>> receptive_field(plan_layers(70))
    70
    """
    field = 1
    for layer in reversed(layers):
        field = (field - 1) * layer.stride + layer.kernel
    return field


def grid_sides(size: int, layers: tuple[Layer, ...]) -> list[int]:
    """Side of the output of each layer for a picture of side `size`; below 1 the picture is too small.

    >>> grid_sides(256, plan_layers(70))
    [128, 64, 32, 31, 30]
    """
    sides: list[int] = []
    for layer in layers:
        size = (size + 2 * layer.padding - layer.kernel) // layer.stride + 1
        sides.append(size)
    return sides


def fits(size: int, layers: tuple[Layer, ...]) -> bool:
    """Whether pictures of side `size` give a logit, and inner layers more than the one pixel that no norm can take."""
    *inner, last = grid_sides(size, layers)
    return last >= 1 and min(inner) >= 2


def smallest_size(layers: tuple[Layer, ...]) -> int:
    """The smallest side of a picture that fits.

    >>> smallest_size(plan_layers(70))
    24
    """
    size = 1
    while not fits(size, layers):
        size += 1
    return size
