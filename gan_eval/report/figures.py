"""The report's figures: which numbers are drawn, and what their captions and alternatives in words say."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from gan_eval.report.charts import Span, spans_chart
from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import milliseconds, percent
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


_SHARES = {
    "real": ("real_correct", "real_low", "real_high"),
    "fake": ("fake_correct", "fake_low", "fake_high"),
    "all": ("accuracy", "accuracy_low", "accuracy_high"),
}


def rates_figures(folder: StudyFolder) -> list[Picture]:
    """Shares of right answers on reals, on fakes and on all: by data set; by model where a data set has several; by
    exposure where there are several."""
    everything, datasets, models, exposures = (folder.scope(name) for name in ("all", "dataset", "model", "exposure"))
    if everything.empty or pd.isna(everything.iloc[0]["accuracy"]):
        return []
    overall = datasets if len(datasets) == 1 else pd.concat([everything, datasets])
    found = [_rates_figure(overall, "Right answers by data set" if len(datasets) else "Right answers", "rates")]
    if len(models) > max(len(datasets), 1):
        found.append(_rates_figure(models, "Right answers by model", "rates-models"))
    if len(exposures) > 1:
        found.append(_rates_figure(exposures, "Right answers by exposure in milliseconds", "rates-exposures"))
    return found


def _rates_figure(rates: pd.DataFrame, title: str, name: str) -> Picture:
    groups: list[tuple[str, Sequence[Span]]] = []
    said = []
    for _, row in rates.head(MOST_GROUPS).iterrows():
        group = "everything" if row["scope"] == "all" else str(row["id"])
        spans = [
            Span(series, *(100 * row[column] for column in columns))
            for series, columns in _SHARES.items()
            if not pd.isna(row[columns[0]])
        ]
        if spans:
            groups.append((group, spans))
            said.append(
                f"{group}: real {percent(row['real_correct'])}, generated {percent(row['fake_correct'])}, "
                f"all {percent(row['accuracy'])}"
            )
    return Picture(
        title=title,
        svg=Markup(spans_chart(groups, axis="right answers, %", name=name, reference=50)),
        caption="Circles: real pictures; squares: generated; diamonds: all. Bars: Wilson 95 % intervals. "
        "Dashed: guessing.",
        alternative="; ".join(said),
    )


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
        Picture(
            title="Reaction times",
            svg=Markup(spans_chart(groups, axis="seconds after onset", name="reaction")),
            caption="Circles: real pictures; squares: generated; diamonds: all. Marks: medians; bars: quartiles.",
            alternative="; ".join(said),
        )
    ]
