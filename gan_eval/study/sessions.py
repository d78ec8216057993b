"""The sessions of a study: count them, run one more, and check that they are of one design."""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

from gan_eval import tables
from gan_eval.base.commands import run_own
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.output_folders import study_folder_of
from gan_eval.base.progress import Listener
from gan_eval.base.reading import Place
from gan_eval.base.system_libraries import missing_display
from gan_eval.pictures.sets import TABLE_NAME, joined_sets, read_set, require_same_pictures
from gan_eval.quiz.admission import Person, QuizStudy, next_code
from gan_eval.quiz.room import Room, SessionResult, run_session
from gan_eval.quiz.simulate import parse_observer
from gan_eval.settings.design import design_changes, pictures_hash
from gan_eval.store import (
    has_people,
    list_participants,
    open_store,
    other_design,
    push_lines,
    sessions_text,
    stored_design,
)
from gan_eval.study.markers import hash_result
from gan_eval.study.plan import Plan, open_plan
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class StoredSessions:
    """The sessions in a study's store when it was read."""

    rows: Sequence[Row] = ()
    """A row for each session, in the order of their start (`list_participants`)."""
    people_have_answered: bool = False
    """True if a person has answered; after that, nothing is simulated in the store."""
    by_link: bool = False
    """True if people take part by link."""

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of complete sessions, of people and of simulated participants."""
        rows = [row for row in self.rows if row["status"] == "complete"]
        people = {row["participant"] for row in rows if not row["simulated"]}
        return {"complete": len(rows), "people": len(people), "simulated": sum(row["simulated"] for row in rows)}

    @property
    def unfinished(self) -> list[Row]:
        """Rows of the people's sessions that can be continued."""
        return [row for row in self.rows if row["status"] == "open" and not row["simulated"]]


def read_sessions(plan: Plan) -> StoredSessions:
    """Read the sessions from the study's store, which is opened once; no sessions without a store."""
    if not plan.store.is_file():
        return StoredSessions()
    name = plan.study.study.name
    with open_store(plan.store, create=False) as store:
        by_link = any(row["presenter"] == "browser" for row in store.rows(tables.SESSIONS, study=name))
        return StoredSessions(list_participants(store, name), has_people(store, name), by_link)


def next_session(plan: Plan, stored: StoredSessions) -> str:
    """Return the command of the next person's session; empty if no session is missing, and in a smoke run."""
    if plan.smoke or stored.counts["people"] >= plan.study.quiz.participants:
        return ""
    return quiz_command(plan, stored)


def quiz_command(plan: Plan, stored: StoredSessions, participant: str | None = None) -> str:
    """Return the command of a participant's session; default: the next person's, also beyond the planned number.

    If people take part by link, return `serve_command`.
    """
    if stored.by_link:
        return serve_command(plan)
    code = participant or next_participant(plan)
    return shlex.join(["gan-eval", "quiz", str(plan.file), "--participant", code, "--out", str(plan.folder)])


def serve_command(plan: Plan) -> str:
    """Return the command that serves the study by link."""
    return shlex.join(["gan-eval", "serve", str(plan.file), "--out", str(plan.folder)])


def pending_sessions(plan: Plan) -> list[str]:
    """Return lines on the number of complete sessions, with the next person's command, and on unfinished ones.

    Empty if no session is missing or unfinished.
    """
    lines, stored = [], read_sessions(plan)
    if command := next_session(plan, stored):
        counts = stored.counts
        participants = plan.study.quiz.participants
        lines = [sessions_text(counts["people"], participants, simulated=counts["simulated"], command=command)]
        if not stored.people_have_answered and not stored.by_link:
            lines.append(f"or by link, in browsers: {serve_command(plan)}")
    return [*lines, *unfinished_sessions(plan, stored)]


def closing_lines(plan: Plan, again: Sequence[str], *, rehearsal: Plan | None = None) -> list[str]:
    """Return the report's first sentence, unfinished sessions, and the next commands.

    Args:
        again: the command that makes the report again, in words.
        rehearsal: a study of simulated participants with the same pictures, whose answer stands next to it.
    """
    stored = read_sessions(plan)
    lines = [f"answer: {sentence}" for sentence in _first_sentence(plan)]
    if rehearsal is not None:
        page = rehearsal.folder / "report.html"
        lines += [f"rehearsal: {sentence} Nobody answered there: {page}" for sentence in _first_sentence(rehearsal)]
    what = "one more person" if stored.people_have_answered else "pictures for you to judge"
    command = serve_command(plan) if missing_display() else quiz_command(plan, stored)
    report = shlex.join(["gan-eval", *again])
    return [
        *lines,
        *unfinished_sessions(plan, stored),
        f"next: {command}  # {what}",
        f"then: {report}  # adds their answers to the report",
    ]


