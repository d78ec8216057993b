"""The first pages: what the session is about and what to do, consent, and that it starts now."""

from collections.abc import Mapping

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QStyle, QStyleOptionButton, QWidget

from gan_eval.quiz.app.pages.parts import StepPage, button, literal, text_label
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.protocols import PROTOCOLS
from gan_eval.quiz.wording import Texts, instructions, keys_in_order, meaning_of, welcome_title
from gan_eval.settings.quiz import ConsentSettings, QuizSettings


class WelcomePage(StepPage):
    """What the session is about, what to do and with which keys; going back means to leave."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        settings: QuizSettings,
        *,
        title: str,
        participant: str,
        keys: Mapping[str, str],
        trials: int,
        done: int,
    ) -> None:
        """Make the page.

        Args:
            look: sizes and colours.
            texts: the texts.
            settings: the quiz.
            title: the study's, or nothing.
            participant: the pseudonym.
            keys: this participant's key of each answer.
            trials: how many count.
            done: how many of them are done, where the session goes on.
        """
        super().__init__(look, texts)
        self.add_text(title or welcome_title(settings, texts), "title")
        self.add_text(texts("participant", participant=participant), "muted")
        if done:
            self.add_text(texts("welcome_back", done=done, trials=trials))
        for line in instructions(settings, trials, texts):
            self.add_text(line)
        self.body.addWidget(key_caps(look, texts, settings, keys))
        self.add_navigation(back="leave", hint="hint_welcome")


class ReadyPage(StepPage):
    """The last page before trials: practice, or what counts."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        settings: QuizSettings,
        *,
        keys: Mapping[str, str],
        title: str,
        text: str,
        may_go_back: bool,
    ) -> None:
        """Make the page.

        Args:
            look: sizes and colours.
            texts: the texts.
            settings: the quiz.
            keys: this participant's key of each answer.
            title: such as `Practice`.
            text: what comes now.
            may_go_back: there are pages before it.
        """
        super().__init__(look, texts, width=640)
        self.add_text(title, "title")
        self.add_text(text)
        self.body.addWidget(key_caps(look, texts, settings, keys))
        self.add_text(texts("ready_text"))
        self.add_navigation(on="start", hint="hint_ready" if may_go_back else "hint_start")
        self.back.setVisible(may_go_back)
        self.back.setEnabled(may_go_back)


def key_caps(look: Look, texts: Texts, settings: QuizSettings, keys: Mapping[str, str]) -> QWidget:
    """The keys as they lie on the keyboard, each with its answer."""
    caps = QWidget()
    caps.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # a keyboard is not mirrored
    row = QHBoxLayout(caps)
    row.setSpacing(look.px(12))
    row.setContentsMargins(0, look.px(6), 0, look.px(6))
    row.addStretch(1)
    for place, (key, answer) in enumerate(keys_in_order(keys)):
        if place:
            row.addSpacing(look.px(12 if PROTOCOLS[settings.protocol].graded else 48))
        meaning = meaning_of(answer, settings, texts)
        cap = text_label(key, "key", wrap=False)
        cap.setAccessibleName(texts("key_name", key=key, answer=meaning or answer))
        row.addWidget(cap)
        if meaning:
            row.addWidget(text_label(meaning, wrap=False))
    row.addStretch(1)
    return caps


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

    def __init__(self, look: Look, texts: Texts, consent: ConsentSettings) -> None:
        super().__init__(look, texts)
        self.add_text(texts("consent_title"), "title")
        for paragraph in consent.text.splitlines():
            if paragraph.strip():
                self.add_text(paragraph)
        self.add_rule()
        self.box = TickBox(look, texts("consent_agree"))
        self.body.addWidget(self.box)
        self.refuse = button(texts("consent_refuse"), self.refused.emit)
        self.on = button(texts("go_on"), self.go_on, main=True)
        self.on.setEnabled(False)
        self.box.toggled.connect(self.on.setEnabled)
        self.add_buttons(self.refuse, self.on, hint=texts("hint_consent"))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.box

    def go_on(self) -> None:
        """Only with the box ticked."""
        if self.box.isChecked():
            self.went_on.emit()
