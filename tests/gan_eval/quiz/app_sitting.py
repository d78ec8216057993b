"""Sessions in the application off screen, with a robot for the participant."""

from collections.abc import Callable, Iterator

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface, QImage, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from quiz_study import seated

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.app.application import QuizApplication
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.parts import NoticePage, Page
from gan_eval.quiz.app.pages.steps import ConsentPage, KeysPage
from gan_eval.quiz.station import Presentation
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

SETTINGS = QuizSettings(real=2, fake=2, blank_ms=100, response_ms=2000)


class Sitting:
    """One application with a robot that acts every few milliseconds."""

    def __init__(
        self,
        qapp: QApplication,
        stimuli: StimulusSet,
        writer: Writer,
        settings: QuizSettings,
        presentation: Presentation,
        *,
        participant: str = "P01",
    ) -> None:
        self.writer = writer
        self.session, library = seated(stimuli, writer, settings, participant)
        self.quiz = QuizApplication(qapp, self.session, library, settings, presentation=presentation)
        self.qapp = qapp
        self.seen: list[str] = []
        """The pages, by their names or classes."""
        self._last: Page | None = None
        self.first_words = ""

    def run(self, act: Callable[["Sitting"], None]) -> str:
        """Run the application; `act` is called again and again and plays the participant."""
        error: list[BaseException] = []

        def step() -> None:
            try:
                if self.page is not None and self.page is not self._last:
                    self._last = self.page
                    self.seen.append(self.page.objectName() or type(self.page).__name__)
                    self.first_words = self.first_words or words(self.page)
                act(self)
            except BaseException as problem:  # to be raised in the test, not in the event loop
                error.append(problem)
                self.qapp.exit()

        robot, guard = QTimer(interval=5), QTimer(interval=20_000)
        robot.timeout.connect(step)
        guard.timeout.connect(lambda: (error.append(TimeoutError("the session hangs")), self.qapp.exit()))
        robot.start()
        guard.start()
        try:
            status = self.quiz.run()
        finally:
            robot.stop()
            guard.stop()
            self.quiz.stage.close()
        if error:
            raise error[0]
        return status

    @property
    def page(self) -> Page | None:
        """The page that is shown."""
        shell = self.quiz.stage.shell
        page = shell.layout().currentWidget()
        return page if shell.isVisible() and isinstance(page, Page) else None

    @property
    def shows_picture(self) -> bool:
        return self.session.state is State.PRESENTED

    def key(self, key: Qt.Key | str) -> None:
        """Press a key where the keyboard is."""
        target: QWidget | QWindow = self.quiz.stage.window
        if self.page is not None:
            target = self.page.focusWidget() or self.page
        QTest.keyClick(target, key)  # type: ignore[call-overload]

    def rows(self, table: Table) -> list[Row]:
        return self.writer.submit(lambda store: store.rows(table)).result()


def diligent(sitting: Sitting) -> None:
    """Agrees, calls every picture fake, looks at the end page and finishes."""
    match sitting.page:
        case ConsentPage() as page if page.isActiveWindow():
            sitting.key(Qt.Key.Key_Space)
            assert page.box.isChecked()
            sitting.key(Qt.Key.Key_Return)
        case KeysPage() as page if page.isActiveWindow() and page.untried:
            sitting.key(min(page.untried))
        case NoticePage() | KeysPage() as page if page.isActiveWindow():
            sitting.key(Qt.Key.Key_Return)
        case EndPage() as page:
            sitting.key(Qt.Key.Key_Return if page.focusWidget() is page.leave else Qt.Key.Key_Tab)
        case None if sitting.shows_picture:
            sitting.key("f")


def words(page: QWidget) -> str:
    """All text of a page."""
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def said_by(widget: QWidget) -> list[str]:
    """All names in the accessibility tree below a widget, as a screen reader finds them."""

    def walk(node: QAccessibleInterface) -> Iterator[str]:
        yield node.text(QAccessible.Text.Name)
        yield node.text(QAccessible.Text.Description)
        for number in range(node.childCount()):
            child = node.child(number)
            if child is not None:
                yield from walk(child)

    root = QAccessible.queryAccessibleInterface(widget)
    return [text for text in walk(root) if text] if root is not None else []


def pixels(image: QImage) -> np.ndarray:
    """Return the pixels of an image, (H, W, 3) uint8."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.array(rgb.constBits()).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3)
