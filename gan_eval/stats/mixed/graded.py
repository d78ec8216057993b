"""Ordered answers, grades and confidence, by cumulative-logit models with crossed random intercepts.

P(answer <= j) = logistic(θ_j - η) with a threshold between each two neighbouring answers (McCullagh 1980): a positive
term moves answers up. `model[NAME]` is a model against the first one by name, among generated pictures; `kind[real]` is
real minus fake. It is `clmm` of R's ordinal.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gan_eval.stats.clustering import freedom, side_of
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed.fit import (
    CrossedFit,
    few_groups,
    fit_crossed,
    fit_without,
    likelihood_ratio,
    too_many,
    wald_cells,
)
from gan_eval.stats.mixed.likelihood import NoFitError
from gan_eval.stats.trials import answered_trials, graded_trials
from gan_eval.tables.frames import Row

LINK = "cumulative_logit"
MOST_LEVELS = 12
"""Maximum number of different answers of a graded scale."""


@dataclass(frozen=True)
class GradedDesign:
    """A formula's numbers for N ordered answers."""

    formula: str
    trials: pd.DataFrame
    answer: np.ndarray
    """(N,) int, 0..J-1."""
    levels: list[str]
    """J answers that were given, in ascending order."""
    X: np.ndarray
    """(N, K), without a constant: the thresholds stand for it."""
    terms: list[str]
    """K names of the columns."""
    participant: np.ndarray
    stimulus: np.ndarray

    @property
    def all_terms(self) -> list[str]:
        """J-1 thresholds, then the columns."""
        pairs = zip(self.levels[:-1], self.levels[1:], strict=True)
        return [*(f"threshold[{low}|{high}]" for low, high in pairs), *self.terms]


def graded_designs(trials: pd.DataFrame) -> Iterator[GradedDesign]:
    """The formulas of grades, then of confidence, where there are any.

    By model among the fakes of two or more named models, by kind where both kinds have answers; else without either.

    Args:
        trials: the table `trials`.
    """
    graded = graded_trials(trials)
    sure = answered_trials(trials)
    for outcome, answered in (
        ("rating", graded[graded["answered"].to_numpy(bool)]),
        ("confidence", sure[sure["confidence"].notna()]),
    ):
        values = answered[outcome].to_numpy("float64", na_value=np.nan)
        named = answered["participant"].notna() & answered["stimulus"].notna()
        answered = answered[np.isfinite(values) & named.to_numpy(bool)].reset_index(drop=True)
        if answered.empty:
            continue
        fakes = answered[((answered["kind"] == "fake") & answered["model"].notna()).to_numpy(bool)]
        models = sorted(fakes["model"].unique())
        of_kinds = answered[answered["kind"].notna()]
        if len(models) > 1:
            columns = {f"model[{name}]": (fakes["model"] == name).to_numpy(float) for name in models[1:]}
            yield _design(outcome, "model", fakes, columns)
        if of_kinds["kind"].nunique() == 2:
            columns = {"kind[real]": (of_kinds["kind"] == "real").to_numpy(float)}
            yield _design(outcome, "kind", of_kinds, columns)
        elif len(models) < 2:
            yield _design(outcome, "1", answered, {})


def _design(outcome: str, effect: str, trials: pd.DataFrame, columns: dict[str, np.ndarray]) -> GradedDesign:
    answer, levels = pd.factorize(trials[outcome].to_numpy("float64"), sort=True)
    return GradedDesign(
        formula=f"{outcome} ~ {effect} + (1|participant) + (1|stimulus)",
        trials=trials,
        answer=answer,
        levels=[f"{level:g}" for level in levels],
        X=np.stack(list(columns.values()), axis=1) if columns else np.zeros((len(trials), 0)),
        terms=list(columns),
        participant=pd.factorize(trials["participant"], sort=True)[0],
        stimulus=pd.factorize(trials["stimulus"], sort=True)[0],
    )


def graded_models(trials: pd.DataFrame, *, exploratory: bool | None) -> list[Row]:
    """Rows of the table `mixed_models`: each threshold and each term of each formula.

    Args:
        trials: the table `trials`.
        exploratory: the rows' cell.
    """
    why_not = too_many(len(trials))
    return [row for of in graded_designs(trials) for row in _rows(of, exploratory, why_not)]


def require_few_levels(levels: int) -> None:
    """Refuse answers that are no scale of few grades.

    Raises:
        NoFitError: one answer alone, or too many different ones.
    """
    if levels < 2:
        raise NoFitError("all answers are the same")
    if levels > MOST_LEVELS:
        raise NoFitError(f"{levels} different answers: more than {MOST_LEVELS} are no scale of few grades")


def _rows(of: GradedDesign, exploratory: bool | None, why_not: str) -> list[Row]:
    people, pictures = of.participant.max(initial=-1) + 1, of.stimulus.max(initial=-1) + 1
    fit: CrossedFit | None = None
    units = (of.participant, of.stimulus)
    test: Row = {}
    try:
        if why_not:
            raise NoFitError(why_not)
        require_few_levels(len(of.levels))
        fit = fit_crossed(of.answer, of.X, *units, link=LINK, names=of.terms)
        notes = [*few_groups(people, pictures), f"singular: {' and '.join(fit.at_boundary)}" if fit.singular else ""]
    except NoFitError as reason:
        notes = [str(reason)]
    if fit is not None and of.terms:
        try:
            without = fit_without(fit, list(range(len(of.terms))), of.answer, of.X, *units, link=LINK)
            chi2, p = likelihood_ratio(fit, without, len(of.terms))
            test = {"lrt_chi2": chi2, "lrt_df": len(of.terms), "lrt_p": p}
        except NoFitError as reason:
            notes.append(f"no likelihood-ratio test: without the term, {reason}")
    carried = provenance_cells(of.trials)
    shared = {
        "formula": of.formula,
        "link": LINK,
        "n_trials": len(of.answer),
        "n_participants": people,
        "n_stimuli": pictures,
        "exploratory": exploratory,
        **carried,
        "note": joined(*notes, carried["note"]),
    }
    if fit is None:
        return [shared | {"term": term} for term in of.all_terms or ["thresholds"]]
    estimates = np.concatenate([fit.thresholds, fit.beta])
    errors = np.concatenate([fit.thresholds_error, fit.std_error])
    thresholds = len(fit.thresholds)
    dfs = [freedom(*units)] * thresholds + [freedom(*units, side=side_of(column)) for column in of.X.T]
    return [
        shared
        | {
            "term": term,
            **wald_cells(estimate, error, df),
            "sd_participant": fit.sd_first,
            "sd_stimulus": fit.sd_second,
            "log_likelihood": fit.log_likelihood,
            "singular": fit.singular,
        }
        | (test if place >= thresholds else {})
        for place, (term, estimate, error, df) in enumerate(
            zip(of.all_terms, estimates.tolist(), errors.tolist(), dfs, strict=True)
        )
    ]
