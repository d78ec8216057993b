"""Strengths of models and real pictures from choices between two."""

from gan_eval.report.parts.chart import Span, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, between, known_as, of, view_of
from gan_eval.report.parts.words import Record, View, number, percent, text, whole
from gan_eval.report.people.figures import MOST_GROUPS, Picture, picture
from gan_eval.tables import BRADLEY_TERRY


def strength_views(folder: StudyFolder) -> list[View]:
    """The Bradley–Terry model, data set by data set, the strongest first."""
    table = folder.table(BRADLEY_TERRY).sort_values(["dataset", "strength"], ascending=[True, False], kind="stable")
    columns = {
        "data set": of(text, "dataset"),
        "contestant": known_as({"real": "real pictures"}, "contestant"),
        "pairs": of(whole, "n"),
        "chosen": of(whole, "wins"),
        "strength (log-odds)": of(number, "strength"),
        "standard error": of(number, "std_error"),
        INTERVAL: between(),
        "chosen beside the average": of(percent, "win_share"),
    }
    told = (
        "Bradley & Terry (1952); the strengths of a data set sum to 0; standard errors clustered by participant and "
        "item."
    )
    caption = "Strengths from choices between two"
    return view_of(caption, table, columns, text_columns=2, notes=[told], label="contestant", source="bradley_terry")


def strength_figures(folder: StudyFolder) -> list[Picture]:
    """Strengths with their intervals, a figure for each data set."""
    table = folder.table(BRADLEY_TERRY)
    table = table[table["ci_low"].notna() & table["ci_high"].notna()]
    found = []
    for place, (dataset, part) in enumerate(table.groupby("dataset", dropna=False, sort=True)):
        shown = part.sort_values("strength", ascending=False, kind="stable").head(MOST_GROUPS)
        groups = [
            (
                "real pictures" if row["contestant"] == "real" else str(row["contestant"]),
                [Span(_series(row), row["strength"], row["ci_low"], row["ci_high"])],
            )
            for row in shown.to_dict("records")
        ]
        found.append(
            picture(
                f"Strength on {dataset}" if isinstance(dataset, str) else "Strength",
                spans_figure(groups, axis="strength, log-odds", reference=0, limits=None),
                name=f"strength-{place}",
                caption="Bars: 95 % intervals. Dashed: the average contestant. Further right: chosen more often.",
                alternative="; ".join(f"{name}: {number(span.value)}" for name, (span,) in groups),
            )
        )
    return found


def _series(row: Record) -> str:
    return "real" if row["contestant"] == "real" else "fake"
