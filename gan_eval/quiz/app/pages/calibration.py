"""The screen's scale by a bank card or a ruler, and the viewing distance: what visual angles are made from."""

from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from gan_eval.quiz.app.pages.parts import Page, StepPage, button, text_label
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.station import ScreenSize
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import DISTANCES_CM, SCREEN_WIDTHS_CM

CARD_MM = (85.60, 53.98)
"""Width and height of a bank card (ISO/IEC 7810, ID-1)."""

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
        self.line = centimetre_line(self, centimetres, name=texts("distance_title"))
        self.problem = self.add_text("", "problem")
        self.add_navigation()
        self.add_skip()
        self.first = self.line

    @property
    def centimetres(self) -> float | None:
        """The distance; None: skipped, or not a distance."""
        return None if self.skipped else centimetres_in(self.line, DISTANCES_CM)

    def go_on(self) -> None:
        """Only with a distance that can be."""
        if self.centimetres is None and not self.skipped:
            least, most = DISTANCES_CM
            self.problem.setText(self.texts("distance_wrong", least=least, most=most))
            self.line.setFocus()
        else:
            self.went_on.emit()


def centimetre_line(page: Page, centimetres: float | None, *, name: str, label: str = "") -> QLineEdit:
    """Add a line for a length in centimetres to a page; `name` is what a screen reader says."""
    line = QLineEdit("" if centimetres is None else page.texts.number(centimetres), maxLength=8)
    line.setMaximumWidth(page.look.font(120))
    line.setAccessibleName(f"{name}, {page.texts('distance_unit')}")
    row = QHBoxLayout()
    if label:
        words = text_label(label, wrap=False)
        words.setMinimumWidth(page.look.font(180))
        row.addWidget(words)
    row.addWidget(line)
    row.addWidget(text_label(page.texts("distance_unit"), wrap=False))
    row.addStretch(1)
    page.body.addLayout(row)
    return line


def centimetres_in(line: QLineEdit, limits: tuple[float, float]) -> float | None:
    """The length that a line holds; None: none within the limits."""
    try:
        centimetres = float(line.text().strip().replace(",", "."))
    except ValueError:
        return None
    return centimetres if limits[0] <= centimetres <= limits[1] else None


