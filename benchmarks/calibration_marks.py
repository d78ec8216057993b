"""Simulate false alarms and coverage of the statistics of marks, where people have a strong bias to the centre.

    python benchmarks/calibration_marks.py --studies 400

Each participant marks 60% of the pictures (fakes that were called fake) around a place of the participant's own near
the centre (SD 0.1 between people, 0.12 within; shares of the picture). The table, which is in results/calibration.md,
has three groups of columns: p < .05 with one mark and with 1 to 3 marks, and intervals that hold the mean where a mark
is at the picture's artefact with a probability of 0.4, more or less by participant and by picture.
"""

import argparse
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from gan_eval.base.parallel import in_parallel
from gan_eval.base.threads import usable_cores
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


SIZES = list(product((8, 12, 20, 40), (10, 20, 40)))
WORLDS = [World(*size, *how) for size in SIZES for how in ((1, 0.0), (3, 0.0), (3, 0.4))]


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
    parser.add_argument(
        "--studies", type=int, default=400, help="without agreement, for each size; half as many with it"
    )
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = [options.studies // (2 if world.skill else 1) for world in WORLDS]
    tasks = [(column, number) for column, count in enumerate(counts) for number in range(count)]
    outcomes = in_parallel(one_study, options.seed, tasks, workers=options.workers, on_done=lambda _: None)
    found = np.split(np.array(outcomes), np.cumsum(counts)[:-1])
    names = ("people", "other places", "centre", "difference")
    heads = ("studies of", *names, *names, "people", "right map", "mirrored", "difference")
    print(f"| {' | '.join(heads)} |\n|{' -- |' * len(heads)}")
    groups = {f"{people} people": [size for size in SIZES if size[0] == people] for people, _ in SIZES}
    groups |= {f"{pictures} pictures": [size for size in SIZES if size[1] == pictures] for _, pictures in SIZES}
    for name, sizes in groups.items():
        shares = []
        for how in range(3):
            of_sizes = [found[3 * SIZES.index(size) + how] for size in sizes]
            holds = np.concatenate([_holds(each) if how == 2 else each[..., 3] < 0.05 for each in of_sizes])
            tested = np.isfinite(np.concatenate(of_sizes)[..., 3]).any(axis=0)
            shares += [
                f"{100 * share:.1f}" if has_p else "–" for share, has_p in zip(holds.mean(axis=0), tested, strict=True)
            ]
        print(f"| {name} | {' | '.join(shares)} |", flush=True)


def _holds(studies: np.ndarray) -> np.ndarray:
    """Return True where an interval holds the mean over all studies of its size."""
    truth = studies[..., 0].mean(axis=0)
    return (studies[..., 1] <= truth) & (truth <= studies[..., 2])


if __name__ == "__main__":
    main()
