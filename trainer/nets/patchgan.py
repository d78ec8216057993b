"""The discriminator: a PatchGAN that judges overlapping patches (arXiv 1611.07004, sections 3.2.2 and 6.1.2)."""

from torch import Tensor, nn

from gan_eval.settings.training import NormKind, StatisticsKind
from trainer.nets.layers import inner_bias, norm_layer
from trainer.nets.receptive_field import plan_layers

WIDEST = 8
"""Channels double at each layer up to this many times the first layer's."""


class PatchGAN(nn.Module):
    """Convolutions whose logits see patches of `receptive_field` pixels a side; norms in all but the first and last.

    Keys are those of pytorch-CycleGAN-and-pix2pix: convolutions `model.{0,2,5,8,11}` and norms `model.{3,6,9}` at 70
    pixels. At 1 pixel the keys are `model.{0,2,3,5}`.
    """

    def __init__(
        self,
        *,
        in_channels: int = 6,
        channels: int = 64,
        receptive_field: int = 70,
        norm: NormKind = "batch",
        statistics: StatisticsKind = "batch",
    ) -> None:
        super().__init__()
        first, *inner, last = plan_layers(receptive_field)
        modules: list[nn.Module] = [
            nn.Conv2d(in_channels, channels, first.kernel, first.stride, first.padding),
            nn.LeakyReLU(0.2, True),
        ]
        width = channels
        for level, layer in enumerate(inner, start=1):
            before, width = width, channels * min(2**level, WIDEST)
            modules += [
                nn.Conv2d(before, width, layer.kernel, layer.stride, layer.padding, bias=inner_bias(norm)),
                norm_layer(norm, width, statistics),
                nn.LeakyReLU(0.2, True),
            ]
        modules.append(nn.Conv2d(width, 1, last.kernel, last.stride, last.padding))
        self.model = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        """Condition and picture joined by channel, (N, in_channels, H, W), to logits (N, 1, h, w), high for real."""
        return self.model(x)
