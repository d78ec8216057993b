"""Short pages with a question: the pause, and a store that cannot be written."""

from PySide6.QtCore import Signal

from gan_eval.quiz.app.pages.parts import Page, button


class PausePage(Page):
    """Esc: go on, go on another time, or stop for good. Everything answered is stored already."""

    resumed = Signal()
    left = Signal()
    aborted = Signal()

    def __init__(self, *, done: int, trials: int, scale: float) -> None:
        super().__init__(scale=scale, width=640)
        self.add_text("Pause", "title")
        self.add_text(
            f"{done} of {trials} pictures are done. All answers are stored. "
            "A picture that was on the screen just now does not come again."
        )
        self.add_text("Take your time. After you go on, the next picture comes within a second or two.")
        self._stop = button("Stop for good", self._ask_to_stop)
        self._later = button("Another time", self.left.emit)
        self._go_on = button("Go on", self.resumed.emit, main=True)
        self._question = self.add_text("", "problem")
        self.add_buttons(self._stop, self._later, self._go_on)
        self.add_text("Esc: go on    Tab: next button    Enter: press the button", "muted")
        self.on_key("Esc", self.resumed.emit)
        self.first = self._go_on

    def _ask_to_stop(self) -> None:
        """The first press asks, the second stops."""
        if self._question.text():
            self.aborted.emit()
            return
        self._question.setText(
            "Stopping for good ends your part: your answers so far are kept, but you cannot go on later. "
            "Press “Stop for good” once more to stop."
        )


class ProblemPage(Page):
    """The store cannot be written: try again, or leave."""

    retried = Signal()
    left = Signal()

    def __init__(self, message: str, *, scale: float) -> None:
        super().__init__(scale=scale, width=640)
        self.add_text("Please call the experimenter", "title")
        self.add_text("The last answer could not be stored. It is kept until this works, and the session waits.")
        self.add_text(message, "problem")
        again = button("Try again", self.retried.emit, main=True)
        leave = button("Leave without the last answer", self.left.emit)
        self.add_buttons(leave, again)
        self.first = again
