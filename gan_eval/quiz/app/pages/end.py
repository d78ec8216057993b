"""The end page: the own score, and the review with its filters: trials side by side, and one trial large."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QListView, QPushButton, QWidget

from gan_eval.errors import UserError
from gan_eval.quiz.app.loading import load
from gan_eval.quiz.app.pages.parts import Page, button, literal, text_label
from gan_eval.quiz.app.painting import GREY
from gan_eval.quiz.app.style import ACCENT, INK, Look
from gan_eval.quiz.review import Panel, ReviewedTrial, ScoreLine, useful_filters
from gan_eval.quiz.wording import Texts

CELL = 440
"""Width of a trial in the list at scale 1; the list has as many columns as fit."""
_Index = QModelIndex | QPersistentModelIndex


def trial_image(trial: ReviewedTrial, *, look: Look, texts: Texts, side: int, ratio: float) -> QImage:
    """Return a trial's pictures next to each other with their captions, each in a square of `side` logical pixels."""
    step, caption = side + look.px(24), look.font(52)
    image = QImage(QSize(len(trial.panels) * step, side + caption) * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    for place, panel in enumerate(trial.panels):
        _paint_panel(painter, QRect(place * step + look.px(12), 0, side, side), panel, look, texts, ratio)
    painter.end()
    return image


def _paint_panel(painter: QPainter, area: QRect, panel: Panel, look: Look, texts: Texts, ratio: float) -> None:
    font = QFont()
    font.setPixelSize(look.font(14))
    font.setBold(panel.marked)
    painter.setFont(font)
    painter.setPen(QColor(INK))
    below = QRect(area.left() - look.px(12), area.bottom() + look.px(4), area.width() + look.px(24), look.font(48))
    painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, panel.caption)
    try:
        picture = None if panel.path is None else load(panel.path)
    except UserError:  # the file is missing or broken by now
        picture = None
    if picture is None:
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, texts("picture_missing"))
        return
    smooth = (Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    picture = picture.scaled(area.size() * ratio, *smooth)
    frame = QRect(area.topLeft(), picture.size() / ratio)
    frame.moveCenter(area.center())
    painter.drawImage(frame, picture)
    if panel.marked:
        painter.setPen(QPen(QColor(ACCENT), look.px(3)))
        painter.drawRect(frame)


class _Trials(QAbstractListModel):
    """The reviewed trials as a list; a trial's pictures are loaded when it is painted for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self._images: dict[int, QImage] = {}
        self._draw: Callable[[ReviewedTrial], QImage]
        self.trials: Sequence[ReviewedTrial] = ()

    def show(self, trials: Sequence[ReviewedTrial], draw: Callable[[ReviewedTrial], QImage]) -> None:
        self.beginResetModel()
        self.trials, self._draw = trials, draw
        self._images.clear()
        self.endResetModel()

    def rowCount(self, _: _Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name and signature)
        return len(self.trials)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        trial = self.trials[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return "   ".join(trial.lines)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return trial.sentence
        if role == Qt.ItemDataRole.DecorationRole:
            if index.row() not in self._images:
                self._images[index.row()] = self._draw(trial)
            return self._images[index.row()]
        return None


class Gallery(QListView):
    """The reviewed trials in order, scrolled by keyboard or mouse."""

    def __init__(self, look: Look, texts: Texts) -> None:
        super().__init__()
        self._look = look
        self._texts = texts
        self._trials = _Trials()
        self.setModel(self._trials)
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

    @property
    def trials(self) -> Sequence[ReviewedTrial]:
        """The trials in the list."""
        return self._trials.trials

    @property
    def current(self) -> int:
        """The place of the trial that is marked."""
        return max(0, self.currentIndex().row())

    @property
    def columns(self) -> int:
        """Number of trials side by side."""
        return max(1, self.viewport().width() // self._look.px(CELL))

    def show_trials(self, trials: Sequence[ReviewedTrial]) -> None:
        """Put these trials into the list, the first one marked."""
        look, texts, view = self._look, self._texts, self.viewport().size()
        width = view.width() // self.columns - 1
        widest = max((len(trial.panels) for trial in trials), default=1)
        around = look.font(52 + 56)  # captions and two rows of text
        side = max(look.px(60), min((width - look.px(20)) // widest - look.px(24), view.height() * 3 // 5 - around))
        self.setGridSize(QSize(width, side + around))
        ratio = self.devicePixelRatio()
        self._trials.show(trials, partial(trial_image, look=look, texts=texts, side=side, ratio=ratio))
        self.mark(0)

    def mark(self, place: int) -> None:
        """Mark a trial and bring it into view."""
        self.setCurrentIndex(self._trials.index(place, 0))

    def turn_page(self, direction: int) -> None:
        """Mark the trial one page of rows before or after the current one."""
        step = max(1, self.viewport().height() // self.gridSize().height()) * self.columns
        self.mark(max(0, min(len(self.trials) - 1, self.current + direction * step)))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Leave characters to the page instead of searching for them."""
        if event.text().isprintable() and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Fill the new size."""
        super().resizeEvent(event)
        place = self.current
        self.show_trials(self.trials)
        self.mark(place)


class Viewer(QWidget):
    """Covers the page that it belongs to, on the grey on which the pictures were judged."""

    clicked = Signal()
    """It is to be taken away; `place` is that of the trial that was looked at last."""

    def __init__(
        self, parent: QWidget, look: Look, texts: Texts, trials: Sequence[ReviewedTrial], *, place: int
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._texts = texts
        self._trials = trials
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setGeometry(parent.rect())
        self.turn_to(place)

    def turn_to(self, place: int) -> None:
        """Show another trial."""
        self.place = max(0, min(len(self._trials) - 1, place))
        self.setAccessibleName(self._trials[self.place].sentence)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """The arrow keys turn; Esc and Enter are the page's."""
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Up:
                self.turn_to(self.place - 1)
            case Qt.Key.Key_Right | Qt.Key.Key_Down | Qt.Key.Key_Space:
                self.turn_to(self.place + 1)

    def mousePressEvent(self, _: QMouseEvent) -> None:  # noqa: N802
        """A click closes."""
        self.clicked.emit()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Draw the pictures with their captions, the trial's lines above, the keys below."""
        trial, line = self._trials[self.place], self._look.font(30)
        painter = QPainter(self)
        painter.fillRect(self.rect(), GREY)
        font = QFont()
        font.setPixelSize(self._look.font(17))
        painter.setFont(font)
        painter.setPen(QColor(INK))
        centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRect(0, line // 4, self.width(), 2 * line), centred, self.accessibleName())
        painter.drawText(
            QRect(0, self.height() - 3 * line // 2, self.width(), line), centred, self._texts("hint_viewer")
        )
        columns = len(trial.panels)
        side = max(1, min(self.width() // columns - self._look.px(24), self.height() - 6 * line))
        image = trial_image(trial, look=self._look, texts=self._texts, side=side, ratio=self.devicePixelRatio())
        painter.drawImage((self.width() - columns * (side + self._look.px(24))) // 2, 5 * line // 2, image)
        painter.end()


class EndPage(Page):
    """Shown after the last trial; the only page with the truth about the pictures."""

    finished = Signal()

    def __init__(self, look: Look, texts: Texts, scores: Sequence[ScoreLine], trials: Sequence[ReviewedTrial]) -> None:
        """Make the page; an empty score, or review, is not shown."""
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
            count = sum(name in trial.filters for trial in self._trials)
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
        self.gallery.show_trials([trial for trial in self._trials if name in trial.filters])

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
