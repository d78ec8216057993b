"""The application around a session: pages before, between and after the trials, and every way of leaving."""

import gc
import sys
from types import TracebackType
from typing import Literal

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QScreen
from PySide6.QtWidgets import QApplication

from gan_eval.quiz.app import style
from gan_eval.quiz.app.keys import Keyboard
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.notices import PausePage, ProblemPage
from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.pages.start import StartPage
from gan_eval.quiz.app.pictures import load, require_fit
from gan_eval.quiz.app.raster import RasterWindow
from gan_eval.quiz.app.signals import on_termination
from gan_eval.quiz.app.trials import TrialRunner
from gan_eval.quiz.app.windows import WINDOW_TITLE, Shell, show, window_area
from gan_eval.quiz.library import Library
from gan_eval.quiz.review import review, score
from gan_eval.quiz.session import Session, State
from gan_eval.study import QuizSettings

Status = Literal["complete", "aborted", "open", "declined"]


def run_application(
    session: Session, library: Library, settings: QuizSettings, *, title: str, windowed: bool, intro: bool
) -> Status:
    """Run a session on the screen until it is over or left.

    Args:
        session: new, or taken up again.
        library: the pictures.
        settings: the quiz.
        title: what the start page says the study is about.
        windowed: a window of 1280x800 instead of the full screen.
        intro: start and end pages; without, the first trial starts at once and the program ends after the last.

    Raises:
        UserError: a picture is broken or larger than the window, or the store cannot be written at the start.
        KeyboardInterrupt: the program was told to end by a signal.
    """
    qt = QApplication.instance()
    if not isinstance(qt, QApplication):
        qt = QApplication([WINDOW_TITLE])
    qt.setQuitOnLastWindowClosed(False)
    quiz = QuizApplication(qt, session, library, settings, title=title, windowed=windowed)
    try:
        return quiz.run(intro=intro)
    finally:
        quiz.close()


class QuizApplication(QObject):
    """Leads a participant from the start page through the trials to the end page."""

    def __init__(
        self,
        qt: QApplication,
        session: Session,
        library: Library,
        settings: QuizSettings,
        *,
        title: str,
        windowed: bool,
    ) -> None:
        super().__init__()
        self._qt = qt
        self._session = session
        self.library = library
        self._settings = settings
        self._title = title
        self._windowed = windowed
        self._intro = True
        self._status: Status = "open"
        self._error: BaseException | None = None
        screen = qt.primaryScreen()
        self._area = window_area(screen, windowed=windowed)
        _require_pictures_fit(session, library, self._area.size() * screen.devicePixelRatio())
        self._describe_screen(screen)
        self.shell = Shell(style.scale_for(self._area.height()))
        self.window = RasterWindow(screen)
        self.window.setTitle(WINDOW_TITLE)
        self.trials = TrialRunner(session, self.window, Keyboard(self.window), library, blank_ms=settings.blank_ms)
        self.trials.over.connect(self._over)
        self.trials.paused.connect(self._pause)
        self.trials.failed.connect(self._problem)
        self.shell.close_asked.connect(self._leave)

    def run(self, *, intro: bool) -> Status:
        """Run the event loop until the session is over or left."""
        self._intro = intro
        hook, sys.excepthook = sys.excepthook, self._on_error
        try:
            with on_termination(self._terminate):
                if intro:
                    self._start_page()
                else:
                    self._begin(consent=False)
                if self._error is None:
                    self._qt.exec()
        finally:
            sys.excepthook = hook
        if self._error is not None:
            raise self._error
        return self._status

    def close(self) -> None:
        """Take the windows away."""
        self.shell.hide()
        self.window.hide()

    def _start_page(self) -> None:
        done, trials = self._session.progress
        page = StartPage(
            self._settings,
            title=self._title,
            participant=self._session.row["participant"],
            trials=trials,
            done=done,
            scale=self.shell.scale,
        )
        page.agreed.connect(lambda: self._begin(consent=True))
        page.left.connect(self._leave)
        self._show_page(page)

    def _begin(self, *, consent: bool) -> None:
        if self._session.state is State.NEW:
            self._session.begin(self._settings.consent if consent else None)
        self._run_trials()

    def _run_trials(self) -> None:
        gc.collect()
        gc.freeze()
        show(self.window, self._area, windowed=self._windowed)
        self.shell.hide()
        self.trials.start()

    def _pause(self) -> None:
        if self._session.state is State.FAILED:
            self._problem()
            return
        done, trials = self._session.progress
        page = PausePage(done=done, trials=trials, scale=self.shell.scale)
        page.resumed.connect(self._run_trials)
        page.left.connect(self._leave)
        page.aborted.connect(self._abort)
        self._show_page(page)

    def _problem(self) -> None:
        page = ProblemPage(str(self._session.error), scale=self.shell.scale)
        page.retried.connect(self._retry)
        page.left.connect(self._leave)
        self._show_page(page)

    def _retry(self) -> None:
        self._session.retry()
        self._run_trials()

    def _abort(self) -> None:
        if self._session.wait() is State.READY:
            self._session.abort()
        if self._session.wait() is State.FAILED:
            self._problem()
            return
        self._quit()

    def _leave(self) -> None:
        """Leave with the session open, or with nothing stored where it has not begun."""
        if self._session.state is State.SAVING and self._session.wait() is State.FAILED:
            self._problem()
            return
        self._quit()

    def _over(self) -> None:
        if not self._intro:
            self._quit()
            return
        scores = score(self._session.done) if self._settings.show_score else []
        reviewed = review(self._session.done, self.library) if self._settings.show_review else []
        page = EndPage(scores, reviewed, scale=self.shell.scale)
        page.finished.connect(self._quit)
        self._show_page(page)

    def _quit(self) -> None:
        match self._session.state:
            case State.NEW:
                self._status = "declined"
            case State.OVER:
                self._status = "complete" if self._session.row["status"] == "complete" else "aborted"
            case _:
                self._status = "open"
        self._qt.exit()

    def _terminate(self) -> None:
        """A signal: store what is on its way and end."""
        if self._session.state is not State.NEW:
            self.trials.interrupt()
        self._error = KeyboardInterrupt()
        self._qt.exit()

    def _on_error(self, _: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        """An error in a Qt callback ends the event loop and is raised where the session was started."""
        self._error = self._error or error
        self._qt.exit()

    def _show_page(self, page: Page) -> None:
        self.shell.turn_to(page)
        show(self.shell, self._area, windowed=self._windowed)
        self.shell.activateWindow()
        self.window.hide()

    def _describe_screen(self, screen: QScreen) -> None:
        ratio = screen.devicePixelRatio()
        if self._session.state is State.NEW:
            self._session.row |= {
                "presenter": RasterWindow.name,
                "screen_width": round(screen.size().width() * ratio),
                "screen_height": round(screen.size().height() * ratio),
                "device_pixel_ratio": ratio,
                "refresh_hz": screen.refreshRate(),
            }


def _require_pictures_fit(session: Session, library: Library, screen: QSize) -> None:
    """Decode every picture that is still to come once, so that none fails in the middle of the session."""
    done = {row["trial"] for row in session.done}
    for row in session.plan:
        if row["trial"] not in done:
            path = library.path(row["stimulus"])
            require_fit(load(path), path, screen)
