"""Simulated studies of scores: agreement between people, HYPE scores, thresholds of staircases."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from calibration_numbers import Design, Number, named, prepared
from calibration_single import SingleWorld, answers, true_shares
from scipy.special import expit

from gan_eval.judgements.trials import TypedTrials, typed
from gan_eval.stats.paper import paper
from gan_eval.stats.tables.agreement import agreement
from gan_eval.stats.tables.comparisons import Compared
from gan_eval.stats.tables.hype import hype, threshold_results, thresholds

TRUTH_PICTURES, TRUTH_PEOPLE = 20_000, 4000
"""Numbers of pictures and people behind a truth that has no formula."""
STAIRCASE_TRIALS, UP_MS, DOWN_MS, START_MS = 80, 30.0, 10.0, 400.0
SHORTEST_MS, LONGEST_MS = 20.0, 1000.0


def alpha_study(world: SingleWorld, random: np.random.Generator) -> list[Number]:
    """Return Krippendorff's alpha of all answers."""
    row = agreement(answers(world, random)).iloc[0]  # of all pictures
    return [Number("alpha", true_alpha(world), *(float(row[name]) for name in ("alpha", "ci_low", "ci_high")))]


@lru_cache
def true_alpha(world: SingleWorld) -> float:
    """Return 1 - observed / expected disagreement of any two people over all pictures, by many of both."""
    random = np.random.default_rng(0)
    shares = []
    for side in (0.5, -0.5):
        people = random.standard_normal((1, 1000)) * world.sd_leaning + world.leaning
        people += side * (world.skill + random.standard_normal((1, 1000)) * world.sd_skill)
        pictures = world.sd_picture * random.standard_normal((TRUTH_PICTURES // 2, 1))
        shares.append(expit(people + pictures).mean(axis=1))
    share = np.concatenate(shares)
    return 1 - float((share * (1 - share)).mean() / (share.mean() * (1 - share.mean())))


def hype_infinity(world: SingleWorld, random: np.random.Generator) -> list[Number]:
    """Return the error rate without a time limit, in %."""
    trials = answers(world, random)
    trials = typed(trials.every.assign(requested_exposure_ms=np.inf))
    row = hype(trials).iloc[0]
    fake, real = true_shares(world)
    return [Number("hype_infinity", 50 * (1 - fake + real), *(float(row[x]) for x in ("value", "ci_low", "ci_high")))]


@dataclass(frozen=True)
class StaircaseWorld:
    """People with a staircase each, whose thresholds are log-normal."""

    people: int
    sd_log: float = 0.6
    median_ms: float = 200.0


def staircases(world: StaircaseWorld, random: np.random.Generator) -> TypedTrials:
    """Return the trials of staircases that settle where 3 in 4 answers are correct."""
    people, n = world.people, STAIRCASE_TRIALS
    log_threshold = np.log(world.median_ms) + world.sd_log * random.standard_normal(people)
    exposure, right = np.empty((people, n)), np.empty((people, n), bool)
    at = np.full(people, START_MS)
    is_fake = random.permuted(np.tile(np.arange(n) % 2 == 0, (people, 1)), axis=1)
    for trial in range(n):
        exposure[:, trial] = at
        share = 0.5 + 0.5 * expit(3 * (np.log(at) - log_threshold))
        right[:, trial] = random.random(people) < share
        at = np.clip(at + np.where(right[:, trial], -DOWN_MS, UP_MS), SHORTEST_MS, LONGEST_MS)
    person, number = (index.ravel() for index in np.indices((people, n)))
    kind = np.where(is_fake, "fake", "real").ravel()
    return prepared(
        {
            "participant": [f"P{each}" for each in person],
            "trial": number + 1,
            "block": 1,
            "protocol": "staircase",
            "stimulus": named(kind, number),
            "item": named("item", number),
            "kind": kind,
            "model": np.array([None, "m"])[is_fake.ravel().astype(int)],
            "requested_exposure_ms": exposure.ravel(),
            "response": np.where(right == is_fake, "fake", "real").ravel(),
        }
    )


def staircase_study(world: StaircaseWorld, random: np.random.Generator) -> list[Number]:
    """Return the mean of all people's thresholds in `hype` and in the table to cite."""
    trials = staircases(world, random)
    times, results = hype(trials), threshold_results(thresholds(trials.every))
    truth = true_threshold(StaircaseWorld(TRUTH_PEOPLE, world.sd_log, world.median_ms))
    row, cited = times.iloc[0], paper(trials, results, Compared([], [])).iloc[-1]
    return [
        Number("hype_time", truth, *(float(row[name]) for name in ("value", "ci_low", "ci_high"))),
        Number("threshold", truth, *(float(cited[f"threshold_ms{end}"]) for end in ("", "_low", "_high"))),
    ]


@lru_cache
def true_threshold(world: StaircaseWorld) -> float:
    """Return the mean of the exposures that the staircases of very many people showed most often."""
    found = thresholds(staircases(world, np.random.default_rng(0)).every)
    return float(found["mode_ms"].mean())


ALPHA = {
    "alpha, 8 people x 30": SingleWorld(people=8, fakes=15, reals=15, skill=1.5, sd_leaning=1.0, sd_skill=1.0),
    "alpha, 4 people x 60": SingleWorld(people=4, fakes=30, reals=30, skill=1.5, sd_leaning=1.0, sd_skill=1.0),
    "alpha, 20 people x 40": SingleWorld(people=20, skill=1.5),
}
HYPE = {
    "hype_infinity, 5 people x 30": SingleWorld(people=5, fakes=15, reals=15, skill=1.0),
    "hype_infinity, 10 people x 30": SingleWorld(people=10, fakes=15, reals=15, skill=1.0),
    "hype_infinity, 30 people x 40": SingleWorld(people=30, skill=1.0),
}
DESIGNS = [
    *(Design(name, partial(alpha_study, world)) for name, world in ALPHA.items()),
    *(Design(name, partial(hype_infinity, world)) for name, world in HYPE.items()),
    *(
        Design(
            f"staircases of {people} people",
            partial(staircase_study, StaircaseWorld(people)),
        )
        for people in (5, 8, 12, 20)
    ),
]
