"""Which items list k shows, and as what: dealt in rounds of a few lists, each without the rounds before it.

The pictures of a role stand in a random order, lap after lap, and each round takes the next ones of every role. So
after any number of rounds, no picture of a role was shown more than once more often than another. The uses of a round
are then shared out over its lists so that each list has exact counts and shows an item at most once: the round is
halved as often as possible, and the uses that are left together are the edges of a bipartite graph of items and
trials, whose colours are the lists.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, product

import numpy as np

from gan_eval.quiz.draw.choose import Counts, match
from gan_eval.quiz.draw.offers import REAL, Pool, Role
from gan_eval.quiz.draw.order import generator
from gan_eval.tabular import Row

Choice = tuple[Role, str]
"""What is shown, and of which item."""
Use = tuple[int, int, int]
"""The numbers of a role, of an item, and of the trial that shows it in one list of the round."""
LISTS_PER_ROLE = 8
"""Rounds of 1, 2, 4, ... lists, which can be halved to the end, are tried up to so many lists for each role."""
MOST_LISTS, MOST_USES = 1_000, 50_000
"""The longest round, in lists and in trials of all of them; where more are needed, lists are drawn by lot."""


@dataclass(frozen=True)
class Rounds:
    """How the lists of a pool are dealt: R roles, I items."""

    lists: int
    """Number of lists in a round."""
    roles: tuple[Role, ...]
    trials: np.ndarray
    """(R,) int, number of trials of each role in as many lists as there are models."""
    models: int
    shown: np.ndarray
    """(R, I) bool, the items of the pool that are shown in each role."""
    shuffles: bool
    """Each lap over a role's pictures has a new order."""

    def uses_before(self, number: int) -> np.ndarray:
        """(R,) int, number of trials of each role before a round; of any two models, equal or different by one."""
        return (number * self.lists * self.trials + np.arange(len(self.roles)) % self.models) // self.models


def choose(pool: Pool, counts: Counts, *, seed: int, list_number: int) -> list[tuple[Role, Row]]:
    """Return the offers of one list with their roles, in a time that depends on the pool alone."""
    return [(role, pool.roles[role][item]) for role, item in next(choices(pool, counts, seed=seed, first=list_number))]


def choices(pool: Pool, counts: Counts, *, seed: int, first: int = 1) -> Iterator[list[Choice]]:
    """Yield what `choose` chooses for the lists `first`, `first` + 1, ... without end."""
    rounds, items = rounds_of(pool, counts), pool.items
    if rounds is None:
        yield from (_draw_by_lot(pool, counts, seed, number) for number in count(first))
        return
    begun, start = divmod(first - 1, rounds.lists)
    for number in count(begun):
        for shown in _deal_round(rounds, seed, number, pool.dataset)[start:]:
            yield [(rounds.roles[role], items[item]) for role, item in shown.tolist()]
        start = 0


