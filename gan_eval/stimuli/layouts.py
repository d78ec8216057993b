"""How programs arrange their results: find the files of each item in a folder.

A layout is an entry of `LAYOUTS`: for each role, the folder of its files, or the ending of their stems.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.containers import is_container

Items = Mapping[str, Mapping[str, Path]]
"""For each item its files by role: real, fake and, if present, input and mask.

A paired item has the stem of its files as its name. Without partners, the item of a real picture is `real/STEM`, and
that of generated pictures is the stem, which several models may share.
"""
Roles = dict[str, dict[str, Path]]
"""For each role its files by stem."""


@dataclass(frozen=True)
class Layout:
    """Places of the files of each role; `real` and `fake` are required."""

    program: str
    by: Literal["folder", "ending"]
    places: Mapping[str, str]
    """For each role the name of its folder, or the ending of its stems."""
    unpaired: tuple[str, ...] = ()
    """Endings of further files, which show that the real picture is not the partner of the generated one."""

    def __str__(self) -> str:
        wanted = [self.places[role] for role in ("real", "fake")]
        if self.by == "folder":
            return f"sub-folders {'/ and '.join(wanted)}/ with equal file stems"
        return f"files named {', '.join(f'*{ending}.png' for ending in wanted)} ({self.program})"

    def roles(self, source: Path) -> Roles:
        """Return the files of each role; empty if the folder has another layout.

        Raises:
            UserError: two files share a role and a stem, or a folder cannot be read.
        """
        if self.by == "folder":
            folders = {role: source / name for role, name in self.places.items() if (source / name).is_dir()}
            if not {"real", "fake"} <= folders.keys():
                return {}
            return {role: images.by_stem(images.list_pictures(folder)) for role, folder in folders.items()}
        endings = tuple(self.places.values())
        files = images.by_stem(path for path in images.list_pictures(source) if path.stem.endswith(endings))
        roles = {
            role: {stem.removesuffix(ending): path for stem, path in files.items() if stem.endswith(ending)}
            for role, ending in self.places.items()
        }
        return roles if roles["real"] and roles["fake"] else {}


LAYOUTS = (
    Layout("any", "folder", {"real": "real", "fake": "fake", "input": "input"}),
    Layout(
        "pytorch-CycleGAN-and-pix2pix",
        "ending",
        {"real": "_real_B", "fake": "_fake_B", "input": "_real_A"},
        unpaired=("_rec_A", "_rec_B", "_fake_A", "_idt_A", "_idt_B"),
    ),
)


@dataclass(frozen=True)
class Found:
    """The files of a result folder."""

    items: Items
    remarks: tuple[str, ...] = ()
    """Messages about files that were not taken."""
    captions: Mapping[Path, str] = field(default_factory=dict)
    """The text of each picture that has one."""


def find_items(source: Path, masks: Path | None = None, *, paired: bool | None = None) -> Found:
    """Return the files of each item of a result folder, by the first layout that fits.

    Args:
        paired: see `items_of`.
        masks: folder of the masks; default: `mask/` of the source, if there is one.

    Raises:
        UserError: no layout fits, a picture or a mask has no partner, or the pictures are not pairs.
    """
    layout, roles = _layout_of(source)
    remarks = []
    if layout.unpaired and paired is None and (other := _of_no_pairs(source, layout)):
        real, fake = layout.places["real"], layout.places["fake"]
        remarks.append(f"{other} is of a CycleGAN, so *{real} and *{fake} are not paired; if they are, give --paired")
        paired = False
    if snapshots := [stem for stem in roles["fake"] if _SNAPSHOT.fullmatch(stem)]:
        what = f"{len(snapshots)} of its items are snapshots of a training, such as {snapshots[0]}, and no results"
        if len(snapshots) == len(roles["fake"]):
            raise UserError(f"{source}: {what}; import the pictures of a test, such as results/NAME/test_latest/images")
        roles = {role: {stem: files[stem] for stem in files if stem not in snapshots} for role, files in roles.items()}
        remarks.append(f"{source}: {what}: not imported")
    if masks is None and (source / "mask").is_dir():
        masks = source / "mask"
    items, lines = items_of(roles, source, ("fake",), paired=paired)
    remarks += lines
    if masks is not None and not any({"real", "fake"} <= files.keys() for files in items.values()):
        raise UserError(f"{masks}: masks need pairs; without partners there is nothing around a hole to compare")
    if masks is not None:
        of_masks = images.by_stem(images.list_pictures(masks))
        if unmasked := sorted(items.keys() - of_masks.keys(), key=images.natural_key):
            more = f" and {len(unmasked) - 5} more" if len(unmasked) > 5 else ""
            raise UserError(f"{masks}: {', '.join(unmasked[:5])}{more}: no mask with this stem; add it, white is hole")
        items = {stem: {**files, "mask": of_masks[stem]} for stem, files in items.items()}
    return Found(items, tuple(remarks))


_SNAPSHOT = re.compile(r"epoch\d+(_iter\d+)?")
"""Stem of a picture that a training wrote on its way: flipped and cropped training pictures of changing weights."""


def _layout_of(source: Path) -> tuple[Layout, Roles]:
    """Return the first layout that fits, and its files.

    Raises:
        UserError: none fits.
    """
    folders = images.picture_folders(source) if source.is_dir() else []
    for layout in LAYOUTS:
        if layout.by == "ending" and folders and not any(map(images.names_a_picture, source.iterdir())):
            continue  # the message below names the folders
        if roles := layout.roles(source):
            return layout, roles
    found = ""
    if folders:
        found = (
            f"; its folders {', '.join(folders)} have pictures: rename those of the real and of the generated ones, or "
            "name both to `gan-eval try REAL FAKE`"
        )
    raise UserError(f"{source}: no known layout; expected {', or '.join(map(str, LAYOUTS))}{found}")


def _of_no_pairs(source: Path, layout: Layout) -> str:
    """Return the name of a file which shows that a folder has results of a program without pairs, such as CycleGAN."""
    return next((path.name for path in images.list_pictures(source) if path.stem.endswith(layout.unpaired)), "")


MIN_MATCHING = 0.9
"""Minimum share of stems, of real and of a model's pictures together, that have both."""


