"""Contact sheets for slides: ranked pictures in rows, each with its share and its number of answers, as PNG."""

import io
from functools import cache

from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

from gan_eval.report.parts.blocks import RankedPicture, Ranking
from gan_eval.report.parts.thumbnails import picture_below
from gan_eval.report.parts.words import NARROW, clean

_IN_A_ROW = 3
_SIDE = 512
"""Pixels of a picture's longer side: three in a row fill a slide."""
_MARGIN, _TITLE, _CAPTION = 36, 34, 26
"""Pixels around and between pictures; size of the letters above and below."""


def contact_sheet(ranking: Ranking) -> bytes:
    """The pictures of a ranking on white, as a PNG; equal rankings give equal bytes.

    A picture is made smaller with Lanczos' filter where it is too large, and larger by a whole number where it is
    small, each pixel becoming a square: nothing is smoothed that people saw.
    """
    tiles = [
        (picture, tile) for picture in ranking.pictures if picture.source and (tile := picture_below(*picture.source))
    ]
    scaled = [(picture, _scaled(tile)) for picture, tile in tiles]
    rows = [scaled[start : start + _IN_A_ROW] for start in range(0, len(scaled), _IN_A_ROW)]
    captions = 2 * round(1.35 * _CAPTION)
    heights = [max(tile.height for _, tile in row) + _MARGIN // 3 + captions + _MARGIN for row in rows]
    top = _MARGIN + round(1.35 * _TITLE) + _MARGIN // 2
    width = _MARGIN + _IN_A_ROW * (_SIDE + _MARGIN)
    sheet = Image.new("RGB", (width, top + sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), ranking.title, "black", _letters(_TITLE))
    for row, height in zip(rows, heights, strict=True):
        below = top + height - _MARGIN - captions
        for place, (picture, tile) in enumerate(row):
            left = _MARGIN + place * (_SIDE + _MARGIN)
            sheet.paste(tile, (left, below - _MARGIN // 3 - tile.height))
            for line, text in enumerate(_lines(picture)):
                draw.text((left, below + line * round(1.35 * _CAPTION)), _fitted(text), "black", _letters(_CAPTION))
        top += height
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _lines(picture: RankedPicture) -> tuple[str, str]:
    return f"{picture.caption} answers".replace(NARROW, "\u00a0"), clean(picture.stimulus)


def _scaled(tile: Image.Image) -> Image.Image:
    """A picture whose longer side is at most `_SIDE`, and more than half of it."""
    longer = max(tile.size)
    if longer > _SIDE:
        width, height = (max(1, round(length * _SIDE / longer)) for length in tile.size)
        return tile.resize((width, height), Image.Resampling.LANCZOS)
    times = _SIDE // longer
    return tile.resize((tile.width * times, tile.height * times), Image.Resampling.NEAREST)


def _fitted(text: str) -> str:
    """A text that is no wider than a picture: its middle left out where it is."""
    letters, half = _letters(_CAPTION), len(text) // 2
    fitted = text
    while letters.getlength(fitted) > _SIDE and half > 1:
        half -= 1
        fitted = f"{text[:half]}…{text[-half:]}"
    return fitted


@cache
def _letters(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont("DejaVu Sans"), size)
