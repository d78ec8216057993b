"""Short pages with a question: the break, the pause, and a store that cannot be written."""

from math import ceil

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QProgressBar

from gan_eval.quiz.app.pages.parts import Look, Page, button
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.session import AtStake
from gan_eval.quiz.wording import Texts

_AT_STAKE: dict[AtStake, str] = {"answer": "problem_unsaved", "end": "problem_unended", "nothing": "problem_saved"}


class BreakPage(Page):
    """Between blocks: at least this long, then the participant continues when ready."""

    resumed = Signal()
    left = Signal()

    def __init__(self, look: Look, texts: Texts, *, done: int, trials: int, seconds: float) -> None:
        super().__init__(look, texts, width=640)
        self._over = now_ns() + round(seconds * 1e9)
        self.add_text(texts("break_title"), "title")
        self.add_text(texts("break_text", done=done, trials=trials))
        self.body.addWidget(_bar(look, done, trials))
        self._wait = self.add_text("")
        later = button(texts("another_time"), self.left.emit)
        self.on = button(texts("go_on"), self.resumed.emit, main=True)
        self.add_buttons(later, self.on, hint=texts("hint_buttons"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # until the break is over no button has the keyboard
        self._timer = QTimer(self, interval=200)
        self._timer.timeout.connect(self._count)
        self._timer.start()
        self._count()

    def _count(self) -> None:
        left = self._over - now_ns()
        self.on.setEnabled(left <= 0)
        if left > 0:
            self._wait.setText(self.texts("break_wait", seconds=ceil(left / 1e9)))
            return
        self._timer.stop()
        self._wait.setText(self.texts("break_over"))
        self.first = self.on
        if self.hasFocus():
            self.on.setFocus()


class PausePage(Page):
    """Continue now, continue another time, or stop for good. All answers so far are stored."""

    resumed = Signal()
    left = Signal()
    aborted = Signal()

    def __init__(self, look: Look, texts: Texts, *, done: int, trials: int, note: str = "") -> None:
        super().__init__(look, texts)
        self.add_text(texts("pause_title"), "title")
        if note:
            self.add_text(note, "problem")
        self.add_text(texts("pause_text", done=done, trials=trials))
        self.add_text(texts("pause_go_on"))
        self.body.addWidget(_bar(look, done, trials))
        self._question = self.add_text("", "problem")
        stop = button(texts("stop"), self._ask_to_stop)
        later = button(texts("another_time"), self.left.emit)
        on = button(texts("go_on"), self.resumed.emit, main=True)
        self.add_buttons(stop, later, on, hint=texts("hint_pause"))
        self.on_key("Esc", self.resumed.emit)
        self.first = on

    def _ask_to_stop(self) -> None:
        """The first press asks, the second stops."""
        if self._question.text():
            self.aborted.emit()
        else:
            self._question.setText(self.texts("stop_question", stop=self.texts("stop")))


class ProblemPage(Page):
    """The store cannot be written or does not answer, or a picture has gone: try again, or leave."""

    retried = Signal()
    left = Signal()

    def __init__(self, look: Look, texts: Texts, message: str, *, at_stake: AtStake) -> None:
        super().__init__(look, texts, width=640)
        self.add_text(texts("problem_title"), "title")
        self.add_text(texts(_AT_STAKE[at_stake]))
        self.add_text(message, "problem")
        leave = button(texts("leave_without" if at_stake == "answer" else "leave"), self.left.emit)
        again = button(texts("try_again"), self.retried.emit, main=True)
        self.add_buttons(leave, again, hint=texts("hint_buttons"))
        self.first = again


def _bar(look: Look, done: int, trials: int) -> QProgressBar:
    bar = QProgressBar(maximum=trials, value=done, textVisible=False)
    bar.setFixedHeight(look.px(12))
    return bar
