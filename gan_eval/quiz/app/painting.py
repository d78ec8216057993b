"""Paint a frame for all presenters: fixed grey, pictures pixel for pixel in the middle, lines of text.

All lengths are physical pixels. Scale a painter by the inverse of the device pixel ratio first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter


@dataclass(frozen=True)
class Frame:
    """The content of the screen: unscaled pictures and text on fixed grey."""

    pictures: tuple[QImage, ...] = ()
    """The pictures, side by side and centred together."""
    text: str = ""
    """A line near the bottom, such as the progress."""
    headline: str = ""
    """A larger text, such as feedback or a question, in the middle or outside the pictures."""
    captions: tuple[str, ...] = ()
    """Text below each picture."""
    caption: str = ""
    """The text that belongs to the pictures, outside their places."""
    vanished: tuple[QImage, ...] = ()
    """Pictures shown before; the headline does not cover their places either."""
    fixation: bool = False
    """A small cross in the middle."""
    patch: bool = False
    """True if the photodiode's patch is white, because a stimulus is shown; only with `corner_patch`."""


BLANK = Frame()
GREY = QColor(128, 128, 128)
"""Background of every stimulus."""
GAP = 64
"""Gap in physical pixels between two pictures side by side."""
PATCH = 48
"""Side of the photodiode's patch in physical pixels."""
CAPTION_MARGIN = 16
"""Minimum distance of a caption from pictures and the edge, in physical pixels."""
CAPTION_SIZES = (1.0, 0.85, 0.7)
"""Font sizes of a caption, relative to normal text: the first one that fits."""
TEXT = QColor(20, 20, 20)
_TEXT_FLAGS = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap


@dataclass(frozen=True)
class Canvas:
    """The surface that a frame is painted on."""

    size: QSize
    """Physical pixels."""
    ratio: float = 1.0
    """Physical pixels per logical pixel, which scales text but not pictures."""
    text_scale: float = 1.0
    """The participant's text size, 1 to 2."""
    corner_patch: bool = False
    """True if `Frame.patch` is shown in the lower left corner, for a photodiode."""


def span(sizes: Sequence[QSize]) -> QSize:
    """Return the size in physical pixels of pictures side by side, with the gaps between them."""
    if not sizes:
        return QSize(0, 0)
    width = sum(size.width() for size in sizes) + GAP * (len(sizes) - 1)
    return QSize(width, max(size.height() for size in sizes))


def places(pictures: Sequence[QImage], canvas: Canvas) -> list[QRect]:
    """Return the rectangle of each picture: side by side, centred together, each centred vertically."""
    left = (canvas.size.width() - span([picture.size() for picture in pictures]).width()) // 2
    rectangles = []
    for picture in pictures:
        top = (canvas.size.height() - picture.height()) // 2
        rectangles.append(QRect(QPoint(left, top), picture.size()))
        left += picture.width() + GAP
    return rectangles


def paint(painter: QPainter, frame: Frame, canvas: Canvas) -> None:
    """Paint a whole frame with a painter whose unit is the physical pixel."""
    painter.fillRect(QRect(QPoint(), canvas.size).adjusted(0, 0, 1, 1), GREY)  # a window may end within a pixel
    for picture, area in zip(frame.pictures, places(frame.pictures, canvas), strict=True):
        painter.drawImage(area.topLeft(), picture)
    for stroke in _cross(canvas) if frame.fixation else []:
        painter.fillRect(stroke, TEXT)
    painter.setPen(TEXT)
    for text, area, pixels in _texts(frame, canvas):
        painter.setFont(_font(pixels))
        painter.drawText(area, _TEXT_FLAGS, text)
    if canvas.corner_patch:
        painter.fillRect(_patch(canvas), Qt.GlobalColor.white if frame.patch else Qt.GlobalColor.black)


