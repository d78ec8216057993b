"""Regression of yes/no answers without random effects: two-way clustered errors, and a two-way bootstrap.

Both treat participants and stimuli as samples without a model of their spread. The clustered errors are those of
`gan_eval.stats.clustering.two_way`. The bootstrap is Owen's (2007, Annals of Applied Statistics 1,
386-411): a trial's weight is how often its participant was drawn times how often its stimulus was; it errs on the wide
side.

Do the mixed models' conclusions hold with fewer assumptions? Each fixed effect judged in two further ways.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.clustering import freedom, side_of, t_critical, two_sided_p, two_way
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.fit import plain_fit
from gan_eval.stats.mixed.formulas import Design, Planned, design, planned_formulas, prepare
from gan_eval.stats.mixed.likelihood import LINKS, linked, slopes
from gan_eval.stats.mixed.limits import MOST_TESTED
from gan_eval.stats.mixed.models import KnownFits, few_notes, joined, shared_cells
from gan_eval.stats.shares import Z95
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import MODEL_CHECKS
from gan_eval.tabular import frame_of

_FAR = 15.0
"""An estimate on the link's scale beyond this stands for an infinite one."""
_CELLS = 8_000_000
"""Numbers held at a time while bootstrapping."""


class Plain(NamedTuple):
    """Coefficients without random effects."""

    beta: np.ndarray
    """(K,)"""
    score: np.ndarray
    """(N,) d log-likelihood / dη of each trial."""
    information: np.ndarray
    """(K, K) observed."""


class Clustered(NamedTuple):
    """Two-way clustered errors, each (K,); NaN where there is one participant or one stimulus."""

    std_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray


def fit_plain(y: np.ndarray, X: np.ndarray, *, link: str) -> Plain | None:
    """Maximum likelihood of link(P(y = 1)) = Xβ; None where an estimate is infinite.

    Args:
        y: (N,) bool.
        X: (N, K) of full rank.
        link: `logit` or `probit`.
    """
    try:
        beta = plain_fit(y, X, link)
    except NoFitError:
        return None
    terms = LINKS[link](X @ beta, np.asarray(y, float))
    return Plain(beta, terms.score, X.T @ (X * terms.observed[:, None]))


