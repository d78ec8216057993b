"""Simulate false alarms and coverage of the statistics of marks, where people have a strong bias to the centre.

    python benchmarks/calibration_marks.py --studies 400

Each participant marks 60% of the pictures (fakes that were called fake) at 1, or at 1 to 3, places around a place of
the participant's own near the centre (SD 0.1 between people, 0.12 within; shares of the picture). In the second half of
the columns, a mark is at the picture's artefact instead with a probability of 0.4, more or less by participant and by
picture. The table stands in docs/calibration.md.
"""

import argparse
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from gan_eval.machine.parallel import in_parallel
from gan_eval.machine.threads import usable_cores
from gan_eval.stats.marks.auc import Aucs, Marks, estimate, people_aucs, shuffled_aucs

SIGMA = 0.05


@dataclass(frozen=True)
class World:
    """Assumptions about people and pictures."""

    people: int
    pictures: int
    marks: int
    skill: float
    rate: float = 0.6


WORLDS = [World(*chosen) for chosen in product((8, 12, 20, 40), (10, 20, 40), (1, 3), (0.0, 0.4))]


def simulate(world: World, rng: np.random.Generator) -> tuple[Marks, np.ndarray]:
    """Return the marks, and (S, 2) the place of each picture's artefact."""
    spots = rng.normal(0.5, 0.18, (world.pictures, 2)).clip(0.03, 0.97)
    habits = rng.normal(0.5, 0.1, (world.people, 2))
    skill = world.skill * rng.uniform(0.5, 1.5, world.people)[:, None] * rng.uniform(0.5, 1.5, world.pictures)
    person, picture = np.nonzero(rng.random(skill.shape) < world.rate)
    times = rng.integers(1, world.marks + 1, len(person))
    person, picture = person.repeat(times), picture.repeat(times)
    at_spot = rng.random(len(person)) < skill[person, picture]
    noise = rng.standard_normal((len(person), 2))
    place = np.where(at_spot[:, None], spots[picture] + 0.04 * noise, habits[person] + 0.12 * noise)
    alone = np.zeros(world.pictures, int)
    return Marks(person, picture, place.clip(0, 1), np.arange(world.pictures), alone, alone + 1.0), spots


def one_study(seed: int, task: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Simulate a study and return value, ends of the interval and p of the statistics of its half."""
    column, number = task
    world, rng = WORLDS[column], np.random.default_rng([seed, column, number])
    marks, spots = simulate(world, rng)
    every, nobody = np.ones(len(spots), bool), np.array([-1])

    def near(places: np.ndarray, picture: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return nobody, -((points - places[picture]) ** 2).sum(axis=1)[None]

    def auc(places: np.ndarray) -> Aucs:
        return shuffled_aucs(marks, partial(near, places))

    if world.skill:
        one, other = auc(spots), auc(spots * (-1, 1) + (1, 0))
    else:
        one, other = auc(rng.normal(0.5, 0.18, spots.shape)), auc(np.full(spots.shape, 0.5))
    of_people = people_aucs(marks, SIGMA)
    found = [estimate(marks, aucs, every) for aucs in (of_people, one, other)]
    return [each[:4] for each in (*found, estimate(marks, one.minus(other), every, chance=0))]


def main() -> None:
    """Simulate, then print the table."""
    parser = argparse.ArgumentParser(description="false alarms and coverage of the statistics of marks")
    parser.add_argument("--studies", type=int, default=400, help="for each row and half")
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tasks = [(column, number) for column in range(len(WORLDS)) for number in range(options.studies)]
    outcomes = in_parallel(one_study, options.seed, tasks, workers=options.workers, on_done=lambda _: None)
    found = np.reshape(outcomes, (len(WORLDS), options.studies, 4, 4))
    heads = ("people × pictures", "marks", "people", "other places", "centre", "difference")
    heads += ("people", "right map", "mirrored", "difference")
    print(f"| {' | '.join(heads)} |\n|{' -- |' * len(heads)}")
    for place in range(0, len(WORLDS), 2):
        world, (null, agreeing) = WORLDS[place], found[place : place + 2]
        alarms = (null[..., 3] < 0.05).mean(axis=0)
        truth = agreeing[..., 0].mean(axis=0)
        holds = ((agreeing[..., 1] <= truth) & (truth <= agreeing[..., 2])).mean(axis=0)
        cells = [
            f"{world.people} × {world.pictures}",
            f"{world.marks}",
            *(f"{100 * share:.1f}" for share in (*alarms, *holds)),
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
