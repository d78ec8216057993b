"""Can people tell, beyond these people and these pictures? Crossed mixed models of single answers.

Analyses that ignore the stimuli declare differences that are not there when everybody sees the same pictures
(Clark 1973; Judd, Westfall & Kenny 2012); random intercepts for both participants and stimuli do not
(Baayen, Davidson & Bates 2008).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.groups import groups, provenance
from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed, fit_without, likelihood_ratio
from gan_eval.stats.mixed.formulas import Design, Planned, design, planned_formulas, prepare
from gan_eval.stats.mixed.limits import MOST_FITTED, MOST_TESTED, few_groups
from gan_eval.stats.shares import Z95
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import MIXED_MODELS
from gan_eval.tabular import conform

_ALPHA = 0.05
_DIFFER = {"correct": "leaning", "called_fake": "skill"}
"""What differs between participants where the effect of the kind on an outcome does."""
_NUMBERS = (
    "estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus", "lrt_chi2", "lrt_p",
    "sd_slope", "slope_correlation", "log_likelihood",
)  # fmt: skip


def mixed_models(
    trials: pd.DataFrame, *, plan: AnalysisSettings | None = None, participants: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The table `mixed_models`: each formula's fixed effects on the link's scale.

    Always there, with the logit link: `correct ~ 1 + …`, `correct ~ kind + …` and `called_fake ~ kind + …`, the last
    one with data sets where there are several (`formulas` tells what the terms mean). The plan's link,
    slope and covariates add to them. Each term has its Wald test and interval and the likelihood-ratio test against
    the model without it; the levels of a category are tested together. Where there can be no estimate the row holds
    the counts and `note` says why.

    Without slopes the test of the kind takes people who differ in leaning (of `correct`) or in skill (of
    `called_fake`) for a difference of kinds, and the note says so where the slopes' spread is above 0 (likelihood
    ratio, p < 0.05). Above `MOST_TESTED` trials only the formulas without slopes and covariates are fitted, and no
    likelihood-ratio tests made; above `MOST_FITTED` nothing is (`crossed.limits`).

    Args:
        trials: the table `trials`.
        plan: `[analysis]` of the study; None where there is no study file: the settings' defaults, and `exploratory`
            empty.
        participants: the table `participants`, whose questions may be covariates.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    answered = prepare(answered_trials(trials), plan, participants)
    fits = KnownFits()
    asked = planned_formulas(answered, plan)
    rows = [row for planned in asked for row in _rows(answered, planned, _with_slope(planned, asked), fits)]
    return conform(pd.DataFrame(rows), MIXED_MODELS, where="mixed_models")


class KnownFits:
    """Fits of designs of the same answers, each made once: a formula without a term may be another formula."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], CrossedFit | NoFitError] = {}

    def fit(
        self, of: Design, planned: Planned, *, without: str | None = None, whole: CrossedFit | None = None
    ) -> CrossedFit:
        """The fit of a design, or of what is left of it without one effect.

        Args:
            of: the formula's numbers.
            planned: formula and link.
            without: name of an effect to leave out.
            whole: the fit of the whole design, from which the search starts.

        Raises:
            NoFitError: there is none.
        """
        alone = 1 in (of.n_participants, of.n_stimuli)  # the first thing to say, and fit_crossed says it
        if of.trouble and not alone:
            raise NoFitError(of.trouble)
        if word := _too_many(len(of.y), planned):
            raise NoFitError(word)
        left_out = [position for position, effect in enumerate(of.effects) if effect == without]
        terms = tuple(np.delete(np.array(of.terms, object), left_out))
        key = (planned.formula.outcome, planned.formula.slope, planned.link, terms, len(of.y))
        if key not in self._known:
            try:
                self._known[key] = _fitted(of, planned.link, left_out, whole)
            except NoFitError as reason:
                self._known[key] = reason
        found = self._known[key]
        if isinstance(found, NoFitError):
            raise found
        return found


def _fitted(of: Design, link: str, left_out: list[int], whole: CrossedFit | None) -> CrossedFit:
    """The fit without some columns; with the whole design's fit the search starts there."""
    if whole is None or not left_out:
        X, names = np.delete(of.X, left_out, axis=1), np.delete(np.array(of.terms, object), left_out).tolist()
        return fit_crossed(of.y, X, of.participant, of.stimulus, link=link, slope=of.slope, names=names)
    return fit_without(
        whole, left_out, of.y, of.X, of.participant, of.stimulus, link=link, slope=of.slope, names=of.terms
    )


def _too_many(trials: int, planned: Planned) -> str | None:
    """Why a formula is not fitted to so many trials."""
    if trials > MOST_FITTED:
        return f"more than {MOST_FITTED} trials: no mixed model is fitted"
    if trials > MOST_TESTED and planned.beyond:
        return f"more than {MOST_TESTED} trials: no model with slopes or covariates is fitted"
    return None


def few_notes(of: Design) -> list[str]:
    """A word where there are few participants or stimuli."""
    return few_groups(of.n_participants, of.n_stimuli)


