"""The way in: one participant's session from admission to score, with a person on a screen or a simulated one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from gan_eval.errors import UserError
from gan_eval.files.locks import hold_lock
from gan_eval.quiz.admission import Admitted, Applicant, admit, require_pseudonym, sitting_lock, unused_code
from gan_eval.quiz.clock import Clock, SystemClock, VirtualClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocols import protocol_for
from gan_eval.quiz.review import GroupScore, score
from gan_eval.quiz.session import Session, State
from gan_eval.quiz.simulate import (
    PRESENTER,
    SimulatedParticipant,
    differences_from_real,
    parse_observer,
    take_part,
)
from gan_eval.quiz.station import Presentation
from gan_eval.quiz.wording import require_language, require_texts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import Writer, give_back_list, has_people, open_store
from gan_eval.tables.frames import Row

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
    """What the experimenter must know, a line each: of the draw, of the clock, of the pictures."""


def run_session(
    stimulus_sets: Sequence[StimulusSet],
    settings: QuizSettings,
    *,
    participant: str,
    store: str | Path,
    study_name: str,
    design_hash: str,
    design: Mapping[str, Any] | None = None,
    seed: int,
    fraction: float | None = None,
    list_number: int | None = None,
    lists: str | None = None,
    practice: Sequence[StimulusSet] = (),
    catch: Sequence[StimulusSet] = (),
    presentation: Presentation = Presentation(),  # noqa: B008  (a frozen value)
    simulate: str | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> SessionResult:
    """Run one participant's session; an open session of the same participant goes on where it stopped.

    Args:
        stimulus_sets: where stimuli are drawn from.
        settings: the quiz.
        participant: a pseudonym.
        store: path or database URL of the results store, which is made where there is none.
        study_name: the study that the session belongs to.
        design_hash: SHA-256 over what a participant sees.
        design: what `design_hash` is the hash of; kept in the store, so that a later difference can be named.
        seed: the study's seed.
        fraction: share of the planned training steps behind the stimuli.
        list_number: which list is dealt; default: by order of arrival.
        lists: the lists that this station deals, such as `1-20`, by order of arrival among them.
        practice: where practice trials come from; none: items that the participant's list leaves over.
        catch: where catch trials come from.
        presentation: how it is presented on this computer; default: full screen, all else measured or chosen by itself.
        simulate: a simulated participant, `default` or `dprime=1.2,criterion=0.1,lapse=0.02`, instead of a person.
        on_warning: called with each warning that is known before the first page; they are among the result's too.

    Raises:
        UserError: no display; this participant is sitting elsewhere at the moment; no such language or text; a picture
            that is missing, changed, broken or too large; files that tell real from fake; a participant who has taken
            part already; a simulated one where people have answered; counts that cannot be dealt, or lists that are
            used up; a store that cannot be written.
        KeyboardInterrupt: the program was told to end by a signal; what was answered is in the store.
    """
    from gan_eval.giveaways.refusal import require_no_giveaways, require_no_identical

    participant = participant.strip()
    observer = None if simulate is None else parse_observer(simulate)
    if observer is None:
        from gan_eval.quiz.app.process import require_display

        require_display()
    require_texts(settings.texts)
    require_language(settings.language, named="quiz.language")
    if presentation.language is not None:
        require_language(presentation.language)
    library = Library([*stimulus_sets, *practice, *catch])
    require_no_giveaways(stimulus_sets, allow=settings.allow_giveaways)
    require_no_identical([*stimulus_sets, *practice, *catch], allow=settings.allow_giveaways)
    applicant = Applicant(
        study_name,
        design_hash,
        participant,
        simulated=observer is not None,
        station=presentation.station,
        design=design,
    )
    with ExitStack() as sitting:
        require_pseudonym(participant)
        with open_store(store) as opened:
            sitting.enter_context(hold_lock(*sitting_lock(store, applicant)))
            if applicant.simulated and has_people(opened, study_name):
                raise UserError(
                    f"--simulate: people have answered the study {study_name} in {opened.where}, and nothing is "
                    "simulated beside them; rehearse with another --store"
                )
            admitted = admit(
                opened,
                applicant,
                _rows(stimulus_sets),
                settings,
                seed=seed,
                list_number=list_number,
                lists=lists,
                practice=_rows(practice),
                catch=_rows(catch),
                fraction=fraction,
            )
        for line in admitted.warnings:
            if on_warning is not None:
                on_warning(line)
        with Writer(lambda: open_store(store)) as writer:
            clock = SystemClock() if observer is None else VirtualClock(datetime.now(UTC))
            session = None
            try:
                session = make_session(admitted, library, settings, writer, clock)
                if isinstance(clock, VirtualClock) and observer is not None:
                    person = SimulatedParticipant(
                        observer,
                        seed=seed,
                        participant=participant,
                        differences=differences_from_real(stimulus_sets),
                    )
                    status = _simulate(session, person, settings, clock)
                else:
                    from gan_eval.quiz.app.application import run_application

                    left = run_application(session, library, settings, presentation=presentation, on_warning=on_warning)
                    if left == "denied":
                        code = unused_code(store, study_name)
                        session.warnings.append(
                            f"--participant {participant}: the unfinished session of this code is another person's and "
                            f"stays open; for a new participant rerun the command with --participant {code}"
                        )
                    status = "open" if left == "denied" else left
            finally:
                unused = ""
                if not admitted.stored and (session is None or session.state is State.NEW):
                    unused = _give_back(admitted.row, writer)
                    if unused and on_warning is not None:
                        on_warning(unused)
        warnings = (
            *admitted.warnings,
            *filter(None, [unused]),
            *filter(None, [library.warning]),
            *session.warnings,
        )
    return SessionResult(
        session=session.row["session"],
        participant=participant,
        list_number=session.row["list"],
        status=status,
        simulated=observer is not None,
        trials=tuple(session.done),
        scores=tuple(score(session.done)),
        warnings=warnings,
    )


def _rows(sets: Sequence[StimulusSet]) -> list[Row]:
    return [row for stimuli in sets for row in stimuli.rows]


def _give_back(row: Row, writer: Writer) -> str:
    """Free the list of a session that did not begin; empty, or the line that says why it could not be freed."""
    error = writer.submit(lambda store: give_back_list(store, row["session"])).exception()
    if error is not None and not isinstance(error, UserError):
        raise error
    return "" if error is None else f"{error}; list {row['list']} was not given back and stays unused"


def make_session(admitted: Admitted, library: Library, settings: QuizSettings, writer: Writer, clock: Clock) -> Session:
    """The session of somebody who has been admitted, new or going on.

    Raises:
        UserError: a picture that is still to be shown vanished, or is no longer the one that was dealt.
    """
    session = Session(
        admitted.row,
        library.checked(admitted.plan, seen={row["trial"] for row in (*admitted.done, *admitted.onsets)}),
        protocol_for(settings, list_number=admitted.row["list"]),
        writer,
        clock,
        done=admitted.done,
        confidence=settings.confidence,
        late_ms=settings.late_ms,
    )
    if admitted.stored:
        session.resume(admitted.onsets)
    return session


def _simulate(session: Session, person: SimulatedParticipant, settings: QuizSettings, clock: VirtualClock) -> Status:
    if session.state is State.NEW:
        session.row["presenter"] = PRESENTER
        session.begin(None, answers={question.id: person.answer(question) for question in settings.questions})
    take_part(session, person, clock, settings)
    return "complete"
