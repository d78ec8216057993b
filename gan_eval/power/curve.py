"""The curve of power over participants, as an SVG file of its own."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG

from gan_eval.power.planning import PowerPlan
from gan_eval.report.parts.chart import STYLE, panel

INK, MUTED, GRID, PAPER = "#1a1a1a", "#5c5c5c", "#d9d9d9", "#ffffff"
COLOURS = ("#0b61a4", "#b5460f", "#2e7d32", "#7b3fa0", "#8a6d00", "#00797a")
MARKERS = ("o", "s", "D", "^", "v", "P")
_TICKS = ("xtick.color", "ytick.color", "xtick.labelcolor", "ytick.labelcolor")
_PLAIN: dict[Any, Any] = {
    **STYLE,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    **dict.fromkeys(_TICKS, INK),
}


def power_curve(plan: PowerPlan) -> str:
    """Power with its interval for each question, its ceiling dashed, and the target; the same plan, the same text."""
    with mpl.rc_context(_PLAIN):
        figure, axes = panel(3.2 + 0.2 * len(plan.questions))
        figure.patch.set_facecolor(PAPER)
        for number, question in enumerate(plan.questions):
            _draw(axes, plan, question.name, COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)])
        axes.axhline(100 * plan.target, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
        axes.set_ylim(0, 102)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.set_xlabel("people")
        axes.set_ylabel("power, %")
        title = f"Dashed: no limit of people. Dotted: {100 * plan.target:.0f} %"
        figure.legend(loc="outside lower center", ncols=1, title=title, title_fontsize=8, fontsize=8)
        buffer = io.StringIO()
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
        return buffer.getvalue()


def _draw(axes: Axes, plan: PowerPlan, name: str, colour: str, marker: str) -> None:
    mine = plan.table[plan.table["question"] == name]
    mine = mine[mine["stimuli"] == mine["stimuli"].iloc[0]]
    tried = mine[mine["participants"].notna()].sort_values("participants")
    people, power = tried["participants"].to_numpy(float), 100 * tried["power"].to_numpy(float)
    low, high = (100 * tried[column].to_numpy(float) for column in ("ci_low", "ci_high"))
    label = name.replace("$", r"\$")
    axes.fill_between(people, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(people, power, color=colour, marker=marker, markersize=4.5, label=label)
    axes.axhline(100 * plan.ceilings[name], color=colour, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
