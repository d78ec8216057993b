"""The consent page."""

from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from gan_eval.quiz.app.pages.parts import button, literal
from gan_eval.quiz.app.pages.step import StepPage
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import ConsentSettings


class TickBox(QCheckBox):
    """A box with a tick in the look's colours; a style sheet alone can only fill it."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__(literal(text))
        self._look = look

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (Qt's name)
        """Draw the tick over the filled box."""
        super().paintEvent(event)
        if not self.isChecked():
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        corners = ((0.25, 0.52), (0.43, 0.7), (0.77, 0.3))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._look.palette.paper), self._look.font(2.5)))
        painter.drawPolyline([QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in corners])
        painter.end()


class ConsentPage(StepPage):
    """The study's text; the way on is open only with the box ticked."""

    refused = Signal()

    def __init__(self, look: Look, words: Texts, consent: ConsentSettings) -> None:
        super().__init__(look, words)
        self.add_text(words("consent_title"), "title")
        for paragraph in consent.text.splitlines():
            if paragraph.strip():
                self.add_text(paragraph)
        self.add_rule()
        self.box = TickBox(look, words("consent_agree"))
        self.body.addWidget(self.box)
        self.refuse = button(words("consent_refuse"), self.refused.emit)
        self.on = button(words("go_on"), self.go_on, main=True)
        self.on.setEnabled(False)
        self.box.toggled.connect(self.on.setEnabled)
        self.add_buttons(self.refuse, self.on, hint=words("hint_consent"))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.box

    def go_on(self) -> None:
        """Only with the box ticked."""
        if self.box.isChecked():
            self.went_on.emit()
