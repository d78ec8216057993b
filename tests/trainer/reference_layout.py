"""The networks of pytorch-CycleGAN-and-pix2pix, built independently from the facts of their layout.

Nested as theirs, so that the state dict's keys follow from the structure and from nothing in `trainer`.
"""

import torch
from torch import Tensor, nn


def norm_of(kind: str, width: int) -> nn.Module:
    return {"batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d, "none": lambda _: nn.Identity()}[kind](width)


class SkipBlock(nn.Module):
    """One level of the U-Net around the next one."""

    def __init__(self, outside: int, width: int, inside: int, *, place: str, inner: nn.Module | None, norm: str,
                 out: int, dropout: bool = False) -> None:  # fmt: skip
        super().__init__()
        self.outermost = place == "outermost"
        bias = norm == "instance"
        down = nn.Conv2d(outside, width, 4, 2, 1, bias=bias)
        if place == "outermost":
            up = nn.ConvTranspose2d(inside, out, 4, 2, 1)
            layers = [down, inner, nn.ReLU(True), up, nn.Tanh()]
        elif place == "innermost":
            up = nn.ConvTranspose2d(inside, out, 4, 2, 1, bias=bias)
            layers = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, norm_of(norm, out)]
        else:
            up = nn.ConvTranspose2d(inside, out, 4, 2, 1, bias=bias)
            layers = [nn.LeakyReLU(0.2, True), down, norm_of(norm, width), inner, nn.ReLU(True), up, norm_of(norm, out)]
            layers += [nn.Dropout(0.5)] if dropout else []
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class ReferenceUNet(nn.Module):
    """unet_128 is depth 7, unet_256 depth 8."""

    def __init__(self, depth: int, width: int, *, norm: str, dropout: bool = True, channels: tuple[int, int] = (3, 3)):
        super().__init__()
        wide = 8 * width
        block = SkipBlock(wide, wide, wide, place="innermost", inner=None, norm=norm, out=wide)
        for _ in range(depth - 5):
            block = SkipBlock(wide, wide, 2 * wide, place="middle", inner=block, norm=norm, out=wide, dropout=dropout)
        for outside in (4 * width, 2 * width, width):
            block = SkipBlock(
                outside, 2 * outside, 4 * outside, place="middle", inner=block, norm=norm, out=outside
            )  # fmt: skip
        self.model = SkipBlock(
            channels[0], width, 2 * width, place="outermost", inner=block, norm=norm, out=channels[1]
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class ReferenceBlock(nn.Module):
    def __init__(self, width: int, *, norm: str, dropout: bool) -> None:
        super().__init__()
        bias = norm == "instance"
        first = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm_of(norm, width), nn.ReLU(True)]
        second = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=bias), norm_of(norm, width)]
        self.conv_block = nn.Sequential(*first, *([nn.Dropout(0.5)] if dropout else []), *second)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class ReferenceResNet(nn.Module):
    def __init__(self, blocks: int, width: int, *, norm: str, dropout: bool, channels: tuple[int, int] = (3, 3)):
        super().__init__()
        bias = norm == "instance"
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(channels[0], width, 7, bias=bias), norm_of(norm, width), nn.ReLU()]
        for wide in (width, 2 * width):
            layers += [nn.Conv2d(wide, 2 * wide, 3, 2, 1, bias=bias), norm_of(norm, 2 * wide), nn.ReLU(True)]
        layers += [ReferenceBlock(4 * width, norm=norm, dropout=dropout) for _ in range(blocks)]
        for wide in (4 * width, 2 * width):
            layers += [
                nn.ConvTranspose2d(wide, wide // 2, 3, 2, 1, 1, bias=bias), norm_of(norm, wide // 2), nn.ReLU(True),
            ]  # fmt: skip
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels[1], 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def trained(net: nn.Module, *, seed: int = 0) -> nn.Module:
    """The net with weights and running statistics as if trained, so that every tensor counts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
            elif name.endswith("num_batches_tracked"):
                tensor.fill_(7)
            else:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * (0.1 if tensor.dim() == 4 else 0.5))
    return net
