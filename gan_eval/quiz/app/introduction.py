"""The pages before the first trial: instructions, consent, questions, calibration, keys. Nothing is stored on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from PySide6.QtCore import QObject, Signal

from gan_eval.quiz.app.pages.parts import StepPage
from gan_eval.quiz.app.pages.questions import QuestionPage
from gan_eval.quiz.app.pages.welcome import ConsentPage, KeysPage, ReadyPage, ResumePage, WelcomePage
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.clock import read_instant
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import State
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import ConsentSettings, QuizSettings


@dataclass(frozen=True)
class Collected:
    """The participant's consent and answers before the first trial."""

    consent: ConsentSettings | None = None
    answers: Mapping[str, str | None] = field(default_factory=dict)
    """Answers by the question's id."""


Step = Literal["resume", "welcome", "consent", "keys", "ready"] | int
"""A page before the first trial; a number: the study's own question at this place."""


class Introduction(QObject):
    """Leads through the pages in order, forth and back; a session that continues has fewer."""

    turned = Signal(object)
    """A `Page` to be shown."""
    finished = Signal(object)
    """`Collected`: the trials may begin."""
    left = Signal()
    """The participant does not take part, or another time."""
    denied = Signal()
    """The session that would continue is another person's."""

    def __init__(
        self,
        look: Look,
        texts: Texts,
        settings: QuizSettings,
        session: Session,
    ) -> None:
        super().__init__()
        self._look = look
        self._texts = texts
        self._settings = settings
        self._session = session
        self._agreement = presented_consent(settings.consent, texts)
        self._keys = settings.keys_of_list(session.row["list"])
        self._collected = Collected()
        self._place = 0
        self._steps: list[Step] = ["resume", "welcome", "keys"]
        if session.state is State.NEW:
            self._steps = ["welcome", "consent", *range(len(settings.questions))]
            self._steps += ["keys", "ready"]

    def start(self) -> None:
        """Show the first page."""
        self._turn_to(0)

    def _turn_to(self, place: int) -> None:
        if place < 0:
            self.left.emit()
        elif place == len(self._steps):
            self.finished.emit(self._collected)
        else:
            self._place = place
            page = self._make_page(self._steps[place])
            page.went_on.connect(lambda: self._leave_page(page, 1))
            page.went_back.connect(lambda: self._leave_page(page, -1))
            self.turned.emit(page)

    def _leave_page(self, page: StepPage, step: int) -> None:
        """Collect what the participant entered on the page, and turn."""
        match page:
            case ConsentPage() if page.box.isChecked():
                self._collected = replace(self._collected, consent=self._agreement)
            case QuestionPage():
                answers = {**self._collected.answers, page.question.id: page.answer}
                self._collected = replace(self._collected, answers=answers)
        self._turn_to(self._place + step)

    def _make_page(self, step: Step) -> StepPage:
        look, texts, settings, session = self._look, self._texts, self._settings, self._session
        match step:
            case "resume":
                began = session.row["started_at"]
                resume = ResumePage(
                    look,
                    texts,
                    participant=session.row["participant"],
                    began=None if began is None else read_instant(began).astimezone(),
                    today=datetime.now().astimezone(),
                )
                resume.denied.connect(self.denied)
                return resume
            case "welcome":
                counted = [row for row in session.plan if row["phase"] != "practice"]
                finished = {row["trial"] for row in session.done}
                return WelcomePage(
                    look,
                    texts,
                    settings,
                    participant=session.row["participant"],
                    keys=self._keys,
                    trials=len(counted),
                    done=sum(row["trial"] in finished for row in counted),
                    may_go_back=self._place > 0,
                )
            case "consent":
                page = ConsentPage(look, texts, self._agreement)
                page.refused.connect(self.left)
                return page
            case "keys":
                return KeysPage(look, texts, settings, keys=self._keys)
            case "ready":
                practice = sum(row["phase"] == "practice" for row in session.plan)
                if practice:
                    title, text = "practice_title", "practice_text" if has_truth(session) else "practice_text_untold"
                else:
                    title, text = "ready_title", "ready_task"
                return ReadyPage(
                    look,
                    texts,
                    settings,
                    keys=self._keys,
                    title=texts(title),
                    text=texts(text, practice=practice),
                    may_go_back=True,
                )
            case _:
                question, count = settings.questions[step], len(settings.questions)
                answer = self._collected.answers.get(question.id)
                return QuestionPage(look, texts, question, number=step + 1, count=count, answer=answer)


def presented_consent(consent: ConsentSettings, texts: Texts) -> ConsentSettings:
    """The study's consent text unchanged; if the study has none, the program's in the participant's language."""
    if consent.text != ConsentSettings().text:
        return consent
    return consent.model_copy(update={"text": texts("consent_text")})


def has_truth(session: Session) -> bool:
    """Return whether an answer can be correct: in ratings and comparisons of models it cannot."""
    return any(session.protocol.truth(row) is not None for row in session.plan)
