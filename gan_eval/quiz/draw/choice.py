"""Which items one list has: uses are balanced over lists."""

from collections.abc import Iterator
from itertools import count, islice

from gan_eval.quiz.draw.choose import Counts
from gan_eval.quiz.draw.matching import match
from gan_eval.quiz.draw.offers import Pool, Role
from gan_eval.quiz.draw.random_numbers import generator
from gan_eval.tabular import Row

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
