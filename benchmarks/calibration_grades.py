"""Simulated studies of grades, and of mixed models whose effects differ between people."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from calibration_numbers import (
    Design,
    Number,
    compared,
    difference,
    named,
    numbers_of_items,
    over_normal,
    prepared,
    share,
)
from calibration_single import SingleWorld, answers
from scipy.special import expit

from gan_eval.judgements.trials import TypedTrials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.paper import paper
from gan_eval.stats.tables.comparisons import Compared
from gan_eval.stats.tables.grades import grade_results, ratings


@dataclass(frozen=True)
class GradesWorld:
    """Assumptions about people who grade pictures; standard deviations (SD) are of log-odds of a higher grade."""

    people: int = 20
    items: int = 15
    each: int | None = None
    """Number of items that a person grades; None: all."""
    poll: bool = False
    """Each person gives one grade."""
    groups: int = 2
    """Two models, or one."""
    of_kinds: bool = False
    """The two groups are fakes and reals."""
    levels: int = 5
    sd_person: float = 0.8
    sd_person_group: float = 0.0
    """SD of a person's difference of the groups."""
    sd_item: float = 0.8
    """SD of an item, in the versions of both groups."""
    sd_item_group: float = 0.0
    """SD of an item's difference of the groups."""
    sd_scale: float = 0.0
    """SD of the logarithm of the distance of a person's thresholds."""
    least: int | None = None
    """People stop after this number of items or more, the earlier the lower their grades of the first group."""


def grades(world: GradesWorld, random: np.random.Generator) -> TypedTrials:
    """Return the trials of new people who grade new pictures; grades are alike on average in both groups."""
    if world.poll:
        person, item = np.arange(world.people), random.integers(world.items, size=world.people)
        group = random.integers(world.groups, size=world.people)
    else:
        each = world.each or world.items
        item = np.concatenate([random.permutation(world.items)[:each] for _ in range(world.people)])
        person = np.repeat(np.arange(world.people), each)
        group = np.repeat(np.arange(world.groups), len(person))
        person, item = np.tile(person, world.groups), np.tile(item, world.groups)
    side = 0.5 - group

    def normal(spread: float, size: int) -> np.ndarray:
        return spread * random.standard_normal(size)

    leaning, view = normal(world.sd_person, world.people), normal(world.sd_person_group, world.people)
    if world.least is not None:
        number = numbers_of_items(leaning + view / 2, world.least, world.items)
        place = np.array([random.permutation(world.items) for _ in range(world.people)])
        stays = place[person, item] < number[person]
        person, item, group, side = person[stays], item[stays], group[stays], side[stays]
    latent = leaning[person] + side * view[person] + normal(world.sd_item, world.items)[item]
    latent += side * normal(world.sd_item_group, world.items)[item]
    latent += random.logistic(size=len(latent))
    stretch = np.exp(normal(world.sd_scale, world.people))[person]
    rating = 1 + (latent[:, None] > stretch[:, None] * _thresholds(world)).sum(axis=1)
    names = ["fake", "real"] if world.of_kinds else ["m0", "m1"]
    return prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named([names[number] for number in group], item),
            "item": named("item", item),
            "kind": [names[number] for number in group] if world.of_kinds else "fake",
            "model": [("m", None)[number] if world.of_kinds else names[number] for number in group],
            "protocol": "rating",
            "rating": rating.astype(float),
        }
    )


def _thresholds(world: GradesWorld) -> np.ndarray:
    return np.linspace(-2.0, 2.0, world.levels - 1)


def mean_grade(world: GradesWorld) -> float:
    """Return the mean grade over all people and pictures."""
    spreads = (world.sd_person, world.sd_person_group / 2, world.sd_item, world.sd_item_group / 2)

    def of_stretch(log_stretch: float) -> float:
        return 1 + float(share(-np.exp(log_stretch) * _thresholds(world), *spreads).sum())

    return float(over_normal(of_stretch, world.sd_scale))


def graded_models(world: GradesWorld, random: np.random.Generator) -> list[Number]:
    """Return what `comparisons` and, where people's views are in it, `mixed_models` say of two equal groups."""
    trials = grades(world, random)
    rows = compared(trials, "grades").set_index("measure").to_dict("index")
    numbers = [
        difference(rows["mean_grade"], "difference of mean grades", 0.0),
        difference(rows["higher_grade"], "higher grade", 0.0),
    ]
    if world.sd_person_group:
        numbers.append(mixed_term(mixed_models(trials), "rating ~", "kind[real]" if world.of_kinds else "model[m1]"))
    return numbers


def paper_grade(world: GradesWorld, random: np.random.Generator) -> list[Number]:
    """Return the grade of one model in the table to cite."""
    trials = grades(world, random)
    row = paper(trials, grade_results(ratings(trials)), Compared([], [])).iloc[0]
    return [Number("grade", mean_grade(world), *(float(row[name]) for name in ("grade", "grade_low", "grade_high")))]


