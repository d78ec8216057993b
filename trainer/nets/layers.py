"""Layers that the networks share, how often a picture halves, and the initial weights."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan_eval.errors import UserError
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


INNERMOST = 4
"""Side at which the halving ends (Pathak et al. 2016; Radford et al. 2016, arXiv 1511.06434)."""


def halvings(side: int, setting: str = "image_size", *, otherwise: str = "") -> int:
    """How often `side` halves until it is 4: at least once.

    Args:
        side: in pixels.
        setting: what decides the side, to name it.
        otherwise: another way out, which ends the message.

    Raises:
        UserError: it does not come to 4.

    >>> halvings(128), halvings(8)
    (5, 1)
    """
    least = 2 * INNERMOST
    if side >= least and side.bit_count() == 1:
        return (side // INNERMOST).bit_length() - 1
    below = 2 ** (side.bit_length() - 1)
    choice = f"{below} or {2 * below}" if below >= least else f"{least}"
    raise UserError(
        f"{setting}: {side} pixels a side do not halve to {INNERMOST}; choose what gives {choice}{otherwise}"
    )


def require_side(x: Tensor, side: int) -> None:
    """Refuse pictures of another size than the network's.

    Raises:
        UserError: (N, C, H, W) is not `side` x `side`.
    """
    height, width = x.shape[-2:]
    if (height, width) != (side, side):
        raise UserError(f"image_size: pictures of {width}x{height}; this network takes {side}x{side} alone")


class ChannelwiseLinear(nn.Module):
    """Within each channel every output place sees every input place; channels do not mix.

    So information crosses the whole picture with channels * side^4 weights, where a fully-connected layer would have
    channels times as many. `weight` is (channels, places out, places in) and `bias` (channels, places), with places
    numbered row by row; both are 0 until `initialise` draws the weights. Source: Pathak et al. 2016
    (arXiv 1604.07379), section 3.1.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side
        places = side * side
        self.weight = nn.Parameter(torch.zeros(channels, places, places))
        self.bias = nn.Parameter(torch.zeros(channels, places))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, side, side), same shape out.

        Raises:
            ValueError: another shape, of which the places could be as many.
        """
        if x.shape[1:] != (self.channels, self.side, self.side):
            raise ValueError(f"{tuple(x.shape)}: wanted is (N, {self.channels}, {self.side}, {self.side})")
        places = x.flatten(2).permute(1, 2, 0)  # a product for each channel, with the pictures as its columns
        y = torch.baddbmm(self.bias[:, :, None], self.weight, places)
        return y.permute(2, 0, 1).unflatten(2, (self.side, self.side))

    def extra_repr(self) -> str:
        """Channels and side, for printing."""
        return f"{self.channels}, side={self.side}"


STD = 0.02
"""Of the initial weights (arXiv 1611.07004, section 6.2)."""


def initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Draw every weight of `net` in place: convolutions and channel-wise layers N(0, 0.02), norms N(1, 0.02).

    Biases become 0 and statistics are reset. The numbers come from `generator` alone, in the order of the modules, on
    the generator's device.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | ChannelwiseLinear):
            nn.init.normal_(module.weight, 0.0, STD, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, STD, generator=generator)
            module.reset_running_stats()
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
