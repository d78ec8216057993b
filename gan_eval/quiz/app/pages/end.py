"""The end page: the own score, and the review with its filters."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton

from gan_eval.quiz.app.pages.gallery import Gallery, Viewer
from gan_eval.quiz.app.pages.parts import Page, button, literal, text_label
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.review import FILTERS, ReviewedTrial, ScoreLine, useful_filters
from gan_eval.quiz.wording import Texts


class EndPage(Page):
    """Shown after the last trial; the only page with the truth about the pictures."""

    finished = Signal()

    def __init__(self, look: Look, texts: Texts, scores: Sequence[ScoreLine], trials: Sequence[ReviewedTrial]) -> None:
        """Make the page.

        Args:
            scores: the own score; nothing: it is not shown.
            trials: the review; nothing: it is not shown.
        """
        super().__init__(look, texts, width=1600 if trials else 640, fill=bool(trials))
        self._trials = trials
        self.viewer: Viewer | None = None
        if trials:  # the list is to have the room
            self.body.setContentsMargins(look.px(28), look.px(12), look.px(28), look.px(12))
            self.body.setSpacing(look.px(6))
        self.add_text(texts("end_title"), "title")
        self.add_text(texts("end_text"))
        if scores:
            grid = QGridLayout()
            grid.setHorizontalSpacing(look.px(14))
            grid.setVerticalSpacing(look.px(4))
            for row, line in enumerate(scores):
                grid.addWidget(text_label(line.group, wrap=False), row, 0)
                grid.addWidget(text_label(line.value, "number", wrap=False), row, 1)
                grid.addWidget(text_label(line.remark, "muted"), row, 2)
            grid.setColumnStretch(2, 1)
            self.body.addLayout(grid)
        if trials:
            self._add_review()
        self.leave = button(texts("leave"), self.finished.emit, main=True)
        self.add_buttons(self.leave)
        self.buttons.insertWidget(0, text_label(texts("hint_review" if trials else "hint_end"), "muted"), 100)
        self.first = self.leave
        if trials:
            self.first = self.gallery
            self.setTabOrder(self.gallery, self.leave)
            self.on_key("Esc", self._close_viewer)

    def _add_review(self) -> None:
        self.gallery = Gallery(self.look, self.texts)
        self.filters = QButtonGroup(self)
        row = QGridLayout()
        row.setHorizontalSpacing(self.look.px(6))
        row.setColumnStretch(6, 1)
        in_a_row = 6 if self.look.text < 1.5 else 3
        self.add_text(self.texts("review_title"), "heading")
        for number, name in enumerate(useful_filters(self._trials), 1):
            count = sum(map(FILTERS[name], self._trials))
            filter_button = QPushButton(literal(self.texts(f"filter_{name}", count=count)))
            filter_button.setObjectName("filter")
            filter_button.setCheckable(True)
            filter_button.setChecked(name == "all")
            filter_button.setAccessibleDescription(self.texts("filter_name"))
            filter_button.clicked.connect(partial(self._show_only, name))
            self.filters.addButton(filter_button)
            row.addWidget(filter_button, *divmod(number - 1, in_a_row))
            self.on_key(str(number), filter_button.click)
        self.body.addLayout(row)
        self.body.addWidget(self.gallery, 1)
        self.gallery.doubleClicked.connect(self._enlarge)
        self._show_only("all")

    def _show_only(self, name: str, _: bool = True) -> None:
        self.gallery.show_trials([trial for trial in self._trials if FILTERS[name](trial)])

    def _scroll(self, direction: int) -> None:
        """Page Up and Page Down turn the list's pages here."""
        if self._trials and self.gallery.hasFocus():
            self.gallery.turn_page(direction)
        else:
            super()._scroll(direction)

    def _enter(self) -> None:
        if self.viewer is not None:
            self._close_viewer()
        elif self._trials and self.gallery.hasFocus():
            self._enlarge(self.gallery.currentIndex())
        else:
            super()._enter()

    def _enlarge(self, _: QModelIndex) -> None:
        self.viewer = Viewer(self, self.look, self.texts, self.gallery.trials, place=self.gallery.current)
        self.viewer.clicked.connect(self._close_viewer)
        self.card.setEnabled(False)  # its keys rest meanwhile
        self.viewer.show()
        self.viewer.raise_()
        self.viewer.setFocus()

    def _close_viewer(self) -> None:
        if self.viewer is not None:
            self.viewer.hide()
            self.viewer.deleteLater()
            self.card.setEnabled(True)
            self.gallery.mark(self.viewer.place)
            self.gallery.setFocus()
            self.viewer = None
