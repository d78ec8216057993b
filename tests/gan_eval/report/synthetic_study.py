"""A whole study's folder, of translations or of filled holes: tables, tiny pictures, logs, published numbers."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rehashed import rehash
from synthetic_training import log_rows

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.tables import IMAGE_METRICS, RUNS, SESSIONS, SET_METRICS, STIMULI, TRAINING_LOG, TRIALS
from gan_eval.tables.frames import frame_of, write_rows, write_table

SIDE = 64
TRANSLATED = {"pix2pix_facades": "facades", "pix2pix_maps": "maps"}
"""The data set of each model."""
FILLED = {"rec_1000": "photographs", "rec_1": "photographs"}
RATIOS = {"rec_1000": (0.999, 0.001), "rec_1": (0.5, 0.5)}
"""Weights of reconstruction and adversarial loss."""
HOLES = (("centre", 0.25), ("blocks", 0.0625), ("region", 0.125))
STUDY = """
[study]
name = "synthetic"
title = 'Can people recognise <b>these</b> "pictures"?'
question = "Are generated façades & maps taken for photographs?"
seed = 7
[quiz]
real = 8
fake = 8
participants = 9
"""
MODEL = '[models.{name}]\ndata = "{data}"\n'
OF_HOLES = (
    '[models.{name}.training]\ngenerator = "context_encoder"\ndiscriminator = "global"\nstatistics = "batch"\n'
    "lambda_l1 = 0.0\nlambda_l2 = {rec}\nadversarial_weight = {adv}\nimage_size = 64\n"
    "inpainting = {{ masks = {{ centre = 1 }}, centre = 0.5 }}\n"
)
PUBLISHED = {
    "quiz.csv": """study,source,dataset,group,trials,percent_correct,note
earlier,"Someone: Something, Table I",facades,real,25,96,one assessor
earlier,"Someone: Something, Table I",facades,fake,25,96,
earlier,"Someone: Something, Table I",shoes,real,25,72,
""",
    "metric_values.csv": """subject,source,model,dataset,metric,value,note
fid,A paper,unet,facades,fid,119.1,training mode
fid,A paper,unet,elsewhere,fid,88,training mode
""",
    "psnr.csv": """study,source,dataset,source_size,network_size,lambda_rec_over_lambda_adv,test_psnr_db
