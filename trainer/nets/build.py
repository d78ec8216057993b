"""The two networks that the settings describe."""

import torch
from torch import nn

from gan_eval.errors import UserError
from gan_eval.study import TrainingSettings
from trainer.nets.initial import initialise
from trainer.nets.patchgan import PatchGAN, patch_grid, receptive_field
from trainer.nets.unet import UNet, default_depth
from trainer.randomness import Purpose, torch_seed

PATCHGAN_LAYERS = 3
"""70×70 pixels seen by each logit."""


def empty_generator(settings: TrainingSettings) -> UNet:
    """The generator on the CPU with weights that still have to be loaded or drawn."""
    with torch.device("meta"):  # PyTorch's own initial weights would be drawn from the global generator
        net = UNet(
            depth=settings.depth or default_depth(settings.image_size),
            channels=settings.generator_channels,
            norm=settings.norm,
            dropout=settings.dropout,
        )
    return net.to_empty(device="cpu")


def empty_discriminator(settings: TrainingSettings) -> PatchGAN:
    """The discriminator on the CPU with weights that still have to be loaded or drawn.

    Raises:
        UserError: the pictures are too small for its patches.
    """
    if patch_grid(settings.image_size, PATCHGAN_LAYERS) < 1:
        field = receptive_field(PATCHGAN_LAYERS)
        raise UserError(
            f"image_size {settings.image_size}: too small for the {field}x{field} PatchGAN; choose 32 or more"
        )
    with torch.device("meta"):
        net = PatchGAN(channels=settings.discriminator_channels, layers=PATCHGAN_LAYERS, norm=settings.norm)
    return net.to_empty(device="cpu")


def new_networks(settings: TrainingSettings) -> tuple[UNet, PatchGAN]:
    """Generator and discriminator with the initial weights that follow from the seed."""
    generator, discriminator = empty_generator(settings), empty_discriminator(settings)
    nets: tuple[nn.Module, ...] = (generator, discriminator)
    for number, net in enumerate(nets):
        initialise(net, torch.Generator().manual_seed(torch_seed(Purpose.INITIAL, settings.seed, number)))
    return generator, discriminator
