"""Layouts of the results of other programs: find the files of each item in a folder.

A layout is an entry of `LAYOUTS`: for each role, the folder of its files, or the ending of their stems.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.reading import resolved
from gan_eval.pictures import decode as images
from gan_eval.pictures.agreement import grids_of
from gan_eval.pictures.containers import is_container
from gan_eval.tables.names import common_start

Items = Mapping[str, Mapping[str, Path]]
"""For each item its files by role: real, fake and, if present, input and mask.

A paired item has the stem of its files as its name. Without partners, the item of a real picture is `real/STEM`, and
that of generated pictures is the stem, which several models may share.
"""
Role = Literal["real", "fake"]
Roles = dict[str, dict[str, Path]]
"""For each role its files by stem."""
File = TypeVar("File")


@dataclass(frozen=True)
class Layout:
    """Places of the files of each role; many programs write no real pictures."""

    program: str
    by: Literal["folder", "stem"]
    patterns: Mapping[str, str]
    """For each role the name of its folder, or a pattern of its stems, whose first group is the item's stem."""
    unpaired: tuple[str, ...] = ()
    """Endings of further files, which show that the real picture is not the partner of the generated one."""
    is_paired: bool = True
    """True if real and generated pictures of one stem may be partners."""
    note: str = ""
    """Advice for users about its pictures."""
    is_usable: bool = True
    """True if a picture is one sample."""

    def __str__(self) -> str:
        return f"layout: {self.program}{f'; {self.note}' * bool(self.note)}"

    def roles(self, source: Path, wanted: Collection[str] = ("real", "fake")) -> Roles:
        """Return the files of each role; empty if the folder has another layout, or none for a wanted role it knows.

        Raises:
            UserError: two files share a role and a stem, or a folder cannot be read.
        """
        needed = self.patterns.keys() & {*wanted, "mask"}
        if self.by == "folder":
            folders = {role: source / name for role, name in self.patterns.items() if (source / name).is_dir()}
            if not needed <= folders.keys():
                return {}
            return {role: images.by_stem(images.list_pictures(folder)) for role, folder in folders.items()}
        files = images.by_stem(path for path in images.list_pictures(source) if self._place(images.stem_of(path)))
        roles: Roles = {role: {} for role in self.patterns}
        for stem, path in files.items():
            role, item = self._place(stem) or ("", "")
            if (first := roles[role].setdefault(item, path)) is not path:
                raise UserError(f"{path}: of the same item as {first.name}; keep one of them in this folder")
        return roles if all(roles[role] for role in needed) else {}

    def covers(self, source: Path) -> bool:
        """Return whether every picture directly in the folder belongs to the layout."""
        stems = [images.stem_of(path) for path in source.iterdir() if images.names_a_picture(path)]
        if self.by == "folder":
            return all(map(_GRID.fullmatch, stems))
        return bool(stems) and all(self._place(stem) or stem.endswith(self.unpaired) for stem in stems)

    def _place(self, stem: str) -> tuple[str, str] | None:
        """Return the role of a file and the stem of its item."""
        matches = ((role, re.fullmatch(pattern, stem)) for role, pattern in self.patterns.items())
        return next(((role, match[1]) for role, match in matches if match), None)


