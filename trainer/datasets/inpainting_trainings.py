"""Trainings of the inpainting publications by name, as keys of `TrainingSettings`; without a length."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PUBLISHED: dict[str, Any] = {
    "generator": "context_encoder",
    "discriminator": "global",
    "bottleneck": 4000,
    "image_size": 128,
    "statistics": "batch",
    "batch_size": 64,
    "learning_rate": 0.02,
    "discriminator_learning_rate": 0.002,
    "beta1": 0.5,
    "beta2": 0.9,
    "adversarial": "bce",
    "adversarial_weight": 0.001,
    "lambda_l1": 0.0,
    "lambda_l2": 0.999,
    "jitter": False,
    "inpainting": {"masks": {"centre": 1.0}, "centre": 0.5, "fill": "zero", "overlap": 7, "overlap_weight": 10.0},
}
"""Meneust and Pinto, Context Encoders: the weights 1000:1 with the highest PSNR of their Table 1. They trained with
batches of 64 and of 512."""

_PATHAK: dict[str, Any] = {
    **_PUBLISHED,
    "learning_rate": 0.002,
    "discriminator_learning_rate": 0.0002,
    "beta2": 0.999,
    "inpainting": {**_PUBLISHED["inpainting"], "fill": "mean", "overlap": 4, "overlap_shown": True},
}
"""Pathak et al. 2016 (arXiv 1604.07379), as in the released train.lua: the generator learns ten times as fast as the
discriminator, and sees the border on which the loss counts ten times."""

_HOLE_FILLING: dict[str, Any] = {
    "generator": "channelwise_unet",
    "discriminator": "global_and_patch",
    "receptive_field": 40,
    "discriminator_channels": 32,
    "image_size": 256,
    "statistics": "batch",
    "batch_size": 8,
    "learning_rate": 2e-4,
    "discriminator_learning_rate": 1e-4,
    "adversarial": "least_squares",
    "lambda_l1": 100.0,
    "dropout": 0.0,
    "inpainting": {
        "masks": {"centre": 1.0, "blocks": 2.0, "region": 2.0},
        "centre": 0.5,
        "fill": "noise",
        "mask_channel": True,
        "lambda_tv": 0.1,
    },
}
"""Inpainting from scratch, without its style loss, whose network has to be chosen (inpainting.style_network). The mask
as a channel, noise in the hole, least squares and patches of 40 pixels are what helped there. The losses' weights, the
masks' shares and how much weaker the discriminator is are not published."""


@dataclass(frozen=True)
class InpaintingTraining:
    """How a generator that fills holes is trained."""

    settings: dict[str, Any]
    """Keys of `TrainingSettings`."""
    source: str
    """Who trained so."""


TRAININGS: Mapping[str, InpaintingTraining] = {
    "published": InpaintingTraining(_PUBLISHED, "Meneust and Pinto, Context Encoders"),
    "pathak": InpaintingTraining(_PATHAK, "Pathak et al. 2016 (arXiv 1604.07379), train.lua"),
    "hole_filling": InpaintingTraining(_HOLE_FILLING, "Inpainting from scratch; the weights are ours"),
}
"""What `train --preset` takes beside the names of data sets."""
