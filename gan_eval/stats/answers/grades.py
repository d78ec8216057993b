"""How real do pictures look? Grades by kind and model, opinion scores of each picture, and the observers themselves.

Screening says who grades unlike the others (ITU-R BT.500), or what is left of a picture when bias and inconsistency of
its graders are allowed for (ITU-T P.910 Annex E).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gan_eval.settings.analysis import Screening
from gan_eval.stats.clustering import t_critical
from gan_eval.stats.groups import Groups, provenance, provenance_cells
from gan_eval.stats.shares import Z95, mean_interval, proportion
from gan_eval.stats.trials import graded_trials
from gan_eval.tables.frames import Row, conform, frame_of
from gan_eval.tables.schema import (
    DATASET,
    ITEM,
    KIND,
    MODEL,
    PARTICIPANT,
    PROVENANCE,
    SHARE,
    STIMULUS,
    Table,
    boolean,
    ends,
    integer,
    number,
    text,
)

RATINGS = Table(
    "ratings",
    "Grades of single pictures: the reals and the fakes of each data set, and the fakes of each model. Practice and "
    "catch trials and trials without a grade are in no mean.",
    (
        DATASET,
        KIND,
        text("model", "the generator's name; empty: real pictures, or all models of the data set together"),
        integer("n", "graded trials", filled=True),
        integer("n_none", "trials without a grade", filled=True),
        integer("n_participants", "participants who gave them", filled=True),
        number("mean", "mean grade; the mean of the participants' means, each counting alike"),
        number("sd", "standard deviation of the single grades"),
        *ends("ci", "the mean's 95 % interval, Student's t between participants"),
        *PROVENANCE,
    ),
    key=("dataset", "kind", "model"),
)

OPINION_SCORES = Table(
    "opinion_scores",
    "Mean opinion score of each graded picture (ITU-R BT.500, ITU-T P.910).",
    (
        STIMULUS,
        ITEM,
        KIND,
        MODEL,
        DATASET,
        integer("n", "grades that count", filled=True),
        number("mos", "their mean; screening p910: the maximum-likelihood quality"),
        number("sd", "standard deviation of the grades that count"),
        *ends("ci"),
        text("screening", "how observers were screened", words=("none", "bt500", "p910"), filled=True),
        *PROVENANCE,
    ),
    key=("stimulus",),
)

RATERS = Table(
    "raters",
    "Each participant as a rater: what the screening of grades found.",
    (
        PARTICIPANT,
        integer("n", "grades given", filled=True),
        number("bias", "mean difference to the pictures' mean grades (P.910: its estimate)"),
        number("inconsistency", "standard deviation of the grades around picture and bias (P.910: its estimate)"),
        number("outlier_share", "BT.500: share of grades beyond the limits, (P + Q) / n", unit=SHARE),
        number("outlier_skew", "BT.500: |P - Q| / (P + Q)", unit=SHARE),
        boolean("rejected", "left out of the opinion scores by the planned screening", filled=True),
        *PROVENANCE,
    ),
    key=("participant",),
)

OUTLYING = 0.05
"""BT.500: a larger share of outlying grades is suspect ..."""
BALANCED = 0.3
"""... and rejects where high and low ones balance: the observer is erratic, not merely strict or lenient."""
_COLLAPSED = 0.1
"""P.910: an inconsistency below this part of all participants' together is no estimate: the likelihood grows without
limit where the qualities follow one participant's grades exactly."""
_NOTHING = 1e-6
"""An inconsistency of 0 in grades, so that it can be divided by."""
_TOLERANCE, _MOST_STEPS = 1e-8, 5000
"""P.910: the largest change of a quality, in grades, at which to stop; and the most steps."""


