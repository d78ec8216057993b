"""Deal a list: draw a participant's trials from only the study's seed and the list number, the same on any computer."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal

from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import TABLE_NAME, caption_of
from gan_eval.quiz.draw.choose import PRACTICE_SETS, catch_offers, possible_counts, practice_offers
from gan_eval.quiz.draw.offers import Pool, pools_of, with_random_reals
from gan_eval.quiz.draw.order import complete, generator, in_order, scattered_places
from gan_eval.quiz.draw.rounds import Lists, never_shown
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables import PLANS
from gan_eval.tables.frames import Row
from gan_eval.tables.names import Role

MAX_CAPTION_GAP = 0.1
"""Maximum difference of the shares of real and of generated pictures with captions; more reveals the truth."""
LAST_LIST = 10**9 - 1
"""Maximum list number, within the limits of databases and random generators."""


@dataclass(frozen=True)
class Draw:
    """The trials of one participant."""

    plan: tuple[Row, ...]
    """Rows of `gan_eval.tables.PLANS` in the order of the trials; `session` and `simulated` are None until stored."""
    warnings: tuple[str, ...]
    """Warnings about data sets that are too small."""


class Dealer:
    """Deals the lists of a study; safe to use from several threads."""

    def __init__(
        self,
        stimuli: Iterable[Row],
        settings: QuizSettings,
        *,
        seed: int,
        practice: Sequence[Row] = (),
        catch: Sequence[Row] = (),
    ) -> None:
        """Compute the number of trials for each data set.

        Args:
            stimuli: rows of `gan_eval.tables.STIMULI`, of one or several sets; a stimulus may appear twice.
            settings: the settings of the quiz.
            seed: the study's seed.
            practice: stimuli of practice trials; default: items that the list does not use.
            catch: stimuli of catch trials, which have an obvious answer.

        Raises:
            UserError: a data set lacks a class of pictures, or has fewer items than wanted under `strict_counts`.
        """
        self._settings, self._seed, self._catch = settings, seed, catch
        stimuli = list(stimuli)
        self._positions = None
        if settings.shows_pairs:
            self._positions = ("left", "right") if settings.layout == "side_by_side" else ("first", "second")
        self._pools = pools_of(stimuli, settings)
        if not self._pools:
            raise UserError("no stimuli to draw from; name a stimulus set with real and fake pictures")
        self._practice_pools = pools_of(practice, settings, setting=PRACTICE_SETS)
        self._warnings = [*_caption_warnings(stimuli, settings)]
        self._lists: dict[str, Lists] = {}
        for name, pool in sorted(self._pools.items()):
            counts, warning = possible_counts(pool, settings)
            self._lists[name] = Lists(pool, counts, seed)
            self._warnings += [line for line in (warning, never_shown(pool, counts)) if line]

    def deal(self, list_number: int) -> Draw:
        """Deal a list (numbers begin at 1): practice, then one block for each data set, in random order.

        Raises:
            UserError: too few catch stimuli, or under `strict_counts` too few items for practice.
        """
        settings, key = self._settings, (self._seed, list_number)
        blocks: list[list[Row]] = []
        remaining = {}
        names = sorted(self._pools)
        for index in generator(*key, "blocks").permutation(len(names)):
            pool = self._pools[names[index]]
            items = self._lists[pool.dataset][list_number]
            offered = [(role, pool.roles[role][item]) for role, item in items]
            chosen = self._paired(offered, pool, list_number)
            shown = {row["stimulus"] for _, row in chosen}
            remaining[pool.dataset] = pool.without((row["item"] for _, row in chosen), reals=shown)
            blocks.append(self._trials(chosen, "main", list_number))
        used = {row["item"] for block in blocks for row in block}
        practice, warning = self._practice(remaining, used, list_number)
        used |= {row["item"] for _, row in practice}
        catch = catch_offers(self._catch, settings, generator(*key, "catch"), excluded=used)
        practice_rows = self._trials(practice, "practice", list_number)
        rows = self._in_blocks(practice_rows, blocks, self._trials(catch, "catch", list_number), key)
        plan = [{**{name: row.get(name) for name in PLANS.names}, "trial": trial} for trial, row in enumerate(rows, 1)]
        return Draw(tuple(plan), tuple(sorted([*self._warnings, *([warning] if warning else [])])))

    def _practice(
        self, remaining: Mapping[str, Pool], used: Collection[str], list_number: int
    ) -> tuple[list[tuple[Role, Row]], str | None]:
        """Return the practice trials of a list, from own sets or what remains, and a warning about too few."""
        own_pools = {name: pool.without(used) for name, pool in self._practice_pools.items()}
        pools = own_pools or remaining
        random = generator(self._seed, list_number, "practice")
        practice, warning = practice_offers(pools, self._settings, random, from_own_sets=bool(own_pools))
        of_dataset = {name: [(role, row) for role, row in practice if row["dataset"] == name] for name in sorted(pools)}
        paired = [
            pair for name, offered in of_dataset.items() for pair in self._paired(offered, pools[name], list_number)
        ]
        return paired, warning

    def _paired(self, offered: Sequence[tuple[Role, Row]], pool: Pool, list_number: int) -> list[tuple[Role, Row]]:
        """Return one data set's trials of a list; pairs of any two pictures get their real ones."""
        rng = generator(self._seed, list_number, "pairs", pool.dataset)
        return with_random_reals(offered, pool, first=(list_number - 1) * len(offered), generator=rng)

    def _trials(
        self, chosen: Sequence[tuple[Role, Row]], phase: Literal["practice", "main", "catch"], list_number: int
    ) -> list[Row]:
        """Return the trials of one phase, not yet in order; main trials must be of one data set."""
        datasets = _datasets(row for _, row in chosen)
        rows = complete(
            chosen,
            levels_ms=self._settings.levels_ms,
            positions=self._positions,
            list_number=list_number,
            generator=generator(self._seed, list_number, phase, "trials", *datasets),
        )
        return [{**row, "phase": phase} for row in rows]

    def _in_blocks(
        self, practice: Sequence[Row], blocks: Sequence[Sequence[Row]], catch: Sequence[Row], key: tuple[int, int]
    ) -> list[Row]:
        """Return all trials in order. Runs of one class are limited, in practice and over all main and catch trials."""
        ordered = partial(in_order, column="kind", classes=("real", "fake"))
        if self._positions is not None:
            ordered = partial(in_order, column="position", classes=self._positions)
        rng = generator(*key, "order", "practice", *_datasets(practice))
        practice_rows = [{**row, "block": 1} for row in ordered(practice, generator=rng)]
        rng = generator(*key, "spread")
        remaining_catch = iter([catch[index] for index in rng.permutation(len(catch))])
        rows: list[Row] = []
        catch_places = scattered_places(len(catch), [len(block) for block in blocks], rng)
        for number, (block, spots) in enumerate(zip(blocks, catch_places, strict=True), start=1):
            rng = generator(*key, "order", *_datasets(block))
            block_rows = ordered(block, list(islice(remaining_catch, len(spots))), spots, generator=rng, after=rows)
            rows += [{**row, "block": number} for row in block_rows]
        return practice_rows + rows


