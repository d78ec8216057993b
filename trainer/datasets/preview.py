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

_CELL = 192  # longest side of a half on the sheet, in pixels
_GAP = 6  # between the halves of a pair
_MARGIN = 24  # around and between pairs
_TITLE = 22
_LABEL = 15
_PAPER, _INK, _FAINT = (250, 250, 248), (32, 33, 36), (110, 112, 118)
_INPUT, _TARGET = (0, 92, 175), (178, 72, 0)  # blue and orange, which differ for any colour vision


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
    sheet = contact_sheet([labelled_pair(path, halves, direction) for path, halves in pairs.items()], title)
    with atomic_path(out) as temporary:
        sheet.save(temporary)
    return out


def labelled_pair(path: Path, pair: tuple[Picture, Picture], direction: Direction) -> Image.Image:
    """One pair as it lies in the file, A left and B right, a coloured bar and a label over each half."""
    halves = []
    for picture in pair:
        scale = _CELL / max(picture.shape[:2])
        height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
        halves.append(Image.fromarray(resize(picture, (height, width))))
    width, height = halves[0].size
    bar = _LABEL + 10
    tile = Image.new("RGB", (2 * width + _GAP, height + bar + _LABEL + 6), _PAPER)
    draw = ImageDraw.Draw(tile)
    roles = (("A", "input"), ("B", "target")) if direction == "AtoB" else (("A", "target"), ("B", "input"))
    for (side, role), half, left in zip(roles, halves, (0, width + _GAP), strict=True):
        draw.rectangle((left, 0, left + width - 1, bar - 1), fill=_INPUT if role == "input" else _TARGET)
        draw.text((left + width / 2, bar / 2), f"{side} = {role}", fill=_PAPER, font=_font(_LABEL), anchor="mm")
        tile.paste(half, (left, bar))
    font, caption, start = (
        _font(_LABEL - 2),
        path.name,
        0,
    )  # the end of the name identifies it
    while start < len(path.name) and font.getlength(caption) > 2 * width:
        start += 1
        caption = f"..{path.name[start:]}"
    draw.text((0, bar + height + 3), caption, fill=_FAINT, font=font)
    return tile


def contact_sheet(tiles: list[Image.Image], title: str) -> Image.Image:
    """The tiles in rows under a title, on a sheet somewhat wider than high."""
    wide, high = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    columns = max(1, min(len(tiles), round((1.5 * len(tiles) * high / wide) ** 0.5)))
    rows = -(-len(tiles) // columns)
    head = _MARGIN + _TITLE + _MARGIN // 2
    needed = round(_font(_TITLE).getlength(title)) + 2 * _MARGIN
    width = max(columns * (wide + _MARGIN) + _MARGIN, needed)
    sheet = Image.new("RGB", (width, head + rows * (high + _MARGIN)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, fill=_INK, font=_font(_TITLE), anchor="lt")
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(tile, (_MARGIN + column * (wide + _MARGIN), head + row * (high + _MARGIN)))
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that the sheet looks alike everywhere."""
    return ImageFont.load_default(size)
