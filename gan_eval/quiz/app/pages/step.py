"""What the pages before the first trial have in common: a way on and a way back."""

from PySide6.QtCore import Signal

from gan_eval.quiz.app.pages.parts import Page, button


class StepPage(Page):
    """One of the pages before the first trial."""

    went_on = Signal()
    went_back = Signal()
    skipped = False

    def add_way(self, *, on: str = "go_on", back: str = "back", hint: str = "hint_step") -> None:
        """Add the buttons back and on, by the names of their texts; Esc goes back."""
        self.back = button(self.words(back), self.went_back.emit)
        self.on = button(self.words(on), self.go_on, main=True)
        self.add_buttons(self.back, self.on, hint=self.words(hint))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.on

    def add_skip(self) -> None:
        """Add a way on without an answer; `skipped` tells whether it was taken."""
        self.buttons.insertWidget(0, button(self.words("skip"), self._skip))

    def go_on(self) -> None:
        """To the next page; a page that wants an answer first says so instead."""
        self.went_on.emit()

    def _skip(self) -> None:
        self.skipped = True
        self.went_on.emit()
