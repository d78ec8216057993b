"""Shares of correct answers, and sensitivity against response bias: signal detection and HYPE scores."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
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
    WILSON_NOTE,
    Record,
    interval,
    missing,
    number,
    text,
    whole,
)
from gan_eval.stats.answers.detection import DETECTION
from gan_eval.stats.answers.hype import HYPE
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.groups import UNKNOWN, UNTIL_ANSWER
from gan_eval.tables import HOLE_SCOPES

_SCOPE_NAMES = {
    "dataset": "data set",
    "model": "model",
    "exposure": "exposure",
    "block": "block",
    "participant": "participant",
    "mask_kind": "hole",
    "mask_area_band": "hole of",
}
_COUNTS = ["n_real", "n_fake", "n_none"]
_HOW_TO_READ = (
    "A generated picture called fake is a hit, a real one called fake a false alarm. d′ is 0 for a participant who "
    "guesses, with any response bias. A criterion above 0 is a bias to “real”. The area under the ROC curve is the "
    "chance to pick the generated picture of a pair. The first d′ is of all answers together, which different criteria "
    "lower; the second is the mean of the participants' own, which few answers each lower. Both have the log-linear "
    "correction."
)


def rates_section(folder: StudyFolder) -> Section:
    """Return the tables of the rates, pooled and by hole."""
    return Section("rates", "Error rates", rate_tables(folder))


def rate_tables(folder: StudyFolder) -> list[Table]:
    """Return the pooled rates, then by the kind of the hole and by its area."""
    rates = folder.table(RATES)
    pooled = informative_scopes(rates.iloc[:0] if folder.judged().empty else rates)
    if pooled.empty:
        return []
    tables = _rates_table("Right answers and signal detection", pooled)
    parts = [rates for scope in HOLE_SCOPES if len(rates := folder.scope(scope)) > 1]
    if parts:
        by_hole = pd.concat(parts)
        is_band = by_hole["scope"] == "mask_area_band"
        start = by_hole["id"].str.partition("-")[0].where(is_band, "-1").astype(int)
        from gan_eval.report.metrics.holes import band_name  # imports the metrics

        by_hole = by_hole.assign(id=by_hole["id"].map(band_name).where(is_band, by_hole["id"]), start=start)
        note = "Real pictures have no hole: each row has the real ones of the same data sets and sessions."
        caption = "Right answers by kind and area of the hole"
        tables += _rates_table(caption, by_hole.sort_values(["start", "id"]), notes=[note])
    return tables


def _rates_table(caption: str, rates: pd.DataFrame, *, notes: Sequence[str] = ()) -> list[Table]:
    columns = {
        "group": group_name,
        "real judged": cell(whole, "n_real"),
        "generated judged": cell(whole, "n_fake"),
        "right (95\u202f%)": proportion_cell("accuracy", "accuracy_low", "accuracy_high"),
        "real right (95\u202f%)": proportion_cell("real_correct", "real_low", "real_high"),
        "generated right (95\u202f%)": proportion_cell("fake_correct", "fake_low", "fake_high"),
        "d′": cell(number, "dprime"),
        "criterion": cell(number, "criterion"),
    }
    return table_of(caption, rates, columns, notes=[*notes, WILSON_NOTE], label=group_name, source="rates")


def informative_scopes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table by scope that pool participants, without those that repeat others.

    One data set with all trials repeats the row for everything; one exposure, one block and one model for each data set
    repeat the data sets.
    """
    names = ("all", "dataset", "model", "exposure", "block")
    everything, datasets, models, exposures, blocks = (table[table["scope"] == name] for name in names)
    own, total = (rows.reindex(columns=_COUNTS).sum().sum() for rows in (datasets, everything))
    has_all = len(datasets) == 1 and (everything.empty or own == total)  # no trial is without a data set
    parts = [datasets] if has_all else [everything, datasets]
    parts += [models] if len(models) > max(len(datasets), 1) else []
    parts += [rates for rates in (exposures, blocks) if len(rates) > 1]
    return pd.concat(parts)


def group_name(row: Record) -> str:
    """Return the name of a row by scope and id.

    >>> group_name({"scope": "exposure", "id": "100"}).replace(NARROW, " ")
    'exposure 100 ms'
    """
    return "everything" if row["scope"] == "all" else f"{_SCOPE_NAMES[str(row['scope'])]} {_id_text(row)}"


def _id_text(row: Record) -> str:
    name = str(row["id"])
    if row["scope"] != "exposure":
        return name
    return {UNTIL_ANSWER: "until the answer", UNKNOWN: "not known"}.get(name, f"{name}{NARROW}ms")


def shares(folder: StudyFolder, scope: str) -> pd.DataFrame:
    """Return fooling rate, false-alarm rate and balanced accuracy of each group of a scope, with 95 % intervals.

    They allow for differences between participants and between pictures.
    """
    detection = folder.table(DETECTION)
    return detection[(detection["scope"] == scope) & detection["basis"].notna()].reset_index(drop=True)


def detection_section(folder: StudyFolder) -> Section:
    """Return both error rates, balanced accuracy, d′, criterion and area under the curve by group; HYPE scores."""
    frame = folder.table(DETECTION)
    frame = informative_scopes(frame[(frame["n_real"] > 0) | (frame["n_fake"] > 0)])
    bases = list(dict.fromkeys(frame["basis"].dropna()))
    columns: dict[str, CellFormat | None] = {"group": group_name}
    for head, name in (
        ("hits", "hit_rate"), ("false alarms", "false_alarm_rate"), ("balanced accuracy", "balanced_accuracy"),
    ):  # fmt: skip
        columns[f"{head} (95\u202f%)"] = proportion_cell(name, f"{name}_low", f"{name}_high")
    columns |= {
        "d′ (95\u202f%)": _with_interval("dprime"),
        "d′, mean of participants (95\u202f%)": if_filled(
            frame, "dprime_individual", _with_interval("dprime_individual")
        ),
        "criterion (95\u202f%)": _with_interval("criterion"),
        "AUC (95\u202f%)": _with_interval("auc"),
        "intervals": labelled(BASES, "basis") if len(bases) > 1 else None,
    }
    table = table_of(
        "Signal detection",
        frame,
        columns,
        notes=[f"Intervals ({BASES[basis]}): {BASES_IN_WORDS[basis]}." for basis in bases],
        last_is_text=len(bases) > 1,
        label=group_name,
        source="detection",
    )
    sentences = Lines([_HOW_TO_READ] * (len(frame) > 0))
    return Section("detection", "Sensitivity or response bias?", [sentences, *table, *_hype_tables(folder)])


def _with_interval(name: str) -> CellFormat:
    """Print a number with its interval in brackets."""

    def formatted(row: Record) -> str:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        return number(row[name]) if missing(low) else f"{number(row[name])} ({interval(low, high)})"

    return formatted


def _hype_tables(folder: StudyFolder) -> list[Table]:
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
        notes=["HYPE∞ of 50 % is chance (Zhou et al. 2019); intervals: bootstrap over participants."],
        label="model",
        source="hype",
    )
