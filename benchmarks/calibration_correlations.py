"""Simulated studies of metrics against people, at the level of pictures and of models."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from calibration_numbers import Design, Number, named
from scipy.special import expit
from scipy.stats import spearmanr

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.correlations import correlations_and_differences

TRUTH_PICTURES, TRUTH_GROUPS = 4000, 100
"""Number of pictures, and of groups of people who judge them, behind a true correlation."""


@dataclass(frozen=True)
class MetricWorld:
    """Assumptions about people, one model's pictures, and metrics; SDs are of log-odds of `real`."""

    people: int = 20
    pictures: int = 25
    follow: float = 0.0
    """Pearson's correlation of each metric with what the pictures are to people."""
    metrics: int = 1
    levels: int | None = None
    """Number of different values of a metric; None: all differ."""
    sd_picture: float = 1.0
    sd_person: float = 0.5


def simulate(
    world: MetricWorld, random: np.random.Generator, pictures: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (metrics, N) values of N pictures, (N,) what these are to people, and (people, N) answers `real`."""
    look = random.standard_normal(pictures)
    own = random.standard_normal((world.metrics, pictures))
    values = world.follow * look + np.sqrt(1 - world.follow**2) * own
    if world.levels is not None:
        values = np.clip(np.rint(values), -(world.levels // 2), world.levels // 2 - (world.levels + 1) % 2)
    eta = world.sd_picture * look + world.sd_person * random.standard_normal((world.people, 1))
    return values, look, random.random(eta.shape) < expit(eta)


def pictures_study(world: MetricWorld, random: np.random.Generator) -> list[Number]:
    """Return the correlation of a new study and its ceiling, or the difference of two metrics' correlations."""
    values, _, real = simulate(world, random, world.pictures)
    person, picture = (index.ravel() for index in np.indices(real.shape))
    stimulus = named("m", np.arange(world.pictures))
    trials = fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{number}" for number in person],
                "stimulus": [stimulus[number] for number in picture],
                "item": [stimulus[number] for number in picture],
                "kind": "fake",
                "model": "m",
                "dataset": "d",
                "response": np.where(real, "real", "fake").ravel(),
            }
        ),
        agree=False,
    )
    images = pd.concat(
        [
            pd.DataFrame({"stimulus": stimulus, "metric": f"metric{number}", "value": of_metric})
            for number, of_metric in enumerate(values)
        ]
    ).assign(kind="fake", dataset="d", model="m")
    correlations, differences = correlations_and_differences(trials, image_metrics=images)
    if world.metrics == 2:
        row = differences.iloc[0]
        value, low, high = (float(row[name]) for name in ("difference", "ci_low", "ci_high"))
        return [Number("difference of two metrics", 0.0, value, low, high, p=float(row["p"]))]
    row, truth = correlations.iloc[0], true_correlations(world) if world.follow else (0.0, 0.0)
    value, low, high = (float(row[name]) for name in ("spearman", "ci_low", "ci_high"))
    numbers = [Number("correlation", truth[0], value, low, high, p=np.nan if world.follow else float(row["p"]))]
    if world.follow:
        numbers.append(Number("ceiling", truth[1], float(row["ceiling"])))
    return numbers


@lru_cache
def true_correlations(world: MetricWorld) -> tuple[float, float]:
    """Return two of Spearman's correlations over very many pictures with as many answers each.

    The first is of the metric with the share of answers `real`, the second, the ceiling, of the true looks with it.
    """
    random = np.random.default_rng(0)
    found = []
    for _ in range(TRUTH_GROUPS):
        (values,), look, real = simulate(world, random, TRUTH_PICTURES)
        found.append([spearmanr(known, real.mean(axis=0)).statistic for known in (values, look)])
    metric, looks = np.mean(found, axis=0)
    return float(metric), float(looks)


