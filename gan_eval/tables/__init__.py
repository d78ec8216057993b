"""The tables' schemas: the only place that names columns, dtypes, units and meanings.

`docs/tables.md` is made from here (`python -m gan_eval.tables`). Reading and writing the tables is in
`gan_eval.tabular`; nothing here needs more than the standard library.
"""

from gan_eval.tables.answers import (
    AGREEMENT,
    CHOICES,
    DETECTION,
    HYPE,
    OPINION_SCORES,
    PARTICIPATION,
    PUBLISHED_QUIZ,
    RATERS,
    RATES,
    RATINGS,
    REACTION_TIMES,
    REJECTED,
    SPEED_ACCURACY,
    THRESHOLDS,
)
from gan_eval.tables.inference import (
    BRADLEY_TERRY,
    COMPARISONS,
    CORRELATION_DIFFERENCES,
    CORRELATIONS,
    METRIC_MODELS,
    MIXED_MODELS,
    MODEL_CHECKS,
    POWER,
    REACTION_TIME_MODELS,
)
from gan_eval.tables.metric_values import BESIDE, IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.pictures import GIVEAWAYS, PAIRS, PHOTOGRAPHS, STIMULI
from gan_eval.tables.schema import Column, Table
from gan_eval.tables.sessions import CHECKS, CONSENTS, ONSETS, PARTICIPANTS, PLANS, SESSIONS, TRIALS
from gan_eval.tables.shared import (
    ANALYSIS_RUN,
    HOLE_SCOPES,
    KINDS,
    PHASES,
    PLATEAU_VERDICTS,
    RESPONSES,
    SCOPES,
    STATUSES,
)
from gan_eval.tables.training import PLATEAUS, TRAINING_LOG, TRAINING_WARNINGS, VALIDATION

__all__ = [
    "AGREEMENT", "BESIDE", "BRADLEY_TERRY", "CHECKS", "CHOICES", "COMPARISONS", "CONSENTS", "CORRELATIONS",
    "CORRELATION_DIFFERENCES", "DETECTION", "GIVEAWAYS", "HOLE_SCOPES", "HYPE", "IMAGE_METRICS", "KINDS",
    "METRIC_COMPARISONS",
    "METRIC_MODELS", "MIXED_MODELS", "MODEL_CHECKS", "OF_ANALYSIS", "ONSETS", "OPINION_SCORES", "PAIRS", "PARTICIPANTS",
    "PARTICIPATION", "PHASES", "PHOTOGRAPHS", "PLANS", "PLATEAUS", "PLATEAU_VERDICTS", "POWER", "PUBLISHED_QUIZ",
    "RATERS", "RATES", "RATINGS", "REACTION_TIMES", "REACTION_TIME_MODELS", "REJECTED", "RESPONSES", "RUNS", "SCOPES",
    "SESSIONS", "SET_METRICS", "SPEED_ACCURACY", "STATUSES", "STIMULI", "TABLES", "THRESHOLDS", "TRAINING_LOG",
    "TRAINING_WARNINGS", "TRIALS", "VALIDATION", "Column", "Table",
]  # fmt: skip

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        STIMULI, SESSIONS, PLANS, ONSETS, TRIALS, CONSENTS, CHECKS, PARTICIPANTS, IMAGE_METRICS, SET_METRICS,
        METRIC_COMPARISONS, BESIDE, TRAINING_LOG, VALIDATION, TRAINING_WARNINGS, PLATEAUS, RUNS, PARTICIPATION,
        RATES, DETECTION, REACTION_TIMES, REACTION_TIME_MODELS, SPEED_ACCURACY, CHOICES, BRADLEY_TERRY, RATINGS,
        OPINION_SCORES, RATERS, AGREEMENT, THRESHOLDS, HYPE, MIXED_MODELS, MODEL_CHECKS, COMPARISONS, CORRELATIONS,
        CORRELATION_DIFFERENCES, METRIC_MODELS, POWER, PUBLISHED_QUIZ, REJECTED, PAIRS, PHOTOGRAPHS, GIVEAWAYS,
    )
}  # fmt: skip
"""Every table of the project by its name."""

OF_ANALYSIS: tuple[Table, ...] = tuple(table for table in TABLES.values() if ANALYSIS_RUN in table.columns)
"""The tables that one analysis makes."""
