"""A study's quiz in one process: pictures, texts and store are opened once, then sessions run one after another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Literal, Self

from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.base.reading import Place, place_of
from gan_eval.pictures.audit import require_no_giveaways, require_no_identical
from gan_eval.quiz.admission import Admitted, Person, QuizStudy, Reserved, next_code, reserve, session_lock
from gan_eval.quiz.clock import Clock, SystemClock, VirtualClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import RealDifferences, SimulatedParticipant, differences_from_real, take_part
from gan_eval.quiz.station import Presentation
from gan_eval.quiz.trial import State
from gan_eval.quiz.wording import require_language
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer, give_back_list, open_store
from gan_eval.tables.frames import Row

Status = Literal["complete", "aborted", "open", "declined"]


@dataclass(frozen=True)
class SessionResult:
    """The result of a session."""

    participant: str
    status: Status
    """`aborted`: the participant withdrew. `open`: can be continued. `declined`: no consent, so nothing is stored."""
    simulated: bool
    trials: tuple[Row, ...]
    """All stored trials in order, including those from before an interruption."""
    warnings: tuple[str, ...]
    """Lines for the experimenter."""


def checked_library(study: QuizStudy) -> Library:
    """Return a study's pictures after a check of its language and pictures; raises `UserError` as `Room`."""
    require_language(study.settings.language, named="quiz.language")
    sets = [*study.shown, *study.practice, *study.catch]
    library = Library(sets)
    require_no_giveaways(study.shown, allow=study.settings.allow_giveaways)
    require_no_identical(sets, allow=study.settings.allow_giveaways)
    return library


class Room:
    """The resources shared by a study's sessions: the pictures, and the thread that owns the store."""

    def __init__(
        self,
        study: QuizStudy,
        store: str | Place,
        *,
        library: Library | None = None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Check the study's language and pictures, and open its store.

        Args:
            library: the study's pictures, if they are checked already.
            warn: called with each warning.

        Raises:
            UserError: unknown language; files that reveal which pictures are real; a store that cannot be opened.
        """
        self.library = library or checked_library(study)
        self.study = study
        self.store = place_of(store)
        self.warn = warn
        self.writer = Writer(lambda: open_store(store))
        for line in study.settings.doubts:
            warn(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    @contextmanager
    def admitted(self, person: Person, clock: Clock) -> Iterator[Session]:
        """Reserve a person's session, new or resumed, and free its list of pictures if the session does not begin.

        Raises:
            UserError: the person has a session elsewhere or is not admitted (`gan_eval.quiz.admission.reserve`); there
                are too few pictures for the list; a picture that is still to be shown is missing or has changed.
        """
        with hold_lock(*session_lock(self.store, self.study, person)):
            reserved = self.writer.submit(lambda store: reserve(store, self.study, person)).result()
            session = None
            try:
                admitted = reserved.deal(self.study) if isinstance(reserved, Reserved) else reserved
                session = make_session(admitted, self.library, self.study.settings, self.writer, clock)
                yield session
            finally:
                if isinstance(reserved, Reserved) and (session is None or session.state is State.NEW):
                    try:
                        self.writer.submit(lambda store: give_back_list(store, reserved.session)).result()
                    except UserError as error:
                        self.warn(
                            f"{error}; list {reserved.list_number} was not given back and stays unused for half an hour"
                        )

    def run(self, person: Person, presentation: Presentation = Presentation()) -> SessionResult:  # noqa: B008
        """Run a participant's session, on screen or simulated; an open session resumes where it stopped.

        Raises:
            UserError: see `admitted`; no such screen or language; the store cannot be written.
            KeyboardInterrupt: a signal ended the program; what was answered is in the store.
        """
        if person.observer is not None:
            simulated = SimulatedParticipant(
                person.observer, seed=self.study.seed, participant=person.code, differences=self._differences
            )
            clock = VirtualClock(datetime.now(UTC))
            with self.admitted(person, clock) as session:
                take_part(session, simulated, clock, self.study.settings)
            status: Status = "complete"
        else:
            from gan_eval.quiz.app.application import run_application

            with self.admitted(person, SystemClock()) as session:
                outcome = run_application(
                    session, self.library, self.study.settings, presentation=presentation, warn=self.warn
                )
                status = "open" if outcome == "other_person" else outcome
                if outcome == "other_person":
                    code = next_code(self.store, self.study.name)
                    session.warnings.append(
                        f"--participant {person.code}: the unfinished session of this code belongs to another person "
                        f"and stays open; for a new participant rerun the command with --participant {code}"
                    )
        return SessionResult(
            session.row["participant"], status, person.simulated, tuple(session.done), tuple(session.warnings)
        )

    @cached_property
    def _differences(self) -> RealDifferences:
        return differences_from_real(self.study.shown)


def make_session(
    admitted: Admitted,
    library: Library,
    settings: QuizSettings,
    writer: Writer,
    clock: Clock,
    *,
    still_shown: bool = False,
) -> Session:
    """Return the session of an admitted person, new or resumed; `still_shown` as in `Session.resume`.

    Raises:
        UserError: a picture that is still to be shown is missing, or has changed since it was drawn.
    """
    seen = {row["trial"] for row in (*admitted.done, *admitted.onsets)}
    protocol = QuizProtocol(settings, list_number=admitted.row["list"])
    session = Session(
        admitted.row, library.checked(admitted.plan, seen=seen), protocol, writer, clock, done=admitted.done
    )
    session.warnings += admitted.warnings
    if admitted.stored:
        session.resume(admitted.onsets, still_shown=still_shown, marked=admitted.marked)
    return session


def run_session(
    study: QuizStudy,
    store: str | Place,
    person: Person,
    *,
    presentation: Presentation = Presentation(),  # noqa: B008  (a frozen value)
    warn: Callable[[str], None] = lambda _: None,
) -> SessionResult:
    """Open a room and run one session in it.

    Raises:
        UserError: no display; see `Room` and `Room.run`.
        KeyboardInterrupt: a signal ended the program; all answers are in the store.
    """
    if not person.simulated:
        from gan_eval.quiz.app.process import require_display

        require_display()
        if presentation.language is not None:
            require_language(presentation.language)
    with Room(study, store, warn=warn) as room:
        return room.run(person, presentation)
