"""Simulate false alarms and coverage of the statistics of marks, where people have a strong bias to the centre.

    python benchmarks/calibration_marks.py --studies 400

Each participant marks 60% of the pictures (fakes that were called fake) at 1 to 3 places. A mark is at the picture's
artefact with the probability `skill`, which differs between people and pictures, else around a place of the
participant's own near the centre (SD 0.1 between people, 0.12 within; shares of the picture). The table stands in
docs/calibration.md.
"""

import argparse
from dataclasses import dataclass
from functools import partial

import numpy as np

from gan_eval.machine.parallel import in_parallel
from gan_eval.machine.threads import usable_cores
from gan_eval.stats.marks.auc import Aucs, Estimate, Marks, estimate, map_aucs, people_aucs

SIGMA = 0.05
ROWS = (
    "agreement of people",
    "a map of places that nobody marks",
    "a map of the centre",
    "difference of two such maps of places",
    "the map of the artefacts",
    "the same mirrored",
    "right minus mirrored",
)


@dataclass(frozen=True)
class World:
    """Assumptions about people and pictures."""

    people: int
    pictures: int
    skill: float = 0.0
    rate: float = 0.6


WORLDS = (World(10, 12), World(16, 20), World(30, 16, rate=0.3), World(10, 12, 0.4), World(16, 20, 0.4))


def simulate(world: World, rng: np.random.Generator) -> tuple[Marks, np.ndarray]:
    """Return the marks, and (S, 2) the place of each picture's artefact."""
    spots = rng.normal(0.5, 0.18, (world.pictures, 2)).clip(0.03, 0.97)
    habits = rng.normal(0.5, 0.1, (world.people, 2))
    skill = world.skill * rng.uniform(0.5, 1.5, world.people)[:, None] * rng.uniform(0.5, 1.5, world.pictures)
    person, picture = np.nonzero(rng.random(skill.shape) < world.rate)
    times = rng.integers(1, 4, len(person))
    person, picture = person.repeat(times), picture.repeat(times)
    at_spot = rng.random(len(person)) < skill[person, picture]
    noise = rng.standard_normal((len(person), 2))
    place = np.where(at_spot[:, None], spots[picture] + 0.04 * noise, habits[person] + 0.12 * noise)
    alone = np.zeros(world.pictures, int)
    return Marks(person, picture, place.clip(0, 1), np.arange(world.pictures), alone, alone + 1.0), spots


def one_study(seed: int, task: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Simulate a study and return value, ends of the interval and p of each row."""
    column, number = task
    rng = np.random.default_rng([seed, column, number])
    marks, spots = simulate(WORLDS[column], rng)
    others, more = rng.normal(0.5, 0.18, (2, *spots.shape))

    def near(places: np.ndarray, picture: int, points: np.ndarray) -> np.ndarray:
        return -((points - places[picture]) ** 2).sum(axis=1)

    def auc(places: np.ndarray) -> Aucs:
        return map_aucs(marks, partial(near, places))

    every = np.ones(len(spots), bool)
    of_others, right, mirrored = auc(others), auc(spots), auc(spots * (-1, 1) + (1, 0))
    found: list[Estimate] = [
        estimate(marks, people_aucs(marks, SIGMA), every),
        estimate(marks, of_others, every),
        estimate(marks, auc(np.full(spots.shape, 0.5)), every),
        estimate(marks, of_others.minus(auc(more)), every, chance=0),
        estimate(marks, right, every),
        estimate(marks, mirrored, every),
        estimate(marks, right.minus(mirrored), every, chance=0),
    ]
    return [one[:4] for one in found]


def main() -> None:
    """Simulate, then print the tables."""
    parser = argparse.ArgumentParser(description="false alarms and coverage of the statistics of marks")
    parser.add_argument("--studies", type=int, default=400, help="for each column")
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tasks = [(column, number) for column in range(len(WORLDS)) for number in range(options.studies)]
    outcomes = in_parallel(one_study, options.seed, tasks, workers=options.workers, on_done=lambda _: None)
    found = np.reshape(outcomes, (len(WORLDS), options.studies, len(ROWS), 4))
    names = [f"{world.people} × {world.pictures}{', agreeing' * (world.skill > 0)}" for world in WORLDS]
    print(f"| % of studies | {' | '.join(names)} |")
    print("| -- |" + " -- |" * len(WORLDS))
    for place, row in enumerate(ROWS):
        cells: dict[str, list[str]] = {"mean": [], "p < .05": [], "interval holds the mean": []}
        for world, of_world in zip(WORLDS, found[:, :, place], strict=True):
            value, low, high, p = of_world.T
            is_difference = place in (3, 6)
            chance = 0.0 if is_difference else 0.5
            mean = value.mean()
            truth = chance if not world.skill or place in (1, 2, 3) else mean
            cells["mean"].append(f"{mean:.3f}")
            cells["p < .05"].append(f"{100 * np.mean(p < 0.05):.1f}")
            cells["interval holds the mean"].append(f"{100 * np.mean((low <= truth) & (truth <= high)):.1f}")
        for name, values in cells.items():
            print(f"| {row}: {name} | {' | '.join(values)} |", flush=True)


if __name__ == "__main__":
    main()
