"""Seating: each slot gets an item of its own from its list of wishes."""

from collections.abc import Sequence


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
