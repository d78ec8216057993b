"""Planned looks at a study before all participants have come (a group-sequential design with alpha spending).

Each look may spend a share of the 5%; a look that is not taken spends nothing. Method and reasons:
docs/statistics.md, "Interim analyses".
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, write_json
from gan_eval.files.reading import read_json
from gan_eval.tables.schema import ANALYSIS_RUN, NOTE, SHARE, Table, boolean, integer, number

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""Two-sided significance level of a study over all its looks."""
NO_VERDICT = "interim: no verdict"
LOOKS = Table(
    "looks",
    "The looks that the study plans: when there is a verdict, and the significance level. Analyses of a study whose "
    "number of people is known have it; rehearsals do not.",
    (
        integer("look", "1, 2, ...; the last one is that at all people", filled=True),
        integer("due_at", "people at whom it is due", filled=True),
        integer("taken_at", "people at whom it was taken; empty: not taken"),
        number("information", "their share of the people wanted", unit=SHARE),
        number("alpha_spent", "of the 5%, by this look and those before it (O'Brien-Fleming type)", unit=SHARE),
        number("z", "critical value, two-sided"),
        number("alpha", "nominal two-sided level of p_holm and p_equivalent of `comparisons`"),
        boolean("current", "this analysis is that look; without one, every verdict is interim", filled=True),
        integer("n_people", "people who have come: complete sessions, none simulated", filled=True),
        integer("n_wanted", "people whom the study wants", filled=True),
        NOTE,
        ANALYSIS_RUN,
    ),
    key=("look",),
)  # fmt: skip
_ANSWER = ("participant", "stimulus", "stimulus_b", "trial", "response", "choice", "rating")
_RECORD = "looks.json"
_STEPS = 801
"""Number of points of the density; critical values are exact to about 2e-6."""
_MAX_Z = 40.0
"""Critical value if no alpha is left to spend: no p is below its level."""


@dataclass(frozen=True)
class Look:
    """A look that was taken."""

    people: int
    spent: float
    """Share of alpha spent by this look and those before it."""
    z: float
    """Critical value, two-sided."""
    answers: str = ""
    """Hash of the answers."""

    @property
    def alpha(self) -> float:
        """Nominal two-sided level of p; 0 if no alpha is left to spend."""
        from scipy.special import ndtr

        return float(f"{2 * ndtr(-self.z):.9g}") if self.z < _MAX_Z else 0.0


def alpha_spent(information: float) -> float:
    """Return how much of the two-sided `ALPHA` looks may have spent at a share of the information, 0..1.

    The O'Brien-Fleming type function of Lan & DeMets (1983, Biometrika 70, 659-663), one half of alpha on each side:
    spent(t) = 4 (1 - Φ(z_{1 - alpha/4} / sqrt(t))).

    >>> round(alpha_spent(0.5), 5), alpha_spent(1.0)
    (0.00305, 0.05)
    """
    from scipy.special import ndtr, ndtri

    return ALPHA if information >= 1 else float(4 * ndtr(ndtri(ALPHA / 4) / np.sqrt(information)))


