"""The power that no number of participants can exceed: what the pictures' own spread leaves open.

With ever more participants every picture's own log-odds become known, and so does the participants' spread. What is
left is that the pictures are a sample: the mean log-odds of n pictures of standard deviation s has the standard error
s / sqrt(n), and s itself s / sqrt(2n) (maximum likelihood of a normal sample). The rest is as in the analysis: shares
averaged over people and pictures, their difference by the delta method, Student's t. What an item's versions have in
common cancels where models are compared, and where reals and fakes are, in the difference alone: that analysis takes
their pictures for unrelated. Of grades the thresholds are known as well.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gan_eval.stats.clustering import equivalence_p, t_critical, two_sided_p
from gan_eval.stats.compare.contrast import population_proportions
from gan_eval.stats.compare.grades import HIGHER, MEAN
from gan_eval.stats.power.questions import PlannedQuestion, answered_positively
from gan_eval.stats.power.simulate import Truth, World, grade_thresholds

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
        random = np.random.default_rng([world.assumed.seed, place])
        draws = random.standard_normal((2, simulations, len(sizes)))
        if world.design.shares_items:
            names = [group.dataset for group in world.design.groups]
            draws[1] = draws[1][:, [names.index(name) for name in names]]
        means = truth.base + np.einsum("s,srg->rg", [truth.sd_stimulus, truth.sd_item], draws) / np.sqrt(sizes)
        variance = truth.sd_stimulus**2 + truth.sd_item**2
        squares = variance * random.chisquare(sizes - 1, (simulations, len(sizes)))
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

    family = [other for other in world.questions if other.family == question.family]  # corrected together
    alone = replace(world, questions=(question,) if question.equivalence else tuple(family))

    def reaches(size: int) -> bool:
        return ceilings(alone, size=size)[question.name].power >= target

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
    people = np.array([(truth.people[cell] ** 2).sum(axis=1).mean() for cell in cells])
    sd = np.sqrt(people + variance[:, None])
    if question.measure in (HIGHER, MEAN):
        difference, by_mean, by_sd = _of_grades(mean, sd, world.design.grades, question.measure)
    else:
        shares = population_proportions(mean.ravel(), sd.ravel())
        share, by_mean, by_sd = (weights * part.reshape(mean.shape) for part in shares)
        difference = share.sum(axis=1) - (0.0 if question.b else 0.5)
    by_variance = np.divide(by_sd, 2 * sd, out=np.zeros_like(sd), where=sd > 0)
    common = 0.0  # part of the variance that both models' versions of an item share
    if question.of_models and question.b and world.design.shares_items and truth.sd_item > 0:
        common = truth.sd_item**2 / (truth.sd_item**2 + truth.sd_stimulus**2)
    of_means = (1 - common) * variance * (by_mean**2 / numbers).sum(axis=1)
    of_means += common * variance * by_mean.sum(axis=1) ** 2 / numbers.min()
    of_sds = by_variance.sum(axis=1) ** 2 * 2 * variance**2 / numbers.sum()
    error = np.maximum(np.sqrt(of_means + of_sds), 1e-12)
    freedom = int(min(sizes[list(side)].sum() for side in (question.a, question.b) if side)) - 1
    margin = question.margin or 0.0
    if question.measure == MEAN:
        margin *= world.design.grades - 1
    return (
        two_sided_p(difference, error, freedom),
        equivalence_p(difference, error, freedom, margin),
        2 * t_critical(freedom) * error,
    )


def _of_grades(
    mean: np.ndarray, sd: np.ndarray, grades: int, measure: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(R,) the difference of the grades of two cells, and its derivatives (R, 2) by their means and SDs."""
    eta = grade_thresholds(grades) + mean[..., None]
    parts = population_proportions(eta.ravel(), np.repeat(sd.ravel(), grades - 1))
    below, by_eta, by_sd = (part.reshape(eta.shape) for part in parts)  # (R, 2, J-1) shares of grades 1..j
    if measure == MEAN:
        value, by_below = (below[:, 1] - below[:, 0]).sum(axis=1), np.array([-1.0, 1.0])[:, None]
    else:  # a's share of grade j times b's of lower ones, less b's of higher ones; summed by parts
        a, b = np.pad(below, ((0, 0), (0, 0), (1, 1)), constant_values=((0, 0), (0, 0), (0, 1))).swapaxes(0, 1)
        value = (np.diff(a) * (b[:, :-1] + b[:, 1:] - 1)).sum(axis=1)
        by_below = np.stack([b[:, :-2] - b[:, 2:], a[:, 2:] - a[:, :-2]], axis=1)
    return value, (by_below * by_eta).sum(axis=2), (by_below * by_sd).sum(axis=2)


def _cells(question: PlannedQuestion, world: World) -> tuple[list[np.ndarray], np.ndarray]:
    """The groups that the model gives one probability, and the weight of each probability in the difference."""
    if question.b and question.of_models:
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
