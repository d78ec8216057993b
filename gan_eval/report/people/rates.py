"""The tables of the report, ready for the page."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from gan_eval import __version__
from gan_eval.report.metrics.holes import band_words
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import ONLY_THESE, View, milliseconds, noted, number, share_interval, whole
from gan_eval.tables import HOLE_SCOPES, RATES, REACTION_TIMES, RUNS

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
