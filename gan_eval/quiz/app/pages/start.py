"""The start page: what it is about, what to do, and the consent."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gan_eval.quiz.app.pages.parts import Page, button, text_label
from gan_eval.quiz.instructions import instructions, keys_in_order
from gan_eval.study import QuizSettings

_ANSWERS = {"real": "real", "fake": "fake (generated)"}


class StartPage(Page):
    """Shown before the first trial; `agreed` is emitted only with the box ticked."""

    agreed = Signal()
    left = Signal()

    def __init__(
        self, settings: QuizSettings, *, title: str, participant: str, trials: int, done: int, scale: float
    ) -> None:
        super().__init__(scale=scale)
        self.add_text(title or "Real or generated?", "title")
        self.add_text(f"Participant {participant}", "muted")
        if done:
            self.add_text(f"Welcome back: {done} of {trials} pictures are done, the session goes on from there.")
        for line in instructions(settings, trials):
            self.add_text(line)
        self.body.addLayout(self._key_caps(settings))
        self.add_rule()
        self.add_text("Consent", "heading")
        self.body.addWidget(self._consent_text(settings.consent.text))
        self.box = QCheckBox("I have read this and I agree to take part.")
        self.body.addWidget(self.box)
        self.start = button("Start", self._agree, main=True)
        self.start.setEnabled(False)
        self.box.toggled.connect(self.start.setEnabled)
        self.leave = button("Leave", self.left.emit)
        self.add_buttons(self.leave, self.start, hint="Space: tick the box    Enter: start    Esc: leave")
        self.on_key("Return", self._enter)
        self.on_key("Enter", self._enter)
        self.on_key("Esc", self.left.emit)
        self.first = self.box

    def _enter(self) -> None:
        """Enter starts, except on the other button."""
        if self.leave.hasFocus():
            self.left.emit()
        else:
            self._agree()

    def _agree(self) -> None:
        if self.box.isChecked():
            self.agreed.emit()
        else:
            self.box.setFocus()

    def _key_caps(self, settings: QuizSettings) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self.px(12))
        row.setContentsMargins(0, self.px(6), 0, self.px(6))
        row.addStretch(1)
        for place, (key, answer) in enumerate(keys_in_order(settings)):
            if place:
                row.addSpacing(self.px(48))
            cap = text_label(key, "key", wrap=False)
            cap.setAccessibleName(f"Key {key}: {_ANSWERS[answer]}")
            row.addWidget(cap)
            row.addWidget(text_label(_ANSWERS[answer], wrap=False))
        row.addStretch(1)
        return row

    def _consent_text(self, text: str) -> QScrollArea:
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setContentsMargins(0, 0, self.px(8), 0)
        layout.addWidget(text_label(text), 0, Qt.AlignmentFlag.AlignTop)
        area = QScrollArea(widgetResizable=True)
        area.setWidget(inner)
        area.setMinimumHeight(self.px(48))
        area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        area.setAccessibleName("Consent")
        return area
