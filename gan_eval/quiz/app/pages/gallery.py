"""The review: each trial with its pictures, as many side by side as there is room for; and one trial large."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
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
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from gan_eval.errors import UserError
from gan_eval.quiz.app.loading import load, load_thumbnail
from gan_eval.quiz.app.painting import GREY
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.review import Line, Panel, ReviewedTrial, panels, sentence, trial_lines
from gan_eval.quiz.wording import Texts

LEAST_SIDE = 110
"""A picture in the review is never smaller, in pixels at scale 1."""

ROWS_IN_VIEW = 1.5
"""So many rows of trials are seen at once where pictures can be large enough: that there are more, too."""

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


@dataclass(frozen=True)
class Arrangement:
    """How the trials fill the list, in logical pixels: what is said of each in a few rows, below it its pictures."""

    columns: int
    cell: QSize
    side: int
    """Of a picture's square."""
    rows: int
    """Of text."""


class _Painter(QStyledItemDelegate):
    """Paints a trial; a thumbnail is loaded when it is painted for the first time."""

    def __init__(self, model: _Trials, look: Look, texts: Texts) -> None:
        super().__init__()
        self._model = model
        self._look = look
        self._texts = texts
        self._thumbnails: dict[tuple[Path, int, float], QImage | None] = {}
        self.arrangement = Arrangement(1, QSize(1, 1), 1, 1)

    def arrange(self, view: QSize) -> None:
        """Fill a view's width: as few columns as let rows be seen, with pictures as large as there is room."""
        trials, look = self._model.trials, self._look
        n_panels = max((len(panels(trial, self._texts)) for trial in trials), default=1)
        of_trials = [trial_lines(trial, self._texts) for trial in trials]
        margin, between = look.px(20), look.px(28)

        def arranged(columns: int) -> Arrangement:
            width = view.width() // columns
            rows = max((self._flow(lines, width - 2 * margin)[-1][1] + 1 for lines in of_trials), default=1)
            around = rows * look.font(24) + look.px(30) + look.font(26)
            side = max(look.px(LEAST_SIDE) // 2, min((width - margin) // n_panels - between, view.height() - around))
            return Arrangement(columns, QSize(width, side + around), side, rows)

        self.arrangement = arranged(1)
        for columns in range(2, len(trials) + 1):
            finer = arranged(columns)
            if self.arrangement.cell.height() * ROWS_IN_VIEW <= view.height() or finer.side < look.px(LEAST_SIDE):
                break
            self.arrangement = finer

    def sizeHint(self, _: QStyleOptionViewItem, __: _Index) -> QSize:  # noqa: N802
        return self.arrangement.cell

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
        step = (area.width() - look.px(20)) // len(trial_panels)
        side, top = self.arrangement.side, area.top() + look.px(16) + self.arrangement.rows * look.font(24)
        left = _placed(option, QRect(area.left() + look.px(20), 0, len(trial_panels) * step, 1)).left()
        for place, panel in enumerate(trial_panels):  # in the order in which a pair was shown, in every language
            self._paint_panel(painter, QRect(left + place * step + (step - side) // 2, top, side, side), panel)
        painter.restore()

    def _paint_lines(self, painter: QPainter, option: QStyleOptionViewItem, trial: ReviewedTrial) -> None:
        look, colours = self._look, self._look.palette
        inks = {"right": colours.right, "wrong": colours.wrong, "muted": colours.muted}
        area, height = option.rect, look.font(24)
        for left, row, line in self._flow(trial_lines(trial, self._texts), area.width() - 2 * look.px(20)):
            font = _font(look.font(16), strong=line.tone in STRONG)
            painter.setFont(font)
            painter.setPen(QColor(inks.get(line.tone, colours.ink)))
            width = QFontMetrics(font).horizontalAdvance(line.text) + 1
            place = QRect(area.left() + look.px(20) + left, area.top() + look.px(10) + row * height, width, height)
            painter.drawText(_placed(option, place), Qt.AlignmentFlag.AlignCenter, line.text)

    def _flow(self, lines: Sequence[Line], width: int) -> list[tuple[int, int, Line]]:
        """What is said of a trial, one thing after the other: how far from the edge, and in which row of text."""
        plain, strong = (QFontMetrics(_font(self._look.font(16), strong=strong)) for strong in (False, True))
        placed, left, row = [], 0, 0
        for line in lines:
            needed = (strong if line.tone in STRONG else plain).horizontalAdvance(line.text)
            if left and left + needed > width:
                left, row = 0, row + 1
            placed.append((left, row, line))
            left += needed + self._look.font(18)
        return placed

    def _paint_panel(self, painter: QPainter, area: QRect, panel: Panel) -> None:
        look, colours = self._look, self._look.palette
        image = None if panel.path is None else self._thumbnail(panel.path, painter.device().devicePixelRatio())
        painter.setFont(_font(look.font(13), strong=panel.marked))
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
        """The small picture, loaded once for each size; None where the file has gone or broken since."""
        key = (path, self.arrangement.side, ratio)
        if key not in self._thumbnails:
            try:
                self._thumbnails[key] = load_thumbnail(path, self.arrangement.side, ratio=ratio)
            except UserError:
                self._thumbnails[key] = None
        return self._thumbnails[key]


class Gallery(QListView):
    """The reviewed trials in order, side by side where there is room, scrolled by keyboard or mouse."""

    def __init__(self, look: Look, texts: Texts) -> None:
        super().__init__()
        self._trials = _Trials(texts)
        self._painter = _Painter(self._trials, look, texts)
        self.setModel(self._trials)
        self.setItemDelegate(self._painter)
        self.setUniformItemSizes(True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
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
        self._arrange()
        self.mark(0)

    def mark(self, place: int) -> None:
        """Mark a trial and bring it into view."""
        self.setCurrentIndex(self._trials.index(place, 0))

    def turn_page(self, direction: int) -> None:
        """Mark the trial that is so many rows on as fit into the view."""
        arrangement = self._painter.arrangement
        step = max(1, self.viewport().height() // arrangement.cell.height()) * arrangement.columns
        self.mark(max(0, min(len(self.trials) - 1, self.current + direction * step)))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Leave characters to the page instead of searching for them."""
        if event.text().isprintable() and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (Qt's name)
        """Fill the new size."""
        self._arrange()
        super().resizeEvent(event)

    def _arrange(self) -> None:
        # a scroll bar's width is left free, as Qt does, whether there is one or not: else it would come and go
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        self._painter.arrange(self.maximumViewportSize() - QSize(bar + 1, 0))
        self.scheduleDelayedItemsLayout()


def _placed(option: QStyleOptionViewItem, area: QRect) -> QRect:
    """An area of a line, mirrored where texts run from right to left."""
    return QStyle.visualRect(option.direction, option.rect, area)


STRONG = ("strong", "right", "wrong")
"""Tones of lines in bold type."""


def _font(height: int, *, strong: bool) -> QFont:
    font = QFont()
    font.setPixelSize(height)
    font.setBold(strong)
    return font


_INK = QColor(10, 10, 10)


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
        """Physical pixels of the screen for one of a picture: the largest that fits, from 2 on in whole numbers."""
        pictures = [image for _, image in self._panels if image is not None]
        if not pictures:
            return 1.0
        line = self._look.font(30)
        width = self.width() // len(self._panels) - self._look.px(24)
        room = QSize(width, self.height() - 21 * line // 4) * self.devicePixelRatio()  # for each picture
        widest = max(image.width() for image in pictures)
        highest = max(image.height() for image in pictures)
        fits = min(room.width() / widest, room.height() / highest)
        return fits if fits < 2 else float(floor(fits))

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
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 2)
        painter.drawImage(exact, image)
        below = round(exact.bottom()) + self._look.px(8)
        self._write(painter, QRect(area.left(), below, area.width(), line), panel.caption)
        if panel.marked:
            edge = self._look.px(3)
            painter.setPen(QPen(QColor("white"), edge))
            painter.drawRect(exact.adjusted(-edge, -edge, edge, edge))

    def _write(self, painter: QPainter, area: QRect, text: str, *, strong: bool = False) -> None:
        painter.setFont(_font(self._look.font(17), strong=strong))
        painter.setPen(_INK)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
