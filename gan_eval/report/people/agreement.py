"""Correlations of metrics with fooling rates or mean grades, their 2AFC scores, and the differences of both."""

from functools import partial

import pandas as pd

from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.report.metrics.summaries import direction, is_of_quality, title_of
from gan_eval.report.parts.blocks import ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said
from gan_eval.report.parts.table import INTERVAL, CellFormat, cell, interval_cell, labelled, table_of
from gan_eval.report.parts.words import Record, missing, number, p_value, text, whole
from gan_eval.report.people.caveats import is_interim
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORE_DIFFERENCES, METRIC_SCORES
from gan_eval.stats.metrics_and_people.points import FOOLING, GRADE

NEAR = 1e-6
"""Smallest difference of two correlations that is more than a rounding error."""
_three_digits = partial(number, digits=3)
_DATASET = labelled({}, "dataset", "all")
_KEY = ["measure", "level", "dataset", "metric"]


def _measure(frame: pd.DataFrame) -> dict[str, CellFormat]:
    names = {FOOLING: "called real", GRADE: "mean grade"}
    return {"against": labelled(names, "measure")} if frame["measure"].nunique() > 1 else {}


def correlation_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the correlations over pictures and over models, and those of the generators' inputs."""
    table = folder.table(CORRELATIONS)
    against = _measure(table)
    is_picture, is_quality = table["level"] == "stimulus", table["metric"].map(is_of_quality).astype(bool)
    table = table.assign(metric=table["metric"].map(title_of))
    tables = []
    for caption, part, is_within in (
        ("Correlation with people over the pictures of each model", is_picture & is_quality, True),
        ("Correlation with people over models", ~is_picture & is_quality, False),
        ("Correlation of properties of the generators' input with people", ~is_quality & is_picture, True),
    ):
        frame = table[part]
        prefix, ends = ("within_", "within") if is_within else ("", "ci")
        columns = {
            "data set": _DATASET,
            "metric": cell(text, "metric"),
            **against,
            "n": cell(whole, "n"),
            "Spearman, within models" if is_within else "Spearman": cell(number, "within" if is_within else "spearman"),
            INTERVAL: interval_cell(f"{ends}_low", f"{ends}_high"),
            "p (Holm)": cell(p_value, f"{prefix}p_holm"),
            "ceiling": cell(number, f"{prefix}ceiling"),
        }
        differs = (frame["spearman"] - frame["within"]).abs() > NEAR
        is_pooled = bool(is_within and (differs | frame["within"].isna() & frame["spearman"].notna()).any())
        if is_pooled:
            columns["pooled over models"] = cell(number, "spearman")
        has_ceiling = frame[f"{prefix}ceiling"].notna().any()
        notes = said("tables", "correlations", is_pooled, has_ceiling, not is_within)
        tables += table_of(
            caption, frame, columns, text_columns=2 + len(against), notes=notes, label="metric", source="correlations"
        )
    return tables


def difference_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return which metric follows people better."""
    frame, correlations = folder.table(CORRELATION_DIFFERENCES), folder.table(CORRELATIONS)
    against = _measure(correlations)
    is_quality = frame[["metric_a", "metric_b"]].map(is_of_quality).all(axis=1).astype(bool)
    frame = frame[is_quality & (frame["ci_low"].notna() | frame["p"].notna())]
    columns = {
        "over": labelled({"stimulus": "pictures", "model": "models"}, "level"),
        "data set": _DATASET,
        "metrics": _both_titles,
        **against,
        "n": cell(whole, "n"),
        "difference of |Spearman|": cell(number, "difference"),
        INTERVAL: interval_cell(),
        "p (Holm)": cell(p_value, "p_holm"),
        "follows people better": labelled({}, "follows_better", "interim" if is_interim(folder) else "undecided"),
    }
    return table_of(
        "Which metric follows people better?",
        frame.assign(follows_better=_followers(frame, correlations)),
        columns,
        text_columns=3 + len(against),
        last_is_text=True,
        notes=said("tables", "unadjusted"),
        label=_both_titles,
        source="correlation_differences",
    )


def score_tables(folder: StudyFolder) -> list[ShownTable]:
    """Return the 2AFC scores of metrics, and which metric follows choices better."""
    scores, differences = folder.table(METRIC_SCORES), folder.table(METRIC_SCORE_DIFFERENCES)
    scores = scores[scores["metric"].map(is_of_quality).astype(bool)]
    asked: dict[str, CellFormat] = {}
    if scores["protocol"].nunique() > 1:
        asked = {"pairs of": labelled({PAIRED: "a real and a generated picture", TWO_MODELS: "two models"}, "protocol")}
    shown = {"data set": _DATASET, **asked}
    pairs = {"pairs": cell(whole, "n_pairs"), "votes": cell(whole, "n_votes")}
    return [
        *table_of(
            "How many votes go with each metric?",
            scores.assign(metric=scores["metric"].map(title_of)),
            {
                **shown,
                "metric": cell(text, "metric"),
                **pairs,
                "2AFC score": cell(_three_digits, "score"),
                INTERVAL: interval_cell("score_low", "score_high"),
                "ceiling": cell(_three_digits, "ceiling"),
                "ceiling's 95% interval": interval_cell("ceiling_low", "ceiling_high"),
            },
            text_columns=2 + len(asked),
            notes=said("tables", "scores"),
            label="metric",
            source="metric_scores",
        ),
        *table_of(
            "Which metric do more votes go with?",
            differences.assign(follows_better=differences["follows_better"].map(title_of, na_action="ignore")),
            {
                **shown,
                "metrics": _both_titles,
                **pairs,
                "pairs that they prefer differently": cell(whole, "n_apart"),
                "difference of scores": cell(_three_digits, "difference"),
                INTERVAL: interval_cell(),
                "p (Holm)": cell(p_value, "p_holm"),
                "more votes go with": labelled({}, "follows_better", "interim" if is_interim(folder) else "undecided"),
            },
            text_columns=2 + len(asked),
            last_is_text=True,
            notes=said("tables", "unadjusted"),
            label=_both_titles,
            source="metric_score_differences",
        ),
    ]


def _both_titles(row: Record) -> str:
    return f"{title_of(row['metric_a'])} and {title_of(row['metric_b'])}"


def _followers(differences: pd.DataFrame, correlations: pd.DataFrame) -> pd.Series:
    """Return each row's better metric, with a remark if it correlates against its direction."""
    is_picture = correlations["level"] == "stimulus"
    values = correlations["within"].where(is_picture, correlations["spearman"])
    keys = correlations[_KEY].fillna("").itertuples(index=False, name=None)
    value_of = dict(zip(keys, values, strict=True))

    def follower(row: Record) -> str | None:
        metric = row["follows_better"]
        if missing(metric):
            return None
        value = value_of.get((row["measure"], row["level"], row["dataset"], metric), 0.0)
        return title_of(metric) + ", against its direction" * (value * direction(metric, value) < 0)

    rows = differences.fillna({"dataset": ""}).to_dict("records")
    return pd.Series([follower(row) for row in rows], index=differences.index, dtype="object")
