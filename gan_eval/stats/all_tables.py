"""All tables of the project. A table that is not in these lists is neither written nor read."""

from gan_eval.stats.marks.tables import MARK_AGREEMENT, MARK_MAP_DIFFERENCES, MARK_MAPS, MARK_REGIONS
from gan_eval.stats.metrics_and_people.correlations import CORRELATION_DIFFERENCES, CORRELATIONS
from gan_eval.stats.metrics_and_people.metric_scores import METRIC_SCORE_DIFFERENCES, METRIC_SCORES
from gan_eval.stats.mixed.models import MIXED_MODELS
from gan_eval.stats.paper import PAPER
from gan_eval.stats.power.planning import POWER
from gan_eval.stats.recruitment import RECRUITMENT
from gan_eval.stats.tables.agreement import AGREEMENT
from gan_eval.stats.tables.choices import BRADLEY_TERRY, CHOICES
from gan_eval.stats.tables.classes import CLASSES
from gan_eval.stats.tables.comparisons import COMPARISONS
from gan_eval.stats.tables.grades import OPINION_SCORES, RATINGS
from gan_eval.stats.tables.hype import HYPE, THRESHOLDS
from gan_eval.stats.tables.psychometric import PSYCHOMETRIC, PSYCHOMETRIC_LEVELS
from gan_eval.stats.tables.rates import RATES, REACTION_TIMES
from gan_eval.stats.tables.robustness import ROBUSTNESS
from gan_eval.stats.tables.roc import ROC, ROC_POINTS
from gan_eval.tables import PARTICIPATION, TABLES, Table

OF_ANALYSIS: dict[str, Table] = {
    table.name: table
    for table in (
        PARTICIPATION,
        CORRELATIONS,
        PAPER,
        MARK_AGREEMENT,
        MARK_MAPS,
        MARK_MAP_DIFFERENCES,
        MARK_REGIONS,
        CORRELATION_DIFFERENCES,
        METRIC_SCORES,
        METRIC_SCORE_DIFFERENCES,
        MIXED_MODELS,
        RECRUITMENT,
        AGREEMENT,
        CHOICES,
        CLASSES,
        BRADLEY_TERRY,
        COMPARISONS,
        RATINGS,
        OPINION_SCORES,
        THRESHOLDS,
        HYPE,
        PSYCHOMETRIC,
        PSYCHOMETRIC_LEVELS,
        RATES,
        REACTION_TIMES,
        ROBUSTNESS,
        ROC,
        ROC_POINTS,
    )
}
"""The tables that an analysis may return, by name."""
ALL_TABLES: dict[str, Table] = TABLES | OF_ANALYSIS | {POWER.name: POWER}
