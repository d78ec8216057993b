"""Krippendorff's alpha of participants' answers (Content Analysis, 2004, chapter 11), with a two-way jackknife."""

from typing import Literal

import numpy as np
import pandas as pd

from gan_eval.base.inference import degrees_of_freedom, t_critical
from gan_eval.judgements.trials import AnyTrials, pictures, typed
from gan_eval.stats.groups import provenance_cells
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
        *interval_columns("ci", "its 95% interval over participants and pictures: two-way jackknife, Student's t"),
        *PROVENANCE,
    ),
    key=("answer", "dataset", "kind", "level"),
)

_MAX_GROUPS = 100
"""Maximum of groups that the jackknife leaves out in turn; more people, pictures or answers are put into groups."""
_NO_ERROR = 1e-9
"""Largest standard error that is a rounding error."""
_COLUMNS = ["participant", "stimulus", "item", "dataset", "kind", "simulated", "fraction"]

Level = Literal["nominal", "ordinal"]


def agreement(trials: AnyTrials, *, seed: int = 0) -> pd.DataFrame:
    """Return the table `agreement` of a trials table.

    Responses are nominal and grades ordinal, over all pictures, the reals and the fakes. A participant's first answer
    to a stimulus counts.

    Args:
        seed: of the groups that the jackknife leaves out where there are very many answers.
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
                    rows.append(named | _row(of_kind, level, seed))
    return frame_of(rows, AGREEMENT)


def _row(part: pd.DataFrame, level: Level, seed: int) -> Row:
    """Return the cells of one data set and kind, from answers with their `value`."""
    first = part.drop_duplicates(["participant", "stimulus"])
    unit = pd.factorize(first["stimulus"], sort=True)[0]
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
    participant, picture = (pd.factorize(of, sort=True)[0] for of in (first["participant"], pictures(first)))
    used = [of[compared] for of in (unit, value, participant, picture)]
    row["ci_low"], row["ci_high"] = alpha_interval(*used, level=level, seed=seed)
    if not row["n_stimuli"]:
        notes.append("nothing was judged by two participants")
    elif np.isnan(row["alpha"]):
        notes.append("all answers are the same: agreement cannot be distinguished from habit")
    elif np.isnan(row["ci_low"]):
        notes.append("too few participants or pictures, or no differences between them: no interval")
    return row | provenance_cells(part, *notes)


def alpha(counts: np.ndarray, level: Level) -> float:
    """Compute 1 - observed / expected disagreement; NaN if all answers are the same or no unit has two.

    The ordinal distance of two values is the squared difference of their mean ranks among all answers.

    Args:
        counts: (U, V) numbers of answers to U units with each of V values, in their order.

    >>> round(alpha(np.array([[2, 0], [2, 0], [1, 1], [0, 2]]), "nominal"), 4)
    0.5333
    """
    counts = counts[counts.sum(axis=1) >= 2].astype(float)
    answers, total = counts.sum(axis=1), counts.sum(axis=0)
    every = total.sum()
    if np.count_nonzero(total) < 2:
        return np.nan
    if level == "nominal":
        observed = ((answers**2 - (counts**2).sum(axis=1)) / (answers - 1)).sum()
        expected = (every**2 - (total**2).sum()) / (every - 1)
    else:
        rank = np.cumsum(total) - total / 2
        rank -= every / 2  # centred, so that the differences of squares below keep their precision
        squares = (answers / (answers - 1)) @ counts @ rank**2
        observed = squares - ((counts @ rank) ** 2 / (answers - 1)).sum()
        expected = (every * (total @ rank**2) - (total @ rank) ** 2) / (every - 1)
    return float(1 - observed / expected)


def alpha_interval(
    unit: np.ndarray, value: np.ndarray, participant: np.ndarray, picture: np.ndarray, *, level: Level, seed: int = 0
) -> tuple[float, float]:
    """Compute the 95% interval of alpha over participants and pictures.

    A jackknife leaves out participants, pictures and single answers in turn (Tukey 1958, Annals of Mathematical
    Statistics 29, 614). Its variances are combined as two-way clustered ones (`gan_eval.base.inference.two_way`), on
    Fisher's scale of an intraclass correlation of k answers, ln((1 + (k - 1) alpha) / (1 - alpha)) (Fisher 1925,
    Statistical Methods for Research Workers, section 39), with Student's t.

    Args:
        unit: (N,) int, the stimulus of each answer, 0.. ; each has two answers or more, one of a participant.
        value: (N,) int, 0.. in the order of the values.
        participant: (N,) int, 0.. .
        picture: (N,) int, 0.. : the item that several stimuli may share.

    Returns:
        NaN with fewer than two participants or pictures, if alpha does not exist without one of them, and if it has no
        error.
    """
    if len(unit) == 0 or (df := degrees_of_freedom(participant, picture)) < 1:
        return np.nan, np.nan
    shape = int(unit.max()) + 1, int(value.max()) + 1
    per_unit = len(unit) / len(np.unique(unit))

    def counted(chosen: np.ndarray | slice) -> np.ndarray:
        return np.bincount(unit[chosen] * shape[1] + value[chosen], minlength=shape[0] * shape[1]).reshape(shape)

    def scaled(number: float) -> float:
        return float(np.log(max(1 + (per_unit - 1) * number, _NO_ERROR) / max(1 - number, _NO_ERROR)))

    every, rng, variances = counted(slice(None)), np.random.default_rng(seed), []
    answer = np.argsort(np.lexsort((participant, unit)))  # the same in any order of the answers
    for cluster in (participant, picture, answer):
        code = np.unique(cluster, return_inverse=True)[1]
        group = (rng.permutation(code.max() + 1) % _MAX_GROUPS)[code]
        left_out = [scaled(alpha(every - counted(group == number), level)) for number in np.unique(group)]
        variances.append((len(left_out) - 1) * float(np.var(left_out)))
    by_participant, by_picture, by_answer = variances
    error = max(by_participant + by_picture - by_answer, by_participant, by_picture) ** 0.5
    if not error > _NO_ERROR:
        return np.nan, np.nan
    estimate, half_width = alpha(every, level), float(t_critical(df)) * error
    low, high = np.exp(np.clip(scaled(estimate) + np.array([-half_width, half_width]), -500, 500))
    low, high = (float((end - 1) / (end + per_unit - 1)) for end in (low, high))
    return min(low, estimate), max(high, estimate)
