"""Could they tell, or did they lean to one answer? Signal detection with intervals, and HYPE scores."""

from gan_eval.report.parts.blocks import Charts, Lines, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import (
    INTERVAL,
    CellFormat,
    cell,
    if_filled,
    interval_cell,
    labelled,
    proportion_cell,
    table_of,
)
from gan_eval.report.parts.words import (
    BASES,
    BASES_IN_WORDS,
    NARROW,
    NOTHING,
    Record,
    interval,
    missing,
    number,
    text,
    whole,
)
from gan_eval.report.people.rates import group_name, informative_scopes
from gan_eval.stats.answers.detection import DETECTION
from gan_eval.stats.answers.hype import HYPE

_HOW_TO_READ = (
    "A generated picture called fake is a hit, a real one called fake a false alarm. d′ is 0 for whoever cannot "
    "tell, whatever the leaning; a criterion above 0 is a leaning to “real”; the area under the ROC curve is the "
    "chance to tell which of a real and a generated picture is which. The first d′ is of all answers together, which "
    "people with different criteria lower; the second is the mean of people's own, which few answers of each lower. "
    "Both have the log-linear correction."
)
_TWO_AREAS = (
    "The area under the ROC curve stands there twice: that from d′ supposes that the evidence for real and for "
    "generated pictures is normal and varies alike; that from confidence orders the answers by how sure people were."
)


def detection_section(folder: StudyFolder) -> Section:
    """d′ by group; both error rates, balanced accuracy, d′, criterion and area under the curve; HYPE scores."""
    frame = folder.table(DETECTION)
    frame = informative_scopes(frame[(frame["n_real"] > 0) | (frame["n_fake"] > 0)])
    bases = list(dict.fromkeys(frame["basis"].dropna()))
    proportions = {"hits": "hit_rate", "false alarms": "false_alarm_rate", "balanced accuracy": "balanced_accuracy"}
    has_two = frame["auc_confidence"].notna().any()
    auc = "AUC from d′" if has_two else "AUC"
    numbers = {"d′": "dprime", "criterion": "criterion", auc: "auc"}
    columns: dict[str, CellFormat | None] = {"group": group_name}
    for head, name in proportions.items():
        columns[f"{head} (95\u202f%)"] = proportion_cell(name, f"{name}_low", f"{name}_high")
    if frame["dprime_individual"].notna().any():
        numbers = {"d′": "dprime", "d′, mean of people": "dprime_individual", "criterion": "criterion", auc: "auc"}
    columns |= {f"{head} (95\u202f%)": _with_interval(name) for head, name in numbers.items()}
    columns["AUC from confidence"] = if_filled(frame, "auc_confidence", _with_interval("auc_confidence"))
    columns["intervals"] = labelled(BASES, "basis") if len(bases) > 1 else None
    table = table_of(
        "Signal detection",
        frame,
        columns,
        notes=[f"Intervals ({BASES[basis]}): {BASES_IN_WORDS[basis]}." for basis in bases],
        last_is_text=len(bases) > 1,
        label=group_name,
        source="detection",
    )
    charted = frame[frame["dprime"].notna() & frame["dprime_low"].notna()]
    groups = [
        (group_name(row), [Span("all", row["dprime"], row["dprime_low"], row["dprime_high"], number(row["dprime"]))])
        for row in charted.head(MOST_GROUPS).to_dict("records")
    ]
    alternatives = [
        f"{name}: d′ {number(span.value)}, {number(span.low)} to {number(span.high)}" for name, (span,) in groups
    ]
    charts = [
        chart_of(
            "Sensitivity",
            spans_figure(groups, axis="d′", reference=0, limits=None),
            name="sensitivity",
            caption="d′ with 95 % intervals. Dashed: guessing." + first_of(len(charted)),
            alternative="; ".join(alternatives),
        )
    ]
    sentences = Lines([_HOW_TO_READ] * (len(frame) > 0) + [_TWO_AREAS] * bool(has_two))
    blocks = [sentences, Charts(charts if groups else []), *table, *_hype_tables(folder)]
    return Section("detection", "Could they tell, or did they lean to one answer?", blocks)


def _with_interval(name: str) -> CellFormat:
    """A number with its interval in brackets."""

    def formatted(row: Record) -> str:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        return number(row[name]) if missing(low) else f"{number(row[name])} ({interval(low, high)})"

    return formatted


def _hype_tables(folder: StudyFolder) -> list[Table]:
    """HYPE scores with their bootstrap."""

    def with_unit(value: object, unit: str) -> str:
        return NOTHING if missing(value) else f"{number(value, digits=1)}{NARROW}{unit}"

    columns = {
        "score": labelled({"hype_infinity": "HYPE∞ (error rate)", "hype_time": "HYPE-time (threshold)"}, "score"),
        "data set": cell(text, "dataset"),
        "model": labelled({}, "model", "all"),
        "participants": cell(whole, "n_participants"),
        "value": lambda row: with_unit(row["value"], row["unit"]),
        INTERVAL: interval_cell(digits=1),
        "error on reals": lambda row: with_unit(row["error_real"], "%"),
        "error on generated": lambda row: with_unit(row["error_fake"], "%"),
    }
    return table_of(
        "HYPE scores",
        folder.table(HYPE),
        columns,
        text_columns=3,
        notes=["HYPE∞ of 50 % is guessing (Zhou et al. 2019); intervals: bootstrap over participants."],
        label="model",
        source="hype",
    )
