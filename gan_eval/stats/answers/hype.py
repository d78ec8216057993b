"""HYPE scores: how often people err without a time limit, and for how long they must look with one.

After Zhou et al. 2019 (NeurIPS, arXiv 1904.01121).

For how long must a picture be seen? The thresholds of staircases, and their mean over participants.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.staircases import STAIRCASE
from gan_eval.staircases import thresholds as thresholds_of_rows
from gan_eval.stats.groups import carried_by, groups, joined
from gan_eval.stats.resampling import draws, percentile_interval
from gan_eval.stats.shares import mean_interval
from gan_eval.stats.trials import asked_exposure, main_trials
from gan_eval.tables import HYPE, THRESHOLDS
from gan_eval.tabular import Row, frame_of

REPLICATES = 2000
"""Of the bootstrap over participants."""
_CELLS = 4_000_000
"""Participants times replicates held at a time."""
_READ = ("session", "study", "participant", "model", "dataset", "is_fake", "says_fake", "simulated", "fraction")


def hype(trials: pd.DataFrame, *, settings: StaircaseSettings | None = None, seed: int = 0) -> pd.DataFrame:
    """The table `hype` of a trials table: for each data set all models together, then each model.

    hype_infinity: the mean over participants of their error rate, from single pictures that stayed until the answer;
    where the exposure is not known there is no score.
    Zhou et al. show as many reals as fakes, so that the error rate is the mean of those on reals and on fakes; it is
    taken so here too, for a model shares its reals with others. The reals beside a model are those of the same data
    set and sessions. Participants who did not judge both kinds have no part in it.

    hype_time: the mean over participants of the thresholds of their staircases, a threshold being the exposure shown
    most often (section 2.1 there; `mode_ms` of the table `thresholds`). A model has one where staircases showed no
    other model's fakes.

    The interval: percentiles of a bootstrap over participants. There is no row where no trials allow the score.

    Args:
        trials: the table `trials`.
        settings: `[quiz.staircase]` of the study; with it the note tells thresholds at an end of the range.
        seed: of the bootstrap.
    """
    return frame_of([*_infinity_rows(trials, seed), *_time_rows(trials, settings, seed)], HYPE)


def bootstrap_mean(values: np.ndarray, *, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the mean under resampling; NaN with fewer than two values.

    Args:
        values: (N,).
        seed: equal seeds give equal intervals, whatever the order of the values.
    """
    if len(values) < 2:
        return np.nan, np.nan
    ordered, rng = np.sort(values), np.random.default_rng(seed)
    chunk = max(1, _CELLS // len(values))
    sizes = [min(chunk, REPLICATES - start) for start in range(0, REPLICATES, chunk)]
    means = [draws(rng, len(ordered), size) @ ordered / len(ordered) for size in sizes]
    return percentile_interval(np.concatenate(means))


def _infinity_rows(trials: pd.DataFrame, seed: int) -> Iterator[Row]:
    main = main_trials(trials)
    moving = (main["protocol"] == STAIRCASE).fillna(False).to_numpy(bool)
    untimed = main.loc[np.isinf(asked_exposure(main)) & ~moving & main["answered"], list(_READ)]
    for dataset, part in untimed.groupby("dataset", dropna=False, sort=True):
        for model, shown in _models(part):
            yield _infinity_row(shown, seed) | {"dataset": _text(dataset), "model": model}


def _models(part: pd.DataFrame) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """All trials of a data set, then the fakes of each model with the reals of the same sessions."""
    yield None, part
    grouped = groups(part, "model")
    for number, model in enumerate(grouped.ids):
        yield model, part.iloc[grouped.row[grouped.group == number]]


def _infinity_row(shown: pd.DataFrame, seed: int) -> Row:
    wrong = (shown["is_fake"] != shown["says_fake"]).astype(float)
    each = wrong.groupby([shown["participant"], shown["is_fake"]]).mean().unstack().reindex(columns=[False, True])
    both = each.dropna()
    means = both if len(both) else each
    errors = 100 * both.mean(axis=1).to_numpy()
    low, high = bootstrap_mean(errors, seed=seed)
    lacking = [kind for kind, column in (("real", False), ("generated", True)) if each[column].isna().all()]
    partial = len(each) - len(both)
    notes = [
        f"no {lacking[0]} pictures: no score" if lacking else "",
        f"participants without both kinds of picture, left out: {partial}" if partial and not lacking else "",
        "one participant: no interval" if len(both) == 1 else "",
    ]
    return {
        "score": "hype_infinity",
        "unit": "%",
        "n_participants": len(both),
        "value": errors.mean() if len(both) else None,
        "ci_low": low,
        "ci_high": high,
        "error_real": 100 * means[False].mean(),
        "error_fake": 100 * means[True].mean(),
        **_carried(shown, notes),
    }


def _time_rows(trials: pd.DataFrame, settings: StaircaseSettings | None, seed: int) -> Iterator[Row]:
    found = thresholds(trials, settings=settings)
    if found.empty:
        return
    moved = trials[(trials["protocol"] == STAIRCASE).fillna(False) & (trials["phase"] == "main")]
    moved = moved.assign(block=moved["block"].fillna(1))
    of_fakes = moved[(moved["kind"] == "fake").fillna(False)].groupby(["session", "block"])["model"]
    models = of_fakes.agg(["nunique", "first"]).reset_index()
    found = found.merge(models, on=["session", "block"], how="left")
    for dataset, part in found.groupby("dataset", dropna=False, sort=True):
        yield _time_row(part, moved, seed) | {"dataset": _text(dataset)}
        for model, of_model in part[part["nunique"] == 1].groupby("first", sort=True):
            yield _time_row(of_model, moved, seed) | {"dataset": _text(dataset), "model": str(model)}


def _time_row(part: pd.DataFrame, moved: pd.DataFrame, seed: int) -> Row:
    """Of the staircases in `part`."""
    each = part.dropna(subset="mode_ms").groupby("participant")["mode_ms"].mean().to_numpy("float64")
    known = part[part["mode_ms"].notna()]
    ends = {end: int((known["bound"] == end).fillna(False).sum()) for end in ("shortest", "longest")}
    reach = {"shortest": "the mean is an upper bound", "longest": "the mean is a lower bound"}
    notes = [
        f"{count} of {len(known)} thresholds are at the {end} exposure: {reach[end]}"
        for end, count in ends.items()
        if count and count == sum(ends.values())
    ]
    if all(ends.values()):
        notes.append(
            f"of {len(known)} thresholds {ends['shortest']} are at the shortest exposure and {ends['longest']} at the "
            "longest: the mean is uncertain beyond its interval"
        )
    without = int(part["mode_ms"].isna().sum())
    notes += [
        f"{without} of {len(part)} staircases turned round too seldom for a threshold" if without else "",
        "one participant: no interval" if len(each) == 1 else "",
    ]
    low, high = bootstrap_mean(each, seed=seed)
    shown = moved.merge(part[["session", "block"]].astype({"block": moved["block"].dtype}), on=["session", "block"])
    return {
        "score": "hype_time",
        "unit": "ms",
        "n_participants": len(each),
        "value": each.mean() if len(each) else None,
        "ci_low": low,
        "ci_high": high,
        **_carried(shown, notes),
    }


def _carried(shown: pd.DataFrame, notes: list[str]) -> Row:
    """What travels with the trials behind a row, its note being added to `notes`."""
    carried = carried_by(shown)
    return {**carried, "note": joined(*notes, carried["note"])}


def _text(dataset: object) -> str | None:
    return str(dataset) if isinstance(dataset, str) else None


def thresholds(trials: pd.DataFrame, *, settings: StaircaseSettings | None = None) -> pd.DataFrame:
    """The table `thresholds` of a trials table; no rows where there are no staircases.

    Args:
        trials: the table `trials`.
        settings: `[quiz.staircase]` of the study; without it `bound` stays empty, for the range is not known.
    """
    moved = trials[(trials["protocol"] == STAIRCASE).fillna(False) & np.isfinite(trials["requested_exposure_ms"])]
    moved = moved.assign(block=moved["block"].fillna(1))
    plain = moved.astype("object").where(moved.notna(), None)
    records: list[Row] = [dict(zip(plain.columns, values, strict=True)) for values in plain.to_numpy().tolist()]
    carried = dict(iter(moved.groupby(["session", "block"])))
    rows = []
    for found in thresholds_of_rows(records, settings):
        part = carried[found.session, found.block]
        fractions = part["fraction"].dropna().unique()
        rows.append(
            {
                **vars(found),
                "simulated": bool(part["simulated"].fillna(False).any()),
                "fraction": fractions[0] if len(fractions) == 1 else None,
            }
        )
    return frame_of(rows, THRESHOLDS)


class MeanThreshold(NamedTuple):
    """The thresholds of a data set over participants, in ms."""

    dataset: str | None
    n_participants: int
    """Participants with a threshold."""
    n_without: int
    """Staircases that turned round too seldom for one."""
    n_bound: int
    """Staircases that stayed at an end of the range."""
    mean_ms: float
    """NaN where there is no threshold; each participant counts alike."""
    low_ms: float
    """Lower end of its 95 % interval, Student's t; NaN with fewer than two participants."""
    high_ms: float


def mean_thresholds(table: pd.DataFrame) -> list[MeanThreshold]:
    """Of each data set, from a table `thresholds`."""
    found = []
    for dataset, part in table.groupby("dataset", dropna=False, sort=True):
        each = part.dropna(subset="threshold_ms").groupby("participant")["threshold_ms"].mean()
        found.append(
            MeanThreshold(
                None if pd.isna(dataset) else str(dataset),
                len(each),
                int(part["threshold_ms"].isna().sum()),
                int(part["bound"].notna().sum()),
                *mean_interval(each.to_numpy("float64")),
            )
        )
    return found
