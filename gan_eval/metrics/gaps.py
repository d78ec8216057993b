"""What could not be measured, in lines for the user."""

from collections.abc import Mapping

import pandas as pd


def missing_values(frames: Mapping[str, pd.DataFrame], *, most: int = 20) -> list[str]:
    """A line for each picture or set without a value, with its metrics and the reason.

    Args:
        frames: the tables `image_metrics` and `set_metrics` by name.
        most: so many lines at the most; one more then counts the rest.
    """
    images, sets = frames["image_metrics"], frames["set_metrics"]
    named = [
        images[["metric", "value", "reason"]].assign(of=images["stimulus"]),
        sets[["metric", "value", "reason"]].assign(of=sets["model"] + " on " + sets["dataset"]),
    ]
    gaps: dict[tuple[str, str], list[str]] = {}
    for frame in named:
        for row in frame[frame["value"].isna()].itertuples():
            gaps.setdefault((str(row.of), str(row.reason)), []).append(str(row.metric))
    lines = [f"{of}: no {', '.join(metrics)}: {reason}" for (of, reason), metrics in gaps.items()]
    return lines[:most] + ([f"... and {len(lines) - most} more, see the tables"] if len(lines) > most else [])