class Ruler(QWidget):
    """A bar of whole centimetres with its ends labelled, to hold a ruler to."""

    def __init__(self, look: Look, texts: Texts, *, widest: int) -> None:
        """Make it, without a scale; `widest`: what fits on the screen, in physical pixels."""
        super().__init__()
        self._look = look
        self._texts = texts
        self._widest = widest
        self._pixels_per_cm = 0.0
        self.centimetres = 0
        """Its length: 10 where they fit, else fewer; 0: it has no scale."""
        self.setMinimumHeight(look.font(64))

    def set_scale(self, pixels_per_cm: float | None) -> None:
        """Draw it at so many physical pixels in a centimetre; None: not at all."""
        self._pixels_per_cm = pixels_per_cm or 0.0
        fits = (length for length in (10, 5, 2, 1) if length * self._pixels_per_cm <= self._widest)
        self.centimetres = next(fits, 0) if self._pixels_per_cm else 0
        self.setAccessibleName(self._texts("size_ruler_name", length=self.centimetres))
        self.update()

    @property
    def pixels(self) -> int:
        """Its length in physical pixels, from the outer edge of one end to that of the other."""
        return round(self.centimetres * self._pixels_per_cm)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw whole physical pixels, so that the bar is as long as it says."""
        if not self.centimetres:
            return
        ratio = self.devicePixelRatio()
        painter = QPainter(self)
        painter.scale(1 / ratio, 1 / ratio)
        ink, line = QColor(self._look.palette.ink), max(1, round(ratio * self._look.px(2)))
        width, height = round(self.width() * ratio), round(self.height() * ratio)
        left, tall = (width - self.pixels) // 2, height // 3
        painter.fillRect(left, height - tall // 2 - line, self.pixels, line, ink)
        for centimetre in range(self.centimetres + 1):
            end = centimetre in (0, self.centimetres)
            across = left + round(centimetre * (self.pixels - line) / self.centimetres)
            long = tall if end else tall // 2
            painter.fillRect(across, height - tall // 2 - long // 2 - line // 2, line, long, ink)
            if end:
                font = QFont(painter.font())
                font.setPixelSize(round(ratio * self._look.font(16)))
                painter.setFont(font)
                painter.setPen(ink)
                place = QRect(across - tall * 3, 0, tall * 6, height - tall - tall // 4)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, "0" if centimetre == 0 else f"{centimetre} cm")
        painter.end()


class ScreenSizePage(StepPage):
    """How wide the screen is and from where it is seen: asked once on each computer, and checked with a ruler."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        size: ScreenSize,
        *,
        pixels: int,
        claimed_cm: float,
        closes_after_s: int | None = None,
    ) -> None:
        """Make the page.

        Args:
            look: sizes and colours.
            texts: the texts.
            size: what is known.
            pixels: the screen's width in physical pixels.
            claimed_cm: the width that the screen itself states; 0: none.
            closes_after_s: so many seconds after it was made it goes back where nobody has pressed anything.
        """
        super().__init__(look, texts, width=10_000)
        self._pixels = pixels
        self.add_text(texts("size_title"), "title")
        self.add_text(texts("size_task"))
        claimed = round(claimed_cm, 1) or None
        if claimed is not None and size.screen_width_cm is None:
            self.add_text(texts("size_claimed", width=texts.number(claimed)), "muted")
        width, distance = texts("size_width"), texts("size_distance")
        self.width_line = centimetre_line(self, size.screen_width_cm or claimed, name=width, label=width)
        self.distance_line = centimetre_line(self, size.viewing_distance_cm, name=distance, label=distance)
        self._advice = self.add_text("")
        self.ruler = Ruler(look, texts, widest=round(0.8 * pixels))
        self.body.addWidget(self.ruler)
        self.problem = self.add_text("", "problem")
        self.add_navigation(back="leave", hint="hint_welcome")
        self.first = self.width_line
        self.width_line.textChanged.connect(self._draw)
        self._draw()
        self._seconds_left = closes_after_s or 0
        self._closing = QTimer(self, interval=1000)
        self._closing.timeout.connect(self._count_down)
        if closes_after_s is not None:
            self._countdown = self.add_text(texts("size_closes", time=texts.duration(1000 * closes_after_s)), "muted")
            self._closing.start()
            _application().installEventFilter(self)

    @property
    def screen_size(self) -> ScreenSize:
        """What the lines hold; None where it cannot be."""
        return ScreenSize(
            centimetres_in(self.width_line, SCREEN_WIDTHS_CM), centimetres_in(self.distance_line, DISTANCES_CM)
        )

    def go_on(self) -> None:
        """Only with a width and a distance that can be."""
        size = self.screen_size
        if size.screen_width_cm is not None and size.viewing_distance_cm is not None:
            self.went_on.emit()
            return
        (least, most), (nearest, farthest) = SCREEN_WIDTHS_CM, DISTANCES_CM
        line = self.texts("size_wrong", least=least, most=most, nearest=nearest, farthest=farthest)
        self.problem.setText(line)
        (self.width_line if size.screen_width_cm is None else self.distance_line).setFocus()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Somebody is there: stay. The event goes where it was meant to go."""
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress):
            self._closing.stop()
            self._countdown.setText("")
            _application().removeEventFilter(self)
        return False

    def _count_down(self) -> None:
        self._seconds_left -= 1
        self._countdown.setText(self.texts("size_closes", time=self.texts.duration(1000 * self._seconds_left)))
        if self._seconds_left <= 0:
            self._closing.stop()
            self.went_back.emit()

    def _draw(self) -> None:
        width = self.screen_size.screen_width_cm
        self.ruler.set_scale(None if width is None else self._pixels / width)
        length = self.ruler.centimetres
        self._advice.setText(self.texts("size_ruler", length=length) if length else "")


def _application() -> QCoreApplication:
    application = QCoreApplication.instance()
    assert application is not None, "pages live in an application"
    return application
