"""How long do people take, beyond these people and these pictures? Log-normal mixed models of reaction times.

Reaction times are skewed and their effects multiply, so their logarithm is modelled (Baayen & Milin 2010,
International Journal of Psychological Research 3(2), 12-28; van der Linden 2006, Journal of Educational and Behavioral
Statistics 31, 181-204).
"""

import numpy as np
import pandas as pd

from gan_eval.stats.clustering import freedom, side_of, t_critical, two_sided_p
from gan_eval.stats.groups import provenance_cells
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.mixed.limits import few_groups, too_many
from gan_eval.stats.mixed.linear import fit_linear
from gan_eval.stats.trials import main_trials, possible_times
from gan_eval.tables.schema import PROVENANCE, Table, boolean, ends, integer, number, text
from gan_eval.tabular import Row, frame_of

REACTION_TIME_MODELS = Table(
    "reaction_time_models",
    "Log-normal mixed models of reaction times with crossed random intercepts for participants and stimuli.",
    (
        text("formula", "the model", filled=True),
        text("term", "the fixed effect", filled=True),
        number("estimate", "on the natural log of milliseconds"),
        number("std_error", "its standard error"),
        number("ratio", "exp(estimate); of the intercept: milliseconds"),
        *ends("ratio", "its 95 % interval, by Student's t as `p`"),
        number(
            "p",
            "two-sided Wald test by Student's t with one degree of freedom fewer than the smallest number of "
            "participants or stimuli behind either side of the effect; empty for the intercept",
        ),
        number("sd_participant", "standard deviation of the participants' intercepts"),
        number("sd_stimulus", "standard deviation of the stimuli's intercepts"),
        number("sd_residual", "standard deviation within"),
        number("log_likelihood", "restricted maximum likelihood"),
        integer("n_trials", "trials with an answer and a reaction time"),
        integer("n_participants", "participants"),
        integer("n_stimuli", "stimuli"),
        boolean("singular", "an SD is estimated at 0, or a correlation at -1 or 1; the note tells which"),
        *PROVENANCE,
    ),
    key=("formula", "term"),
)

OUTCOME = "log(reaction_time_ms)"
RANDOM = "(1|participant) + (1|stimulus)"
_TERMS = {"kind": "kind[real]", "correct": "correct[yes]"}


def reaction_time_models(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `reaction_time_models`: the typical time, and how truth and rightness change it.

    Two models, each fitted by restricted maximum likelihood (`mixed.linear`): `~ 1`, whose intercept is the
    typical participant's typical picture, and `~ kind + correct`, whose intercept is a fake that was judged wrongly. A
    fixed effect that does not vary (no reals; no errors) is left out of the second model's formula, and its note says
    so. Tests and intervals are Wald's, by Student's t with one degree of freedom fewer than the smallest number of
    participants or pictures behind either side of the effect (of the intercept: of all): the normal distribution calls
    7 % of effects of pictures that are not there different with 20 participants and 30 pictures.

    Practice and catch trials, and main trials without an answer, without a time, or with a time that is not above 0 or
    infinite, are left out and counted in the note. Where there can be no estimate, or there are too many trials
    (`mixed.limits`), the note says why.

    Args:
        trials: the table `trials`.
    """
    main = main_trials(trials)
    milliseconds = main["reaction_time_ms"].to_numpy("float64", na_value=np.nan)
    answered, missing, possible = main["answered"].to_numpy(bool), np.isnan(milliseconds), possible_times(main)
    counts = {
        "practice": int((trials["phase"] == "practice").sum()),
        "catch": int((trials["phase"] == "catch").sum()),
        "unanswered": int((~answered).sum()),
        "without a time": int((answered & missing).sum()),
        "with an impossible time (not above 0, or infinite)": int((answered & ~missing & ~possible).sum()),
    }
    excluded = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    note = f"left out: {excluded}" if excluded else ""
    timed = main[answered & possible].reset_index(drop=True)
    is_fake, says_fake = (timed[name].to_numpy(bool) for name in ("is_fake", "says_fake"))
    effects = {"kind": ~is_fake, "correct": is_fake == says_fake}
    varying = {name: values for name, values in effects.items() if len(np.unique(values)) == 2}
    why_not = too_many(len(trials))
    rows = _rows(timed, {}, [], note, why_not)
    if varying:
        constant = [f"{name} does not vary: left out of the model" for name in effects if name not in varying]
        rows += _rows(timed, varying, constant, note, why_not)
    return frame_of(rows, REACTION_TIME_MODELS)


def _rows(
    timed: pd.DataFrame, effects: dict[str, np.ndarray], notes: list[str], excluded: str, why_not: str
) -> list[Row]:
    """The rows of one model: its intercept and the effects (N,) bool; without estimates where it cannot be fitted."""
    participant, participants = pd.factorize(timed["participant"])
    stimulus, stimuli = pd.factorize(timed["stimulus"])
    X = np.column_stack([np.ones(len(timed)), *effects.values()]).astype(float)
    rows: list[Row] = [{"term": term} for term in ("intercept", *(_TERMS[name] for name in effects))]
    try:
        if why_not:
            raise NoFitError(why_not)
        logs = np.log(timed["reaction_time_ms"].to_numpy("float64", na_value=np.nan))
        fit = fit_linear(logs, X, participant, stimulus)
    except NoFitError as reason:
        notes = [*notes, str(reason)]
    else:
        notes = [*notes, *few_groups(len(participants), len(stimuli))]
        if fit.singular:
            zero = " and ".join(f"the SD between {name} is estimated at 0" for name in fit.without_spread)
            notes.append(f"singular: {zero}")
        for place, row in enumerate(rows):
            estimate, error = float(fit.beta[place]), float(fit.std_error[place])
            df = freedom(participant, stimulus, side=side_of(X[:, place]))
            half_width = float(t_critical(df)) * error
            with np.errstate(over="ignore"):
                ratio, low, high = np.exp([estimate, estimate - half_width, estimate + half_width]).tolist()
            row |= {
                "estimate": estimate,
                "std_error": error,
                "ratio": ratio,
                "ratio_low": low,
                "ratio_high": high,
                "p": float(two_sided_p(estimate, error, df)) if place and df else None,
                "sd_participant": fit.sd_first,
                "sd_stimulus": fit.sd_second,
                "sd_residual": fit.sd_residual,
                "log_likelihood": fit.log_likelihood,
                "singular": fit.singular,
            }
    shared = {
        "formula": f"{OUTCOME} ~ {' + '.join(effects) or '1'} + {RANDOM}",
        "n_trials": len(timed),
        "n_participants": len(participants),
        "n_stimuli": len(stimuli),
        **provenance_cells(timed, *notes, excluded),
    }
    return [shared | row for row in rows]
