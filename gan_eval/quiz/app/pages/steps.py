"""The pages with entries before the first trial: consent, the study's questions, and trying the keys."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QRadioButton, QWidget

from gan_eval.quiz.app.keys import matching_key, place_of
from gan_eval.quiz.app.pages.parts import PageLook, StepPage, button, literal, text_label
from gan_eval.quiz.wording import Texts, confidence_keys, keys_in_order, meaning_of
from gan_eval.settings.quiz import ConsentSettings, QuestionSettings, QuizSettings

MAX_ANSWER = 2000
"""Maximum number of characters of a free text."""


class KeysPage(StepPage):
    """The page on which every answer key is pressed once, to check the keyboard layout."""

    def __init__(self, look: PageLook, texts: Texts, settings: QuizSettings, *, keys: Mapping[str, str]) -> None:
        super().__init__(look, texts, width=760)
        self.add_text(texts("keys_title"), "title")
        self.add_text(texts("keys_text"))
        rows = [key_caps(look, texts, settings, keys)]
        self.body.addWidget(rows[0])
        if settings.confidence:
            self.add_text(texts("keys_confidence"))
            rows.append(_caps(look, texts, [(*each, each[1]) for each in confidence_keys(settings, texts).items()]))
            self.body.addWidget(rows[1])
        self._caps = [(cap.text().lower(), cap) for row in rows for cap in row.findChildren(QLabel, "key")]
        self.untried = {key for key, _ in self._caps}
        self.problem = self.add_text("", "problem")
        self.help = self.add_text(texts("keys_help"), "muted")
        self.add_navigation(hint="hint_keys")
        self.continue_button.setEnabled(False)
        self.first = self
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """Mark the key; after the last one the participant may continue."""
        us_character = place_of(event)
        key = matching_key(event.text(), us_character, {key for key, _ in self._caps})
        if key is None:
            pressed = (event.text() if event.text().isprintable() else "") or us_character
            self.problem.setText(self.texts("keys_unknown", key=pressed.upper()) if pressed.strip() else "")
            super().keyPressEvent(event)
            return
        self.problem.setText("")
        for cap in [cap for each, cap in self._caps if each == key and key in self.untried]:
            cap.setText(f"{cap.text()} ✓")
        self.untried.discard(key)
        if not self.untried and not self.continue_button.isEnabled():
            self.help.setText(self.texts("keys_done"))
            self.continue_button.setEnabled(True)
            self.hint.setText(self.texts("hint_step"))
            self.continue_button.setFocus()


def key_caps(look: PageLook, texts: Texts, settings: QuizSettings, keys: Mapping[str, str]) -> QWidget:
    """Return the keys in the order of the keyboard, each with its answer."""
    caps = [(key, meaning_of(answer, settings, texts), answer) for key, answer in keys_in_order(keys)]
    return _caps(look, texts, caps)


def _caps(look: PageLook, texts: Texts, keys: Sequence[tuple[str, str, str]]) -> QWidget:
    """Return keys, five in a row, from tuples of key, text next to it, and answer for screen readers."""
    caps = QWidget()
    grid = QGridLayout(caps)
    grid.setHorizontalSpacing(look.px(48 if len(keys) == 2 else 12))
    for index, (key, meaning, answer) in enumerate(keys):
        cap = text_label(key, "key", wrap=False)
        cap.setAccessibleName(texts("key_name", key=key, answer=meaning or answer))
        words = QHBoxLayout()
        words.setSpacing(look.px(12))
        words.addWidget(cap)
        if meaning:
            words.addWidget(text_label(meaning, wrap=False))
        grid.addLayout(words, *divmod(index, 5), Qt.AlignmentFlag.AlignHCenter)
    return caps


class ConsentPage(StepPage):
    """The study's text; Continue needs the ticked box."""

    refused = Signal()

    def __init__(self, look: PageLook, texts: Texts, consent: ConsentSettings) -> None:
        super().__init__(look, texts)
        self.add_text(texts("consent_title"), "title")
        for paragraph in consent.text.splitlines():
            if paragraph.strip():
                self.add_text(paragraph)
        self.box = QCheckBox(literal(texts("consent_agree")))
        self.body.addWidget(self.box)
        self.refuse = button(texts("consent_refuse"), self.refused.emit)
        self.continue_button = button(texts("continue"), self.submit, main=True)
        self.continue_button.setEnabled(False)
        self.box.toggled.connect(self.continue_button.setEnabled)
        self.add_buttons(self.refuse, self.continue_button, hint=texts("hint_consent"))
        self.box.toggled.connect(lambda ticked: self.hint.setText(texts("hint_step" if ticked else "hint_consent")))
        self.on_key("Esc", self.went_back.emit)
        self.first = self.box

    def submit(self) -> None:
        """Continue if the box is ticked."""
        if self.box.isChecked():
            self.continued.emit()


class QuestionPage(StepPage):
    """A question with choices (number or arrow keys) or a line for a free text."""

    def __init__(
        self, look: PageLook, texts: Texts, question: QuestionSettings, *, number: int, count: int, answer: str | None
    ) -> None:
        super().__init__(look, texts)
        self.question = question
        self.problem: QLabel
        self.add_text(texts("question_title", number=number, count=count), "muted")
        self.add_text(question.text, "heading")
        if not question.required:
            self.add_text(texts("question_optional"), "muted")
        self.choices: list[QRadioButton] = []
        for digit, text in enumerate(question.choices, 1):
            prefix = f"{digit}  " if digit < 10 else ""
            choice = QRadioButton(literal(prefix + " ".join(text.split())))
            choice.setAccessibleName(text)
            choice.setChecked(text == answer)
            choice.clicked.connect(lambda: self.problem.setText(""))
            choice.toggled.connect(lambda _, choice=choice: self.bring_into_view(choice))
            self.body.addWidget(choice)
            if prefix:
                self.on_key(str(digit), partial(self._choose, choice))
            self.choices.append(choice)
        self.line: QLineEdit | None = None
        if not question.choices:
            self.line = QLineEdit(answer or "", maxLength=MAX_ANSWER)
            self.line.setAccessibleName(question.text)
            self.line.textEdited.connect(lambda: self.problem.setText(""))
            self.body.addWidget(self.line)
        self.problem = self.add_text("", "problem")
        self.add_navigation(hint="hint_choices" if question.choices else "hint_step")
        self.first = self.line or next((choice for choice in self.choices if choice.isChecked()), self.choices[0])

    @property
    def answer(self) -> str | None:
        """The current answer; None if there is none."""
        if self.line is not None:
            return self.line.text().strip() or None
        chosen = (choice.accessibleName() for choice in self.choices if choice.isChecked())
        return next(chosen, None)

    def submit(self) -> None:
        """Continue if there is an answer or none is required."""
        if self.answer is None and self.question.required:
            self.problem.setText(self.texts("question_missing"))
            self.first.setFocus()
        else:
            self.continued.emit()

    def _choose(self, choice: QRadioButton) -> None:
        choice.click()
        choice.setFocus(Qt.FocusReason.ShortcutFocusReason)
