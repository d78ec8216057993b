"""How long do people take? Medians, quartiles and geometric means of the reaction times by scope."""

import numpy as np
import pandas as pd

from gan_eval.stats.groups import Groups, groups, provenance
from gan_eval.stats.trials import answered_trials
from gan_eval.tables import KINDS, REACTION_TIMES, SCOPES
from gan_eval.tabular import conform


def reaction_times(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `model` takes the reals of the same data sets in the same sessions beside the model's fakes; scope
    `stimulus` has one truth only, so its rows are for `kind` all. Groups without a trial have no row, but the
    row for everything is always there.
    """
    answered = answered_trials(trials)
    milliseconds = answered["reaction_time_ms"].to_numpy("float64")
    impossible = int((milliseconds <= 0).sum() + np.isinf(milliseconds).sum())
    timed = answered[(milliseconds > 0) & np.isfinite(milliseconds)].reset_index(drop=True)
    table = pd.concat([_scope_times(timed, scope) for scope in SCOPES], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table, REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, scope: str) -> pd.DataFrame:
    grouped = groups(timed, scope)
    carried = provenance(timed, grouped)
    rows = pd.DataFrame(
        {
            "group": grouped.group,
            "kind": timed["kind"].to_numpy()[grouped.row],
            "correct": timed["correct"].to_numpy()[grouped.row],
            "ms": timed["reaction_time_ms"].to_numpy("float64")[grouped.row],
        }
    )
    parts = [
        _summary(rows, grouped, kind=kind, answers=answers)
        for kind in (("all",) if scope == "stimulus" else ("all", *KINDS))
        for answers in ("all", "correct", "wrong")
    ]
    table = pd.concat(parts, ignore_index=True)
    needed = (table["n"] > 0) | ((scope == "all") & (table["kind"] == "all") & (table["answers"] == "all"))
    table = table[needed].sort_values("group", kind="stable")
    position = table["group"].to_numpy()
    return table.assign(
        scope=scope,
        id=[grouped.ids[number] for number in position],
        simulated=carried["simulated"].to_numpy()[position],
        fraction=carried["fraction"].to_numpy()[position],
        note=[carried["note"][number] or None for number in position],
    ).drop(columns="group")


def _summary(rows: pd.DataFrame, grouped: Groups, *, kind: str, answers: str) -> pd.DataFrame:
    """One row a group: the trials of one truth (or all) with one kind of answer (or all)."""
    chosen = np.ones(len(rows), bool)
    if kind != "all":
        chosen &= (rows["kind"] == kind).to_numpy(bool)
    if answers != "all":
        chosen &= rows["correct"].to_numpy(bool) == (answers == "correct")
    part = rows[chosen]
    size = range(len(grouped.ids))
    by_group = part.groupby("group")["ms"]
    quartiles = by_group.quantile([0.25, 0.5, 0.75]).unstack().reindex(size)  # noqa: PD010
    logs = np.log(part["ms"]).groupby(part["group"]).mean().reindex(size)
    return pd.DataFrame(
        {
            "group": np.arange(len(size)),
            "kind": kind,
            "answers": answers,
            "n": by_group.size().reindex(size, fill_value=0).to_numpy(),
            "median_ms": quartiles.get(0.5, pd.Series(np.nan, size)).to_numpy(),
            "q25_ms": quartiles.get(0.25, pd.Series(np.nan, size)).to_numpy(),
            "q75_ms": quartiles.get(0.75, pd.Series(np.nan, size)).to_numpy(),
            "geometric_mean_ms": np.exp(logs).to_numpy(),
        }
    )
