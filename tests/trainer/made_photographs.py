"""Made photographs, and settings of trainings on them that take a second."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gan_eval.settings.training import TrainingSettings

SIDE = 32
TINY: dict[str, Any] = {
    "steps": 8, "image_size": SIDE, "batch_size": 2, "generator_channels": 2, "discriminator_channels": 2,
    "bottleneck": 5, "jitter": False, "seed": 5, "validate_every": 2, "validation_pairs": 2,
    "validation_metrics": ("psnr_hole", "ssim_hole", "l1_hole"), "best_metric": "psnr_hole",
}  # fmt: skip


def noise(seed: int, width: int = 21, height: int = 14) -> np.ndarray:
    """A photograph of noise, (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, *halves: np.ndarray) -> Path:
    """Write a picture of halves side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(halves, axis=1)).save(path)
    return path


def make_photographs(folder: Path, *, size: tuple[int, int] = (40, 36), seed: int = 0, **splits: int) -> Path:
    """Writes `folder/SPLIT/N.png` (of split "": `folder/N.png`): (width, height) pictures of smooth noise."""
    rng = np.random.default_rng(seed)
    for split, count in splits.items():
        (folder / split.strip("_")).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
            coarse.resize(size, Image.Resampling.BICUBIC).save(folder / split.strip("_") / f"{number}.png")
    return folder


def make_silhouettes(folder: Path, *, seed: int = 0, count: int = 2, side: int = 20) -> Path:
    """Writes white ellipses on black."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        radii = rng.uniform(0.2, 0.45, 2) * side
        rows, columns = np.mgrid[:side, :side] - side / 2 + 0.5
        inside = (rows / radii[0]) ** 2 + (columns / radii[1]) ** 2 <= 1
        Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


def encoder(holes: dict[str, Any] | None = None, **changes: Any) -> TrainingSettings:
    """A context encoder as published, but for its sizes."""
    published = {
        "generator": "context_encoder", "discriminator": "global", "statistics": "batch", "lambda_l1": 0.0,
        "lambda_l2": 0.999, "adversarial_weight": 0.001, "learning_rate": 0.002,
        "discriminator_learning_rate": 0.0002, "beta2": 0.9,
    }  # fmt: skip
    return TrainingSettings(**{**TINY, **published, **changes}, inpainting={"overlap": 3, **(holes or {})})


def filler(holes: dict[str, Any] | None = None, **changes: Any) -> TrainingSettings:
    """A GAN that fills holes of any kind, as from scratch, but for its sizes."""
    published = {
        "generator": "channelwise_unet", "discriminator": "global_and_patch", "receptive_field": 16,
        "adversarial": "least_squares", "dropout": 0.5, "plateau_patience": 0, "lambda_tv": 0.1,
    }  # fmt: skip
    shown = {
        "masks": {"centre": 1, "blocks": 2, "region": 2}, "fill": "noise", "mask_channel": True,
    }  # fmt: skip
    return TrainingSettings(**{**TINY, **published, **changes}, inpainting={**shown, **(holes or {})})
