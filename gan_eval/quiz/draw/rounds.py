"""The items of list k, and their roles.

A list takes for each of its trials the picture that the earlier lists of its round have shown least in that role;
chance decides between equals. Each round of `LISTS` lists begins anew, so that list k needs few lists before it.
"""

from collections.abc import Iterator
from itertools import count, islice
from threading import Lock

import numpy as np

from gan_eval.quiz.draw.choose import Counts, match
from gan_eval.quiz.draw.offers import Pool
from gan_eval.quiz.draw.order import generator
from gan_eval.tables.names import Role

Choice = tuple[Role, str]
"""Role and item."""
LISTS = 128
"""Number of lists in a round."""


def choices(pool: Pool, counts: Counts, *, seed: int, first: int = 1) -> Iterator[list[Choice]]:
    """Yield role and item of each trial of the lists `first`, `first` + 1, ... without end."""
    items, roles = pool.items, sorted(pool.roles)
    offered = np.array([[item in pool.roles[role] for item in items] for role in roles])
    enough = min(counts.total, len(items))  # more candidates for one trial are never needed
    for number in count((first - 1) // LISTS * LISTS):
        if number % LISTS == 0:
            uses = np.where(offered, 0, np.inf)
        order = uses + generator(seed, number, "list", pool.dataset).random(uses.shape)
        least = np.argpartition(order, enough - 1)[:, :enough]
        least = np.take_along_axis(least, np.take_along_axis(order, least, 1).argsort(), 1)
        candidates = {
            role: row[offered[index, row]].tolist() for index, (role, row) in enumerate(zip(roles, least, strict=True))
        }
        slots = sorted(counts.slots(pool.generated, number), key=lambda role: len(pool.roles[role]))
        chosen = match([candidates[slot] for slot in slots])
        assert chosen is not None, "counts were checked to be feasible"
        uses[[roles.index(slot) for slot in slots], chosen] += 1
        if number + 1 >= first:
            yield sorted((slot, items[index]) for slot, index in zip(slots, chosen, strict=True))


class Lists:
    """The lists of a pool by number; those of the last round are kept, because a study deals one after the other."""

    def __init__(self, pool: Pool, counts: Counts, seed: int) -> None:
        self._pool, self._counts, self._seed = pool, counts, seed
        self._first, self._drawn = 0, list[list[Choice]]()
        self._more: Iterator[list[Choice]] = iter(())
        self._lock = Lock()

    def __getitem__(self, number: int) -> list[Choice]:
        """Return role and item of each trial of a list; numbers begin at 1."""
        first = (number - 1) // LISTS * LISTS + 1
        with self._lock:
            if first != self._first:
                self._first, self._drawn = first, []
                self._more = choices(self._pool, self._counts, seed=self._seed, first=first)
            self._drawn += islice(self._more, max(0, number - first + 1 - len(self._drawn)))
            return self._drawn[number - first]

    def __reduce__(self) -> tuple[type["Lists"], tuple[Pool, Counts, int]]:
        """Leave out the drawn lists: another process draws the same."""
        return Lists, (self._pool, self._counts, self._seed)


def never_shown(pool: Pool, counts: Counts) -> str | None:
    """Return a warning about pictures that no list of a round shows although there are enough trials; else None."""
    unseen = {role: set(offers) for role, offers in pool.roles.items()}
    shown = dict.fromkeys(unseen, 0)
    for trials in islice(choices(pool, counts, seed=0), LISTS):
        for role, item in trials:
            unseen[role].discard(item)
            shown[role] += 1
        if not any(unseen.values()):
            return None
    models = [
        f"{len(unseen[role])} {f'pictures of {role}' if role else 'real pictures'}"
        for role, offers in sorted(pool.roles.items())
        if unseen[role] and shown[role] >= len(offers)
    ]
    if not models:
        return None
    return (
        f"data set {pool.dataset}: {', '.join(models)} are never shown, because every list needs their items for other "
        "pictures; add pictures of the model that has the fewest"
    )