_GRID = re.compile(r"grid-\d{4}")
"""Stem of a picture of all samples, next to their folder."""
_CYCLEGAN = "pytorch-CycleGAN-and-pix2pix"
LAYOUTS = (
    Layout(
        "sub-folders real/ and fake/ with equal file stems",
        "folder",
        {"real": "real", "fake": "fake", "input": "input"},
    ),
    Layout(
        _CYCLEGAN,
        "stem",
        {"real": "(.+)_real_B", "fake": "(.+)_fake_B", "input": "(.+)_real_A"},
        unpaired=("_rec_A", "_rec_B", "_fake_A", "_idt_A", "_idt_B"),
    ),
    Layout(
        f"{_CYCLEGAN} --model colorization",
        "stem",
        {"real": "(.+)_real_B_rgb", "fake": "(.+)_fake_B_rgb", "input": "(.+)_real_A"},
    ),
    Layout(
        f"{_CYCLEGAN} --model test",
        "stem",
        {"fake": "(.+)_fake(?:_B)?", "input": "(.+)_real(?:_A)?"},
        note="its *_real is the input",
    ),
    Layout("CUT", "folder", {"real": "real_B", "fake": "fake_B", "input": "real_A"}, is_paired=False),
    Layout("pix2pixHD", "stem", {"fake": "(.+)_synthesized_image", "input": "(.+)_input_label"}),
    Layout("SPADE", "folder", {"fake": "synthesized_image", "input": "input_label"}),
    Layout("LaMa", "stem", {"fake": "(.+)_mask.*"}, note="its results have the names of their masks"),
    Layout("LaMa's photographs and masks", "stem", {"mask": "(.+)_mask.*", "real": "(.+)"}),
    Layout("StyleGAN", "stem", {"fake": r"(seed\d{4,})"}),
    Layout(
        "StyleGAN's training",
        "stem",
        {"fake": r"(reals|fakes_init|fakes\d{6})"},
        note="each picture is a grid of many; generate single ones",
        is_usable=False,
    ),
    Layout(
        "DCGAN of PyTorch's examples",
        "stem",
        {"fake": r"(real_samples|fake_samples_epoch_\d{3})"},
        note="each picture is a grid of many; generate single ones",
        is_usable=False,
    ),
    Layout("Stable Diffusion's txt2img.py", "folder", {"fake": "samples"}),
    Layout("numbered samples, such as Stable Diffusion's", "stem", {"fake": r"(\d{5})"}),
    Layout(
        "Keras tutorials",
        "stem",
        {"fake": r"(generated_img_\d+_\d+|predicted_img_\d+)"},
        note="generated_img_* may be of every epoch of a training",
    ),
)


@dataclass(frozen=True)
class Part:
    """The real or the generated pictures of a folder."""

    roles: Roles
    """The files of the wanted role, and masks and inputs if present."""
    layout: Layout | None = None
    is_paired: bool | None = None
    """False: the stems do not name partners."""
    remarks: tuple[str, ...] = ()


def parts_of(real: Path, fakes: Sequence[Path]) -> tuple[Part, list[Part]]:
    """Return the real and the generated pictures of folders, with equal stems for partners.

    Endings of a program are taken off the stems, unless files of a real and of a generated picture have one name.

    Raises:
        UserError: pictures are grids of samples or snapshots of a training, two files share a stem, or there is none.
    """
    reals, parts = _part_of(real, "real"), [_part_of(fake, "fake") for fake in fakes]
    names = {images.stem_of(path) for path in reals.roles["real"].values()}
    alike = [any(images.stem_of(path) in names for path in part.roles["fake"].values()) for part in parts]
    if any(same and part.layout is None for same, part in zip(alike, parts, strict=True)):
        reals = _by_name(reals, "real")
    return reals, [_by_name(part, "fake") if same else part for same, part in zip(alike, parts, strict=True)]


def _by_name(part: Part, role: str) -> Part:
    """Return the pictures with their whole stems."""
    files = images.by_stem(part.roles[role].values())
    return part if files == part.roles[role] else Part({role: files}, None, part.is_paired)


def _part_of(folder: Path, role: Role) -> Part:
    """Return the real or the generated pictures of a folder: all, or those of this role in the layout of a program."""
    return part_in_layout(folder, role) or Part({role: images.by_stem(images.list_pictures(results_in(folder)))})


def part_in_layout(folder: Path, role: Role) -> Part | None:
    """Return the real or the generated pictures of a folder in the layout of a program; None in another folder."""
    folder = results_in(folder)
    for layout in LAYOUTS if folder.is_dir() else ():
        if role not in layout.patterns or not layout.covers(folder) or not (roles := layout.roles(folder, (role,))):
            continue
        _refuse_unusable(layout, folder)
        roles, snapshots = _without_snapshots(roles, folder, role)
        is_other = role == "real" and (not layout.is_paired or bool(_of_no_pairs(folder, layout)))
        kept = {name: roles[name] for name in (role, "mask", "input") if roles.get(name)}
        return Part(kept, layout, False if is_other else None, (str(layout), *snapshots))
    return None