def rounds_of(pool: Pool, counts: Counts) -> Rounds | None:
    """Return short rounds in which no item has more uses than there are lists, or None where there are none.

    Items that would have too many lose the role that has most pictures and keep their rarer ones.
    """
    models = len(pool.generated)
    roles = ((REAL,) if counts.real else ()) + tuple(pool.generated)
    trials = np.array([counts.real * models if role == REAL else counts.generated for role in roles])
    shown = np.array([[item in pool.roles[role] for item in pool.items] for role in roles])
    halving = 2 ** np.arange(int(np.log2(LISTS_PER_ROLE * len(roles))) + 1)
    any_length = np.arange(1, min(MOST_LISTS, MOST_USES // counts.total) + 1)
    while True:
        kinds, pictures = np.unique(shown, axis=1), shown.sum(axis=1)
        for shuffles, lengths in ((True, halving), (False, halving), (False, any_length)):
            uses = -(-lengths[:, None] * trials // models)
            most = -(-uses // pictures)
            fits = (uses <= pictures).all(axis=1) | (not shuffles)
            if shuffles:  # the last pictures of a lap may be the first of the next, but where laps begin with rounds
                most += (lengths[:, None] * trials % models > 0) | (uses % pictures > 0) & (pictures % uses > 0)
            fits &= (most @ kinds <= lengths[:, None]).all(axis=1)
            if fits.any():
                return Rounds(int(lengths[fits.argmax()]), roles, trials, models, shown, shuffles)
        crowded = kinds[:, np.argmax((trials / pictures) @ kinds)]
        role, those = np.argmax(pictures * crowded), (shown == crowded[:, None]).all(axis=0)
        if crowded.sum() == 1 or (pictures[role] - those.sum()) * models < trials[role]:
            return None
        shown[role, those] = False


def _deal_round(rounds: Rounds, seed: int, number: int, dataset: str) -> np.ndarray:
    """(L, C, 2) int, the numbers of role and item of C trials, in no order, of a round's L lists."""
    lists, items = rounds.lists, rounds.shown.shape[1]
    rng = generator(seed, number, "round", dataset)
    before, after = rounds.uses_before(number), rounds.uses_before(number + 1)
    slots = -(-rounds.trials // rounds.models)  # of each role in a list; one of a model's may stay empty
    starts = (np.cumsum(rounds.trials) - rounds.trials) / rounds.trials.sum()
    fillers = (items + place // lists for place in count())
    uses: list[Use] = []
    used = np.zeros(rounds.shown.shape, int)  # of each picture, beyond the laps that are over
    for role, pictures in enumerate(rounds.shown.sum(axis=1).tolist()):
        taken: list[int] = []
        total = int(after[role] - before[role])
        while len(taken) < total:
            lap, place = divmod(int(before[role]) + len(taken), pictures)
            own = (lap, rounds.roles[role]) if rounds.shuffles and lap else (0, "")
            order = generator(seed, own[0], "lap", dataset, own[1]).permutation(items)
            # the first laps go round one order, each role ahead of the one before it: so few items come twice
            order = np.roll(order[rounds.shown[role][order]], -round(starts[role] * pictures))
            used[role, order[:place]] += not taken
            taken += order[place : place + total - len(taken)].tolist()
        shown = [(role, taken[at]) for at in rng.permutation(total)]
        empty = [(len(starts), next(fillers)) for _ in range(slots[role] * lists - total)]
        uses += [(*use, len(uses) // lists + place // lists) for place, use in enumerate((*shown, *empty))]
    parts, size = [uses], lists
    while size % 2 == 0 and size > 2:
        parts, size = [half for part in parts for half in _halves(part)], size // 2
    dealt: list[np.ndarray] = []
    trials_of = np.zeros(len(starts), int)
    for part in parts:
        coloured = zip(edge_colours([use[1:] for use in part], size), part, strict=True)
        of_lists = np.array(sorted((colour, *use[:2]) for colour, use in coloured if use[0] < len(starts)))
        of_lists = of_lists[:, 1:].reshape(size, -1, 2)[rng.permutation(size)]
        while len(of_lists):  # that of the models, then of the pictures, that were used least comes first
            role_of, item_of = of_lists.transpose(2, 0, 1)
            uses_so_far = used[role_of, item_of].sum(axis=1), trials_of[role_of].sum(axis=1)
            best = int(np.lexsort(uses_so_far)[0])
            dealt.append(of_lists[best])
            used[role_of[best], item_of[best]] += 1
            trials_of += np.bincount(role_of[best], minlength=len(starts))
            of_lists = np.delete(of_lists, best, axis=0)
    return np.array(dealt)


def _halves(uses: Sequence[Use]) -> list[list[Use]]:
    """Halve uses so that each picture, item and trial has half of them in each part, one more or less.

    Uses are paired by what they share, once by picture and item, once by role and trial. Both pairings together are
    paths and cycles of even length, on which the halves take turns (Euler's splitting of a bipartite graph).
    """
    pairings: list[dict[int, int]] = []
    for keys in (lambda use: (use[:2], use[1]), lambda use: (use[::2], use[2])):
        partner: dict[int, int] = {}
        for keys_of_kind in zip(*map(keys, uses), strict=True):
            waiting: dict[object, int] = {}
            for at, key in enumerate(keys_of_kind):
                if at not in partner:
                    if key in waiting:
                        other = waiting.pop(key)
                        partner[at], partner[other] = other, at
                    else:
                        waiting[key] = at
        pairings.append(partner)
    half: dict[int, int] = {}
    for first in range(len(uses)):
        for way in (0, 1) if first not in half else ():
            at, turn = first, 0
            half[first] = 0
            while (there := pairings[way].get(at)) is not None and there not in half:
                way, turn, at = 1 - way, 1 - turn, there
                half[at] = turn
    return [[use for at, use in enumerate(uses) if half[at] == part] for part in (0, 1)]


def edge_colours(edges: Sequence[tuple[Hashable, Hashable]], colours: int) -> list[int]:
    """Colour the edges of a bipartite multigraph so that no two edges at a vertex have one colour.

    Where no colour is free at both ends of an edge, a path of two alternating colours is swapped (König 1916).

    Args:
        edges: the two ends of each edge; no vertex may have more than `colours` edges.
        colours: the number of colours.

    Returns:
        The colour of each edge, from 0.

    >>> edge_colours([("a", 0), ("b", 1), ("a", 1), ("b", 0)], 2)
    [0, 0, 1, 1]
    """
    at: tuple[dict[Hashable, list[int]], ...] = tuple(
        {vertex: [-1] * colours for vertex in {edge[side] for edge in edges}} for side in (0, 1)
    )  # the edge of each colour at each vertex
    chosen: list[int] = []
    for number, ends in enumerate(edges):
        free, other = (at[side][ends[side]].index(-1) for side in (0, 1))
        path, side, vertex, colour = [], 1, ends[1], free
        while (edge := at[side][vertex][colour]) >= 0:
            path.append(edge)
            side = 1 - side
            vertex, colour = edges[edge][side], free + other - colour
        for edge, side in product(path, (0, 1)):
            at[side][edges[edge][side]][chosen[edge]] = -1
        for edge in path:
            chosen[edge] = free + other - chosen[edge]
        for edge, side in product(path, (0, 1)):
            at[side][edges[edge][side]][chosen[edge]] = edge
        chosen.append(free)
        for side in (0, 1):
            at[side][ends[side]][free] = number
    return chosen


def _draw_by_lot(pool: Pool, counts: Counts, seed: int, list_number: int) -> list[Choice]:
    """Return a list whose items are drawn at random, each alone."""
    rng = generator(seed, list_number, "lot", pool.dataset)
    roles = counts.slots(pool.generated, list_number)
    slots = [roles[place] for place in rng.permutation(counts.total)]
    items = {role: sorted(offers) for role, offers in pool.roles.items()}
    wishes = {role: [items[role][place] for place in rng.permutation(len(items[role]))] for role in items}
    seats = match([wishes[slot] for slot in slots])
    assert seats is not None, "counts were checked to be feasible"
    return list(zip(slots, seats, strict=True))