def clustered(fit: Plain, X: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> Clustered:
    """Errors, 95 % intervals and two-sided p by Student's t.

    Its degrees of freedom are one fewer than the smallest number of participants or stimuli: of all trials; where a
    coefficient's column has two values, as of reals and fakes, behind either of them.
    """
    if min(int(participant.max()), int(stimulus.max())) < 1:
        empty = np.full(len(fit.beta), np.nan)
        return Clustered(empty, empty, empty, empty)
    error = np.sqrt(two_way((X * fit.score[:, None]) @ np.linalg.inv(fit.information), participant, stimulus))
    error = np.where(error > 0, error, np.nan)
    df = np.array([freedom(participant, stimulus, side=side_of(column)) for column in X.T], float)
    half_width = t_critical(df) * error
    p = two_sided_p(fit.beta, error, np.where(df > 0, df, np.nan))
    return Clustered(error, fit.beta - half_width, fit.beta + half_width, p)


def bootstrap(
    y: np.ndarray,
    X: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    link: str,
    replicates: int,
    seed: int | tuple[int, ...],
) -> np.ndarray:
    """(B, K) coefficients under B draws of participants and stimuli; NaN where they are infinite or undefined.

    Args:
        y: (N,) bool.
        X: (N, K) of full rank.
        participant: (N,) 0.. without gaps; numbered by sorted names, the draws do not depend on the order of rows.
        stimulus: (N,) likewise.
        link: `logit` or `probit`.
        replicates: B.
        seed: of the draws.
    """
    patterns, inverse = np.unique(X, axis=0, return_inverse=True)
    n_people, n_stimuli = int(participant.max()) + 1, int(stimulus.max()) + 1
    pair, row = np.unique(inverse.ravel().astype(np.int64) * n_people + participant, return_inverse=True)
    pattern, person = np.divmod(pair, n_people)
    shape = (len(pair), n_stimuli)
    shown = csr_array((np.ones(len(y)), (row.ravel(), stimulus)), shape=shape)
    said = csr_array((y.astype(float), (row.ravel(), stimulus)), shape=shape)
    gather = csr_array((np.ones(len(pair)), (pattern, np.arange(len(pair)))), shape=(len(patterns), len(pair)))
    everybody = gather @ np.stack([said.sum(axis=1), shown.sum(axis=1)], axis=1)
    whole = _solve(patterns, everybody[:, :1], everybody[:, 1:], link, np.zeros(X.shape[1]))[:, 0]
    near = np.where(np.isfinite(whole), whole, 0.0)
    rng = np.random.default_rng(seed)
    step = max(1, min(replicates, _CELLS // max(len(pair), n_stimuli, len(patterns) * X.shape[1])))
    found = np.empty((replicates, X.shape[1]))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        people = _draws(rng, n_people, size)[person]
        pictures = _draws(rng, n_stimuli, size)
        yes, total = gather @ (people * (said @ pictures)), gather @ (people * (shown @ pictures))
        found[start : start + size] = _solve(patterns, yes, total, link, near).T
    return found


def _draws(rng: np.random.Generator, levels: int, size: int) -> np.ndarray:
    """(levels, size): how often each level is drawn, with replacement, in each replicate."""
    return rng.multinomial(levels, np.full(levels, 1 / levels), size).T.astype(float)


def _solve(patterns: np.ndarray, yes: np.ndarray, total: np.ndarray, link: str, near: np.ndarray) -> np.ndarray:
    """(K, B) coefficients of B weighted tables of answers; NaN where they are infinite or undefined.

    Args:
        patterns: (J, K) the distinct rows of X.
        yes: (J, B) weighted answers yes.
        total: (J, B) weighted answers.
        link: `logit` or `probit`.
        near: (K,) where a search starts.
    """
    n_patterns, n_terms = patterns.shape
    if n_patterns == n_terms:
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = linked(yes / total, link)
            return np.asarray(np.linalg.solve(patterns, np.where(np.abs(eta) <= _FAR, eta, np.nan)))
    return _newton(patterns, yes, total, link, near)


def _newton(patterns: np.ndarray, yes: np.ndarray, total: np.ndarray, link: str, near: np.ndarray) -> np.ndarray:
    """Newton's method for all tables at once; the log-likelihoods are concave, and steps are bounded.

    It ends after a step below 1e-6, which leaves an error of its square.
    """
    n_terms = patterns.shape[1]
    left, right = np.triu_indices(n_terms)
    products = (patterns[:, left] * patterns[:, right]).T
    size = yes.shape[1]
    beta, done = np.repeat(near[:, None], size, axis=1), np.zeros(size, bool)
    for _ in range(60):
        active = np.flatnonzero(~done)
        if len(active) == 0:
            break
        up, down, curve_up, curve_down = slopes(patterns @ beta[:, active], link)
        no = total[:, active] - yes[:, active]
        gradient = patterns.T @ (yes[:, active] * up + no * down)
        sums = products @ (yes[:, active] * curve_up + no * curve_down)
        information = np.empty((len(active), n_terms, n_terms))
        information[:, left, right] = sums.T
        information[:, right, left] = sums.T
        trace = np.trace(information, axis1=1, axis2=2)
        undefined = ~(np.linalg.eigvalsh(information)[:, 0] > 1e-10 * trace)
        information[undefined] = np.eye(n_terms)
        step = np.linalg.solve(information, gradient.T[:, :, None])[:, :, 0]
        largest = np.abs(step).max(axis=1)
        beta[:, active] += (step * np.minimum(1.0, 2.0 / np.maximum(largest, 1e-300))[:, None]).T
        lost = undefined | ~np.isfinite(step).all(axis=1) | (np.abs(patterns @ beta[:, active]).max(axis=0) > 2 * _FAR)
        beta[:, active[lost]] = np.nan
        done[active[lost | (largest < 1e-6)]] = True
    beta[:, ~done] = np.nan
    return np.where((np.abs(patterns @ beta) <= _FAR).all(axis=0), beta, np.nan)


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
