"""The offers of a data set: what a trial can show of each item, by role.

An offer is the part of a plan's row that says what is shown. A participant sees an item in one role only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle

import numpy as np

from gan_eval.base.errors import UserError, abbreviated, naming
from gan_eval.pictures.sets import TABLE_NAME, caption_of
from gan_eval.settings.protocols import Material
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row
from gan_eval.tables.names import BETWEEN_MODELS, REAL, Role

Versions = dict[Role, dict[str, Row]]
"""For each role, a row for each item."""


@dataclass(frozen=True)
class Pool:
    """The offers of one data set, by role and item."""

    dataset: str
    roles: Mapping[Role, Mapping[str, Row]]
    reals: tuple[Row, ...] | None = None
    """The real pictures, if pairs are of any two (`quiz.pairs_of`); those of the offers are then examples."""

    @property
    def items(self) -> list[str]:
        """All items that have an offer."""
        return sorted({item for offers in self.roles.values() for item in offers})

    @property
    def generated(self) -> list[Role]:
        """The roles that are divided evenly: all except real pictures."""
        return sorted(role for role in self.roles if role != REAL)

    def without(self, items: Iterable[str], *, reals: Collection[str] = ()) -> "Pool":
        """Return the pool without some items, and without the real pictures of these items and these stimuli."""
        excluded = set(items)
        left = {
            role: {item: row for item, row in offers.items() if item not in excluded}
            for role, offers in self.roles.items()
        }
        others = self.reals and tuple(
            row for row in self.reals if row["item"] not in excluded and row["stimulus"] not in reals
        )
        return Pool(self.dataset, left, others)


def pools_of(
    stimuli: Iterable[Row], settings: QuizSettings, *, setting: str = "", one_class: bool = False
) -> dict[str, Pool]:
    """Return the offers of each data set.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`, of one or several sets; a stimulus may occur twice.
        setting: the setting that names the sets; errors begin with it.
        one_class: single pictures may be all real or all generated.

    Raises:
        UserError: a data set has no real or no generated pictures, too few models to compare, two different pictures
            with one name, or captions are shown and there are none.
    """
    stimuli, material = list(stimuli), settings.facts.material
    captions = require_captions(stimuli, settings) if settings.show_caption and stimuli and not setting else None
    items = captions if settings.question == "fits" else None
    with naming(f"{setting}: " if setting else ""):
        pools = {}
        for dataset, versions in versions_of(stimuli).items():
            _require_roles(dataset, versions, material, one_class=one_class)
            reals: tuple[Row, ...] | None = None
            if material != "single" and settings.pairs_of == "random":
                reals = tuple(versions[REAL][item] for item in sorted(versions[REAL]))
            pools[dataset] = Pool(dataset, _offers(versions, material, reals, items), reals)
        return pools


def _require_roles(dataset: str, versions: Versions, material: Material, *, one_class: bool) -> None:
    models = [role for role in versions if role != REAL]
    if material == "two_models" and len(models) < 2:
        raise UserError(
            f"data set {dataset}: pictures of {len(models)} model; model_vs_model needs two or more of the same items"
        )
    if material == "real_and_fake" or (material == "single" and not one_class):
        for kind, present in (("real", REAL in versions), ("fake", models)):
            if not present:
                raise UserError(
                    f"data set {dataset}: no {kind} pictures among its stimuli; real and fake ones are needed"
                )


def _offers(
    versions: Versions, material: Material, reals: Sequence[Row] | None, items: Collection[str] | None
) -> Versions:
    """Return the offers of one data set by role; pairs have pictures of `reals`, and pairs of models these items."""
    if material == "single":
        return {role: {item: _offer(row) for item, row in rows.items()} for role, rows in versions.items()}
    models = {role: rows for role, rows in versions.items() if role != REAL}
    if reals is not None:
        return {
            model: {item: _pair(a, rows[item], model) for item, a in zip(sorted(rows), cycle(reals))}
            for model, rows in models.items()
        }
    if material == "real_and_fake":
        real = versions[REAL]
        return {
            model: {item: _pair(real[item], row, model) for item, row in rows.items() if item in real}
            for model, rows in models.items()
        }
    offers: Versions = {}
    for a, b in combinations(sorted(models), 2):
        both = models[a].keys() & models[b].keys()
        shared = sorted(both if items is None else both & {*items})
        name = f"{a}{BETWEEN_MODELS}{b}"
        offers[name] = {item: _pair(models[a][item], models[b][item], name) for item in shared}
    return offers


def require_captions(stimuli: Sequence[Row], settings: QuizSettings) -> dict[str, str]:
    """Return the caption of each item that has one; refuse stimuli without any, and a pair's item with two."""
    captions: dict[str, str] = {}
    of_fakes = settings.facts.material == "two_models"
    for row in stimuli:
        if not (caption := caption_of(row)) or (of_fakes and row["kind"] == "real"):
            continue
        other = captions.setdefault(row["item"], caption)
        if settings.shows_pairs and other != caption:
            raise UserError(
                f"quiz.show_caption: item {row['item']} has two captions, {abbreviated(other)} and "
                f"{abbreviated(caption)}, but a pair shows one; correct the column caption of its {TABLE_NAME}"
            )
    if not captions:
        raise UserError(
            f"quiz.show_caption: no stimulus has a caption; fill in the column caption of {TABLE_NAME}, import the "
            "pictures with their prompts, or remove show_caption"
        )
    return captions


def versions_of(stimuli: Iterable[Row]) -> dict[str, Versions]:
    """Return the stimulus of each item, by data set and role.

    Raises:
        UserError: two different pictures have one name.
    """
    datasets: dict[str, Versions] = {}
    for row in stimuli:
        role = REAL if row["kind"] == "real" else row["model"]
        of_items = datasets.setdefault(row["dataset"], {}).setdefault(role, {})
        if of_items.setdefault(row["item"], row)["sha256"] != row["sha256"]:
            raise UserError(
                f"stimulus {row['stimulus']}: two different pictures have this name; "
                "give the stimulus sets different data set names"
            )
    return datasets


def with_random_reals(
    chosen: Sequence[tuple[Role, Row]], pool: Pool, *, first: int, generator: np.random.Generator
) -> list[tuple[Role, Row]]:
    """Return pairs with other real pictures, each at most once; those of the pairs' own items only if no other is left.

    Args:
        first: place among the pool's real pictures at which the list begins, so that all are shown equally often.
        generator: random number generator, which decides the real picture of each pair.
    """
    if pool.reals is None:
        return [*chosen]
    items = {row["item"] for _, row in chosen}
    circle = [pool.reals[(first + step) % len(pool.reals)] for step in range(len(pool.reals))]
    circle.sort(key=lambda real: real["item"] in items)
    picked = [circle[index] for index in generator.permutation(len(chosen))]
    return [
        (role, row | {"stimulus": real["stimulus"], "sha256": real["sha256"]})
        for (role, row), real in zip(chosen, picked, strict=True)
    ]


def _offer(row: Row) -> Row:
    named = {name: row[name] for name in ("stimulus", "item", "kind", "model", "dataset", "sha256")}
    return named | {"stimulus_b": None, "sha256_b": None, "fraction": row.get("fraction")}


def _pair(a: Row, b: Row, model: str) -> Row:
    """Return the plan columns of a pair, whose kind is empty; the item is that of the second picture."""
    fractions = [row["fraction"] for row in (a, b) if row.get("fraction") is not None]
    pair = {"stimulus_b": b["stimulus"], "sha256_b": b["sha256"], "item": b["item"], "kind": None, "model": model}
    return _offer(a) | pair | {"fraction": min(fractions, default=None)}
