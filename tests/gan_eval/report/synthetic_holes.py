"""The folder of a study of filled holes: masks, composites, what the generators gave, sample grids, published PSNR."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rehashed import rehash

from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS, STIMULI, TRAINING_LOG, TRIALS, VALIDATION
from gan_eval.tables.frames import frame_of, write_rows, write_table

SIDE = 64
RATIOS = {"rec_1000": (0.999, 0.001), "rec_1": (0.5, 0.5)}
HOLES = (("centre", 0.25), ("blocks", 0.0625), ("region", 0.125))
PUBLISHED = """study,source,dataset,source_size,network_size,lambda_rec_over_lambda_adv,test_psnr_db
they,"Someone: Encoders, Table 1",photographs,64,128,1,11.56
they,"Someone: Encoders, Table 1",tiny,64,128,100,14.34
they,"Someone: Encoders, Table 1",photographs,64,128,1000,17.20
they,"Someone: Encoders, Table 1",photographs,128,128,1000,15.39
others_2016,quoted in the same table,streets,,128,1000,18.58
"""
STUDY = """[study]
name = "holes"
title = "Filled holes"
seed = 3
[data.photographs]
{models}[quiz]
real = 6
fake = 6
"""
MODEL = (
    '[models.{name}]\ndata = "photographs"\n[models.{name}.training]\ngenerator = "context_encoder"\n'
    'discriminator = "global"\nstatistics = "batch"\nlambda_l1 = 0.0\nlambda_l2 = {rec}\nadversarial_weight = {adv}\n'
    "image_size = 64\n"
    "inpainting = {{ masks = {{ centre = 1 }}, centre = 0.5 }}\n"
)


def make_filled(
    folder: Path,
    *,
    ratios: Mapping[str, tuple[float, float]] = RATIOS,
    raw: bool = True,
    items: int = 12,
    published: str = PUBLISHED,
    seed: int = 0,
) -> Path:
    """Write the study's folder; `ratios` are the weights of reconstruction and adversarial loss by model."""
    rng = np.random.default_rng(seed)
    rows = [row for name in ratios for row in _stimuli(folder, name, items, raw, rng)]
    for name, (rec, adv) in ratios.items():
        _training(folder / "models" / name, rec, adv, rng)
    (folder / "published").mkdir()
    (folder / "published" / "psnr.csv").write_text(published)
    models = "".join(MODEL.format(name=name, rec=rec, adv=adv) for name, (rec, adv) in ratios.items())
    (folder / "study.toml").write_text(STUDY.format(models=models))
    images = frame_of(_values(rows, raw, rng), IMAGE_METRICS)
    write_table(images, folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    trials = _trials(rows, rng)
    write_table(trials, folder / "tables" / "trials.csv", TRIALS)
    stimuli = pd.DataFrame(rows)
    write_analysis(analyze(trials, image_metrics=images, stimuli=stimuli), folder / "tables")
    return folder


def _stimuli(folder: Path, model: str, items: int, raw: bool, rng: np.random.Generator) -> list[dict[str, object]]:
    base = folder / "stimuli" / f"photographs-{model}"
    rows: list[dict[str, object]] = []
    raws: list[dict[str, object]] = []
    for number in range(items):
        kind, area = HOLES[number % len(HOLES)]
        stem = f"{number:03d}"
        photo = np.kron(np.random.default_rng(number).uniform(20, 235, (8, 8, 3)), np.ones((8, 8, 1)))
        half = round(SIDE * area**0.5 / 2)
        hole = np.zeros((SIDE, SIDE, 1), bool)
        hole[SIDE // 2 - half : SIDE // 2 + half, SIDE // 2 - half : SIDE // 2 + half] = True
        given = np.clip(photo + rng.normal(0, 30, photo.shape), 0, 255)
        pictures = {"real": photo, "input": np.where(hole, 128, photo), "mask": hole * np.full(3, 255)}
        for part, picture in (pictures | {"fake": np.where(hole, given, photo)}).items():
            _save(base / part / f"{stem}.png", picture)
        of_hole = {"mask_kind": kind, "mask_area": area, "mask_file": f"mask/{stem}.png"}
        shared = {"item": f"photographs/{stem}", "dataset": "photographs", "input_file": f"input/{stem}.png", **of_hole}
        fake = {"kind": "fake", "file": f"fake/{stem}.png", "reference_file": f"real/{stem}.png", **shared}
        rows.append({"stimulus": f"photographs/real/{stem}", "kind": "real", "file": f"real/{stem}.png", **shared})
        rows.append({"stimulus": f"photographs/{model}/{stem}", "model": model, **fake})
        raws.append({"stimulus": f"photographs/{model}-raw/{stem}", "model": f"{model}-raw", **fake})
        if raw:
            for part, picture in (pictures | {"fake": given}).items():
                _save(base / "raw" / part / f"{stem}.png", picture)
    write_rows(rows, base / "stimuli.csv", STIMULI)
    rehash(base)
    if raw:
        write_rows(raws, base / "raw" / "stimuli.csv", STIMULI)
        rehash(base / "raw")
    return rows


def _training(out: Path, rec: float, adv: float, rng: np.random.Generator) -> None:
    weights = {"lambda_l1": 0.0, "lambda_l2": rec, "adversarial_weight": adv}
    settings = weights | {"image_size": SIDE, "inpainting": {"masks": {"centre": 1.0}}}
    out.mkdir(parents=True)
    (out / "config.json").write_text(json.dumps({"settings": settings}))
    log = [
        {"step": step, "epoch": 1, "images": step, "term": "g_l2", "value": rng.uniform(), "seconds": step * 0.1}
        for step in range(20, 401, 20)
    ]
    write_rows(log, out / "training_log.csv", TRAINING_LOG)
    of_val = {"epoch": 1, "mode": "eval", "metric": "psnr_hole", "n": 8, "split": "val"}
    write_rows([of_val | {"step": k, "value": 10 + k / 50} for k in (0, 200, 400)], out / "validation.csv", VALIDATION)
    grids = [sample_grid(done / 2) for done in range(3)]
    for step, grid in zip((0, 200, 400), grids, strict=True):
        _save(out / "samples" / f"step_{step:07d}.png", grid)


def sample_grid(done: float) -> np.ndarray:
    """One item's original, masked, generated and composite as flat tones: 10, 60, 110 and 160 at the start."""
    tones = (10, 60, 110 + 20 * done, 160 + 20 * done)
    return np.concatenate([np.full((SIDE, SIDE, 3), tone, np.uint8) for tone in tones], axis=1)


def _values(rows: list[dict[str, object]], raw: bool, rng: np.random.Generator) -> list[dict[str, object]]:
    found = []
    for row in rows:
        if row["kind"] == "real":
            continue
        hole = rng.normal(15 if row["model"] == "rec_1" else 17, 1)
        values = {"psnr_hole": hole, "ssim_hole": rng.uniform(0.2, 0.5), "l1_hole": rng.uniform(20, 40)}
        values["psnr"] = hole + 10 * np.log10(1 / float(str(row["mask_area"])))
        for ending in ("", "-raw") if raw else ("",):
            model = f"{row['model']}{ending}"
            stimulus = str(row["stimulus"]).replace(str(row["model"]), model)
            known = {
                "stimulus": stimulus,
                "item": row["item"],
                "kind": "fake",
                "model": model,
                "dataset": "photographs",
            }
            found += [known | {"metric": metric, "value": value, "run": "r1"} for metric, value in values.items()]
    return found


def _trials(rows: list[dict[str, object]], rng: np.random.Generator) -> pd.DataFrame:
    pictures = list({str(row["stimulus"]): row for row in rows}.values())
    found = []
    for number in range(6):
        shown = [row for row in pictures if (int(str(row["item"])[-3:]) + number) % 2 == (row["kind"] == "fake")]
        for trial, row in enumerate(shown, start=1):
            right = rng.random() < (0.9 if row["mask_kind"] == "centre" else 0.6)
            other = "real" if row["kind"] == "fake" else "fake"
            cells = {name: row.get(name) for name in ("stimulus", "item", "kind", "model", "dataset")}
            answer = {"response": row["kind"] if right else other, "reaction_time_ms": 400 + rng.lognormal(6, 0.4)}
            found.append(cells | answer | {"participant": f"P{number}", "trial": trial, "protocol": "quick_response"})
    return fill_trials(pd.DataFrame(found))


def _save(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(picture).astype(np.uint8)).save(path)
