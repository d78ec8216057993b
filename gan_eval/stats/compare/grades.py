"""Comparisons of grades: model with model, and fakes with reals.

Two measures of the grades of a and of b, averaged over people and pictures by the crossed cumulative-logit model:

- `higher_grade`, P(a's grade is the higher one) - P(b's is), of two answers that have nothing to do with each other;
- `mean_grade`, the mean grade of a minus that of b.

With thresholds θ, fixed part η and standard deviation s of the random part, P(grade <= j) is the population proportion
at (θ_j - η, s) (`compare.contrast`). Two-way clustered means, of grades or of placements (DeLong, DeLong &
Clarke-Pearson 1988, Biometrics 44, 837-845), are the check, and replace the model where it gives no number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import equivalence_p, freedom, two_way
from gan_eval.stats.compare.contrast import ALPHA, population_proportions
from gan_eval.stats.compare.differences import wald, wald_interval
from gan_eval.stats.compare.questions import MOST_PAIRS, planned_pairs, shares_items
from gan_eval.stats.groups import REAL, provenance_cells
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.fit import CrossedFit, fit_crossed, too_many
from gan_eval.stats.mixed.formulas import GRADED_LINK, scale_trouble
from gan_eval.stats.trials import graded_trials
from gan_eval.tables.frames import Row

HIGHER, MEAN = "higher_grade", "mean_grade"
GRADED_MODELS, GRADED_KINDS = "grades of models", "grades of reals"


@dataclass(frozen=True)
class Graded:
    """Grades of a and of b."""

    family: str
    comparison: str
    a: str
    b: str
    trials: pd.DataFrame
    in_a: np.ndarray
    """(N,) bool, true for a's trials."""
    reach: float
    """Difference between the highest and the lowest grade given."""
    planned: bool = True
    why_not: str = ""


def grade_rows(trials: pd.DataFrame, settings: AnalysisSettings, *, grades: int | None, has_plan: bool) -> list[Row]:
    """Rows of the table `comparisons`, with their `family`: models, and fakes with reals, on each data set.

    `grades` is the number of grades of the scale; None: its ends are the lowest and the highest grade that was given.
    """
    graded = graded_trials(trials)
    graded = graded[graded["answered"].to_numpy(bool)]
    graded = graded[np.isfinite(graded["rating"].to_numpy("float64"))].reset_index(drop=True)
    return [
        row for of in grade_questions(graded, settings, grades) for row in answered(of, settings, has_plan=has_plan)
    ]


def grade_questions(graded: pd.DataFrame, settings: AnalysisSettings, grades: int | None) -> Iterator[Graded]:
    """Fakes with reals, then model with model, on each data set.

    Args:
        graded: as `gan_eval.stats.trials.graded_trials` returns them, those with a grade, numbered from 0.
    """
    used = float(graded["rating"].max() - graded["rating"].min()) if len(graded) else 0.0
    reach = used if grades is None else max(used, grades - 1.0)
    too_large = too_many(len(graded))
    for dataset, part in graded.groupby("dataset", dropna=False, sort=True):
        where = f" on {dataset}" if isinstance(dataset, str) else ""
        of_kinds = part[part["kind"].notna()].reset_index(drop=True)
        if of_kinds["kind"].nunique() == 2:
            is_fake = (of_kinds["kind"] == "fake").to_numpy(bool)
            yield Graded(GRADED_KINDS, f"grades{where}", "fake", REAL, of_kinds, is_fake, reach, why_not=too_large)
        fakes = part[((part["kind"] == "fake") & part["model"].notna()).to_numpy(bool)]
        pairs = planned_pairs(sorted(fakes["model"].unique()), settings)
        for (a, b), planned in pairs.items():
            both = fakes[fakes["model"].isin([a, b])].reset_index(drop=True)
            why_not = too_large or (f"{len(pairs)} pairs of models" if len(pairs) > MOST_PAIRS else "")
            in_a = (both["model"] == a).to_numpy(bool)
            yield Graded(GRADED_MODELS, f"grades of models{where}", a, b, both, in_a, reach, planned, why_not)


