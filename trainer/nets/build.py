"""Make the networks of the settings, and compare a file's weights with those of a network.

A new generator is a `Network` in a file of its own, a function that makes it from the settings, and a line in
`GENERATORS`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gan_eval.base.errors import UserError
from gan_eval.settings.training import GeneratorKind, TrainingSettings
from trainer.devices import NetT
from trainer.nets.context_encoder import context_encoder, region_encoder
from trainer.nets.convolution import use_matrix_products
from trainer.nets.discriminators import GlobalAndPatch, GlobalDiscriminator, PatchGAN, fits, plan_layers, smallest_size
from trainer.nets.layers import Network, halvings, initialise
from trainer.nets.resnet import resnet
from trainer.nets.unet import channelwise_unet, unet
from trainer.randomness import Purpose, torch_seed

Discriminator = PatchGAN | GlobalDiscriminator | GlobalAndPatch


GENERATORS: dict[GeneratorKind, Callable[..., Network]] = {
    "unet": unet,
    "resnet_6": partial(resnet, blocks=6),
    "resnet_9": partial(resnet, blocks=9),
    "context_encoder": context_encoder,
    "region_encoder": region_encoder,
    "channelwise_unet": channelwise_unet,
}
"""Functions of the settings, with the arguments of all generators as keywords: channels, norm, ..."""

COLOURS = 3
RGB = (COLOURS, COLOURS)  # channels of input and target


def judged_side(settings: TrainingSettings) -> int:
    """Return the side in pixels of the discriminator's input: a context encoder's output, else the picture."""
    if settings.generator == "context_encoder" and settings.inpainting is not None:
        return settings.inpainting.centre_side(settings.image_size)
    return settings.image_size


def smallest_batch(settings: TrainingSettings) -> int:
    """Return the minimum batch size: BatchNorm cannot normalise a single pixel of one picture."""
    return 2 if settings.generator == "context_encoder" and settings.norm == "batch" else 1


def generator_for(settings: TrainingSettings, channels: tuple[int, int] = RGB) -> Network:
    """Return the generator without values, on PyTorch's device meta, where it takes no memory.

    With RGB channels, it also takes the mask if the settings have `mask_channel`.
    """
    kind, holes = settings.generator, settings.inpainting
    if settings.depth is not None and "unet" not in kind:
        raise UserError(f"depth {settings.depth}: only U-Nets have it; remove it for generator {kind}")
    in_channels, out_channels = channels
    if channels == RGB and holes is not None:
        in_channels += holes.mask_channel
    with torch.device("meta"):
        net = GENERATORS[kind](
            settings,
            channels=settings.generator_channels,
            norm=settings.norm,
            statistics=settings.statistics,
            upsampling=settings.upsampling,
            in_channels=in_channels,
            out_channels=out_channels,
        )
    return net if kind.startswith("resnet") else use_matrix_products(net)  # such pictures are never small


def empty_discriminator(settings: TrainingSettings) -> Discriminator:
    """Return the discriminator on the CPU with uninitialised weights.

    In translation it sees the picture together with the input, in inpainting only the picture.
    """
    shared: dict[str, Any] = {
        "channels": settings.discriminator_channels, "norm": settings.norm, "statistics": settings.statistics,
        "in_channels": sum(RGB) if settings.inpainting is None else COLOURS,
    }  # fmt: skip
    side, field = judged_side(settings), settings.receptive_field
    decided_by = "inpainting.centre" if settings.generator == "context_encoder" else "image_size"
    layers = plan_layers(field)
    if settings.discriminator != "global" and not fits(side, layers):
        where = f"{decided_by} ({side} pixels)" if side != settings.image_size else f"image_size {side}"
        raise UserError(
            f"{where}: too small for the {field}x{field} PatchGAN; "
            f"choose {smallest_size(layers)} or more, or a smaller receptive_field"
        )
    if settings.discriminator != "patch":
        halvings(side, decided_by, otherwise=", or discriminator patch")
    with torch.device("meta"):
        net: Discriminator
        match settings.discriminator:
            case "patch":
                net = PatchGAN(receptive_field=field, **shared)
            case "global":
                net = GlobalDiscriminator(size=side, **shared)
            case "global_and_patch":
                net = GlobalAndPatch(size=side, receptive_field=field, **shared)
    return uninitialised(use_matrix_products(net))


def uninitialised(net: NetT) -> NetT:
    """Return a network of the device meta on the CPU, with memory for its weights.

    This is `to_empty`, which imports sympy for its `empty_like`: 1.3 s and 60 MB (torch 2.15).
    """
    return net._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype))


def new_networks(settings: TrainingSettings) -> tuple[Network, Discriminator]:
    """Return generator and discriminator with initial weights drawn from the seed."""
    generator, discriminator = uninitialised(generator_for(settings)), empty_discriminator(settings)
    nets: tuple[nn.Module, ...] = (generator, discriminator)
    for number, net in enumerate(nets):
        initialise(net, torch.Generator().manual_seed(torch_seed(Purpose.INITIAL, settings.seed, number)))
    return generator, discriminator


def first_difference(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str | None:
    """Return a text on the first key, in the network's order, that is missing, unknown, or has another shape or type.

    Return None if all keys match.
    """
    for key in dict.fromkeys((*expected, *weights)):
        if key not in weights:
            return f"{key} is missing"
        if key not in expected:
            return f"{key} is not a weight of this network"
        if expected[key].shape != weights[key].shape:
            return f"{key} has shape {tuple(weights[key].shape)}, expected {tuple(expected[key].shape)}"
        if expected[key].is_floating_point() != weights[key].is_floating_point():
            return f"{key} is {weights[key].dtype}, expected {expected[key].dtype}".replace("torch.", "")
    return None
