"""The end page: the number correct for each group, and the review."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel

from gan_eval.quiz.app.pages.gallery import Gallery
from gan_eval.quiz.app.pages.parts import Page, button, text_label
from gan_eval.quiz.review import GroupScore, ReviewedTrial

_GROUPS = {"real": "Real photographs", "fake": "Fake (generated) pictures"}


class EndPage(Page):
    """Shown after the last trial; the only page that tells the truth about the pictures."""

    finished = Signal()

    def __init__(self, scores: Sequence[GroupScore], trials: Sequence[ReviewedTrial], *, scale: float) -> None:
        super().__init__(scale=scale, width=920 if trials else 640, fill=bool(trials))
        self.add_text("Thank you", "title")
        self.add_text("The session is complete and all answers are stored.")
        if scores:
            self.body.addLayout(self._score_table(scores))
        if trials:
            self.add_text("Your answers, picture by picture", "heading")
            self.gallery = Gallery(trials, scale=scale)
            self.body.addWidget(self.gallery, 1)
        finish = button("Finish", self.finished.emit, main=True)
        hint = "Arrow keys, Page Up, Page Down: move    Enter: finish" if trials else "Enter: finish"
        self.add_buttons(finish, hint=hint)
        for keys in ("Return", "Enter", "Esc"):
            self.on_key(keys, self.finished.emit)
        self.first = self.gallery if trials else finish

    def _score_table(self, scores: Sequence[GroupScore]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(self.px(28))
        several = len({score.dataset for score in scores}) > 1
        for line, score in enumerate(scores):
            group = _GROUPS[score.kind] + (f" ({score.dataset})" if several else "")
            grid.addWidget(QLabel(group), line, 0)
            grid.addWidget(text_label(f"{score.correct} of {score.shown} correct", "number"), line, 1)
            missed = f"{score.unanswered} without an answer" if score.unanswered else ""
            grid.addWidget(text_label(missed, "muted"), line, 2)
        grid.setColumnStretch(2, 1)
        return grid
