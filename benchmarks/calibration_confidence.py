"""Simulated studies of confidence: the ROC curve, and the mixed model of confidence."""

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from calibration_grades import mixed_term
from calibration_numbers import Design, Number, named, prepared
from scipy.special import ndtr

from gan_eval.judgements.trials import TypedTrials
from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.tables.roc import fit_gaussian, roc

CUTS = (0.5, 1.2)
"""Distances of the evidence from the boundary of both answers at which an average person is surer."""
TRUTH_ANSWERS = 2_000_000


@dataclass(frozen=True)
class ConfidenceWorld:
    """People whose answers and confidence come from one normal variable; SDs are in units of that of one answer."""

    people: int = 20
    pictures: int = 20
    """Pictures of either kind."""
    d: float = 1.0
    """Distance of the means of fakes and real pictures."""
    sd_person: float = 0.4
    sd_skill: float = 0.4
    sd_picture: float = 0.5
    sd_item: float = 0.0
    """SD of an item's difficulty in both versions."""
    sd_confidence: float = 0.5
    """SD of the logarithm of a person's cuts."""


def rated(world: ConfidenceWorld, random: np.random.Generator) -> TypedTrials:
    """Return the answers of new people to new pictures, with a confidence of 1 to 3."""
    person, picture = (index.ravel() for index in np.indices((world.people, 2 * world.pictures)))
    is_fake, item = picture < world.pictures, picture % world.pictures
    skill = world.d + world.sd_skill * random.standard_normal(world.people)[person]
    skill += 2 * world.sd_item * random.standard_normal(world.pictures)[item]
    evidence = (is_fake - 0.5) * skill + world.sd_person * random.standard_normal(world.people)[person]
    evidence += world.sd_picture * random.standard_normal(2 * world.pictures)[picture]
    evidence += random.standard_normal(len(person))
    stretch = np.exp(world.sd_confidence * random.standard_normal(world.people))[person]
    kind = np.where(is_fake, "fake", "real")
    return prepared(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": named(kind, item),
            "item": named("item", item),
            "kind": kind,
            "model": np.array([None, "m"])[is_fake.astype(int)],
            "response": np.where(evidence > 0, "fake", "real"),
            "confidence": _confidence(evidence, stretch).astype(float),
        }
    )


def _confidence(evidence: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    return 1 + (np.abs(evidence)[:, None] > stretch[:, None] * np.array(CUTS)).sum(axis=1)


def roc_study(world: ConfidenceWorld, random: np.random.Generator) -> list[Number]:
    """Return the area under the fitted ROC curve of all people together."""
    row = roc(rated(world, random))["roc"].iloc[0]
    return [Number("a_z", true_area(world), *(float(row[f"a_z{end}"]) for end in ("", "_low", "_high")))]


@lru_cache
def true_area(world: ConfidenceWorld) -> float:
    """Return the area under the Gaussian curve that fits the ratings of all people and pictures best."""
    random, is_fake = np.random.default_rng(0), np.arange(TRUTH_ANSWERS) % 2 == 0
    spread = np.sqrt(world.sd_skill**2 / 4 + world.sd_item**2 + world.sd_person**2 + world.sd_picture**2 + 1)
    evidence = (is_fake - 0.5) * world.d + spread * random.standard_normal(TRUTH_ANSWERS)
    sure = _confidence(evidence, np.exp(world.sd_confidence * random.standard_normal(TRUTH_ANSWERS)))
    rating = np.where(evidence > 0, 2 + sure, 3 - sure)
    counts = np.array([np.bincount(rating[kind], minlength=6) for kind in (~is_fake, is_fake)])
    return float(ndtr(fit_gaussian(counts).d_a / np.sqrt(2)))


def confidence_study(world: ConfidenceWorld, random: np.random.Generator) -> list[Number]:
    """Return the effect of the kind on confidence, where there is none on average and people differ."""
    return [mixed_term(mixed_models(rated(world, random)), "confidence ~", "kind[real]")]


ROC = {
    "ROC curve, 20 people x 20": ConfidenceWorld(),
    "ROC curve, 40 people x 12, items differ in difficulty": ConfidenceWorld(
        people=40, pictures=12, sd_item=0.6, sd_picture=0.2
    ),
}
DESIGNS = [
    *(Design(name, partial(roc_study, world)) for name, world in ROC.items()),
    Design(
        "confidence of fakes and reals 12 x 60, people lean",
        partial(confidence_study, ConfidenceWorld(people=12, pictures=30, sd_person=0.8, d=0.0)),
    ),
]
