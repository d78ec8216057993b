"""How programs arrange their results: find the files of each item in a folder.

A layout is an entry of `LAYOUTS`: for each role, the folder of its files, or the ending of their stems.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gan_eval.errors import UserError
from gan_eval.stimuli import pictures as images

Items = Mapping[str, Mapping[str, Path]]
"""For each stem its files by role: real, fake and, if present, input and mask."""
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


def find_items(source: Path, masks: Path | None = None) -> Found:
    """Return the files of each item of a result folder, by the first layout that fits.

    Args:
        masks: folder of the masks; default: `mask/` of the source, if there is one.

    Raises:
        UserError: no layout fits, a picture or a mask has no partner, or the pictures are not pairs.
    """
    layout, roles = _layout_of(source)
    remarks = []
    if layout.unpaired:
        _refuse_unpaired(source, layout)
    if snapshots := [stem for stem in roles["fake"] if _SNAPSHOT.fullmatch(stem)]:
        what = f"{len(snapshots)} of its items are snapshots of a training, such as {snapshots[0]}, and no results"
        if len(snapshots) == len(roles["fake"]):
            raise UserError(f"{source}: {what}; import the pictures of a test, such as results/NAME/test_latest/images")
        roles = {role: {stem: files[stem] for stem in files if stem not in snapshots} for role, files in roles.items()}
        remarks.append(f"{source}: {what}: not imported")
    if masks is None and (source / "mask").is_dir():
        masks = source / "mask"
    items = pair_by_stem(roles, source)
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


def _refuse_unpaired(source: Path, layout: Layout) -> None:
    """Refuse the results of a program without pairs, such as CycleGAN."""
    others = [path.name for path in images.list_pictures(source) if path.stem.endswith(layout.unpaired)]
    if others:
        real, fake = layout.places["real"], layout.places["fake"]
        raise UserError(
            f"{source}: not pairs: {others[0]} is of a CycleGAN, whose data are unpaired: *{real} is another picture "
            f"than the partner of *{fake}; if the data set was aligned, copy *{real} and *{fake} into real/ and fake/ "
            "without these endings"
        )


def pair_by_stem(roles: Roles, source: Path) -> dict[str, dict[str, Path]]:
    """Return the files of each stem by role; real and fake must have the same stems.

    Raises:
        UserError: a stem has no partner, or cannot be written in a table.
    """
    if unpaired := sorted(roles["real"].keys() ^ roles["fake"].keys(), key=images.natural_key):
        missing = "fake" if unpaired[0] in roles["real"] else "real"
        more = f" and {len(unpaired) - 1} more" if len(unpaired) > 1 else ""
        folders = {path.parent for files in roles.values() for path in files.values()}
        unread = "".join(f"; {folder}: {line}" for folder in folders if (line := images.unread_pictures(folder)))
        raise UserError(
            f"{source}: {unpaired[0]}{more}: no {missing} picture with this file stem; add it or remove the other"
            f"{unread}"
        )
    for stem, path in roles["real"].items():
        if not stem.isprintable():
            raise UserError(f"{source}: the file name {path.name!a} cannot be written in a table; rename it")
    return {stem: {role: files[stem] for role, files in roles.items() if stem in files} for stem in roles["real"]}


ROLE_NAMES = frozenset({"real", "reals", "fake", "fakes", "generated"})
"""Names of folders that only state their part in the comparison."""
_RESULTS = re.compile(r"images?|web|(train|val|test)_(latest|[0-9]+)")
"""Names of folders that programs make for any results, such as results/NAME/test_latest/images."""


def content_name(folder: Path) -> str:
    """Return the name of what a folder holds: its own, or that of a folder above if it only states a part or results.

    >>> content_name(Path("/results/facades_pix2pix/test_latest/images"))
    'facades_pix2pix'
    """
    folder = folder.resolve()
    for name in (path.name for path in (folder, *folder.parents)):
        if name and name.lower() not in ROLE_NAMES and not _RESULTS.fullmatch(name.lower()):
            return name
    return folder.name
