"""The curve of power over participants, as an SVG file of its own."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd

from gan_eval.report.parts.chart import STYLE, panel, svg_text
from gan_eval.report.parts.palette import GRID, INK, MUTED, Palette

_PALETTE = Palette({INK: "#1a1a1a", MUTED: "#5c5c5c", GRID: "#d9d9d9"}, background="white")
_COLOURS = ("#0b61a4", "#b5460f", "#2e7d32", "#7b3fa0", "#8a6d00", "#00797a")
_MARKERS = ("o", "s", "D", "^", "v")  # no multiple of the colours: thirty lines differ
_DARK_TICKS: dict[Any, Any] = dict.fromkeys(("xtick.color", "ytick.color", "xtick.labelcolor", "ytick.labelcolor"), INK)


def power_curve(table: pd.DataFrame, *, questions: Sequence[str], target: float) -> str:
    """Power with its interval for each question, and the target; equal input, equal text.

    Args:
        table: the table `power`.
        questions: in the order of the legend.
        target: the power (0..1) that is wanted.
    """
    with mpl.rc_context({**STYLE, **_DARK_TICKS}):
        figure, axes = panel(3.2 + 0.2 * len(questions))
        for number, question in enumerate(questions):
            colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
            rows = table[table["question"] == question]
            rows = rows[rows["stimuli"] == rows["stimuli"].iloc[0]]
            rows = rows.sort_values("participants")
            participants = rows["participants"].to_numpy(float)
            power, low, high = (100 * rows[name].to_numpy(float) for name in ("power", "ci_low", "ci_high"))
            label = question.replace("$", r"\$")
            axes.fill_between(participants, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(participants, power, color=colour, marker=marker, markersize=4.5, label=label)
        axes.axhline(100 * target, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
        axes.set_ylim(0, 102)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.set_xlabel("people")
        axes.set_ylabel("power, %")
        title = f"Dotted: {100 * target:.0f} %"
        figure.legend(loc="outside lower center", ncols=1, title=title, title_fontsize=8, fontsize=8)
    return svg_text(figure, _PALETTE)
