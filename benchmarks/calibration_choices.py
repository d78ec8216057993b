"""Simulated studies of metrics against choices between two pictures: 2AFC scores, their ceiling and differences."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from calibration_numbers import Design, Number
from scipy.special import expit

from gan_eval.stats.estimate.votes import Votes, agreement, ceiling, score, score_difference, votes_of_counts

MANY = 40_000
"""Number of pairs, each with people of its own, behind the truth."""


@dataclass(frozen=True)
class VotesWorld:
    """Assumptions about people who choose between two pictures, and two metrics of these; log-odds of the first one."""

    people: int
    pictures: int
    pairs: int = 1
    """Number of pairs of pictures of each item."""
    each: int | None = None
    """Number of pairs that a person sees; None: all."""
    counted: bool = False
    """Only the counts of a pair are known."""
    spread: float = 1.0
    """SD of the pairs' differences in quality."""
    shared: float = 0.5
    """Share of that variance that pairs of an item have in common."""
    sd_taste: float = 0.7
    """SD of people's liking of a property (such as sharpness) that the metrics see too."""
    noise: tuple[float, float] = (1.0, 1.0)
    """SD of each metric's error."""


def _pairs(world: VotesWorld, items: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (items x pairs,) the difference in quality and in the property, and (., 2) in the metrics."""
    size = (items, world.pairs)
    common, own = np.sqrt(world.shared), np.sqrt(1 - world.shared)
    quality, property_, error_a, error_b = (
        (common * random.standard_normal((items, 1)) + own * random.standard_normal(size)).ravel() for _ in range(4)
    )
    metrics = [
        quality + 0.5 * property_ + sd * error for sd, error in zip(world.noise, (error_a, error_b), strict=True)
    ]
    return world.spread * quality, property_, np.stack(metrics, axis=1)


def votes_study(world: VotesWorld, random: np.random.Generator) -> list[Number]:
    """Return the score of the first metric, the ceiling, and the difference of both scores in a new study."""
    quality, property_, metrics = _pairs(world, world.pictures, random)
    total = len(quality)
    each = total if world.each is None else world.each
    pair = np.concatenate([random.permutation(total)[:each] for _ in range(world.people)])
    person = np.repeat(np.arange(world.people), each)
    taste = world.sd_taste * random.standard_normal(world.people)
    chose = random.random(len(pair)) < expit(quality[pair] + taste[person] * property_[pair])
    if world.counted:
        for_first, for_both = np.bincount(pair, chose, total).astype(int), np.bincount(pair, minlength=total)
        votes = votes_of_counts(for_first, for_both - for_first, np.arange(total) // world.pairs)
    else:
        votes = Votes(chose, pair, pair // world.pairs, person)
    a, b = (agreement(votes, values[votes.pair], np.zeros(len(votes.pair))) for values in metrics.T)
    (truth_a, truth_b), highest = true_scores(world)
    apart = score_difference(votes, a, b)
    is_null = world.noise[0] == world.noise[1]
    return [
        Number("2AFC score", truth_a, *score(votes, a)),
        Number("ceiling of 2AFC scores", highest, *ceiling(votes)),
        Number(
            "difference of 2AFC scores",
            0.0 if is_null else truth_a - truth_b,
            *apart.difference,
            p=apart.p if is_null else np.nan,
        ),
    ]


@lru_cache
def true_scores(world: VotesWorld) -> tuple[tuple[float, float], float]:
    """Return both metrics' scores over all people and pictures, and the ceiling with as many votes for each pair."""
    random = np.random.default_rng(0)
    quality, property_, metrics = _pairs(world, MANY // world.pairs, random)
    each = world.pictures * world.pairs if world.each is None else world.each
    share = each / (world.pictures * world.pairs)
    voters = random.binomial(world.people, share, len(quality)) if share < 1 else np.full(len(quality), world.people)
    pair = np.repeat(np.arange(len(quality)), voters)
    taste = world.sd_taste * random.standard_normal(len(pair))
    probability = expit(quality[pair] + taste * property_[pair])
    first = metrics[pair] > 0
    scores = np.where(first, probability[:, None], 1 - probability[:, None]).mean(axis=0)
    votes = Votes(random.random(len(pair)) < probability, pair, pair, np.arange(len(pair)))
    return (float(scores[0]), float(scores[1])), ceiling(votes).value


WORLDS = {
    "votes of 3 people on 40 pairs": VotesWorld(3, 40),
    "votes of 5 people on 10 pairs": VotesWorld(5, 10),
    "votes of 10 people on 10 pairs": VotesWorld(10, 10),
    "votes of 10 people on 20 pairs, tastes SD 1.5": VotesWorld(10, 20, sd_taste=1.5),
    "votes of 40 people on 10 pairs": VotesWorld(40, 10),
    "votes of 20 people on 40 pairs, 20 each": VotesWorld(20, 40, each=20),
    "votes of 10 people on 3 pairs of 12 items": VotesWorld(10, 12, pairs=3),
    "votes of 20 people on 30 pairs, strong": VotesWorld(20, 30, spread=3.0, noise=(0.3, 0.3)),
    "votes of 47 people on 144 pairs, counted": VotesWorld(47, 36, pairs=4, counted=True),
    "votes of 20 people on 30 pairs, one metric better": VotesWorld(20, 30, noise=(0.5, 2.0)),
}
DESIGNS = [Design(name, partial(votes_study, world)) for name, world in WORLDS.items()]