@dataclass(frozen=True)
class LeagueWorld:
    """Models that fool people more or less, and metrics of sets; SDs are of log-odds of `real`."""

    models: int = 7
    people: int = 20
    prompts: int = 20
    metrics: int = 1
    follow: float = 0.0
    """Pearson's correlation of each metric with the models' log-odds."""
    sd_model: float = 0.8
    sd_person: float = 0.5
    sd_prompt: float = 0.6
    sd_picture: float = 0.6


def league_study(world: LeagueWorld, random: np.random.Generator) -> list[Number]:
    """Return the correlation over models, or the difference of two metrics' correlations."""
    person, prompt = (index.ravel() for index in np.indices((world.people, world.prompts)))
    model = np.concatenate([random.permutation(world.prompts) % world.models for _ in range(world.people)])
    look = random.standard_normal(world.models)
    eta = world.sd_model * look[model] + world.sd_person * random.standard_normal(world.people)[person]
    eta += world.sd_prompt * random.standard_normal(world.prompts)[prompt]
    eta += world.sd_picture * random.standard_normal((world.models, world.prompts))[model, prompt]
    trials = fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{number}" for number in person],
                "stimulus": named("m", model, prompt),
                "item": named("prompt", prompt),
                "kind": "fake",
                "model": [f"m{number:02d}" for number in model],
                "dataset": "d",
                "response": np.where(random.random(len(eta)) < expit(eta), "real", "fake"),
            }
        ),
        agree=False,
    )
    own = random.standard_normal((world.metrics, world.models))
    values = world.follow * look + np.sqrt(1 - world.follow**2) * own
    sets = pd.concat(
        [
            pd.DataFrame({"metric": f"metric{number}", "value": of_metric})
            .assign(model=[f"m{place:02d}" for place in range(world.models)], dataset="d")
            for number, of_metric in enumerate(values)
        ]
    )  # fmt: skip
    correlations, differences = correlations_and_differences(trials, set_metrics=sets)
    row = (differences if world.metrics == 2 else correlations).iloc[0]
    names = ("difference" if world.metrics == 2 else "spearman", "ci_low", "ci_high")
    name = "difference of two metrics over models" if world.metrics == 2 else "correlation over models"
    value, low, high = (float(row[column]) for column in names)
    return [Number(name, 0.0, value, low, high, p=float(row["p"]))]


PICTURES = {
    "metric without relation, 12 pictures, 4 people": MetricWorld(people=4, pictures=12),
    "metric without relation, 25 pictures, 3 levels": MetricWorld(levels=3),
    "metric that follows, 12 pictures": MetricWorld(pictures=12, follow=0.6),
    "metric that follows, 25 pictures": MetricWorld(follow=0.6),
    "metric that follows, 25 pictures, 4 levels": MetricWorld(follow=0.6, levels=4),
    "metric that follows closely, 50 pictures": MetricWorld(pictures=50, follow=0.8),
    "metric that follows a little, 50 pictures": MetricWorld(pictures=50, follow=0.4),
    "two metrics equally good, 12 pictures": MetricWorld(pictures=12, follow=0.6, metrics=2),
    "two metrics equally good, 30 pictures": MetricWorld(pictures=30, follow=0.6, metrics=2),
    "two metrics without relation, 30 pictures": MetricWorld(pictures=30, metrics=2),
}
LEAGUES = {
    "5 models, metric without relation": LeagueWorld(models=5),
    "7 models, metric without relation": LeagueWorld(),
    "10 models, metric without relation": LeagueWorld(models=10),
    "7 models, 60 people x 50 prompts": LeagueWorld(people=60, prompts=50),
    "12 models, two metrics equally good": LeagueWorld(models=12, people=30, prompts=36, metrics=2, follow=0.6),
}
DESIGNS = [
    *(Design(name, partial(pictures_study, world)) for name, world in PICTURES.items()),
    *(Design(name, partial(league_study, world)) for name, world in LEAGUES.items()),
]
