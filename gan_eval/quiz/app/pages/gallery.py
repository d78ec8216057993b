"""The review: one line for each trial, with label picture, ground truth and generated picture."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gan_eval.errors import UserError
from gan_eval.quiz.app import style
from gan_eval.quiz.app.pictures import load_thumbnail
from gan_eval.quiz.review import ReviewedTrial

THUMBNAIL = 150
"""Longer side of a picture in the review, in pixels at scale 1."""

_WORDS = {"real": "real", "fake": "fake", "none": "no answer"}
_Index = QModelIndex | QPersistentModelIndex


def verdict(trial: ReviewedTrial) -> str:
    """Right or wrong in a symbol and a word, so that it does not hang on colour."""
    if trial.correct is None:
        return "– no answer"
    return "✓ right" if trial.correct else "✗ wrong"


def sentence(trial: ReviewedTrial) -> str:
    """A trial as a screen reader says it."""
    time = "" if trial.reaction_time_ms is None else f", after {trial.reaction_time_ms / 1000:.2f} seconds"
    return (
        f"Picture {trial.number}: shown {_WORDS[trial.shown]}, your answer {_WORDS[trial.answer]}, "
        f"{verdict(trial)[2:]}{time}"
    )


class _Trials(QAbstractListModel):
    """The reviewed trials as a list."""

    def __init__(self, trials: Sequence[ReviewedTrial]) -> None:
        super().__init__()
        self.trials = trials

    def rowCount(self, _: _Index = QModelIndex()) -> int:  # noqa: N802, B008  (Qt's name and signature)
        return len(self.trials)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return sentence(self.trials[index.row()])
        return None


class _Painter(QStyledItemDelegate):
    """Paints a trial; a thumbnail is loaded when its line is painted for the first time."""

    def __init__(self, trials: Sequence[ReviewedTrial], *, scale: float) -> None:
        super().__init__()
        self._trials = trials
        self._scale = scale
        self._thumbnails: dict[tuple[Path, float], QImage | None] = {}

    def sizeHint(self, _: QStyleOptionViewItem, __: _Index) -> QSize:  # noqa: N802
        return QSize(self._px(700), self._px(THUMBNAIL + 42))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        trial = self._trials[index.row()]
        area: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(style.GROUND))
        painter.setPen(QColor(style.LINE))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_words(painter, area.adjusted(self._px(20), self._px(14), 0, 0), trial)
        pictures = (
            ("label picture", trial.pictures.label, False),
            ("ground truth", trial.pictures.truth, trial.shown == "real"),
            ("generated", trial.pictures.generated, trial.shown == "fake"),
        )
        step = self._px(THUMBNAIL + 28)
        left = area.right() - 3 * step
        for place, (caption, path, shown) in enumerate(pictures):
            corner = QRect(left + place * step, area.top() + self._px(9), self._px(THUMBNAIL), self._px(THUMBNAIL))
            self._paint_picture(painter, corner, path, caption, shown=shown)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRect, trial: ReviewedTrial) -> None:
        line = self._px(25)
        colour = {True: style.RIGHT, False: style.WRONG, None: style.MUTED}[trial.correct]
        seconds = "" if trial.reaction_time_ms is None else f"after {trial.reaction_time_ms / 1000:.2f} s"
        lines = [
            (f"Picture {trial.number}", style.INK, True),
            (f"shown: {_WORDS[trial.shown]}", style.INK, False),
            (f"your answer: {_WORDS[trial.answer]}", style.INK, False),
            (verdict(trial), colour, True),
            (seconds, style.MUTED, False),
        ]
        for number, (text, ink, bold) in enumerate(lines):
            font = QFont(painter.font())
            font.setPixelSize(self._px(16))
            font.setBold(bold)
            painter.setFont(font)
            painter.setPen(QColor(ink))
            painter.drawText(area.left(), area.top() + self._px(14) + number * line, text)

    def _paint_picture(self, painter: QPainter, area: QRect, path: Path | None, caption: str, *, shown: bool) -> None:
        image = None if path is None else self._thumbnail(path, painter.device().devicePixelRatio())
        font = QFont(painter.font())
        font.setPixelSize(self._px(13))
        font.setBold(shown)
        painter.setFont(font)
        painter.setPen(QColor(style.INK if shown else style.MUTED))
        below = QRect(
            area.left() - self._px(12), area.bottom() + self._px(5), area.width() + self._px(24), self._px(22)
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, f"▲ {caption}, shown" if shown else caption)
        if image is None:
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "none")
            return
        size = image.deviceIndependentSize().toSize()
        frame = QRect(area.topLeft(), size)
        frame.moveCenter(area.center())
        painter.drawImage(frame.topLeft(), image)
        if shown:
            painter.setPen(QPen(QColor(style.ACCENT), self._px(3)))
            painter.drawRect(frame.adjusted(-self._px(2), -self._px(2), self._px(1), self._px(1)))

    def _thumbnail(self, path: Path, ratio: float) -> QImage | None:
        """The small picture, loaded once; None where the file has gone or broken since."""
        key = (path, ratio)
        if key not in self._thumbnails:
            try:
                self._thumbnails[key] = load_thumbnail(path, self._px(THUMBNAIL), ratio=ratio)
            except UserError:
                self._thumbnails[key] = None
        return self._thumbnails[key]

    def _px(self, length: float) -> int:
        return round(length * self._scale)


class Gallery(QListView):
    """The reviewed trials in order, scrolled by keyboard or mouse."""

    def __init__(self, trials: Sequence[ReviewedTrial], *, scale: float) -> None:
        super().__init__()
        self._trials = _Trials(trials)
        self._painter = _Painter(trials, scale=scale)
        self.setModel(self._trials)
        self.setItemDelegate(self._painter)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Your answers, picture by picture")
        self.setCurrentIndex(self._trials.index(0, 0))
