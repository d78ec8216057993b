"""The items of list k, and their roles.

A round is `LISTS` lists. Its plan has the number of times that each picture is shown, as even as the pool allows. The
plan is halved repeatedly until list k is left. Both halves have the same number of lists and show each picture half as
often; a list shows an item at most once. If a number is odd, the first half gets one more for the pictures that were
shown less than their share before.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from gan_eval.quiz.draw.choose import Counts
from gan_eval.quiz.draw.offers import REAL, Pool, Role
from gan_eval.quiz.draw.order import generator

Choice = tuple[Role, str]
"""Role and item."""
Uses = NDArray[np.int64]
"""(R, I) how often each item is shown in each role, in some lists."""
LISTS = 1024
"""Number of lists in a round: a power of two that few studies exceed."""
RANDOM_WEIGHT = 0.1
"""Weight of chance in the choice of the next pictures, in uses."""
MAX_ITERATIONS = 1000
"""Maximum number of iterations to balance the rates."""


def choices(pool: Pool, counts: Counts, *, seed: int, first: int = 1) -> Iterator[list[Choice]]:
    """Yield role and item of each trial of the lists `first`, `first` + 1, ... without end.

    The time for the first list depends only on the pool, not on its number.
    """
    roles, items = roles_of(pool, counts), pool.items
    begun, skipped = divmod(first - 1, LISTS)
    for number in count(begun):
        uses = round_uses(pool, counts, seed=seed, number=number)
        for shown in _Halving(uses, (seed, number, "halves", pool.dataset)).lists(uses, 0, LISTS, skipped):
            yield [(roles[role], items[item]) for role, item in np.argwhere(shown).tolist()]
        skipped = 0


def roles_of(pool: Pool, counts: Counts) -> list[Role]:
    """Return the roles of the lists, real pictures first."""
    return ([REAL] if counts.real else []) + pool.generated


def round_uses(pool: Pool, counts: Counts, *, seed: int, number: int) -> Uses:
    """Plan how often a round shows each item in each role; the roles are those of `roles_of`.

    Items with the same roles are of one kind. A kind's uses are dealt to its items in turn, role after role.
    """
    roles, models = roles_of(pool, counts), len(pool.generated)
    trials = [LISTS * counts.generated // models] * models
    for odd in range(LISTS * counts.generated % models):
        trials[(number + odd) % models] += 1
    items = pool.items
    offered = np.array([[item in pool.roles[role] for item in items] for role in roles])
    kinds, kind_of = np.unique(offered, axis=1, return_inverse=True)
    uses = np.zeros(offered.shape, int)
    rng = generator(seed, number, "round", pool.dataset)
    shares = _kind_uses(np.array([LISTS * counts.real] * (len(roles) - models) + trials), kinds, np.bincount(kind_of))
    for kind, of_roles in enumerate(shares.T):
        circle, start = rng.permutation(np.flatnonzero(kind_of == kind)), 0
        for role, total in enumerate(of_roles):
            places = (start + np.arange(total)) % len(circle)
            uses[role, circle] = np.bincount(places, minlength=len(circle))
            start += total
    return uses


def never_shown(pool: Pool, counts: Counts) -> str | None:
    """Return a warning about pictures that no list of a round shows although there are enough trials; else None."""
    found = []
    for role, shown in zip(roles_of(pool, counts), round_uses(pool, counts, seed=0, number=0), strict=True):
        left_out = len(pool.roles[role]) - np.count_nonzero(shown)
        if left_out and shown.sum() >= len(pool.roles[role]):
            found.append(f"{left_out} {f'pictures of {role}' if role else 'real pictures'}")
    if not found:
        return None
    return (
        f"data set {pool.dataset}: {', '.join(found)} are never shown, because every list needs their items for other "
        "pictures; add pictures of the model that has the fewest"
    )


def _kind_uses(trials: Uses, kinds: NDArray[np.bool_], sizes: Uses) -> Uses:
    """Return (R, K) how often a round shows each kind's items in each role, as evenly as possible.

    Takes the trials of each role (R,), the roles of each kind (R, K) and its number of items (K,). A role has the same
    rate for each of its items, times a factor for items that would be shown too often (iterative proportional
    fitting). Whole numbers are the flow from roles to kinds nearest to these rates.
    """
    if (kinds.sum(axis=1) == 1).all():  # nothing to choose, as in most studies
        return kinds * trials[:, None]
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    factors, rates = np.ones(len(sizes)), np.zeros(kinds.shape)
    for _ in range(MAX_ITERATIONS):
        before, rates = rates, kinds * factors * (trials / (kinds @ (factors * sizes)))[:, None]
        if np.allclose(before, rates, rtol=1e-6, atol=1e-6):
            break
        factors = LISTS * factors / np.maximum(rates.sum(axis=0), LISTS * factors)
    slack = 1
    roles, last = len(trials), sum(kinds.shape) + 1
    while True:
        capacities = np.zeros((last + 1, last + 1), np.int32)
        capacities[0, 1 : roles + 1] = trials
        capacities[1 : roles + 1, roles + 1 : last] = kinds * (np.floor(rates * sizes).astype(int) + slack)
        capacities[roles + 1 : last, last] = LISTS * sizes
        flow = maximum_flow(csr_array(capacities), 0, last)
        if flow.flow_value == trials.sum():
            return flow.flow.toarray()[1 : roles + 1, roles + 1 : last].astype(int)
        slack *= 2


class _Halving:
    """Halve the uses of a round until each part is a list."""

    def __init__(self, uses: Uses, key: tuple[int | str, ...]) -> None:
        self._key = key
        self._used = np.zeros_like(uses)
        self._rates = uses / LISTS

    def lists(self, uses: Uses, start: int, lists: int, skipped: int) -> Iterator[Uses]:
        """Yield the uses of each list of a part of the round that begins at list `start`, after `skipped` lists."""
        if lists == 1:
            self._used += uses
            yield uses
            return
        half = lists // 2
        first = self._first_half(uses, start, half)
        if skipped < half:
            yield from self.lists(first, start, half, skipped)
        else:
            self._used += first
        yield from self.lists(uses - first, start + half, half, max(0, skipped - half))

    def _first_half(self, uses: Uses, start: int, half: int) -> Uses:
        """Return half of the uses of each picture, rounded up or down.

        The odd uses are paired by role and by item. The pairs form paths and cycles, along which uses go to either half
        in turn (Euler's splitting of a bipartite graph). So roles and items are halved as well.
        """
        first = uses // 2
        surplus = self._used + first - self._rates * (start + half)
        surplus += RANDOM_WEIGHT * generator(start, half, *self._key).random(uses.shape)
        roles, items = np.nonzero(uses % 2)
        order = np.argsort(surplus[roles, items])  # pictures with fewer uses than their share come first
        roles, items = roles[order], items[order]
        by_item, by_role = _partners(items), _partners(roles)
        alone = np.flatnonzero(by_role < 0)  # an odd number of uses of each of some models
        by_role[alone] = alone[::-1]
        partner_by_role, partner_by_item = by_role.tolist(), by_item.tolist()
        sizes = surplus[roles, items].tolist()
        seen, chosen = [False] * len(sizes), list[int]()
        for end in [*np.flatnonzero(by_item < 0).tolist(), *range(len(sizes))]:  # paths from their ends, then cycles
            parts: tuple[list[int], list[int]] = ([], [])
            use = end
            while use >= 0 and not seen[use]:
                other = partner_by_role[use]
                seen[use] = seen[other] = True
                parts[0].append(use)
                parts[1].append(other)
                use = partner_by_item[other]
            chosen += min(parts, key=lambda part: sum(sizes[use] for use in part))
        first[roles[chosen], items[chosen]] += 1
        return first


def _partners(keys: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the partner of each place among those with its key: the first has the last, the second the last but one.

    A place without a partner has -1.

    >>> _partners(np.array([7, 7, 5, 7, 7, 7])).tolist()
    [5, 4, -1, -1, 1, 0]
    """
    order = np.argsort(keys, kind="stable")
    _, starts, inverse, sizes = np.unique(keys[order], return_index=True, return_inverse=True, return_counts=True)
    mirrored = order[(2 * starts + sizes - 1)[inverse] - np.arange(len(keys))]
    partners = np.empty_like(order)
    partners[order] = np.where(mirrored == order, -1, mirrored)
    return partners
