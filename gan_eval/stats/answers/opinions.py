"""How real does each picture look? Mean opinion scores with screened observers, and the observers themselves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from gan_eval.settings.analysis import Screening
from gan_eval.stats.answers.grades import Grades, Outliers, Quality, bt500, p910, plain_raters
from gan_eval.stats.groups import Groups, join_notes, joined, provenance
from gan_eval.stats.shares import Z95, share
from gan_eval.stats.trials import graded_trials
from gan_eval.tables import OPINION_SCORES, RATERS
from gan_eval.tabular import conform


def opinion_scores(trials: pd.DataFrame, *, screening: Screening = "none") -> pd.DataFrame:
    """The table `opinion_scores`: each picture that was to be graded, in the order of the stimuli's names.

    Intervals are Student's t between the grades that count; with screening `p910` the normal interval from the
    estimate's information. There is none where the grades allow none, and the note says why.

    Args:
        trials: the table `trials`; no rows where nothing was to be graded.
        screening: `none`; `bt500` leaves erratic participants out (ITU-R BT.500); `p910` keeps all and allows for
            bias and inconsistency (ITU-T P.910 Annex E). See `gan_eval.stats.answers.grades`.
    """
    data = _data(trials)
    grades, rejected = data.grades, np.zeros(data.grades.raters, bool)
    if screening == "bt500":
        rejected = bt500(grades).rejected
        grades = grades.only(~rejected[grades.rater])
    n = grades.by_picture(np.ones(len(grades.grade)))
    mean = share(grades.by_picture(grades.grade), n)
    squares = grades.by_picture((grades.grade - mean[grades.picture]) ** 2)
    sd = np.sqrt(share(squares, n - 1))
    agree = (n > 1) & (sd < 1e-9)
    half = np.where((n > 1) & ~agree, stdtrit(np.maximum(n - 1, 1), 0.975) * share(sd, np.sqrt(n)), np.nan)
    notes = [*_picture_notes(data, n, rejected)]
    if screening == "p910":
        found = p910(grades)
        known = np.isfinite(found.quality)
        mean = np.where(known, found.quality, mean)
        half = np.where(known, Z95 * found.std_error, np.nan)
        notes += _quality_notes(found, n, known)
    else:
        notes += [(n == 1, "one grade: no interval"), (agree, "all grades agree: no interval")]
    carried = provenance(data.trials, data.of_pictures)
    table = pd.DataFrame(
        {
            "stimulus": data.of_pictures.ids,
            **{name: _first(data, name) for name in ("item", "kind", "model", "dataset")},
            "n": n.astype(int),
            "mos": mean,
            "sd": sd,
            "ci_low": mean - half,
            "ci_high": mean + half,
            "screening": screening,
            "simulated": carried["simulated"],
            "note": _joined(notes, carried["note"]),
            "fraction": carried["fraction"],
        }
    )
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
    outliers, grades = bt500(data.grades), data.grades
    found = p910(grades) if screening == "p910" else None
    bias, inconsistency = (found.bias, found.inconsistency) if found is not None else plain_raters(grades)
    n = grades.by_rater(np.ones(len(grades.grade)))
    carried = provenance(data.trials, data.of_raters)
    table = pd.DataFrame(
        {
            "participant": data.of_raters.ids,
            "n": n.astype(int),
            "bias": bias,
            "inconsistency": inconsistency,
            "outlier_share": outliers.share,
            "outlier_skew": outliers.skew,
            "rejected": outliers.rejected & (screening == "bt500"),
            "simulated": carried["simulated"],
            "note": _joined(_rater_notes(data, n, bias, outliers, found, screening), carried["note"]),
            "fraction": carried["fraction"],
        }
    )
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
    rater, people = pd.factorize(graded["participant"], sort=True)
    grade = graded["rating"].to_numpy("float64", na_value=np.nan)
    valid, every = np.isfinite(grade), np.arange(len(graded))
    return _Data(
        trials=graded,
        of_pictures=Groups([str(name) for name in stimuli], every, picture),
        of_raters=Groups([str(name) for name in people], every, rater),
        grades=Grades(grade[valid], picture[valid], rater[valid], len(stimuli), len(people)),
        impossible=np.isinf(grade),
    )


def _first(data: _Data, name: str) -> np.ndarray:
    """(pictures,) the first filled cell of a column among each picture's trials."""
    found = data.trials[name].groupby(data.of_pictures.group).first()
    return found.reindex(range(len(data.of_pictures.ids))).to_numpy()


def _picture_notes(data: _Data, n: np.ndarray, rejected: np.ndarray) -> list[tuple[np.ndarray, str]]:
    given = data.grades.by_picture(np.ones(len(data.grades.grade)))
    notes = [
        (given == 0, "no grades"),
        ((given > 0) & (n == 0), "all its graders were rejected"),
        (data.of_pictures.count(data.impossible) > 0, "infinite grades left out"),
    ]
    if rejected.any():
        notes.append((given > n, f"grades of rejected participants left out ({rejected.sum()} of {len(rejected)})"))
    return notes


def _quality_notes(found: Quality, n: np.ndarray, known: np.ndarray) -> list[tuple[np.ndarray, str]]:
    parted = f"{found.parts} groups of participants share no picture: scores of different groups cannot be compared"
    held = "the inconsistency of some participants has no estimate: that of the others stands for it"
    everywhere = np.ones(len(n), bool)
    return [
        ((n > 0) & ~known, "its graders share no picture with others: plain mean, no interval"),
        (known & np.isnan(found.std_error), "grades without inconsistency: no interval"),
        (everywhere & (found.parts > 1), parted),
        (everywhere & found.held.any(), held),
        (everywhere & (not found.converged), "did not converge"),
    ]


def _rater_notes(
    data: _Data, n: np.ndarray, bias: np.ndarray, outliers: Outliers, found: Quality | None, screening: Screening
) -> list[tuple[np.ndarray, str]]:
    notes = [
        (n == 0, "no grades"),
        ((n > 0) & np.isnan(bias), "shares no picture with others: neither bias nor inconsistency"),
        (data.of_raters.count(data.impossible) > 0, "infinite grades left out"),
        (outliers.rejected & (screening != "bt500"), "BT.500 would reject"),
    ]
    if found is not None:
        notes.append((found.held, "inconsistency has no estimate of its own: that of the others together"))
        notes.append((np.full(len(n), not found.converged), "did not converge"))
    return notes


def _joined(notes: list[tuple[np.ndarray, str]], carried: pd.Series) -> list[str | None]:
    own = join_notes(notes, len(carried))
    return [joined(*pair) for pair in zip(own, carried, strict=True)]
