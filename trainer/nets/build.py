"""The two networks that the settings describe, and the first difference of weights from theirs."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gan_eval.errors import UserError
from gan_eval.settings.training import GeneratorKind, TrainingSettings
from trainer.nets.context_encoder import ContextEncoder, RegionEncoder
from trainer.nets.convolution import use_matrix_products
from trainer.nets.discriminators import GlobalAndPatch, GlobalDiscriminator, PatchGAN, fits, plan_layers, smallest_size
from trainer.nets.layers import halvings, initialise
from trainer.nets.resnet import ResNet
from trainer.nets.unet import UNet, default_depth
from trainer.randomness import Purpose, torch_seed

Generator = UNet | ResNet | ContextEncoder | RegionEncoder
Discriminator = PatchGAN | GlobalDiscriminator | GlobalAndPatch

BLOCKS: dict[GeneratorKind, int] = {"resnet_6": 6, "resnet_9": 9}
"""Residual blocks of the ResNet generators."""
COLOURS = 3
Channels = tuple[int, int]
"""Of the pictures that are the input, and of those that are the target."""
RGB: Channels = (COLOURS, COLOURS)
WIDEST_BOTTLENECK = 32
"""Pixels a side up to which a U-Net's bottleneck is connected: 2^20 weights for each channel."""


def hole_side(settings: TrainingSettings) -> int:
    """Side in pixels of the centre square: the even number nearest to its share, so that it can be centred.

    Raises:
        UserError: the settings have no section inpainting.

    >>> from gan_eval.settings.training import InpaintingSettings
    >>> hole_side(TrainingSettings(steps=1, image_size=128, inpainting=InpaintingSettings(centre=0.3)))
    38
    """
    if settings.inpainting is None:
        raise UserError("inpainting: there is no such section, so there is no hole; give one")
    return settings.inpainting.centre_side(settings.image_size)


def judged_side(settings: TrainingSettings) -> int:
    """Side in pixels of what the discriminator sees: the centre that a context encoder gives, else the picture.

    Raises:
        UserError: a context encoder without a section inpainting.
    """
    return hole_side(settings) if settings.generator == "context_encoder" else settings.image_size


def smallest_batch(settings: TrainingSettings) -> int:
    """Pictures that a training step needs on all devices together: BatchNorm cannot take one picture's one pixel."""
    return 2 if settings.generator == "context_encoder" and settings.norm == "batch" else 1


def generator_shape(
    settings: TrainingSettings, *, in_channels: int | None = None, out_channels: int | None = None
) -> Generator:
    """The generator without numbers, on PyTorch's device meta: it takes no memory, whatever the settings.

    Args:
        settings: which network.
        in_channels: default: a picture's colours, and the mask where the settings show it.
        out_channels: default: a picture's colours.

    Raises:
        UserError: the settings do not go together.
    """
    kind, size, dropout, depth = settings.generator, settings.image_size, settings.dropout, settings.depth
    masks = 0 if settings.inpainting is None else int(settings.inpainting.mask_channel)
    shared: dict[str, Any] = {
        "channels": settings.generator_channels, "norm": settings.norm, "statistics": settings.statistics,
        "upsampling": settings.upsampling,
        "in_channels": COLOURS + masks if in_channels is None else in_channels,
        "out_channels": COLOURS if out_channels is None else out_channels,
    }  # fmt: skip
    if kind not in BLOCKS:
        shared["encoder_order"] = settings.encoder_order
    if kind in ("unet", "channelwise_unet"):
        shared["downsampling"] = settings.downsampling
    if depth is not None and kind not in ("unet", "channelwise_unet"):
        raise UserError(f"depth {depth}: is the U-Net's; leave it out with generator {kind}")
    with torch.device("meta"):
        match kind:
            case "unet":
                return use_matrix_products(UNet(depth=depth or default_depth(size), dropout=dropout, **shared))
            case "channelwise_unet":
                depth = depth or halvings(size, otherwise=", or give depth")
                side = size // 2**depth
                if side > WIDEST_BOTTLENECK:
                    raise UserError(
                        f"depth {depth}: leaves {side} pixels a side to connect, at most {WIDEST_BOTTLENECK} can be; "
                        "give more"
                    )
                return use_matrix_products(UNet(depth=depth, bottleneck_side=side, dropout=dropout, **shared))
            case "context_encoder":
                hole, bottleneck = hole_side(settings), settings.bottleneck
                return use_matrix_products(ContextEncoder(size=size, hole=hole, bottleneck=bottleneck, **shared))
            case "region_encoder":
                return use_matrix_products(RegionEncoder(size=size, **shared))
            case _:  # a ResNet, whose pictures are never small
                if size % ResNet.multiple:
                    raise UserError(f"image_size {size}: a ResNet needs a multiple of {ResNet.multiple}")
                return ResNet(blocks=BLOCKS[kind], dropout=dropout, **shared)


def generator_for(settings: TrainingSettings, channels: Channels = RGB) -> Generator:
    """As `generator_shape`, for pairs of these channels; holes are filled in RGB alone.

    Raises:
        UserError: the settings do not go together.
    """
    if channels == RGB:
        return generator_shape(settings)
    return generator_shape(settings, in_channels=channels[0], out_channels=channels[1])


def empty_generator(settings: TrainingSettings, channels: Channels = RGB) -> Generator:
    """The generator on the CPU with weights that still have to be loaded or drawn; else as `generator_for`.

    PyTorch's own initial weights would be drawn from the global generator.
    """
    return generator_for(settings, channels).to_empty(device="cpu")


def empty_discriminator(settings: TrainingSettings, channels: Channels = RGB) -> Discriminator:
    """The discriminator on the CPU with weights that still have to be loaded or drawn.

    It sees a translation together with its input, a filled hole by itself.

    Raises:
        UserError: what it judges is too small for its patches, or of a side that does not halve to 4.
    """
    shared: dict[str, Any] = {
        "channels": settings.discriminator_channels, "norm": settings.norm, "statistics": settings.statistics,
        "in_channels": sum(channels) if settings.inpainting is None else channels[1],
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
    return use_matrix_products(net).to_empty(device="cpu")


def new_networks(settings: TrainingSettings, channels: Channels = RGB) -> tuple[Generator, Discriminator]:
    """Generator and discriminator with the initial weights that follow from the seed.

    Raises:
        UserError: the settings do not go together.
    """
    generator, discriminator = empty_generator(settings, channels), empty_discriminator(settings, channels)
    nets: tuple[nn.Module, ...] = (generator, discriminator)
    for number, net in enumerate(nets):
        initialise(net, torch.Generator().manual_seed(torch_seed(Purpose.INITIAL, settings.seed, number)))
    return generator, discriminator


def first_difference(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str | None:
    """The first key, in the network's order, that is missing, of another shape or kind, or not the network's.

    >>> import torch
    >>> first_difference({"a": torch.zeros(2)}, {"a": torch.zeros(3)})
    'a has shape (3,) where (2,) is wanted'
    """
    for key in dict.fromkeys((*expected, *weights)):
        if key not in weights:
            return f"{key} is missing"
        if key not in expected:
            return f"{key} is not a weight of this network"
        if expected[key].shape != weights[key].shape:
            return f"{key} has shape {tuple(weights[key].shape)} where {tuple(expected[key].shape)} is wanted"
        if expected[key].is_floating_point() != weights[key].is_floating_point():
            return f"{key} is {weights[key].dtype} where {expected[key].dtype} is wanted".replace("torch.", "")
    return None
