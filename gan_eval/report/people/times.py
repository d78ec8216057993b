"""How long did they take? Reaction times."""

from collections.abc import Sequence

from gan_eval.report.parts.blocks import Charts, Section
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, table_of
from gan_eval.report.parts.words import milliseconds, whole
from gan_eval.stats.answers.times import REACTION_TIMES

_PICTURES = {"all": "all", "real": "real", "fake": "generated"}


def times_section(folder: StudyFolder) -> Section:
    """Return the chart and the table of reaction times."""
    frame = folder.table(REACTION_TIMES)
    if len(frame):
        whole_rows = frame[(frame["kind"] == "all") & (frame["answers"] == "all")]
        datasets, everything = (whole_rows.loc[whole_rows["scope"] == name, "n"] for name in ("dataset", "all"))
        one_holds_all = len(datasets) == 1 and (everything.empty or datasets.sum() == everything.sum())
        scopes = ["dataset"] if one_holds_all else ["all", "dataset"]
        not_crossed = (frame["kind"] == "all") | (frame["answers"] == "all")
        frame = frame[frame["scope"].isin(scopes) & (frame["n"] > 0) & not_crossed]
    reaction_columns = {
        "group": lambda row: "everything" if row["scope"] == "all" else row["id"],
        "pictures": lambda row: _PICTURES[row["kind"]],
        "answers": lambda row: row["answers"],
        "n": cell(whole, "n"),
        "median": cell(milliseconds, "median_ms"),
        "quartiles": lambda row: f"{milliseconds(row['q25_ms'])} to {milliseconds(row['q75_ms'])}",
        "geometric mean": cell(milliseconds, "geometric_mean_ms"),
    }
    reaction = table_of("Reaction times", frame, reaction_columns, text_columns=3, label="id", source="reaction_times")
    charts = Charts(reaction_charts(folder))
    blocks = [charts, *reaction]
    return Section("times", "How long did they take?", blocks)


def reaction_charts(folder: StudyFolder) -> list[Chart]:
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
    alternatives = []
    for name, rows in list(table.groupby("id", sort=True))[:MOST_GROUPS]:
        spans = [
            Span(row["kind"], *(row[f"{name}_ms"] / 1000 for name in ("median", "q25", "q75")))._replace(
                label=_PICTURES[str(row["kind"])]
            )
            for kind in ("real", "fake", "all")
            for _, row in rows[rows["kind"] == kind].iterrows()
        ]
        title = "everything" if name == "all" else str(name)
        groups.append((title, spans))
        median = rows.loc[rows["kind"] == "all", "median_ms"]
        alternatives.append(f"{title}: median {milliseconds(median.iloc[0]) if len(median) else 'unknown'}")
    return [
        chart_of(
            "Reaction times",
            spans_figure(groups, axis="seconds after onset"),
            name="reaction",
            caption="Marks: medians; bars: the middle half of the answers." + first_of(table["id"].nunique()),
            alternative="; ".join(alternatives),
        )
    ]
