"""The runs behind the values, their weights, and what has no value."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.report.metrics.data import Measured
from gan_eval.report.parts.words import NOTHING, View, listed, missing, plural, text, whole

MOST_LEFT_OUT = 20
"""Reasons told of what was left out."""


def runs_view(measured: Measured) -> list[View]:
    """The runs as a table."""
    rows = [
        [
            _instant(row["started_at"]),
            _instant(row["ended_at"]),
            text(row["device"]),
            whole(row["threads"]),
            text(row["seed"]),
            text(row["resizer"]),
            *(NOTHING if missing(row[name]) else str(row[name])[:12] for name in ("settings_hash", "input_hash")),
            text(row["run"]),
            text(row["software"]),
        ]
        for _, row in measured.runs.iterrows()
    ]
    if not rows:
        return []
    head = [
        "started, UTC", "ended, UTC", "device", "threads", "seed", "resizer", "settings, SHA-256", "pictures, SHA-256",
        "run", "software",
    ]  # fmt: skip
    return [View("Runs", head, rows, text_columns=3, last_is_text=True)]


def _instant(value: object) -> str:
    """An instant to the second.

    >>> _instant("2026-01-31T12:00:00.123Z")
    '2026-01-31 12:00:00'
    """
    return text(value)[:19].replace("T", " ")


def left_out_view(measured: Measured) -> list[View]:
    """What has no value: each reason with its count, its metrics, and where."""
    pictures = measured.images.loc[measured.images["value"].isna(), ["stimulus", "metric", "reason"]]
    sets = measured.sets.loc[measured.sets["value"].isna(), ["dataset", "model", "metric", "reason"]]
    sets = sets.assign(stimulus=sets["dataset"].astype(str) + ", set of " + sets["model"].astype(str))
    table = pd.concat([pictures.astype(object), sets[["stimulus", "metric", "reason"]].astype(object)])
    groups = list(table.fillna({"reason": "no reason given"}).groupby("reason", sort=False))
    if not groups:
        return []
    groups.sort(key=lambda group: -len(group[1]))
    rows = [
        [
            whole(len(group)),
            listed(list(dict.fromkeys(group["metric"]))),
            _first(list(dict.fromkeys(group["stimulus"]))),
            str(reason),
        ]
        for reason, group in groups[:MOST_LEFT_OUT]
    ]
    more = len(groups) - MOST_LEFT_OUT
    notes = [f"{plural(more, 'more reason')}; the tables name all."] if more > 0 else []
    return [
        View(
            f"Without a value: {whole(len(table))}",
            ["values", "metrics", "of", "reason"],
            rows,
            text_columns=3,
            notes=notes,
            last_is_text=True,
        )
    ]


def _first(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    shown = ", ".join(names[:2])
    return shown if len(names) <= 2 else f"{shown} and {whole(len(names) - 2)} more"