def results_in(source: Path) -> Path:
    """Return `images/` of a folder with a page of results, index.html; else the folder itself."""
    below = source / "images"
    return below if (source / "index.html").is_file() and below.is_dir() else source


def _refuse_unusable(layout: Layout, source: Path) -> None:
    if not layout.is_usable:
        raise UserError(f"{source}: {layout}")


@dataclass(frozen=True)
class Found:
    """The files of a result folder."""

    items: Items
    remarks: tuple[str, ...] = ()
    """Messages about files that were not taken."""
    captions: Mapping[Path, str] = field(default_factory=dict)
    """The text of each picture that has one."""
    containers: Mapping[str, str] = field(default_factory=dict)
    """The containers of the files (`gan_eval.pictures.containers.named`)."""


def find_items(source: Path, masks: Path | None = None, *, paired: bool | None = None) -> Found:
    """Return the files of each item of a result folder, by the first layout that fits.

    Args:
        paired: see `items_of`.
        masks: folder of the masks; default: `mask/` of the source, if there is one.

    Raises:
        UserError: no layout fits, a picture or a mask has no partner, or the pictures are not pairs.
    """
    source = results_in(source)
    layout, roles = _layout_of(source)
    remarks = [] if layout is LAYOUTS[0] else [str(layout)]
    if paired is None and (other := _of_no_pairs(source, layout)):
        remarks.append(f"{other} is from CycleGAN, so *_real_B and *_fake_B are not paired; if they are, give --paired")
        paired = False
    if paired is None and not layout.is_paired:
        remarks.append(NAMED_AS_INPUTS)
        paired = False
    roles, snapshots = _without_snapshots(roles, source, "fake")
    remarks += [f"{source}: {line}" for line in snapshots]
    if masks is None and (source / "mask").is_dir():
        masks = source / "mask"
    items, lines = items_of(roles, source, ("fake",), paired=paired)
    remarks += lines
    return Found(with_masks(items, masks), tuple(remarks))


def with_masks(items: Items, masks: Path | None) -> Items:
    """Return the items with the masks of their stems in a folder.

    Raises:
        UserError: the pictures have no partners, or an item has no mask.
    """
    if masks is None:
        return items
    if not any("real" in files and files.keys() - {"real", "input"} for files in items.values()):
        raise UserError(f"{masks}: masks need pairs; without partners there is nothing around a hole to compare")
    of_masks = images.by_stem(images.list_pictures(masks))
    if unmasked := sorted(items.keys() - of_masks.keys(), key=images.natural_key):
        more = f" and {len(unmasked) - 5} more" if len(unmasked) > 5 else ""
        raise UserError(f"{masks}: {', '.join(unmasked[:5])}{more}: no mask with this stem; add it, white is hole")
    return {stem: {**files, "mask": of_masks[stem]} for stem, files in items.items()}


_SNAPSHOT = re.compile(r"epoch\d+(_iter\d+)?")
"""Stem of a picture that a training wrote on its way: flipped and cropped training pictures of changing weights."""


def _without_snapshots(roles: Roles, source: Path, role: str) -> tuple[Roles, list[str]]:
    """Return the files without those that a training wrote on its way, and a message about them."""
    snapshots = [stem for stem in roles[role] if _SNAPSHOT.fullmatch(stem)]
    if not snapshots:
        return roles, []
    what = f"{len(snapshots)} of its items are snapshots of a training, such as {snapshots[0]}, and no results"
    if len(snapshots) == len(roles[role]):
        raise UserError(f"{source}: {what}; import the pictures of a test, such as results/NAME/test_latest/images")
    kept = {name: {stem: files[stem] for stem in files if stem not in snapshots} for name, files in roles.items()}
    return kept, [f"{what}: not imported"]


def _refuse_one_kind(layout: Layout, source: Path) -> NoReturn:
    """Refuse a folder in a layout of real or of generated pictures alone."""
    _refuse_unusable(layout, source)
    missing, give = "photographs", f"--real PHOTOGRAPHS --fake {source}"
    if "fake" not in layout.patterns:
        missing, give = "generated pictures", f"--real {source} --fake RESULTS"
    raise UserError(f"{source}: {layout}; there are no {missing}: give {give}")


