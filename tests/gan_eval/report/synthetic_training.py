"""The models' folders of a study as training leaves them: logs, validation, sample grids."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import write_rows

SIDE = 32
STEPS = 4000
SEVERAL: dict[str, dict[str, float]] = {
    "gan1_l1_100": {"adversarial_weight": 1.0, "lambda_l1": 100.0},
    "gan_alone": {"adversarial_weight": 1.0, "lambda_l1": 0.0},
}


def make_training(folder: Path) -> Path:
    """Write `FOLDER/models/M/` for each model."""
    rng = np.random.default_rng(0)
    for number, (model, settings) in enumerate(SEVERAL.items()):
        out = folder / "models" / model
        (out / "samples").mkdir(parents=True)
        config = {"settings": {"image_size": SIDE, "lambda_l2": 0.0, **settings}, "fraction": 0.5, "steps": STEPS}
        (out / "config.json").write_text(json.dumps(config))
        write_rows(log_rows(rng, STEPS, 20, number), out / "training_log.csv", TRAINING_LOG)
        write_rows(_validation(rng, number), out / "validation.csv", VALIDATION)
        for step in range(0, STEPS + 1, STEPS // 10):
            grid = rng.integers(0, 255, (2 * SIDE, 3 * SIDE, 3), np.uint8)
            Image.fromarray(grid).save(out / "samples" / f"step_{step:07d}.png")
    return folder


def log_rows(rng: np.random.Generator, steps: int, epochs: int, number: int) -> list[dict[str, object]]:
    """Return 200 rows of `training_log` for each of six terms."""
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


def _validation(rng: np.random.Generator, number: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for step in range(0, STEPS + 1, STEPS // 20):
        rise = min(step / STEPS, 0.4) / 0.4
        shared = {"step": step, "epoch": step // 200, "split": "test", "fraction": 0.5, "n": 12}
        for mode, less in (("train", 0.0), ("eval", 0.6)):
            psnr = 8 + 5 * rise - less - 0.3 * number + rng.normal(0, 0.15)
            for metric, value in (("psnr", psnr), ("niqe", 20 - 9 * step / STEPS + rng.normal(0, 0.3))):
                rows.append({**shared, "mode": mode, "metric": metric, "value": value, "sd": 1.1})
    return rows