def _first_sentence(plan: Plan) -> list[str]:
    """Return the first sentence of a report's result; none without answers."""
    from gan_eval.report.parts.folder import read_folder
    from gan_eval.report.people.answer import answer_sentences

    return list(islice(answer_sentences(read_folder(plan.folder)), 1))


def unfinished_sessions(plan: Plan, stored: StoredSessions) -> list[str]:
    """Return a line for each session of a person that can be continued: participant, start and command."""
    lines = []
    for session in stored.unfinished:
        code, started = session["participant"], session["started_at"]
        since = f"since {started[:16].replace('T', ' ')} UTC, " if started else ""
        what = f"{since}{session['trials']} of {session['planned']} trials"
        lines.append(f"unfinished: {code}, {what}; only {code} continues it: {quiz_command(plan, stored, code)}")
    return lines


def plan_of_store(store: Place, study: str | None = None) -> Plan | None:
    """Return the plan of the study folder that holds a store; None if no study folder does, or another study's."""
    folder = study_folder_of(store)
    plan = None if folder is None else open_plan(None, folder)
    return plan if plan and study in (None, plan.study.study.name) else None


def all_sessions_complete(plan: Plan, stored: StoredSessions) -> bool:
    """Return whether all planned sessions are complete; a rehearsal counts simulated sessions."""
    kind = "simulated" if is_rehearsal(plan, stored) else "people"
    return stored.counts[kind] >= plan.study.quiz.participants


def is_rehearsal(plan: Plan, stored: StoredSessions) -> bool:
    """Return whether sessions are simulated: on request, if no person has answered."""
    return plan.simulate is not None and not stored.people_have_answered


def quiz_study(plan: Plan) -> QuizStudy:
    """Return the study as a quiz: settings, seed, the stimulus sets of each phase, and the design of all of these."""
    study, about = plan.study, plan.study.study
    sets = {
        phase: [read_set(folder, hash_files=False) for folder in folders] for phase, folders in _phases(plan).items()
    }
    pictures = {
        phase: pictures_hash((row for one in several for row in one.rows), captions=study.quiz.show_caption)
        for phase, several in sets.items()
        if several
    }
    return QuizStudy(
        name=about.name,
        title=about.title,
        seed=about.seed,
        settings=study.quiz,
        design={**study.design, "pictures": pictures},
        **{phase: (joined_sets(several),) if several else () for phase, several in sets.items()},
    )


def quiz_session(plan: Plan, person: Person, *, store: Place | None = None, **how: Any) -> SessionResult:
    """Run one participant's session with the study's stimuli; `how` has options of `gan_eval.quiz.room.run_session`.

    If the study names `push_to`, an ended session of a person is copied there; a failed copy is a warning.

    Raises:
        UserError: a stimulus set is missing, or the store holds sessions of another design under this version.
    """
    where = store or plan.store
    result = run_session(require_one_design(plan, where), where, person, **how)
    if plan.study.quiz.push_to is None or result.simulated:
        return result
    return replace(result, warnings=(*result.warnings, *push_lines(where, plan.study.quiz.push_to)))


def next_participant(plan: Plan) -> str:
    """Return the code of P01, P02, ... after the last one in the study; moved-aside stores count."""
    return next_code(plan.store, plan.study.study.name)


def open_quiz(plan: Plan, stored: StoredSessions, listener: Listener, *, note: str = "") -> None:
    """Open the quiz on this screen for a person with an unfinished session, else for the next person.

    It runs in its own process, without torch and pandas, for steady timing. The page before the first picture has the
    note.

    Raises:
        SystemExit: the quiz was interrupted, and has printed a message.
    """
    unfinished = stored.unfinished
    participant = unfinished[0]["participant"] if unfinished else next_participant(plan)
    listener.message(f"the quiz opens for participant {participant}: judge the pictures (Esc pauses)")
    status = run_own(
        "quiz",
        str(plan.file),
        "--out",
        str(plan.folder),
        "--participant",
        participant,
        *(["--note", note] if note else []),
    )
    if status:
        listener.message(f"the quiz ended with status {status}; the report continues without its answers")


def draw_warnings(plan: Plan) -> list[str]:
    """Return the draw's warnings about pools that are too small, one line each."""
    return list(quiz_study(plan).dealer.deal(1).warnings)