def _layout_of(source: Path) -> tuple[Layout, Roles]:
    """Return the first layout that fits, and its files."""
    folders = images.picture_folders(source) if source.is_dir() else []
    for layout in LAYOUTS:
        if layout.by == "stem" and folders and not any(map(images.names_a_picture, source.iterdir())):
            continue  # the message below names the folders
        if not (roles := layout.roles(source)):
            continue
        if {"real", "fake"} <= layout.patterns.keys():
            return layout, roles
        if layout.covers(source):
            _refuse_one_kind(layout, source)
    hint = (
        f"; its folders {', '.join(folders)} have pictures: rename those of the real and of the generated ones, or "
        "name both to `gan-eval try REAL FAKE`"
    ) * bool(folders)
    programs = ", ".join(layout.program for layout in LAYOUTS if {"real", "fake"} <= layout.patterns.keys())
    raise UserError(f"{source}: no known layout; expected one of docs/import_pictures.md: {programs}{hint}")


def _of_no_pairs(source: Path, layout: Layout) -> str:
    """Return the name of a file which shows that a folder has results of a program without pairs, such as CycleGAN."""
    if not layout.unpaired:
        return ""
    return next((path.name for path in images.list_pictures(source) if path.stem.endswith(layout.unpaired)), "")


NAMED_AS_INPUTS = "real pictures have the names of inputs here, so they have no partners; if they have, give --paired"

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
    roles, grids = _without_grids(roles, models)
    if grids:
        items, others = items_of(roles, where, models, paired=paired)
        return items, [*grids, *others]
    if paired is None:
        paired = _are_paired(roles, where, models)
        lines = [] if paired else [f"no file stems match, so the pictures have no partners{_advice(roles, models)}"]
        items, others = items_of(roles, where, models, paired=paired)
        return items, [*lines, *others]
    if not paired:
        return _without_partners(roles, models)
    return _with_partners(roles, where, models)


def _with_partners(roles: Roles, where: Path, models: Collection[str]) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Return an item for each stem that all have; and messages about those left out."""
    roles = roles | {model: under_real_stems(roles[model], roles["real"]) for model in models}
    items = {
        stem: {role: files[stem] for role, files in roles.items() if stem in files}
        for stem in roles["real"]
        if all(stem in roles[model] for model in models)
    }
    if not items:
        raise UserError(
            f"{where}: no real picture has a partner of the same file stem in every folder; rename "
            "them, or give --unpaired if there are no partners"
        )
    lines = []
    for role in ("real", *models):
        alone = [path for stem, path in roles[role].items() if stem not in items]
        if alone:
            lines.append(f"{alone[0].parent}: {len(alone)} without a partner left out, such as {alone[0].name}")
    return items, lines


def _without_grids(roles: Roles, models: Collection[str]) -> tuple[Roles, list[str]]:
    """Return the files without the generated ones that are grids of many samples; and messages about these."""
    kept, lines = dict(roles), []
    for model in models:
        if grids := grids_of([*roles[model].values()]):
            what = f"{grids[0].parent}: {len(grids)} of {len(roles[model])} are grids of many samples, such as "
            kept[model] = {stem: path for stem, path in roles[model].items() if path not in grids}
            if not kept[model]:
                raise UserError(f"{what}{grids[0].name}; save each sample as a picture of its own")
            lines.append(f"{what}{grids[0].name}: left out")
    return kept, lines


def matching_stems(reals: Collection[str], fakes: Collection[str]) -> dict[str, str]:
    """Return the real stem of each generated one that is equal but for zeros in front and what a folder's names share.

    It is empty unless nine of ten match.

    >>> matching_stems(["0000", "0001"], ["0_fake_B", "1_fake_B"]), matching_stems(["7"], ["seed8"])
    ({'0_fake_B': '0000', '1_fake_B': '0001'}, {})
    """
    bare_reals, bare_fakes = _bare_stems(reals), _bare_stems(fakes)
    if len(bare_reals) < len(reals) or len(bare_fakes) < len(fakes):
        return {}
    both = bare_reals.keys() & bare_fakes.keys()
    if len(both) < MIN_MATCHING * len(bare_reals.keys() | bare_fakes.keys()):
        return {}
    return {bare_fakes[bare]: bare_reals[bare] for bare in bare_fakes if bare in both}


def under_real_stems(fakes: dict[str, File], reals: Collection[str]) -> dict[str, File]:
    """Return generated files by the stems of their partners (`matching_stems`), unless some stem is a real one's."""
    named = {} if fakes.keys() & reals else matching_stems(reals, fakes)
    return {named.get(stem, stem): file for stem, file in fakes.items()}


