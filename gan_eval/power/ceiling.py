"""The power that no number of participants can exceed: what the pictures' own spread leaves open.

With ever more participants every picture's own log-odds become known, and so does the participants' spread. What is
left is that the pictures are a sample: the mean log-odds of n pictures of standard deviation s has the standard error
s / sqrt(n), and s itself s / sqrt(2n) (maximum likelihood of a normal sample). The rest is as in the analysis: shares
averaged over people and pictures, their difference by the delta method, Student's t.
"""

from typing import NamedTuple

import numpy as np

from gan_eval.power.questions import PlannedQuestion, answered_positively
from gan_eval.power.simulate import Truth, World
from gan_eval.stats.clustering import equivalence_p, t_critical, two_sided_p
from gan_eval.stats.compare.contrast import population_proportions
from gan_eval.stats.compare.questions import MODELS

SIMULATIONS = 2000
"""Each costs microseconds: no answers are simulated."""
MOST = 1_000_000
"""So many pictures of each class are looked at, no more."""


class Ceiling(NamedTuple):
    """What unlimited participants would find."""

    power: float
    positive: int
    """Simulated studies that find it."""
    width: float
    """Mean width of the difference's 95 % interval."""


def ceilings(world: World, *, simulations: int = SIMULATIONS, size: int | None = None) -> dict[str, Ceiling]:
    """What unlimited participants would find, by the question's name.

    Args:
        world: the study that is planned.
        simulations: R, simulated samples of pictures.
        size: pictures of each group of the pool; default: those of the design.
    """
    sizes = np.array([group.size if size is None else size for group in world.design.groups])
    p, p_equivalent, width = np.empty((3, simulations, len(world.questions)))
    for place, (scenario, truth) in enumerate(sorted(world.truths.items())):
        random = np.random.default_rng([world.seed, place])
        means = truth.base + truth.sd_stimulus * random.standard_normal((simulations, len(sizes))) / np.sqrt(sizes)
        squares = truth.sd_stimulus**2 * random.chisquare(sizes - 1, (simulations, len(sizes)))
        for number, question in enumerate(world.questions):
            if question.scenario == scenario:
                tests = _tests(question, world, truth, means, squares, sizes)
                p[:, number], p_equivalent[:, number], width[:, number] = tests
    counts = answered_positively(world.questions, p, p_equivalent).sum(axis=0)
    return {
        question.name: Ceiling(int(count) / simulations, int(count), float(of_question.mean()))
        for question, count, of_question in zip(world.questions, counts, width.T, strict=True)
    }


def stimuli_needed(world: World, question: PlannedQuestion, target: float) -> int | None:
    """The smallest pool, in pictures of each class, whose ceiling reaches `target`; None: not even `MOST` do."""

    def reaches(size: int) -> bool:
        return ceilings(world, size=size)[question.name].power >= target

    low, high = 2, 4
    while not reaches(high):
        low, high = high, high * 2
        if high > MOST:
            return None
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _tests(
    question: PlannedQuestion, world: World, truth: Truth, means: np.ndarray, squares: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(R,) each: p, p of equivalence and width of the interval by the analysis' test of known log-odds of each picture.

    Args:
        means: (R, G) mean log-odds of each group's pictures.
        squares: (R, G) sum of squares of their deviations from it.
        sizes: (G,) pictures of each group.
    """
    cells, weights = _cells(question, world)
    mean = np.stack([np.average(means[:, cell], axis=1, weights=sizes[cell]) for cell in cells], axis=1)
    within = sum(
        (squares[:, cell] + sizes[cell] * (means[:, cell] - mean[:, [number]]) ** 2).sum(axis=1)
        for number, cell in enumerate(cells)
    )
    numbers = np.array([sizes[cell].sum() for cell in cells])
    variance = within / numbers.sum()
    people = np.array([truth.sd_participant**2 + (truth.kind[cell[0]] * truth.sd_slope) ** 2 for cell in cells])
    sd = np.sqrt(people + variance[:, None])
    shares = population_proportions(mean.ravel(), sd.ravel())
    share, by_mean, by_sd = (part.reshape(mean.shape) for part in shares)
    by_variance = np.divide(by_sd, 2 * sd, out=np.zeros_like(sd), where=sd > 0)
    of_means = variance * (weights**2 * by_mean**2 / numbers).sum(axis=1)
    of_sds = (weights * by_variance).sum(axis=1) ** 2 * 2 * variance**2 / numbers.sum()
    error = np.maximum(np.sqrt(of_means + of_sds), 1e-12)
    difference = (weights * share).sum(axis=1) - (0.0 if question.b else 0.5)
    freedom = int(min(sizes[list(side)].sum() for side in (question.a, question.b) if side)) - 1
    return (
        two_sided_p(difference, error, freedom),
        equivalence_p(difference, error, freedom, question.margin or 0.0),
        2 * t_critical(freedom) * error,
    )


def _cells(question: PlannedQuestion, world: World) -> tuple[list[np.ndarray], np.ndarray]:
    """The groups that the model gives one probability, and the weight of each probability in the difference."""
    if question.b and question.family == MODELS:
        return [np.array(question.a), np.array(question.b)], np.array([-1.0, 1.0])  # shares called real
    design = world.design
    trials = np.bincount(design.group, minlength=len(design.groups))
    cells, weights = [], []
    for dataset in sorted({group.dataset for group in design.groups}):
        own = {number for number, group in enumerate(design.groups) if group.dataset == dataset}
        sides = [np.array(sorted(own.intersection(side)), int) for side in (question.a, question.b)]
        if not own.intersection((*question.a, *question.b)):
            continue
        share = trials[np.concatenate(sides)].sum() / trials[[*question.a, *question.b]].sum()
        cells += sides[: 2 if question.b else 1]
        weights += [share, -share][: 2 if question.b else 1]
    return cells, np.array(weights)
