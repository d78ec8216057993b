"""Practice and catch trials: what is shown beside the main list and enters no rate."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from gan_eval.errors import UserError
from gan_eval.quiz.draw.choose import Counts, feasible, match
from gan_eval.quiz.draw.offers import Pool, Role, pools_of
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

PRACTICE_SETS = "stimuli.practice_sets"
"""The setting that names sets for practice."""
CATCH_SETS = "stimuli.catch_sets"
"""The setting that names sets for catch trials."""


def practice_offers(
    pools: Mapping[str, Pool], settings: QuizSettings, generator: np.random.Generator, *, from_own_sets: bool
) -> tuple[list[tuple[Role, Row]], str | None]:
    """Practice trials from what the list leaves over (or from sets of their own), and a warning where it is too little.

    Args:
        pools: of each data set, what may be shown.
        settings: how many, and whether too few are an error.
        generator: random numbers.
        from_own_sets: the pools are of sets for practice alone.

    Raises:
        UserError: too little is left, under `strict_counts`.
    """
    if not settings.practice:
        return [], None
    per_pool, odd = divmod(settings.practice, len(pools))
    chosen: list[tuple[Role, Row]] = []
    for place, name in enumerate(sorted(pools)):
        chosen += _sample(pools[name], per_pool + (place < odd), generator, pairs=settings.shows_pairs)
    if len(chosen) == settings.practice:
        return chosen, None
    source = f"{PRACTICE_SETS} and the list leave" if from_own_sets else "the list leaves"
    shortage = f"quiz.practice = {settings.practice}: {source} items for {len(chosen)} practice trials only"
    if settings.strict_counts:
        raise UserError(f"{shortage}; add items, lower it, or name {'more' if from_own_sets else PRACTICE_SETS}")
    return chosen, shortage


def catch_offers(
    stimuli: Iterable[Row], settings: QuizSettings, generator: np.random.Generator, *, shown: Collection[str]
) -> list[tuple[Role, Row]]:
    """Catch trials of different items, drawn from their own sets; single pictures may all be of one class.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`.
        settings: how many.
        generator: random numbers.
        shown: items that other trials show.

    Raises:
        UserError: no set is named for them, or the sets hold too few.
    """
    if not settings.catch:
        return []
    pools = pools_of(stimuli, settings, setting=CATCH_SETS, one_class=True)
    offers = [(role, row) for pool in pools.values() for role, rows in pool.roles.items() for row in rows.values()]
    shuffled = [offers[place] for place in generator.permutation(len(offers))]
    of_items = {row["item"]: (role, row) for role, row in shuffled if row["item"] not in shown}
    if len(of_items) < settings.catch:
        raise UserError(
            f"quiz.catch = {settings.catch}: {CATCH_SETS} hold {len(of_items)} items that can be shown; "
            "name sets with more, or lower it"
        )
    return list(of_items.values())[: settings.catch]


def _sample(pool: Pool, largest: int, generator: np.random.Generator, *, pairs: bool) -> list[tuple[Role, Row]]:
    """As many offers of different items as there are, up to `largest`; classes in equal numbers."""
    for size in range(largest, 0, -1):
        counts = Counts(0, size) if pairs else Counts(size // 2, size - size // 2)
        if not feasible(pool, counts):
            continue
        slots = counts.slots(pool.generated, int(generator.integers(len(pool.generated))))
        lots = {role: sorted(offers) for role, offers in pool.roles.items()}
        wishes = {role: [lots[role][place] for place in generator.permutation(len(lots[role]))] for role in lots}
        seats = match([wishes[slot] for slot in slots])
        assert seats is not None, "counts were checked to be feasible"
        return [(slot, pool.roles[slot][item]) for slot, item in zip(slots, seats, strict=True)]
    return []
