"""The tables of `correlations.py`, which loads slower."""

from gan_eval.tables.schema import (
    CORRELATION,
    DATASET,
    NOTED,
    PROVENANCE,
    SHARE,
    Table,
    integer,
    interval_columns,
    number,
    text,
)

INTERVAL = "95% interval, normal, by the spread of a two-way bootstrap over participants and items"
OF_MODELS = "over models: these are the sample, by Fisher's z"
CORRELATIONS = Table(
    "correlations",
    "Agreement of a metric with people.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric", "name of the metric", filled=True),
        text("measure", "fooling_rate: share of answers `real`; mean_grade: of graded pictures", filled=True),
        integer("n", "stimuli or models", filled=True),
        number(
            "spearman",
            "rank correlation; of several models' pictures pooled, so differences between models count",
            unit=CORRELATION,
        ),
        *interval_columns("ci", f"its {INTERVAL}; {OF_MODELS} (Bonett & Wright 2000)"),
        number("kendall", "tau-b", unit=CORRELATION),
        number("pearson", "linear correlation", unit=CORRELATION),
        number("p", "two-sided test of spearman against 0", unit=SHARE),
        number("ceiling", "of spearman: that of a metric which knows the true scores (Spearman, Brown)", unit=SHARE),
        number(
            "p_holm",
            "p after Holm's correction over metrics, measures, levels and data sets",
            unit=SHARE,
            optional=True,
        ),
        number(
            "within",
            "spearman with each picture ranked among its own model's; empty over models",
            unit=CORRELATION,
            optional=True,
        ),
        *interval_columns("within", f"its {INTERVAL}", optional=True),
        number(
            "within_p",
            "test of within against 0; alike pictures of an item are not unrelated",
            unit=SHARE,
            optional=True,
        ),
        number(
            "within_p_holm", "within_p after Holm's correction, together with p over models", unit=SHARE, optional=True
        ),
        number("within_ceiling", "ceiling of within", unit=SHARE, optional=True),
        *NOTED,
    ),
    key=("level", "dataset", "metric", "measure"),
)

CORRELATION_DIFFERENCES = Table(
    "correlation_differences",
    "Which of two metrics follows people better? Their rank correlations with people are dependent.",
    (
        text("level", "over stimuli or over models", words=("stimulus", "model"), filled=True),
        DATASET,
        text("metric_a", "first metric", filled=True),
        text("metric_b", "second metric", filled=True),
        text("measure", "fooling_rate: share of answers `real`; mean_grade: of graded pictures", filled=True),
        integer("n", "points that have both", filled=True),
        number(
            "agreement_a",
            "strength of agreement, |Spearman|, of the first; of pictures within models",
            unit=CORRELATION,
        ),
        number("agreement_b", "of the second", unit=CORRELATION),
        number("difference", "a - b"),
        *interval_columns("ci", f"its {INTERVAL}; {OF_MODELS} (Zou 2007)"),
        number("z", "Steiger's test of two dependent correlations, for rank correlations; empty below 10 points"),
        number("p", "two-sided", unit=SHARE),
        number(
            "p_holm", "after Holm's correction over the pairs of metrics, measures, levels and data sets", unit=SHARE
        ),
        text("follows_better", "the metric whose lead is significant by p_holm and by the interval; empty: undecided"),
        *PROVENANCE,
    ),
    key=("level", "dataset", "metric_a", "metric_b", "measure"),
)
