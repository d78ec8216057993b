"""Can they tell? Proportions of right answers, pooled, by hole and of each participant."""

from collections.abc import Sequence

import pandas as pd

from gan_eval.report.metrics.holes import band_name
from gan_eval.report.parts.blocks import Charts, Section, Table
from gan_eval.report.parts.chart import MOST_GROUPS, Chart, Span, chart_of, first_of, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import cell, proportion_cell, table_of
from gan_eval.report.parts.words import BASES_IN_WORDS, NARROW, WILSON_NOTE, Record, number, percent, whole
from gan_eval.stats.answers.detection import DETECTION
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.groups import UNKNOWN, UNTIL_ANSWER
from gan_eval.stats.shares import newcombe
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
_MOST_PARTICIPANTS = 200
_SERIES_NAMES = {"real": "real", "fake": "generated", "all": "both"}
_COUNTS = ["n_real", "n_fake", "n_none"]
_ERROR_RATES = ("fooling_rate", "false_alarm_rate", "balanced_accuracy")
_SHARE_COLUMNS = ["scope", "id", *(f"{name}{end}" for name in _ERROR_RATES for end in ("", "_low", "_high")), "basis"]


def rates_section(folder: StudyFolder) -> Section:
    """Charts and tables of the rates."""
    return Section("rates", "Can they tell?", [Charts(rate_charts(folder)), *rate_tables(folder)])


def rate_tables(folder: StudyFolder) -> list[Table]:
    """First what is pooled, then by the kind of the hole and by its area, then each participant."""
    rates = folder.table(RATES)
    pooled = informative_scopes(rates.iloc[:0] if folder.judged().empty else rates)
    if pooled.empty:
        return []
    tables = _table("Right answers and signal detection", pooled)
    parts = [rates for scope in HOLE_SCOPES if len(rates := folder.scope(scope)) > 1]
    if parts:
        by_hole = pd.concat(parts)
        is_band = by_hole["scope"] == "mask_area_band"
        start = by_hole["id"].str.partition("-")[0].where(is_band, "-1").astype(int)
        by_hole = by_hole.assign(id=by_hole["id"].map(band_name).where(is_band, by_hole["id"]), start=start)
        note = "Real pictures have no hole: those of the same data sets and sessions stand beside the filled ones."
        caption = "Right answers by kind and area of the hole"
        tables += _table(caption, by_hole.sort_values(["start", "id"]), notes=[note])
    participants = folder.scope("participant")
    if 1 < len(participants) <= _MOST_PARTICIPANTS:
        caption = "Right answers and signal detection of each participant"
        tables += _table(caption, participants, with_scope=False)
    return tables


def informative_scopes(table: pd.DataFrame) -> pd.DataFrame:
    """Of a table by scope the rows that pool participants, without those that say the same again.

    One data set that holds all trials says what the row for everything says; one exposure, one block and one model for
    each data set say nothing new.
    """
    names = ("all", "dataset", "model", "exposure", "block")
    everything, datasets, models, exposures, blocks = (table[table["scope"] == name] for name in names)
    parts = [datasets] if _holds_all(datasets, everything) else [everything, datasets]
    parts += [models] if len(models) > max(len(datasets), 1) else []
    parts += [rates for rates in (exposures, blocks) if len(rates) > 1]
    return pd.concat(parts)


def _holds_all(datasets: pd.DataFrame, everything: pd.DataFrame) -> bool:
    """Whether there is one data set, and no trial without its name."""
    own, total = (table.reindex(columns=_COUNTS).sum().sum() for table in (datasets, everything))
    return len(datasets) == 1 and (everything.empty or own == total)


def group_name(row: Record) -> str:
    """What a row of scope and id is about.

    >>> group_name({"scope": "exposure", "id": "100"}).replace(NARROW, " ")
    'exposure 100 ms'
    """
    return "everything" if row["scope"] == "all" else f"{_SCOPE_NAMES[str(row['scope'])]} {id_text(row)}"


def id_text(row: Record) -> str:
    """The group's own name, an exposure with its unit."""
    name = str(row["id"])
    if row["scope"] != "exposure":
        return name
    return {UNTIL_ANSWER: "until the answer", UNKNOWN: "not known"}.get(name, f"{name}{NARROW}ms")


def _table(caption: str, rates: pd.DataFrame, *, with_scope: bool = True, notes: Sequence[str] = ()) -> list[Table]:
    columns = {
        "group": group_name if with_scope else lambda row: row["id"],
        "real judged": cell(whole, "n_real"),
        "generated judged": cell(whole, "n_fake"),
        "right (95\u202f%)": proportion_cell("accuracy", "accuracy_low", "accuracy_high"),
        "real right (95\u202f%)": proportion_cell("real_correct", "real_low", "real_high"),
        "generated right (95\u202f%)": proportion_cell("fake_correct", "fake_low", "fake_high"),
        "d′": cell(number, "dprime"),
        "criterion": cell(number, "criterion"),
    }
    return table_of(caption, rates, columns, notes=[*notes, WILSON_NOTE], label=group_name, source="rates")


