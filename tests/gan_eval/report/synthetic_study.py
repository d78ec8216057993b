"""A whole synthetic study's folder: tables, tiny real pictures, training logs, published numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from rehashed import rehash

from gan_eval.stats.analysis import analyze, write_analysis
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import IMAGE_METRICS, RUNS, SESSIONS, SET_METRICS, STIMULI, TRAINING_LOG, TRIALS
from gan_eval.tables.frames import frame_of, write_rows, write_table

STUDY = """
[study]
name = "synthetic"
title = "Can people recognise <b>these</b> pictures?"
question = "Are generated façades & maps taken for photographs?"
seed = 7
{data}
[quiz]
real = 8
fake = 8
participants = 9
"""
PUBLISHED_QUIZ = """study,source,dataset,group,trials,percent_correct,note
earlier,"Someone: Something, Table I",facades,real,25,96,one assessor
earlier,"Someone: Something, Table I",facades,fake,25,96,
earlier,"Someone: Something, Table I",shoes,real,25,72,
"""
PUBLISHED_METRICS = """subject,source,model,dataset,metric,value,note
fid,A paper,unet,facades,fid,119.1,training mode
fid,A paper,unet,elsewhere,fid,88,training mode
"""


def make_study(
    folder: Path,
    *,
    datasets: tuple[str, ...] = ("facades", "maps"),
    participants: tuple[str, ...] = ("P01", "P02", "P03", "P04", "P05", "P06", "P07"),
    simulated: bool = False,
    fraction: float = 1.0,
    skill: float = 1.0,
    seed: int = 0,
) -> Path:
    """Write the folder of a study with one model for each data set and 8 + 8 pictures of each."""
    rng = np.random.default_rng(seed)
    sections = "".join(f'[data.{name}]\n[models.pix2pix_{name}]\ndata = "{name}"\n' for name in datasets)
    _text(folder / "study.toml", STUDY.format(data=sections))
    facts = {
        "title": 'Can people recognise <b>these</b> "pictures"?',
        "study": "synthetic",
        "version": 1,
        "fraction": fraction,
        "smoke": False,
        "notes": ["maps: 8 + 8 pictures shown instead of 25 + 25 <i>& fewer</i>"],
        "sessions": {"complete": len(participants), "wanted": 9, "simulated": len(participants) if simulated else 0},
        "software": "gan_eval 0.1.0",
    }
    _text(folder / ".gan-eval" / "facts.json", json.dumps(facts))
    _text(folder / "published" / "real_fake_quiz.csv", PUBLISHED_QUIZ)
    _text(folder / "published" / "metric_values.csv", PUBLISHED_METRICS)
    stimuli = [row for name in datasets for row in _stimuli(folder, name, fraction, rng)]
    images, sets = _metrics(folder, stimuli, fraction, rng)
    trials = _trials(stimuli, participants, simulated, fraction, skill, rng)
    write_table(trials, folder / "tables" / "trials.csv", TRIALS)
    write_rows(_sessions(participants, simulated), folder / "tables" / "sessions.csv", SESSIONS)
    write_analysis(analyze(trials, image_metrics=images, set_metrics=sets), folder / "tables")
    for name in datasets:
        write_rows(_log(fraction, rng), folder / "models" / f"pix2pix_{name}" / "training_log.csv", TRAINING_LOG)
    return folder


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _stimuli(folder: Path, dataset: str, fraction: float, rng: np.random.Generator) -> list[dict[str, object]]:
    base = folder / "stimuli" / f"{dataset}-pix2pix_{dataset}"
    rows: list[dict[str, object]] = []
    for number in range(16):
        stem = f"{number:03d}"
        photo = _blocks(rng)
        for part, picture in {
            "input": np.round(photo / 128) * 127,
            "real": photo,
            "fake": np.clip(photo + rng.normal(0, 30, photo.shape), 0, 255),
        }.items():
            path = base / part / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.astype(np.uint8)).save(path)
        shared = {"item": f"{dataset}/{stem}", "dataset": dataset, "split": "test", "input_file": f"input/{stem}.png"}
        rows.append(shared | {"stimulus": f"{dataset}/real/{stem}", "kind": "real", "file": f"real/{stem}.png"})
        rows.append(
            shared
            | {
                "stimulus": f"{dataset}/pix2pix_{dataset}/{stem}",
                "kind": "fake",
                "model": f"pix2pix_{dataset}",
                "file": f"fake/{stem}.png",
                "reference_file": f"real/{stem}.png",
                "fraction": fraction,
            }
        )
    write_rows(rows, base / "stimuli.csv", STIMULI)
    rehash(base)
    return rows


def _blocks(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.uniform(20, 235, (8, 8, 3))
    return np.kron(coarse, np.ones((8, 8, 1)))


def _metrics(
    folder: Path, stimuli: list[dict[str, object]], fraction: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = ("stimulus", "item", "kind", "model", "dataset")
    images = [
        {name: row.get(name) for name in names} | {"metric": metric, "value": value, "run": "r1", "fraction": fraction}
        for row in stimuli
        if row["kind"] == "fake"
        for metric, value in (("psnr", rng.normal(14, 2)), ("ssim", rng.uniform(0.1, 0.4)))
    ]
    images[1] |= {"value": None, "reason": "picture <broken>"}
    sets = [
        {"model": f"pix2pix_{name}", "dataset": name, "metric": metric, "n_real": 16, "n_fake": 16, "run": "r1"}
        | {"fraction": fraction}
        | values
        for name in dict.fromkeys(str(row["dataset"]) for row in stimuli)
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
    skill: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    rows = []
    ease = {row["stimulus"]: rng.normal(0, 0.6) for row in stimuli}
    for number, participant in enumerate(participants):
        half = [row for row in stimuli if (int(str(row["item"])[-3:]) + number) % 2 == (row["kind"] == "fake")]
        talent = rng.normal(0, 0.4)
        for trial, position in enumerate(rng.permutation(len(half)), start=1):
            row = half[position]
            right = rng.random() < 1 / (1 + np.exp(-skill - talent - ease[row["stimulus"]]))
            other = "real" if row["kind"] == "fake" else "fake"
            response = "none" if rng.random() < 0.02 else (row["kind"] if right else other)
            rows.append(
                {name: row.get(name) for name in ("stimulus", "item", "kind", "model", "dataset")}
                | {
                    "session": f"s-{participant}",
                    "participant": participant,
                    "study": "synthetic",
                    "protocol": "quick_response",
                    "block": 1,
                    "trial": trial,
                    "exposure_ms": rng.uniform(600, 3000),
                    "response": response,
                    "reaction_time_ms": None if response == "none" else 400 + rng.lognormal(6.3, 0.5),
                    "simulated": simulated,
                    "fraction": fraction,
                }
            )
    return fill_trials(pd.DataFrame(rows))


def _sessions(participants: tuple[str, ...], simulated: bool) -> list[dict[str, object]]:
    return [
        {
            "session": f"s-{name}",
            "participant": name,
            "protocol": "quick_response",
            "status": "complete",
            "simulated": simulated,
            "refresh_hz": 60.0,
        }
        for name in participants
    ]


def _log(fraction: float, rng: np.random.Generator) -> list[dict[str, object]]:
    steps = np.arange(20, 4001, 20)
    curves = {
        "g_adversarial": 1.2 + steps / 3000,
        "g_l1": 0.15 + 0.35 * np.exp(-steps / 900),
        "d_real": 0.3 + 0.35 * np.exp(-steps / 1500),
        "d_fake": 0.25 + 0.35 * np.exp(-steps / 1500),
    }
    return [
        {
            "step": int(step),
            "epoch": 1,
            "images": int(step),
            "term": term,
            "seconds": float(step) * 0.3,
            "fraction": fraction,
        }
        | {"value": float(value * rng.uniform(0.8, 1.2))}
        for term, values in curves.items()
        for step, value in zip(steps, values, strict=True)
    ]
