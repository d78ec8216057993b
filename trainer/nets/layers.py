"""Parts that the networks share: the generators' facts, layers, number of halvings, and the initial weights."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gan_eval.base.errors import UserError
from gan_eval.settings.training import NormKind, StatisticsKind, UpsamplingKind


class Network(nn.Module):
    """A generator from (N, in_channels, H, W) to (N, out_channels, h, w), both in [-1, 1]."""

    multiple: int  # height and width must be multiples of this
    smallest: int  # minimum height and width
    only_size: int | None = None  # the only accepted side; None: any

    def __init__(
        self,
        *,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
        upsampling: UpsamplingKind = "transposed",
        in_channels: int = 3,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        self.channels, self.norm, self.statistics, self.upsampling = channels, norm, statistics, upsampling
        self.in_channels, self.out_channels, self.bias = in_channels, out_channels, has_inner_bias(norm)

    def new_norm(self, width: int) -> nn.Module:
        """Return a norm of that number of channels."""
        return norm_layer(self.norm, width, self.statistics)


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation whose training statistics may be those of each picture alone.

    Keys and, at batch size 1, numbers are those of `nn.BatchNorm2d`. With `per_sample`, a batch of N pictures gives the
    same output as N batches of one picture.
    """

    def __init__(self, channels: int, *, per_sample: bool = False) -> None:
        super().__init__(channels)
        self.per_sample = per_sample

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, channels, H, W) by picture or by batch; in evaluation by the running statistics."""
        if not (self.per_sample and self.training and len(x) > 1):
            return super().forward(x)
        mean, var = self.running_mean, self.running_var
        if not self.track_running_stats:
            mean = var = None
        elif self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return normalised_each(x, mean, var, self.weight, self.bias, momentum=self.momentum or 0.0, eps=self.eps)


class InstanceNorm2d(nn.InstanceNorm2d):
    """Normalisation of each picture, without weights or running statistics, in the same memory order."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        return normalised_each(x, None, None, None, None, momentum=0.0, eps=self.eps)


def normalised_each(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None,
    bias: Tensor | None,
    *,
    momentum: float,
    eps: float,
) -> Tensor:
    """Normalise each picture of (N, channels, H, W), and update the running statistics by the mean over the pictures.

    `F.instance_norm` changes channels-last memory to the other order; this function keeps it. Statistics are at least
    float32, also under autocast. `momentum` is the weight of new values in the running statistics.
    """
    pixels = x.shape[-2] * x.shape[-1]
    if x.is_contiguous() or pixels == 1 or not x.is_contiguous(memory_format=torch.channels_last):
        return F.instance_norm(x, running_mean, running_var, weight, bias, True, momentum, eps)
    in_float = torch.promote_types(x.dtype, torch.float32)  # statistics have the precision of the weights
    ones = x.new_ones(x.shape[1], dtype=in_float) if weight is None else weight
    zeros = torch.zeros_like(ones) if bias is None else bias
    if len(x) == 1:
        return F.batch_norm(x, running_mean, running_var, ones, zeros, True, momentum, eps)
    each = [torch.native_batch_norm(one, ones, zeros, None, None, True, 0.0, eps) for one in x.split(1)]
    y, mean = torch.cat([one[0] for one in each]), torch.stack([one[1].detach() for one in each])
    var = torch.stack([one[2].detach() for one in each]).pow(-2) - eps
    if running_mean is not None and running_var is not None:
        unbiased = var * (pixels / (pixels - 1))
        for running, found in ((running_mean, mean), (running_var, unbiased)):
            running.lerp_(found.mean(0).flatten().to(running.dtype), momentum)
    return y


class Dropout(nn.Dropout):
    """Dropout with, on request, one generator of random numbers for each picture of the batch.

    With `generators`, a picture's output does not depend on the other pictures of its batch. Without, the numbers come
    from PyTorch's global generator, as in training. On a CPU the memory order does not change which number a place
    gets.
    """

    generators: Sequence[torch.Generator] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Set random elements of (N, ...) to 0 in training mode, and scale up the others."""
        use_default = self.generators is None and (x.device.type != "cpu" or x.is_contiguous())
        if use_default or not self.training:
            return super().forward(x)
        kept = torch.ones_like(x, memory_format=torch.contiguous_format)  # the draw must not depend on memory order
        if self.generators is None:
            return x * super().forward(kept)
        for picture, generator in zip(kept, self.generators, strict=True):
            picture.bernoulli_(1 - self.p, generator=generator)
        return x * kept.div_(1 - self.p)


class ResizeConv2d(nn.Conv2d):
    """Layer that doubles height and width: nearest neighbour, then a convolution of kernel 3 with a reflected border.

    Every output pixel is covered equally often, which avoids the checkerboard of transposed convolutions
    (Odena, Dumoulin and Olah 2016, doi 10.23915/distill.00003).
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, padding_mode="reflect", bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, h, w) to (N, out_channels, 2h, 2w)."""
        return F.conv2d(reflected(F.interpolate(x, scale_factor=2.0, mode="nearest"), 1), self.weight, self.bias)


class ReflectionPad2d(nn.ReflectionPad2d):
    """Layer that adds a border of equal width on all sides, as `reflected` does."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W), larger by the border on each side."""
        return reflected(x, self.padding[0])


