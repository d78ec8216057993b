"""The generator of Johnson et al. 2016 (arXiv 1603.08155) as Zhu et al. 2017 use it (arXiv 1703.10593, appendix)."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.nets.layers import Dropout, Network, ReflectionPad2d, upsample_layer

HALVINGS = 2


def resnet(settings: TrainingSettings, *, blocks: int, **shared: Any) -> "ResNet":
    """Return the ResNet of the settings."""
    if settings.image_size % ResNet.multiple:
        raise UserError(f"image_size {settings.image_size}: a ResNet needs a multiple of {ResNet.multiple}")
    return ResNet(blocks=blocks, dropout=settings.dropout, **shared)


class ResNet(Network):
    """A convolution of kernel 7, two halvings, `blocks` residual blocks, two doublings, a convolution of kernel 7.

    Keys are those of pytorch-CycleGAN-and-pix2pix: convolutions `model.{1,4,7}`, blocks `model.{10,11,...}.conv_block`
    with convolutions 1 and 5 (6 where dropout stands between), then, at nine blocks, `model.{19,22,26}`.
    """

    multiple = 2**HALVINGS
    smallest = 2 * multiple  # the blocks reflect a border, which needs at least 2 pixels

    def __init__(self, *, blocks: int = 9, dropout: float = 0.5, **shared: Any) -> None:
        super().__init__(**shared)
        bias, width = self.bias, self.channels

        def normed(conv: nn.Module, width: int) -> list[nn.Module]:
            return [conv, self.new_norm(width), nn.ReLU(True)]

        modules = [ReflectionPad2d(3), *normed(nn.Conv2d(self.in_channels, width, 7, bias=bias), width)]
        for _ in range(HALVINGS):
            modules += normed(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=bias), 2 * width)
            width *= 2
        modules += [ResidualBlock(width, self.new_norm, bias=bias, dropout=dropout) for _ in range(blocks)]
        for _ in range(HALVINGS):
            modules += normed(upsample_layer(self.upsampling, width, width // 2, bias=bias, kernel=3), width // 2)
            width //= 2
        modules += [ReflectionPad2d(3), nn.Conv2d(width, self.out_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*modules)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) in [-1, 1] to (N, out_channels, H, W) in [-1, 1]."""
        return self.model(x)


class ResidualBlock(nn.Module):
    """Two convolutions of kernel 3 whose result is added to their input."""

    def __init__(self, channels: int, new_norm: Callable[[int], nn.Module], *, bias: bool, dropout: float) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            new_norm(channels),
            nn.ReLU(True),
            *([Dropout(dropout)] if dropout > 0 else []),
            ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            new_norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to the same shape."""
        return x + self.conv_block(x)
