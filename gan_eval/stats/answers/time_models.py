"""How long do people take, beyond these people and these pictures? Log-normal mixed models of reaction times.

Reaction times are skewed and their effects multiply, so their logarithm is modelled (Baayen & Milin 2010,
International Journal of Psychological Research 3(2), 12-28; van der Linden 2006, Journal of Educational and Behavioral
Statistics 31, 181-204).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from gan_eval.stats.groups import groups, provenance
from gan_eval.stats.mixed.limits import NoFitError, few_groups
from gan_eval.stats.mixed.linear import LinearFit, fit_linear
from gan_eval.stats.trials import main_trials, possible_times
from gan_eval.tables import REACTION_TIME_MODELS
from gan_eval.tabular import Row, frame_of

OUTCOME = "log(reaction_time_ms)"
RANDOM = "(1|participant) + (1|stimulus)"
_NAMES = {"kind": "kind[real]", "correct": "correct[yes]"}


def reaction_time_models(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `reaction_time_models`: the typical time, and how truth and rightness change it.

    Two models, each fitted by restricted maximum likelihood (`crossed.linear`): `~ 1`, whose intercept is the
    typical participant's typical picture, and `~ kind + correct`, whose intercept is a fake that was judged wrongly. A
    fixed effect that does not vary (no reals; no errors) is left out of the second model's formula, and its note says
    so. Tests and intervals are Wald's, by Student's t with one degree of freedom fewer than the smallest number of
    participants or pictures behind either side of the effect (of the intercept: of all): the normal distribution calls
    7 % of effects of pictures that are not there different with 20 participants and 30 pictures.

    Practice and catch trials, and main trials without an answer, without a time, or with a time that is not above 0 or
    infinite, are left out and counted in the note. Where there can be no estimate the note says why.

    Args:
        trials: the table `trials`.
    """
    timed, left_out = _timed(trials)
    columns = {"kind": ~timed["is_fake"].to_numpy(bool), "correct": timed["correct"].to_numpy(bool)}
    varying = {name: values for name, values in columns.items() if len(np.unique(values)) == 2}
    constant = [name for name in columns if name not in varying]
    data = _Data(timed, left_out)
    rows = _rows(data, {}, [])
    if varying:
        notes = [f"{name} does not vary: left out of the model" for name in constant]
        rows += _rows(data, varying, notes)
    return frame_of(rows, REACTION_TIME_MODELS)


@dataclass(frozen=True)
class _Data:
    trials: pd.DataFrame
    """Answered main trials with a time above 0."""
    left_out: str
    """What is not among them, in words."""


def _timed(trials: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    main = main_trials(trials)
    milliseconds = main["reaction_time_ms"].to_numpy("float64", na_value=np.nan)
    answered, missing = main["answered"].to_numpy(bool), np.isnan(milliseconds)
    possible = possible_times(main)
    counts = {
        "practice": int((trials["phase"] == "practice").sum()),
        "catch": int((trials["phase"] == "catch").sum()),
        "unanswered": int((~answered).sum()),
        "without a time": int((answered & missing).sum()),
        "with an impossible time (not above 0, or infinite)": int((answered & ~missing & ~possible).sum()),
    }
    words = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    kept = main[answered & possible].reset_index(drop=True)
    kept = kept.assign(correct=(kept["is_fake"] == kept["says_fake"]).to_numpy(bool))
    return kept, f"left out: {words}" if words else ""


def _rows(data: _Data, effects: dict[str, np.ndarray], notes: list[str]) -> list[Row]:
    timed = data.trials
    participant, participants = pd.factorize(timed["participant"])
    stimulus, stimuli = pd.factorize(timed["stimulus"])
    X = np.column_stack([np.ones(len(timed)), *effects.values()]).astype(float)
    carried = provenance(timed, groups(timed, "all")).iloc[0]
    fit: LinearFit | None = None
    try:
        logs = np.log(timed["reaction_time_ms"].to_numpy("float64", na_value=np.nan))
        fit = fit_linear(logs, X, participant, stimulus)
    except NoFitError as reason:
        notes = [*notes, str(reason)]
    else:
        notes = [*notes, *_warnings(fit, len(participants), len(stimuli))]
    shared: Row = {
        "formula": f"{OUTCOME} ~ {' + '.join(effects) or '1'} + {RANDOM}",
        "n_trials": len(timed),
        "n_participants": len(participants),
        "n_stimuli": len(stimuli),
        "simulated": bool(carried["simulated"]),
        "note": "; ".join(filter(None, [*notes, data.left_out, carried["note"]])) or None,
        "fraction": carried["fraction"],
    }
    terms = ["intercept", *(_NAMES[name] for name in effects)]
    freedom = [_freedom(column, participant, stimulus) for column in X.T] if fit else [0] * len(terms)
    return [{**shared, "term": term, **_estimates(fit, place, freedom[place])} for place, term in enumerate(terms)]


def _warnings(fit: LinearFit, participants: int, stimuli: int) -> list[str]:
    few = few_groups(participants, stimuli)
    zero = " and ".join(f"the SD between {name} is estimated at 0" for name in fit.without_spread)
    return [*few, f"singular: {zero}"] if fit.singular else few


def _freedom(effect: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> int:
    """Degrees of freedom of an effect's test, from the groups that each of its values is seen in."""
    sides = [effect == value for value in np.unique(effect)]
    return min(len(np.unique(level[side])) for level in (participant, stimulus) for side in sides) - 1


def _estimates(fit: LinearFit | None, place: int, freedom: int) -> Row:
    """The numeric cells of one fixed effect; none without a fit, no interval without degrees of freedom."""
    if fit is None:
        return {}
    estimate, error = float(fit.beta[place]), float(fit.std_error[place])
    half = float(stdtrit(freedom, 0.975)) * error if freedom else np.nan
    with np.errstate(over="ignore"):
        ratio, low, high = np.exp([estimate, estimate - half, estimate + half]).tolist()
    return {
        "estimate": estimate,
        "std_error": error,
        "ratio": ratio,
        "ratio_low": low,
        "ratio_high": high,
        "p": float(2 * stdtr(freedom, -abs(estimate / error))) if place and freedom else None,
        "sd_participant": fit.sd_first,
        "sd_stimulus": fit.sd_second,
        "sd_residual": fit.sd_residual,
        "log_likelihood": fit.log_likelihood,
        "singular": fit.singular,
    }