def painted(frame: Frame, canvas: Canvas) -> QImage:
    """Return a frame painted on an image."""
    image = QImage(canvas.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint(painter, frame, canvas)
    painter.end()
    return image


def changed_area(before: Frame, after: Frame, canvas: Canvas) -> list[QRect]:
    """Return the rectangles in which two frames may differ; flushing a small area is faster."""
    area = [*_marked(before, canvas), *_marked(after, canvas)]
    if canvas.corner_patch and before.patch != after.patch:
        area.append(_patch(canvas))
    return area


def _marked(frame: Frame, canvas: Canvas) -> list[QRect]:
    """Return the rectangles in which a frame differs from grey, without the photodiode's patch."""
    cross = _cross(canvas) if frame.fixation else []
    return [*places(frame.pictures, canvas), *cross, *(area for _, area, _ in _texts(frame, canvas))]


def fitted(pictures: Sequence[QImage], canvas: Canvas) -> tuple[QImage, ...]:
    """Return the pictures, scaled down together if they, their captions and a headline would not fit."""
    needed, gaps = span([picture.size() for picture in pictures]), GAP * (len(pictures) + 1)
    width, height = canvas.size.width() - gaps, canvas.size.height()
    height = max(height // 2, height - round(14 * _unit(canvas)))  # the rest is for captions and a headline
    factor = min(1.0, width / max(1, needed.width() - gaps + 2 * GAP), height / max(1, needed.height()))
    smooth = (Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    return tuple(each if factor == 1 else each.scaled(each.size() * factor, *smooth) for each in pictures)


def _unit(canvas: Canvas) -> float:
    """Return the font size of normal text in physical pixels: at least 2% of the canvas' height."""
    return canvas.text_scale * max(15 * canvas.ratio, canvas.size.height() / 50)


def _font(pixels: int) -> QFont:
    font = QFont()
    font.setPixelSize(pixels)
    return font


def _cross(canvas: Canvas) -> list[QRect]:
    """Return the two strokes of the fixation mark, about 0.4 degrees on a desktop screen."""
    width, height = canvas.size.width(), canvas.size.height()
    half_width = max(1, round(_unit(canvas) / 16))  # half of a stroke's width, which centres the cross on the pictures
    half_length = max(4 * half_width, round(_unit(canvas) / 2))
    across = QRect(width // 2 - half_length, height // 2 - half_width, 2 * half_length, 2 * half_width)
    return [across, QRect(width // 2 - half_width, height // 2 - half_length, 2 * half_width, 2 * half_length)]


def _texts(frame: Frame, canvas: Canvas) -> list[tuple[str, QRect, int]]:
    """Return each text with its rectangle and font size; the headline is outside the shown and vanished pictures."""
    width, height = canvas.size.width(), canvas.size.height()
    unit = _unit(canvas)
    line = round(2.5 * unit)
    bottom = QRect(0, height - line - line // 2, width, line)
    texts = []
    for caption, area in zip(frame.captions, places(frame.pictures, canvas), strict=False):
        below = QRect(area.left(), area.bottom() + 1, area.width(), line).adjusted(-GAP // 3, 0, GAP // 3, 0)
        texts.append((caption, below, round(unit)))
    sizes = [picture.size() for picture in frame.pictures]
    if frame.caption and (placed := caption_place(frame.caption, sizes, canvas)):
        texts.append((_breakable(frame.caption), *placed))
    if frame.headline:
        middle = span([picture.size() for picture in frame.pictures or frame.vanished])
        if frame.captions:
            middle += QSize(0, 2 * line)
        if middle.isEmpty():
            area = QRect(width // 10, 2 * line, width - 2 * (width // 10), bottom.top() - 2 * line)
        else:
            area = _outside(middle, frame.headline, canvas, lowest=bottom.top() if frame.text else height)
        texts.append((frame.headline, area, round(1.5 * unit)))
    if frame.text:
        texts.append((frame.text, bottom, round(unit)))
    return texts


def caption_place(caption: str, sizes: Sequence[QSize], canvas: Canvas) -> tuple[QRect, int] | None:
    """Return a caption's rectangle and font size: below pictures of these sizes, else right of them; None: no room."""
    width, height, middle = canvas.size.width(), canvas.size.height(), span(sizes)
    caption = _breakable(caption)
    margin, aside = CAPTION_MARGIN, max(width // 10, PATCH)
    top, left = (height + middle.height()) // 2 + margin, (width + middle.width()) // 2 + margin
    below = QRect(aside, top, width - 2 * aside, height - margin - top)
    right = QRect(left, margin, width - margin - left, height - 2 * margin)
    for room in (below, right):
        for pixels in (round(size * _unit(canvas)) for size in CAPTION_SIZES):
            needed = QFontMetrics(_font(pixels)).boundingRect(QRect(0, 0, room.width(), 0), _TEXT_FLAGS, caption).size()
            if room.isValid() and needed.width() <= room.width() and needed.height() <= room.height():
                return (QRect(room.topLeft(), QSize(room.width(), needed.height())) if room is below else room), pixels
    return None


def _breakable(text: str) -> str:
    """Return a text whose long words, such as addresses, may be broken after every 30 characters."""
    return re.sub(r"(\S{30})(?=\S)", "\\1\u200b", text)


def _outside(middle: QSize, headline: str, canvas: Canvas, *, lowest: int) -> QRect:
    """Return a headline's rectangle above y = `lowest`: below the `middle` area, else right of it, else at the edge."""
    width, height = canvas.size.width(), canvas.size.height()
    metrics = QFontMetrics(_font(round(1.5 * _unit(canvas))))

    def needed(width: int) -> QSize:
        return metrics.boundingRect(QRect(0, 0, width, height), _TEXT_FLAGS, headline).size()

    left, top, at_side = width // 10, (height + middle.height()) // 2, (width - middle.width()) // 2
    lines = needed(width - 2 * left).height()
    if top + lines <= lowest:
        return QRect(left, top, width - 2 * left, min(lowest - top, max(lines, round(5 * _unit(canvas)))))
    if needed(at_side).width() <= at_side:
        return QRect(width - at_side, 0, at_side, lowest)
    return QRect(left, lowest - lines, width - 2 * left, lines)


def _patch(canvas: Canvas) -> QRect:
    return QRect(0, canvas.size.height() - PATCH, PATCH, PATCH)
