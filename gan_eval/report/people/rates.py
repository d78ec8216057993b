"""The tables of the report, ready for the page.

The report's figures: which numbers are drawn, and what their captions and alternatives in words say.

Signal detection with intervals, and HYPE scores: figures and tables.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from gan_eval import __version__
from gan_eval.report.metrics.holes import band_words
from gan_eval.report.parts.chart import Picture, Span, picture, spans_figure
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.shares import shares
from gan_eval.report.parts.table import INTERVAL, Cell, between, filled, known_as, of, share, view_of
from gan_eval.report.parts.words import (
    BASES,
    BASES_TOLD,
    NARROW,
    NOTHING,
    ONLY_THESE,
    Record,
    View,
    interval,
    milliseconds,
    missing,
    noted,
    number,
    percent,
    share_interval,
    text,
    whole,
)
from gan_eval.tables import DETECTION, HOLE_SCOPES, HYPE, RATES, REACTION_TIMES, RUNS

SCOPE_NAMES = {
    "all": "everything",
    "dataset": "data set",
    "model": "model",
    "exposure": "exposure",
    "block": "block",
    "participant": "participant",
    "mask_kind": "hole",
    "mask_area_band": "hole of",
}
_MOST_PARTICIPANTS = 200


def rates_views(folder: StudyFolder) -> list[View]:
    """Rates and detection: first what is pooled, then each participant."""
    pooled = pooled_rates(folder)
    if pooled.empty:
        return []
    views = [_rates("Right answers and signal detection", pooled)]
    views += _by_hole(folder)
    people = folder.scope("participant")
    if 1 < len(people) <= _MOST_PARTICIPANTS:
        views.append(_rates("Right answers and signal detection of each participant", people, by_scope=False))
    return views


def _by_hole(folder: StudyFolder) -> list[View]:
    """By the kind of the hole and by its area, where there are several of either."""
    parts = [rates for scope in HOLE_SCOPES if len(rates := folder.scope(scope)) > 1]
    if not parts:
        return []
    table = pd.concat(parts)
    bands = table["scope"] == "mask_area_band"
    start = table["id"].str.partition("-")[0].where(bands, "-1").astype(int)
    named = table.assign(id=table["id"].map(band_words).where(bands, table["id"]), start=start)
    view = _rates("Right answers by kind and area of the hole", named.sort_values(["start", "id"]))
    real = "Real pictures have no hole: those of the same data sets and sessions stand beside the filled ones."
    return [replace(view, notes=[real, *view.notes])]


def pooled_rates(folder: StudyFolder) -> pd.DataFrame:
    """Rows that pool participants, without those that say the same again."""
    table = folder.table(RATES)
    return informative_scopes(table.iloc[:0] if folder.judged().empty else table)


def informative_scopes(table: pd.DataFrame) -> pd.DataFrame:
    """Of a table by scope the rows that pool participants, without those that say the same again.

    One data set says what the row for everything says; one exposure, one block and one model for each data set
    say nothing new.
    """
    names = ("all", "dataset", "model", "exposure", "block")
    everything, datasets, models, exposures, blocks = (table[table["scope"] == name] for name in names)
    parts = [datasets] if len(datasets) == 1 else [everything, datasets]
    parts += [models] if len(models) > max(len(datasets), 1) else []
    parts += [rates for rates in (exposures, blocks) if len(rates) > 1]
    return pd.concat(parts)


def _rates(caption: str, rates: pd.DataFrame, *, by_scope: bool = True) -> View:
    rows = [
        [
            SCOPE_NAMES["all"]
            if row["scope"] == "all"
            else (f"{SCOPE_NAMES[row['scope']]} {row['id']}" if by_scope else row["id"]),
            whole(row["n_real"]),
            whole(row["n_fake"]),
            share_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
            share_interval(row["real_correct"], row["real_low"], row["real_high"]),
            share_interval(row["fake_correct"], row["fake_low"], row["fake_high"]),
            number(row["dprime"]),
            number(row["criterion"]),
        ]
        for _, row in rates.iterrows()
    ]
    head = [
        "group", "real judged", "generated judged", "right (95\u202f%)", "real right (95\u202f%)",
        "generated right (95\u202f%)", "d′", "criterion",
    ]  # fmt: skip
    return View(caption, head, rows, notes=[ONLY_THESE, *noted(rates, "id")], source=("rates",))


def reaction_view(folder: StudyFolder) -> list[View]:
    """Reaction times over everything and by data set."""
    table = folder.table(REACTION_TIMES)
    if len(table):
        scopes = ["dataset"] if table.loc[table["scope"] == "dataset", "id"].nunique() == 1 else ["all", "dataset"]
        told_once = (table["kind"] == "all") | (table["answers"] == "all")
        table = table[table["scope"].isin(scopes) & (table["n"] > 0) & told_once]
    if table.empty:
        return []
    rows = [
        [
            "everything" if row["scope"] == "all" else row["id"],
            {"all": "all", "real": "real", "fake": "generated"}[row["kind"]],
            row["answers"],
            whole(row["n"]),
            milliseconds(row["median_ms"]),
            f"{milliseconds(row['q25_ms'])} to {milliseconds(row['q75_ms'])}",
            milliseconds(row["geometric_mean_ms"]),
        ]
        for _, row in table.iterrows()
    ]
    head = ["group", "pictures", "answers", "n", "median", "quartiles", "geometric mean"]
    notes = noted(table, "id")
    return [View("Reaction times", head, rows, text_columns=3, notes=notes, source=("reaction_times",))]


def versions(folder: StudyFolder) -> list[tuple[str, str]]:
    """Software, hashes and seeds, for whoever wants to do it again."""
    facts, study = folder.facts, folder.study
    found: list[tuple[str, str]] = []
    if facts.get("study"):
        found.append(("Study", f"{facts['study']} {facts.get('version', '')}".strip()))
    found.append(("Software", str(facts.get("software") or f"gan_eval {__version__}")))
    if study is not None:
        found.append(("Seed", str(study.study.seed)))
    hashes = {"Design hash": facts.get("design_hash"), "Analysis hash": facts.get("analysis_hash")}
    if study is not None:
        hashes = {"Design hash": study.design_hash, "Analysis hash": study.analysis_hash}
    found += [(name, str(value)) for name, value in hashes.items() if value]
    runs = folder.table(RUNS)
    unique: Callable[[str], Sequence[str]] = lambda name: list(dict.fromkeys(runs[name].dropna().astype(str)))  # noqa: E731
    for column, name in (
        ("software", "Metrics computed by"),
        ("weights_sha256", "Weights, SHA-256"),
        ("resizer", "Resizer"),
        ("input_hash", "Input hash"),
        ("device", "Device"),
    ):
        if len(runs) and unique(column):
            found.append((name, ", ".join(unique(column))))
    return found


MOST_GROUPS = 12


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
