"""Simulated answers of people to pictures, as trials that were answered, and the usual tests of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, ndtr

PEOPLE, TRIALS = 40, 50


@dataclass(frozen=True)
class World:
    """Assumptions about pictures of two conditions."""

    stimuli: int
    """Number of pictures in the pool; with 50 all people judge the same ones."""
    a: float
    """Log-odds of yes to a picture of condition a, of the typical person to the typical picture."""
    b: float
    sd_participant: float = 0.5
    sd_skill: float = 0.0
    """Standard deviation of the difference of conditions between people."""
    sd_stimulus: float = 0.8
    people: int = PEOPLE
    trials: int = TRIALS
    """Number of trials of each person."""


@dataclass(frozen=True)
class Answers:
    """One simulated study, trials sorted by participant; each (N,)."""

    participant: np.ndarray
    stimulus: np.ndarray
    item: np.ndarray
    in_a: np.ndarray
    """The stimulus belongs to condition a."""
    yes: np.ndarray


def simulate(world: World, random: np.random.Generator) -> Answers:
    """Answers of new people to new pictures, of which each belongs to one condition."""
    size = world.stimuli
    stimulus = _dealt(world, (np.arange(size // 2), np.arange(size // 2, size)), random)
    picture = world.sd_stimulus * random.standard_normal(size)
    return _answers(world, stimulus, stimulus, stimulus < size // 2, picture[stimulus], random)


def simulate_items(world: World, sd_version: float, random: np.random.Generator) -> Answers:
    """Answers to items of which both conditions have a version; half of the people see an item in each.

    Args:
        world: `sd_stimulus` is that of the items.
        sd_version: of the versions around their item.
        random: of everything.
    """
    size = world.stimuli
    item = _dealt(world, (np.arange(0, size, 2), np.arange(1, size, 2)), random)
    in_a = (item + np.repeat(np.arange(world.people), world.trials)) % 2 == 0
    stimulus = 2 * item + in_a
    items, versions = random.standard_normal(size), random.standard_normal(2 * size)
    effect = world.sd_stimulus * items[item] + sd_version * versions[stimulus]
    return _answers(world, stimulus, item, in_a, effect, random)


def _dealt(world: World, halves: tuple[np.ndarray, np.ndarray], random: np.random.Generator) -> np.ndarray:
    """(N,) for each person as many of either half, none twice."""
    each = world.trials // 2
    return np.concatenate([random.choice(half, each, replace=False) for _ in range(world.people) for half in halves])


def _answers(
    world: World,
    stimulus: np.ndarray,
    item: np.ndarray,
    in_a: np.ndarray,
    effect: np.ndarray,
    random: np.random.Generator,
) -> Answers:
    participant = np.repeat(np.arange(world.people), world.trials)
    leaning, skill = np.array([[world.sd_participant], [world.sd_skill]]) * random.standard_normal((2, world.people))
    log_odds = np.where(in_a, world.a, world.b) + leaning[participant] + (in_a - 0.5) * skill[participant] + effect
    return Answers(participant, stimulus, item, in_a, random.random(len(stimulus)) < expit(log_odds))


def kind_trials(study: Answers) -> pd.DataFrame:
    """a: fakes, b: reals; yes: called fake. All as `answered` of `gan_eval.judgements.trials.typed` has them."""
    return _trials(study, [None, "a"]).assign(
        kind=np.where(study.in_a, "fake", "real"),
        is_fake=study.in_a,
        says_fake=study.yes,
        correct=study.yes == study.in_a,
    )


def model_trials(study: Answers) -> pd.DataFrame:
    """a and b: fakes of two models; yes: called real."""
    return _trials(study, ["b", "a"]).assign(is_fake=True, says_fake=~study.yes, correct=~study.yes)


def _trials(study: Answers, models: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "session": study.participant,
            "participant": study.participant,
            "stimulus": study.stimulus,
            "item": study.item,
            "dataset": "d",
            "model": np.array(models, dtype=object)[study.in_a.astype(int)],
            "study": "simulated",
            "simulated": True,
            "fraction": 1.0,
        }
    )


def counted(study: Answers) -> np.ndarray:
    """(2, 2) answers: yes and no to a, then to b."""
    return np.array(
        [[(study.yes[side] == answer).sum() for answer in (True, False)] for side in (study.in_a, ~study.in_a)]
    )


def person_shares(study: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Each person's share of yes to a, and to b; both (P,)."""
    a, b = (
        np.bincount(study.participant[side], study.yes[side]) / np.bincount(study.participant[side])
        for side in (study.in_a, ~study.in_a)
    )
    return a, b


def logistic_p(study: Answers) -> float:
    """P of the condition in a logistic regression over all answers."""
    table = counted(study)
    log_odds = np.log(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    return float(2 * ndtr(-abs(log_odds / np.sqrt((1 / table).sum()))))


def chi_square_p(study: Answers) -> float:
    """P of the chi-square test of all answers, without correction."""
    return float(stats.chi2_contingency(counted(study), correction=False).pvalue)


def t_over_people_p(study: Answers) -> float:
    """Paired t-test of people's shares."""
    return float(stats.ttest_rel(*person_shares(study)).pvalue)


def t_over_stimuli_p(study: Answers) -> float:
    """t-test of pictures' shares."""
    code, seen = np.unique(study.stimulus, return_inverse=True)[1], np.bincount
    shares = seen(code, study.yes) / seen(code)
    in_a = seen(code, study.in_a) > 0
    return float(stats.ttest_ind(shares[in_a], shares[~in_a]).pvalue)


def pooled_equivalence_p(study: Answers, margin: float) -> float:
    """The larger p of two one-sided z-tests of two shares of all answers."""
    table = counted(study)
    n = table.sum(axis=1)
    share = table[:, 0] / n
    error = np.sqrt((share * (1 - share) / n).sum())
    return float(ndtr((abs(share[0] - share[1]) - margin) / error))


def people_equivalence_p(study: Answers, margin: float) -> float:
    """The larger p of two one-sided t-tests of people's differences."""
    a, b = person_shares(study)
    above = stats.ttest_1samp(a - b, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(a - b, margin, alternative="less").pvalue
    return float(max(above, below))
