"""Trials for tests: from counts, or simulated from known participants and stimuli."""

import numpy as np
import pandas as pd
from scipy.special import expit

from gan_eval.judgements.trials import fill_trials


def from_counts(
    hits: int, misses: int, false_alarms: int, correct_rejections: int, *, dataset: str = "facades", **more: object
) -> pd.DataFrame:
    """Return one participant's trials with these four counts, each of another stimulus."""
    kinds = ["fake"] * (hits + misses) + ["real"] * (false_alarms + correct_rejections)
    responses = ["fake"] * hits + ["real"] * misses + ["fake"] * false_alarms + ["real"] * correct_rejections
    frame = pd.DataFrame({"kind": kinds, "response": responses, "dataset": dataset, "participant": "P01"})
    frame["stimulus"] = [f"{dataset}/{kind}/{number}" for number, kind in enumerate(kinds)]
    frame["model"] = np.where(frame["kind"] == "fake", "gan", None)
    return fill_trials(frame.assign(**more))


def judged(
    person: np.ndarray, picture: np.ndarray, is_fake: np.ndarray, says_fake: np.ndarray, **more: object
) -> pd.DataFrame:
    """Trials of single pictures, from the numbers of people and pictures, the truth and the answer."""
    frame = pd.DataFrame({"participant": person.astype(str), "stimulus": picture.astype(str)})
    frame["kind"], frame["response"] = (np.where(fake, "fake", "real") for fake in (is_fake, says_fake))
    return fill_trials(frame.assign(**more))


def simulated(
    *,
    participants: int = 40,
    stimuli: int = 50,
    each: int = 50,
    intercept: float = 0.4,
    real: float = -0.6,
    sd_participant: float = 0.5,
    sd_stimulus: float = 0.8,
    models: tuple[str, ...] = ("gan",),
    seed: int = 0,
) -> pd.DataFrame:
    """Answers from the crossed logistic model: half of the stimuli real, each person sees `each` of them."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(participants), each)
    picture = np.concatenate([rng.permutation(stimuli)[:each] for _ in range(participants)])
    is_real = picture % 2 == 0
    eta = intercept + real * is_real
    eta = eta + sd_participant * rng.normal(size=participants)[person] + sd_stimulus * rng.normal(size=stimuli)[picture]
    right = rng.random(len(eta)) < 1 / (1 + np.exp(-eta))
    kind = np.where(is_real, "real", "fake")
    model = np.array(models)[(picture // 2) % len(models)]
    frame = pd.DataFrame(
        {
            "participant": [f"P{number:03d}" for number in person],
            "stimulus": [f"faces/{number:04d}" for number in picture],
            "kind": kind,
            "dataset": "faces",
            "model": np.where(is_real, None, model),
            "response": np.where(right, kind, np.where(is_real, "fake", "real")),
            "reaction_time_ms": rng.lognormal(6.5, 0.4, len(eta)),
        }
    )
    return fill_trials(frame)


def partners(people: int, items: int, *, seed: int, sd_item: float = 1.0, sd_own: float = 0.3) -> pd.DataFrame:
    """Answers to a photograph and a generated version of each item, both equally easy or hard; skill is 0 on average.

    Each answer has a confidence of 1 to 3.
    """
    rng = np.random.default_rng(seed)
    person, item, kind = (each.ravel() for each in np.indices((people, items, 2)))
    ease = rng.normal(0, sd_item, items)[item] + rng.normal(0, 0.4, people)[person]
    eta = rng.normal(0, 0.8, people)[person] + (2 * kind - 1) * ease + rng.normal(0, sd_own, (items, 2))[item, kind]
    seems_fake = eta + rng.logistic(size=len(eta))
    confidence = 1.0 + np.digitize(np.abs(seems_fake), [0.7, 1.8])
    names = {"item": item.astype(str), "dataset": "d", "model": np.where(kind == 1, "gan", None)}
    return judged(person, 2 * item + kind, kind == 1, seems_fake > 0, confidence=confidence, **names)


def simulated_pairs(
    *,
    people: int = 20,
    items: int = 30,
    effect: float = 0.0,
    models: tuple[str, ...] = ("x",),
    protocol: str = "paired",
    dataset: str = "faces",
    seed: int = 0,
) -> pd.DataFrame:
    """Return pairs that all people judge; people and pairs differ."""
    rng = np.random.default_rng(seed)
    person, item = np.repeat(np.arange(people), items), np.tile(np.arange(items), people)
    eta = effect + rng.normal(0, 0.5, people)[person] + rng.normal(0, 0.8, items)[item]
    return fill_trials(
        pd.DataFrame(
            {
                "session": [f"{dataset}{number}" for number in person],
                "participant": [f"P{number}" for number in person],
                "stimulus": [f"{dataset}/{number}" for number in item],
                "item": [f"{dataset}/{number}" for number in item],
                "dataset": dataset,
                "protocol": protocol,
                "model": np.array(models)[item % len(models)],
                "choice": np.where(rng.random(len(eta)) < expit(eta), "a", "b"),
            }
        )
    )
