"""Deal a list from (study seed, list number) alone, so that any station can deal it again at any time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal

from gan_eval.errors import UserError
from gan_eval.quiz.draw.choose import PRACTICE_SETS, Counts, catch_offers, possible_counts, practice_offers
from gan_eval.quiz.draw.offers import Role, pools_of
from gan_eval.quiz.draw.order import complete, generator, in_order, scattered_places
from gan_eval.quiz.draw.rounds import choices, never_shown
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

_POSITIONS = {"side_by_side": ("left", "right"), "one_after_other": ("first", "second")}


@dataclass(frozen=True)
class Draw:
    """One dealt list."""

    plan: tuple[Row, ...]
    """Rows of `gan_eval.tables.PLANS` in the order of the trials; `session` and `simulated` are still None."""
    warnings: tuple[str, ...]
    """A warning for each data set that is too small for the requested trials or for different lists."""


class Dealer:
    """Deals the lists of a study; usable from any thread."""

    def __init__(
        self,
        stimuli: Iterable[Row],
        settings: QuizSettings,
        *,
        seed: int,
        practice: Sequence[Row] = (),
        catch: Sequence[Row] = (),
    ) -> None:
        """Set up.

        Args:
            stimuli: rows of `gan_eval.tables.STIMULI`, of one or several sets; a stimulus may stand twice.
            settings: of the quiz.
            seed: the study's.
            practice: stimuli of practice trials; default: items that a list leaves over.
            catch: stimuli of catch trials.

        Raises:
            UserError: a data set lacks a class of pictures, or has fewer items than wanted under `strict_counts`.
        """
        self._settings, self._seed, self._catch = settings, seed, catch
        self._pools = pools_of(stimuli, settings)
        if not self._pools:
            raise UserError("no stimuli to draw from; name a stimulus set with real and fake pictures")
        self._practice_pools = pools_of(practice, settings, setting=PRACTICE_SETS)
        self._warnings: list[str] = []
        self._counts: dict[str, Counts] = {}
        for name, pool in sorted(self._pools.items()):
            self._counts[name], warning = possible_counts(pool, settings)
            self._warnings += [line for line in (warning, never_shown(pool, self._counts[name])) if line]

    def deal(self, list_number: int) -> Draw:
        """Deal list `number` (from 1): practice, then the blocks of the data sets in random order, with catch trials
        among them.

                Raises:
                    UserError: too few catch stimuli, or under `strict_counts` too few items for practice.
        """
        settings, seed = self._settings, self._seed
        blocks: list[list[Row]] = []
        remaining = {}
        names = sorted(self._pools)
        for place in generator(seed, list_number, "blocks").permutation(len(names)):
            pool = self._pools[names[place]]
            items = next(choices(pool, self._counts[pool.dataset], seed=seed, first=list_number))
            chosen = [(role, pool.roles[role][item]) for role, item in items]
            remaining[pool.dataset] = pool.without(row["item"] for _, row in chosen)
            blocks.append(_rows(chosen, settings, "main", seed=seed, list_number=list_number))
        used_items = {row["item"] for block in blocks for row in block}
        practice_pools = {name: pool.without(used_items) for name, pool in self._practice_pools.items()}
        practice_trials, warning = practice_offers(
            practice_pools or remaining,
            settings,
            generator(seed, list_number, "practice"),
            from_own_sets=bool(practice_pools),
        )
        warnings = [*self._warnings, *([warning] if warning else [])]
        used_items |= {row["item"] for _, row in practice_trials}
        catch_trials = catch_offers(self._catch, settings, generator(seed, list_number, "catch"), excluded=used_items)
        practice_rows = _rows(practice_trials, settings, "practice", seed=seed, list_number=list_number)
        catch_rows = _rows(catch_trials, settings, "catch", seed=seed, list_number=list_number)
        rows = _in_blocks(practice_rows, blocks, catch_rows, settings, seed=seed, list_number=list_number)
        copied = ("stimulus", "stimulus_b", "item", "kind", "model", "dataset", "sha256", "sha256_b")
        plan = tuple(
            {
                "session": None,
                "block": row["block"],
                "trial": trial,
                "phase": row["phase"],
                "position": row.get("position"),
                **{name: row[name] for name in copied},
                "requested_exposure_ms": row["requested_exposure_ms"],
                "simulated": None,
                "fraction": row["fraction"],
            }
            for trial, row in enumerate(rows, start=1)
        )
        return Draw(plan, tuple(sorted(warnings)))


def _rows(
    chosen: Sequence[tuple[Role, Row]],
    settings: QuizSettings,
    phase: Literal["practice", "main", "catch"],
    *,
    seed: int,
    list_number: int,
) -> list[Row]:
    """Return the unordered trials of one phase, for main trials of one data set."""
    rows = complete(
        chosen,
        levels_ms=settings.levels_ms,
        positions=_POSITIONS[settings.layout] if settings.shows_pairs else None,
        list_number=list_number,
        generator=generator(seed, list_number, phase, "trials", *_datasets(row for _, row in chosen)),
    )
    return [{**row, "phase": phase} for row in rows]


def _in_blocks(
    practice: Sequence[Row],
    blocks: Sequence[Sequence[Row]],
    catches: Sequence[Row],
    settings: QuizSettings,
    *,
    seed: int,
    list_number: int,
) -> list[Row]:
    """Return all trials in order, with bounded runs of one class in practice and over all main trials."""
    bound = partial(in_order, column="kind", classes=("real", "fake"))
    if settings.shows_pairs:
        bound = partial(in_order, column="position", classes=_POSITIONS[settings.layout])
    rng = generator(seed, list_number, "order", "practice", *_datasets(practice))
    practice_rows = [{**row, "block": 1} for row in bound(practice, generator=rng)]
    rng = generator(seed, list_number, "spread")
    waiting = iter([catches[place] for place in rng.permutation(len(catches))])
    rows: list[Row] = []
    places = scattered_places(len(catches), [len(block) for block in blocks], rng)
    for number, (block, among) in enumerate(zip(blocks, places, strict=True), start=1):
        rng = generator(seed, list_number, "order", *_datasets(block))
        catches_here = list(islice(waiting, len(among)))
        ordered = bound(block, catches_here, among, generator=rng, after=rows)
        rows += [{**row, "block": number} for row in ordered]
    return practice_rows + rows


def _datasets(rows: Iterable[Row]) -> list[str]:
    return sorted({row["dataset"] for row in rows})


LAST_LIST = 10**9 - 1
"""Maximum list number, within the limits of databases and random generators."""


def next_list(taken: Collection[int], requested: int | None) -> int:
    """Return the list of the next participant: the requested one, or the one after the last taken.

    Raises:
        UserError: both were given, all lists of the station are taken, or a number is too large.
    """
    if requested is not None:
        if not 1 <= requested <= LAST_LIST:
            raise UserError(f"--list {str(requested)[:40]}: lists are numbered from 1 to {LAST_LIST}")
        return requested
    number = max(len(taken), max(taken, default=0)) + 1
    if number > LAST_LIST:
        raise UserError(f"list {max(taken)} has been dealt, and lists end at {LAST_LIST}; give --list NUMBER")
    return number
