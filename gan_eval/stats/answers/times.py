"""Reaction times by scope, truth and answer."""

from itertools import product

import numpy as np
import pandas as pd

from gan_eval.stats.groups import Codes, groups, provenance
from gan_eval.stats.trials import answered_trials, possible_times
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import KINDS, PROVENANCE, SCOPES, Table, integer, milliseconds, text

REACTION_TIMES = Table(
    "reaction_times",
    "Reaction times of answered trials by group.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        integer("n", "number of answered trials with a reaction time", filled=True),
        milliseconds("median_ms", "median"),
        milliseconds("q25_ms", "lower quartile"),
        milliseconds("q75_ms", "upper quartile"),
        milliseconds("geometric_mean_ms", "exp of the mean log reaction time"),
        *PROVENANCE,
    ),
    key=("scope", "id", "kind", "answers"),
)


def reaction_times(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `stimulus` has one truth, so its rows are for `kind` all. Only the row for everything may have no trial.
    """
    answered = answered_trials(trials)
    times = answered["reaction_time_ms"].to_numpy("float64")
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(times)).sum())
    timed = answered[possible].reset_index(drop=True)
    codes = Codes(timed)
    scopes = SCOPES if len(timed) else ("all",)
    table = pd.concat([_scope_times(timed, codes, scope) for scope in scopes], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table.reindex(columns=list(REACTION_TIMES.names)), REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, codes: Codes, scope: str) -> pd.DataFrame:
    """Return the rows of one scope of the trials."""
    grouped = groups(timed, scope, codes)
    own = timed[["reaction_time_ms", "is_fake", "correct"]].iloc[grouped.row]
    own = own.assign(group=grouped.group, log=np.log(own["reaction_time_ms"].to_numpy("float64")))
    parts = []
    for kind, answers in product(("all",) if scope == "stimulus" else ("all", *KINDS), ("all", "correct", "wrong")):
        chosen = own[(kind == "all") | (own["is_fake"] == (kind == "fake"))]
        chosen = chosen[(answers == "all") | (chosen["correct"] == (answers == "correct"))]
        by_group = chosen.groupby("group")
        quartiles = (
            by_group["reaction_time_ms"]
            .quantile(np.array([0.25, 0.5, 0.75]))
            .unstack()
            .reindex(columns=[0.25, 0.5, 0.75])
        )
        summary = {
            "kind": kind,
            "answers": answers,
            "n": by_group.size(),
            "median_ms": quartiles[0.5],
            "q25_ms": quartiles[0.25],
            "q75_ms": quartiles[0.75],
            "geometric_mean_ms": np.exp(by_group["log"].mean()),
        }
        parts.append(pd.DataFrame(summary))
    if scope == "all" and own.empty:
        parts = [pd.DataFrame({"kind": "all", "answers": "all", "n": [0]})]
    table = pd.concat(parts).sort_index(kind="stable")  # by group
    return table.assign(scope=scope, id=[grouped.ids[place] for place in table.index]).join(
        provenance(timed, grouped, codes)
    )
