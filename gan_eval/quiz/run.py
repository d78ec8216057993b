"""The way in: one participant's session from admission to score, with a person on a screen or a simulated one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gan_eval.quiz.admission import Admitted, Applicant, admit
from gan_eval.quiz.clock import SystemClock, VirtualClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import protocol_for
from gan_eval.quiz.review import GroupScore, score
from gan_eval.quiz.session import Clock, Session, State
from gan_eval.quiz.simulate import PRESENTER, Observer, SimulatedParticipant, parse_observer, take_part
from gan_eval.stimuli import StimulusSet
from gan_eval.store import Writer, open_store
from gan_eval.study import QuizSettings
from gan_eval.tabular import Row

Status = Literal["complete", "aborted", "open", "declined"]


@dataclass(frozen=True)
class SessionResult:
    """What came of a session."""

    session: str
    participant: str
    list_number: int
    status: Status
    """complete; aborted by the participant; open, to be continued; declined: no consent, nothing stored."""
    simulated: bool
    trials: tuple[Row, ...]
    """All trials that are in the store, in order, those of an earlier sitting included."""
    scores: tuple[GroupScore, ...]
    warnings: tuple[str, ...]
    """One line for each data set that was too small for the counts asked for."""


def run_session(
    stimulus_sets: Sequence[StimulusSet],
    settings: QuizSettings,
    *,
    participant: str,
    store: str | Path,
    study_name: str,
    design_hash: str,
    seed: int,
    fraction: float | None = None,
    list_number: int | None = None,
    windowed: bool = False,
    intro: bool = True,
    simulate: str | None = None,
    title: str = "",
) -> SessionResult:
    """Run one participant's session; an open session of the same participant goes on where it stopped.

    Args:
        stimulus_sets: where stimuli are drawn from.
        settings: the quiz.
        participant: a pseudonym.
        store: path or URL of the results store; it is made where there is none.
        study_name: the study that the session belongs to.
        design_hash: SHA-256 over what a participant sees.
        seed: the study's seed.
        fraction: share of the planned training steps behind the stimuli.
        list_number: which list is dealt; default: by order of arrival.
        windowed: a window of 1280x800 instead of the full screen.
        intro: start page with consent and end page with the review; without, the first trial starts at once, no
            consent is recorded, and the program ends after the last trial.
        simulate: a simulated participant, `default` or `dprime=1.2,criterion=0.1,lapse=0.02`, instead of a person.
        title: what the start page says the study is about.

    Raises:
        UserError: no display, a picture that is missing, changed, broken or too large, a participant who has taken
            part already, counts that cannot be dealt, or a store that cannot be written.
        KeyboardInterrupt: the program was told to end by a signal; what was answered is in the store.
    """
    observer = None if simulate is None else parse_observer(simulate)
    if observer is None:
        from gan_eval.quiz.app.display import require_display

        require_display()
    library = Library(stimulus_sets)
    applicant = Applicant(study_name, design_hash, participant, simulated=observer is not None)
    with Writer(lambda: open_store(store)) as writer:
        admitted = writer.submit(
            lambda opened: admit(
                opened, applicant, library.rows, settings, seed=seed, list_number=list_number, fraction=fraction
            )
        ).result()
        clock = SystemClock() if observer is None else VirtualClock(datetime.now(UTC))
        session = _make_session(admitted, library, settings, writer, clock)
        if isinstance(clock, VirtualClock) and observer is not None:
            status = _simulate(session, observer, settings, clock, seed=seed)
        else:
            from gan_eval.quiz.app.application import run_application

            status = run_application(session, library, settings, title=title, windowed=windowed, intro=intro)
    return SessionResult(
        session=session.row["session"],
        participant=participant,
        list_number=session.row["list"],
        status=status,
        simulated=observer is not None,
        trials=tuple(session.done),
        scores=tuple(score(session.done)),
        warnings=admitted.warnings,
    )


def _make_session(
    admitted: Admitted, library: Library, settings: QuizSettings, writer: Writer, clock: Clock
) -> Session:
    return Session(
        admitted.row,
        library.checked(admitted.plan),
        protocol_for(settings),
        writer,
        clock,
        done=admitted.done,
        stored=admitted.stored,
    )


def _simulate(
    session: Session, observer: Observer, settings: QuizSettings, clock: VirtualClock, *, seed: int
) -> Status:
    if session.state is State.NEW:
        session.row["presenter"] = PRESENTER
        session.begin(None)
    person = SimulatedParticipant(observer, seed=seed, participant=session.row["participant"])
    take_part(session, person, clock, settings)
    return "complete"