def critical_z(earlier: Sequence[Look], people: int, spend: float) -> float:
    """Return the critical z of a look.

    Without an effect, the look exceeds it with the probability `spend` while no earlier look exceeded its own. The
    statistic is a Brownian motion at the numbers of people; its density among those that have not passed is integrated
    from look to look (Armitage, McPherson & Rowe 1969, Journal of the Royal Statistical Society A 132, 235-244).

    Args:
        earlier: the looks before, in order, each at fewer people than the next; only their `people` and `z` are used.
        people: number of people at this look.
        spend: two-sided alpha for this look; 0 or less returns a z that no look exceeds.

    >>> first = Look(people=10, spent=alpha_spent(1 / 3), z=3.7103)
    >>> round(critical_z([first], 20, alpha_spent(2 / 3) - first.spent), 3)
    2.511
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri

    if spend <= 0:
        return _MAX_Z
    if not earlier:
        return float(-ndtri(spend / 2))
    score, density, before = np.zeros(1), np.ones(1), 0
    for look in earlier:  # the score, sqrt(people) z, and its density if no look has passed
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

    return float(brentq(excess, 0.0, _MAX_Z)) if excess(0.0) > 0 else 0.0


@dataclass(frozen=True)
class LookPlan:
    """Number of looks at a study, and number of people that it needs."""

    looks: int
    """Number of looks, including the last one with all people."""
    wanted: int
    """Number of people at the last look."""

    def number(self, people: int) -> int:
        """Return the number of the look that is due at a number of people: 1..looks, or 0 if none is due."""
        return min(self.looks, self.looks * people // self.wanted)

    def due_at(self, number: int) -> int:
        """Return the number of people at which a look is due."""
        return -(-number * self.wanted // self.looks)

    def current(self, people: int, taken: Sequence[Look], answers: str) -> Look | None:
        """Return the last look taken if it has these answers (a hash), else a new look if one is due, else None."""
        last = taken[-1] if taken else Look(0, 0.0, 0.0)
        if taken and (last.people, last.answers) == (people, answers):
            return last
        if people <= last.people or self.number(people) <= self.number(last.people):
            return None
        spent = max(last.spent, alpha_spent(people / self.wanted))
        return Look(people, spent, critical_z(taken, people, spent - last.spent), answers)

    def text(self, people: int, taken: Sequence[Look], current: Look | None) -> str:
        """Return a text on why there is no verdict, or on which of several looks this is; else an empty text."""
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
    """Return the looks taken at the study of a folder, in order.

    Raises:
        UserError: the record is damaged.
    """
    file = folder / OWN_FOLDER / _RECORD
    if not file.is_file():
        return []
    try:
        looks = [Look(**look) for look in read_json(file)]
        for before, look in pairwise([Look(0, 0.0, 0.0), *looks]):
            rises = before.people < look.people < math.inf and before.spent <= look.spent <= ALPHA
            if not rises or not 0 < look.z <= _MAX_Z:
                raise TypeError("people or alpha spent do not rise from look to look, or z is not above 0")
    except TypeError as error:
        raise UserError(f"{file}: no record of looks ({error}); restore it or remove it") from error
    return looks


def write_looks(folder: Path, looks: Sequence[Look]) -> None:
    """Record the looks taken, in order; write nothing if there are none."""
    if not looks:
        return
    write_json(folder / OWN_FOLDER / _RECORD, [asdict(look) for look in looks])


class TakenLook(NamedTuple):
    """The result of `take_look`."""

    table: "pd.DataFrame"
    """`looks`"""
    taken: Sequence[Look]
    """Looks to record: the earlier ones and, if several are planned, this one."""


def take_look(
    plan: LookPlan, taken: Sequence[Look], trials: "pd.DataFrame", sessions: "pd.DataFrame | None" = None
) -> TakenLook | None:
    """Take the look that is due at these answers, if any, and return the table `looks`.

    The same answers again are the same look and spend nothing. New answers before the next look is due are no look.
    Answers of unfinished sessions do not count, because no result has them.

    Everyone with a complete session counts, even if the analysis later excludes them: the planned number of people
    already allows for exclusions.

    Args:
        taken: the looks before, in order.
        sessions: the table `sessions`; trials of sessions that it does not name count as complete.

    Returns:
        The table and the looks to record, or None if only simulated participants have answered.
    """
    import pandas as pd

    from gan_eval.stats.trials import in_finished_session
    from gan_eval.tables.frames import frame_of

    of_people = trials[~trials["simulated"].fillna(False).to_numpy(bool)]
    if of_people.empty:
        return None
    complete = of_people[in_finished_session(of_people, sessions)]
    people, answers = complete["participant"].nunique(), ""
    if plan.looks > 1 or taken:
        hashes = pd.util.hash_pandas_object(complete[list(_ANSWER)], index=False)
        answers = f"{int(hashes.sum()):016x}"  # in any order
    current = plan.current(people, taken, answers)
    if current is not None and current not in taken and (plan.looks > 1 or taken):
        taken = [*taken, current]
    by_number = {plan.number(look.people): look for look in ([current] if current and not taken else taken)}
    rows, text = [], plan.text(people, taken, current)
    for place in range(1, plan.looks + 1):
        look = by_number.get(place)
        of_look = {} if look is None else {
            "taken_at": look.people,
            "information": min(1.0, look.people / plan.wanted),
            "alpha_spent": look.spent,
            "z": look.z,
            "alpha": look.alpha,
        }  # fmt: skip
        shared = {"look": place, "due_at": plan.due_at(place), "n_people": people, "n_wanted": plan.wanted}
        is_current = look is not None and look == current
        rows.append({**shared, **of_look, "current": is_current, "note": text or None})
    return TakenLook(frame_of(rows, LOOKS), taken)


def level(looks: "pd.DataFrame | None") -> float:
    """Return the level for p values: 5%, or that of one of several looks; NaN: no verdict.

    Args:
        looks: the table `looks`; None, or without rows: the planned number of people is unknown.
    """
    if looks is None or looks.empty:
        return ALPHA
    current = looks.loc[looks["current"].to_numpy(bool), "alpha"]
    return float(current.iloc[0]) if len(current) else np.nan


def looks_text(looks: "pd.DataFrame") -> str:
    """Return the reason for a missing verdict, or which of several planned looks this is; else an empty text."""
    notes = looks["note"].dropna()
    return str(notes.iloc[0]) if len(notes) else ""
