"""The draw: which stimuli one participant sees, and in which order.

List k of a study is a function of (study seed, k) alone, so that it can be dealt again, on any station, at any time.
Every list has exact counts per class and per model, never two versions of one item, and bounded runs of one class;
over the lists each stimulus is judged nearly equally often.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes
from gan_eval.quiz.matching import match
from gan_eval.study import QuizSettings
from gan_eval.tabular import Row

LONGEST_RUN = 3
"""At most so many trials of one class in a row, wherever the counts allow it."""

ROUND = 512
"""Lists over which the use of stimuli is balanced; then it starts anew, so that any list is dealt in bounded time."""

Role = str
"""What an item is shown as: `real`, or the name of the model whose output is shown."""

REAL: Role = ""
"""The role of the real picture; a model's name is never empty."""


@dataclass(frozen=True)
class Draw:
    """One dealt list."""

    plan: tuple[Row, ...]
    """Rows of `gan_eval.tables.PLANS` in the order of the trials; `session` and `simulated` are still None."""
    warnings: tuple[str, ...]
    """One line for each data set that is too small for the counts asked for."""


def deal(
    stimuli: Iterable[Row],
    settings: QuizSettings,
    *,
    seed: int,
    list_number: int,
    fraction: float | None = None,
) -> Draw:
    """Deal one list: a block for each data set, the blocks in random order.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`, of one or several sets; a stimulus may stand twice.
        settings: counts, exposure, and whether smaller counts are allowed.
        seed: the study's seed.
        list_number: which list, from 1.
        fraction: share of the planned training steps, for rows that do not say it themselves.

    Raises:
        UserError: a data set has no real or no fake pictures, or fewer items than wanted under `strict_counts`.
    """
    if list_number < 1:
        raise UserError(f"--list {list_number}: lists are numbered from 1")
    pools = _pools(stimuli)
    if not pools:
        raise UserError("no stimuli to draw from; name a stimulus set with real and fake pictures")
    warnings: list[str] = []
    plan: list[Row] = []
    names = sorted(pools)
    for block, place in enumerate(_generator(seed, list_number, "blocks").permutation(len(names)), start=1):
        pool = pools[names[place]]
        counts, warning = _possible_counts(pool, settings)
        warnings += [warning] if warning else []
        chosen = _choose(pool, counts, seed=seed, list_number=list_number)
        for row in _in_order(chosen, _generator(seed, list_number, "order", pool.dataset)):
            plan.append(_plan_row(row, settings, block=block, trial=len(plan) + 1, fraction=fraction))
    return Draw(tuple(plan), tuple(sorted(warnings)))


@dataclass(frozen=True)
class _Pool:
    """The stimuli of one data set: for each role, the stimulus of each item."""

    dataset: str
    roles: Mapping[Role, Mapping[str, Row]]

    @property
    def models(self) -> list[Role]:
        return sorted(role for role in self.roles if role != REAL)

    @property
    def items(self) -> list[str]:
        return sorted({item for versions in self.roles.values() for item in versions})


@dataclass(frozen=True)
class _Counts:
    real: int
    fake: int

    def slots(self, models: Sequence[Role], list_number: int) -> list[Role]:
        """One role for each trial; fakes shared out evenly, the odd ones to other models from list to list."""
        each, odd = divmod(self.fake, len(models))
        lucky = {models[(list_number * odd + place) % len(models)] for place in range(odd)}
        fakes = [model for model in models for _ in range(each + (model in lucky))]
        return [REAL] * self.real + fakes


def _pools(stimuli: Iterable[Row]) -> dict[str, _Pool]:
    roles: dict[str, dict[Role, dict[str, Row]]] = {}
    for row in stimuli:
        role = REAL if row["kind"] == "real" else row["model"]
        versions = roles.setdefault(row["dataset"], {}).setdefault(role, {})
        if versions.setdefault(row["item"], row)["sha256"] != row["sha256"]:
            raise UserError(
                f"stimulus {row['stimulus']}: two different pictures bear this name; "
                "give the stimulus sets different data set names"
            )
    for dataset, by_role in roles.items():
        if REAL not in by_role:
            raise UserError(f"data set {dataset}: no real pictures among its stimuli; a quiz needs real and fake ones")
        if len(by_role) == 1:
            raise UserError(f"data set {dataset}: no fake pictures among its stimuli; a quiz needs real and fake ones")
    return {dataset: _Pool(dataset, by_role) for dataset, by_role in roles.items()}


