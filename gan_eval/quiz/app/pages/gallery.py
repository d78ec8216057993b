"""The review: one line for each trial, with its pictures; and one trial large."""

from collections.abc import Sequence
from contextlib import suppress
from math import floor
from pathlib import Path

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gan_eval.errors import UserError
from gan_eval.quiz.app.loading import load, load_thumbnail
from gan_eval.quiz.app.painting import GREY
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.review import Panel, ReviewedTrial, panels, sentence, trial_lines
from gan_eval.quiz.wording import Texts

THUMBNAIL = 150
"""Longer side of a picture in the review, in pixels at scale 1."""

_LINES = 6
"""The most that is said of a trial."""
_Index = QModelIndex | QPersistentModelIndex


class _Trials(QAbstractListModel):
    """The reviewed trials as a list."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self.trials: Sequence[ReviewedTrial] = ()

    def show(self, trials: Sequence[ReviewedTrial]) -> None:
        """Hold these trials instead."""
        self.beginResetModel()
        self.trials = trials
        self.endResetModel()

    def rowCount(self, _: _Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name and signature)
        return len(self.trials)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return sentence(self.trials[index.row()], self._texts)
        return None


class _Painter(QStyledItemDelegate):
    """Paints a trial; a thumbnail is loaded when its line is painted for the first time."""

    def __init__(self, model: _Trials, look: Look, texts: Texts) -> None:
        super().__init__()
        self._model = model
        self._look = look
        self._texts = texts
        self._thumbnails: dict[tuple[Path, float], QImage | None] = {}

    def sizeHint(self, _: QStyleOptionViewItem, __: _Index) -> QSize:  # noqa: N802
        pictures = self._look.px(THUMBNAIL + 18) + self._look.font(26)
        return QSize(self._look.px(560), max(pictures, self._look.font(24) * _LINES + self._look.px(20)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        look, colours = self._look, self._look.palette
        trial = self._model.trials[index.row()]
        area: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(colours.ground))
            painter.fillRect(_placed(option, QRect(area.left(), area.top(), look.px(5), area.height())), colours.focus)
        painter.setPen(QColor(colours.line))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_lines(painter, option, trial)
        trial_panels = panels(trial, self._texts)
        step = look.px(THUMBNAIL + 28)
        block = QRect(area.right() - len(trial_panels) * step, area.top(), len(trial_panels) * step, area.height())
        left = _placed(option, block).left()
        for place, panel in enumerate(trial_panels):  # in the order in which a pair was shown, in every language
            corner = QRect(left + place * step + look.px(14), area.top() + look.px(9), look.px(150), look.px(150))
            self._paint_panel(painter, corner, panel)
        painter.restore()

    def _paint_lines(self, painter: QPainter, option: QStyleOptionViewItem, trial: ReviewedTrial) -> None:
        look, colours = self._look, self._look.palette
        inks = {"right": colours.right, "wrong": colours.wrong, "muted": colours.muted}
        area, line = option.rect, look.font(24)
        for number, row in enumerate(trial_lines(trial, self._texts)):
            strong = row.tone in ("strong", "right", "wrong")
            painter.setFont(_font(painter, look.font(16), strong=strong))
            painter.setPen(QColor(inks.get(row.tone, colours.ink)))
            place = QRect(area.left() + look.px(20), area.top() + look.px(10) + number * line, area.width() // 2, line)
            towards = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
            painter.drawText(_placed(option, place), towards | Qt.AlignmentFlag.AlignVCenter, row.text)

    def _paint_panel(self, painter: QPainter, area: QRect, panel: Panel) -> None:
        look, colours = self._look, self._look.palette
        image = None if panel.path is None else self._thumbnail(panel.path, painter.device().devicePixelRatio())
        painter.setFont(_font(painter, look.font(13), strong=panel.marked))
        painter.setPen(QColor(colours.ink if panel.marked else colours.muted))
        below = QRect(area.left() - look.px(12), area.bottom() + look.px(4), area.width() + look.px(24), look.font(52))
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, panel.caption)
        if image is None:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._texts("picture_missing"))
            return
        frame = QRect(area.topLeft(), image.deviceIndependentSize().toSize())
        frame.moveCenter(area.center())
        painter.drawImage(frame.topLeft(), image)
        if panel.marked:
            painter.setPen(QPen(QColor(colours.focus), look.px(3)))
            painter.drawRect(frame.adjusted(-look.px(2), -look.px(2), look.px(1), look.px(1)))

    def _thumbnail(self, path: Path, ratio: float) -> QImage | None:
        """The small picture, loaded once; None where the file has gone or broken since."""
        key = (path, ratio)
        if key not in self._thumbnails:
            try:
                self._thumbnails[key] = load_thumbnail(path, self._look.px(THUMBNAIL), ratio=ratio)
            except UserError:
                self._thumbnails[key] = None
        return self._thumbnails[key]


class Gallery(QListView):
    """The reviewed trials in order, scrolled by keyboard or mouse."""

    def __init__(self, look: Look, texts: Texts) -> None:
        super().__init__()
        self._trials = _Trials(texts)
        self._painter = _Painter(self._trials, look, texts)
        self.setModel(self._trials)
        self.setItemDelegate(self._painter)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
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

    def show_trials(self, trials: Sequence[ReviewedTrial]) -> None:
        """Put these trials into the list, the first one marked."""
        self._trials.show(trials)
        self.mark(0)

    def mark(self, place: int) -> None:
        """Mark a trial and bring it into view."""
        self.setCurrentIndex(self._trials.index(place, 0))

    def turn_page(self, direction: int) -> None:
        """Mark the trial that is so many lines on as fit into the view."""
        lines = max(1, self.viewport().height() // max(1, self.sizeHintForRow(0)))
        self.mark(max(0, min(len(self.trials) - 1, self.current + direction * lines)))


def _placed(option: QStyleOptionViewItem, area: QRect) -> QRect:
    """An area of a line, mirrored where texts run from right to left."""
    return QStyle.visualRect(option.direction, option.rect, area)


def _font(painter: QPainter, height: int, *, strong: bool) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(height)
    font.setBold(strong)
    return font


_INK = QColor(10, 10, 10)


class Viewer(QWidget):
    """Covers the page that it belongs to, on the grey on which the pictures were judged."""

    closed = Signal(int)
    """The place of the trial that was looked at last."""

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
        trial = self._trials[self.place]
        self.setAccessibleName(sentence(trial, self._texts))
        self._panels: list[tuple[Panel, QImage | None]] = []
        for panel in panels(trial, self._texts):
            image = None
            if panel.path is not None:
                with suppress(UserError):  # the file may have gone or broken since
                    image = load(panel.path)
            self._panels.append((panel, image))
        self.update()

    @property
    def zoom(self) -> float:
        """Physical pixels of the screen for one of a picture: a whole number, or less than 1 where they do not fit."""
        pictures = [image for _, image in self._panels if image is not None]
        if not pictures:
            return 1.0
        line = self._look.font(30)
        width = self.width() // len(self._panels) - self._look.px(24)
        room = QSize(width, self.height() - 21 * line // 4) * self.devicePixelRatio()  # for each picture
        widest = max(image.width() for image in pictures)
        highest = max(image.height() for image in pictures)
        fits = min(room.width() / widest, room.height() / highest)
        return fits if fits < 1 else float(floor(fits))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """The arrow keys turn; Esc and Enter are the page's."""
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Up:
                self.turn_to(self.place - 1)
            case Qt.Key.Key_Right | Qt.Key.Key_Down | Qt.Key.Key_Space:
                self.turn_to(self.place + 1)

    def mousePressEvent(self, _: QMouseEvent) -> None:  # noqa: N802
        """A click closes."""
        self.close_it()

    def close_it(self) -> None:
        """Say that it is to be taken away."""
        self.closed.emit(self.place)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Draw the pictures with their captions, what is said of the trial above, the keys below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GREY)
        line = self._look.font(30)
        self._write(painter, QRect(0, line // 4, self.width(), 2 * line), self.accessibleName(), strong=True)
        zoom = self.zoom
        below = self._texts("hint_viewer")
        if zoom != 1:
            below += "    " + self._texts("viewer_size", percent=round(100 * zoom))
        self._write(painter, QRect(0, self.height() - line - line // 2, self.width(), line), below)
        column = self.width() // len(self._panels)
        for place, (panel, image) in enumerate(self._panels):
            area = QRect(place * column, 9 * line // 4, column, self.height() - 15 * line // 4)
            self._paint_panel(painter, area, panel, image, zoom / self.devicePixelRatio())
        painter.end()

    def _paint_panel(
        self, painter: QPainter, area: QRect, panel: Panel, image: QImage | None, logical_zoom: float
    ) -> None:
        line = self._look.font(30)
        middle = area.adjusted(0, 0, 0, -line).center()
        if image is None:
            self._write(painter, QRect(area.left(), middle.y(), area.width(), line), self._texts("picture_missing"))
            return
        size = QSize(round(image.width() * logical_zoom), round(image.height() * logical_zoom))
        corner = middle - QPoint(size.width() // 2, size.height() // 2)
        exact = QRectF(corner.x(), corner.y(), image.width() * logical_zoom, image.height() * logical_zoom)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 1)
        painter.drawImage(exact, image)
        below = round(exact.bottom()) + self._look.px(8)
        self._write(painter, QRect(area.left(), below, area.width(), line), panel.caption)
        if panel.marked:
            edge = self._look.px(3)
            painter.setPen(QPen(QColor("white"), edge))
            painter.drawRect(exact.adjusted(-edge, -edge, edge, edge))

    def _write(self, painter: QPainter, area: QRect, text: str, *, strong: bool = False) -> None:
        font = QFont(painter.font())
        font.setPixelSize(self._look.font(17))
        font.setBold(strong)
        painter.setFont(font)
        painter.setPen(_INK)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
