"""The application around a session: the pages before, between and after the trials, and all exits."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, Literal

from PySide6.QtCore import QObject, QSize, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from gan_eval.base.errors import UserError
from gan_eval.quiz.app.keys import Keyboard
from gan_eval.quiz.app.loading import check_pictures
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.marking import MarkPage
from gan_eval.quiz.app.pages.parts import NoticePage, Page, StepPage, progress_bar
from gan_eval.quiz.app.pages.steps import ConsentPage, KeysPage, QuestionPage, key_caps
from gan_eval.quiz.app.process import exempt_live_objects, timing_critical
from gan_eval.quiz.app.stage import WINDOW_TITLE, PictureStage, note_differences
from gan_eval.quiz.app.trials import COMMIT_SECONDS, TrialRunner
from gan_eval.quiz.library import Library
from gan_eval.quiz.review import review, score_lines
from gan_eval.quiz.session import Session, Unsaved
from gan_eval.quiz.station import Presentation
from gan_eval.quiz.trial import State
from gan_eval.quiz.visual_angle import enlarged_width, picture_width
from gan_eval.quiz.wording import TrialTexts, instructions, presented_consent, welcome_title
from gan_eval.settings.quiz import ConsentSettings, QuizSettings

Status = Literal["complete", "aborted", "open", "declined", "other_person"]
"""`declined`: no consent, so nothing began. `other_person`: the open session is another person's and stays open."""
Step = Literal["resume", "welcome", "consent", "keys", "ready"] | int
"""A page before the first trial; a number is the index of a question of the study."""
_PROBLEM_TEXTS: dict[Unsaved, tuple[str, str]] = {
    "answer": ("problem_unsaved", "exit_without_answer"),
    "end": ("problem_unended", "exit"),
    "nothing": ("problem_saved", "exit"),
}
"""Names of the text of a problem page and of its button to exit, by what is not stored yet."""


def run_application(
    session: Session,
    library: Library,
    settings: QuizSettings,
    *,
    presentation: Presentation,
    warn: Callable[[str], None] = lambda _: None,
) -> Status:
    """Run a session on the screen until it ends or the participant exits, then call `warn` with each warning.

    Raises:
        UserError: no such screen; a picture is broken or larger than the window; the store cannot be written at the
            start.
        KeyboardInterrupt: a signal ended the program.
    """
    qt = QApplication.instance()
    if not isinstance(qt, QApplication):
        qt = QApplication([WINDOW_TITLE])
    qt.setQuitOnLastWindowClosed(False)
    quiz = QuizApplication(qt, session, library, settings, presentation=presentation)
    try:
        with timing_critical():
            return quiz.run()
    finally:
        quiz.stage.close()
        for line in session.warnings:  # behind a full-screen window nobody reads them
            warn(line)


