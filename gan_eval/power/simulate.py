"""One simulated study: what is assumed of people and pictures, answers that follow from it, and the analysis' verdict.

A single picture is called fake with log-odds

    base[group] + leaning of the participant + kind * skill of the participant + its own effect

where kind is +½ for fakes and -½ for reals, and leaning, skill and effect are normal with the three assumed standard
deviations. Of a pair the log-odds are those of choosing its picture a (the real one, or the first model's), and
participants differ in these log-odds as they do in their leaning. The answers are asked the questions of the project's
own analysis (`gan_eval.stats.compare`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.power.design import Design, Group
from gan_eval.power.questions import PlannedQuestion, Scenario, answered_positively
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.stats.compare.contrast import Fits, estimate, population_proportions
from gan_eval.stats.compare.questions import MODELS, TOLD_APART, kind_questions, model_questions, pair_questions
from gan_eval.stats.trials import PAIRED


@dataclass(frozen=True)
class Truth:
    """What is so in the simulated world."""

    base: np.ndarray
    """(G,) log-odds of each group in the typical participant's answers to the typical picture."""
    kind: np.ndarray
    """(G,) +½ fakes, -½ reals, 0 pairs."""
    sd_participant: float
    sd_stimulus: float
    sd_slope: float

    def shares(self) -> np.ndarray:
        """(G,) share of answers in each group, over all people and all pictures."""
        participants = self.sd_participant**2 + (self.kind * self.sd_slope) ** 2
        return population_proportions(self.base, np.sqrt(participants + self.sd_stimulus**2)).share


def assumed_truth(groups: Sequence[Group], settings: PowerSettings) -> Truth:
    """The truth that `[power]` assumes for a design's groups."""
    return _truth(np.array([_log_odds(group, settings) for group in groups]), groups, settings)


def guessing(groups: Sequence[Group], settings: PowerSettings) -> Truth:
    """The same people and pictures, but nobody can tell: every fake is called fake as often as the reals are, and of
    pairs either picture is chosen as often."""
    base = [0.0 if group.is_pair else float(logit(settings.false_alarm_rate)) for group in groups]
    return _truth(np.array(base), groups, settings)


def equal_models(groups: Sequence[Group], settings: PowerSettings) -> Truth:
    """The same people and pictures, but all models fool alike, as the mean of the assumed log-odds says."""
    base = np.array([_log_odds(group, settings) for group in groups])
    fake = np.array([not group.is_real for group in groups])
    base[fake] = base[fake].mean()
    return _truth(base, groups, settings)


def effect_of(question: PlannedQuestion, design: Design, truth: Truth) -> float:
    """The true difference of shares, over all people and pictures; data sets count by their trials, as in the
    analysis."""
    shares, trials = truth.shares(), np.bincount(design.group, minlength=len(design.groups))
    if not question.b:
        return float(np.average(shares[list(question.a)], weights=trials[list(question.a)]) - 0.5)
    if question.family == MODELS:
        return float(shares[list(question.b)].mean() - shares[list(question.a)].mean())  # of calling them real
    total, weights = 0.0, 0.0
    for dataset in sorted({group.dataset for group in design.groups}):
        a, b = ([at for at in side if design.groups[at].dataset == dataset] for side in (question.a, question.b))
        weight = float(trials[[*a, *b]].sum())
        total += weight * float(np.average(shares[a], weights=trials[a]) - np.average(shares[b], weights=trials[b]))
        weights += weight
    return total / weights


@dataclass(frozen=True)
class World:
    """All that simulated studies share."""

    design: Design
    truths: Mapping[Scenario, Truth]
    questions: tuple[PlannedQuestion, ...]
    analysis: AnalysisSettings
    seed: int
    """Of the simulation."""


class Inference(NamedTuple):
    """What the analysis says to one question; NaN where there is no estimate."""

    ci_low: float
    """Of the difference's 95 % interval."""
    ci_high: float
    p: float
    p_equivalent: float


class Verdict(NamedTuple):
    """What one simulated study says to one question."""

    positive: bool
    """Different, or equivalent where that is asked."""
    failed: bool
    """No estimate."""
    width: float
    """Of the difference's 95 % interval; NaN where it failed."""


def one_study(world: World, task: tuple[int, ...]) -> list[Verdict]:
    """The verdicts of one simulated study, a function of the world and the task alone.

    Answers are independent from scenario to scenario; all questions of one scenario are asked of the same answers.

    Args:
        world: what is so, and what is asked.
        task: participants, and the number of the simulated study.
    """
    participants, number = task
    design = world.design.first(participants)
    tests: dict[str, Inference] = {}
    for place, (scenario, truth) in enumerate(sorted(world.truths.items())):
        random = np.random.default_rng([world.seed, participants, number, place])
        questions = [question for question in world.questions if question.scenario == scenario]
        tests |= analysed(design, simulate(design, truth, random), questions, world.analysis)
    return verdicts(world.questions, [tests[question.name] for question in world.questions])


