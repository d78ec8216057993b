"""Marks of simulated people: at the artefact of a picture, or near the centre."""

from pathlib import Path

import numpy as np
import pandas as pd
from made_sets import write_items

from gan_eval.judgements.trials import fill_trials
from gan_eval.tables import MARKS
from gan_eval.tables.frames import conform

HEIGHT, WIDTH = 96, 128


def world(
    folder: Path, *, people: int = 8, items: int = 8, skill: float = 0.8, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    """Write a set of two models into `folder` and return the tables trials and marks, and a map of each fake."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:HEIGHT, :WIDTH] + 0.5) / np.array([HEIGHT, WIDTH])[:, None, None]
    pictures, maps, spots = {}, {}, {}
    for number in range(items):
        stem = f"{number:02d}"
        real = rng.integers(90, 140, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        pictures[stem] = {"real": real}
        for model in ("a", "b"):
            spot = rng.uniform(0.15, 0.85, 2)
            blob = np.exp(-((x - spot[0]) ** 2 * 2 + (y - spot[1]) ** 2) / (2 * 0.08**2))
            name = f"d/{model}/{stem}"
            maps[name], spots[name] = blob, spot
            pictures[stem][model] = (real + 110 * blob[..., None]).astype(np.uint8)
    write_items(folder, pictures)
    trials, marks = [], []
    for person in range(people):
        for number in range(items):
            model = "ab"[(person + number) % 2]
            item, key = f"d/{number:02d}", {"participant": f"P{person}", "dataset": "d"}
            fake = key | {"stimulus": f"d/{model}/{number:02d}", "item": item, "kind": "fake", "model": model}
            trials += [fake | {"response": "fake"}]
            trials += [key | {"stimulus": f"d/real/{number:02d}", "item": item, "kind": "real", "response": "real"}]
            if rng.random() < 0.1:
                marks.append({"participant": f"P{person}", "stimulus": fake["stimulus"]})
                continue
            for _ in range(2):
                at = spots[fake["stimulus"]] if rng.random() < skill else np.array([0.5, 0.5])
                place = (at + rng.normal(0, 0.05, 2)).clip(0, 1)
                marks.append({"participant": f"P{person}", "stimulus": fake["stimulus"], "x": place[0], "y": place[1]})
    filled, places = fill_trials(pd.DataFrame(trials)), pd.DataFrame(marks)
    number = (places.groupby(["participant", "stimulus"]).cumcount() + 1).where(places["x"].notna())
    own = filled[[name for name in MARKS.names if name in filled]]
    rows = places.assign(mark=number).merge(own, on=["participant", "stimulus"])
    return filled, conform(rows.reindex(columns=[*MARKS.names]), MARKS, where="marks"), maps