def shared_cells(of: Design, planned: Planned) -> dict[str, object]:
    """What all rows of a formula have: its name, link and provenance, whose `note` stands alone."""
    carried = provenance(of.trials, groups(of.trials, "all")).iloc[0]
    return {
        "formula": str(planned.formula),
        "link": planned.link,
        "simulated": bool(carried["simulated"]),
        "fraction": carried["fraction"],
        "note": carried["note"],
    }


def _with_slope(planned: Planned, asked: Sequence[Planned]) -> Planned | None:
    """The same formula with slopes, where it is asked for beside."""
    twin = replace(planned.formula, slope=True)
    if planned.formula.slope:
        return None
    return next((one for one in asked if one.formula == twin and one.link == planned.link), None)


def _rows(
    answered: pd.DataFrame, planned: Planned, with_slope: Planned | None, fits: KnownFits
) -> list[dict[str, object]]:
    numbers = design(answered, planned.formula)
    shared = shared_cells(numbers, planned) | {
        "n_trials": len(numbers.y),
        "n_participants": numbers.n_participants,
        "n_stimuli": numbers.n_stimuli,
        "exploratory": planned.exploratory,
    }
    fit: CrossedFit | None = None
    try:
        fit = fits.fit(numbers, planned)
        notes = [*few_notes(numbers), *_singular(fit), *numbers.notes]
    except NoFitError as reason:
        notes = [str(reason), *numbers.notes]
    tests = {} if fit is None else _tests(numbers, planned, fits, fit)
    differ = _people_differ(answered, with_slope, fits, fit)
    rows = []
    for position, term in enumerate(numbers.terms):
        tested, word = tests.get(numbers.effects[position], ({}, None))
        note = joined([*notes, word, differ if numbers.effects[position] == "kind" else None, shared["note"]])
        rows.append(shared | {"term": term} | _estimates(fit, position, numbers.scale) | tested | {"note": note})
    return rows


def _people_differ(
    answered: pd.DataFrame, with_slope: Planned | None, fits: KnownFits, fit: CrossedFit | None
) -> str | None:
    """A word where the participants' slopes, which the fit is without, differ.

    Twice the gain in log-likelihood is an equal mixture of χ² with 1 and 2 degrees of freedom, a variance being at
    the end of its range (Stram & Lee 1994, Biometrics 50, 1171-1177).
    """
    if with_slope is None or fit is None:
        return None
    try:
        gain = 2 * (fits.fit(design(answered, with_slope.formula), with_slope).log_likelihood - fit.log_likelihood)
    except NoFitError:
        return None
    p = (chdtrc(1, max(gain, 0.0)) + chdtrc(2, max(gain, 0.0))) / 2
    differs = _DIFFER[with_slope.formula.outcome]
    return f"participants differ in {differs}: see the model with slopes" if p < _ALPHA else None


def _singular(fit: CrossedFit) -> list[str]:
    return [f"singular: {' and '.join(fit.at_boundary)}"] if fit.singular else []


def joined(notes: Sequence[object]) -> str | None:
    """The words that there are, separated by semicolons."""
    return "; ".join(str(note) for note in notes if note) or None


def _tests(
    numbers: Design, planned: Planned, fits: KnownFits, fit: CrossedFit
) -> dict[str, tuple[dict[str, object], str | None]]:
    """The likelihood-ratio test of each effect, or a word why there is none."""
    found: dict[str, tuple[dict[str, object], str | None]] = {}
    if len(numbers.y) > MOST_TESTED:
        return dict.fromkeys(numbers.effects, ({}, f"no likelihood-ratio test above {MOST_TESTED} trials"))
    for effect in dict.fromkeys(numbers.effects):
        df = numbers.effects.count(effect)
        try:
            chi2, p = likelihood_ratio(fit, fits.fit(numbers, planned, without=effect, whole=fit), df)
        except NoFitError as reason:
            found[effect] = ({}, f"no likelihood-ratio test: without the term, {reason}")
            continue
        found[effect] = ({"lrt_chi2": chi2, "lrt_df": df, "lrt_p": p}, None)
    return found


def _estimates(fit: CrossedFit | None, position: int, scale: np.ndarray) -> dict[str, object]:
    """The numeric cells of one fixed effect; empty without a fit."""
    cells: dict[str, object] = dict.fromkeys(_NUMBERS, np.nan) | {"lrt_df": None, "singular": None}
    if fit is None:
        return cells
    estimate, error = float(fit.beta[position] / scale[position]), float(fit.std_error[position] / scale[position])
    z = estimate / error
    return cells | {
        "estimate": estimate,
        "std_error": error,
        "z": z,
        "p": float(2 * ndtr(-abs(z))),
        "ci_low": estimate - Z95 * error,
        "ci_high": estimate + Z95 * error,
        "sd_participant": fit.sd_first,
        "sd_stimulus": fit.sd_second,
        "sd_slope": np.nan if fit.sd_slope is None else fit.sd_slope,
        "slope_correlation": np.nan if fit.slope_correlation is None else fit.slope_correlation,
        "log_likelihood": fit.log_likelihood,
        "singular": fit.singular,
    }