def answered(of: Graded, settings: AnalysisSettings, *, has_plan: bool) -> list[Row]:
    """Rows of the table `comparisons`, with their `family`: both measures of one question.

    The margin of `higher_grade` is that of the study; of `mean_grade` it is that part of the range of the grades.
    """
    values, grade = np.unique(of.trials["rating"].to_numpy("float64"), return_inverse=True)
    participant = pd.factorize(of.trials["participant"])[0]
    share_items = of.family == GRADED_MODELS and shares_items(of.trials)
    picture = pd.factorize(of.trials["item" if share_items else "stimulus"])[0]
    df = freedom(participant, picture, side=of.in_a)
    fit, reason = None, ""
    try:
        too_few = "fewer than two participants or pictures behind a side" if df < 1 else ""
        if why_not := of.why_not or too_few or scale_trouble(len(values)):
            raise NoFitError(why_not)
        fit = _fit(of, grade, participant, picture, share_items=share_items)
    except NoFitError as why:
        reason = f"clustered means instead of the crossed model ({why})"
    rows = []
    for measure, end, score in (
        (HIGHER, 1.0, superiority),
        (MEAN, of.reach or 1.0, lambda first, second: float(values @ (first - second))),
    ):
        estimate, error = _clustered(of.in_a, grade, values, participant, picture, measure=measure)
        check_p, note = np.nan, reason
        if fit is not None:
            check_p = wald(estimate, error, df).p
            estimate, error = _by_model(fit, score)
            differs = (wald(estimate, error, df).p < ALPHA) != (check_p < ALPHA)
            note = f"p of clustered means {check_p:.2g}, of one test" if differs else ""
        margin = None if settings.margin is None else settings.margin * end
        test = wald(estimate / end, error / end, df)  # its ends lie within -1..1
        of_margin = f"held against {margin:g}, the margin times the range of the grades" if margin else ""
        rows.append(
            {
                "family": f"{of.family}: {measure}",
                "comparison": of.comparison,
                "a": of.a,
                "b": of.b,
                "measure": measure,
                "difference": estimate,
                **{name: cell * (1.0 if name == "p" else end) for name, cell in test._asdict().items()},
                "interval": wald_interval(estimate, error, df, bound=end),
                "bound": end,
                "p_equivalent": np.nan if margin is None else float(equivalence_p(estimate, error, df, margin)),
                "margin": np.nan if margin is None else settings.margin,
                "basis": None if np.isnan(test.p) else "two_way_cluster" if fit is None else "crossed_model",
                "check_p": check_p,
                "n_a": int(of.in_a.sum()),
                "n_b": int((~of.in_a).sum()),
                "exploratory": not of.planned if has_plan else None,
                **provenance_cells(of.trials, note, of_margin if measure == MEAN else ""),
            }
        )
    return rows


def _fit(
    of: Graded, grade: np.ndarray, participant: np.ndarray, picture: np.ndarray, *, share_items: bool
) -> CrossedFit:
    """a against b, coded 1/2 and -1/2, with slopes over it by participant and, where models share items, by item."""
    side = np.where(of.in_a, 0.5, -0.5)
    sees_both = of.trials.assign(side=side).groupby("participant")["side"].nunique() == 2
    return fit_crossed(
        grade,
        side[:, None],
        participant,
        picture,
        link=GRADED_LINK,
        slope=side if sees_both.sum() > 1 else None,
        slope_second=side if share_items else None,
        names=[f"{of.a} against {of.b}"],
        factors=("participant", "item" if share_items else "stimulus"),
    )


def _by_model(fit: CrossedFit, score: Callable[[np.ndarray, np.ndarray], float]) -> tuple[float, float]:
    """Estimate and standard error of a score of the two sides' probabilities of grades."""
    count = len(fit.thresholds)
    at = np.concatenate([fit.thresholds, fit.beta, fit.scales])

    def value(parameters: np.ndarray) -> float:
        thresholds, beta, scales = parameters[:count], parameters[count], parameters[count + 1 :]
        sides = []
        for side in (0.5, -0.5):
            (variance,), _ = fit.random_variance(np.array([side]), scales)
            below = population_proportions(thresholds - side * beta, np.full(count, np.sqrt(max(variance, 0.0)))).share
            sides.append(np.diff(below, prepend=0.0, append=1.0))
        return score(*sides)

    steps = 1e-5 * np.eye(len(at))
    gradient = np.array([(value(at + step) - value(at - step)) / 2e-5 for step in steps])
    return value(at), float(np.sqrt(max(gradient @ fit.covariance @ gradient, 0.0)))


def superiority(first: np.ndarray, second: np.ndarray) -> float:
    """P(a's grade is higher) - P(b's is), from each side's probabilities of the grades."""
    return float(first[1:] @ np.cumsum(second)[:-1] - second[1:] @ np.cumsum(first)[:-1])


def _clustered(
    in_a: np.ndarray,
    grade: np.ndarray,
    values: np.ndarray,
    participant: np.ndarray,
    picture: np.ndarray,
    *,
    measure: str,
) -> tuple[float, float]:
    """Observed difference of the trials and its two-way clustered standard error."""
    scores = values[grade]
    if measure == HIGHER:  # each grade's placement among those of the other side
        counts = [np.bincount(grade[side], minlength=len(values)) / side.sum() for side in (in_a, ~in_a)]
        above_b, above_a = (np.cumsum(count) - count - (1 - np.cumsum(count)) for count in counts[::-1])
        scores = np.where(in_a, above_b[grade], -above_a[grade])
        difference = float(scores[in_a].mean())
        residual = scores - difference
    else:
        means = scores[in_a].mean(), scores[~in_a].mean()
        difference = float(means[0] - means[1])
        residual = np.where(in_a, scores - means[0], means[1] - scores)
    influence = residual / np.where(in_a, in_a.sum(), (~in_a).sum())
    variance = float(two_way(influence[:, None], participant, picture, side=in_a)[0])
    return difference, float(np.sqrt(variance)) if variance > 0 else np.nan
