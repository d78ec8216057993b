"""Pictures for the screen, decoded in advance at the session's size and checked before the first trial."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from gan_eval.base.errors import UserError, abbreviated
from gan_eval.pictures.decode import Picture
from gan_eval.quiz.app.painting import GAP, Canvas, caption_place, span
from gan_eval.quiz.draw.order import generator
from gan_eval.quiz.library import Library, mask
from gan_eval.quiz.protocol import QuizProtocol, Showings
from gan_eval.settings.quiz import MaskKind
from gan_eval.tables.frames import Row

Images = tuple[QImage, ...]


@dataclass(frozen=True)
class ReadyTrial:
    """The decoded pictures of one trial."""

    showings: tuple[Images, ...]
    """For each showing, the pictures from left to right."""
    masks: tuple[Images, ...]
    """Their masks; empty tuples without masks."""


def load_trial(planned: Row, showings: Showings, library: Library, mask_kind: MaskKind, *, session: str) -> ReadyTrial:
    """Decode the pictures of a trial (a row of the plan) and make its masks."""
    pixels = [[library.picture(name) for name in showing] for showing in showings]
    pictures = tuple(tuple(map(to_image, showing)) for showing in pixels)
    if mask_kind == "none":
        return ReadyTrial(pictures, ((),) * len(pictures))
    random = generator("mask", session, planned["trial"])
    masks = (tuple(to_image(mask(picture, mask_kind, random)) for picture in showing) for showing in pixels)
    return ReadyTrial(pictures, tuple(masks))


def to_image(pixels: Picture) -> QImage:
    """Return a picture (H, W, 3) uint8 in the screen's format."""
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)  # its own copy


def check_pictures(coming: Sequence[Row], protocol: QuizProtocol, library: Library, canvas: Canvas) -> set[int]:
    """Decode all pictures of the trials, so that none fails later; return their widths on the screen in pixels."""
    window = canvas.size
    widths: set[int] = set()
    largest, too_large = window.width(), ""
    shown = [(row, showing) for row in coming for showing in protocol.showings(row)]
    for planned, showing in shown:
        pictures = [library.decoded(name) for name in showing]
        sizes = [QSize(*reversed(library.size_shown(picture))) for picture in pictures]
        widths |= {size.width() for size in sizes}
        room = span(sizes)
        if not too_large and (room.width() > window.width() or room.height() > window.height()):
            paths = " and ".join(str(library.path(name)) for name in showing)
            too_large = f"{paths}: {room.width()}x{room.height()} pixels do not fit the window of "
        if not too_large and protocol.settings.show_caption:
            _require_room(library.caption(planned), sizes, canvas, library.path(showing[0]))
        largest = min(largest, (window.width() - GAP * (len(showing) - 1)) // len(showing))
        largest = min(largest, *(window.height() * picture.shape[1] // picture.shape[0] for picture in pictures))
    if too_large:
        smaller = f"picture_size = {largest} (in [quiz], or --picture-size) is the largest that fits; or "
        raise UserError(
            f"{too_large}{window.width()}x{window.height()}; {smaller if largest > 0 else ''}use a larger screen"
        )
    return widths


def _require_room(caption: str, sizes: Sequence[QSize], canvas: Canvas, path: Path) -> None:
    """Refuse a caption that does not fit next to pictures of these sizes."""
    if caption and caption_place(caption, sizes, canvas) is None:
        room, window = span(sizes), canvas.size
        raise UserError(
            f"{path}: its caption {abbreviated(caption)} does not fit next to "
            f"{room.width()}x{room.height()} pixels in the window of {window.width()}x{window.height()}; lower "
            "picture_size (in [quiz], or --picture-size), shorten the caption, or use a larger screen"
        )
