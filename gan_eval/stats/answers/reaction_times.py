"""How long do people take? Medians, quartiles and geometric means of the reaction times by scope."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gan_eval.stats.groups import Codes, groups, provenance
from gan_eval.stats.shares import share
from gan_eval.stats.trials import answered_trials, possible_times
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
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(milliseconds)).sum())
    timed = answered[possible].reset_index(drop=True)
    codes = Codes(timed)
    table = pd.concat([_scope_times(timed, codes, scope) for scope in SCOPES], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table, REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, codes: Codes, scope: str) -> pd.DataFrame:
    grouped = groups(timed, scope, codes)
    carried = provenance(timed, grouped, codes)
    times = timed["reaction_time_ms"].to_numpy("float64")[grouped.row]
    order = np.lexsort((times, grouped.group))
    row = grouped.row[order]
    ordered = _Ordered(
        group=grouped.group[order],
        is_fake=timed["is_fake"].to_numpy(bool)[row],
        correct=timed["correct"].to_numpy(bool)[row],
        milliseconds=times[order],
        size=len(grouped.ids),
    )
    parts = [
        _summary(ordered, kind=kind, answers=answers)
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
        note=carried["note"].mask(carried["note"] == "").to_numpy()[position],
    ).drop(columns="group")


@dataclass(frozen=True)
class _Ordered:
    """Reaction times (M,) in the order of group, then time."""

    group: np.ndarray
    is_fake: np.ndarray
    correct: np.ndarray
    milliseconds: np.ndarray
    size: int
    """Number of groups."""


def _summary(ordered: _Ordered, *, kind: str, answers: str) -> pd.DataFrame:
    """One row a group: the trials of one truth (or all) with one kind of answer (or all)."""
    chosen = np.ones(len(ordered.group), bool)
    if kind != "all":
        chosen &= ordered.is_fake == (kind == "fake")
    if answers != "all":
        chosen &= ordered.correct == (answers == "correct")
    group, milliseconds = ordered.group[chosen], ordered.milliseconds[chosen]
    n = np.bincount(group, minlength=ordered.size)
    logs = np.bincount(group, np.log(milliseconds), ordered.size)
    return pd.DataFrame(
        {
            "group": np.arange(ordered.size),
            "kind": kind,
            "answers": answers,
            "n": n,
            "median_ms": _quantile(milliseconds, n, 0.5),
            "q25_ms": _quantile(milliseconds, n, 0.25),
            "q75_ms": _quantile(milliseconds, n, 0.75),
            "geometric_mean_ms": np.exp(share(logs, n)),
        }
    )


def _quantile(ordered: np.ndarray, n: np.ndarray, q: float) -> np.ndarray:
    """Linear quantile of each of consecutive groups of n (G,) ascending values; NaN for an empty group."""
    place = q * np.maximum(n - 1, 0)
    start, low = np.cumsum(n) - n, np.floor(place).astype(int)
    last = np.maximum(len(ordered) - 1, 0)
    padded = ordered if len(ordered) else np.array([np.nan])
    below = padded[np.minimum(start + low, last)]
    above = padded[np.minimum(start + np.minimum(low + 1, np.maximum(n - 1, 0)), last)]
    return np.where(n > 0, below + (place - low) * (above - below), np.nan)
