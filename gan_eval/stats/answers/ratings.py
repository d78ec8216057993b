"""How real do the pictures look? Mean grades of reals and of fakes, with intervals between participants."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gan_eval.settings.analysis import Screening
from gan_eval.stats.answers.opinions import raters
from gan_eval.stats.groups import carried_by, joined
from gan_eval.stats.shares import mean_interval
from gan_eval.stats.trials import graded_trials
from gan_eval.tables import RATINGS
from gan_eval.tabular import Row, frame_of


def ratings(trials: pd.DataFrame, *, screening: Screening = "none") -> pd.DataFrame:
    """The table `ratings` of a trials table; no rows where nothing was to be graded.

    For each data set: its reals, its fakes of all models together (without a model), and the fakes of each model.
    Grades are taken as numbers with equal steps, as in mean opinion scores (ITU-T P.910).

    Args:
        trials: the table `trials`.
        screening: `bt500` leaves erratic participants out (ITU-R BT.500) and the notes say how many; with the others
            everybody counts, since ITU-T P.910 rejects nobody.
    """
    graded, note = graded_trials(trials), ""
    if screening == "bt500" and len(graded):
        observers = raters(trials, screening=screening)
        rejected = observers.loc[observers["rejected"], "participant"]
        graded = graded[~graded["participant"].isin(rejected)].reset_index(drop=True)
        note = f"{len(rejected)} of {len(observers)} participants rejected by BT.500" if len(rejected) else ""
    return frame_of([_row(part, names, note) for names, part in _parts(graded)], RATINGS)


def _parts(graded: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The trials of each row, with what names the row."""
    for dataset, of_dataset in graded.groupby("dataset", dropna=False, sort=True):
        for kind in ("real", "fake"):
            part = of_dataset[(of_dataset["kind"] == kind).fillna(False)]
            named = {"dataset": dataset, "kind": kind}
            if len(part):
                yield named, part
            if kind == "fake":
                for model, of_model in part.groupby("model", sort=True):
                    yield {**named, "model": model}, of_model


def _row(part: pd.DataFrame, named: dict[str, Any], screened: str) -> Row:
    answered = part[part["answered"]]
    grades = answered["rating"].to_numpy("float64")
    means = answered.groupby("participant")["rating"].mean().to_numpy("float64")
    mean, low, high = mean_interval(means)
    carried = carried_by(part)
    own = {0: "no graded trials", 1: "one participant: no interval"}.get(len(means), "")
    return {
        **named,
        "n": len(grades),
        "n_none": len(part) - len(grades),
        "n_participants": len(means),
        "mean": mean,
        "sd": grades.std(ddof=1) if len(grades) > 1 else None,
        "ci_low": low,
        "ci_high": high,
        "simulated": carried["simulated"],
        "note": joined(own, screened, carried["note"]),
        "fraction": carried["fraction"],
    }
