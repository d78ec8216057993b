"""The table `mixed_models`: crossed mixed models of single answers.

Analyses that ignore the stimuli declare differences that are not there when everybody sees the same pictures
(Clark 1973; Judd, Westfall & Kenny 2012); random intercepts for both participants and stimuli do not
(Baayen, Davidson & Bates 2008).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import freedom, side_of
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed, fit_without, likelihood_ratio
from gan_eval.stats.mixed.fit import few_groups, too_many, wald_cells
from gan_eval.stats.mixed.formulas import Design, Planned, design, planned_formulas, prepare
from gan_eval.stats.mixed.graded import graded_models
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
        text(
            "link",
            "logit or probit; of grades and confidence cumulative_logit",
            words=("logit", "probit", "cumulative_logit"),
            filled=True,
        ),
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
        number(
            "p",
            "two-sided Wald test by Student's t with one degree of freedom fewer than the smallest number of "
            "participants or stimuli behind either side of the effect",
        ),
        *ends("ci", "its Wald 95 % interval, by the same"),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number(
            "lrt_chi2",
            "likelihood-ratio statistic against the model without the term; the levels of a category go together",
            optional=True,
        ),
        integer("lrt_df", "its degrees of freedom", optional=True),
        number("lrt_p", "its p", optional=True),
        number("sd_slope", "standard deviation of the participants' slopes, where the formula has them", optional=True),
        number(
            "slope_correlation", "correlation of the participants' intercepts and slopes", unit="-1..1", optional=True
        ),
        number("log_likelihood", "Laplace approximation"),
        integer("n_trials", "answered trials"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note says which"),
        boolean(
            "exploratory",
            "not in the study's plan, or resting on exclusions that are not; empty: no plan was given",
            optional=True,
        ),
        Column("note", "what a reader must know; why an estimate is missing"),
        SIMULATED,
        FRACTION,
        ANALYSIS_RUN,
    ),
    key=("formula", "link", "term"),
)

_ALPHA = 0.05
_NUMBERS = (
    "estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus", "lrt_chi2", "lrt_p",
    "sd_slope", "slope_correlation", "log_likelihood",
)  # fmt: skip


def mixed_models(
    trials: pd.DataFrame, *, plan: AnalysisSettings | None = None, participants: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table `mixed_models`: each formula's fixed effects on the link's scale.

    Always there, with the logit link: `correct ~ 1 + …`, `correct ~ kind + …` and `called_fake ~ kind + …`, the last
    one with data sets where there are several (`mixed.formulas` explains the terms). The plan's link,
    slope and covariates add to them. Each term has its Wald test and interval and the likelihood-ratio test against
    the model without it; the levels of a category are tested together. Where there can be no estimate the row holds
    the counts and `note` says why.

    Grades and confidence, where there are any, have cumulative-logit models of their own (`mixed.graded`).

    Without slopes the test of the kind takes people who differ in leaning (of `correct`) or in skill (of
    `called_fake`) for a difference of kinds, and the note says so where the slopes' spread is above 0 (likelihood
    ratio, p < 0.05). Of too many trials (`mixed.limits`) nothing is fitted.

    Args:
        trials: the table `trials`.
        plan: `[analysis]` of the study; None without a study file: the settings' defaults, and `exploratory`
            empty.
        participants: the table `participants`, whose questions may be covariates.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    answered = prepare(answered_trials(trials), plan, participants)
    formulas = planned_formulas(answered, plan)
    fits = CachedFits(too_many(len(trials)))
    rows = [row for planned in formulas for row in _rows(answered, planned, formulas, fits)]
    rows += graded_models(trials, exploratory=None if plan is None else False)
    return conform(pd.DataFrame(rows), MIXED_MODELS, where="mixed_models")


class CachedFits:
    """Fits of designs of the same answers, each made once: a formula without a term may be another formula.

    Args:
        why_not: a reason to fit none.
    """

    def __init__(self, why_not: str = "") -> None:
        self._why_not = why_not
        self._cached: dict[tuple[object, ...], CrossedFit | NoFitError] = {}

    def fit(
        self, of: Design, planned: Planned, *, without: str | None = None, whole: CrossedFit | None = None
    ) -> CrossedFit:
        """The fit of a design, or of the design without one effect.

        Args:
            of: the formula's numbers.
            planned: formula and link.
            without: name of an effect to leave out.
            whole: the fit of the whole design, from which the search starts.

        Raises:
            NoFitError: there is none.
        """
        single = 1 in (of.n_participants, of.n_stimuli)  # the first reason to give, and fit_crossed gives it
        if why_not := self._why_not or ("" if single else of.trouble):
            raise NoFitError(why_not)
        left_out = [position for position, effect in enumerate(of.effects) if effect == without]
        terms = [term for term, effect in zip(of.terms, of.effects, strict=True) if effect != without]
        key = (planned.formula.outcome, planned.formula.slope, planned.link, tuple(terms), len(of.y))
        if key not in self._cached:
            units = (of.participant, of.stimulus)
            try:
                if whole is None or not left_out:
                    X = np.delete(of.X, left_out, axis=1)
                    self._cached[key] = fit_crossed(of.y, X, *units, link=planned.link, slope=of.slope, names=terms)
                else:
                    self._cached[key] = fit_without(
                        whole, left_out, of.y, of.X, *units, link=planned.link, slope=of.slope, names=of.terms
                    )
            except NoFitError as reason:
                self._cached[key] = reason
        fit = self._cached[key]
        if isinstance(fit, NoFitError):
            raise fit
        return fit


def _rows(answered: pd.DataFrame, planned: Planned, formulas: Sequence[Planned], fits: CachedFits) -> list[Row]:
    """A row for each term of a formula; `formulas` are all that are fitted to the answers."""
    of = design(answered, planned.formula)
    fit: CrossedFit | None = None
    try:
        fit = fits.fit(of, planned)
        notes = [
            *few_groups(of.n_participants, of.n_stimuli),
            f"singular: {' and '.join(fit.at_boundary)}" if fit.singular else "",
            *of.notes,
        ]
    except NoFitError as reason:
        notes = [str(reason), *of.notes]
    tests = {} if fit is None else _likelihood_ratio_tests(of, planned, fits, fit)
    slopes = None if fit is None else _slopes_note(answered, planned, formulas, fits, fit)
    carried = provenance_cells(of.trials)
    rows: list[Row] = []
    for term, effect, position in zip(of.terms, of.effects, range(len(of.terms)), strict=True):
        test, test_note = tests.get(effect, ({}, None))
        cells: Row = dict.fromkeys(_NUMBERS, np.nan) | {"lrt_df": None, "singular": None}
        if fit is not None:
            estimate, error = (float(values[position] / of.scale[position]) for values in (fit.beta, fit.std_error))
            cells |= {
                **wald_cells(estimate, error, freedom(of.participant, of.stimulus, side=side_of(of.X[:, position]))),
                "sd_participant": fit.sd_first,
                "sd_stimulus": fit.sd_second,
                "sd_slope": np.nan if fit.sd_slope is None else fit.sd_slope,
                "slope_correlation": np.nan if fit.slope_correlation is None else fit.slope_correlation,
                "log_likelihood": fit.log_likelihood,
                "singular": fit.singular,
            }
        rows.append(
            {
                "formula": str(planned.formula),
                "link": planned.link,
                "term": term,
                **cells,
                **test,
                "n_trials": len(of.y),
                "n_participants": of.n_participants,
                "n_stimuli": of.n_stimuli,
                "exploratory": planned.exploratory,
                **carried,
                "note": joined(*notes, test_note, slopes if effect == "kind" else None, carried["note"]),
            }
        )
    return rows


def _likelihood_ratio_tests(
    of: Design, planned: Planned, fits: CachedFits, fit: CrossedFit
) -> dict[str, tuple[Row, str | None]]:
    """The cells of each effect's likelihood-ratio test, or a note why there is none."""
    tests: dict[str, tuple[Row, str | None]] = {}
    for effect in dict.fromkeys(of.effects):
        df = of.effects.count(effect)
        try:
            chi2, p = likelihood_ratio(fit, fits.fit(of, planned, without=effect, whole=fit), df)
            tests[effect] = ({"lrt_chi2": chi2, "lrt_df": df, "lrt_p": p}, None)
        except NoFitError as reason:
            tests[effect] = ({}, f"no likelihood-ratio test: without the term, {reason}")
    return tests


def _slopes_note(
    answered: pd.DataFrame, planned: Planned, formulas: Sequence[Planned], fits: CachedFits, fit: CrossedFit
) -> str | None:
    """A note where the participants' slopes, which the fit is without, differ in the same formula with slopes.

    Twice the gain in log-likelihood is an equal mixture of χ² with 1 and 2 degrees of freedom, a variance being at
    the end of its range (Stram & Lee 1994, Biometrics 50, 1171-1177).
    """
    formula = replace(planned.formula, slope=True)
    sloped = next((other for other in formulas if other.formula == formula and other.link == planned.link), None)
    if planned.formula.slope or sloped is None:
        return None
    try:
        gain = 2 * (fits.fit(design(answered, formula), sloped).log_likelihood - fit.log_likelihood)
    except NoFitError:
        return None
    p = (chdtrc(1, max(gain, 0.0)) + chdtrc(2, max(gain, 0.0))) / 2
    differs = {"correct": "leaning", "called_fake": "skill"}[formula.outcome]
    return f"participants differ in {differs}: see the model with slopes" if p < _ALPHA else None
