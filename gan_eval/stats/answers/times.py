"""Reaction times by scope, truth and answer."""

from itertools import product

import numpy as np
import pandas as pd

from gan_eval.stats.groups import Codes, groups, provenance
from gan_eval.stats.shares import proportion
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

_CELLS = tuple(product(KINDS, ("wrong", "correct")))


def reaction_times(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `stimulus` has one truth, so its rows are for `kind` all. Only the row for everything may have no trial.
    """
    answered = answered_trials(trials)
    times = answered["reaction_time_ms"].to_numpy("float64")
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(times)).sum())
    timed = answered[possible].sort_values("reaction_time_ms", kind="stable", ignore_index=True)
    codes = Codes(timed)
    scopes = SCOPES if len(timed) else ("all",)
    table = pd.concat([_scope_times(timed, codes, scope) for scope in scopes], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table, REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, codes: Codes, scope: str) -> pd.DataFrame:
    """Return the rows of one scope of trials in the order of their times."""
    grouped = groups(timed, scope, codes)
    size = len(grouped.ids)
    # runs of rows and small whole numbers sort several times faster than times
    order = np.lexsort((grouped.row, grouped.group.astype(np.min_scalar_type(size))))
    group, row = grouped.group[order], grouped.row[order]
    times, is_fake, correct = (timed[name].to_numpy()[row] for name in ("reaction_time_ms", "is_fake", "correct"))
    cell = 2 * is_fake + correct
    counts, logs = (
        np.bincount(4 * group + cell, weights, 4 * size).reshape(size, 4) for weights in (None, np.log(times))
    )
    parts = []
    for kind, answers in product(("all",) if scope == "stimulus" else ("all", *KINDS), ("all", "correct", "wrong")):
        cells = np.array([kind in ("all", name) and answers in ("all", right) for name, right in _CELLS])
        own, n = times[cells[cell]], counts[:, cells].sum(axis=1)
        summary = pd.DataFrame(
            {
                "scope": scope,
                "id": grouped.ids,
                "kind": kind,
                "answers": answers,
                "n": n,
                "median_ms": _quantile(own, n, 0.5),
                "q25_ms": _quantile(own, n, 0.25),
                "q75_ms": _quantile(own, n, 0.75),
                "geometric_mean_ms": np.exp(proportion(logs[:, cells].sum(axis=1), n)),
            }
        )
        always = scope == "all" and kind == "all" and answers == "all"
        parts.append(summary if always else summary[n > 0])
    table = pd.concat(parts).sort_index(kind="stable")  # by group
    return table.join(provenance(timed, grouped, codes))


def _quantile(ordered: np.ndarray, n: np.ndarray, q: float) -> np.ndarray:
    """Linear quantile of each of consecutive groups of n (G,) ascending values; NaN for an empty group."""
    place = q * np.maximum(n - 1, 0)
    start, low = np.cumsum(n) - n, np.floor(place).astype(int)
    last = np.maximum(len(ordered) - 1, 0)
    padded = ordered if len(ordered) else np.array([np.nan])
    below = padded[np.minimum(start + low, last)]
    above = padded[np.minimum(start + np.minimum(low + 1, np.maximum(n - 1, 0)), last)]
    return np.where(n > 0, below + (place - low) * (above - below), np.nan)
