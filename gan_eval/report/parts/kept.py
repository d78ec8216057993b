"""The trials that the tables rest on: those in trials.csv, without what rules left out."""

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.stats.rules import parse_rule
from gan_eval.tables import PARTICIPATION


def kept_trials(folder: StudyFolder) -> pd.DataFrame:
    """The trials of participants who were not left out, without those that a rule on trials names.

    The rules are read from `participation`: whoever is not left out altogether can only be named there by a rule on
    trials. A rule that these trials cannot be asked leaves nothing out.
    """
    trials, table = folder.answers(), folder.table(PARTICIPATION)
    if trials.empty or table.empty:
        return trials
    out = table["excluded"].fillna(False).astype(bool)
    named = table.loc[~out, "rule"].dropna().astype(str)
    rules = dict.fromkeys(rule for cell in named for rule in cell.split("; "))
    dropped = trials["participant"].isin(table.loc[out, "participant"]).to_numpy(bool)
    for rule in rules:
        dropped = dropped | _holds(rule, trials)
    return trials[~dropped].reset_index(drop=True)


def _holds(rule: str, trials: pd.DataFrame) -> np.ndarray:
    try:
        return parse_rule(rule).holds(trials, where="trials")
    except UserError:
        return np.zeros(len(trials), bool)
