"""Layers that the networks share."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_eval.settings.training import NormKind, StatisticsKind, UpsamplingKind


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose training statistics may be those of each picture alone.

    Keys and, at batch size 1, numbers are those of `nn.BatchNorm2d`. With `per_sample` a batch of N pictures gives
    what N batches of one give, so that neither the batch size nor the number of devices changes the mathematics.
    """

    def __init__(self, channels: int, *, per_sample: bool = False) -> None:
        super().__init__(channels)
        self.per_sample = per_sample

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W), normalised by picture or by batch; in evaluation by the running statistics."""
        if not (self.per_sample and self.training and len(x) > 1):
            return super().forward(x)
        mean, var = self.running_mean, self.running_var
        if not self.track_running_stats:
            mean = var = None
        elif self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return F.instance_norm(x, mean, var, self.weight, self.bias, True, self.momentum or 0.0, self.eps)


class Dropout(nn.Dropout):
    """Dropout that can take its numbers from one generator for each picture of the batch.

    With `generators` a picture's output does not depend on what else is in its batch; without, the numbers come from
    PyTorch's global generator, as always in training.
    """

    generators: Sequence[torch.Generator] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) with elements set to 0 and the others scaled up, in training mode alone."""
        if self.generators is None or not self.training:
            return super().forward(x)
        kept = torch.empty_like(x, memory_format=torch.contiguous_format)  # numbers by place, whatever the order of x
        for picture, generator in zip(kept, self.generators, strict=True):
            picture.bernoulli_(1 - self.p, generator=generator)
        return x * kept.div_(1 - self.p)


class ResizeConv2d(nn.Conv2d):
    """Doubles height and width: nearest neighbour, then a convolution of kernel 3 over a reflected border.

    Every output pixel is covered equally often, so there is no checkerboard as from transposed convolutions
    (Odena, Dumoulin and Olah 2016, doi 10.23915/distill.00003).
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, padding_mode="reflect", bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, out_channels, 2h, 2w)."""
        return super().forward(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def doubling(
    kind: UpsamplingKind, transposed: Callable[..., nn.Module], inside: int, outside: int, *, bias: bool
) -> nn.Module:
    """What doubles height and width: `transposed`, a transposed convolution but for its channels, or a resize."""
    return (ResizeConv2d if kind == "resize" else transposed)(inside, outside, bias=bias)


def norm_layer(kind: NormKind, channels: int, statistics: StatisticsKind = "batch") -> nn.Module:
    """The normalisation for (N, channels, H, W). Instance norm has neither weights nor running statistics."""
    match kind:
        case "batch":
            return BatchNorm2d(channels, per_sample=statistics == "sample")
        case "instance":
            return nn.InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


def inner_bias(kind: NormKind) -> bool:
    """Whether inner convolutions have a bias: with instance norm alone.

    BatchNorm has its own bias. Instance norm cancels it, and "none" could use it; both follow the layout of
    pytorch-CycleGAN-and-pix2pix, from whose files the kind of norm is told by the biases.
    """
    return kind == "instance"
