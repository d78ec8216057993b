"""Simulated pictures of several models with metrics' values, and how often metrics seem to follow people."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri

from gan_eval.base.inference import bootstrap_interval
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.ceiling import rank_correlations, spearman
from gan_eval.stats.metrics_and_people.correlations import correlation_rows
from gan_eval.stats.metrics_and_people.points import point_sets

MODELS, ITEMS = 3, 40
SD_PERSON, SD_ITEM, SD_PICTURE, SD_MODEL = 0.5, 0.6, 0.6, 0.8
TRUTH_STUDIES = 2000


@dataclass(frozen=True)
class PicturesWorld:
    """Assumptions about a metric and people; each person judges every item in one model's version."""

    people: int = 30
    model_effect: float = 0.0
    """Effect of models: log-odds for people and, in its own standard deviations, on the metric."""
    alike: float = 0.0
    """Share of the metric's variance within models that an item's versions have in common."""
    slope: float = 0.0
    """Log-odds for one standard deviation more of the metric within models."""
    sd_slope: float = 0.0
    """Standard deviation of the slope between people."""


def simulate_pictures(
    world: PicturesWorld, random: np.random.Generator, *, metrics: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(metrics, ITEMS, MODELS) values, and (people, ITEMS) the model judged and whether it was called real.

    People follow the first metric, if any.
    """
    shared = random.standard_normal((metrics, ITEMS, 1))
    own = random.standard_normal((metrics, ITEMS, MODELS))
    within = np.sqrt(world.alike) * shared + np.sqrt(1 - world.alike) * own
    of_model = world.model_effect * np.linspace(-1, 1, MODELS)
    person, follows = random.standard_normal((2, world.people, 1))
    effect = SD_ITEM * random.standard_normal((ITEMS, 1)) + SD_PICTURE * random.standard_normal((ITEMS, MODELS))
    model = random.integers(MODELS, size=(world.people, ITEMS))
    item = np.arange(ITEMS)
    log_odds = SD_PERSON * person + (of_model + effect)[item, model]
    log_odds += (world.slope + world.sd_slope * follows) * within[0][item, model]
    return within + of_model, model, random.random(log_odds.shape) < expit(log_odds)


def picture_tables(
    values: np.ndarray, model: np.ndarray, real: np.ndarray, *, dataset: str = "d"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `trials` and `image_metrics` of one data set."""
    person, item = np.indices(model.shape)
    names = np.array([[f"{dataset}/m{m}/{i:02d}" for m in range(MODELS)] for i in range(ITEMS)])
    trials = pd.DataFrame(
        {
            "participant": [f"P{number:02d}" for number in person.ravel()],
            "stimulus": names[item, model].ravel(),
            "item": [f"{dataset}/{number:02d}" for number in item.ravel()],
            "kind": "fake",
            "model": [f"m{number}" for number in model.ravel()],
            "dataset": dataset,
            "response": np.where(real, "real", "fake").ravel(),
        }
    )
    images = [
        pd.DataFrame({"stimulus": names.ravel(), "metric": f"metric{number}", "value": of_metric.ravel()}).assign(
            kind="fake", dataset=dataset, model=[f"m{m}" for m in range(MODELS)] * ITEMS
        )
        for number, of_metric in enumerate(values)
    ]
    return trials, pd.concat(images, ignore_index=True)


NULL = {
    "models differ": PicturesWorld(model_effect=SD_MODEL),
    "models differ, versions of an item alike": PicturesWorld(model_effect=SD_MODEL, alike=0.8),
    "models alike, 8 people": PicturesWorld(people=8, alike=0.8),
}
FOLLOWED = {
    "no relation": PicturesWorld(model_effect=SD_MODEL, alike=0.5),
    "slope 0.5": PicturesWorld(model_effect=SD_MODEL, alike=0.5, slope=0.5),
    "slope 1": PicturesWorld(model_effect=SD_MODEL, alike=0.5, slope=1.0),
    "slope 0.5 (SD 0.5), 8 people": PicturesWorld(people=8, model_effect=SD_MODEL, alike=0.5, slope=0.5, sd_slope=0.5),
}


def false_agreement(column: int, random: np.random.Generator) -> list[float]:
    """No picture of a model fools more for its metric's value; p < .05 by each test."""
    trials, images = picture_tables(*simulate_pictures(list(NULL.values())[column], random))
    trials = fill_trials(trials)
    points = next(point_sets(trials, image_metrics=images))
    row = correlation_rows(points, defaultdict(lambda: np.full(1, np.nan)))[0]
    answers: list[Any] = [row["within_p"], row["p"]]
    return [float(p < 0.05) if np.isfinite(p) else np.nan for p in answers]


def coverage(column: int, random: np.random.Generator) -> list[float]:
    """Check whether intervals of the correlation within models contain its mean over such studies."""
    world = list(FOLLOWED.values())[column]
    trials, images = picture_tables(*simulate_pictures(world, random))
    points = next(point_sets(fill_trials(trials), image_metrics=images))
    (pairing,) = points.pairing("metric0", group=points.group)
    (within,) = rank_correlations(points.replicates(), [pairing])
    truth, estimate = true_correlation(world), spearman(pairing.value, points.score, points.model)
    below = (np.mean(within < estimate) + np.mean(within <= estimate)) / 2
    moved = 2 * ndtri(np.clip(below, 1 / len(within), 1 - 1 / len(within)))
    bias_corrected = np.quantile(within, ndtr(moved + np.array([-1.96, 1.96])))
    low, high = bootstrap_interval(within, estimate, n=len(points.score))
    ends = [(low, high), np.quantile(within, [0.025, 0.975]), bias_corrected]
    return [_holds(float(low), float(high), truth) for low, high in ends]


@lru_cache
def true_correlation(world: PicturesWorld) -> float:
    """The mean, on Fisher's scale, of the correlation within models over many studies of new people and pictures."""
    random = np.random.default_rng(0)
    return float(np.tanh(np.mean([np.arctanh(_within(world, random)) for _ in range(TRUTH_STUDIES)])))


def _within(world: PicturesWorld, random: np.random.Generator) -> float:
    values, model, real = simulate_pictures(world, random)
    place = (np.arange(ITEMS) * MODELS + model).ravel()
    answers, called = (np.bincount(place, weight, ITEMS * MODELS) for weight in (None, real.ravel()))
    with np.errstate(invalid="ignore"):
        rate = called / answers
    return spearman(values[0].ravel(), rate, np.arange(ITEMS * MODELS) % MODELS)


def _holds(low: float, high: float, truth: float) -> float:
    return float(low <= truth <= high) if np.isfinite(low) else np.nan
