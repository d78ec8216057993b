"""How long did they take? Reaction times, log-normal mixed models, and how speed and accuracy hang together."""

from collections.abc import Sequence

from gan_eval.report.parts.blocks import Charts, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, labelled, proportion_cell, table_of
from gan_eval.report.parts.words import Record, interval, milliseconds, missing, number, p_value, text, whole
from gan_eval.stats.answers.time_models import REACTION_TIME_MODELS
from gan_eval.stats.answers.times import REACTION_TIMES, SPEED_ACCURACY

_PICTURES = {"all": "all", "real": "real", "fake": "generated"}
_PARTS = ("quickest fifth", "second fifth", "third fifth", "fourth fifth", "slowest fifth")


def times_section(folder: StudyFolder) -> Section:
    """Reaction times and their models, then accuracy by speed."""
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
    speed = speed_charts(folder)
    accuracy = folder.table(SPEED_ACCURACY)
    by_speed = table_of(
        "Speed and accuracy",
        accuracy[accuracy["n"] > 0],
        {
            "pictures": labelled(_PICTURES, "kind"),
            "answers": cell(part_name, "part"),
            "n": cell(whole, "n"),
            "median time": cell(milliseconds, "median_ms"),
            "right (95\u202f%)": proportion_cell("accuracy", "ci_low", "ci_high"),
        },
        text_columns=2,
        notes=["Fifths of each participant's own answers, by their reaction times."],
        label="kind",
        source="speed_accuracy",
        folded=True if speed else None,
    )
    charts = Charts([*reaction_charts(folder), *speed])
    blocks = [charts, *reaction, *_model_tables(folder), *by_speed]
    return Section("times", "How long did they take?", blocks)


def _model_tables(folder: StudyFolder) -> list[Table]:
    """The log-normal mixed models."""

    def effect_interval(row: Record) -> str:
        low, high = row["ratio_low"], row["ratio_high"]
        if row["term"] == "intercept" and not missing(low):
            return f"{milliseconds(low)} to {milliseconds(high)}"
        return interval(low, high, digits=3)

    frame = folder.table(REACTION_TIME_MODELS)
    columns = {
        "model": cell(text, "formula"),
        "term": cell(text, "term"),
        "time or ratio": lambda row: (
            milliseconds(row["ratio"]) if row["term"] == "intercept" else number(row["ratio"], digits=3)
        ),
        INTERVAL: effect_interval,
        "p": cell(p_value, "p"),
        "SD participants": cell(number, "sd_participant"),
        "SD stimuli": cell(number, "sd_stimulus"),
        "SD within": cell(number, "sd_residual"),
        "answers": cell(whole, "n_trials"),
    }
    return table_of(
        "Mixed models of reaction times",
        frame if frame["n_trials"].fillna(0).any() else frame.iloc[:0],
        columns,
        text_columns=2,
        notes=["On the logarithm of the time, so effects are ratios: 1.10 is 10 % slower. The intercept is a time."],
        label="formula",
        source="reaction_time_models",
        grouped=True,
    )


def part_name(part: int) -> str:
    """A fifth of a participant's answers.

    >>> part_name(1)
    'quickest fifth'
    """
    return _PARTS[int(part) - 1] if 1 <= int(part) <= len(_PARTS) else f"part {part}"


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


def speed_charts(folder: StudyFolder) -> list[Chart]:
    """Accuracy from the quickest to the slowest fifth."""
    table = folder.table(SPEED_ACCURACY)
    table = table[table["accuracy"].notna() & table["ci_low"].notna()]
    groups, alternatives = [], []
    for part, rows in table.groupby("part", sort=True):
        by_kind = {str(row["kind"]): row for row in rows.to_dict("records")}
        spans = [
            Span(kind, *(100 * row[name] for name in ("accuracy", "ci_low", "ci_high")))._replace(label=_PICTURES[kind])
            for kind in ("real", "fake", "all")
            if (row := by_kind.get(kind))
        ]
        if spans:
            name = part_name(int(str(part)))
            groups.append((name, spans))
            values = ", ".join(f"{_PICTURES[span.series]} {span.value:.1f} % right" for span in spans)
            alternatives.append(f"{name}: {values}")
    if not groups:
        return []
    return [
        chart_of(
            "Right answers by speed",
            spans_figure(groups, axis="right answers, %", reference=50),
            name="speed-accuracy",
            caption="Fifths of each participant's own answers. Bars: 95 % intervals. Dashed: guessing.",
            alternative="; ".join(alternatives),
        )
    ]
