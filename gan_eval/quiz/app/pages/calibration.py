"""The screen's scale by a bank card, and the viewing distance: what degrees of visual angle are made from."""

from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from gan_eval.quiz.app.pages.parts import StepPage, button, text_label
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.wording import Texts

CARD_MM = (85.60, 53.98)
"""Width and height of a bank card (ISO/IEC 7810, ID-1)."""

DISTANCES_CM = (20, 500)
"""The viewing distances that are taken for an answer."""

_CORNER_MM = 3.18
_NARROWEST = 120
_LARGE_STEP = 20
_MARGIN = 8
"""Logical pixels around the frame, for its line."""


class CardFrame(QWidget):
    """A bank card's frame, so many physical pixels wide."""

    def __init__(self, look: Look, texts: Texts, *, width: int, widest: int) -> None:
        super().__init__()
        self._look = look
        self._texts = texts
        self._widest = widest
        self.resize_to(width)

    def resize_to(self, width: int) -> None:
        """Draw it so wide."""
        self.pixels = max(_NARROWEST, min(self._widest, width))
        self.setAccessibleName(self._texts("card_name", width=self.pixels))
        wide = self.pixels / self.devicePixelRatio()
        self.setFixedSize(round(wide) + _MARGIN, round(wide * CARD_MM[1] / CARD_MM[0]) + _MARGIN)
        self.update()

    def showEvent(self, _: QShowEvent) -> None:  # noqa: N802  (Qt's name)
        """Only now the screen, and so its pixels, are known."""
        self.resize_to(self.pixels)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Draw the outer edge at the card's exact width."""
        width = self.pixels / self.devicePixelRatio()
        height = width * CARD_MM[1] / CARD_MM[0]
        corner = width * _CORNER_MM / CARD_MM[0]
        line = float(self._look.px(2))
        card = QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._look.palette.accent), line))
        painter.setBrush(QColor(self._look.palette.ground))
        painter.drawRoundedRect(card.adjusted(line / 2, line / 2, -line / 2, -line / 2), corner, corner)
        painter.end()


class CardPage(StepPage):
    """A frame is made as wide as a bank card that is held against the screen."""

    def __init__(self, look: Look, texts: Texts, *, width: int, widest: int) -> None:
        """Make the page.

        Args:
            look: sizes and colours.
            texts: the texts.
            width: the frame's width to begin with, in physical pixels.
            widest: what fits on the screen, in physical pixels.
        """
        super().__init__(look, texts, width=10_000)
        self.add_text(texts("card_title"), "title")
        self.add_text(texts("card_task"))
        self.frame = CardFrame(look, texts, width=width, widest=widest)
        self.body.addWidget(self.frame, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        row.addStretch(1)
        for name, step in (("card_smaller", -1), ("card_larger", 1)):
            sizer = button(texts(name), partial(self._change, step))
            sizer.setAutoRepeat(True)
            row.addWidget(sizer)
        row.addStretch(1)
        self.body.addLayout(row)
        self.add_navigation(hint="hint_card")
        self.add_skip()
        for key, step in {"Left": -1, "Down": -1, "Right": 1, "Up": 1}.items():
            self.on_key(key, partial(self._change, step), held=True)

    @property
    def pixels_per_mm(self) -> float | None:
        """Physical pixels in a millimetre; None: skipped."""
        return None if self.skipped else self.frame.pixels / CARD_MM[0]

    def _change(self, pixels: int) -> None:
        self.frame.resize_to(self.frame.pixels + pixels)

    def _scroll(self, direction: int) -> None:
        """Page Up and Page Down size the frame here."""
        self._change(-direction * _LARGE_STEP)


class DistancePage(StepPage):
    """How far the eyes are from the screen."""

    def __init__(self, look: Look, texts: Texts, *, centimetres: float | None) -> None:
        super().__init__(look, texts, width=640)
        self.add_text(texts("distance_title"), "title")
        self.add_text(texts("distance_task"))
        self.line = QLineEdit("" if centimetres is None else f"{centimetres:g}", maxLength=8)
        self.line.setMaximumWidth(look.font(120))
        self.line.setAccessibleName(f"{texts('distance_title')}, {texts('distance_unit')}")
        row = QHBoxLayout()
        row.addWidget(self.line)
        row.addWidget(text_label(texts("distance_unit"), wrap=False))
        row.addStretch(1)
        self.body.addLayout(row)
        self.problem = self.add_text("", "problem")
        self.add_navigation()
        self.add_skip()
        self.first = self.line

    @property
    def centimetres(self) -> float | None:
        """The distance; None: skipped, or not a distance."""
        try:
            centimetres = float(self.line.text().strip().replace(",", "."))
        except ValueError:
            return None
        least, most = DISTANCES_CM
        return centimetres if least <= centimetres <= most and not self.skipped else None

    def go_on(self) -> None:
        """Only with a distance that can be."""
        if self.centimetres is None and not self.skipped:
            least, most = DISTANCES_CM
            self.problem.setText(self.texts("distance_wrong", least=least, most=most))
            self.line.setFocus()
        else:
            self.went_on.emit()
