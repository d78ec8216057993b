"""The numbers of trials that a pool allows, and the items of practice and catch trials."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.quiz.draw.offers import Pool, pools_of
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row
from gan_eval.tables.names import BETWEEN_MODELS, REAL, Role

Item = TypeVar("Item", int, str)
MIN_POOL_RATIO = 2
"""Minimum ratio of a pool's items to the trials of a list; below it, all participants see nearly the same items."""
PRACTICE_SETS = "stimuli.practice_sets"
"""The setting that names sets for practice."""
CATCH_SETS = "stimuli.catch_sets"
"""The setting that names sets for catch trials."""


@dataclass(frozen=True)
class Counts:
    """Numbers of trials of one list in one data set."""

    real: int
    """Single real pictures."""
    generated: int
    """Single generated pictures, or pairs."""

    @property
    def total(self) -> int:
        """Total number of trials."""
        return self.real + self.generated

    def slots(self, roles: Sequence[Role], list_number: int) -> list[Role]:
        """Return a role for each trial; generated ones are divided evenly, and remainders rotate from list to list."""
        per_role, odd = divmod(self.generated, len(roles))
        extra = {roles[(list_number * odd + number) % len(roles)] for number in range(odd)}
        return [REAL] * self.real + [role for role in roles for _ in range(per_role + (role in extra))]


def possible_counts(pool: Pool, settings: QuizSettings) -> tuple[Counts, str | None]:
    """Return the requested counts, or the largest that the pool allows, and a warning about a small pool.

    Raises:
        UserError: not even one trial of each class is possible, or fewer than requested under `strict_counts`; a model
            has no pairs.
    """
    _require_offers(pool)
    requested = Counts(0, settings.pairs) if settings.shows_pairs else Counts(settings.real, settings.fake)
    if feasible(pool, requested):
        if len(pool.items) >= MIN_POOL_RATIO * requested.total:
            return requested, None
        return requested, (
            f"data set {pool.dataset}: every participant sees {requested.total} of only {len(pool.items)} items; with "
            "nearly one shared list, the result describes these pictures rather than the models: a pool several times "
            "as large is better"
        )
    lacks_reals = pool.reals is not None and len(pool.reals) < min(requested.total, len(pool.items))
    what = f"{len(pool.reals or ())} real pictures" if lacks_reals else f"{len(pool.items)} items"
    shortage = f"data set {pool.dataset}: {what} are too few for {_phrase(requested)} of different items"
    if settings.strict_counts:
        names = "quiz.pairs" if settings.shows_pairs else "quiz.real and quiz.fake"
        raise UserError(f"{shortage}; add items, or lower {names}, or drop quiz.strict_counts")
    for size in range(min(requested.generated, len(pool.items)), 0, -1):
        counts = Counts(size if requested.real else 0, size)  # single pictures: as many real as generated ones
        if size <= (requested.real or size) and feasible(pool, counts):
            return counts, f"{shortage}; each participant sees {_phrase(counts)}"
    raise UserError(f"{shortage}; not even {_phrase(Counts(min(requested.real, 1), 1))} can be shown")


def _require_offers(pool: Pool) -> None:
    any_pair = ', or set quiz.pairs_of = "random" for pairs of any two pictures'
    for role in pool.generated:
        if not pool.roles[role]:
            a, _, b = role.partition(BETWEEN_MODELS)
            other = f"one of {b}" if b else "a real one"
            raise UserError(
                f"data set {pool.dataset}: no item has a picture of {a} and {other}, for a pair; add the missing "
                f"pictures, or remove a model from the stimulus sets{'' if b else any_pair}"
            )


def feasible(pool: Pool, counts: Counts) -> bool:
    """Return True if every list can have the counts, whichever roles get the remainders."""
    roles = pool.generated
    if not roles or counts.total > len(pool.items) or (pool.reals is not None and counts.total > len(pool.reals)):
        return False
    turns = range(len(roles)) if counts.generated % len(roles) else range(1)
    items = {role: sorted(offers) for role, offers in pool.roles.items()}
    return all(match([items[slot] for slot in counts.slots(roles, turn)]) for turn in turns)


def _phrase(counts: Counts) -> str:
    return f"{counts.real} real + {counts.generated} fake" if counts.real else f"{counts.generated} pairs"