def answers_hash(plan: Plan) -> str:
    """Return a hash of the study's answers; the store's file may change without its content."""
    if not plan.store.is_file():
        return sha256_json([[], []])
    with open_store(plan.store, create=False) as store:
        name = plan.study.study.name
        marks = store.rows(tables.MARKS, study=name)
        stored = [store.rows(table, study=name) for table in (tables.SESSIONS, tables.TRIALS)]
        return sha256_json([*stored, marks] if marks else stored)


def simulate_missing(plan: Plan, study: QuizStudy, stored: StoredSessions, listener: Listener) -> None:
    """Simulate the missing sessions, marked as simulated; stop if a person answers."""
    missing = max(0, plan.study.quiz.participants - stored.counts["simulated"])
    taken = {row["participant"] for row in stored.rows}
    names = (name for number in count(1) if (name := f"simulated-{number:03d}") not in taken)
    observer = parse_observer(plan.simulate or "default")
    with Room(study, plan.store) as room:
        for done, name in enumerate(islice(names, missing), start=1):
            if room.writer.submit(lambda store: has_people(store, study.name)).result():
                return
            room.run(Person(name, observer))
            listener.progress(done, missing, "quiz (simulated)")


def stimulus_hashes(plan: Plan) -> dict[str, str]:
    """Return the SHA-256 of each stimulus set's table, which has the hashes of its pictures."""
    return {
        f"stimuli/{name}": hash_result(folder / TABLE_NAME, "generate")
        for name, folder in plan.stimulus_folders().items()
    }


def all_stimulus_hashes(plan: Plan) -> dict[str, str]:
    """Return `stimulus_hashes` and those of the sets for practice and catch trials."""
    stimuli = plan.study.stimuli
    extra = {
        f"{phase}/{name}": hash_result(plan.file.parent / name / TABLE_NAME, "generate")
        for phase, names in (("practice", stimuli.practice_sets), ("catch", stimuli.catch_sets))
        for name in names
    }
    return {**stimulus_hashes(plan), **extra}


def _phases(plan: Plan) -> dict[str, list[Path]]:
    """Return the folders of the stimulus sets that are shown, and of those for practice and catch trials."""
    stimuli, folder = plan.study.stimuli, plan.file.parent
    return {
        "shown": list(plan.stimulus_folders().values()),
        "practice": [folder / name for name in stimuli.practice_sets],
        "catch": [folder / name for name in stimuli.catch_sets],
    }


def require_shown_pictures(plan: Plan, redone: Collection[str] = ()) -> None:
    """Refuse stimulus sets whose pictures have changed since they entered the set, or since they were shown.

    Files whose size and times have not changed since they were hashed are not read again.

    Args:
        plan: the study; sets that have not been made yet are not checked.
        redone: stages that will run again; their sets and sessions are not checked.
    """
    shown = None
    if plan.store.is_file() and "quiz" not in redone:
        with open_store(plan.store, create=False) as store:
            trials = store.rows(tables.TRIALS, study=plan.study.study.name)
            shown = (f"{plan.store}, table plans", store.rows(tables.PLANS), trials)
    sets = {}
    stages = {plan.stimuli_folder(model): f"generate-{model}" for model in plan.study.models}
    phases = _phases(plan)
    for folder in (*plan.measured_folders().values(), *phases["practice"], *phases["catch"]):
        stage = stages.get(folder) or stages.get(folder.parent)  # the folder `raw` of a set
        if stage in redone or not (folder / TABLE_NAME).is_file():
            continue
        try:
            sets[str(folder / TABLE_NAME)] = read_set(folder, files_must_exist=False).rows
        except UserError as error:
            raise UserError(f"{error}, with --redo {stage}" if stage else str(error)) from error
    require_same_pictures(sets, shown=shown)


def require_one_design(plan: Plan, where: Place) -> QuizStudy:
    """Return the study as a quiz; refuse a study or stimuli that have changed since the first session."""
    study = quiz_study(plan)
    if isinstance(where, Path) and not where.is_file():
        return study
    with open_store(where, create=not isinstance(where, Path)) as store:
        other = other_design(store, study.name, study.design_hash)
        before = stored_design(store, other) if other else None
    if other:
        changes = "stimuli, quiz or exclusions differ" if before is None else design_changes(before, study.design)
        raise UserError(
            f"{plan.file}: the design has changed since the first session in {store.where}: {changes}; set it back, or "
            "make a new study: raise study.version and give another --out"
        )
    return study
