"""Shrunken estimates of single participants, without their names, and of single pictures by the crossed model."""

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan_eval.report.parts.blocks import Block, Charts, Lines, Table
from gan_eval.report.parts.chart import INK, MUTED, SERIES, STYLE, Chart, panel
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, table_of
from gan_eval.report.parts.words import listed, model_text, on_dataset, percent, plural, text, whole
from gan_eval.stats.compare.effects import EFFECTS

MAX_MODELS = 6
"""Maximum number of models that are drawn; the table's file has all."""
_SAME = 1e-6
"""Maximum difference of estimates that count as equal, because their variance is estimated as 0."""
_KINDS = {"fake": "generated pictures", "real": "real pictures"}


def effects_blocks(folder: StudyFolder) -> list[Block]:
    """Return charts of participants and pictures in the order of their estimates, and a table of participants."""
    groups = []
    named = folder.table(EFFECTS).groupby(["model", "dataset", "formula"], dropna=False, sort=False)
    for (model, dataset, formula), own in named:
        name = model_text(model) + on_dataset(dataset)
        groups.append((f"{name}, in pairs" if str(formula).startswith("right") else name, own))
    charts = [chart for place, (name, own) in enumerate(groups[:MAX_MODELS], 1) for chart in _charts(name, own, place)]
    equal = [name for name, own in groups if not _pictures(own)]
    lines = [f"No differences between the pictures of {listed(equal)} were found: their variance is estimated as 0."]
    return [Charts(charts), Lines(lines * bool(equal)), *_participants_table(groups)]


