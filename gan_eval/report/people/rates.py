"""Sensitivity against response bias: signal detection, and right answers by hole."""

import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import (
    CellFormat,
    cell,
    if_filled,
    labelled,
    proportion_cell,
    table_of,
)
from gan_eval.report.parts.words import (
    BASES,
    BASES_IN_WORDS,
    NARROW,
    WILSON_NOTE,
    Record,
    interval,
    missing,
    number,
    whole,
)
from gan_eval.stats.answers.detection import DETECTION
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
_OF_REALS = "Real pictures have no hole: each row has the real ones of the same data sets and sessions."


def answers_by_hole(folder: StudyFolder) -> list[Table]:
    """Return the right answers by the kind of the hole and by its area."""
    parts = [rates for scope in HOLE_SCOPES if len(rates := folder.scope(scope)) > 1]
    if not parts:
        return []
    rates = pd.concat(parts)
    is_band = rates["scope"] == "mask_area_band"
    start = rates["id"].str.partition("-")[0].where(is_band, "-1").astype(int)
    from gan_eval.report.metrics.holes import band_name  # imports the metrics

    rates = rates.assign(id=rates["id"].map(band_name).where(is_band, rates["id"]), start=start)
    columns = {
        "group": group_name,
        "real judged": cell(whole, "n_real"),
        "generated judged": cell(whole, "n_fake"),
        "real right (95\u202f%)": proportion_cell("real_correct", "real_low", "real_high"),
        "generated right (95\u202f%)": proportion_cell("fake_correct", "fake_low", "fake_high"),
    }
    return table_of(
        "Right answers by kind and area of the hole",
        rates.sort_values(["start", "id"]),
        columns,
        notes=[
            "Real pictures have no hole: each row has the real ones of the same data sets and sessions.",
            WILSON_NOTE,
        ],
        label=group_name,
        source="rates",
    )


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
    """Return both error rates, balanced accuracy, d′, criterion and area under the curve by group."""
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
    return Section("detection", "Sensitivity or response bias?", [sentences, *table, *answers_by_hole(folder)])


def _with_interval(name: str) -> CellFormat:
    """Print a number with its interval in brackets."""

    def formatted(row: Record) -> str:
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        return number(row[name]) if missing(low) else f"{number(row[name])} ({interval(low, high)})"

    return formatted
