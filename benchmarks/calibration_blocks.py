"""The kinds of simulated studies of the calibration, and what is asked of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import calibration_answers as answers
import calibration_metrics as metrics
import calibration_rows as rows
import numpy as np
import pandas as pd
from calibration_answers import Answers, World
from calibration_thresholds import ExposureWorld, threshold_study
from scipy.optimize import brentq

from gan_eval.base.inference import degrees_of_freedom, side_of, two_sided_p, wilson
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.contrast import cell_proportions, estimate, population_proportions
from gan_eval.stats.estimate.detection_rates import RatesOfTable
from gan_eval.stats.estimate.differences import Difference, wald
from gan_eval.stats.mixed import NoFitError, fit_crossed
from gan_eval.stats.mixed.models import Formula, design
from gan_eval.stats.questions import Comparison, Question, kind_questions, model_questions
from gan_eval.stats.tables.comparisons import estimate_of

LEVEL = 0.05
INTERCEPT, EFFECT = 0.4, -0.6
SHARED, POOL = 50, 1000
MARGIN = 0.05
SD_VERSION, SD_SKILL, SD_LEANING, SD_MODEL = 0.3, 0.5, 0.7, 0.8
THRESHOLD_WORLDS = {
    "pairs": ExposureWorld(pairs=True),
    "single pictures": ExposureWorld(),
    "single pictures, 10 people": ExposureWorld(people=10),
    "staircase": ExposureWorld(staircase=True),
}
DEFAULT, PLAIN = AnalysisSettings(), AnalysisSettings(slope=False)


@dataclass(frozen=True)
class Part:
    """One printed table: percentages of studies."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """Kinds of studies that are asked the same."""

    heading: str
    parts: tuple[Part, ...]
    study: Callable[[int, np.random.Generator], list[float]]
    """Column -> 1, 0 or NaN for each row of all parts."""
    number: int
    """Part of the seeds of its random numbers."""


FALSE_ALARMS = "p < .05, % of studies"
BOTH = ("shared", "pool")
SIZES = (SHARED, POOL)


def two_conditions(column: int, random: np.random.Generator) -> list[float]:
    """Real against fake, and model against model; `models` and `told apart` have answers of their own."""
    world = World(SIZES[column // 2], INTERCEPT, INTERCEPT + EFFECT * (column % 2))
    of_models, of_kinds = answers.simulate(world, random), answers.simulate(world, random)
    models, kinds = _models(of_models), _told_apart(of_kinds)
    a, b = _true_shares(world)
    p = [
        models.p,
        kinds.p,
        answers.logistic_p(of_models),
        answers.chi_square_p(of_models),
        answers.t_over_people_p(of_models),
        answers.t_over_stimuli_p(of_models),
    ]
    covered = [
        *(_holds(*row.interval(0.95), a - b) for row in (models, kinds)),
        _holds(*_share_by_model(of_models), a),
        _holds(*_share_by_wilson(of_models), a),
    ]
    return [*map(_below, p), *covered]


def skills(column: int, random: np.random.Generator) -> list[float]:
    """No sensitivity on average, but people differ: some are correct more often, some wrong."""
    study = answers.simulate(World(SIZES[column], INTERCEPT, INTERCEPT, sd_skill=SD_SKILL), random)
    p = [
        _told_apart(study).p,
        _told_apart(study, PLAIN).p,
        answers.chi_square_p(study),
        answers.t_over_people_p(study),
    ]
    return [*map(_below, p)]


VIEWS = {
    "shared items": (30, 40, True),
    "own pictures": (30, 40, False),
    "pool": (30, POOL, False),
    "shared items, 8 people": (8, 40, True),
    "own pictures, 8 people": (8, 40, False),
    "shared items, 60 people": (60, 40, True),
}
"""People, pictures or items in the pool, and whether both models have a version of each item."""


def views(column: int, random: np.random.Generator) -> list[float]:
    """Two models that fool alike on average, but not everyone alike; without and with a difference."""
    people, size, share_items = list(VIEWS.values())[column]
    verdicts = []
    for effect in (0.0, EFFECT):
        world = World(size, INTERCEPT, INTERCEPT + effect, sd_skill=np.sqrt(2) * SD_MODEL, people=people, trials=40)
        study = answers.simulate_items(world, SD_VERSION, random) if share_items else answers.simulate(world, random)
        verdicts += [_models(study).p, answers.t_over_people_p(study)]
        if not effect:
            question = next(model_questions(answers.model_trials(study), DEFAULT)).estimand
            assert isinstance(question, Question)
            of_pictures = replace(question, slopes=(None, question.slopes[1]))
            verdicts += [estimate(of_pictures, margin=None).p, answers.chi_square_p(study)]
    return [*map(_below, verdicts)]


def at_the_margin(column: int, random: np.random.Generator) -> list[float]:
    """The true difference is the margin itself, so nothing is equivalent."""
    size, margin, told_apart = ((POOL, MARGIN, True), (SHARED, 2 * MARGIN, True), (POOL, MARGIN, False))[column]
    gap = 2 * margin if told_apart else margin
    study = answers.simulate(_world_with(gap, size), random)
    plan = AnalysisSettings(margin=margin)
    ours = _told_apart(study, plan) if told_apart else _models(study, plan)
    usual = [answers.pooled_equivalence_p(study, gap), answers.people_equivalence_p(study, gap)]
    return [_below(ours.p_equivalent), *map(_below, usual)]


def leanings(column: int, random: np.random.Generator) -> list[float]:
    """No sensitivity, and people lean to one answer or the other; on average, reals are judged like fakes."""
    study = answers.simulate(World(SIZES[column], 0.0, 0.0, sd_participant=SD_LEANING), random)
    trials = answers.kind_trials(study)
    right = Answers(study.participant, study.stimulus, study.item, study.in_a, study.yes == study.in_a)
    p = [
        _kind_p(trials, slope=True),
        _kind_p(trials, slope=False),
        answers.chi_square_p(right),
        answers.t_over_people_p(right),
    ]
    return [*map(_below, p)]


HELD = "95% interval holds the truth, % of studies"


def _of_rows(level: str, lists: str, *, number: int) -> Block:
    """Each number of a row of the table to cite, by people × pictures of each kind."""
    designs = tuple(rows.DESIGNS)
    others = ("p < .05", "no interval", *["called equivalent, where the truth is the margin"] * (level == "chance"))
    return Block(
        f"A row of the table to cite near {level}, people × pictures of each kind, {lists}",
        (Part(HELD, designs, rows.HELD), Part("% of studies", designs, others)),
        lambda column, random: rows.level_study(level, shared=lists == "shared", column=column, random=random),
        number=number,
    )


WITH_EFFECTS = tuple(f"{what}, {name}" for name in BOTH for what in ("false alarms", "power"))
COVERED = tuple(f"effect {effect:g}, {name}" for name in BOTH for effect in (0, EFFECT))
USUAL = ("chi-square", "t over participants")
BLOCKS = {
    "conditions": Block(
        "Two conditions",
        (
            Part(
                FALSE_ALARMS,
                WITH_EFFECTS,
                ("ours: models", "ours: told apart", "logistic", *USUAL, "t over stimuli"),
            ),
            Part(
                "95% interval holds the truth, % of studies",
                COVERED,
                (
                    "difference (ours: models)",
                    "difference (ours: told apart)",
                    "fooling rate (crossed model)",
                    "fooling rate (Wilson)",
                ),
            ),
        ),
        two_conditions,
        number=0,
    ),
    "skills": Block(
        f"Detection without sensitivity on average, where people differ in skill around 0 (SD {SD_SKILL:g})",
        (Part(FALSE_ALARMS, BOTH, ("ours: told apart", "without the slope", *USUAL)),),
        skills,
        number=1,
    ),
    "views": Block(
        f"Two models that people see differently (SD {SD_MODEL:g} for each model), 40 trials each",
        (
            Part(
                "p < .05, % of studies",
                tuple(VIEWS),
                (
                    "ours: models, false alarms",
                    "t over participants, false alarms",
                    "without the slope by participant, false alarms",
                    "chi-square, false alarms",
                    "ours: models, power",
                    "t over participants, power",
                ),
            ),
        ),
        views,
        number=4,
    ),
    "margin": Block(
        "Equivalence, where the true difference is the margin",
        (
            Part(
                "called equivalent, % of studies",
                (
                    f"told apart ±{100 * MARGIN:g}, pool",
                    f"told apart ±{200 * MARGIN:g}, shared",
                    f"models ±{100 * MARGIN:g}, pool",
                ),
                ("ours", "two z-tests of all answers", "two t-tests over participants"),
            ),
        ),
        at_the_margin,
        number=5,
    ),
    "leanings": Block(
        f"`kind[real]`, without sensitivity, where people lean to one answer (SD {SD_LEANING:g})",
        (Part(FALSE_ALARMS, BOTH, ("correct ~ kind, with the slope", "without the slope", *USUAL)),),
        leanings,
        number=6,
    ),
    "metrics": Block(
        f"Metrics and people: {metrics.MODELS} models' pictures of {metrics.ITEMS} items, where no picture of a model "
        "fools more for its metric's value",
        (
            Part(
                FALSE_ALARMS,
                tuple(metrics.NULL),
                (
                    "ours: correlation within models",
                    "pooled correlation",
                ),
            ),
        ),
        metrics.false_agreement,
        number=7,
    ),
    "metrics followed": Block(
        "Metrics and people: the correlation within models (log-odds for 1 SD of the metric)",
        (
            Part(
                "95% interval holds the truth, % of studies",
                tuple(metrics.FOLLOWED),
                ("ours", "percentiles", "BC (percentiles moved by the share of replicates below)"),
            ),
        ),
        metrics.coverage,
        number=8,
    ),
    "thresholds": Block(
        "Thresholds and slopes of psychometric functions (two models with one threshold, 60 trials a person)",
        (
            Part(
                "95% interval holds the truth, % of studies",
                tuple(THRESHOLD_WORLDS),
                (
                    "threshold (ours)",
                    "threshold (maximum likelihood of all answers)",
                    "slope (ours)",
                    "slope (maximum likelihood of all answers)",
                ),
            ),
        ),
        lambda column, random: threshold_study([*THRESHOLD_WORLDS.values()][column], random),
        number=18,
    ),
    **{
        f"row, {level}, {name}": _of_rows(level, name, number=30 + 2 * place + (name == "pool"))
        for place, level in enumerate(rows.LEVELS)
        for name in BOTH
    },
    "row, unequal": Block(
        "The row `all` of the table to cite, 10 people × 25 pictures of each kind, shared",
        (
            Part(HELD, tuple(rows.SPECIAL), rows.HELD),
            Part("% of studies", tuple(rows.SPECIAL), ("p < .05", "no interval")),
        ),
        lambda column, random: rows.row_study([*rows.SPECIAL.values()][column], random),
        number=40,
    ),
    "row, unpaired": Block(
        "The row `all` of the table to cite of pictures without partners, 20 people × 25 pictures of each kind",
        (
            Part(HELD, tuple(rows.UNPAIRED), rows.HELD),
            Part("% of studies", tuple(rows.UNPAIRED), ("p < .05", "no interval")),
        ),
        lambda column, random: rows.row_study([*rows.UNPAIRED.values()][column], random),
        number=41,
    ),
    "row, random pairs": Block(
        "The share of correct choices in pairs of any real and generated picture, 25 pairs a person",
        (Part("% of studies", tuple(rows.PAIRS), ("95% interval holds the truth", "p < .05")),),
        lambda column, random: rows.random_pairs([*rows.PAIRS.values()][column], random),
        number=42,
    ),
}


def _told_apart(study: Answers, plan: AnalysisSettings = DEFAULT) -> Difference:
    return _estimate(kind_questions(answers.kind_trials(study), plan), plan)


def _models(study: Answers, plan: AnalysisSettings = DEFAULT) -> Difference:
    return _estimate(model_questions(answers.model_trials(study), plan), plan)


def _estimate(questions: Iterator[Comparison], plan: AnalysisSettings) -> Difference:
    """Answer the first question as in the table `comparisons`."""
    return estimate_of(next(questions), RatesOfTable(plan))


def _kind_p(trials: pd.DataFrame, *, slope: bool) -> float:
    """Wald's p of real against fake, as the table `mixed_models` has it."""
    of = design(trials, Formula("correct", ("kind",), slope=slope))
    try:
        fit = fit_crossed(of.y, of.X, of.participant, of.stimulus, slope=of.slope)
    except NoFitError:
        return np.nan
    at = of.terms.index("kind[real]")
    df = degrees_of_freedom(of.participant, of.stimulus, side=side_of(of.X[:, at]))
    return float(two_sided_p(fit.beta[at], fit.std_error[at], df)) if df >= 1 else np.nan


