"""The report's figures: which numbers are drawn, and what their captions and alternatives in words say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from gan_eval.report.parts.chart import Span, on_page, shorter, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.words import BASES_TOLD, milliseconds, percent
from gan_eval.tables import REACTION_TIMES

MOST_GROUPS = 12


@dataclass(frozen=True)
class Picture:
    """A figure for the page."""

    title: str
    svg: Markup
    caption: str
    alternative: str
    """What is to be seen, for whoever does not see it."""
    legend: Sequence[tuple[str, str]] = ()
    """Name, and the style of its line."""
    wide: bool = False
    """Takes the page's whole width."""
    name: str = ""
    """Of its files; empty: it has none."""
    draw: Callable[[], Figure] | None = None
    """Gives the drawing itself; None: it has none of its own."""


def picture(title: str, figure: Figure, *, name: str, caption: str, alternative: str) -> Picture:
    """A figure of one drawing, for the page and for files of its name."""
    svg = Markup(shorter(on_page(figure, name)))
    return Picture(title=title, svg=svg, caption=caption, alternative=alternative, name=name, draw=lambda: figure)


def rates_figures(folder: StudyFolder) -> list[Picture]:
    """Shares of right answers on reals, on fakes and on both alike: by data set; by model where a data set has several;
    by exposure where there are several."""
    everything, datasets, models, exposures = (shares(folder, name) for name in ("all", "dataset", "model", "exposure"))
    if everything.empty or everything.iloc[0][["fooling_rate", "false_alarm_rate"]].isna().all():
        return []
    overall = datasets if len(datasets) == 1 else pd.concat([everything, datasets])
    found = [_rates_figure(overall, "Right answers by data set" if len(datasets) else "Right answers", "rates")]
    if len(models) > max(len(datasets), 1):
        found.append(_rates_figure(models, "Right answers by model", "rates-models"))
    if len(exposures) > 1:
        found.append(_rates_figure(exposures, "Right answers by exposure in milliseconds", "rates-exposures"))
    return found


def _rates_figure(table: pd.DataFrame, title: str, name: str) -> Picture:
    groups: list[tuple[str, Sequence[Span]]] = []
    said = []
    for _, row in table.head(MOST_GROUPS).iterrows():
        group = "everything" if row["scope"] == "all" else str(row["id"])
        spans = _spans(row)
        if spans:
            groups.append((group, spans))
            said.append(
                f"{group}: {', '.join(f'{_SERIES[span.series]} {percent(span.value / 100)}' for span in spans)}"
            )
    bases = dict.fromkeys(table["basis"])
    return picture(
        title,
        spans_figure(groups, axis="right answers, %", reference=50),
        name=name,
        caption="Circles: real pictures; squares: generated; diamonds: both, counting alike (balanced accuracy). Bars: "
        f"95 % intervals by {' or '.join(BASES_TOLD[basis] for basis in bases)}. Dashed: guessing.",
        alternative="; ".join(said),
    )


_SERIES = {"real": "real", "fake": "generated", "all": "both alike"}


def _spans(row: pd.Series) -> list[Span]:
    """What was judged rightly of each kind and of both, in per cent; what was not judged is left out."""
    values = {
        "real": [1 - row[f"false_alarm_rate{end}"] for end in ("", "_high", "_low")],
        "fake": [1 - row[f"fooling_rate{end}"] for end in ("", "_high", "_low")],
        "all": [row[f"balanced_accuracy{end}"] for end in ("", "_low", "_high")],
    }
    return [
        Span(series, *(100 * (share if pd.isna(end) else end) for end in (share, low, high)))
        for series, (share, low, high) in values.items()
        if not pd.isna(share)
    ]


def reaction_figures(folder: StudyFolder) -> list[Picture]:
    """Medians and quartiles of the reaction times by data set and truth."""
    table = folder.table(REACTION_TIMES)
    if table.empty:
        return []
    table = table[(table["answers"] == "all") & table["scope"].isin(["all", "dataset"]) & (table["n"] > 0)]
    if table.empty:
        return []
    if (table["scope"] == "dataset").any():
        table = table[table["scope"] == "dataset"]
    groups: list[tuple[str, Sequence[Span]]] = []
    said = []
    for name, rows in list(table.groupby("id", sort=True))[:MOST_GROUPS]:
        spans = [
            Span(row["kind"], row["median_ms"] / 1000, row["q25_ms"] / 1000, row["q75_ms"] / 1000)
            for kind in ("real", "fake", "all")
            for _, row in rows[rows["kind"] == kind].iterrows()
        ]
        title = "everything" if name == "all" else str(name)
        groups.append((title, spans))
        median = rows.loc[rows["kind"] == "all", "median_ms"]
        said.append(f"{title}: median {milliseconds(median.iloc[0]) if len(median) else 'unknown'}")
    return [
        picture(
            "Reaction times",
            spans_figure(groups, axis="seconds after onset"),
            name="reaction",
            caption="Circles: real pictures; squares: generated; diamonds: all. Marks: medians; bars: quartiles.",
            alternative="; ".join(said),
        )
    ]