they,"Someone: Encoders, Table 1",photographs,64,128,1,11.56
they,"Someone: Encoders, Table 1",tiny,64,128,100,14.34
they,"Someone: Encoders, Table 1",photographs,64,128,1000,17.20
they,"Someone: Encoders, Table 1",photographs,128,128,1000,15.39
others_2016,quoted in the same table,streets,,128,1000,18.58
""",
}


def make_study(
    folder: Path,
    *,
    models: Mapping[str, str] = TRANSLATED,
    participants: tuple[str, ...] = ("P1", "P2", "P3", "P4", "P5"),
    simulated: bool = False,
    fraction: float = 1.0,
) -> Path:
    """Write the folder of a study: 12 or 16 items of each data set, of which each participant judges one version."""
    rng = np.random.default_rng(0)
    filled = models is FILLED
    data = "".join(f"[data.{name}]\n" for name in dict.fromkeys(models.values()))
    for name, dataset in models.items():
        rec, adv = RATIOS.get(name, (100.0, 1.0))
        data += (MODEL + OF_HOLES * filled).format(name=name, data=dataset, rec=rec, adv=adv)
        _text(folder / "models" / name / "config.json", json.dumps({"settings": _settings(rec, adv, filled=filled)}))
        if not filled:
            log = [row | {"fraction": fraction} for row in log_rows(rng, 400, 1, 0)]
            write_rows(log, folder / "models" / name / "training_log.csv", TRAINING_LOG)
    _text(folder / "study.toml", STUDY + data)
    sessions = {"people": len(participants) * (not simulated), "simulated": len(participants) * simulated, "wanted": 5}
    notes = ["maps: 8 + 8 pictures shown instead of 25 + 25 <i>& fewer</i>"]
    facts = {"fraction": fraction, "notes": notes, "sessions": sessions, "software": "gan_eval 0.1.0"}
    _text(folder / ".gan-eval" / "facts.json", json.dumps(facts))
    for name in ("psnr.csv",) if filled else ("quiz.csv", "metric_values.csv"):
        _text(folder / "published" / name, PUBLISHED[name])
    rows = [row for name, dataset in models.items() for row in _stimuli(folder, name, dataset, filled, fraction, rng)]
    pictures = list({row["stimulus"]: row for row in rows}.values())
    images, sets = _metrics(folder, pictures, fraction, rng)
    trials = _trials(pictures, participants, simulated, fraction, rng)
    write_table(trials, folder / "tables" / "trials.csv", TRIALS)
    session = {"protocol": "quick_response", "status": "complete", "simulated": simulated, "refresh_hz": 60.0}
    of_people = [session | {"session": f"s-{name}", "participant": name} for name in participants]
    write_rows(of_people, folder / "tables" / "sessions.csv", SESSIONS)
    frames = analyze(trials, image_metrics=images, set_metrics=sets, stimuli=pd.DataFrame(pictures) if filled else None)
    write_analysis(frames, folder / "tables")
    return folder


def _settings(rec: float, adv: float, *, filled: bool) -> dict[str, object]:
    weights = {"lambda_l1": 0.0 if filled else rec, "lambda_l2": rec * filled, "adversarial_weight": adv}
    return weights | {"image_size": SIDE} | ({"inpainting": {"masks": {"centre": 1.0}}} if filled else {})


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _stimuli(
    folder: Path, model: str, dataset: str, filled: bool, fraction: float, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Write the pictures of one model, those of an item's real version equal for all, and return the table's rows."""
    base = folder / "stimuli" / f"{dataset}-{model}"
    rows: list[dict[str, object]] = []
    for number in range(12 if filled else 16):
        stem = f"{number:03d}"
        photo = np.kron(np.random.default_rng(number).uniform(20, 235, (8, 8, 3)), np.ones((8, 8, 1)))
        generated = np.clip(photo + rng.normal(0, 30, photo.shape), 0, 255)
        kind, area = HOLES[number % len(HOLES)]
        half = round(SIDE * area**0.5 / 2)
        hole = np.zeros((SIDE, SIDE, 1), bool)
        hole[SIDE // 2 - half : SIDE // 2 + half, SIDE // 2 - half : SIDE // 2 + half] = True
        parts = {"input": np.round(photo / 128) * 127, "real": photo, "fake": generated}
        shared = {"item": f"{dataset}/{stem}", "dataset": dataset, "split": "test", "input_file": f"input/{stem}.png"}
        if filled:
            parts |= {"input": np.where(hole, 128, photo), "fake": np.where(hole, generated, photo)}
            parts |= {"mask": hole * np.full(3, 255), "raw/fake": generated}
            shared |= {"mask_kind": kind, "mask_area": area, "mask_file": f"mask/{stem}.png"}
        for part, picture in parts.items():
            (base / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.astype(np.uint8)).save(base / part / f"{stem}.png")
        fake = {"kind": "fake", "model": model, "reference_file": f"real/{stem}.png", "fraction": fraction}
        rows += [
            shared | {"stimulus": f"{dataset}/real/{stem}", "kind": "real", "file": f"real/{stem}.png"},
            shared | fake | {"stimulus": f"{dataset}/{model}/{stem}", "file": f"fake/{stem}.png"},
        ]
    write_rows(rows, base / "stimuli.csv", STIMULI)
    rehash(base)
    return rows


def _metrics(
    folder: Path, stimuli: list[dict[str, object]], fraction: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = ("stimulus", "item", "kind", "model", "dataset")
    images = [
        {name: row.get(name) for name in names} | {"metric": metric, "value": value, "run": "r1", "fraction": fraction}
        for row in stimuli
        if row["kind"] == "fake"
        for metric, value in (
            ("psnr", rng.normal(14, 2)),
            ("ssim", rng.uniform(0.1, 0.4)),
            *([("psnr_hole", rng.normal(17, 1))] if "mask_kind" in row else []),
        )
    ]
    images[1] |= {"value": None, "reason": "picture <broken>"}
    sets = [
        {"model": model, "dataset": dataset, "metric": metric, "n_real": 16, "n_fake": 16, "run": "r1"}
        | {"fraction": fraction}
        | values
        for dataset, model in dict.fromkeys((str(row["dataset"]), row.get("model")) for row in stimuli)
        if model
        for metric, values in (
            ("fid", {"value": 231.4, "ci_low": 220.0, "ci_high": 240.0}),
            ("kid", {"value": None, "reason": "weights not found: gan-eval weights fetch inception"}),
        )
    ]
    runs = [{"run": "r1", "command": "metrics", "software": "gan_eval 0.1.0; torch 2.15.0", "resizer": "tf1"}]
    frames = frame_of(images, IMAGE_METRICS), frame_of(sets, SET_METRICS)
    write_table(frames[0], folder / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    write_table(frames[1], folder / "metrics" / "set_metrics.csv", SET_METRICS)
    write_rows(runs, folder / "metrics" / "runs.csv", RUNS)
    return frames


def _trials(
    stimuli: list[dict[str, object]],
    participants: tuple[str, ...],
    simulated: bool,
    fraction: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    rows = []
    ease = {row["stimulus"]: rng.normal(0, 0.6) for row in stimuli}
    for number, participant in enumerate(participants):
        talent = rng.normal(0, 0.4)
        half = [row for row in stimuli if (int(str(row["item"])[-3:]) + number) % 2 == (row["kind"] == "fake")]
        for trial, position in enumerate(rng.permutation(len(half)), start=1):
            row = half[position]
            right = rng.random() < 1 / (1 + np.exp(-1 - talent - ease[row["stimulus"]]))
            other = "real" if row["kind"] == "fake" else "fake"
            response = "none" if rng.random() < 0.02 else (row["kind"] if right else other)
            rows.append(
                {name: row.get(name) for name in ("stimulus", "item", "kind", "model", "dataset")}
                | {"session": f"s-{participant}", "participant": participant, "study": "synthetic", "trial": trial}
                | {"protocol": "quick_response", "response": response, "exposure_ms": rng.uniform(600, 3000)}
                | {"reaction_time_ms": None if response == "none" else 400 + rng.lognormal(6.3, 0.5)}
                | {"simulated": simulated, "fraction": fraction}
            )
    return fill_trials(pd.DataFrame(rows))
