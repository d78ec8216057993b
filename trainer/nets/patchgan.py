"""The discriminator: a PatchGAN that judges overlapping patches (arXiv 1611.07004, sections 3.2.2 and 6.1.2)."""

from torch import Tensor, nn

from trainer.nets.layers import Norm, inner_bias, norm_layer

KERNEL = 4
WIDEST = 8


def strides(layers: int) -> tuple[int, ...]:
    """The strides of the convolutions of a PatchGAN with `layers` halvings, input to output."""
    return (2,) * layers + (1, 1)


def receptive_field(layers: int) -> int:
    """Side of the square of input pixels that one output logit sees.

    >>> [receptive_field(layers) for layers in (1, 2, 3, 5)]
    [16, 34, 70, 286]
    """
    field = 1
    for stride in reversed(strides(layers)):
        field = (field - 1) * stride + KERNEL
    return field


def patch_grid(size: int, layers: int) -> int:
    """Side of the square of logits for a picture of side `size`; below 1 the picture is too small.

    >>> patch_grid(256, 3)
    30
    """
    for stride in strides(layers):
        size = (size + 2 - KERNEL) // stride + 1
    return size


class PatchGAN(nn.Module):
    """Convolutions of kernel 4, `layers` of them with stride 2, two with stride 1; one logit for each patch.

    Keys are those of pytorch-CycleGAN-and-pix2pix: convolutions `model.{0,2,5,8,11}` and norms `model.{3,6,9}` at
    three layers.
    """

    def __init__(self, *, in_channels: int = 6, channels: int = 64, layers: int = 3, norm: Norm = "batch") -> None:
        super().__init__()
        *steps, last = strides(layers)
        modules: list[nn.Module] = [nn.Conv2d(in_channels, channels, KERNEL, steps[0], 1), nn.LeakyReLU(0.2, True)]
        width = channels
        for level, stride in enumerate(steps[1:], start=1):
            before, width = width, channels * min(2**level, WIDEST)
            modules += [
                nn.Conv2d(before, width, KERNEL, stride, 1, bias=inner_bias(norm)),
                norm_layer(norm, width),
                nn.LeakyReLU(0.2, True),
            ]
        modules.append(nn.Conv2d(width, 1, KERNEL, last, 1))
        self.model = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        """Condition and picture joined by channel, (N, in_channels, H, W), to logits (N, 1, h, w); above 0 is real."""
        return self.model(x)