def verdicts(questions: Sequence[PlannedQuestion], tests: Sequence[Inference]) -> list[Verdict]:
    """What the tests say, the differences of each family being corrected together (Holm)."""
    ci_low, ci_high, p, p_equivalent = np.array(tests, float).T
    positive = answered_positively(questions, p, p_equivalent)
    columns = positive.tolist(), np.isnan(ci_low).tolist(), (ci_high - ci_low).tolist()
    return [Verdict(*cells) for cells in zip(*columns, strict=True)]


def analysed(
    design: Design, answers: np.ndarray, questions: Sequence[PlannedQuestion], analysis: AnalysisSettings
) -> dict[str, Inference]:
    """Each question's test by the analysis, by the question's name.

    Args:
        design: who judged what.
        answers: (N,) bool, called fake, or chosen a.
        questions: all of one scenario.
        analysis: the study's plan.
    """
    are_pairs = design.groups[0].is_pair
    trials = answered_pairs(design, answers) if are_pairs else answered_trials(design, answers)
    fits: Fits = {}
    tests = {}
    for question in questions:
        if are_pairs:  # over all groups it is the first that the analysis asks
            compared = next(pair_questions(trials[np.isin(design.group, question.a)], analysis))
        elif question.family == TOLD_APART:
            compared = next(kind_questions(trials, analysis))
        else:
            part = trials[np.isin(design.group, (*question.a, *question.b))]
            names = {design.groups[number].role for number in (*question.a, *question.b)}
            compared = next(pair for pair in model_questions(part, analysis) if {pair.a, pair.b} == names)
        answer = estimate(compared.question, margin=question.margin, fits=fits)
        tests[question.name] = Inference(answer.ci_low, answer.ci_high, answer.p, answer.p_equivalent)
    return tests


def simulate(design: Design, truth: Truth, random: np.random.Generator) -> np.ndarray:
    """(N,) bool: the trials' answers, called fake or chosen a, of new people to new pictures."""
    participants = int(design.participant[-1]) + 1
    leaning = truth.sd_participant * random.standard_normal(participants)
    skill = truth.sd_slope * random.standard_normal(participants)
    effect = truth.sd_stimulus * random.standard_normal(len(design.stimulus_group))
    group = design.group
    log_odds = truth.base[group] + leaning[design.participant] + effect[design.stimulus]
    log_odds += truth.kind[group] * skill[design.participant]
    return np.asarray(random.random(len(group)) < expit(log_odds))


def answered_trials(design: Design, answers: np.ndarray) -> pd.DataFrame:
    """The trials of single pictures as the analysis reads them (`gan_eval.stats.trials.answered_trials`)."""
    is_fake = np.array([not group.is_real for group in design.groups])[design.group]
    return _trials(design).assign(is_fake=is_fake, says_fake=answers, correct=answers == is_fake)


def answered_pairs(design: Design, answers: np.ndarray) -> pd.DataFrame:
    """The trials of pairs as the analysis reads them (`gan_eval.stats.trials.pair_trials`)."""
    protocol = "model_vs_model" if BETWEEN_MODELS in design.groups[0].role else PAIRED
    return _trials(design).assign(protocol=protocol, choice=np.where(answers, "a", "b"), answered=True)


def _trials(design: Design) -> pd.DataFrame:
    """Who judged what, with the columns that all questions read."""
    number = design.group
    return pd.DataFrame(
        {
            "participant": design.participant,
            "stimulus": design.stimulus,
            "item": design.item[design.stimulus],
            "dataset": np.array([group.dataset for group in design.groups], dtype=object)[number],
            "model": np.array([group.role or None for group in design.groups], dtype=object)[number],
            "study": "planned",
            "simulated": True,
            "fraction": 1.0,
        }
    )


def _truth(base: np.ndarray, groups: Sequence[Group], settings: PowerSettings) -> Truth:
    kind = [0.0 if group.is_pair else -0.5 if group.is_real else 0.5 for group in groups]
    return Truth(base, np.array(kind), settings.sd_participant, settings.sd_stimulus, settings.sd_slope)


def _log_odds(group: Group, settings: PowerSettings) -> float:
    """Of calling a group's pictures fake, or of choosing its pairs' picture a."""
    if group.is_real:
        return float(logit(settings.false_alarm_rate))
    if group.is_pair and settings.choice_rate is not None:
        return float(logit(settings.choice_rate))
    if group.is_pair:
        # a choice between two pictures shows the difference of their evidence, d' / sqrt(2) (Macmillan & Creelman 2005,
        # Detection Theory, ch. 7)
        first, between, second = group.role.partition(BETWEEN_MODELS)
        realness = ndtri(_fooling_rate(first, settings) if between else 1 - settings.false_alarm_rate)
        share = ndtr((realness - ndtri(_fooling_rate(second if between else first, settings))) / np.sqrt(2))
        return float(logit(share))
    return -float(logit(_fooling_rate(group.role, settings)))


def _fooling_rate(model: str, settings: PowerSettings) -> float:
    return settings.fooling_rates.get(model, settings.fooling_rate)
