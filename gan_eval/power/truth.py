"""What a plan assumes of people and pictures, and answers simulated from it.

A single picture is called fake with log-odds

    base[group] + leaning of the participant + kind * skill of the participant + its own effect

where kind is +½ for fakes and -½ for reals, and leaning, skill and effect are normal with the three assumed standard
deviations. Of a pair the log-odds are those of choosing its picture a (the real one, or the first model's), and
participants differ in these log-odds as they do in their leaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from gan_eval.power.design import Design, Group
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import PowerSettings
from gan_eval.stats.compare.contrast import population_shares


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
        return population_shares(self.base, np.sqrt(participants + self.sd_stimulus**2)).share


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


def simulate(design: Design, truth: Truth, random: np.random.Generator) -> np.ndarray:
    """(N,) bool: the trials' answers, called fake or chosen a, of new people to new pictures."""
    people = int(design.participant[-1]) + 1
    leaning = truth.sd_participant * random.standard_normal(people)
    skill = truth.sd_slope * random.standard_normal(people)
    effect = truth.sd_stimulus * random.standard_normal(len(design.stimulus_group))
    group = design.group
    log_odds = truth.base[group] + leaning[design.participant] + effect[design.stimulus]
    log_odds += truth.kind[group] * skill[design.participant]
    return np.asarray(random.random(len(group)) < expit(log_odds))


def _truth(base: np.ndarray, groups: Sequence[Group], settings: PowerSettings) -> Truth:
    kind = [0.0 if group.is_pair else -0.5 if group.is_real else 0.5 for group in groups]
    return Truth(base, np.array(kind), settings.sd_participant, settings.sd_stimulus, settings.sd_slope)


def _log_odds(group: Group, settings: PowerSettings) -> float:
    """Of calling a group's pictures fake, or of choosing its pairs' picture a."""
    if group.is_real:
        return float(logit(settings.false_alarm_rate))
    if group.is_pair:
        return float(logit(_choice_share(group.role, settings)))
    return -float(logit(_fooling_rate(group.role, settings)))


def _choice_share(role: str, settings: PowerSettings) -> float:
    """A choice between two pictures shows the difference of their evidence, d' / sqrt(2) (Macmillan & Creelman 2005,
    Detection Theory, ch. 7)."""
    if settings.choice_rate is not None:
        return settings.choice_rate
    one, between, other = role.partition(BETWEEN_MODELS)
    realness = ndtri(1 - settings.false_alarm_rate) if not between else ndtri(_fooling_rate(one, settings))
    return float(ndtr((realness - ndtri(_fooling_rate(other if between else one, settings))) / np.sqrt(2)))


def _fooling_rate(model: str, settings: PowerSettings) -> float:
    return settings.fooling_rates.get(model, settings.fooling_rate)
