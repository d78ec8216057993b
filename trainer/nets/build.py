"""The two networks that the settings describe."""

from typing import Any

import torch
from torch import nn

from gan_eval.errors import UserError
from gan_eval.training_settings import GeneratorKind, TrainingSettings
from trainer.nets.initial import initialise
from trainer.nets.patchgan import PatchGAN
from trainer.nets.receptive_field import fits, plan_layers, smallest_size
from trainer.nets.resnet import ResNet
from trainer.nets.unet import UNet, default_depth
from trainer.randomness import Purpose, torch_seed

Generator = UNet | ResNet

BLOCKS: dict[GeneratorKind, int] = {"resnet_6": 6, "resnet_9": 9}
"""Residual blocks of the ResNet generators."""


def empty_generator(settings: TrainingSettings, *, in_channels: int = 3, out_channels: int = 3) -> Generator:
    """The generator on the CPU with weights that still have to be loaded or drawn.

    Raises:
        UserError: the settings do not go together.
    """
    shared: dict[str, Any] = {
        "channels": settings.generator_channels, "norm": settings.norm, "statistics": settings.statistics,
        "dropout": settings.dropout, "upsampling": settings.upsampling,
        "in_channels": in_channels, "out_channels": out_channels,
    }  # fmt: skip
    net: Generator
    with torch.device("meta"):  # PyTorch's own initial weights would be drawn from the global generator
        if settings.generator == "unet":
            net = UNet(depth=settings.depth or default_depth(settings.image_size), **shared)
        elif settings.depth is not None:
            raise UserError(f"depth {settings.depth}: is the U-Net's; leave it out with generator {settings.generator}")
        elif settings.image_size % ResNet.multiple:
            raise UserError(f"image_size {settings.image_size}: a ResNet needs a multiple of {ResNet.multiple}")
        else:
            net = ResNet(blocks=BLOCKS[settings.generator], **shared)
    return net.to_empty(device="cpu")


def empty_discriminator(settings: TrainingSettings) -> PatchGAN:
    """The discriminator on the CPU with weights that still have to be loaded or drawn.

    Raises:
        UserError: the pictures are too small for its patches.
    """
    field = settings.receptive_field
    layers = plan_layers(field)
    if not fits(settings.image_size, layers):
        raise UserError(
            f"image_size {settings.image_size}: too small for the {field}x{field} PatchGAN; "
            f"choose {smallest_size(layers)} or more, or a smaller receptive_field"
        )
    with torch.device("meta"):
        net = PatchGAN(
            channels=settings.discriminator_channels,
            receptive_field=field,
            norm=settings.norm,
            statistics=settings.statistics,
        )
    return net.to_empty(device="cpu")


def new_networks(settings: TrainingSettings) -> tuple[Generator, PatchGAN]:
    """Generator and discriminator with the initial weights that follow from the seed.

    Raises:
        UserError: the settings do not go together.
    """
    generator, discriminator = empty_generator(settings), empty_discriminator(settings)
    nets: tuple[nn.Module, ...] = (generator, discriminator)
    for number, net in enumerate(nets):
        initialise(net, torch.Generator().manual_seed(torch_seed(Purpose.INITIAL, settings.seed, number)))
    return generator, discriminator
