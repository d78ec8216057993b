"""The order of trials: limited runs of one class, equal numbers of positions and exposures, catch trials spread out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile

import numpy as np

from gan_eval.base.digests import sha256_bytes
from gan_eval.tables.frames import Row
from gan_eval.tables.names import Role


def generator(*key: int | str) -> np.random.Generator:
    """Return a random number generator that depends only on the key: seeds, list numbers and labels of the purpose.

    >>> bool(generator(1, "order", "a").random() == generator(1, "order", "a").random())
    True
    >>> bool(generator(1, "order", "a").random() == generator(1, "order", "b").random())
    False
    """
    numbers = [part for part in key if isinstance(part, int)]
    labels = [part for part in key if isinstance(part, str)]
    return np.random.default_rng([*numbers, int(sha256_bytes("\0".join(labels).encode())[:16], 16)])


MAX_RUN = 3
"""Maximum number of trials of one class in a row, if the counts allow it."""


def complete(
    chosen: Sequence[tuple[Role, Row]],
    *,
    levels_ms: Sequence[float | None],
    positions: tuple[str, str] | None,
    list_number: int,
    generator: np.random.Generator,
) -> list[Row]:
    """Return the offers, not yet in order, with their exposures and, for pairs, the position of picture a.

    Args:
        chosen: the offers with their roles.
        levels_ms: the exposures, in equal shares for each class and role; remainders rotate with the list number.
        positions: the two positions of a pair's picture a, in equal shares; None: single pictures.
        list_number: number of the list.
        generator: random number generator.
    """
    rows: list[Row] = []
    for kind in sorted({str(row["kind"]) for _, row in chosen}):  # the levels alternate within each class, role by role
        of_kind = [pair for pair in chosen if str(pair[1]["kind"]) == kind]
        dealt = sorted((of_kind[index] for index in generator.permutation(len(of_kind))), key=lambda pair: pair[0])
        rows += [
            {**row, "requested_exposure_ms": levels_ms[(index + list_number) % len(levels_ms)]}
            for index, (_, row) in enumerate(dealt)
        ]
    if positions is None:
        return rows
    first = (len(rows) + list_number % 2) // 2
    halves = [positions[0]] * first + [positions[1]] * (len(rows) - first)
    return [{**row, "position": position} for row, position in zip(_shuffled(rows, generator), halves, strict=True)]


def scattered_places(trials: int, sizes: Sequence[int], generator: np.random.Generator) -> list[list[int]]:
    """Return random places for catch trials, one in each of `trials` equal parts of blocks with `sizes` trials.

    Returns:
        For each block, the indices of the trials before which a catch trial goes, ascending; never that of the first.
    """
    edges = np.linspace(1, sum(sizes), trials + 1).astype(int)
    positions = sorted(int(generator.integers(low, max(low + 1, high))) for low, high in pairwise(edges))
    starts = np.cumsum([0, *sizes[:-1]])
    blocks = np.minimum(np.searchsorted(starts, positions, side="right"), len(sizes)) - 1
    return [
        [position - int(start) for position, at in zip(positions, blocks, strict=True) if at == block]
        for block, start in enumerate(starts)
    ]


def in_order(
    rows: Sequence[Row],
    among: Sequence[Row] = (),
    places: Sequence[int] = (),
    *,
    column: str,
    classes: tuple[str, str],
    generator: np.random.Generator,
    after: Sequence[Row] = (),
) -> list[Row]:
    """Return the trials of one block in random order, with limited runs of one class.

    Args:
        rows: the block's own trials.
        among: catch trials, which count in the runs.
        places: positions among the block's trials at which catch trials go, as nearly as the order of classes allows.
        column: the column whose runs are limited.
        classes: its two values.
        generator: random number generator.
        after: the trials before this block, whose last run continues; if empty, no catch trial comes first.
    """
    counts = Counter(row[column] for row in (*rows, *among))
    order = class_order({value: counts[value] for value in classes}, generator, after=[row[column] for row in after])
    taken: dict[int, Row] = {}
    for earlier, (row, position) in enumerate(zip(among, places, strict=True)):
        free = [index for index, value in enumerate(order) if value == row[column] and index not in taken]
        target = position + earlier  # earlier catch trials shift the place
        taken[min(free, key=lambda index: (index == 0 and not after, abs(index - target)))] = row
    queues = {value: _shuffled([row for row in rows if row[column] == value], generator) for value in classes}
    return [taken[index] if index in taken else queues[value].pop() for index, value in enumerate(order)]


def class_order(
    counts: Mapping[str, int], generator: np.random.Generator, *, longest: int = MAX_RUN, after: Sequence[str] = ()
) -> list[str]:
    """Return a random sequence of two classes without a run above `longest`; the last run of `after` counts, too.

    If the counts are too unequal, the smallest possible limit is used instead. Each next class is drawn at random, in
    proportion to the remaining counts, among the classes after which the rest can still be ordered.

    >>> class_order({"real": 1, "fake": 5}, np.random.default_rng(0))
    ['fake', 'fake', 'fake', 'real', 'fake', 'fake']
    """
    remaining = dict(counts)
    last = after[-1] if after else None
    run = sum(1 for _ in takewhile(lambda kind: kind == last, reversed(after)))
    limit = longest
    order: list[str] = []
    while sum(remaining.values()):
        runs = {kind: run + 1 if kind == last else 1 for kind in remaining}
        possible = [kind for kind in remaining if _can_follow(kind, remaining, runs[kind], limit)]
        if not possible:  # can happen only before the first trial
            limit += 1
            continue
        number = generator.integers(sum(remaining[kind] for kind in possible))
        kind = possible[0] if number < remaining[possible[0]] else possible[-1]
        remaining[kind] -= 1
        last, run = kind, runs[kind]
        order.append(kind)
    return order


def _can_follow(kind: str, remaining: Mapping[str, int], run: int, limit: int) -> bool:
    """Return whether a class can come next, as number `run` of its run, so that the rest can still be ordered."""
    same, other = remaining[kind] - 1, sum(remaining.values()) - remaining[kind]
    can_be_ordered = same <= (limit - run) + limit * other and other <= limit * (same + 1)
    return remaining[kind] > 0 and run <= limit and can_be_ordered


def _shuffled(rows: Sequence[Row], generator: np.random.Generator) -> list[Row]:
    return [rows[index] for index in generator.permutation(len(rows))]
