"""The tables of the report, ready for the page."""

from collections.abc import Callable, Sequence

import pandas as pd

from gan_eval.report.folder import StudyFolder
from gan_eval.report.words import (
    NARROW,
    NOTHING,
    View,
    interval,
    milliseconds,
    missing,
    number,
    p_value,
    share_interval,
    text,
    whole,
)
from gan_eval.tables import (
    COMPARISONS,
    CORRELATIONS,
    MIXED_MODELS,
    REACTION_TIMES,
    RUNS,
)

_SCOPE_NAMES = {
    "all": "everything",
    "dataset": "data set",
    "model": "model",
    "exposure": "exposure",
    "block": "block",
    "participant": "participant",
}
_MOST_PARTICIPANTS = 200


def rates_views(folder: StudyFolder) -> list[View]:
    """Rates and detection: first what is pooled, then each participant."""
    pooled = pooled_rates(folder)
    if pooled.empty:
        return []
    views = [_rates("Right answers and signal detection", pooled)]
    people = folder.scope("participant")
    if 1 < len(people) <= _MOST_PARTICIPANTS:
        views.append(_rates("Right answers and signal detection of each participant", people, by_scope=False))
    return views


def pooled_rates(folder: StudyFolder) -> pd.DataFrame:
    """Rows that pool participants, without those that say the same again.

    One data set says what the row for everything says; one exposure, one block and one model for each data set
    say nothing new.
    """
    everything, datasets, models = (folder.scope(name) for name in ("all", "dataset", "model"))
    parts = [datasets] if len(datasets) == 1 else [everything, datasets]
    parts += [models] if len(models) > max(len(datasets), 1) else []
    parts += [rates for rates in (folder.scope("exposure"), folder.scope("block")) if len(rates) > 1]
    return pd.concat(parts)


def _rates(caption: str, rates: pd.DataFrame, *, by_scope: bool = True) -> View:
    rows = [
        [
            _SCOPE_NAMES["all"]
            if row["scope"] == "all"
            else (f"{_SCOPE_NAMES[row['scope']]} {row['id']}" if by_scope else row["id"]),
            whole(row["n_real"]),
            whole(row["n_fake"]),
            share_interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"]),
            p_value(row["accuracy_p"]),
            share_interval(row["real_correct"], row["real_low"], row["real_high"]),
            share_interval(row["fake_correct"], row["fake_low"], row["fake_high"]),
            number(row["dprime"]),
            number(row["criterion"]),
        ]
        for _, row in rates.iterrows()
    ]
    head = [
        "group", "real judged", "generated judged", "right (95\u202f%)", "p (½)", "real right (95\u202f%)",
        "generated right (95\u202f%)", "d′", "criterion",
    ]  # fmt: skip
    return View(caption, head, rows, notes=_noted(rates, "id"))


def _noted(table: pd.DataFrame, label: str, *, most: int = 8) -> list[str]:
    """The rows' notes, equal ones together; the commonest are enough for a page."""
    noted = table[table["note"].notna()]
    grouped = noted.groupby("note", sort=False)[label].agg(list)
    lines = []
    for note, ids in grouped.items():
        names = list(dict.fromkeys(str(name) for name in ids))
        shown = ", ".join(names) if len(names) <= 6 else f"{len(names)} rows"
        lines.append(f"{shown}: {note}")
    return lines[:most]


def mixed_view(folder: StudyFolder) -> list[View]:
    """The crossed mixed models."""
    table = folder.table(MIXED_MODELS)
    if table.empty:
        return []
    rows = [
        [
            row["formula"],
            row["term"],
            number(row["estimate"]),
            number(row["std_error"]),
            interval(row["ci_low"], row["ci_high"]),
            p_value(row["p"]),
            number(row["sd_participant"]),
            number(row["sd_stimulus"]),
            whole(row["n_trials"]),
        ]
        for _, row in table.iterrows()
    ]
    head = [
        "model", "term", "log-odds", "standard error", "95\u202f% interval", "p", "SD participants", "SD stimuli",
        "answers",
    ]  # fmt: skip
    return [View("Crossed mixed models of right answers", head, rows, text_columns=2, notes=_noted(table, "formula"))]


def comparisons_view(folder: StudyFolder) -> list[View]:
    """Model against model and real against fake."""
    table = folder.table(COMPARISONS)
    if table.empty:
        return []
    rows = [
        [
            row["comparison"],
            f"{row['a']} {chr(0x2212)} {row['b']}",
            row["measure"].replace("_", " "),
            points(row["difference"]),
            NOTHING
            if missing(row["ci_low"])
            else f"{points(row['ci_low'], unit=False)} to {points(row['ci_high'], unit=False)}",
            p_value(row["p"]),
            p_value(row["p_holm"]),
            text(row["verdict"]),
        ]
        for _, row in table.iterrows()
    ]
    head = [
        "comparison", "difference of", "measure", "difference", "95\u202f% interval", "p", "p (Holm)", "verdict",
    ]  # fmt: skip
    view = View("Differences", head, rows, text_columns=3, notes=_noted(table, "comparison"), last_is_text=True)
    return [view]


def points(share: object, *, unit: bool = True) -> str:
    """A difference of shares in percentage points."""
    if missing(share):
        return NOTHING
    return number(100 * float(share), digits=1) + (f"{NARROW}points" if unit else "")  # type: ignore[arg-type]


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
    return [View("Reaction times", head, rows, text_columns=3, notes=_noted(table, "id"))]


def correlations_views(folder: StudyFolder) -> list[View]:
    """Agreement of metrics with people."""
    table = folder.table(CORRELATIONS)
    if table.empty:
        return []
    rows = [
        [
            "pictures" if row["level"] == "stimulus" else "models",
            "all" if missing(row["dataset"]) else row["dataset"],
            row["metric"],
            whole(row["n"]),
            number(row["spearman"]),
            interval(row["ci_low"], row["ci_high"]),
            number(row["kendall"]),
            number(row["pearson"]),
            p_value(row["p"]),
        ]
        for _, row in table.iterrows()
    ]
    head = ["over", "data set", "metric", "n", "Spearman", "95\u202f% interval", "Kendall", "Pearson", "p"]
    caption = "Correlation of metrics with the share of generated pictures called real"
    return [View(caption, head, rows, text_columns=3, notes=_noted(table, "metric"))]


def versions(folder: StudyFolder) -> list[tuple[str, str]]:
    """Software, hashes and seeds, for whoever wants to do it again."""
    facts, study = folder.facts, folder.study
    found: list[tuple[str, str]] = []
    if facts.get("study"):
        found.append(("Study", f"{facts['study']} {facts.get('version', '')}".strip()))
    if facts.get("software"):
        found.append(("Software", str(facts["software"])))
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
