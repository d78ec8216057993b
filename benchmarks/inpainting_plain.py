"""The plain side of `inpainting_step.py`: networks that fill holes, and their training step, in PyTorch's own layers.

It shares no layer, loss or optimizer with the trainer: `nn.Conv2d`, `nn.ConvTranspose2d`, `nn.BatchNorm2d`, losses
written out, PyTorch's default Adam. Only the settings, and the weights of VGG16, come from the trainer.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from gan_eval.settings.training import TrainingSettings
    from trainer.step import Batch

Step = Callable[["Batch"], dict[str, Tensor]]
"""One training step on a batch; returns its loss terms."""


class Joined(nn.Module):
    """A picture and its generated version."""

    def __init__(self, inner: nn.Sequential) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.inner(x)], 1)


class Connected(nn.Module):
    """Within each channel every place with every place."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, side**2, side**2) * 0.02)
        self.bias = nn.Parameter(torch.zeros(channels, side**2))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.einsum("ncp,cqp->ncq", x.flatten(2), self.weight) + self.bias).view_as(x)


def networks(settings: "TrainingSettings") -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of the settings, with weights from N(0, 0.02)."""
    size, of_generator, of_discriminator = (
        settings.image_size, settings.generator_channels, settings.discriminator_channels
    )  # fmt: skip
    if settings.generator == "context_encoder":
        G = context_encoder(size, size // 2, of_generator, settings.bottleneck)
        return initialised(G), initialised(whole_discriminator(size // 2, of_discriminator))
    return initialised(unet(size, of_generator)), initialised(Both(size, of_discriminator))


def halve(before: int, after: int, *, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(before, after, 4, 2, 1, bias=bias)


def double(before: int, after: int, *, bias: bool = False) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, 2, 1, bias=bias)


def context_encoder(size: int, hole: int, channels: int, bottleneck: int) -> nn.Sequential:
    """128 pixels to 64 as in Pathak et al. 2016: 64, 64, 128, 256, 512 channels, 4000 values, and back."""

    def widths(side: int) -> list[int]:
        levels = side.bit_length() - 3
        return [channels * max(1, 8 >> (levels - 1 - level)) for level in range(levels)]

    first, *inner = widths(size)
    layers: list[nn.Module] = [halve(3, first), nn.LeakyReLU(0.2, True)]
    before = first
    for width in inner:
        layers += [halve(before, width), nn.BatchNorm2d(width), nn.LeakyReLU(0.2, True)]
        before = width
    layers += [nn.Conv2d(before, bottleneck, 4, bias=False), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2, True)]
    layers += [nn.ConvTranspose2d(bottleneck, before, 4, bias=False), nn.BatchNorm2d(before), nn.ReLU(True)]
    for width in list(reversed(widths(hole)))[1:]:
        layers += [double(before, width), nn.BatchNorm2d(width), nn.ReLU(True)]
        before = width
    return nn.Sequential(*layers, double(before, 3, bias=True), nn.Tanh())


def whole_discriminator(size: int, channels: int) -> nn.Sequential:
    """Halvings to 4x4, then one logit."""
    layers: list[nn.Module] = [halve(3, channels, bias=True), nn.LeakyReLU(0.2, True)]
    width = channels
    for level in range(1, size.bit_length() - 3):
        before, width = width, channels * min(2**level, 8)
        layers += [halve(before, width), nn.BatchNorm2d(width), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4))


def patch_discriminator(channels: int) -> nn.Sequential:
    """The PatchGAN whose logits see 40x40 pixels: strides 2, 2, 2, 1, 1 and kernels 4, 3, 3, 3, 2."""
    layers: list[nn.Module] = [nn.Conv2d(3, channels, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for factor, kernel, stride in ((2, 3, 2), (4, 3, 2), (8, 3, 1)):
        before, after = channels * factor // 2, channels * factor
        layers += [nn.Conv2d(before, after, kernel, stride, 1, bias=False), nn.BatchNorm2d(after)]
        layers.append(nn.LeakyReLU(0.2, True))
    return nn.Sequential(*layers, nn.Conv2d(channels * 8, 1, 2, 1, 0))


class Both(nn.Module):
    """The logit of the whole, and those of the patches."""

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.whole, self.patches = whole_discriminator(size, channels), patch_discriminator(channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.whole(x).flatten(1), self.patches(x).flatten(1)], 1)


def unet(size: int, channels: int) -> nn.Sequential:
    """A U-Net down to 4x4, where every place is connected with every place, of nested blocks."""
    widths = [channels * min(2**level, 8) for level in range(size.bit_length() - 3)]
    outside, inside = widths[-2:]
    parts: list[nn.Module] = [nn.LeakyReLU(0.2, True), halve(outside, inside), nn.LeakyReLU(0.2, True)]
    parts += [Connected(inside, 4), nn.ReLU(True), double(inside, outside), nn.BatchNorm2d(outside)]
    block = Joined(nn.Sequential(*parts))
    for outside, inside in reversed(list(pairwise(widths[:-1]))):
        parts = [nn.LeakyReLU(0.2, True), halve(outside, inside), nn.BatchNorm2d(inside), block, nn.ReLU(True)]
        block = Joined(nn.Sequential(*parts, double(2 * inside, outside), nn.BatchNorm2d(outside)))
    return nn.Sequential(halve(4, channels), block, nn.ReLU(True), double(2 * channels, 3, bias=True), nn.Tanh())


def initialised(net: nn.Module) -> nn.Module:
    """The network with weights from N(0, 0.02)."""
    random = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=random)
    return net


def plain_step(settings: "TrainingSettings", G: nn.Module, D: nn.Module, vgg: nn.Sequential | None = None) -> Step:
    """The step of the settings.

    Args:
        settings: the loss weights and learning rates.
        G, D: from `networks`.
        vgg: the layers whose Gram matrices are compared, where they are.
    """
    assert settings.inpainting is not None
    holes, centre = settings.inpainting, settings.generator == "context_encoder"
    betas = settings.beta1, settings.beta2
    adam_g, adam_d = (torch.optim.Adam(net.parameters(), lr=settings.learning_rate, betas=betas) for net in (G, D))
    border: Tensor | None = None
    weights: Tensor | None = None
    if centre:
        side, border_width = settings.image_size // 2, holes.overlap
        inner = slice(border_width, side - border_width)
        border = torch.full((1, 1, side, side), holes.overlap_weight)
        border[..., inner, inner] = 1.0

    def adversarial(logits: Tensor, wanted: float) -> Tensor:
        if centre:
            return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))
        return ((logits - wanted) ** 2).mean()

    def reconstruction(fake: Tensor, filled: Tensor, batch: "Batch") -> Iterator[tuple[str, float, Tensor]]:
        if weights is not None:
            yield "g_l2", settings.lambda_l2, (weights * (fake - batch.target) ** 2).mean()
            return
        yield "g_l1", settings.lambda_l1, (fake - batch.target).abs().mean()
        across = (filled[..., 1:] - filled[..., :-1]).abs().mean()
        yield "g_tv", settings.lambda_tv, across + (filled[..., 1:, :] - filled[..., :-1, :]).abs().mean()
        if vgg is not None:
            yield "g_style", settings.lambda_style, style(vgg, filled, batch.target)

    def step(batch: "Batch") -> dict[str, Tensor]:
        nonlocal weights
        if border is not None and weights is None:
            weights = border.to(batch.target)
        fake = G(batch.inputs)
        hole = batch.hole
        filled = fake if hole is None else hole * fake + (1 - hole) * batch.target
        D.requires_grad_(True)
        adam_d.zero_grad()
        d_fake, d_real = adversarial(D(filled.detach()), 0.0), adversarial(D(batch.target), 1.0)
        (0.5 * (d_fake + d_real)).backward()
        adam_d.step()
        D.requires_grad_(False)
        adam_g.zero_grad()
        terms = {"d_fake": d_fake, "d_real": d_real, "g_adversarial": adversarial(D(filled), 1.0)}
        loss = settings.adversarial_weight * terms["g_adversarial"]
        for name, weight, term in reconstruction(fake, filled, batch):
            terms[name] = term
            loss = loss + weight * term
        loss.backward()
        adam_g.step()
        return {name: term.detach() for name, term in terms.items()}

    return step


def style(vgg: nn.Sequential, filled: Tensor, target: Tensor) -> Tensor:
    """The sum over four layers of the root mean square distance of the Gram matrices."""
    mean, deviation = (
        torch.tensor(of, dtype=filled.dtype, device=filled.device)[:, None, None]
        for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )

    def grams(x: Tensor) -> Sequence[Tensor]:
        x, found = ((x + 1) / 2 - mean) / deviation, []
        for number, layer in enumerate(vgg):
            if isinstance(layer, nn.MaxPool2d):
                found.append(x)
            x = layer(x)
            if number == len(vgg) - 1:
                found.append(x)
        return [torch.einsum("ncp,ndp->ncd", y.flatten(2), y.flatten(2)) / y[0].numel() for y in found]

    with torch.no_grad():
        wanted = grams(target)
    pairs = zip(grams(filled), wanted, strict=True)
    return torch.stack([((a - b) ** 2).mean((1, 2)).sqrt().mean() for a, b in pairs]).sum()
