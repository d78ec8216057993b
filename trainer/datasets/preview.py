"""A contact sheet of a data set: which half the generator sees, and which it is to make."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import Picture, resize
from trainer.datasets.dataset import evenly_spread, try_pictures
from trainer.datasets.pairs import PairedSet, doubtful_direction, drawn_side, flatness, list_splits
from trainer.datasets.presets import PRESETS

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
COLUMNS = 3  # pairs in a row
CELL = 192  # longest side of a half on the sheet, in pixels
MARGIN = 24  # around and between pairs
LABEL = 24  # height of a line of text
PAPER, INK = (250, 250, 248), (32, 33, 36)
INPUT, TARGET = (0, 92, 175), (178, 72, 0)  # blue and orange, which differ for any colour vision


def preview(
    data: Path,
    out: Path,
    *,
    direction: Direction | None = None,
    split: str | None = None,
    count: int = 12,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Draw `count` pairs, spread evenly over a split, each half marked as input or target.

    Args:
        out: the picture to write (.png, .jpg, .webp).
        direction: AtoB: the left half is the input; default: that of the preset called like the folder, else AtoB.
        split: default: train where there is one, else the first.
        on_message: called with a message for each picture that cannot be drawn, and for a doubtful direction.
    """
    out, say = Path(out), on_message or (lambda _message: None)
    if out.suffix.lower() not in SUFFIXES:
        raise UserError(f"--out {out}: wanted a picture's name, ending in {', '.join(SUFFIXES)}")
    if count < 1:
        raise UserError(f"--count {count}: wanted 1 or more")
    name = Path(data).resolve().name
    direction = direction or (PRESETS[name].direction if name in PRESETS else "AtoB")
    if not split:
        splits = list_splits(data)
        split = "train" if not splits or "train" in splits else splits[0]
    data_set = PairedSet(data)
    paths = data_set.paths(split)
    data_set.formats = data_set.found_formats(paths)
    examined = evenly_spread(paths, count)
    results = dict(zip(examined, try_pictures(examined, data_set.shown_sides), strict=True))
    pairs = {path: halves for path, halves in results.items() if not isinstance(halves, UserError)}
    errors = [error for error in results.values() if isinstance(error, UserError)]
    if not pairs:
        raise errors[0]
    for error in errors:
        say(f"{error} (not on the sheet)")
    flat_a, flat_b = ([flatness(halves[side]) for halves in pairs.values()] for side in (0, 1))
    plain = all(side.is_plain for side in data_set.formats)
    if doubt := doubtful_direction(drawn_side(flat_a, flat_b) if plain else None, direction):
        say(doubt)
    title = f"{name} / {split}: {len(pairs)} of {len(paths)} pairs, {direction}"
    sheet = contact_sheet(pairs, title, direction)
    with atomic_path(out) as temporary:
        sheet.save(temporary)
    return out


def contact_sheet(pairs: dict[Path, tuple[Picture, Picture]], title: str, direction: Direction) -> Image.Image:
    """The pairs as they lie in their files, A left and B right, a coloured bar with a label over each half."""
    roles = (("A = input", INPUT), ("B = target", TARGET))
    if direction == "BtoA":
        roles = (("A = target", TARGET), ("B = input", INPUT))
    font = ImageFont.load_default(15)
    wide, high = 2 * CELL + MARGIN, CELL + 2 * LABEL + MARGIN
    columns = min(COLUMNS, len(pairs))
    size = MARGIN + columns * wide, LABEL + 2 * MARGIN + -(-len(pairs) // columns) * high
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), title, fill=INK, font=font)
    for number, (path, halves) in enumerate(pairs.items()):
        row, column = divmod(number, columns)
        left, top = MARGIN + column * wide, LABEL + 2 * MARGIN + row * high
        for half, (label, colour) in zip(halves, roles, strict=True):
            scale = CELL / max(half.shape[:2])
            height, width = (max(1, round(length * scale)) for length in half.shape[:2])
            draw.rectangle((left, top, left + width - 1, top + LABEL - 1), fill=colour)
            draw.text((left + 4, top + 3), label, fill=PAPER, font=font)
            sheet.paste(Image.fromarray(resize(half, (height, width))), (left, top + LABEL))
            left += width
        name = path.name if len(path.name) <= 48 else f"..{path.name[-46:]}"  # the end identifies it
        draw.text((MARGIN + column * wide, top + LABEL + height + 3), name, fill=INK, font=font)
    return sheet
