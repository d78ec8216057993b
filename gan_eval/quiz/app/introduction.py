"""The way from the welcome page to the first trial: consent, questions, calibration, ready. Nothing is stored on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from gan_eval.quiz.app.pages.calibration import CARD_MM, CardPage, DistancePage
from gan_eval.quiz.app.pages.parts import StepPage
from gan_eval.quiz.app.pages.questions import QuestionPage
from gan_eval.quiz.app.pages.welcome import ConsentPage, ReadyPage, WelcomePage
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.session import Session, State
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import ConsentSettings, QuestionSettings, QuizSettings

_MM_PER_CM = 10


@dataclass(frozen=True)
class Collected:
    """What the participant has said before the first trial."""

    consent: ConsentSettings | None = None
    answers: Mapping[str, str | None] = field(default_factory=dict)
    """By the question's id."""
    pixels_per_mm: float | None = None
    centimetres: float | None = None
    """From the eyes to the screen."""

    @property
    def viewing_distance_mm(self) -> float | None:
        """The same in the unit of the tables."""
        return None if self.centimetres is None else self.centimetres * _MM_PER_CM


@dataclass(frozen=True)
class Screen:
    """What the calibration must know of the screen."""

    width: int
    """Physical pixels."""
    pixels_per_mm: float
    """As the platform states it, which is often wrong."""


class Introduction(QObject):
    """Leads through the pages in order, forth and back; a session that goes on is only welcomed back."""

    turned = Signal(object)
    """A `Page` to be shown."""
    finished = Signal(object)
    """`Collected`: the trials may begin."""
    left = Signal()
    """The participant does not take part, or another time."""

    def __init__(
        self, look: Look, words: Texts, settings: QuizSettings, session: Session, *, title: str, screen: Screen
    ) -> None:
        super().__init__()
        self._look = look
        self._words = words
        self._settings = settings
        self._session = session
        self._title = title
        self._screen = screen
        self._agreement = consent_as_shown(settings.consent, words)
        self._keys = settings.keys_of_list(session.row["list"])
        self._collected = Collected()
        self._place = 0
        self._steps = self._all_steps() if session.state is State.NEW else [self._welcome]

    def start(self) -> None:
        """Show the first page."""
        self._turn_to(0)

    def _all_steps(self) -> list[Callable[[], StepPage]]:
        steps: list[Callable[[], StepPage]] = [self._welcome, self._consent]
        steps += [partial(self._question, each, number) for number, each in enumerate(self._settings.questions, 1)]
        if self._settings.calibrate:
            steps += [self._card, self._distance]
        return [*steps, self._ready]

    def _turn_to(self, place: int) -> None:
        if place < 0:
            self.left.emit()
        elif place == len(self._steps):
            self.finished.emit(self._collected)
        else:
            self._place = place
            page = self._steps[place]()
            page.went_on.connect(lambda: self._leave_page(page, 1))
            page.went_back.connect(lambda: self._leave_page(page, -1))
            self.turned.emit(page)

    def _leave_page(self, page: StepPage, step: int) -> None:
        """Keep what the page was told, and turn."""
        match page:
            case ConsentPage() if page.box.isChecked():
                self._collected = replace(self._collected, consent=self._agreement)
            case QuestionPage():
                answers = {**self._collected.answers, page.question.id: page.answer}
                self._collected = replace(self._collected, answers=answers)
            case CardPage():
                self._collected = replace(self._collected, pixels_per_mm=page.pixels_per_mm)
            case DistancePage():
                self._collected = replace(self._collected, centimetres=page.centimetres)
        self._turn_to(self._place + step)

    def _welcome(self) -> StepPage:
        counted = [row for row in self._session.plan if row["phase"] != "practice"]
        finished = {row["trial"] for row in self._session.done}
        return WelcomePage(
            self._look,
            self._words,
            self._settings,
            title=self._title,
            participant=self._session.row["participant"],
            keys=self._keys,
            trials=len(counted),
            done=sum(row["trial"] in finished for row in counted),
        )

    def _consent(self) -> StepPage:
        page = ConsentPage(self._look, self._words, self._agreement)
        page.refused.connect(self.left)
        return page

    def _question(self, question: QuestionSettings, number: int) -> StepPage:
        return QuestionPage(
            self._look,
            self._words,
            question,
            number=number,
            count=len(self._settings.questions),
            answer=self._collected.answers.get(question.id),
        )

    def _card(self) -> StepPage:
        pixels_per_mm = self._collected.pixels_per_mm or self._screen.pixels_per_mm
        width = round(pixels_per_mm * CARD_MM[0])
        return CardPage(self._look, self._words, width=width, widest=round(0.8 * self._screen.width))

    def _distance(self) -> StepPage:
        return DistancePage(self._look, self._words, centimetres=self._collected.centimetres)

    def _ready(self) -> StepPage:
        practice = sum(row["phase"] == "practice" for row in self._session.plan)
        told = "" if tells_truth(self._session) else "_untold"
        title, text = ("practice_title", f"practice_text{told}") if practice else ("ready_title", "ready_task")
        return ReadyPage(
            self._look,
            self._words,
            self._settings,
            keys=self._keys,
            title=self._words(title),
            text=self._words(text, practice=practice),
            may_go_back=True,
        )


def consent_as_shown(consent: ConsentSettings, words: Texts) -> ConsentSettings:
    """The study's consent as it stands; where it has no text of its own, the program's in their language."""
    if consent.text != ConsentSettings().text:
        return consent
    return consent.model_copy(update={"text": words("consent_text")})


def tells_truth(session: Session) -> bool:
    """Whether practice tells what is correct: ratings and comparisons of models know no truth."""
    return any(session.protocol.truth(row) is not None for row in session.plan)
