"""Every picture that is still to come is decoded once before the first trial; what is wrong is told by then."""

from collections.abc import Iterator

from PySide6.QtCore import QObject, QSize, QTimer, Signal

from gan_eval.errors import UserError
from gan_eval.quiz.app.pictures import require_pictures
from gan_eval.quiz.library import Library
from gan_eval.quiz.session import Session


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
        self._left = _checks(session, library, room)
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
        for _ in self._left:
            pass

    def _step(self) -> None:
        try:
            next(self._left)
        except StopIteration:
            self._timer.stop()
        except UserError as error:
            self._timer.stop()
            self.failed.emit(error)


def _checks(session: Session, library: Library, room: QSize) -> Iterator[None]:
    """Check one trial each time it is asked for the next."""
    done = {row["trial"] for row in session.done}
    for planned in session.plan:
        if planned["trial"] not in done:
            require_pictures([planned], session.protocol, library, room)
            yield