def _possible_counts(pool: _Pool, settings: QuizSettings) -> tuple[_Counts, str | None]:
    """The counts asked for, or the largest equal n + n that the pool allows, with the warning that says so."""
    wanted = _Counts(settings.real, settings.fake)
    if _feasible(pool, wanted):
        return wanted, None
    shortage = (
        f"data set {pool.dataset}: {len(pool.items)} items are too few for {wanted.real} real + {wanted.fake} fake "
        "of different items"
    )
    if settings.strict_counts:
        raise UserError(f"{shortage}; add items, or lower quiz.real and quiz.fake, or drop quiz.strict_counts")
    for size in range(min(wanted.real, wanted.fake, len(pool.items) // 2), 0, -1):
        if _feasible(pool, _Counts(size, size)):
            return _Counts(size, size), f"{shortage}; each participant sees {size} real + {size} fake"
    raise UserError(f"{shortage}; at least one real and one fake picture of different items are needed")


def _feasible(pool: _Pool, counts: _Counts) -> bool:
    """Whether every list can have the counts, whichever models get the odd fakes."""
    if counts.real + counts.fake > len(pool.items):
        return False
    turns = range(len(pool.models)) if counts.fake % len(pool.models) else range(1)
    return all(match([sorted(pool.roles[slot]) for slot in counts.slots(pool.models, turn)]) for turn in turns)


def _choose(pool: _Pool, counts: _Counts, *, seed: int, list_number: int) -> list[Row]:
    """The stimuli of one list.

    The lists of a round are dealt one after the other; each slot takes the stimulus of its role that was used least
    (then the item used least, then by lot), so that uses differ by little over any stretch of lists.
    """
    round_number, last = divmod(list_number - 1, ROUND)
    used: dict[tuple[Role, str], int] = {}
    used_item: dict[str, int] = {}
    chosen: list[tuple[Role, str]] = []
    for number in range(round_number * ROUND + 1, round_number * ROUND + last + 2):
        generator = _generator(seed, number, "stimuli", pool.dataset)
        lots = dict(zip(pool.items, generator.permutation(len(pool.items)).tolist(), strict=True))
        slots = [counts.slots(pool.models, number)[place] for place in generator.permutation(counts.real + counts.fake)]
        wishes = {
            role: sorted(items, key=lambda item: (used.get((role, item), 0), used_item.get(item, 0), lots[item]))
            for role, items in pool.roles.items()
        }
        seats = match([wishes[slot] for slot in slots])
        assert seats is not None, "counts were checked to be feasible"
        chosen = list(zip(slots, seats, strict=True))
        for role, item in chosen:
            used[role, item] = used.get((role, item), 0) + 1
            used_item[item] = used_item.get(item, 0) + 1
    return [pool.roles[role][item] for role, item in chosen]


def _in_order(chosen: Sequence[Row], generator: np.random.Generator) -> list[Row]:
    """The stimuli in random order with bounded runs of one class."""
    queues = {
        kind: [rows[place] for place in generator.permutation(len(rows))]
        for kind in ("real", "fake")
        if (rows := [row for row in chosen if row["kind"] == kind])
    }
    kinds = class_order(len(queues["real"]), len(queues["fake"]), generator)
    return [queues[kind].pop() for kind in kinds]


def class_order(real: int, fake: int, generator: np.random.Generator, *, longest: int = LONGEST_RUN) -> list[str]:
    """A random sequence of `real` and `fake` without a run above `longest`.

    Where the counts are too unequal for `longest`, the shortest possible bound is taken instead, so it never fails.
    Each next class is drawn in proportion to what is left of it, among those after which the rest can be ordered.

    >>> class_order(1, 5, np.random.default_rng(0))
    ['fake', 'fake', 'fake', 'real', 'fake', 'fake']
    """
    few, many = sorted((real, fake))
    bound = max(longest, -(-many // (few + 1)))
    left = {"real": real, "fake": fake}
    order: list[str] = []
    run = 0
    while len(order) < real + fake:
        runs = {kind: run + 1 if order and order[-1] == kind else 1 for kind in left}
        possible = [kind for kind in left if left[kind] and _can_follow(kind, left, run=runs[kind], bound=bound)]
        ticket = generator.integers(sum(left[kind] for kind in possible))
        kind = possible[0] if ticket < left[possible[0]] else possible[-1]
        left[kind] -= 1
        run = runs[kind]
        order.append(kind)
    return order


def _can_follow(kind: str, left: Mapping[str, int], *, run: int, bound: int) -> bool:
    """Whether the rest can be ordered after `kind` is taken from `left` and makes a run of `run`."""
    same = left[kind] - 1
    other = left["real" if kind == "fake" else "fake"]
    return run <= bound and same <= (bound - run) + bound * other and other <= bound * (same + 1)


def _plan_row(row: Row, settings: QuizSettings, *, block: int, trial: int, fraction: float | None) -> Row:
    own = row.get("fraction")
    return {
        "session": None,
        "block": block,
        "trial": trial,
        "phase": "main",
        "stimulus": row["stimulus"],
        "stimulus_b": None,
        "position": None,
        "item": row["item"],
        "kind": row["kind"],
        "model": row["model"],
        "dataset": row["dataset"],
        "requested_exposure_ms": settings.flash_ms,
        "sha256": row["sha256"],
        "simulated": None,
        "fraction": fraction if own is None else own,
    }


def _generator(seed: int, list_number: int, *words: str) -> np.random.Generator:
    """Random numbers of their own for each seed, list and purpose."""
    purpose = int(sha256_bytes("\0".join(words).encode())[:16], 16)
    return np.random.default_rng(np.random.SeedSequence([seed, list_number, purpose]))
