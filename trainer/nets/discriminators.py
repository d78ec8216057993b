"""Discriminators that judge the whole (Pathak et al. 2016, arXiv 1604.07379), alone or beside a PatchGAN."""

import torch
from torch import Tensor, nn

from gan_eval.settings.training import NormKind, StatisticsKind
from trainer.nets.convolution import Conv2d
from trainer.nets.halving import INNERMOST, halvings, require_side
from trainer.nets.layers import inner_bias, norm_layer
from trainer.nets.patchgan import PatchGAN

WIDEST = 8
"""Channels double at each layer up to this many times the first layer's."""


class GlobalDiscriminator(nn.Module):
    """4x4 convolutions that halve to 4x4, then one to a single logit; norms in all but the first and last.

    At 64 pixels these are the layers of the published network. Keys are `model.{0,2,5,...}` for convolutions and
    `model.{3,6,...}` for norms, as the PatchGAN's.

    Raises:
        UserError: `size` is not 4 * 2^k with k >= 1.
    """

    def __init__(
        self,
        *,
        size: int,
        in_channels: int = 3,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
    ) -> None:
        super().__init__()
        self.only_size = size
        width = channels
        modules: list[nn.Module] = [Conv2d(in_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for level in range(1, halvings(size)):
            before, width = width, channels * min(2**level, WIDEST)
            modules += [
                Conv2d(before, width, 4, stride=2, padding=1, bias=inner_bias(norm)),
                norm_layer(norm, width, statistics),
                nn.LeakyReLU(0.2),
            ]
        modules.append(nn.Conv2d(width, 1, INNERMOST))  # few weights: the library's own is faster
        self.model = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, size, size) to logits (N, 1, 1, 1), high for real.

        Raises:
            UserError: pictures of another size.
        """
        require_side(x, self.only_size)
        return self.model(x)


class GlobalAndPatch(nn.Module):
    """A `GlobalDiscriminator`, `globally`, and a `PatchGAN`, `patch`, over the same picture.

    A mean over the logits weighs the whole like one patch.

    Raises:
        UserError: `size` is not 4 * 2^k with k >= 1, or the receptive field is below 1.
    """

    def __init__(
        self,
        *,
        size: int,
        receptive_field: int = 70,
        in_channels: int = 3,
        channels: int = 64,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
    ) -> None:
        super().__init__()
        self.globally = GlobalDiscriminator(
            size=size, in_channels=in_channels, channels=channels, norm=norm, statistics=statistics
        )
        self.patch = PatchGAN(
            receptive_field=receptive_field,
            in_channels=in_channels,
            channels=channels,
            norm=norm,
            statistics=statistics,
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, size, size) to logits (N, 1 + h * w), high for real: the whole's, then the patches' by row.

        Raises:
            UserError: pictures of another size.
        """
        return torch.cat([self.globally(x).flatten(1), self.patch(x).flatten(1)], dim=1)