def reflected(x: Tensor, border: int) -> Tensor:
    """Return (N, C, H, W) with a mirrored border, which does not repeat the outermost pixels, in the same memory order.

    PyTorch's own function adds up its gradient in no fixed order on a GPU, and changes channels-last memory.
    """
    if x.device.type == "cpu":
        return F.pad(x, [border] * 4, mode="reflect")
    return MirroredStripes.apply(x, border)


class MirroredStripes(torch.autograd.Function):
    """`reflected` with a gradient that needs no pass over the whole picture for each side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, border: int) -> Tensor:
        ctx.border = border
        for axis in (2, 3):
            before, after = x.narrow(axis, 1, border), x.narrow(axis, x.shape[axis] - 1 - border, border)
            x = torch.cat([before.flip(axis), x, after.flip(axis)], axis)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        border = ctx.border
        for axis in (3, 2):
            length = grad.shape[axis] - 2 * border
            inside = grad.narrow(axis, border, length).clone(memory_format=torch.preserve_format)
            inside.narrow(axis, 1, border).add_(grad.narrow(axis, 0, border).flip(axis))
            inside.narrow(axis, length - 1 - border, border).add_(grad.narrow(axis, border + length, border).flip(axis))
            grad = inside
        return grad, None


def upsample_layer(kind: UpsamplingKind, inside: int, outside: int, *, bias: bool, kernel: int = 4) -> nn.Module:
    """Return the layer that doubles height and width: a transposed convolution of kernel 4 or 3, or a resize."""
    if kind == "resize":
        return ResizeConv2d(inside, outside, bias=bias)
    return nn.ConvTranspose2d(inside, outside, kernel, stride=2, padding=1, output_padding=4 - kernel, bias=bias)


def norm_layer(kind: NormKind, channels: int, statistics: StatisticsKind = "batch") -> nn.Module:
    """Return the normalisation for (N, channels, H, W). Instance norm has no weights and no running statistics."""
    match kind:
        case "batch":
            return BatchNorm2d(channels, per_sample=statistics == "sample")
        case "instance":
            return InstanceNorm2d(channels)
        case "none":
            return nn.Identity()


def has_inner_bias(kind: NormKind) -> bool:
    """Return True if inner convolutions have a bias: only with instance norm.

    BatchNorm has its own bias. The other kinds follow the layout of pytorch-CycleGAN-and-pix2pix, where biases show the
    kind of norm.
    """
    return kind == "instance"


INNERMOST = 4  # side at which the halving ends (Pathak et al. 2016; Radford et al. 2016, arXiv 1511.06434).


def halvings(side: int, setting: str = "image_size", *, otherwise: str = "") -> int:
    """Return how often `side` must be halved to get 4, at least 1."""
    least = 2 * INNERMOST
    if side >= least and side.bit_count() == 1:
        return (side // INNERMOST).bit_length() - 1
    below = 2 ** (side.bit_length() - 1)
    choice = f"{below} or {2 * below}" if below >= least else f"{least}"
    raise UserError(
        f"{setting}: {side} pixels a side do not halve to {INNERMOST}; choose what gives {choice}{otherwise}"
    )


class ChannelwiseLinear(nn.Module):
    """Within each channel, every output place sees every input place; channels do not mix.

    So information crosses the whole picture with channels * side^4 weights; a fully-connected layer has channels times
    as many. `weight` is (channels, places out, places in) and `bias` (channels, places), with places numbered row by
    row; both are 0 until `initialise` draws the weights. Source: Pathak et al. 2016 (arXiv 1604.07379), section 3.1.
    """

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        pixels = side * side
        self.weight = nn.Parameter(torch.zeros(channels, pixels, pixels))
        self.bias = nn.Parameter(torch.zeros(channels, pixels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, side, side) to the same shape."""
        pixels = x.flatten(2).permute(1, 2, 0)  # one product per channel, with the pictures as columns
        y = torch.baddbmm(self.bias[:, :, None], self.weight, pixels)
        return y.permute(2, 0, 1).unflatten(2, (self.side, self.side))


STD = 0.02  # standard deviation of the initial weights (arXiv 1611.07004, section 6.2)


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