class QuizApplication(QObject):
    """The pages and trials that a participant sees, from the welcome page to the end page."""

    def __init__(
        self,
        qt: QApplication,
        session: Session,
        library: Library,
        settings: QuizSettings,
        *,
        presentation: Presentation,
    ) -> None:
        super().__init__()
        self._qt = qt
        self._session = session
        self.library = library
        self._settings = settings
        self._intro, self._note = presentation.intro, presentation.note
        self._status: Status = "open"
        self._error: BaseException | None = None
        self.stage = PictureStage(settings, presentation)
        self.stage.shell.close_requested.connect(self._leave)
        self.stage.round_exposures(session)
        self._look, self._texts = self.stage.look, self.stage.texts
        self._checked_size = QSize()
        self._warn_of_small_pictures()
        self._agreement = presented_consent(settings.consent, self._texts)
        self._consent: ConsentSettings | None = None
        self._answers: dict[str, str | None] = {}
        self._steps: list[Step] = ["resume", "welcome", "keys"]  # of a resumed session
        if session.state is State.NEW:
            self._steps = ["welcome", "consent", *range(len(settings.questions)), "keys", "ready"]
        self._widths: set[int] = set()
        self.trials = TrialRunner(
            session,
            self.stage.window,
            Keyboard(self.stage.window),
            library,
            settings,
            texts=self._texts,
            breaks=self._intro,
            screen_differs=note_differences(session, self.stage.description()),
        )
        self.trials.over.connect(self._over)
        self.trials.paused.connect(self._pause)
        self.trials.break_due.connect(self._break)
        self.trials.marks_due.connect(self._ask_marks)
        self.trials.failed.connect(self._problem)

    def run(self) -> Status:
        """Run the event loop until the session ends or the participant exits."""
        hook = sys.excepthook
        sys.excepthook = lambda _, error, __: self._give_up(error)  # raised in a Qt callback: raise it again here
        try:
            with on_termination(self._terminate):
                row, settings = self._session.row, self._settings
                is_fixed = self._session.state is not State.NEW and settings.picture_size != "native"
                width = row["picture_width_px"] if is_fixed else picture_width(settings, self.stage.viewing)
                self.library.show_at(width)  # the same in the whole session
                self._check_pictures()
                if self._intro:
                    self._turn_to(0)
                else:
                    self._begin()
                if self._error is None:
                    self._qt.exec()
        finally:
            sys.excepthook = hook
        if self._error is not None:
            raise self._error
        return self._status

    def _warn_of_small_pictures(self) -> None:
        """Warn the experimenter about pictures that fill less than a tenth of the screen."""
        widest = max(self.library.widths(self._session.plan), default=0)
        screen = self.stage.description()["screen_width"]
        larger = enlarged_width(widest, screen)
        if self._settings.picture_size == "native" and larger:
            self._session.warnings.append(
                f"the pictures are {widest} pixels wide, the screen {screen}; to enlarge them, set "
                f"picture_size = {larger} in [quiz] of the study file before others take part, or with --stimuli give "
                f"--picture-size {larger}"
            )

    def _turn_to(self, index: int) -> None:
        """Show a page before the first trial; exit before the first page, begin after the last."""
        if index < 0:
            self._leave()
        elif index == len(self._steps):
            self._begin()
        else:
            self.stage.show_page(self._make_page(self._steps[index], index))

    def _make_page(self, step: Step, index: int) -> Page:
        texts, settings, session = self._texts, self._settings, self._session
        back, on = partial(self._turn_to, index - 1), partial(self._turn_to, index + 1)
        page: StepPage
        match step:
            case "resume":
                began, lines = session.row["started_at"], []
                if began is not None:
                    time = datetime.fromisoformat(began).astimezone()
                    lines = [texts("resume_question", date=f"{time:%Y-%m-%d}", time=f"{time:%H:%M}")]
                buttons = [("exit", back), ("resume_no", self._exit_as_other_person), ("continue", on)]
                return self._notice(
                    step,
                    lines,
                    buttons=buttons,
                    hint="hint_welcome",
                    escape=back,
                    participant=session.row["participant"],
                )
            case "welcome":
                done, trials = session.counted
                lines = [texts("welcome_back", done=done, trials=trials)] if done else []
                return self._notice(
                    step,
                    [*lines, *instructions(settings, trials, texts)],
                    buttons=[("back" if index else "exit", back), ("continue", on)],
                    hint="hint_step" if index else "hint_welcome",
                    escape=back,
                    title=welcome_title(settings, texts),
                    participant=session.row["participant"],
                    extra=self._key_caps,
                )
            case "ready":
                practice = sum(row["phase"] == "practice" for row in session.plan)
                name, text = "ready", "ready_task"
                if practice:
                    name, text = "practice", "practice_text" if session.has_truth else "practice_text_no_truth"
                return self._notice(
                    name,
                    [texts(text, practice=practice), texts("ready_text"), *filter(None, [self._note])],
                    buttons=[("back", back), ("start", on)],
                    hint="hint_ready",
                    escape=back,
                    extra=self._key_caps,
                )
            case "consent":
                page = ConsentPage(self._look, texts, self._agreement)
                page.refused.connect(self._leave)
            case "keys":
                page = KeysPage(self._look, texts, settings, keys=session.protocol.keys)
            case _:
                question, count = settings.questions[step], len(settings.questions)
                answer = self._answers.get(question.id)
                page = QuestionPage(self._look, texts, question, number=step + 1, count=count, answer=answer)
        page.continued.connect(lambda: self._turn_from(page, index + 1))
        page.went_back.connect(lambda: self._turn_from(page, index - 1))
        return page

    def _turn_from(self, page: StepPage, index: int) -> None:
        """Remember the entries of a page and show the page at `index`. Nothing is stored yet."""
        match page:
            case ConsentPage() if page.box.isChecked():
                self._consent = self._agreement
            case QuestionPage():
                self._answers[page.question.id] = page.answer
        self._turn_to(index)

    def _notice(self, name: str, lines: Sequence[str], **how: Any) -> NoticePage:
        return NoticePage(self._look, self._texts, name, lines, **how)

    @property
    def _key_caps(self) -> QWidget:
        return key_caps(self._look, self._texts, self._settings, self._session.protocol.keys)

    def _check_pictures(self) -> None:
        """Decode the pictures that are still to be shown, and refuse one that does not fit the window."""
        session, self._checked_size = self._session, self.stage.window_pixels
        done = {row["trial"] for row in session.done}
        coming = [row for row in session.plan if row["trial"] not in done]
        self._widths = check_pictures(coming, session.protocol, self.library, self.stage.canvas)

    def _begin(self) -> None:
        session = self._session
        if session.state is State.NEW:
            width = next(iter(self._widths)) if len(self._widths) == 1 else None
            session.row |= self.stage.description() | self.stage.viewing.columns(width)
            checks = self.stage.checks(session.row["session"])
            session.begin(self._consent, answers=self._answers, checks=checks)
        self._run_trials()

    def _run_trials(self) -> None:
        # On another screen, exposures in whole frames of the first one are wrong, and the window may be smaller.
        self.stage.round_exposures(self._session)
        if self.stage.window_pixels != self._checked_size:
            try:
                self._check_pictures()
            except UserError as error:
                self._problem(str(error))
                return
        exempt_live_objects()
        self.stage.show_trials()
        self.trials.start()

    def _ask_marks(self) -> None:
        """Show the page on which the last trial's picture is marked."""
        session, settings = self._session, self._settings
        question, trial = TrialTexts(self._texts, settings, {}).mark_question, session.done[-1]["trial"]
        page = MarkPage(self._look, self._texts, self.trials.to_mark, question, trial, settings)
        page.on_key("Esc", lambda: self._pause(""))
        page.finished.connect(session.mark)
        page.finished.connect(lambda _: self._run_trials())
        self.stage.show_page(page)

    def _break(self) -> None:
        """Show the page of a break, or that practice is over."""
        texts, (done, trials) = self._texts, self._session.counted
        if self._session.done[-1]["phase"] == "practice":
            text = texts("counts_text" if self._session.has_truth else "counts_text_no_truth", trials=trials)
            buttons, hint, extra = [("start", self._run_trials)], "hint_start", self._key_caps
            page = self._notice("counts", [text, texts("ready_text")], buttons=buttons, hint=hint, extra=extra)
        else:
            buttons = [("save_and_quit", self._leave), ("continue", self._run_trials)]
            lines, extra = [texts("break_text", done=done, trials=trials)], progress_bar(self._look, done, trials)
            page = self._notice("break", lines, buttons=buttons, hint="hint_buttons", extra=extra)
        self.stage.show_page(page)

    def _pause(self, note: str) -> None:
        match self._session.state:
            case State.OVER:  # no trial is left
                self._over()
                return
            case State.SAVING | State.FAILED:
                self._unsaved_problem()
                return
        texts, (done, trials) = self._texts, self._session.counted
        question = texts("withdraw_question", withdraw=texts("withdraw"))

        def withdraw() -> None:
            """Ask for confirmation; stop at the second press."""
            if page.problem.text() == question:
                self._abort()
            page.problem.setText(question)

        page = self._notice(
            "pause",
            [texts("pause_text", done=done, trials=trials), texts("pause_resume_text")],
            buttons=[("withdraw", withdraw), ("save_and_quit", self._leave), ("continue", self._run_trials)],
            hint="hint_pause",
            escape=self._run_trials,
            problem=note,
            extra=progress_bar(self._look, done, trials),
        )
        self.stage.show_page(page)

    def _unsaved_problem(self) -> None:
        """Report that the store cannot be written or does not answer."""
        slow = self._texts("problem_slow", seconds=self._texts.number(COMMIT_SECONDS))
        self._problem(str(self._session.error or slow))

    def _problem(self, message: str) -> None:
        text, leave = _PROBLEM_TEXTS[self._session.unsaved]
        buttons = [(leave, self._quit), ("try_again", self._retry)]
        page = self._notice("problem", [self._texts(text)], buttons=buttons, hint="hint_buttons", problem=message)
        self.stage.show_page(page)

    def _retry(self) -> None:
        """Try again; the trial window waits for pending commits."""
        if self._session.advance() is State.FAILED:
            self._session.retry()
        self._run_trials()

    def _abort(self) -> None:
        if self._waited() in (State.READY, State.MARKING):
            self._session.abort()
        if self._waited() in (State.SAVING, State.FAILED):
            self._unsaved_problem()
            return
        self._quit()

    def _waited(self) -> State:
        """Return the session's state after the store has answered, or after a time limit."""
        with suppress(TimeoutError):
            return self._session.wait(COMMIT_SECONDS)
        return self._session.state

    def _exit_as_other_person(self) -> None:
        """Exit, because the open session belongs to another person."""
        self._status = "other_person"
        self._qt.exit()

    def _leave(self) -> None:
        """Exit with the session open, or with nothing stored if it has not begun."""
        if self._session.state is State.SAVING and self._waited() in (State.SAVING, State.FAILED):
            self._unsaved_problem()
            return
        self._quit()

    def _over(self) -> None:
        if not self._intro or self._session.row["status"] == "aborted":
            self._quit()
            return
        done = self._session.done
        reviewed = review(done, self.library, self._texts) if self._settings.show_review else []
        scores = score_lines(done, self._texts) if self._settings.show_score else []
        page = EndPage(self._look, self._texts, scores, reviewed)
        page.finished.connect(self._quit)
        self.stage.show_page(page)

    def _quit(self) -> None:
        match self._session.advance():
            case State.NEW:
                self._status = "declined"
            case State.OVER:
                self._status = "complete" if self._session.row["status"] == "complete" else "aborted"
            case _:
                self._status = "open"
        self._qt.exit()

    def _terminate(self) -> None:
        """Handle a signal: store the current trial and end."""
        if self._session.state is not State.NEW:
            self.trials.interrupt()
        self._give_up(KeyboardInterrupt())

    def _give_up(self, error: BaseException) -> None:
        self._error = self._error or error
        self._qt.exit()


@contextmanager
def on_termination(call: Callable[[], None]) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM call `call` from the event loop instead of ending the program.

    Python handles signals only while it runs its own code, so a timer interrupts the waiting event loop.
    """
    caught = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: QTimer.singleShot(0, call)) for number in caught}
    awake = QTimer(interval=200)
    awake.timeout.connect(lambda: None)
    awake.start()
    try:
        yield
    finally:
        awake.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
