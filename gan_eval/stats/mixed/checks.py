"""Do the mixed models' conclusions hold with fewer assumptions? Regression of yes/no answers with clustered errors.

Participants and stimuli are taken as samples without a model of their spread: logistic or probit regression without
random effects, its errors clustered both ways (`gan_eval.stats.clustering`).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import freedom, side_of, t_critical, two_sided_p, two_way
from gan_eval.stats.groups import provenance_cells
from gan_eval.stats.mixed.fit import plain_fit
from gan_eval.stats.mixed.formulas import Design, Planned, design, planned_formulas, prepare
from gan_eval.stats.mixed.likelihood import LINKS
from gan_eval.stats.mixed.limits import NoFitError, few_groups
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.trials import answered_trials
from gan_eval.tables.schema import PROVENANCE, Table, boolean, ends, number, text
from gan_eval.tabular import Row, frame_of

MODEL_CHECKS = Table(
    "model_checks",
    "Each fixed effect of the mixed models, judged in a way that assumes less. Its estimates are averages over "
    "people and pictures, so nearer 0 than the mixed model's by nature.",
    (
        text("formula", "the mixed model", filled=True),
        text("link", "logit or probit", words=("logit", "probit"), filled=True),
        text("term", "the fixed effect", filled=True),
        text(
            "method",
            "how it was judged; the bootstrap: by earlier versions",
            words=("two_way_cluster", "two_way_bootstrap"),
            filled=True,
        ),
        number("estimate", "of the model without random effects, on the link's scale"),
        number("std_error", "its standard error"),
        *ends("ci"),
        number("p", "two-sided"),
        boolean("agrees", "it says of `different from 0` what the mixed model's Wald interval says"),
        *PROVENANCE,
    ),
    key=("formula", "link", "term", "method"),
)


class Regression(NamedTuple):
    """Coefficients without random effects, each (K,); errors are NaN where there is one participant or one stimulus."""

    estimate: np.ndarray
    std_error: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    p: np.ndarray


def clustered_regression(
    y: np.ndarray, X: np.ndarray, participant: np.ndarray, stimulus: np.ndarray, *, link: str
) -> Regression:
    """Maximum likelihood of link(P(y = 1)) = Xβ, with two-way clustered errors, 95 % intervals and two-sided p.

    Student's t is the reference. Its degrees of freedom are one fewer than the smallest number of participants or
    stimuli: of all trials; where a coefficient's column has two values, as of reals and fakes, behind either of them.

    Args:
        y: (N,) bool.
        X: (N, K) of full rank.
        participant: (N,) int, 0.. without gaps.
        stimulus: (N,) int, 0.. without gaps.
        link: `logit` or `probit`.

    Raises:
        NoFitError: an estimate is infinite.
    """
    beta = plain_fit(y, X, link)
    if min(int(participant.max()), int(stimulus.max())) < 1:
        return Regression(beta, *np.full((4, len(beta)), np.nan))
    terms = LINKS[link](X @ beta, np.asarray(y, float))
    information = X.T @ (X * terms.observed[:, None])
    error = np.sqrt(two_way((X * terms.score[:, None]) @ np.linalg.inv(information), participant, stimulus))
    error = np.where(error > 0, error, np.nan)
    df = np.array([freedom(participant, stimulus, side=side_of(column)) for column in X.T], float)
    half_width = t_critical(df) * error
    p = two_sided_p(beta, error, np.where(df > 0, df, np.nan))
    return Regression(beta, error, beta - half_width, beta + half_width, p)


def model_checks(
    trials: pd.DataFrame,
    *,
    plan: AnalysisSettings | None = None,
    participants: pd.DataFrame | None = None,
    mixed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The table `model_checks`: logistic or probit regression with two-way clustered errors.

    Formulas with slopes are left out where they are planned without as well: without random effects they are the same.

    Args:
        trials: the table `trials`.
        plan: `[analysis]` of the study; None where there is no study file.
        participants: the table `participants`, whose questions may be covariates.
        mixed: the table `mixed_models` of the same trials and plan, where it is at hand; fitted anew otherwise.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    if mixed is None:
        mixed = mixed_models(trials, plan=plan, participants=participants)
    answered = prepare(answered_trials(trials), plan, participants)
    formulas = planned_formulas(answered, plan)
    names = {(planned.formula, planned.link) for planned in formulas}
    rows: list[Row] = []
    for planned in formulas:
        if not planned.formula.slope or (replace(planned.formula, slope=False), planned.link) not in names:
            rows += _rows(design(answered, planned.formula), planned, mixed)
    return frame_of(rows, MODEL_CHECKS)


def _rows(of: Design, planned: Planned, mixed: pd.DataFrame) -> list[Row]:
    """A row for each term; `agrees` compares the intervals of the regression and of the table `mixed_models`."""
    notes, estimates = [], None
    try:
        if of.trouble:
            raise NoFitError(of.trouble)
        estimates = clustered_regression(of.y, of.X, of.participant, of.stimulus, link=planned.link)
    except NoFitError:
        notes.append(of.trouble or "separated: an estimate is infinite")
    else:
        single = [name for name, n in (("participant", of.n_participants), ("stimulus", of.n_stimuli)) if n < 2]
        notes += [f"one {name}: its spread is not known" for name in single[:1]]
        notes += few_groups(of.n_participants, of.n_stimuli)
    own = mixed[(mixed["formula"] == str(planned.formula)) & (mixed["link"] == planned.link)]
    intervals = dict(zip(own["term"], own[["ci_low", "ci_high"]].to_numpy(float), strict=True))
    shared = {"formula": str(planned.formula), "link": planned.link, "method": "two_way_cluster"}
    carried = provenance_cells(of.trials, *notes, *of.notes)
    rows: list[Row] = []
    for position, term in enumerate(of.terms):
        cells: Row = {}
        if estimates is not None:
            cells = {name: values[position] / of.scale[position] for name, values in estimates._asdict().items()}
            verdict = _excludes_0(cells["ci_low"], cells["ci_high"])
            of_mixed = _excludes_0(*intervals[term]) if term in intervals else None
            agrees = None if None in (verdict, of_mixed) else verdict == of_mixed
            cells |= {"p": estimates.p[position], "agrees": agrees}
        rows.append({**shared, "term": term, **cells, **carried})
    return rows


def _excludes_0(low: float, high: float) -> bool | None:
    """Whether an interval leaves 0 out; None where it has no ends."""
    return bool(low > 0 or high < 0) if np.isfinite([low, high]).all() else None
