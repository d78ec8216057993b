"""Pictures for the screen: decoded before they are needed, at their own pixels; each checked before the first trial."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes
from gan_eval.quiz.app.painting import span
from gan_eval.quiz.library import Library, mask, mask_generator
from gan_eval.quiz.protocols import QuizProtocol, Showings
from gan_eval.quiz.session import Session
from gan_eval.settings.quiz import MaskKind
from gan_eval.stimuli.pictures import Picture, decode_rgb, read_rgb
from gan_eval.tabular import Row

Images = tuple[QImage, ...]


@dataclass(frozen=True)
class ReadyTrial:
    """Everything that one trial shows, decoded."""

    showings: tuple[Images, ...]
    """For each time that something appears, the pictures from left to right."""
    masks: tuple[Images, ...]
    """What takes their place; empty tuples where the study wants no mask."""


def load_trial(planned: Row, showings: Showings, library: Library, mask_kind: MaskKind, *, session: str) -> ReadyTrial:
    """Decode a trial's pictures and make its masks.

    Args:
        planned: the trial's row of the plan, with the hashes that its files had when the session started.
        showings: the stimuli that it shows.
        library: where they are.
        mask_kind: the kind of mask.
        session: the session's identifier, from which the masks follow.

    Raises:
        UserError: a picture is missing, broken, or no longer what it was.
    """
    hashes = {planned["stimulus"]: planned["sha256"], planned["stimulus_b"]: planned.get("sha256_b")}
    pixels: list[list[Picture]] = []
    for showing in showings:
        pixels.append([])
        for name in showing:
            content = library.content(name)
            if hashes[name] not in (None, sha256_bytes(content)):
                raise UserError(
                    f"{library.path(name)}: the picture has changed since the session started (SHA-256); restore it"
                )
            pixels[-1].append(decode_rgb(content, library.path(name)))
    pictures = tuple(tuple(map(to_image, showing)) for showing in pixels)
    if mask_kind == "none":
        return ReadyTrial(pictures, ((),) * len(pictures))
    generator = mask_generator(session, planned["trial"])
    masks = (tuple(to_image(mask(picture, mask_kind, generator)) for picture in showing) for showing in pixels)
    return ReadyTrial(pictures, tuple(masks))


def load(path: Path) -> QImage:
    """Decode a picture for the screen, one picture pixel for one physical pixel.

    Raises:
        UserError: the picture is missing or broken.
    """
    return to_image(read_rgb(path))


def to_image(pixels: Picture) -> QImage:
    """A picture (H, W, 3) uint8 in the screen's format."""
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)  # a copy of its own


def load_thumbnail(path: Path, size: int, *, ratio: float) -> QImage:
    """A picture that fits into `size` x `size` logical pixels at the device pixel `ratio`, smoothly scaled."""
    fits = QSize(round(size * ratio), round(size * ratio))
    image = load(path).scaled(fits, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    image.setDevicePixelRatio(ratio)
    return image


def require_pictures(planned: Row, protocol: QuizProtocol, library: Library, window: QSize) -> None:
    """Decode what a trial will show once, so that nothing fails in the middle of the session.

    Args:
        planned: the trial's row of the plan.
        protocol: what it shows.
        library: where the pictures are.
        window: its size in physical pixels.

    Raises:
        UserError: a picture is missing or broken, or larger than the window, alone or beside another.
    """
    for showing in protocol.showings(planned):
        paths = [library.path(name) for name in showing]
        sizes = [
            to_image(decode_rgb(library.content(name), path)).size() for name, path in zip(showing, paths, strict=True)
        ]
        room = span(sizes)
        if room.width() > window.width() or room.height() > window.height():
            raise UserError(
                f"{' and '.join(map(str, paths))}: {room.width()}x{room.height()} pixels do not fit the window of "
                f"{window.width()}x{window.height()}; pictures are shown pixel for pixel: use a larger screen, or "
                "make smaller stimuli"
            )


def check_trials(session: Session, library: Library, room: QSize) -> Iterator[None]:
    """Check the pictures of one coming trial at each step.

    Raises:
        UserError: a picture is missing, broken, or larger than the window.
    """
    done = {row["trial"] for row in session.done}
    for planned in session.plan:
        if planned["trial"] not in done:
            require_pictures(planned, session.protocol, library, room)
            yield


class PictureCheck(QObject):
    """Goes on behind the pages, one trial at a time."""

    failed = Signal(object)
    """A `UserError`: a picture is missing, broken, or larger than the window."""

    def __init__(self, session: Session, library: Library, room: QSize) -> None:
        """Set it up.

        Args:
            session: what will be shown.
            library: the pictures.
            room: the window's size in physical pixels.
        """
        super().__init__()
        self._checks = check_trials(session, library, room)
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._step)

    def start(self) -> None:
        """Go on whenever nothing else is to be done."""
        self._timer.start()

    def finish(self) -> None:
        """Check what is left at once.

        Raises:
            UserError: a picture is missing, broken, or larger than the window.
        """
        self._timer.stop()
        for _ in self._checks:
            pass

    def _step(self) -> None:
        try:
            next(self._checks)
        except StopIteration:
            self._timer.stop()
        except UserError as error:
            self._timer.stop()
            self.failed.emit(error)
