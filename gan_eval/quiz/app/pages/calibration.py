"""The width of the screen, checked with a ruler, and the viewing distance: visual angles are computed from them."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from gan_eval.quiz.app.pages.parts import Page, StepPage, text_label
from gan_eval.quiz.app.style import INK, Look
from gan_eval.quiz.station import ScreenSize
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import DISTANCES_CM, SCREEN_WIDTHS_CM


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
        """Draw it at this number of physical pixels in a centimetre; None: not at all."""
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
        ink, line = QColor(INK), max(1, round(ratio * self._look.px(2)))
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
    """Asks once on each computer for the width of the screen and the viewing distance, with a ruler to check."""

    def __init__(self, look: Look, texts: Texts, size: ScreenSize, *, pixels: int, claimed_cm: float) -> None:
        """Make the page, with the screen's width in physical pixels, and in cm as the screen states it (0: none)."""
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

    @property
    def screen_size(self) -> ScreenSize:
        """The lengths in the lines; None where they are not within the limits."""
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

    def _draw(self) -> None:
        width = self.screen_size.screen_width_cm
        self.ruler.set_scale(None if width is None else self._pixels / width)
        length = self.ruler.centimetres
        self._advice.setText(self.texts("size_ruler", length=length) if length else "")
