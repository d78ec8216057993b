"""How a frame looks: fixed grey, pictures pixel for pixel in its middle, lines of text; shared by all presenters.

Everything here is in physical pixels. A painter on a device with a device pixel ratio has to be scaled by its inverse
first; then nothing is resampled, at any ratio.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter


@dataclass(frozen=True)
class Frame:
    """What the screen shows: fixed grey, on it pictures, pixel for pixel, and text."""

    pictures: tuple[QImage, ...] = ()
    """Side by side, centred together."""
    text: str = ""
    """A line near the bottom: progress."""
    headline: str = ""
    """A larger text in the middle, or below the pictures: feedback, a question."""
    patch: bool = False
    """The photodiode's patch is white: a stimulus is shown. Only seen where the study wants the patch."""


BLANK = Frame()

GREY = QColor(128, 128, 128)
"""The ground of every stimulus, whatever the theme."""

GAP = 64
"""Physical pixels between two pictures side by side."""

PATCH = 48
"""Physical pixels on a side of the photodiode's patch."""

_TEXT = QColor(20, 20, 20)


@dataclass(frozen=True)
class Canvas:
    """What a frame is painted on."""

    size: QSize
    """Physical pixels."""
    ratio: float = 1.0
    """Physical pixels for one logical pixel: text grows with it, pictures do not."""
    text_scale: float = 1.0
    """The participant's text size, 1 to 2."""
    corner_patch: bool = False
    """A photodiode is watching: `Frame.patch` is shown in the lower left corner."""


def span(sizes: Sequence[QSize]) -> QSize:
    """The room that pictures side by side take up, in physical pixels."""
    if not sizes:
        return QSize(0, 0)
    width = sum(size.width() for size in sizes) + GAP * (len(sizes) - 1)
    return QSize(width, max(size.height() for size in sizes))


def places(pictures: Sequence[QImage], canvas: Canvas) -> list[QRect]:
    """Where each picture goes: side by side, centred together, each centred on the middle line."""
    left = (canvas.size.width() - span([picture.size() for picture in pictures]).width()) // 2
    rectangles = []
    for picture in pictures:
        top = (canvas.size.height() - picture.height()) // 2
        rectangles.append(QRect(QPoint(left, top), picture.size()))
        left += picture.width() + GAP
    return rectangles


def paint(painter: QPainter, frame: Frame, canvas: Canvas) -> None:
    """Paint a whole frame. The painter's unit must be the physical pixel."""
    painter.fillRect(QRect(QPoint(), canvas.size).adjusted(0, 0, 1, 1), GREY)  # a window may end within a pixel
    for picture, place in zip(frame.pictures, places(frame.pictures, canvas), strict=True):
        painter.drawImage(place.topLeft(), picture)
    painter.setPen(_TEXT)
    for text, place, pixels in _texts(frame, canvas):
        font = QFont(painter.font())
        font.setPixelSize(pixels)
        painter.setFont(font)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
    if canvas.corner_patch:
        painter.fillRect(_patch(canvas), Qt.GlobalColor.white if frame.patch else Qt.GlobalColor.black)


def painted(frame: Frame, canvas: Canvas) -> QImage:
    """A frame as a picture of its own."""
    image = QImage(canvas.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint(painter, frame, canvas)
    painter.end()
    return image


def changed_area(before: Frame, after: Frame, canvas: Canvas) -> list[QRect]:
    """Where two frames may differ, in physical pixels: a small area is faster to bring to the screen."""
    area = [*_marked(before, canvas), *_marked(after, canvas)]
    if canvas.corner_patch and before.patch != after.patch:
        area.append(_patch(canvas))
    return area


def _marked(frame: Frame, canvas: Canvas) -> list[QRect]:
    """Where a frame differs from plain grey."""
    return [*places(frame.pictures, canvas), *(place for _, place, _ in _texts(frame, canvas))]


def _texts(frame: Frame, canvas: Canvas) -> list[tuple[str, QRect, int]]:
    """Each text with its rectangle and its font size, in physical pixels.

    The headline stands in the middle; where there are pictures, between them and the line at the bottom.
    """
    width, height = canvas.size.width(), canvas.size.height()
    unit = canvas.text_scale * max(15 * canvas.ratio, height / 50)
    line = round(2.5 * unit)
    bottom = QRect(0, height - line - line // 2, width, line)
    pictures = span([picture.size() for picture in frame.pictures]).height()
    top = (height + pictures) // 2 if pictures else 2 * line
    middle = QRect(width // 10, top, width - 2 * (width // 10), max(0, bottom.top() - top))
    texts = []
    if frame.headline:
        texts.append((frame.headline, middle, round(1.5 * unit)))
    if frame.text:
        texts.append((frame.text, bottom, round(unit)))
    return texts


def _patch(canvas: Canvas) -> QRect:
    return QRect(0, canvas.size.height() - PATCH, PATCH, PATCH)
