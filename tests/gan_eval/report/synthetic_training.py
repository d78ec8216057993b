"""The models' folders of a study as training leaves them: logs, validation, warnings, sample grids."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.tables import TRAINING_LOG, TRAINING_WARNINGS, VALIDATION
from gan_eval.tables.frames import write_rows

SIDE = 64
SEVERAL: dict[str, dict[str, float]] = {
    "gan10_l1_1": {"adversarial_weight": 10.0, "lambda_l1": 1.0},
    "gan1_l1_100": {"adversarial_weight": 1.0, "lambda_l1": 100.0},
    "gan_alone": {"adversarial_weight": 1.0, "lambda_l1": 0.0},
    "gan1_l1_16_ssim_84": {"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0},
}


def make_training(
    folder: Path,
    *,
    models: Mapping[str, Mapping[str, float]] = SEVERAL,
    steps: int = 4000,
    epochs: int = 20,
    side: int = SIDE,
    seed: int = 0,
) -> Path:
    """Write `FOLDER/models/M/` for each model; the first two have warnings."""
    rng = np.random.default_rng(seed)
    pairs = [(_blocks(rng, side, 6) // 64 * 64, _blocks(rng, side, 12)) for _ in range(2)]
    for number, (model, settings) in enumerate(models.items()):
        out = folder / "models" / model
        places = sorted({round(steps * k / 10) for k in range(11)})
        config = {"settings": {"image_size": side, "lambda_l2": 0.0, **settings}, "fraction": 0.5, "steps": steps}
        out.mkdir(parents=True)
        (out / "config.json").write_text(json.dumps(config))
        write_rows(_log(rng, steps, epochs, number), out / "training_log.csv", TRAINING_LOG)
        write_rows(_validation(rng, steps, epochs, number), out / "validation.csv", VALIDATION)
        if number < 2:
            write_rows(_warnings(steps), out / "training_warnings.csv", TRAINING_WARNINGS)
        frames = [_grid(rng, pairs, step / steps, number) for step in places]
        (out / "samples").mkdir()
        for step, frame in zip(places, frames, strict=True):
            frame.save(out / "samples" / f"step_{step:07d}.png")
    return folder


def _blocks(rng: np.random.Generator, side: int, count: int) -> np.ndarray:
    coarse = rng.uniform(20, 235, (count, count, 3))
    small = Image.fromarray(coarse.astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
    return np.asarray(small)


def _grid(
    rng: np.random.Generator, pairs: list[tuple[np.ndarray, np.ndarray]], done: float, number: int
) -> Image.Image:
    rows = []
    for condition, real in pairs:
        noise = rng.normal(0, 70 * (1 - done) + 12 * number, real.shape)
        fake = np.clip(done * real + (1 - done) * 128 + noise, 0, 255).astype(np.uint8)
        rows.append(np.concatenate([condition, fake, real], axis=1))
    return Image.fromarray(np.concatenate(rows))


def _log(rng: np.random.Generator, steps: int, epochs: int, number: int) -> list[dict[str, object]]:
    every = np.arange(steps // 200, steps + 1, steps // 200)
    done = every / steps
    curves = {
        "g_adversarial": 1.2 + (1 + 0.3 * number) * done,
        "g_l1": 0.15 + 0.35 * np.exp(-5 * done) + 0.03 * number,
        "d_real": 0.3 + 0.35 * np.exp(-3 * done),
        "d_fake": 0.25 + 0.35 * np.exp(-3 * done),
        "d_accuracy": 0.5 + 0.4 * (1 - np.exp(-3 * done)),
        "g_gradient_norm": 10.0 ** (number - 1 + done),
    }
    return [
        {"step": int(step), "epoch": -(-int(step) * epochs // steps), "images": int(step), "term": term}
        | {"value": float(value * rng.uniform(0.8, 1.2)), "seconds": float(step) * 0.3, "fraction": 0.5}
        for term, values in curves.items()
        for step, value in zip(every, values, strict=True)
    ]


def _validation(rng: np.random.Generator, steps: int, epochs: int, number: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for step in range(0, steps + 1, steps // 20):
        rise = min(step / steps, 0.4) / 0.4
        shared = {"step": step, "epoch": -(-step * epochs // steps), "split": "test", "fraction": 0.5}
        for mode, less in (("train", 0.0), ("eval", 0.6)):
            for metric, value, sd in (
                ("psnr", 8 + 5 * rise - less - 0.3 * number + rng.normal(0, 0.15), 1.1),
                ("niqe", 20 - 9 * step / steps + rng.normal(0, 0.3), 2.0),
                ("diversity", 0.2 + 0.7 * rise + rng.normal(0, 0.02), None),
            ):
                rows.append({**shared, "mode": mode, "metric": metric, "value": value, "sd": sd, "n": 12})
            rows.append({**shared, "mode": mode, "metric": "brisque", "reason": "weights brisque: not in the cache"})
    return rows


def _warnings(steps: int) -> list[dict[str, object]]:
    detail = "for 5 rows of the log its loss was at most 0.08 and its accuracy at least 0.970"
    lost = "the pictures' diversity is 0.21, it was 0.81 at step 1200"
    return [
        {"step": steps // 2, "warning": "discriminator_overpowers", "detail": detail, "fraction": 0.5},
        {"step": steps * 3 // 4, "warning": "diversity_lost", "detail": lost, "fraction": 0.5},
    ]
