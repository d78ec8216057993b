"""Simulated studies of one row of the table to cite: designs from 1 person to 40, and what is asked of each."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.contrast import population_proportions
from gan_eval.stats.estimate.detection_rates import Detection, RatesOfTable
from gan_eval.stats.questions import KindQuestion, kind_questions, pair_questions
from gan_eval.stats.tables.comparisons import estimate_of

LEVEL, MARGIN = 0.05, 0.05


@dataclass(frozen=True)
class RowWorld:
    """Assumptions of one study: people lean to an answer and differ in skill, pictures differ."""

    people: int = 10
    pictures: int = 25
    """Pictures of each kind that a person judges, of each data set."""
    shared: bool = True
    """All judge the same pictures; else each is dealt a list of a pool of ten times as many."""
    skill: tuple[float, ...] = (0.0,)
    """Log-odds of calling a fake fake less those of calling a real picture fake, by data set."""
    leaning: tuple[float, ...] = (0.0,)
    """Log-odds of the answer `fake`, by data set."""
    fakes: float = 1.0
    """Number of generated pictures for each real one."""
    unanswered: float = 0.0
    """Share of trials without an answer; with it every tenth trial is a catch trial, which is answered correctly."""
    models: int = 1
    """Models whose pictures have no partners; each person sees a prompt from one of them, and half of a generated
    picture's variance is the prompt's."""
    sd_leaning: float = 0.5
    sd_skill: float = 0.5
    sd_picture: float = 0.8


LEVELS = {"chance": (0.0,), "middling": (1.5,), "ceiling": (6.0,)}
"""Skill; accuracy is about 50, 65 and 96%."""
DESIGNS = {f"{people} × {pictures}": (people, pictures) for people, pictures in product((1, 3, 10, 40), (8, 25, 100))}
SPECIAL = {
    "2 data sets, 4 fakes a real": RowWorld(skill=(0.5, 2.0), leaning=(1.0, -1.0), fakes=4.0),
    "people lean (SD 1.5)": RowWorld(skill=(1.5,), sd_leaning=1.5),
    "skills differ (SD 1.5)": RowWorld(skill=(1.5,), sd_skill=1.5),
    "pictures differ (SD 1.6)": RowWorld(skill=(1.5,), sd_picture=1.6),
    "catch trials, 20% unanswered": RowWorld(skill=(1.5,), unanswered=0.2),
}
UNPAIRED = {
    f"{models} model{'s' * (models > 1)}, {name}, {'shared' if shared else 'pool'}": RowWorld(
        people=20, shared=shared, skill=skill, models=models
    )
    for models in (1, 3)
    for name, skill in (("chance", (0.0,)), ("middling", (1.5,)))
    for shared in (True, False)
}
PAIRS = {
    "10 people, 25 pictures": (10, 25, 0.0),
    "40 people, 25 pictures": (40, 25, 0.0),
    "20 people, 250 pictures": (20, 250, 0.0),
    "20 people, 25 pictures, 72% correct": (20, 25, 1.2),
}
"""People, pictures of either kind in the pool, and the log-odds of a correct choice; a person judges 25 pairs."""
HELD = ("fooling rate", "reals called real", "accuracy", "d′")


def true_shares(world: RowWorld) -> tuple[float, float]:
    """Shares of the answer `fake` to fakes and to reals, over all people and pictures, data sets counted alike."""
    half = np.array(world.skill) / 2
    sd = np.sqrt(world.sd_leaning**2 + (world.sd_skill / 2) ** 2 + world.sd_picture**2)
    of_fakes, of_reals = (
        population_proportions(np.array(world.leaning) + side * half, np.full(len(half), sd)).share.mean()
        for side in (1, -1)
    )
    return float(of_fakes), float(of_reals)


def trials_of(world: RowWorld, random: np.random.Generator) -> pd.DataFrame:
    """The answered trials of new people to new pictures: `answered` of `gan_eval.judgements.trials.typed`."""
    leaning = world.sd_leaning * random.standard_normal(world.people)
    skills = world.sd_skill * random.standard_normal(world.people)
    parts = []
    for dataset, (skill, of_dataset) in enumerate(zip(world.skill, world.leaning, strict=True)):
        for is_fake in (True, False):
            each = round(world.pictures * (world.fakes if is_fake else 1.0))
            pool = each if world.shared else 10 * each
            lists = [
                np.arange(pool) if world.shared else random.choice(pool, each, replace=False)
                for _ in range(world.people)
            ]
            person, picture = np.repeat(np.arange(world.people), each), np.concatenate(lists)
            effect = world.sd_picture * random.standard_normal(pool)[picture]
            model = (picture + person) % world.models if is_fake else np.zeros(len(picture), int)
            if world.models > 1 and is_fake:
                own = world.sd_picture * random.standard_normal((world.models, pool))[model, picture]
                effect = (effect + own) / np.sqrt(2)
            log_odds = of_dataset + leaning[person] + (is_fake - 0.5) * (skill + skills[person]) + effect
            kind = "fake" if is_fake else "real"
            parts.append(
                pd.DataFrame(
                    {
                        "participant": person.astype(str),
                        "stimulus": [f"{dataset}/{kind}/{m}/{n}" for m, n in zip(model, picture, strict=True)],
                        "item": [f"{dataset}/{kind}/{n}" for n in picture],  # of a generated picture, the prompt
                        "dataset": str(dataset),
                        "kind": kind,
                        "model": [f"m{number}" for number in model] if is_fake else None,
                        "response": np.where(random.random(len(person)) < expit(log_odds), "fake", "real"),
                    }
                )
            )
    trials = pd.concat(parts, ignore_index=True)
    if world.unanswered:
        trials["response"] = trials["response"].mask(random.random(len(trials)) < world.unanswered, "none")
        is_catch = random.random(len(trials)) < 0.1
        trials = trials.assign(phase=np.where(is_catch, "catch", "main"))
        trials["response"] = trials["response"].mask(is_catch, trials["kind"])
        return typed(fill_trials(trials)).answered
    return trials.assign(
        session=trials["participant"],
        is_fake=(trials["kind"] == "fake").to_numpy(),
        says_fake=(trials["response"] == "fake").to_numpy(),
        study="simulated",
        simulated=True,
        fraction=1.0,
    )


def detection(world: RowWorld, random: np.random.Generator, *, margin: float | None = None) -> Detection | None:
    """The numbers of the row `all` of a new study; None where no row has answers to both kinds."""
    settings = AnalysisSettings(margin=margin)
    first = next(kind_questions(trials_of(world, random), settings), None)
    if first is None:
        return None
    assert isinstance(first.estimand, KindQuestion)
    return RatesOfTable(settings).of(first.estimand).detection(margin)


def row_study(world: RowWorld, random: np.random.Generator) -> list[float]:
    """1, 0 or NaN: does each interval hold the truth, is p below 5%, is there no interval."""
    found = detection(world, random)
    if found is None:
        return [*[np.nan] * (len(HELD) + 1), 1.0]
    of_fakes, of_reals = true_shares(world)
    truths = (1 - of_fakes, 1 - of_reals, (1 + of_fakes - of_reals) / 2, float(ndtri(of_fakes) - ndtri(of_reals)))
    estimates = (found.fooling_rate, found.real_called_real, found.accuracy, found.dprime)
    held = [_holds(estimate, truth) for estimate, truth in zip(estimates, truths, strict=True)]
    significant = float(found.p < LEVEL) if np.isfinite(found.p) else np.nan
    return [*held, significant, float(np.isnan(found.accuracy.low))]


def random_pairs(world: tuple[int, int, float], random: np.random.Generator) -> list[float]:
    """1, 0 or NaN: does the interval of the share of correct choices hold the truth, is p below 5%.

    Real and generated pictures are paired at random, and people, reals and fakes differ (SD 0.5, 0.8 and 0.8).
    """
    people, pool, skill = world
    sd = (0.5, 0.8, 0.8)
    of_people, of_reals, of_fakes = (
        spread * random.standard_normal(number) for spread, number in zip(sd, (people, pool, pool), strict=True)
    )
    person = np.repeat(np.arange(people), 25)
    real, fake = (np.concatenate([random.permutation(pool)[:25] for _ in range(people)]) for _ in range(2))
    log_odds = skill + of_people[person] + of_reals[real] + of_fakes[fake]
    trials = pd.DataFrame(
        {
            "participant": person.astype(str),
            "stimulus": [f"d/real/{number}" for number in real],
            "stimulus_b": [f"d/a/{number}" for number in fake],
            "item": [f"d/{number}" for number in fake],
            "choice": np.where(random.random(len(person)) < expit(log_odds), "a", "b"),
        }
    ).assign(
        protocol="paired",
        model="a",
        dataset="d",
        kind=None,
        answered=True,
        study="simulated",
        simulated=True,
        fraction=1.0,
    )
    settings = AnalysisSettings()
    found = estimate_of(next(pair_questions(trials, settings)), RatesOfTable(settings))
    truth = float(population_proportions(np.array([skill]), np.array([np.linalg.norm(sd)])).share[0]) - 0.5
    low, high = found.interval(0.95)
    return [float(low <= truth <= high), float(found.p < LEVEL)]


def level_study(level: str, *, shared: bool, column: int, random: np.random.Generator) -> list[float]:
    """`row_study` of a design; at chance also: equivalence in a study whose accuracy is beyond chance by the margin."""
    people, pictures = [*DESIGNS.values()][column]
    world = RowWorld(skill=LEVELS[level], shared=shared, people=people, pictures=pictures)
    outcome = row_study(world, random)
    if level != "chance":
        return outcome
    found = detection(replace(world, skill=(_skill_at_margin(world),)), random, margin=MARGIN)
    known = found is not None and np.isfinite(found.p_equivalent)
    return [*outcome, float(found.p_equivalent < LEVEL) if found is not None and known else np.nan]


def _skill_at_margin(world: RowWorld) -> float:
    def missing(skill: float) -> float:
        of_fakes, of_reals = true_shares(replace(world, skill=(skill,)))
        return (of_fakes - of_reals) / 2 - MARGIN

    return float(brentq(missing, 0.0, 3.0, xtol=1e-10))


def _holds(estimate: Estimate, truth: float) -> float:
    return float(estimate.low <= truth <= estimate.high) if np.isfinite(estimate.low) else np.nan
