"""The study's own questions, one a page."""

import textwrap
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QRadioButton

from gan_eval.quiz.app.pages.parts import StepPage, literal
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuestionSettings

LONGEST_ANSWER = 2000
"""Characters of a free text."""

_LINE = 64
"""Characters after which a choice goes on in the next line."""


class QuestionPage(StepPage):
    """A question with choices, taken by number or arrow keys, or with a line for a free text."""

    def __init__(
        self, look: Look, texts: Texts, question: QuestionSettings, *, number: int, count: int, answer: str | None
    ) -> None:
        """Make the page.

        Args:
            look: sizes and colours.
            texts: the texts.
            question: what is asked.
            number: which of the questions this is, from 1.
            count: how many there are.
            answer: what was answered when the page was left before.
        """
        super().__init__(look, texts)
        self.question = question
        self.add_text(texts("question_title", number=number, count=count), "muted")
        self.add_text(question.text, "heading")
        if not question.required:
            self.add_text(texts("question_optional"), "muted")
        self.choices = [self._add_choice(place, choice, answer) for place, choice in enumerate(question.choices)]
        if self.choices:
            self.on_key("Down", partial(self._step, 1))
            self.on_key("Up", partial(self._step, -1))
        self.line = None if question.choices else self._add_line(answer or "")
        self.problem = self.add_text("", "problem")
        self.add_way(hint="hint_choices" if question.choices else "hint_step")
        self.first = self.line or next((each for each in self.choices if each.isChecked()), self.choices[0])

    @property
    def answer(self) -> str | None:
        """What is answered so far; None: nothing."""
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

    def _add_choice(self, place: int, choice: str, answer: str | None) -> QRadioButton:
        number = f"{place + 1}  " if place < 9 else ""
        made = QRadioButton(literal(number + "\n".join(textwrap.wrap(choice, _LINE))))
        made.setAccessibleName(choice)
        made.setChecked(choice == answer)
        made.clicked.connect(lambda: self.problem.setText(""))
        made.toggled.connect(lambda: self.bring_into_view(made))
        self.body.addWidget(made)
        if number:
            self.on_key(str(place + 1), partial(self._choose, made))
        return made

    def _step(self, by: int) -> None:
        """To the next choice or the one before; the first one, where there is none yet."""
        chosen = next((place for place, choice in enumerate(self.choices) if choice.isChecked()), None)
        place = 0 if chosen is None else chosen + by
        if 0 <= place < len(self.choices):
            self._choose(self.choices[place])

    def _choose(self, choice: QRadioButton) -> None:
        choice.click()
        choice.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _add_line(self, answer: str) -> QLineEdit:
        line = QLineEdit(answer, maxLength=LONGEST_ANSWER)
        line.setAccessibleName(self.question.text)
        line.textEdited.connect(lambda: self.problem.setText(""))
        self.body.addWidget(line)
        return line