def mixed_term(table: pd.DataFrame, formula: str, term: str, truth: float = 0.0) -> Number:
    """Return a term of `mixed_models`, from the first such formula with a test of it."""
    rows = table[table["formula"].str.startswith(formula) & (table["term"] == term)]
    tested = rows[rows["p"].notna()]
    row = (tested if len(tested) else rows).iloc[0]
    value, low, high = (float(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    return Number(f"{formula.rstrip(' ~')}, {term.split('[')[0]}", truth, value, low, high, p=float(row["p"]))


def kinds_of_mixed(world: SingleWorld, random: np.random.Generator) -> list[Number]:
    """Return the effect of the kind in `mixed_models`, where there is none on average and people differ in skill."""
    table = mixed_models(answers(world, random))
    return [mixed_term(table, "called_fake ~ kind", "kind[fake]"), mixed_term(table, "correct ~ kind", "kind[real]")]


@dataclass(frozen=True)
class CovariateWorld:
    """A covariate without effect on average on whether fakes are called real."""

    people: int = 12
    trials: int = 80
    of: str = "trial"
    """Owner of the covariate: `trial`, `person` or `picture`."""
    sd_effect: float = 0.8
    """SD of its effect between people, for a covariate that varies within them."""
    sd_person: float = 0.5
    sd_picture: float = 0.8


def covariate_study(world: CovariateWorld, random: np.random.Generator) -> list[Number]:
    """Return the effect of the covariate on correct answers in `mixed_models`."""
    person, picture = (index.ravel() for index in np.indices((world.people, world.trials)))
    is_fake = picture % 2 == 0
    layouts = {
        "trial": random.permuted(np.indices((world.people, world.trials))[1] // 2 % 2, axis=1).ravel(),
        "person": (np.arange(world.people) % 2)[person],
        "picture": (picture // 2) % 2,
    }
    layout = layouts[world.of]
    right = 0.5 + world.sd_person * random.standard_normal(world.people)[person]
    right += world.sd_picture * random.standard_normal(world.trials)[picture]
    if world.of != "person":
        right += world.sd_effect * (layout - 0.5) * random.standard_normal(world.people)[person]
    is_right = random.random(len(right)) < expit(right)
    trials = prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named("picture", picture),
            "item": named("item", picture),
            "kind": np.where(is_fake, "fake", "real"),
            "model": np.array([None, "m"])[is_fake.astype(int)],
            "response": np.where(is_right == is_fake, "fake", "real"),
            "layout": np.where(layout == 1, "wide", "narrow"),
        }
    )
    table = mixed_models(trials, plan=AnalysisSettings(covariates=("layout",)))
    rows = table[table["term"].str.startswith("layout")]
    return [mixed_term(rows, "correct ~ kind + layout", str(rows["term"].iloc[0]))]


VIEWS = GradesWorld(sd_person_group=0.8, sd_item=0.3, sd_item_group=0.3, sd_scale=0.3)
MODELS = {
    "grades of models 12 x 60": replace(VIEWS, people=12, items=60),
    "grades of models 24 x 30": replace(VIEWS, people=24, items=30),
    "grades of models 20 x 15, items vary like views": replace(VIEWS, sd_item=0.8, sd_item_group=0.8),
    "grades of fakes and reals 12 x 60": replace(VIEWS, people=12, items=60, of_kinds=True),
    "grades of fakes and reals 30 x 12, items differ in difficulty": GradesWorld(
        people=30, items=12, of_kinds=True, sd_item=0.3, sd_item_group=2.0
    ),
    "7 levels, own use of the scale": GradesWorld(items=20, levels=7, sd_scale=0.5),
    "4 levels, own use of the scale": GradesWorld(items=20, levels=4, sd_scale=0.5),
    "drop-out, grades of two models": GradesWorld(
        people=24, items=30, sd_person=0.3, sd_person_group=1.2, sd_item_group=0.3, least=5
    ),
    "poll of grades of two models, 200 people": GradesWorld(people=200, items=10, poll=True),
}
ONE_MODEL = {
    "mean grade, 40 people x 8 pictures": GradesWorld(people=40, items=8),
    "mean grade, 20 x 15": GradesWorld(),
    "mean grade, 20 x 15, own use of the scale": GradesWorld(sd_scale=0.5),
    "mean grade, 200 people, 10 pictures, one each": GradesWorld(people=200, items=10, poll=True),
    "mean grade, 200 people, 20 pictures, 2 each": GradesWorld(people=200, items=20, each=2),
    "drop-out, mean grade, 24 people": GradesWorld(people=24, items=40, least=6),
    "mean grade, 10 x 40": GradesWorld(people=10, items=40),
    "mean grade, 24 people, 20 of 100 each": GradesWorld(people=24, items=100, each=20),
}
KINDS = {
    "kinds 12 x 60, skills differ": SingleWorld(people=12, fakes=30, reals=30, sd_skill=0.8),
    "kinds 24 x 40, skills differ": SingleWorld(people=24, sd_skill=0.8),
}
COVARIATES = {
    "covariate within people 12 x 80": CovariateWorld(),
    "covariate within people 24 x 40": CovariateWorld(people=24, trials=40),
    "covariate of the person, 10 people": CovariateWorld(people=10, trials=40, of="person"),
    "covariate of the picture 12 x 80": CovariateWorld(of="picture"),
}
DESIGNS = [
    *(Design(name, partial(graded_models, world)) for name, world in MODELS.items()),
    *(Design(name, partial(paper_grade, replace(world, groups=1))) for name, world in ONE_MODEL.items()),
    *(Design(name, partial(kinds_of_mixed, world)) for name, world in KINDS.items()),
    *(Design(name, partial(covariate_study, world)) for name, world in COVARIATES.items()),
]
