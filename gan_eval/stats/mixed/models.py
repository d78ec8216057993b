"""The table `mixed_models`: crossed mixed models of single answers.

Analyses that ignore the stimuli declare differences that are not there when everybody sees the same pictures
(Clark 1973; Judd, Westfall & Kenny 2012); random intercepts for both participants and stimuli do not
(Baayen, Davidson & Bates 2008).
"""

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import freedom, side_of
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed
from gan_eval.stats.mixed.fit import few_groups, too_many, wald_cells
from gan_eval.stats.mixed.formulas import (
    GRADED_LINK,
    Design,
    Planned,
    design,
    graded_formulas,
    planned_formulas,
    prepare,
)
from gan_eval.stats.trials import answered_trials
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.schema import (
    ANALYSIS_RUN,
    FRACTION,
    SIMULATED,
    Column,
    Table,
    boolean,
    ends,
    integer,
    number,
    text,
)

MIXED_MODELS = Table(
    "mixed_models",
    "Mixed models of single answers with crossed random intercepts for participants and stimuli.",
    (
        text("formula", "the model", filled=True),
        text("link", "of the model", words=("logit", "probit", "cumulative_logit"), filled=True),
        text(
            "term",
            "the fixed effect: `intercept`, `kind[real]` (real minus fake), `kind[fake]`, `dataset[NAME]` (coded by "
            "their sum), a covariate (for one unit) or `COVARIATE[LEVEL]` (against the commonest level); of grades "
            "`threshold[1|2]` between two neighbouring ones and `model[NAME]` (against the first model by name)",
            filled=True,
        ),
        number("estimate", "its estimate on the link's scale"),
        number("std_error", "its standard error"),
        number("z", "estimate / standard error"),
        number("p", "two-sided Wald test by Student's t, of the smallest number of participants or stimuli less 1"),
        *ends("ci", "its Wald 95 % interval, by the same"),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number("sd_slope", "standard deviation of the participants' slopes, where the formula has them", optional=True),
        number("slope_correlation", "of the participants' intercepts and slopes", unit="-1..1", optional=True),
        number("log_likelihood", "Laplace approximation"),
        integer("n_trials", "answered trials"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note says which"),
        boolean("exploratory", "not in the plan, or by exclusions that are not; empty: no plan", optional=True),
        Column("note", "what a reader must know; why an estimate is missing"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("formula", "link", "term"),
)


def mixed_models(
    trials: pd.DataFrame, *, plan: AnalysisSettings | None = None, participants: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table `mixed_models`: each formula's fixed effects on the link's scale.

    Always there, with the logit link: `correct ~ 1 + …`, `correct ~ kind + …` and `called_fake ~ kind + …`, the last
    one with data sets where there are several (`mixed.formulas` explains the terms). The plan's link,
    slope and covariates add to them. Each term has its Wald test and interval. Where there can be no estimate the row
    holds the counts and `note` says why. Grades and confidence, where there are any, have cumulative-logit models.

    Without slopes the test of the kind takes people who differ in leaning (of `correct`) or in skill (of
    `called_fake`) for a difference of kinds. Of too many trials nothing is fitted.

    Args:
        plan: `[analysis]` of the study; None without a study file: the settings' defaults, and `exploratory`
            empty.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    answered = prepare(answered_trials(trials), plan, participants)
    exploratory = None if plan is None else False
    asked = [(answered, planned) for planned in planned_formulas(answered, plan)]
    asked += [(own, Planned(formula, GRADED_LINK, exploratory)) for own, formula in graded_formulas(trials)]
    why_not = too_many(len(trials))
    rows = [row for own, planned in asked for row in _rows(design(own, planned.formula), planned, why_not)]
    return conform(pd.DataFrame(rows, columns=list(MIXED_MODELS.names)), MIXED_MODELS, where="mixed_models")


def _rows(of: Design, planned: Planned, why_not: str) -> list[Row]:
    """A row for each threshold and each term of a formula."""
    fit: CrossedFit | None = None
    try:
        if trouble := why_not or of.trouble:
            raise NoFitError(trouble)
        units = (of.participant, of.stimulus)
        fit = fit_crossed(of.y, of.X, *units, link=planned.link, slope=of.slope, names=of.terms)
        notes = [
            *few_groups(of.n_participants, of.n_stimuli),
            f"singular: {' and '.join(fit.at_boundary)}" if fit.singular else "",
            *of.notes,
        ]
    except NoFitError as reason:
        notes = [str(reason), *of.notes]
    carried = provenance_cells(of.trials)
    shared: Row = {
        "formula": str(planned.formula),
        "link": planned.link,
        "n_trials": len(of.y),
        "n_participants": of.n_participants,
        "n_stimuli": of.n_stimuli,
        "exploratory": planned.exploratory,
        **carried,
        "note": joined(*notes, carried["note"]),
    }
    terms = [*of.thresholds, *of.terms]
    if fit is None:
        return [shared | {"term": term} for term in terms or ["thresholds"]]
    shared |= {
        "sd_participant": fit.first.sd,
        "sd_stimulus": fit.second.sd,
        "sd_slope": fit.first.sd_slope,
        "slope_correlation": fit.first.correlation,
        "log_likelihood": fit.log_likelihood,
        "singular": fit.singular,
    }
    untested = len(of.thresholds)
    estimates = np.concatenate([fit.thresholds, fit.beta]).tolist()
    errors = np.concatenate([fit.thresholds_error, fit.std_error]).tolist()
    rows = []
    for place, (term, estimate, error) in enumerate(zip(terms, estimates, errors, strict=True), start=-untested):
        side = None if place < 0 else side_of(of.X[:, place])
        rows.append(shared | {"term": term, **wald_cells(estimate, error, freedom(*units, side=side))})
    return rows
