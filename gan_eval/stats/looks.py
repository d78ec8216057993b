"""Looking at a study before all its people have come: which looks its plan has, what they may spend, what was spent.

Whoever tests at 5 % each time new answers are in is wrong more often than in 5 % of studies: with three looks in up to
11 %. So there is a verdict when all people have come whom the study wants, and before that only at the looks that its
plan has (`[analysis] looks`): look k of K is due once k / K of the people have come. Each is taken at most once.

What the looks may have spent of alpha when a share t of the people has come is the O'Brien-Fleming type function of Lan
& DeMets (1983, Biometrika 70, 659-663), one half of alpha on each side:

    spent(t) = 4 (1 - Φ(z_{1 - alpha/4} / sqrt(t))).

The critical z of a look is that which the test statistic, a Brownian motion at the numbers of people, first passes with
the probability that is left to spend; the density of those that have not passed before is integrated from look to look
(Armitage, McPherson & Rowe 1969, Journal of the Royal Statistical Society A 132, 235-244). At thirds: 3.710, 2.511 and
1.993. A look that was not taken spends nothing. Where people judge the same pictures, of which no more come, two looks
are more alike than the numbers of people say, and the looks together err less often.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, write_json
from gan_eval.files.reading import read_json

ALPHA = 0.05
"""The level of a study, two-sided, over all its looks."""
NO_VERDICT = "interim: no verdict"
_RECORD = "looks.json"
_STEPS = 801
"""Points of the density; critical values are exact to about 2e-6."""
_MOST_Z = 40.0
"""Critical where nothing is left to spend: no p is below."""


@dataclass(frozen=True)
class Look:
    """A look that was taken."""

    people: int
    spent: float
    """Of alpha, by this look and those before it."""
    z: float
    """Critical value, two-sided."""
    answers: str = ""
    """A hash of the answers that it rests on."""

    @property
    def alpha(self) -> float:
        """Nominal two-sided level: what p is held against; 0 where nothing is left to spend."""
        from scipy.special import ndtr

        return float(f"{2 * ndtr(-self.z):.9g}") if self.z < _MOST_Z else 0.0


def alpha_spent(information: float, *, alpha: float = ALPHA) -> float:
    """What looks may have spent of alpha, two-sided, when this share of the information, 0..1, is in.

    >>> round(alpha_spent(0.5), 5), alpha_spent(1.0)
    (0.00305, 0.05)
    """
    from scipy.special import ndtr, ndtri

    return alpha if information >= 1 else float(4 * ndtr(ndtri(alpha / 4) / np.sqrt(information)))


def critical_z(earlier: Sequence[Look], people: int, spend: float) -> float:
    """The z that a look at so many people passes with the probability `spend`, when no earlier look passed its own.

    Args:
        earlier: in order, each at fewer people than the next; of each its people and z.
        people: at this look.
        spend: above 0, else no z is passed.

    >>> first = Look(people=10, spent=alpha_spent(1 / 3), z=3.7103)
    >>> round(critical_z([first], 20, alpha_spent(2 / 3) - first.spent), 3)
    2.511
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    if spend <= 0:
        return _MOST_Z
    if not earlier:
        return float(-ndtri(spend / 2))
    score, density, before = np.zeros(1), np.ones(1), 0
    for look in earlier:  # the score, sqrt(people) z, and its density among those that have not passed
        edge, variance = look.z * np.sqrt(look.people), look.people - before
        new = np.linspace(-edge, edge, _STEPS)
        steps = np.exp(-((new[:, None] - score) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        weights = np.full(_STEPS, new[1] - new[0])
        weights[[0, -1]] /= 2
        score, density, before = new, (steps @ density) * weights, look.people
    scale = np.sqrt(people - before)

    def excess(z: float) -> float:
        edge = z * np.sqrt(people)
        return float(density @ (ndtr((score - edge) / scale) + ndtr((-edge - score) / scale))) - spend

    return float(brentq(excess, 0.0, _MOST_Z)) if excess(0.0) > 0 else 0.0


@dataclass(frozen=True)
class LookPlan:
    """How often a study is looked at, and how many people it wants."""

    looks: int
    """The last one, with all people, counts."""
    wanted: int

    def number(self, people: int) -> int:
        """The look that is due at so many people: 1..looks, or 0."""
        return min(self.looks, self.looks * people // self.wanted)

    def due_at(self, number: int) -> int:
        """The people at whom a look is due."""
        return -(-number * self.wanted // self.looks)

    def current(self, people: int, taken: Sequence[Look], answers: str | None = None) -> Look | None:
        """The look that these answers are: the last one taken, if it rests on the same, or a new one that is due.

        Args:
            people: who gave the answers.
            taken: in order.
            answers: their hash; None: those of as many people are taken for the same.
        """
        last = taken[-1] if taken else Look(0, 0.0, 0.0)
        if taken and last.people == people and answers in (None, last.answers):
            return last
        if people <= last.people or self.number(people) <= self.number(last.people):
            return None
        spent = max(last.spent, alpha_spent(people / self.wanted))
        return Look(people, spent, critical_z(taken, people, spent - last.spent), answers or "")

    def words(self, people: int, taken: Sequence[Look], current: Look | None) -> str:
        """How it stands: why there is no verdict, or at which of several looks there is one; else empty."""
        came = f"{people} of {self.wanted} {'person' if self.wanted == 1 else 'people'}"
        if current is None:
            last = self.number(taken[-1].people) if taken else 0
            before = f"; look {last} of {self.looks} was taken at {taken[-1].people}" if last else ""
            number = max(last, self.number(people)) + 1
            comes = f"; look {number} of {self.looks} comes at {self.due_at(number)}"
            after = comes if number <= self.looks > 1 else ""
            return f"{NO_VERDICT} ({came}{before}{after})"
        if self.looks == 1:
            return ""
        number = self.number(people)
        after = f"; look {number + 1} comes at {self.due_at(number + 1)}" if number < self.looks else ""
        return f"look {number} of {self.looks}, at {came}: a verdict needs p below {current.alpha:.2g}{after}"


def read_looks(folder: Path) -> list[Look]:
    """The looks that were taken at the study of a folder, in order.

    Raises:
        UserError: the record is damaged.
    """
    file = folder / OWN_FOLDER / _RECORD
    if not file.is_file():
        return []
    try:
        looks = [Look(**look) for look in read_json(file)]
        numbers = [number for look in looks for number in (look.people, look.spent, look.z)]
        if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            raise TypeError("its numbers are none")
    except TypeError as error:
        raise UserError(f"{file}: no record of looks ({error}); restore it or remove it") from error
    return looks


def write_looks(folder: Path, looks: Sequence[Look]) -> None:
    """Note the looks that were taken, in order; without any nothing is written."""
    if not looks:
        return
    write_json(folder / OWN_FOLDER / _RECORD, [asdict(look) for look in looks])