def rate_charts(folder: StudyFolder) -> list[Chart]:
    """Shares of right answers on reals, on fakes and on both alike: by data set; by model where a data set has several;
    by exposure where there are several."""
    everything, datasets, models, exposures = (shares(folder, name) for name in ("all", "dataset", "model", "exposure"))
    if everything.empty or everything.iloc[0][["fooling_rate", "false_alarm_rate"]].isna().all():
        return []
    holds_all = _holds_all(folder.scope("dataset"), folder.scope("all"))
    pooled = datasets if holds_all else pd.concat([everything, datasets])
    has_models = len(models) > max(len(datasets), 1)
    if has_models and len(pooled) == 1:  # one figure holds both
        charts = [_chart(pd.concat([pooled, models]), "Right answers by model", "rates-models")]
    else:
        charts = [_chart(pooled, "Right answers by data set" if len(datasets) else "Right answers", "rates")]
        charts += [_chart(models, "Right answers by model", "rates-models")] if has_models else []
    if len(exposures) > 1:
        charts.append(_chart(exposures, "Right answers by exposure", "rates-exposures"))
    return charts


def _chart(table: pd.DataFrame, title: str, name: str) -> Chart:
    """What was judged rightly of each kind and of both, in per cent; what was not judged is left out."""
    groups: list[tuple[str, Sequence[Span]]] = []
    alternatives = []
    for row in table.head(MOST_GROUPS).to_dict("records"):
        group = "everything" if row["scope"] == "all" else id_text(row)
        if row["scope"] == "dataset" and "model" in set(table["scope"]):
            group = f"all models on {group}"
        values = {
            "real": [1 - row[f"false_alarm_rate{end}"] for end in ("", "_high", "_low")],
            "fake": [1 - row[f"fooling_rate{end}"] for end in ("", "_high", "_low")],
            "all": [row[f"balanced_accuracy{end}"] for end in ("", "_low", "_high")],
        }
        spans = [
            Span(series, *(100 * (value if pd.isna(end) else end) for end in (value, low, high)))._replace(
                label=_SERIES_NAMES[series]
            )
            for series, (value, low, high) in values.items()
            if not pd.isna(value)
        ]
        if spans:
            groups.append((group, spans))
            texts = ", ".join(f"{_SERIES_NAMES[span.series]} {percent(span.value / 100)}" for span in spans)
            alternatives.append(f"{group}: {texts}")
    bases = dict.fromkeys(table["basis"])
    return chart_of(
        title,
        spans_figure(groups, axis="right answers, %", reference=50),
        name=name,
        caption="Of real pictures, of generated ones, and of both, counting alike (balanced accuracy). Bars: "
        f"95 % intervals by {' or '.join(BASES_IN_WORDS[basis] for basis in bases)}. Dashed: guessing."
        + first_of(len(table)),
        alternative="; ".join(alternatives),
    )


def shares(folder: StudyFolder, scope: str) -> pd.DataFrame:
    """Fooling rate, false-alarm rate and balanced accuracy of each group of a scope, with 95 % intervals and `basis`.

    From the table `detection`, whose intervals allow for differences between participants and between pictures;
    groups without such a row have Wilson's intervals from `rates`, and Newcombe's of balanced accuracy.
    """
    detection = folder.table(DETECTION)
    detection = detection.loc[(detection["scope"] == scope) & detection["basis"].notna(), _SHARE_COLUMNS]
    detection = detection.set_index("id", drop=False)
    rates = folder.scope(scope)
    if rates.empty:
        return pd.DataFrame(detection, columns=_SHARE_COLUMNS).reset_index(drop=True)
    rows = []
    for _, row in rates.iterrows():
        if row["id"] in detection.index:
            rows.append(detection.loc[row["id"]].to_dict())
            continue
        cells = {"scope": row["scope"], "id": row["id"], "basis": "independent"}
        for name, kind in (("fooling_rate", "fake"), ("false_alarm_rate", "real")):
            cells |= {name: 1 - row[f"{kind}_correct"]}
            cells |= {f"{name}_low": 1 - row[f"{kind}_high"], f"{name}_high": 1 - row[f"{kind}_low"]}
        if min(row["n_real"], row["n_fake"]) > 0:
            difference = row["hits"] / row["n_fake"] - row["false_alarms"] / row["n_real"]
            low, high = newcombe(row["hits"], row["n_fake"], row["false_alarms"], row["n_real"])
            names = ("balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high")
            cells |= {name: (1 + value) / 2 for name, value in zip(names, (difference, low, high), strict=True)}
        rows.append(cells)
    return pd.DataFrame(rows, columns=_SHARE_COLUMNS).reset_index(drop=True)
