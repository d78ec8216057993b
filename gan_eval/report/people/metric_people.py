"""Do metrics agree with people? Correlations, their differences, and models of single answers."""

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, between, filled, known_as, of, view_of
from gan_eval.report.parts.words import View, number, p_value, percent, text, whole
from gan_eval.tables import CORRELATION_DIFFERENCES, CORRELATIONS, METRIC_MODELS

_LEVELS = {"stimulus": "pictures", "model": "models"}
_DATASET = known_as({}, "dataset", "all")


def agreement_views(folder: StudyFolder) -> list[View]:
    """Every table of metrics beside people."""
    return [*correlations_views(folder), *_differences(folder), *_models(folder)]


def correlations_views(folder: StudyFolder) -> list[View]:
    """Agreement of metrics with people, with the ceiling that no metric can exceed."""
    table = folder.table(CORRELATIONS)
    ceiling = filled(table, "ceiling", of(number, "ceiling"))
    columns = {
        "over": known_as(_LEVELS, "level"),
        "data set": _DATASET,
        "metric": of(text, "metric"),
        "n": of(whole, "n"),
        "Spearman": of(number, "spearman"),
        INTERVAL: between(),
        "Kendall": of(number, "kendall"),
        "Pearson": of(number, "pearson"),
        "after logistic fit": filled(table, "pearson_logistic", of(number, "pearson_logistic")),
        "p": of(p_value, "p"),
        "ceiling": ceiling,
    }
    told = "Ceiling: the correlation that a perfect metric could reach with answers of this reliability."
    caption = "Correlation of metrics with the share of generated pictures called real"
    notes = [told] if ceiling else []
    return view_of(caption, table, columns, text_columns=3, notes=notes, label="metric", source="correlations")


def _differences(folder: StudyFolder) -> list[View]:
    table = folder.table(CORRELATION_DIFFERENCES)
    columns = {
        "over": known_as(_LEVELS, "level"),
        "data set": _DATASET,
        "metrics": of(text, "pair"),
        "n": of(whole, "n"),
        "|Spearman| of each": lambda row: f"{number(row['agreement_a'])}, {number(row['agreement_b'])}",
        "difference": of(number, "difference"),
        INTERVAL: between(),
        "p (Steiger)": of(p_value, "p"),
        "p (Holm)": of(p_value, "p_holm"),
        "follows people better": known_as({}, "follows_better", "undecided"),
    }
    return view_of(
        "Which metric follows people better?",
        table.assign(pair=[f"{a}, {b}" for a, b in zip(table["metric_a"], table["metric_b"], strict=True)]),
        columns,
        text_columns=3,
        last_is_text=True,
        label="pair",
        source="correlation_differences",
    )


def _models(folder: StudyFolder) -> list[View]:
    columns = {
        "data set": _DATASET,
        "metric": of(text, "metric"),
        "log-odds for 1 SD": of(number, "estimate"),
        INTERVAL: between(),
        "likelihood ratio χ²": of(number, "lrt_chi2"),
        "p": of(p_value, "lrt_p"),
        "p (Holm)": of(p_value, "p_holm"),
        "variance of pictures explained": of(percent, "explained"),
        "answers": of(whole, "n_trials"),
        "pictures": of(whole, "n_stimuli"),
    }
    return view_of(
        "Does a metric tell which single picture fools?",
        folder.table(METRIC_MODELS),
        columns,
        text_columns=2,
        notes=[
            "Log-odds of being called real for one standard deviation more of the metric, in a crossed mixed model."
        ],
        label="metric",
        source="metric_models",
    )
