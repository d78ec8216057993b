"""Can people tell, beyond these people and these pictures? Crossed mixed models of single answers.

Analyses that ignore the stimuli declare differences that are not there when everybody sees the same pictures
(Clark 1973; Judd, Westfall & Kenny 2012); random intercepts for both participants and stimuli do not
(Baayen, Davidson & Bates 2008).
"""

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gan_eval.stats.crossed import CrossedFit, NoFitError, fit_crossed
from gan_eval.stats.groups import groups, provenance
from gan_eval.stats.intervals import Z95
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import MIXED_MODELS
from gan_eval.tabular import conform

RANDOM = "(1|participant) + (1|stimulus)"
TERMS = {
    f"correct ~ 1 + {RANDOM}": ("intercept",),
    f"correct ~ kind + {RANDOM}": ("intercept", "kind[real]"),
}
"""The formulas and their fixed effects. `intercept` of the second is the fakes, `kind[real]` real minus fake."""
FEW = 6
"""Below this many groups a standard deviation is badly known."""


def mixed_models(trials: pd.DataFrame, *, link: str = "logit") -> pd.DataFrame:
    """The table `mixed_models`: each formula's fixed effects on the link's scale.

    Where there can be no estimate the row holds the counts and `note` says why.

    Args:
        trials: the table `trials`.
        link: `logit` or `probit`.
    """
    answered = answered_trials(trials)
    rows = [row for formula in TERMS for row in _rows(answered, formula, link)]
    return conform(pd.DataFrame(rows), MIXED_MODELS, where="mixed_models")


def _rows(answered: pd.DataFrame, formula: str, link: str) -> list[dict[str, object]]:
    participant, participants = pd.factorize(answered["participant"])
    stimulus, stimuli = pd.factorize(answered["stimulus"])
    is_real = (~answered["is_fake"]).to_numpy(float)
    X = np.stack([np.ones(len(answered)), is_real][: len(TERMS[formula])], axis=1)
    carried = provenance(answered, groups(answered, "all")).iloc[0]
    notes = [
        f"few {name} ({count}): their spread is badly known"
        for name, count in (("participants", len(participants)), ("stimuli", len(stimuli)))
        if 1 < count < FEW
    ]
    shared: dict[str, object] = {
        "formula": formula,
        "link": link,
        "n_trials": len(answered),
        "n_participants": len(participants),
        "n_stimuli": len(stimuli),
        "simulated": bool(carried["simulated"]),
        "fraction": carried["fraction"],
    }
    fit: CrossedFit | None = None
    try:
        fit = fit_crossed(answered["correct"].to_numpy(bool), X, participant, stimulus, link=link)
    except NoFitError as reason:
        notes = [str(reason)]
    if fit is not None and fit.singular:
        notes.append("singular: an SD is estimated at 0")
    shared["note"] = "; ".join(filter(None, [*notes, carried["note"]])) or None
    return [shared | {"term": term} | _estimates(fit, position) for position, term in enumerate(TERMS[formula])]


def _estimates(fit: CrossedFit | None, position: int) -> dict[str, object]:
    """The numeric cells of one fixed effect; empty without a fit."""
    if fit is None:
        names = (
            "estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus", "log_likelihood",
        )  # fmt: skip
        return dict.fromkeys(names, np.nan) | {"singular": None}
    estimate, error = float(fit.beta[position]), float(fit.std_error[position])
    z = estimate / error
    return {
        "estimate": estimate,
        "std_error": error,
        "z": z,
        "p": float(2 * ndtr(-abs(z))),
        "ci_low": estimate - Z95 * error,
        "ci_high": estimate + Z95 * error,
        "sd_participant": fit.sd_first,
        "sd_stimulus": fit.sd_second,
        "log_likelihood": fit.log_likelihood,
        "singular": fit.singular,
    }
