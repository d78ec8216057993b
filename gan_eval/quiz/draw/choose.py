"""How many trials of which role a list has, and whether a pool has enough for that.

Seating: each slot gets an item of its own from its list of wishes.

Which items one list has: uses are balanced over lists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from gan_eval.errors import UserError
from gan_eval.quiz.draw.offers import REAL, Pool, Role
from gan_eval.quiz.draw.order import generator
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

AMPLE = 2
"""A pool of fewer items than so many lists is nearly one shared list."""


@dataclass(frozen=True)
class Counts:
    """Trials of one list in one data set."""

    real: int
    """Single real pictures."""
    generated: int
    """Single generated pictures, or pairs."""

    @property
    def total(self) -> int:
        """Trials in all."""
        return self.real + self.generated

    def slots(self, roles: Sequence[Role], list_number: int) -> list[Role]:
        """One role for each trial; the generated ones shared out evenly, odd ones to other roles from list to list."""
        each, odd = divmod(self.generated, len(roles))
        lucky = {roles[(list_number * odd + place) % len(roles)] for place in range(odd)}
        return [REAL] * self.real + [role for role in roles for _ in range(each + (role in lucky))]


def possible_counts(pool: Pool, settings: QuizSettings) -> tuple[Counts, str | None]:
    """The counts asked for, or the largest that the pool allows, and a warning where participants share pictures.

    Raises:
        UserError: not even one trial of each class is possible, or fewer than asked for under `strict_counts`.
    """
    wanted = Counts(0, settings.pairs) if settings.shows_pairs else Counts(settings.real, settings.fake)
    if feasible(pool, wanted):
        return wanted, _shared_list(pool, wanted)
    shortage = (
        f"data set {pool.dataset}: {len(pool.items)} items are too few for {_in_words(wanted)} of different items"
    )
    if settings.strict_counts:
        names = "quiz.pairs" if settings.shows_pairs else "quiz.real and quiz.fake"
        raise UserError(f"{shortage}; add items, or lower {names}, or drop quiz.strict_counts")
    for counts in _smaller(wanted, len(pool.items)):
        if feasible(pool, counts):
            return counts, f"{shortage}; each participant sees {_in_words(counts)}"
    raise UserError(f"{shortage}; at least {_in_words(next(_least(wanted)))} of different items are needed")


def feasible(pool: Pool, counts: Counts) -> bool:
    """Whether every list can have the counts, whichever roles get the odd trials."""
    roles = pool.generated
    if not roles or counts.total > len(pool.items):
        return False
    turns = range(len(roles)) if counts.generated % len(roles) else range(1)
    return all(match([sorted(pool.roles[slot]) for slot in counts.slots(roles, turn)]) for turn in turns)


def _shared_list(pool: Pool, counts: Counts) -> str | None:
    if len(pool.items) >= AMPLE * counts.total:
        return None
    return (
        f"data set {pool.dataset}: every participant sees {counts.total} of only {len(pool.items)} items; with nearly "
        "one shared list, differences between pictures pass for differences between models: a pool several times as "
        "large is better"
    )


def _smaller(wanted: Counts, items: int) -> Iterator[Counts]:
    """Counts below the wanted ones, the largest first; of single pictures as many real as generated ones."""
    if wanted.real:
        return (Counts(size, size) for size in range(min(wanted.real, wanted.generated, items // 2), 0, -1))
    return (Counts(0, size) for size in range(min(wanted.generated, items), 0, -1))


def _least(wanted: Counts) -> Iterator[Counts]:
    return _smaller(wanted, 2 if wanted.real else 1)


def _in_words(counts: Counts) -> str:
    return f"{counts.real} real + {counts.generated} fake" if counts.real else f"{counts.generated} pairs"


def match(wishes: Sequence[Sequence[str]]) -> list[str] | None:
    """Give each slot one item, no item twice: a perfect bipartite matching by augmenting paths (Kuhn 1955).

    A slot takes its first free wish; only where none is free do earlier slots move to another of theirs.

    Args:
        wishes: for each slot, the items it may have, best first.

    Returns:
        The item of each slot, or None where no seating exists.

    >>> match([["a", "b"], ["a"]])
    ['b', 'a']
    >>> match([["a"], ["a"]]) is None
    True
    """
    holder: dict[str, int] = {}
    seats: dict[int, str] = {}
    for slot in range(len(wishes)):
        free = next((item for item in wishes[slot] if item not in holder), None)
        if free is not None:
            holder[free], seats[slot] = slot, free
        elif not _augment(slot, wishes, holder, seats):
            return None
    return [seats[slot] for slot in range(len(wishes))]


def _augment(slot: int, wishes: Sequence[Sequence[str]], holder: dict[str, int], seats: dict[int, str]) -> bool:
    """Seat `slot` by a shortest augmenting path: breadth first over the slots that would have to move."""
    came_from: dict[str, int] = {}
    waiting = [slot]
    for mover in waiting:
        for item in wishes[mover]:
            if item in came_from:
                continue
            came_from[item] = mover
            if item not in holder:
                _shift(item, came_from, holder, seats)
                return True
            waiting.append(holder[item])
    return False


def _shift(free: str, came_from: dict[str, int], holder: dict[str, int], seats: dict[int, str]) -> None:
    """Walk the path back from the free item; each slot on it moves there and leaves its old item to the next."""
    item: str | None = free
    while item is not None:
        mover = came_from[item]
        old = seats.get(mover)
        holder[item], seats[mover] = mover, item
        item = old


ROUND = 512
"""Lists over which the use of stimuli is balanced; then it starts anew, so that any list is dealt in bounded time."""
Choice = tuple[Role, str]
"""What is shown, and of which item."""


def choose(pool: Pool, counts: Counts, *, seed: int, list_number: int) -> list[tuple[Role, Row]]:
    """The offers of one list, with their roles; all earlier lists of its round are dealt on the way."""
    round_number, place = divmod(list_number - 1, ROUND)
    chosen = next(islice(_one_round(pool, counts, seed, round_number), place, None))
    return [(role, pool.roles[role][item]) for role, item in chosen]


def choices(pool: Pool, counts: Counts, *, seed: int) -> Iterator[list[Choice]]:
    """What `choose` chooses for lists 1, 2, 3, ... without end, in time that is proportional to their number."""
    for round_number in count():
        yield from _one_round(pool, counts, seed, round_number)


def _one_round(pool: Pool, counts: Counts, seed: int, round_number: int) -> Iterator[list[Choice]]:
    """The lists of a round, dealt one after the other.

    Each slot takes the offer of its role that was used least (then the item used least, then by lot), so that uses
    differ by little over any stretch of lists.
    """
    used: dict[Choice, int] = {}
    used_item: dict[str, int] = {}
    for number in range(round_number * ROUND + 1, (round_number + 1) * ROUND + 1):
        lot = generator(seed, number, "stimuli", pool.dataset)
        lots = dict(zip(pool.items, lot.permutation(len(pool.items)).tolist(), strict=True))
        roles = counts.slots(pool.generated, number)
        slots = [roles[place] for place in lot.permutation(counts.total)]
        wishes = {role: _best_first(role, pool, used, used_item, lots) for role in pool.roles}
        seats = match([wishes[slot] for slot in slots])
        assert seats is not None, "counts were checked to be feasible"
        chosen = list(zip(slots, seats, strict=True))
        for role, item in chosen:
            used[role, item] = used.get((role, item), 0) + 1
            used_item[item] = used_item.get(item, 0) + 1
        yield chosen


def _best_first(
    role: Role, pool: Pool, used: dict[Choice, int], used_item: dict[str, int], lots: dict[str, int]
) -> list[str]:
    """The role's items, the least used first."""
    return sorted(pool.roles[role], key=lambda item: (used.get((role, item), 0), used_item.get(item, 0), lots[item]))