def items_of(
    roles: Roles, where: Path, models: Collection[str], *, paired: bool | None = None
) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Return the items of pictures that are paired by stem or have no partners, and messages about those left out.

    Args:
        roles: the files of each role by stem.
        where: the place of the pictures, for messages.
        models: roles of generated pictures.
        paired: True: real and generated pictures of one stem are partners; False: none are. Default: paired where at
            least nine of ten stems match for each model, not paired where none does for any.

    Raises:
        UserError: some stems match and some do not, none does although `paired`, or a stem is not printable.
    """
    for path in (path for role in ("real", *models) for path in roles[role].values()):
        if not path.stem.isprintable():
            raise UserError(f"{where}: the file name {path.name!a} cannot be written in a table; rename it")
    if paired is None:
        paired = _are_paired(roles, where, models)
        lines = [] if paired else ["no file stems match, so the pictures have no partners"]
        items, others = items_of(roles, where, models, paired=paired)
        return items, [*lines, *others]
    if not paired:
        return _without_partners(roles, models)
    items = {
        stem: {role: files[stem] for role, files in roles.items() if stem in files}
        for stem in roles["real"]
        if all(stem in roles[model] for model in models)
    }
    if not items:
        raise UserError(f"{where}: no real picture has a partner of the same file stem in every folder; rename them")
    lines = []
    for role in ("real", *models):
        alone = [path for stem, path in roles[role].items() if stem not in items]
        if alone:
            lines.append(f"{alone[0].parent}: {len(alone)} without a partner left out, such as {alone[0].name}")
    return items, lines


def _are_paired(roles: Roles, where: Path, models: Collection[str]) -> bool:
    """Return whether real and generated pictures are paired by stem.

    Raises:
        UserError: some stems match and some do not.
    """
    reals, shares = roles["real"].keys(), {}
    for model in models:
        shares[model] = len(reals & roles[model].keys()) / len(reals | roles[model].keys())
    if min(shares.values()) >= MIN_MATCHING or not any(shares.values()):
        return any(shares.values())
    model = min(shares, key=lambda name: shares[name])
    folders = sorted({path.parent for role in ("real", model) for path in roles[role].values()})
    unread = "".join(f"; {folder}: {line}" for folder in folders if (line := images.unread_pictures(folder)))
    raise UserError(
        f"{where}: of {len(reals)} real and {len(roles[model])} generated pictures, "
        f"{len(reals & roles[model].keys())} have a partner of the same file stem; give --paired to take these alone, "
        f"or --unpaired if no picture is the partner of another{unread}"
    )


def _without_partners(roles: Roles, models: Collection[str]) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Return an item for each different real picture, and for each stem of generated ones; and messages."""
    first = {sha256_file(path): stem for stem, path in reversed(roles["real"].items())}
    repeated = len(roles["real"]) - len(first)
    items = {f"real/{stem}": {"real": roles["real"][stem]} for stem in reversed(first.values())}
    for role in (*models, *(role for role in roles if role not in ("real", *models))):
        for stem, path in roles[role].items():
            if role in models or stem in items:
                items.setdefault(stem, {})[role] = path
    return items, [f"{repeated} real pictures are there under another name, too: each is taken once"] * bool(repeated)


ROLE_NAMES = frozenset({"real", "reals", "fake", "fakes", "generated"})
"""Names of folders that only state their part in the comparison."""
_RESULTS = re.compile(r"images?|web|(train|val|test)_(latest|[0-9]+)")
"""Names of folders that programs make for any results, such as results/NAME/test_latest/images."""


def content_name(folder: Path) -> str:
    """Return the name of what a folder holds: its own, or that of a folder above if it only states a part or results.

    >>> content_name(Path("/results/facades_pix2pix/test_latest/images"))
    'facades_pix2pix'
    """
    folder = folder.resolve().with_name(folder.name.partition(".")[0]) if is_container(folder) else folder.resolve()
    for name in (path.name for path in (folder, *folder.parents)):
        if name and name.lower() not in ROLE_NAMES and not _RESULTS.fullmatch(name.lower()):
            return name
    return folder.name