def match(candidates: Sequence[Sequence[Item]]) -> list[Item] | None:
    """Assign to each slot one of its candidate items, no item twice; return None if this is impossible.

    This is a perfect bipartite matching (Kuhn 1955). A slot takes its first free candidate. If none is free, earlier
    slots move to another of their candidates.

    >>> match([["a", "b"], ["a"]])
    ['b', 'a']
    >>> match([["a"], ["a"]]) is None
    True
    """
    slot_of_item: dict[Item, int] = {}
    item_of_slot: dict[int, Item] = {}
    for slot in range(len(candidates)):
        came_from: dict[Item, int] = {}
        free: Item | None = None
        waiting = [slot]
        for mover in waiting:  # a shortest augmenting path: breadth first over the slots that would have to move
            for item in candidates[mover]:
                if item not in came_from:
                    came_from[item] = mover
                    if item not in slot_of_item:
                        free = item
                        break
                    waiting.append(slot_of_item[item])
            if free is not None:
                break
        if free is None:
            return None
        while free is not None:  # back along the path: each slot leaves its old item to the next
            mover = came_from[free]
            old = item_of_slot.get(mover)
            slot_of_item[free], item_of_slot[mover] = mover, free
            free = old
    return [item_of_slot[slot] for slot in range(len(candidates))]


def practice_offers(
    pools: Mapping[str, Pool], settings: QuizSettings, generator: np.random.Generator, *, from_own_sets: bool
) -> tuple[list[tuple[Role, Row]], str | None]:
    """Return practice trials, the same number from each pool, and a warning if there are too few.

    Raises:
        UserError: there are too few, and `strict_counts` is set.
    """
    if not settings.practice:
        return [], None
    per_pool, odd = divmod(settings.practice, len(pools))
    chosen: list[tuple[Role, Row]] = []
    for index, name in enumerate(sorted(pools)):
        chosen += _sample(pools[name], per_pool + (index < odd), generator, pairs=settings.shows_pairs)
    if len(chosen) == settings.practice:
        return chosen, None
    source = f"{PRACTICE_SETS} and the list leave" if from_own_sets else "the list leaves"
    shortage = f"quiz.practice = {settings.practice}: {source} items for {len(chosen)} practice trials only"
    if settings.strict_counts:
        raise UserError(f"{shortage}; add items, lower it, or name {'more' if from_own_sets else PRACTICE_SETS}")
    return chosen, shortage


def catch_offers(
    stimuli: Iterable[Row], settings: QuizSettings, generator: np.random.Generator, *, excluded: Collection[str]
) -> list[tuple[Role, Row]]:
    """Return catch trials of different items, none of them `excluded`; single pictures may all be of one class.

    Raises:
        UserError: there are too few.
    """
    if not settings.catch:
        return []
    pools = pools_of(stimuli, settings, setting=CATCH_SETS, one_class=True)
    offers = [(role, row) for pool in pools.values() for role, rows in pool.roles.items() for row in rows.values()]
    shuffled = [offers[index] for index in generator.permutation(len(offers))]
    of_items = {row["item"]: (role, row) for role, row in shuffled if row["item"] not in excluded}
    if len(of_items) < settings.catch:
        raise UserError(
            f"quiz.catch = {settings.catch}: {CATCH_SETS} hold {len(of_items)} items that can be shown; "
            "name sets with more, or lower it"
        )
    return list(of_items.values())[: settings.catch]


def _sample(pool: Pool, largest: int, generator: np.random.Generator, *, pairs: bool) -> list[tuple[Role, Row]]:
    """Return offers of different items, up to `largest`; classes in equal numbers."""
    for size in range(largest, 0, -1):
        counts = Counts(0, size) if pairs else Counts(size // 2, size - size // 2)
        if not feasible(pool, counts):
            continue
        slots = counts.slots(pool.generated, int(generator.integers(len(pool.generated))))
        items = {role: sorted(offers) for role, offers in pool.roles.items()}
        candidates = {role: [items[role][index] for index in generator.permutation(len(items[role]))] for role in items}
        items_of_slots = match([candidates[slot] for slot in slots])
        assert items_of_slots is not None, "counts were checked to be feasible"
        return [(slot, pool.roles[slot][item]) for slot, item in zip(slots, items_of_slots, strict=True)]
    return []