def _world_with(difference: float, size: int) -> World:
    """The share of b is less than that of a by `difference`."""

    def missing(b: float) -> float:
        of_a, of_b = _true_shares(World(size, INTERCEPT, b))
        return of_a - of_b - difference

    return World(size, INTERCEPT, float(brentq(missing, -6, INTERCEPT, xtol=1e-10)))


def _true_shares(world: World) -> tuple[float, float]:
    deviation = np.full(2, np.hypot(world.sd_participant, world.sd_stimulus))
    a, b = population_proportions(np.array([world.a, world.b]), deviation).share
    return float(a), float(b)


def _share_by_model(study: Answers) -> tuple[float, float]:
    """The population-averaged share of condition a, by the crossed model of its answers alone."""
    chosen = study.in_a
    stimulus = np.unique(study.stimulus[chosen], return_inverse=True)[1]
    ones = np.ones((1, 1))
    try:
        fit = fit_crossed(study.yes[chosen], np.ones((chosen.sum(), 1)), study.participant[chosen], stimulus)
    except NoFitError:
        return np.nan, np.nan
    (share,), covariance = cell_proportions(ones, fit.beta, fit.covariance, *fit.random_variance(np.zeros(1)))
    error = float(np.sqrt(covariance[0, 0]))
    return wald(float(share), error, min(answers.PEOPLE, int(stimulus.max()) + 1) - 1).interval(0.95)


def _share_by_wilson(study: Answers) -> tuple[float, float]:
    low, high = wilson(study.yes[study.in_a].sum(), study.in_a.sum())
    return float(low), float(high)


def _holds(low: float, high: float, truth: float) -> float:
    return float(low <= truth <= high) if np.isfinite(low) else np.nan


def _below(p: float) -> float:
    """1 or 0; NaN without a p."""
    return float(p < LEVEL) if np.isfinite(p) else np.nan
