"""Which trials an analysis looks at: missing columns filled, main trials of single pictures, answered ones."""

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.tables import TRIALS
from gan_eval.tabular import conform

NEEDED = ("participant", "stimulus", "kind", "response")
"""What no rule can fill."""


def fill_trials(frame: pd.DataFrame, *, where: str = "trials") -> pd.DataFrame:
    """A trials table from any frame that has at least participant, stimulus, kind and response.

    Filled where absent: session = participant, trial = order within the session, phase = main, simulated = false,
    correct = whether response and kind agree; every other column is empty.

    Raises:
        UserError: a needed column is absent, or a cell is not what the schema wants.
    """
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise UserError(
            f"{where}: column {missing[0]} is missing; rename a column or map one (--map {missing[0]}=COLUMN)"
        )
    frame = frame.copy()
    if "session" not in frame:
        frame["session"] = frame["participant"]
    if "trial" not in frame:
        frame["trial"] = frame.groupby("session", dropna=False).cumcount() + 1
    if "phase" not in frame:
        frame["phase"] = "main"
    if "simulated" not in frame:
        frame["simulated"] = False
    computed = "correct" not in frame
    for name in TRIALS.names:
        if name not in frame:
            frame[name] = pd.Series(pd.NA, index=frame.index, dtype="object")
    result = conform(frame, TRIALS, where=where)
    if computed:
        result["correct"] = _agreement(result)
    return result


def main_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Main trials of single pictures with a known truth, answered or not.

    Three columns are added: `is_fake`, `says_fake` and `answered` (bool, no missing values).
    """
    single = (trials["phase"] == "main") & trials["kind"].notna() & trials["choice"].isna()
    main = trials[single].reset_index(drop=True)
    return main.assign(
        is_fake=(main["kind"] == "fake").to_numpy(bool),
        says_fake=(main["response"] == "fake").to_numpy(bool),
        answered=main["response"].isin(["real", "fake"]).to_numpy(bool),
    )


def answered_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """The answered ones of `main_trials`, with `correct` computed from kind and response as a plain bool."""
    main = main_trials(trials)
    main = main[main["answered"]].reset_index(drop=True)
    return main.assign(correct=(main["is_fake"] == main["says_fake"]).to_numpy(bool))


def _agreement(trials: pd.DataFrame) -> pd.Series:
    judged = trials["kind"].notna() & trials["response"].isin(["real", "fake"])
    agrees = (trials["kind"] == trials["response"]).to_numpy(bool)
    return pd.Series(np.where(judged, agrees, False), index=trials.index, dtype="boolean").mask(~judged)
