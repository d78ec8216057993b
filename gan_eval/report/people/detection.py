"""Signal detection with intervals, and HYPE scores: figures and tables."""

import pandas as pd

from gan_eval.report.parts.chart import Span, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, Cell, between, filled, known_as, of, share, view_of
from gan_eval.report.parts.words import (
    BASES,
    BASES_TOLD,
    NARROW,
    NOTHING,
    Record,
    View,
    interval,
    missing,
    number,
    text,
    whole,
)
from gan_eval.report.people.figures import MOST_GROUPS, Picture, picture
from gan_eval.report.people.rates import SCOPE_NAMES, informative_scopes
from gan_eval.tables import DETECTION, HYPE


def detection_sentences(folder: StudyFolder) -> list[str]:
    """How to read the section."""
    if pooled(folder).empty:
        return []
    return [
        "A generated picture called fake is a hit, a real one called fake a false alarm. d′ is 0 for whoever cannot "
        "tell, whatever the leaning; a criterion above 0 is a leaning to “real”; the area under the ROC curve is the "
        "chance to tell which of a real and a generated picture is which."
    ]


def pooled(folder: StudyFolder) -> pd.DataFrame:
    """The rows that pool participants and say something of their own, with answers to both kinds."""
    table = folder.table(DETECTION)
    table = table[(table["n_real"] > 0) | (table["n_fake"] > 0)]
    return informative_scopes(table)


def detection_figures(folder: StudyFolder) -> list[Picture]:
    """d′ by group."""
    table = pooled(folder)
    table = table[table["dprime"].notna() & table["dprime_low"].notna()].head(MOST_GROUPS)
    if table.empty:
        return []
    groups = [
        (group_name(row), [Span("all", row["dprime"], row["dprime_low"], row["dprime_high"])])
        for row in table.to_dict("records")
    ]
    said = "; ".join(
        f"{name}: d′ {number(span.value)}, {number(span.low)} to {number(span.high)}" for name, (span,) in groups
    )
    return [
        picture(
            "Sensitivity",
            spans_figure(groups, axis="d′", reference=0, limits=None),
            name="sensitivity",
            caption="Diamonds: d′; bars: 95 % intervals. Dashed: guessing.",
            alternative=said,
        )
    ]


def detection_views(folder: StudyFolder) -> list[View]:
    """Rates of both errors, balanced accuracy, d′, criterion and area under the curve, each with its interval."""
    table = pooled(folder)
    bases = list(dict.fromkeys(table["basis"].dropna()))
    shares = {"hits": "hit_rate", "false alarms": "false_alarm_rate", "balanced accuracy": "balanced_accuracy"}
    numbers = {"d′": "dprime", "criterion": "criterion", "AUC": "auc"}
    columns: dict[str, Cell | None] = {"group": group_name}
    columns |= {f"{head} (95\u202f%)": share(name, f"{name}_low", f"{name}_high") for head, name in shares.items()}
    columns |= {f"{head} (95\u202f%)": _with_interval(name) for head, name in numbers.items()}
    columns["AUC by confidence"] = filled(table, "auc_confidence", _with_interval("auc_confidence"))
    columns["intervals"] = known_as(BASES, "basis") if len(bases) > 1 else None
    return view_of(
        "Signal detection",
        table,
        columns,
        notes=[f"Intervals ({BASES[basis]}): {BASES_TOLD[basis]}." for basis in bases],
        last_is_text=len(bases) > 1,
        label="id",
        source="detection",
    )


def hype_views(folder: StudyFolder) -> list[View]:
    """HYPE scores with their bootstrap."""
    columns = {
        "score": known_as({"hype_infinity": "HYPE∞ (error rate)", "hype_time": "HYPE-time (threshold)"}, "score"),
        "data set": of(text, "dataset"),
        "model": known_as({}, "model", "all"),
        "participants": of(whole, "n_participants"),
        "value": lambda row: _with_unit(row["value"], row["unit"]),
        INTERVAL: between(digits=1),
        "error on reals": lambda row: _with_unit(row["error_real"], "%"),
        "error on generated": lambda row: _with_unit(row["error_fake"], "%"),
    }
    return view_of(
        "HYPE scores",
        folder.table(HYPE),
        columns,
        text_columns=3,
        notes=["HYPE∞ of 50 % is guessing (Zhou et al. 2019); intervals: bootstrap over participants."],
        label="model",
        source="hype",
    )


def group_name(row: Record) -> str:
    """What a row of scope and id is about."""
    return "everything" if row["scope"] == "all" else f"{SCOPE_NAMES[str(row['scope'])]} {row['id']}"


def _with_interval(name: str) -> Cell:
    """A number with its interval in brackets."""

    def said(row: Record) -> str:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        return number(row[name]) if missing(low) else f"{number(row[name])} ({interval(low, high)})"

    return said


def _with_unit(value: object, unit: str) -> str:
    return NOTHING if missing(value) else f"{number(value, digits=1)}{NARROW}{unit}"
