"""The end page: the participant's score and the review of all trials."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QListView, QWidget

from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import read_rgb
from gan_eval.quiz.app.loading import to_image
from gan_eval.quiz.app.pages.parts import ACCENT, INK, Page, PageLook, button, text_label
from gan_eval.quiz.review import ReviewedTrial, ScoreLine
from gan_eval.quiz.wording import Texts

CELL = 380
"""Smallest width of a trial in the list at scale 1."""
LARGE_SCALE = 1.2
"""Scale of a screen from which the pictures are larger."""
LARGE_PANEL = 240
"""Width of each picture there, at scale 1."""
LARGE_CELL = 560
"""Maximum width of a trial there, at scale 1."""
_Index = QModelIndex | QPersistentModelIndex


def trial_image(trial: ReviewedTrial, *, look: PageLook, texts: Texts, side: int, ratio: float) -> QImage:
    """Return a trial's pictures in a row with captions, each in a square of `side` logical pixels."""
    step, caption = side + look.px(24), look.font(52)
    image = QImage(QSize(len(trial.panels) * step, side + caption) * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    font = QFont()
    font.setPixelSize(look.font(14))
    smooth = (Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    for column, panel in enumerate(trial.panels):
        area = QRect(column * step + look.px(12), 0, side, side)
        font.setBold(panel.marked)
        painter.setFont(font)
        painter.setPen(QColor(INK))
        below = QRect(area.left() - look.px(12), area.bottom() + look.px(4), area.width() + look.px(24), look.font(48))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, panel.caption)
        try:
            pixels = None if panel.path is None else read_rgb(panel.path)
        except UserError:  # the file has been removed or damaged
            pixels = None
        if pixels is None:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, texts("picture_missing"))
            continue
        picture = to_image(pixels).scaled(area.size() * ratio, *smooth)
        frame = QRect(area.topLeft(), picture.size() / ratio)
        frame.moveCenter(area.center())
        painter.drawImage(frame, picture)
        if panel.marked:
            painter.setPen(QPen(QColor(ACCENT), look.px(3)))
            painter.drawRect(frame)
    painter.end()
    return image


class _Trials(QAbstractListModel):
    """The reviewed trials as a list; a trial's pictures are loaded when it is first painted."""

    def __init__(self, trials: Sequence[ReviewedTrial], draw: Callable[[ReviewedTrial], QImage]) -> None:
        super().__init__()
        self._image = cache(lambda row: draw(trials[row]))
        self._trials = trials

    def rowCount(self, _: _Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name and signature)
        return len(self._trials)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        trial = self._trials[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return "   ".join(trial.lines)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return trial.sentence
        return self._image(index.row()) if role == Qt.ItemDataRole.DecorationRole else None


class ReviewGallery(QListView):
    """The reviewed trials in order, in as many columns as fit, scrolled by keyboard or mouse."""

    def __init__(self, look: PageLook, texts: Texts, trials: Sequence[ReviewedTrial]) -> None:
        super().__init__()
        panels, is_large = max(len(trial.panels) for trial in trials), look.scale >= LARGE_SCALE
        cell = min(LARGE_CELL, max(CELL, LARGE_PANEL * panels)) if is_large else CELL
        side = look.px(cell - 20) // panels - look.px(24)
        draw = partial(trial_image, look=look, texts=texts, side=side, ratio=self.devicePixelRatio())
        self._trials = _Trials(trials, draw)
        self.setModel(self._trials)
        between = look.px(16) * is_large
        self._cell = QSize(look.px(cell), side + look.font(52 + 56) + between)  # a caption, two lines of text
        self.setViewportMargins(0, look.px(8), 0, 0)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setWordWrap(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setAccessibleName(texts("review_title"))
        self.setMinimumHeight(look.px(260))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Divide the width among the columns, so that fewer lines of text are cut."""
        super().resizeEvent(event)
        width = self.viewport().width()
        columns = max(1, width // self._cell.width())
        self.setGridSize(QSize(width // columns - 1, self._cell.height()))


class EndPage(Page):
    """The page after the last trial, the only one with the truth about the pictures."""

    finished = Signal()

    def __init__(
        self, look: PageLook, texts: Texts, scores: Sequence[ScoreLine], trials: Sequence[ReviewedTrial]
    ) -> None:
        """Make the page; an empty score or review is not shown."""
        super().__init__(look, texts, width=1600 if trials else 640, fill=bool(trials))
        if trials:  # the list gets the space
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
        self.leave = button(texts("exit"), self.finished.emit, main=True)
        self.first: QWidget = self.leave
        if trials:
            self.gallery = ReviewGallery(look, texts, trials)
            self.add_text(texts("review_title"), "heading")
            self.body.addWidget(self.gallery, 1)
            self.first = self.gallery
        self.add_buttons(self.leave)
        self.buttons.insertWidget(0, text_label(texts("hint_review" if trials else "hint_end"), "muted"), 100)

    def _scroll(self, direction: int) -> None:
        """Scroll the list, if there is one, with Page Up and Page Down."""
        bar = (self._area if self.first is self.leave else self.gallery).verticalScrollBar()
        bar.setValue(bar.value() + direction * bar.pageStep())

    def _enter(self) -> None:
        """Ignore Enter in the list, which is not meant for the button."""
        if self.leave.hasFocus() or self.first is self.leave:
            super()._enter()