def _participants(own: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with each participant's accuracy; if the model has no slopes, the share of fakes called fake."""
    people = own[own["scope"] == "participant"]
    accuracy = people[people["measure"] == "accuracy"]
    return accuracy if len(accuracy) else people[people["kind"] == "fake"]


def _pictures(own: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return name, series and rows of each kind of picture (or of the pairs) whose estimates differ."""
    pictures = own[own["scope"] == "stimulus"]
    kinds = [(_KINDS[kind], kind, pictures[pictures["kind"] == kind]) for kind in ("fake", "real")]
    parts = [*kinds, ("pairs", "all", pictures[pictures["kind"].isna()])]
    return [part for part in parts if len(part[2]) and np.ptp(part[2]["estimate"]) > _SAME]


def _charts(name: str, own: pd.DataFrame, place: int) -> Iterator[Chart]:
    people = _participants(own)
    is_accuracy = bool((people["measure"] == "accuracy").all())
    of_pairs = bool(people["kind"].isna().all() and own.loc[own["scope"] == "stimulus", "kind"].isna().all())
    axis = "correct answers, %" if of_pairs else "balanced accuracy, %" if is_accuracy else "fakes called fake, %"
    how = (
        "ordered by their estimates. Dots: estimates by the crossed model; rings: observed shares. Estimates are "
        "shrunk towards the mean, most of all with few answers."
    )
    lines, none = " Lines: 95% intervals.", " A note below the table says why there are no intervals."
    of_people = lines if people["estimate_low"].notna().any() else none
    yield Chart(
        f"Participants: {name}",
        [_caterpillar(people, "all", axis, f"{len(people)} participants", chance=is_accuracy)],
        f"Participants, {how}{of_people} Numbers are ranks, not pseudonyms.{' Dashed: chance.' if is_accuracy else ''}",
        f"{plural(len(people), 'participant')}: {_range(people)}",
        name=f"effects-people-{place}",
    )
    pictures = _pictures(own)
    if not pictures:
        return
    has_lines = any(rows["estimate_low"].notna().any() for _, _, rows in pictures)
    yield Chart(
        f"Pictures: {name}",
        [
            _caterpillar(
                rows, series, "correct answers, %" if series == "all" else "called fake, %", f"{len(rows)} {kind}"
            )
            for kind, series, rows in pictures
        ],
        f"Pictures, {how}{lines if has_lines else none}",
        "; ".join(f"{len(rows)} {kind}: {_range(rows)}" for kind, _, rows in pictures),
        name=f"effects-pictures-{place}",
    )


def _range(rows: pd.DataFrame) -> str:
    return f"estimates from {percent(rows['estimate'].min())} to {percent(rows['estimate'].max())}"


def _caterpillar(rows: pd.DataFrame, series: str, axis: str, label: str, *, chance: bool = False) -> Figure:
    """Draw estimates with their intervals, one below the other, the highest on top."""
    ordered = rows.sort_values("estimate", ascending=False, kind="stable")
    count = len(ordered)
    observed, estimate, low, high = (
        100 * ordered[name].to_numpy(float) for name in ("observed", "estimate", "estimate_low", "estimate_high")
    )
    rank = np.arange(1, count + 1)
    height = float(np.clip(0.045 * count, 1.4, 6.0))
    row_height = 72 * height / (count + 1)  # points
    with mpl.rc_context(STYLE):
        figure, axes = panel(height + 0.8)
        if chance:
            axes.axvline(50, color=MUTED, linewidth=1.2, linestyle="--", zorder=0)
        gaps = np.full(count, np.nan)
        lines = np.stack([low, high, gaps], axis=1).ravel(), np.repeat(rank, 3)  # one path for all intervals
        axes.plot(*lines, color=SERIES[series], linewidth=float(np.clip(0.4 * row_height, 0.4, 1.8)), alpha=0.5)
        size = float(np.clip(0.8 * row_height, 1.6, 4.5))
        axes.plot(observed, rank, "o", markersize=size, markerfacecolor="none", markeredgecolor=MUTED,
                  markeredgewidth=0.5, alpha=0.8)  # fmt: skip
        axes.plot(estimate, rank, "o", markersize=size, color=SERIES[series], markeredgewidth=0)
        axes.set_ylim(count + 0.8, 0.2)
        axes.yaxis.set_major_locator(MaxNLocator(8, integer=True, steps=[1, 2, 5, 10], min_n_ticks=2))
        axes.set_yticks([1, *(place for place in axes.get_yticks() if 1 < place <= count)])
        ends = np.concatenate([low, high, observed, estimate, [50.0]])
        is_kind = series in _KINDS  # the panels of both kinds have the same scale
        axes.set_xlim(*((-2, 102) if is_kind else (max(-2, np.nanmin(ends) - 3), min(102, np.nanmax(ends) + 3))))
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.set_ylabel("rank")
        axes.set_xlabel(axis)
        axes.set_title(label, fontsize=9, color=INK)
        axes.grid(axis="x")
    return figure


def _participants_table(groups: list[tuple[str, pd.DataFrame]]) -> list[Table]:
    rows = []
    for name, own in groups:
        people = _participants(own)
        estimate, has_interval = people["estimate"], people["estimate_low"].notna().any()
        is_accuracy = (people["measure"] == "accuracy").all()
        rows.append(
            {
                "name": name,
                "n": len(people),
                "low": estimate.min(),
                "median": estimate.median(),
                "high": estimate.max(),
                "above": (people["estimate_low"] > 0.5).sum() if is_accuracy and has_interval else None,
                "note": next(iter(people["note"].dropna()), None),
            }
        )
    columns = {
        "answers to": cell(text, "name"),
        "participants": cell(whole, "n"),
        "lowest": cell(percent, "low"),
        "median": cell(percent, "median"),
        "highest": cell(percent, "high"),
        "above chance": cell(whole, "above"),
    }
    notes = [
        "Balanced accuracy of single participants (of pairs: correct answers) over many pictures: estimates of the "
        "crossed mixed model, shrunk towards the mean (Robinson 1991). Above chance: participants whose 95% "
        "interval, if they have one, lies above 50%; not corrected for their number."
    ]
    frame = pd.DataFrame(rows)
    return table_of("Participants", frame, columns, notes=notes, label="name", source=EFFECTS.name)
