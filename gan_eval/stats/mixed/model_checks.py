"""Do the mixed models' conclusions hold with fewer assumptions? Each fixed effect judged in two further ways."""

from dataclasses import replace

import numpy as np
import pandas as pd

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.checks import Plain, bootstrap, clustered, fit_plain
from gan_eval.stats.mixed.formulas import Design, Planned, design, planned_formulas, prepare
from gan_eval.stats.mixed.limits import MOST_TESTED
from gan_eval.stats.mixed.models import KnownFits, few_notes, joined, shared_cells
from gan_eval.stats.shares import Z95
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import MODEL_CHECKS
from gan_eval.tabular import frame_of

_MANY, _FEWER = 1000, 500
"""Replicates, up to 20,000 trials and above."""
_LOST = 0.05
"""Share of replicates without an estimate above which there is no interval."""

Cells = dict[str, object]


def model_checks(
    trials: pd.DataFrame,
    *,
    plan: AnalysisSettings | None = None,
    participants: pd.DataFrame | None = None,
    mixed: pd.DataFrame | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The table `model_checks`: logistic or probit regression with two-way clustered errors, and by two-way bootstrap.

    Formulas with slopes are left out where they are planned without as well: without random effects they are the same.

    Args:
        trials: the table `trials`.
        plan: `[analysis]` of the study; None where there is no study file.
        participants: the table `participants`, whose questions may be covariates.
        mixed: the table `mixed_models` of the same trials and plan, where it is at hand; fitted anew otherwise.
        seed: of the bootstrap.

    Raises:
        UserError: a covariate is neither a question nor a column of the trials.
    """
    answered = prepare(answered_trials(trials), plan, participants)
    rows: list[Cells] = []
    asked = planned_formulas(answered, plan)
    plain = {(planned.formula, planned.link) for planned in asked}
    for planned in asked:
        if not planned.formula.slope or (replace(planned.formula, slope=False), planned.link) not in plain:
            numbers = design(answered, planned.formula)
            verdicts = _refitted(numbers, planned) if mixed is None else _from_table(mixed, numbers, planned)
            rows += _rows(numbers, planned, verdicts, seed)
    return frame_of(rows, MODEL_CHECKS)


def _refitted(numbers: Design, planned: Planned) -> list[bool | None]:
    """What the mixed model's Wald interval says of `different from 0`, for each term; None without an estimate."""
    try:
        fit = KnownFits().fit(numbers, planned)
    except NoFitError:
        return [None] * len(numbers.terms)
    return [bool(apart) for apart in np.abs(fit.beta) > Z95 * fit.std_error]


def _from_table(mixed: pd.DataFrame, numbers: Design, planned: Planned) -> list[bool | None]:
    """The same from the table `mixed_models`."""
    own = mixed[(mixed["formula"] == str(planned.formula)) & (mixed["link"] == planned.link)]
    ends = zip(own["term"], own["ci_low"].to_numpy(float), own["ci_high"].to_numpy(float), strict=True)
    verdicts = {term: _apart(float(low), float(high)) for term, low, high in ends}
    return [verdicts.get(term) for term in numbers.terms]


def _rows(numbers: Design, planned: Planned, verdicts: list[bool | None], seed: int) -> list[Cells]:
    shared = shared_cells(numbers, planned)
    fit = None if numbers.trouble else fit_plain(numbers.y, numbers.X, link=planned.link)
    by_method: dict[str, tuple[list[Cells], str | None]]
    if fit is None:
        trouble = numbers.trouble or "separated: an estimate is infinite"
        by_method = {method: ([Cells() for _ in numbers.terms], trouble) for method in _METHODS}
    else:
        by_method = {method: judge(numbers, planned, fit, seed) for method, judge in _METHODS.items()}
    rows: list[Cells] = []
    for position, term in enumerate(numbers.terms):
        for method, (cells, word) in by_method.items():
            own = cells[position]
            judged = _apart(own.get("ci_low"), own.get("ci_high"))
            verdict = verdicts[position]
            rows.append(
                shared
                | {"term": term, "method": method}
                | own
                | {
                    "agrees": None if judged is None or verdict is None else judged == verdict,
                    "note": joined([word, *(few_notes(numbers) if fit else []), *numbers.notes, shared["note"]]),
                }
            )
    return rows


def _by_clusters(numbers: Design, planned: Planned, fit: Plain, seed: int) -> tuple[list[Cells], str | None]:
    found = clustered(fit, numbers.X, numbers.participant, numbers.stimulus)
    cells = [
        {
            "estimate": fit.beta[position] / scale,
            "std_error": found.std_error[position] / scale,
            "ci_low": found.low[position] / scale,
            "ci_high": found.high[position] / scale,
            "p": found.p[position],
        }
        for position, scale in enumerate(numbers.scale)
    ]
    return cells, _lone(numbers)


def _by_bootstrap(numbers: Design, planned: Planned, fit: Plain, seed: int) -> tuple[list[Cells], str | None]:
    cells: list[Cells] = [{"estimate": beta / scale} for beta, scale in zip(fit.beta, numbers.scale, strict=True)]
    if word := _lone(numbers):
        return cells, word
    if len(numbers.y) > MOST_TESTED:
        return cells, f"no bootstrap above {MOST_TESTED} trials"
    replicates = _MANY if len(numbers.y) <= 20_000 else _FEWER
    drawn = bootstrap(
        numbers.y,
        numbers.X,
        numbers.participant,
        numbers.stimulus,
        link=planned.link,
        replicates=replicates,
        seed=seed,
    )
    known = drawn[np.isfinite(drawn).all(axis=1)] / numbers.scale
    lost = replicates - len(known)
    if lost > _LOST * replicates:
        return cells, f"{lost} of {replicates} bootstrap replicates have no estimate: no interval"
    low, high = np.quantile(known, [0.025, 0.975], axis=0)
    for position, own in enumerate(cells):
        own |= {"std_error": known[:, position].std(ddof=1), "ci_low": low[position], "ci_high": high[position]}
    return cells, f"{lost} of {replicates} bootstrap replicates have no estimate" if lost else None


_METHODS = {"two_way_cluster": _by_clusters, "two_way_bootstrap": _by_bootstrap}


def _lone(numbers: Design) -> str | None:
    for count, name in ((numbers.n_participants, "participant"), (numbers.n_stimuli, "stimulus")):
        if count < 2:
            return f"one {name}: its spread is not known"
    return None


def _apart(low: object, high: object) -> bool | None:
    """Whether an interval leaves 0 out; None where it has no ends."""
    if not isinstance(low, float) or not isinstance(high, float) or not np.isfinite([low, high]).all():
        return None
    return bool(low > 0 or high < 0)