def _bare_stems(stems: Collection[str]) -> dict[str, str]:
    """Return stems by what remains without the text that all begin or end with, and without zeros in front."""
    start, end = common_start([*stems]), common_start([stem[::-1] for stem in stems])[::-1]
    before, after = re.match(r"(?:.*\D)?", start), re.search(r"(?:\D.*)?$", end)
    first, last = before.end() if before else 0, len(end) - after.start() if after else 0
    whole = len(stems) < 2 or any(len(stem) <= first + last for stem in stems)
    return {re.sub(r"(?<!\d)0+(?=\d)", "", stem if whole else stem[first : len(stem) - last]): stem for stem in stems}


def _advice(roles: Roles, models: Collection[str]) -> str:
    """Return the end of a message, if `--paired` would find partners whose names differ in a regular way; else ""."""
    named = [matching_stems(roles["real"], roles[model]) for model in models]
    if not all(named):
        return ""
    fake, real = next(iter(named[0].items()))
    return f"; if they do, as {fake} and {real}, give --paired"


def _are_paired(roles: Roles, where: Path, models: Collection[str]) -> bool:
    """Return whether real and generated pictures are paired by stem."""
    reals, shares = roles["real"].keys(), {}
    for model in models:
        shares[model] = len(reals & roles[model].keys()) / len(reals | roles[model].keys())
    if min(shares.values()) >= MIN_MATCHING or not any(shares.values()):
        return any(shares.values())
    model = min(shares, key=lambda name: shares[name])
    unread = "".join(f"; {line}" for line in images.unread_lines([*roles["real"].values(), *roles[model].values()]))
    alone = "--paired to take these alone, or " * all(shares.values())
    raise UserError(
        f"{where}: of {len(reals)} real and {len(roles[model])} generated pictures, "
        f"{len(reals & roles[model].keys())} have a partner of the same file stem; give {alone}"
        f"--unpaired if no picture is the partner of another{unread}"
    )


def _without_partners(roles: Roles, models: Collection[str]) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Return an item for each different real picture, and for each stem of generated ones; and messages."""
    first = {sha256_file(path): stem for stem, path in reversed(roles["real"].items())}
    repeated = len(roles["real"]) - len(first)
    items = {f"real/{stem}": {"real": roles["real"][stem]} for stem in reversed(first.values())}
    for role in (*models, *(role for role in roles if role not in ("real", "mask", *models))):
        for stem, path in roles[role].items():
            if role in models or stem in items:
                items.setdefault(stem, {})[role] = path
    return items, [f"{repeated} real pictures occur under several names: each is used once"] * bool(repeated)


ROLE_NAMES = frozenset({"real", "reals", "fake", "fakes", "generated"})
"""Names of folders that only state their part in the comparison."""
RESULTS = re.compile(r"images?|web|(train|val|test)_(latest|[0-9]+)(_iter[0-9]+)?")
"""Names of folders that programs make for any results, such as results/NAME/test_latest/images."""


def content_name(folder: Path) -> str:
    """Return the name of what a folder holds: its own, or that of a folder above if it only states a part or results.

    >>> content_name(Path("/results/facades_pix2pix/test_latest/images"))
    'facades_pix2pix'
    """
    folder = resolved(folder).with_name(folder.name.partition(".")[0]) if is_container(folder) else resolved(folder)
    for name in (path.name for path in (folder, *folder.parents)):
        if name and name.lower() not in ROLE_NAMES and not RESULTS.fullmatch(name.lower()):
            return name
    return folder.name