@dataclass(frozen=True)
class Grades:
    """Grades of pictures by raters."""

    grade: np.ndarray
    """(N,) finite."""
    picture: np.ndarray
    """(N,) int, 0..pictures-1."""
    rater: np.ndarray
    """(N,) int, 0..raters-1."""
    pictures: int
    raters: int

    def by_picture(self, values: np.ndarray) -> np.ndarray:
        """(pictures,) sums of values (N,)."""
        return np.bincount(self.picture, values, self.pictures)

    def by_rater(self, values: np.ndarray) -> np.ndarray:
        """(raters,) sums of values (N,)."""
        return np.bincount(self.rater, values, self.raters)

    def only(self, chosen: np.ndarray) -> "Grades":
        """The grades marked in `chosen` (N,)."""
        return Grades(self.grade[chosen], self.picture[chosen], self.rater[chosen], self.pictures, self.raters)

    def shared(self) -> np.ndarray:
        """(N,) whether anybody else graded the same picture."""
        pairs = np.unique(self.picture * np.int64(self.raters) + self.rater)
        graders = np.bincount(pairs // self.raters, minlength=self.pictures)
        return graders[self.picture] > 1


@dataclass(frozen=True)
class Outliers:
    """What BT.500 finds, each (raters,)."""

    share: np.ndarray
    """(P + Q) / n; NaN without a grade."""
    skew: np.ndarray
    """|P - Q| / (P + Q); NaN without an outlying grade."""
    rejected: np.ndarray
    """bool"""


@dataclass(frozen=True)
class Quality:
    """What P.910 finds."""

    quality: np.ndarray
    """(pictures,) NaN where nothing can be said."""
    std_error: np.ndarray
    """(pictures,) NaN where grades without any spread give none."""
    bias: np.ndarray
    """(raters,) mean 0; NaN for who shares no picture with anybody."""
    inconsistency: np.ndarray
    """(raters,)"""
    held: np.ndarray
    """(raters,) bool: the inconsistency has no estimate of its own; that of the others together stands for it."""
    parts: int
    """Groups of raters with no picture in common: 1 is as it should be."""
    converged: bool


def bt500(grades: Grades) -> Outliers:
    """Observer screening of ITU-R BT.500-14, Annex 1 to Part 1 (BT.500-13, Annex 2, 2.3.1), applied once.

    A picture's grades have mean m, standard deviation s (n - 1) and kurtosis β₂ = m₄ / m₂². A grade is outlying, high
    (P) or low (Q), where it is at least k s from m; k is 2 where 2 ≤ β₂ ≤ 4 (near normal) and √20 elsewhere. Rejected
    is who has (P + Q) / n > 0.05 and |P - Q| / (P + Q) < 0.3, with n the rater's grades. Pictures whose grades all
    agree have no outlying ones.
    """
    counts = grades.by_picture(np.ones(len(grades.grade)))
    mean = proportion(grades.by_picture(grades.grade), counts)
    off = grades.grade - mean[grades.picture]
    second, fourth = (proportion(grades.by_picture(off**power), counts) for power in (2, 4))
    kurtosis = proportion(fourth, second**2)
    limit = np.where((kurtosis >= 2 - 1e-9) & (kurtosis <= 4 + 1e-9), 2.0, np.sqrt(20))
    reach = (limit * np.sqrt(proportion(second * counts, counts - 1)))[grades.picture]
    varies = (second > 1e-18)[grades.picture]
    high = grades.by_rater(varies & (off >= reach - 1e-9))
    low = grades.by_rater(varies & (off <= -reach + 1e-9))
    outlying = proportion(high + low, grades.by_rater(np.ones(len(off))))
    skew = proportion(np.abs(high - low), high + low)
    return Outliers(outlying, skew, (outlying > OUTLYING) & (skew < BALANCED))


def plain_raters(grades: Grades) -> tuple[np.ndarray, np.ndarray]:
    """Each rater's mean difference to the pictures' mean grades, and the standard deviation of what is left.

    Pictures that nobody else graded are left out; NaN where none is left.

    Returns:
        bias (raters,) and inconsistency (raters,).
    """
    shared = grades.only(grades.shared())
    mean = proportion(shared.by_picture(shared.grade), shared.by_picture(np.ones(len(shared.grade))))
    off = shared.grade - mean[shared.picture]
    counts = shared.by_rater(np.ones(len(off)))
    bias = proportion(shared.by_rater(off), counts)
    return bias, np.sqrt(proportion(shared.by_rater((off - bias[shared.rater]) ** 2), counts))


def p910(grades: Grades) -> Quality:
    """Quality, bias and inconsistency by maximum likelihood (ITU-T P.910 Annex E; Li & Bampis 2017, DCC, 52-61).

    A grade is normal about quality(picture) + bias(rater) with the standard deviation inconsistency(rater). The
    likelihood is climbed by alternating projection: inconsistencies, then qualities, then biases, each given the
    others. Only differences of biases are identified, so each connected part's biases have the mean 0. The standard
    error of a quality is that of its information at the estimates, 1 / √Σ 1/inconsistency².

    Pictures with one grader say nothing of him: they enter afterwards, with his bias and inconsistency from the others.
    With few grades a picture the likelihood can grow without limit about one rater, whose inconsistency goes to 0 and
    whose word would then be taken for the truth. A rater below a tenth of the common inconsistency is given that of
    the others together.

    Args:
        grades: any; missing pairs of picture and rater are no matter.
    """
    shared = grades.only(grades.shared())
    counts = shared.by_rater(np.ones(len(shared.grade)))
    quality = proportion(shared.by_picture(shared.grade), shared.by_picture(np.ones(len(shared.grade))))
    bias = proportion(shared.by_rater(shared.grade - quality[shared.picture]), counts)
    inconsistency = np.full(grades.raters, np.nan)
    held, converged = np.zeros(grades.raters, bool), not len(shared.grade)
    for _ in range(_MOST_STEPS if len(shared.grade) else 0):
        before = quality
        inconsistency, held = _inconsistency(shared, quality, bias, counts, held)
        weight = (1 / inconsistency**2)[shared.rater]
        quality = proportion(shared.by_picture(weight * (shared.grade - bias[shared.rater])), shared.by_picture(weight))
        bias = proportion(shared.by_rater(shared.grade - quality[shared.picture]), counts)
        if np.nanmax(np.abs(quality - before)) < _TOLERANCE:
            converged = True
            break
    parts, bias = _centred(shared, bias, counts)
    weight = (1 / inconsistency**2)[grades.rater]
    known = np.isfinite(weight)
    information = grades.by_picture(np.where(known, weight, 0))
    summed = grades.by_picture(np.where(known, weight * (grades.grade - bias[grades.rater]), 0))
    error = np.sqrt(proportion(1.0, information))
    if np.nanmax(inconsistency, initial=0) <= _NOTHING:
        error[:], inconsistency, held = np.nan, inconsistency * 0, held & False
    return Quality(proportion(summed, information), error, bias, inconsistency, held, parts, converged)


def _inconsistency(
    grades: Grades, quality: np.ndarray, bias: np.ndarray, counts: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(raters,) standard deviation about quality and bias, and who is held at the others': once held, always."""
    squares = (grades.grade - quality[grades.picture] - bias[grades.rater]) ** 2
    sums = grades.by_rater(squares)
    variance = proportion(sums, counts)
    held = held | (variance < _COLLAPSED**2 * squares.mean())
    free = ~held & (counts > 0)
    common = (sums[free].sum() / counts[free].sum()) if free.any() else squares.mean()
    return np.where(counts > 0, np.maximum(np.sqrt(np.where(held, common, variance)), _NOTHING), np.nan), held


def _centred(grades: Grades, bias: np.ndarray, counts: np.ndarray) -> tuple[int, np.ndarray]:
    """How many parts of raters have no picture in common, and the biases with the mean 0 in each."""
    nodes = grades.pictures + grades.raters
    links = coo_array((np.ones(len(grades.grade)), (grades.picture, grades.pictures + grades.rater)), (nodes, nodes))
    _, label = connected_components(links, directed=False)
    _, part = np.unique(label[grades.pictures :], return_inverse=True)
    known = counts > 0
    size = part.max(initial=0) + 1
    mean = proportion(np.bincount(part[known], bias[known], size), np.bincount(part[known], minlength=size))
    return len(np.unique(part[known])), bias - mean[part]


class Screened(NamedTuple):
    """What `graded_trials` gives, without erratic participants."""

    trials: pd.DataFrame
    note: str
    """How many were left out; empty: nobody."""


def screened_grades(trials: pd.DataFrame, *, screening: Screening) -> Screened:
    """Trials to be graded: `bt500` leaves erratic participants out, with the others everybody counts, since ITU-T P.910
    rejects nobody."""
    graded = graded_trials(trials)
    if screening != "bt500" or graded.empty:
        return Screened(graded, "")
    observers = raters(trials, screening=screening)
    rejected = observers.loc[observers["rejected"], "participant"]
    note = f"{len(rejected)} of {len(observers)} participants rejected by BT.500" if len(rejected) else ""
    return Screened(graded[~graded["participant"].isin(rejected)].reset_index(drop=True), note)


def ratings(trials: pd.DataFrame, *, screening: Screening = "none") -> pd.DataFrame:
    """The table `ratings` of a trials table; no rows where nothing was to be graded.

    For each data set: its reals, its fakes of all models together (without a model), and the fakes of each model.
    Grades are taken as numbers with equal steps, as in mean opinion scores (ITU-T P.910).

    Args:
        trials: the table `trials`.
        screening: as in `screened_grades`; the notes say how many were left out.
    """
    graded, note = screened_grades(trials, screening=screening)
    rows: list[Row] = []
    for dataset, of_dataset in graded.groupby("dataset", dropna=False, sort=True):
        for kind in ("real", "fake"):
            part = of_dataset[(of_dataset["kind"] == kind).fillna(False)]
            named = {"dataset": dataset, "kind": kind}
            if len(part):
                rows.append(named | _mean_grade(part, note))
            if kind == "fake":
                for model, of_model in part.groupby("model", sort=True):
                    rows.append(named | {"model": model} | _mean_grade(of_model, note))
    return frame_of(rows, RATINGS)


def _mean_grade(part: pd.DataFrame, note: str) -> Row:
    """The cells of one row of `ratings`."""
    answered = part[part["answered"]]
    grades = answered["rating"].to_numpy("float64")
    means = answered.groupby("participant")["rating"].mean().to_numpy("float64")
    mean, low, high = mean_interval(means)
    reason = {0: "no graded trials", 1: "one participant: no interval"}.get(len(means), "")
    return {
        "n": len(grades),
        "n_none": len(part) - len(grades),
        "n_participants": len(means),
        "mean": mean,
        "sd": grades.std(ddof=1) if len(grades) > 1 else None,
        "ci_low": low,
        "ci_high": high,
        **provenance_cells(part, reason, note),
    }


def opinion_scores(trials: pd.DataFrame, *, screening: Screening = "none") -> pd.DataFrame:
    """The table `opinion_scores`: each picture that was to be graded, in the order of the stimuli's names.

    Intervals are Student's t between the grades that count; with screening `p910` the normal interval from the
    estimate's information. There is none where the grades allow none, and the note says why.

    Args:
        trials: the table `trials`; no rows where nothing was to be graded.
        screening: `none`; `bt500` leaves erratic participants out (ITU-R BT.500); `p910` keeps all and allows for
            bias and inconsistency (ITU-T P.910 Annex E).
    """
    data = _data(trials)
    grades, rejected = data.grades, np.zeros(data.grades.raters, bool)
    if screening == "bt500":
        rejected = bt500(grades).rejected
        grades = grades.only(~rejected[grades.rater])
    given, n = (part.by_picture(np.ones(len(part.grade))) for part in (data.grades, grades))
    mean = proportion(grades.by_picture(grades.grade), n)
    squares = grades.by_picture((grades.grade - mean[grades.picture]) ** 2)
    sd = np.sqrt(proportion(squares, n - 1))
    agree = (n > 1) & (sd < 1e-9)
    half_width = np.where((n > 1) & ~agree, t_critical(n - 1) * proportion(sd, np.sqrt(n)), np.nan)
    left_out = f"grades of rejected participants left out ({rejected.sum()} of {len(rejected)})"
    notes = [
        (given == 0, "no grades"),
        ((given > 0) & (n == 0), "all its graders were rejected"),
        (data.of_pictures.count(data.impossible) > 0, "infinite grades left out"),
        ((given > n) & rejected.any(), left_out),
    ]
    if screening == "p910":
        estimate, everywhere = p910(grades), np.ones(len(n), bool)
        known = np.isfinite(estimate.quality)
        mean = np.where(known, estimate.quality, mean)
        half_width = np.where(known, Z95 * estimate.std_error, np.nan)
        parts = f"{estimate.parts} groups of participants"
        held = "the inconsistency of some participants has no estimate: that of the others stands for it"
        notes += [
            ((n > 0) & ~known, "its graders share no picture with others: plain mean, no interval"),
            (known & np.isnan(estimate.std_error), "grades without inconsistency: no interval"),
            (
                everywhere & (estimate.parts > 1),
                f"{parts} share no picture: scores of different groups cannot be compared",
            ),
            (everywhere & estimate.held.any(), held),
            (everywhere & (not estimate.converged), "did not converge"),
        ]
    else:
        notes += [(n == 1, "one grade: no interval"), (agree, "all grades agree: no interval")]
    first = data.trials.groupby(data.of_pictures.group)[["item", "kind", "model", "dataset"]].first()
    table = pd.DataFrame(
        {
            "stimulus": data.of_pictures.ids,
            **first.reindex(range(len(n))).to_dict("list"),
            "n": n.astype(int),
            "mos": mean,
            "sd": sd,
            "ci_low": mean - half_width,
            "ci_high": mean + half_width,
            "screening": screening,
        }
    )
    table = table.join(provenance(data.trials, data.of_pictures, notes=notes))
    return conform(table, OPINION_SCORES, where="opinion_scores")


def raters(trials: pd.DataFrame, *, screening: Screening = "none") -> pd.DataFrame:
    """The table `raters`: each participant who was to grade pictures, in the order of their names.

    Bias and inconsistency look at pictures that others graded too; the outlying grades are those of ITU-R BT.500 with
    every screening. Only screening `bt500` rejects.

    Args:
        trials: the table `trials`; no rows where nothing was to be graded.
        screening: as in `opinion_scores`.
    """
    data = _data(trials)
    grades, outliers = data.grades, bt500(data.grades)
    n = grades.by_rater(np.ones(len(grades.grade)))
    notes = []
    if screening == "p910":
        estimate = p910(grades)
        bias, inconsistency = estimate.bias, estimate.inconsistency
        notes = [
            (estimate.held, "inconsistency has no estimate of its own: that of the others together"),
            (np.full(len(n), not estimate.converged), "did not converge"),
        ]
    else:
        bias, inconsistency = plain_raters(grades)
    notes = [
        (n == 0, "no grades"),
        ((n > 0) & np.isnan(bias), "shares no picture with others: neither bias nor inconsistency"),
        (data.of_raters.count(data.impossible) > 0, "infinite grades left out"),
        (outliers.rejected & (screening != "bt500"), "BT.500 would reject"),
        *notes,
    ]
    table = pd.DataFrame(
        {
            "participant": data.of_raters.ids,
            "n": n.astype(int),
            "bias": bias,
            "inconsistency": inconsistency,
            "outlier_share": outliers.share,
            "outlier_skew": outliers.skew,
            "rejected": outliers.rejected & (screening == "bt500"),
        }
    )
    table = table.join(provenance(data.trials, data.of_raters, notes=notes))
    return conform(table, RATERS, where="raters")


@dataclass(frozen=True)
class _Data:
    trials: pd.DataFrame
    """Trials whose picture was to be graded."""
    of_pictures: Groups
    of_raters: Groups
    grades: Grades
    impossible: np.ndarray
    """(N,) bool: the trial's grade is infinite."""


def _data(trials: pd.DataFrame) -> _Data:
    graded = graded_trials(trials)
    picture, stimuli = pd.factorize(graded["stimulus"], sort=True)
    rater, names = pd.factorize(graded["participant"], sort=True)
    grade = graded["rating"].to_numpy("float64", na_value=np.nan)
    valid, every = np.isfinite(grade), np.arange(len(graded))
    return _Data(
        trials=graded,
        of_pictures=Groups([str(name) for name in stimuli], every, picture),
        of_raters=Groups([str(name) for name in names], every, rater),
        grades=Grades(grade[valid], picture[valid], rater[valid], len(stimuli), len(names)),
        impossible=np.isinf(grade),
    )
