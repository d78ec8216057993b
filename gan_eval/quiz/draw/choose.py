"""How many trials of which role a list has, and whether a pool has enough for that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gan_eval.errors import UserError
from gan_eval.quiz.draw.matching import match
from gan_eval.quiz.draw.offers import REAL, Pool, Role
from gan_eval.settings.quiz import QuizSettings

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
