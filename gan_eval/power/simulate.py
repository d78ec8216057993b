"""One simulated study: answers from the assumed truth, then the verdict of the project's own analysis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.power.design import Design
from gan_eval.power.questions import TOLD_APART, Question, Scenario
from gan_eval.power.truth import Truth, simulate
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare import questions as asking
from gan_eval.stats.compare.contrast import ALPHA, Fits, estimate
from gan_eval.stats.compare.questions import pair_questions
from gan_eval.stats.shares import holm
from gan_eval.stats.trials import PAIRED


@dataclass(frozen=True)
class World:
    """All that simulated studies share."""

    design: Design
    truths: Mapping[Scenario, Truth]
    questions: tuple[Question, ...]
    analysis: AnalysisSettings
    seed: int
    """Of the simulation."""


class Judged(NamedTuple):
    """What the analysis says to one question."""

    ci_low: float
    """Of the difference's 95 % interval; NaN where there is no estimate."""
    ci_high: float
    p: float
    p_equivalent: float


class Verdict(NamedTuple):
    """What one simulated study says to one question."""

    found: bool
    """Different, or equivalent where that is asked."""
    failed: bool
    """No estimate."""
    width: float
    """Of the difference's 95 % interval; NaN where it failed."""


NO_ESTIMATE = Judged(np.nan, np.nan, np.nan, np.nan)


def one_study(world: World, task: tuple[int, ...]) -> list[Verdict]:
    """The verdicts of one simulated study, a function of the world and the task alone.

    Answers are independent from scenario to scenario; all questions of one scenario are asked of the same answers.

    Args:
        world: what is so, and what is asked.
        task: participants, and the number of the simulated study.
    """
    participants, number = task
    design = world.design.first(participants)
    tests: dict[str, Judged] = {}
    for place, (scenario, truth) in enumerate(sorted(world.truths.items())):
        random = np.random.default_rng([world.seed, participants, number, place])
        asked = [question for question in world.questions if question.scenario == scenario]
        tests |= analysed(design, simulate(design, truth, random), asked, world.analysis)
    return verdicts(world.questions, [tests[question.name] for question in world.questions])


def verdicts(questions: Sequence[Question], tests: Sequence[Judged]) -> list[Verdict]:
    """What the tests say, the differences of each family being corrected together (Holm)."""
    p = pd.Series([np.nan if question.equivalence else test.p for question, test in zip(questions, tests, strict=True)])
    different = p.groupby([question.family for question in questions]).transform(holm) < ALPHA
    return [
        Verdict(
            bool(test.p_equivalent < ALPHA if question.equivalence else differs),
            bool(np.isnan(test.ci_low)),
            test.ci_high - test.ci_low,
        )
        for question, test, differs in zip(questions, tests, different, strict=True)
    ]


def analysed(
    design: Design, answers: np.ndarray, questions: Sequence[Question], analysis: AnalysisSettings
) -> dict[str, Judged]:
    """Each question's test, by its name.

    Args:
        design: who judged what.
        answers: (N,) bool, called fake, or chosen a.
        questions: all of one scenario.
        analysis: the study's plan.
    """
    are_pairs = design.groups[0].is_pair
    trials = answered_pairs(design, answers) if are_pairs else answered_trials(design, answers)
    in_words = _asked_of_pairs if are_pairs else _asked
    fits: Fits = {}
    found = {}
    for question in questions:
        asked = in_words(design, trials, question, analysis)
        judged = estimate(asked.question, margin=question.margin, fits=fits)
        found[question.name] = Judged(judged.ci_low, judged.ci_high, judged.p, judged.p_equivalent)
    return found


def answered_trials(design: Design, answers: np.ndarray) -> pd.DataFrame:
    """The trials of single pictures as the analysis reads them (`gan_eval.stats.trials.answered_trials`)."""
    is_fake = np.array([not each.is_real for each in design.groups])[design.group]
    return _shown(design).assign(is_fake=is_fake, says_fake=answers, correct=answers == is_fake)


def answered_pairs(design: Design, answers: np.ndarray) -> pd.DataFrame:
    """The trials of pairs as the analysis reads them (`gan_eval.stats.trials.pair_trials`)."""
    protocol = "model_vs_model" if BETWEEN_MODELS in design.groups[0].role else PAIRED
    return _shown(design).assign(protocol=protocol, choice=np.where(answers, "a", "b"), answered=True)


def _shown(design: Design) -> pd.DataFrame:
    """Who was shown what."""
    group = design.group
    return pd.DataFrame(
        {
            "participant": design.participant,
            "stimulus": design.stimulus,
            "item": design.item[design.stimulus],
            "dataset": np.array([each.dataset for each in design.groups], dtype=object)[group],
            "model": np.array([each.role or None for each in design.groups], dtype=object)[group],
            "study": "planned",
            "simulated": True,
            "fraction": 1.0,
        }
    )


def _asked(design: Design, trials: pd.DataFrame, question: Question, analysis: AnalysisSettings) -> asking.Asked:
    """The question in the analysis' own words."""
    if question.family == TOLD_APART:
        return next(asking.kind_questions(trials, analysis))
    (a,), (b,) = question.a, question.b
    group = design.group
    pair = trials[(group == a) | (group == b)]
    wanted = {design.groups[a].role, design.groups[b].role}
    return next(asked for asked in asking.model_questions(pair, analysis) if {asked.a, asked.b} == wanted)


def _asked_of_pairs(
    design: Design, trials: pd.DataFrame, question: Question, analysis: AnalysisSettings
) -> asking.Asked:
    """The share of choices less one half, in the analysis' own words; over all groups it is the first it asks."""
    return next(pair_questions(trials[np.isin(design.group, question.a)], analysis))
