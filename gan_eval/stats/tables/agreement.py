"""Krippendorff's alpha of participants' answers, with a bootstrap over units (Content Analysis, 2004, chapter 11)."""

from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.science.inference import REPLICATES, percentile_interval, sampled_counts
from gan_eval.stats.groups import provenance_cells
from gan_eval.stats.trials import AnyTrials, typed
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import DATASET, KINDS, PROVENANCE, Table, integer, interval_columns, number, text

AGREEMENT = Table(
    "agreement",
    "Do participants agree with each other? Krippendorff's alpha (Krippendorff 2004).",
    (
        text("answer", "what they gave", words=("response", "rating"), filled=True),
        DATASET,
        text("kind", "pictures of one truth, or all", words=("all", *KINDS), filled=True),
        text("level", "of measurement", words=("nominal", "ordinal"), filled=True),
        integer("n_stimuli", "stimuli with at least two participants' answers", filled=True),
        integer("n_participants", "participants", filled=True),
        integer("n_answers", "answers to them", filled=True),
        number("alpha", "1: full agreement; 0: agreement by chance"),
        *interval_columns("ci", "its 95% interval: percentiles of a bootstrap over stimuli"),
        *PROVENANCE,
    ),
    key=("answer", "dataset", "kind", "level"),
)

_REPLICATE_CELLS = 500_000
"""Maximum of units times replicates in memory at a time."""
_WORK = 2e9
"""Maximum of different units times values times replicates."""
_DRAWS = 20_000_000
"""Maximum of units times replicates."""
_COLUMNS = ["participant", "stimulus", "dataset", "kind", "simulated", "fraction"]

Level = Literal["nominal", "ordinal"]


def agreement(trials: AnyTrials, *, seed: int = 0, replicates: int = REPLICATES) -> pd.DataFrame:
    """Return the table `agreement` of a trials table.

    Responses are nominal and grades ordinal, over all pictures, the reals and the fakes. A participant's first answer
    to a stimulus counts.

    Args:
        replicates: number of bootstrap replicates; very many units get fewer, at least 200.
    """
    answered, graded = typed(trials).answered, typed(trials).graded
    graded = graded[graded["answered"]]
    kinds_of_answers: tuple[tuple[str, Level, pd.DataFrame], ...] = (
        ("response", "nominal", answered[_COLUMNS].assign(value=answered["says_fake"].to_numpy(np.int64))),
        ("rating", "ordinal", graded[_COLUMNS].assign(value=graded["rating"])),
    )
    rows: list[Row] = []
    for name, level, answers in kinds_of_answers:
        for dataset, part in answers.groupby("dataset", dropna=False, sort=True):
            for kind in ("all", *KINDS):
                of_kind = part if kind == "all" else part[(part["kind"] == kind).fillna(False)]
                if len(of_kind):
                    named = {"answer": name, "dataset": dataset, "kind": kind}
                    rows.append(named | _row(of_kind, level, seed, replicates))
    return frame_of(rows, AGREEMENT)


def _row(part: pd.DataFrame, level: Level, seed: int, replicates: int) -> Row:
    """Return the cells of one data set and kind, from answers with their `value`."""
    first = part.drop_duplicates(["participant", "stimulus"])
    unit = pd.factorize(first["stimulus"])[0]
    value, values = pd.factorize(first["value"], sort=True)
    n_answers = np.bincount(unit)
    compared = n_answers[unit] > 1
    row: Row = {
        "level": level,
        "n_stimuli": int((n_answers > 1).sum()),
        "n_participants": int(first["participant"][compared].nunique()),
        "n_answers": int(compared.sum()),
    }
    notes = ["several answers of a participant to the same: the first counts"] if len(first) < len(part) else []
    counts = np.bincount(unit * len(values) + value, minlength=len(n_answers) * len(values))
    counts = counts.reshape(len(n_answers), len(values))
    row["alpha"] = alpha(counts, level)
    row["ci_low"], row["ci_high"] = alpha_interval(counts, level, seed=seed, replicates=replicates)
    if not row["n_stimuli"]:
        notes.append("nothing was judged by two participants")
    elif np.isnan(row["alpha"]):
        notes.append("all answers are the same: agreement cannot be distinguished from habit")
    elif np.isnan(row["ci_low"]):
        notes.append("too few stimuli for an interval")
    return row | provenance_cells(part, *notes)


def alpha(counts: np.ndarray, level: Level) -> float:
    """Compute 1 - observed / expected disagreement; NaN if all answers are the same or no unit has two.

    Args:
        counts: (U, V) numbers of answers to U units with each of V values, in their order.

    >>> round(alpha(np.array([[2, 0], [2, 0], [1, 1], [0, 2]]), "nominal"), 4)
    0.5333
    """
    pairable = counts[counts.sum(axis=1) >= 2].astype(float)
    return float(_alphas(pairable, np.ones((1, len(pairable))), level)[0])


def alpha_interval(counts: np.ndarray, level: Level, *, seed: int, replicates: int = REPLICATES) -> tuple[float, float]:
    """Compute the 95% percentile interval of alpha; NaN if fewer than nine in ten replicates have an alpha.

    Units with equal counts are sampled together, which is faster. The order of the units does not matter.
    """
    pairable = counts[counts.sum(axis=1) >= 2].astype(float)
    if len(pairable) < 2:
        return np.nan, np.nan
    # the different units, ordered by their last value first, and the number of each
    different, times = np.unique(pairable[:, ::-1], axis=0, return_counts=True)
    different = different[:, ::-1]
    fewer = int(min(_WORK // different.size, _DRAWS // len(pairable)))
    replicates = min(replicates, max(200, fewer))
    rng, chunk = np.random.default_rng(seed), max(1, _REPLICATE_CELLS // len(different))
    total, parts = len(pairable), []
    for start in range(0, replicates, chunk):
        size = min(chunk, replicates - start)
        if 4 * len(times) < total:
            sampled = rng.multinomial(total, times / total, size).astype("float64")
        else:  # faster if few are equal
            sampled = np.add.reduceat(sampled_counts(rng, total, size), np.cumsum(times) - times, axis=1)
        parts.append(_alphas(different, sampled, level))
    return percentile_interval(np.concatenate(parts))


def _alphas(counts: np.ndarray, weight: np.ndarray, level: Level) -> np.ndarray:
    """Compute alpha (B,) with each unit counted `weight` (B, U) times; every unit has two answers or more.

    The ordinal distance of two values is the squared difference of their mean ranks among all answers.
    """
    answers = counts.sum(axis=1)
    total = weight @ counts
    every = total.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if level == "nominal":
            within = (answers**2 - (counts**2).sum(axis=1)) / (answers - 1)
            observed = weight @ within
            expected = (every**2 - (total**2).sum(axis=1)) / (every - 1)
        else:
            rank = np.cumsum(total, axis=1) - total / 2
            rank -= every[:, None] / 2  # centred, so that the differences of squares below keep their precision
            squares = (weight @ (counts * (answers / (answers - 1))[:, None]) * rank**2).sum(axis=1)
            sums = rank @ counts.T
            observed = squares - (weight / (answers - 1) * sums**2).sum(axis=1)
            expected = (every * (total * rank**2).sum(axis=1) - (total * rank).sum(axis=1) ** 2) / (every - 1)
        varied = (total > 0).sum(axis=1) > 1
        return np.where(varied, 1 - observed / expected, np.nan)
