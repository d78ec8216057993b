"""The review: each trial with its pictures, as many side by side as there is room for; and one trial large."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QWidget

from gan_eval.errors import UserError
from gan_eval.quiz.app.loading import load
from gan_eval.quiz.app.painting import GREY
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.review import Panel, ReviewedTrial, panels, sentence, trial_lines
from gan_eval.quiz.wording import Texts

CELL = 440
"""Width of a trial in the list at scale 1; the list has as many columns as fit."""

_Index = QModelIndex | QPersistentModelIndex


def trial_image(trial: ReviewedTrial, look: Look, texts: Texts, side: int, *, ratio: float) -> QImage:
    """Return a trial's pictures next to each other with their captions.

    Args:
        trial: what was shown.
        side: side of a picture's square in logical pixels.
        ratio: physical pixels for one logical pixel.
    """
    shown, step, caption = panels(trial, texts), side + look.px(24), look.font(52)
    image = QImage(QSize(len(shown) * step, side + caption) * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    for place, panel in enumerate(shown):
        _paint_panel(painter, QRect(place * step + look.px(12), 0, side, side), panel, look, texts, ratio)
    painter.end()
    return image


def _paint_panel(painter: QPainter, area: QRect, panel: Panel, look: Look, texts: Texts, ratio: float) -> None:
    font = QFont()
    font.setPixelSize(look.font(14))
    font.setBold(panel.marked)
    painter.setFont(font)
    painter.setPen(QColor(look.palette.ink))
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
        painter.setPen(QPen(QColor(look.palette.focus), look.px(3)))
        painter.drawRect(frame)


class _Trials(QAbstractListModel):
    """The reviewed trials as a list; a trial's pictures are loaded when it is painted for the first time."""

    def __init__(self, look: Look, texts: Texts) -> None:
        super().__init__()
        self._look = look
        self._texts = texts
        self._images: dict[int, QImage] = {}
        self.trials: Sequence[ReviewedTrial] = ()
        self.side = 1
        self.ratio = 1.0

    def show(self, trials: Sequence[ReviewedTrial], side: int, ratio: float) -> None:
        """Hold these trials, with pictures of this size."""
        self.beginResetModel()
        self.trials, self.side, self.ratio = trials, side, ratio
        self._images.clear()
        self.endResetModel()

    def rowCount(self, _: _Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name and signature)
        return len(self.trials)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = index.row()
        if role == Qt.ItemDataRole.DisplayRole:
            return "   ".join(trial_lines(self.trials[row], self._texts))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return sentence(self.trials[row], self._texts)
        if role == Qt.ItemDataRole.DecorationRole:
            if row not in self._images:
                trial = self.trials[row]
                self._images[row] = trial_image(trial, self._look, self._texts, self.side, ratio=self.ratio)
            return self._images[row]
        return None


class Gallery(QListView):
    """The reviewed trials in order, scrolled by keyboard or mouse."""

    def __init__(self, look: Look, texts: Texts) -> None:
        super().__init__()
        self._look = look
        self._texts = texts
        self._trials = _Trials(look, texts)
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
        look, view = self._look, self.viewport().size()
        width = view.width() // self.columns - 1
        widest = max((len(panels(trial, self._texts)) for trial in trials), default=1)
        around = look.font(52 + 56)  # captions and two rows of text
        side = max(look.px(60), min((width - look.px(20)) // widest - look.px(24), view.height() * 3 // 5 - around))
        self.setGridSize(QSize(width, side + around))
        self._trials.show(trials, side, self.devicePixelRatio())
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
        self.setAccessibleName(sentence(self._trials[self.place], self._texts))
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
        painter.setPen(QColor(self._look.palette.ink))
        centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRect(0, line // 4, self.width(), 2 * line), centred, self.accessibleName())
        painter.drawText(
            QRect(0, self.height() - 3 * line // 2, self.width(), line), centred, self._texts("hint_viewer")
        )
        columns = len(panels(trial, self._texts))
        side = max(1, min(self.width() // columns - self._look.px(24), self.height() - 6 * line))
        image = trial_image(trial, self._look, self._texts, side, ratio=self.devicePixelRatio())
        painter.drawImage((self.width() - columns * (side + self._look.px(24))) // 2, 5 * line // 2, image)
        painter.end()
