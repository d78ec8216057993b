"""The curve of power over participants, as an SVG file of its own."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd

from gan_eval.report.parts.chart import MUTED, STYLE, line_style, panel, svg_text


def power_curve(table: pd.DataFrame, *, questions: Sequence[str], target: float) -> str:
    """Draw power with its interval for each question, and the target; equal input gives equal text.

    Args:
        table: the table `power`.
        questions: in the order of the legend.
        target: the power (0..1) that is wanted.
    """
    with mpl.rc_context(STYLE):
        figure, axes = panel(3.2 + 0.2 * len(questions))
        for place, question in enumerate(questions):
            rows = table[table["question"] == question]
            rows = rows[(rows["stimuli"] == rows["stimuli"].iloc[0]) & rows["participants"].notna()]
            rows = rows.sort_values("participants")
            participants = rows["participants"].to_numpy(float)
            power, low, high = (100 * rows[name].to_numpy(float) for name in ("power", "ci_low", "ci_high"))
            style, label = line_style(place), question.replace("$", r"\$")
            axes.fill_between(participants, low, high, color=style["color"], alpha=0.18, linewidth=0)
            axes.plot(participants, power, marker="o", markersize=4.5, label=label, **style)
        axes.axhline(100 * target, color=MUTED, linewidth=1, linestyle=":", zorder=0)
        axes.set_ylim(0, 102)
        axes.set_xlim(left=0)
        axes.grid(axis="y")
        axes.set_xlabel("participants")
        axes.set_ylabel("power, %")
        figure.legend(loc="outside lower center", title=f"Dotted: {100 * target:.0f} %", title_fontsize=8, fontsize=8)
    return svg_text(figure)