def _caption_warnings(stimuli: Sequence[Row], settings: QuizSettings) -> Iterator[str]:
    has = {kind: [bool(caption_of(row)) for row in stimuli if row["kind"] == kind] for kind in ("real", "fake")}
    if settings.show_caption and settings.facts.material == "single" and all(has.values()):
        real, fake = (sum(each) / len(each) for each in has.values())
        if abs(real - fake) > MAX_CAPTION_GAP:
            yield (
                f"quiz.show_caption: {real:.0%} of real and {fake:.0%} of generated pictures have captions, "
                f"which gives them away; fill in the column caption of {TABLE_NAME} for both kinds"
            )
    if settings.question == "fits":
        fakes = [row for row in stimuli if row["kind"] == "fake"]
        items, with_text = {row["item"] for row in fakes}, {row["item"] for row in fakes if caption_of(row)}
        if without := len(items) - len(with_text):
            yield f"quiz.question: {without} of {len(items)} items have no caption: not shown"


def _datasets(rows: Iterable[Row]) -> list[str]:
    return sorted({row["dataset"] for row in rows})


def next_list(taken: Collection[int], requested: int | None) -> int:
    """Return the list number of the next participant: the requested one, or the one after the last taken.

    Raises:
        UserError: a list number is too large, or the requested one is below 1.
    """
    if requested is not None:
        if not 1 <= requested <= LAST_LIST:
            raise UserError(f"--list {str(requested)[:40]}: lists are numbered from 1 to {LAST_LIST}")
        return requested
    number = max(len(taken), max(taken, default=0)) + 1
    if number > LAST_LIST:
        raise UserError(f"list {max(taken)} is taken, and the last list is {LAST_LIST}; choose one with --list NUMBER")
    return number
