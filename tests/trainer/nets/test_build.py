"""Networks of the settings: kinds, channels, sides, sizes, and combinations that are refused."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from gan_eval.base.errors import UserError
from gan_eval.settings.training import InpaintingSettings, TrainingSettings
from trainer.nets import build
from trainer.nets.context_encoder import ContextEncoder, RegionEncoder
from trainer.nets.discriminators import GlobalAndPatch, GlobalDiscriminator, PatchGAN
from trainer.nets.resnet import ResNet
from trainer.nets.unet import UNet

GENERATORS = {
    "unet": UNet, "channelwise_unet": UNet, "resnet_6": ResNet, "resnet_9": ResNet,
    "context_encoder": ContextEncoder, "region_encoder": RegionEncoder,
}  # fmt: skip
DISCRIMINATORS = {"patch": PatchGAN, "global": GlobalDiscriminator, "global_and_patch": GlobalAndPatch}


def settings_of(centre: float = 0.5, **changes: object) -> TrainingSettings:
    given: dict[str, object] = {
        "steps": 1, "image_size": 64, "batch_size": 2, "statistics": "batch", "receptive_field": 16,
        "generator_channels": 2, "discriminator_channels": 2, "bottleneck": 5,
        "inpainting": InpaintingSettings(centre=centre),
    }  # fmt: skip
    return TrainingSettings(**given | changes)


@pytest.mark.parametrize("discriminator", DISCRIMINATORS)
@pytest.mark.parametrize("generator", GENERATORS)
def test_every_kind_is_built_and_fits_the_other(generator: str, discriminator: str) -> None:
    settings = settings_of(generator=generator, discriminator=discriminator)
    G, D = build.new_networks(settings)
    assert type(G) is GENERATORS[generator]
    assert type(D) is DISCRIMINATORS[discriminator]
    y = G(torch.rand(2, 3, 64, 64) * 2 - 1)
    side = build.judged_side(settings)
    assert y.shape == (2, 3, side, side)
    assert side == (32 if generator == "context_encoder" else 64)
    assert len(D(y)) == 2
    assert (G.only_size is None) == (generator in ("unet", "resnet_6", "resnet_9"))
    assert 64 % G.multiple == 0
    assert G.smallest <= 64


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"generator": "context_encoder", "depth": 4}, r"^depth 4:.*U-Nets"),
        ({"generator": "resnet_9", "depth": 4}, r"^depth 4:.*U-Nets"),
        ({"generator": "resnet_9", "image_size": 66}, r"^image_size 66:.*ResNet.*4"),
        ({"generator": "region_encoder", "image_size": 96}, r"^image_size: 96.*64.*128$"),
        ({"generator": "context_encoder", "image_size": 96}, r"^image_size: 96.*64.*128$"),
        ({"generator": "context_encoder", "centre": 0.3}, r"^inpainting.centre: 20.*16.*32$"),
        ({"generator": "resnet_6", "discriminator": "global", "image_size": 96},
         r"^image_size: 96.*64.*128"),
        ({"generator": "context_encoder", "receptive_field": 286},
         r"^inpainting.centre \(32 pixels\):.*286x286 PatchGAN; choose 96"),
        ({"generator": "unet", "receptive_field": 286, "discriminator": "global_and_patch"},
         r"^image_size 64:.*286x286 PatchGAN; choose 96.*receptive_field$"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=line):
        build.new_networks(settings_of(**changes))


_GLOBAL = 16 * (64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
"""The inner layers of the global discriminator: kernels of 4x4, and the norms."""
_ENCODER = 16 * (3 * 64 + 64 * 64) + 2 * 64 + _GLOBAL
_BOTTLENECK = 16 * 512 * 4000 + 2 * 4000 + 16 * 4000 * 512 + 2 * 512
_DECODER = 16 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * (256 + 128 + 64) + 3


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (partial(UNet, depth=8, channels=64), 54_413_955),
        (PatchGAN, 2_768_705),
        (partial(ResNet, blocks=9, norm="instance"), 11_378_179),  # 11.378 M is what CycleGAN prints of its generator
        (partial(ResNet, blocks=9, norm="batch"), 11_383_427),  # 11.383 M what Pix2Pix prints of it with batch norm
        (partial(ResNet, blocks=6, norm="batch"), 7_841_411),
        (ContextEncoder, _ENCODER + _BOTTLENECK + _DECODER),
        (partial(GlobalDiscriminator, size=64), 16 * 3 * 64 + 64 + _GLOBAL + 16 * 512 + 1),
        (
            partial(GlobalDiscriminator, size=128, in_channels=6),
            16 * 6 * 64 + 64 + _GLOBAL + 16 * 512 * 512 + 2 * 512 + 16 * 512 + 1,
        ),
    ],
)
def test_parameter_counts_are_those_of_the_published_networks(make: Callable[[], nn.Module], count: int) -> None:
    with torch.device("meta"):
        net = make()
    assert sum(weight.numel() for weight in net.parameters()) == count
