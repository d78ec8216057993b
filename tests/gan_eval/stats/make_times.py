"""Trials with reaction times from known participants and stimuli, for tests."""

import numpy as np
import pandas as pd

from gan_eval.stats.trials import fill_trials


def timed_trials(
    seed: int,
    *,
    participants: int = 20,
    stimuli: int = 30,
    each: int = 20,
    sd_participant: float = 0.3,
    sd_stimulus: float = 0.15,
    sd_residual: float = 0.35,
    slower_when_wrong: float = 0.15,
) -> pd.DataFrame:
    """Each of the participants judges `each` pictures drawn from the pool; every third picture is real."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(participants), each)
    picture = np.concatenate([rng.permutation(stimuli)[:each] for _ in range(participants)])
    is_real, right = picture % 3 == 0, rng.random(len(person)) < 0.7
    logs = 6.6 + 0.08 * is_real - slower_when_wrong * right
    logs += sd_participant * rng.normal(size=participants)[person]
    logs += sd_stimulus * rng.normal(size=stimuli)[picture] + sd_residual * rng.normal(size=len(person))
    return fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{number:03d}" for number in person],
                "stimulus": [f"faces/{number:03d}" for number in picture],
                "kind": np.where(is_real, "real", "fake"),
                "response": np.where(is_real == right, "real", "fake"),
                "reaction_time_ms": np.round(np.exp(logs), 3),
            }
        )
    )
