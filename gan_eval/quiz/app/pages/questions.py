"""The study's own questions, one a page."""

import textwrap
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QRadioButton

from gan_eval.quiz.app.pages.parts import StepPage, literal
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuestionSettings

LONGEST_ANSWER = 2000
"""Characters of a free text."""

_LINE = 64
"""Characters after which a choice continues in the next line."""


class QuestionPage(StepPage):
    """A question with choices, taken by number or arrow keys, or with a line for a free text."""

    def __init__(
        self, look: Look, texts: Texts, question: QuestionSettings, *, number: int, count: int, answer: str | None
    ) -> None:
        """Make the page.

        Args:
            number: which of the questions this is, from 1.
            count: how many there are.
        """
        super().__init__(look, texts)
        self.question = question
        self.problem: QLabel
        self.add_text(texts("question_title", number=number, count=count), "muted")
        self.add_text(question.text, "heading")
        if not question.required:
            self.add_text(texts("question_optional"), "muted")
        self.choices: list[QRadioButton] = []
        for place, text in enumerate(question.choices, 1):
            prefix = f"{place}  " if place < 10 else ""
            choice = QRadioButton(literal(prefix + "\n".join(textwrap.wrap(text, _LINE))))
            choice.setAccessibleName(text)
            choice.setChecked(text == answer)
            choice.clicked.connect(lambda: self.problem.setText(""))
            choice.toggled.connect(partial(self._follow, choice))
            self.body.addWidget(choice)
            if prefix:
                self.on_key(str(place), partial(self._choose, choice))
            self.choices.append(choice)
        if self.choices:
            self.on_key("Down", partial(self._step, 1))
            self.on_key("Up", partial(self._step, -1))
        self.line: QLineEdit | None = None
        if not question.choices:
            self.line = QLineEdit(answer or "", maxLength=LONGEST_ANSWER)
            self.line.setAccessibleName(question.text)
            self.line.textEdited.connect(lambda: self.problem.setText(""))
            self.body.addWidget(self.line)
        self.problem = self.add_text("", "problem")
        self.add_navigation(hint="hint_choices" if question.choices else "hint_step")
        self.first = self.line or next((choice for choice in self.choices if choice.isChecked()), self.choices[0])

    @property
    def answer(self) -> str | None:
        """The answer so far; None: nothing."""
        if self.line is not None:
            return self.line.text().strip() or None
        chosen = (place for place, choice in enumerate(self.choices) if choice.isChecked())
        return next((self.question.choices[place] for place in chosen), None)

    def go_on(self) -> None:
        """Only with an answer, where one is required."""
        if self.answer is None and self.question.required:
            self.problem.setText(self.texts("question_missing"))
            self.first.setFocus()
        else:
            self.went_on.emit()

    def _step(self, by: int) -> None:
        """Take the next choice or the one before; the first one, where there is none yet."""
        chosen = next((place for place, choice in enumerate(self.choices) if choice.isChecked()), None)
        place = 0 if chosen is None else chosen + by
        if 0 <= place < len(self.choices):
            self._choose(self.choices[place])

    def _follow(self, choice: QRadioButton, _: bool) -> None:
        self.bring_into_view(choice)

    def _choose(self, choice: QRadioButton) -> None:
        choice.click()
        choice.setFocus(Qt.FocusReason.ShortcutFocusReason)
