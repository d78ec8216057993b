"""Answers that come back from a page without a server: its records are replayed into a store, each row once.

A record is a message that the page would have posted to the server (static/dealt.js), with its session and a number.
Records may be repeated, in several files, and in any order.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.reading import Place, read_bytes, syntax_problem
from gan_eval.quiz.admission import Person, changes_since, stored_session
from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.marks import MarksReport
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.remote import TrialReport, is_likely, nanoseconds, replay
from gan_eval.quiz.serve.messages import Arrival, InstructionCheck, Message, Onset, Ready, RequestError, Withdrawal
from gan_eval.quiz.serve.screening import (
    PRESENTER,
    attempt_row,
    below_gate,
    check_row,
    checked_answers,
    checks_of,
    columns_of,
    plan_in_frames,
)
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import Flag, State, answer_rows
from gan_eval.quiz.wording import Texts, presented_consent
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, Writer, forget_in, open_store, other_design, session_of, store_design
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

Result = TypeVar("Result")
ENDINGS = (".json", ".jsonl", ".txt")
"""Endings of files with records."""


class DealtList(BaseModel):
    """A list of a page: rows of `sessions` and `plans` without the session, and the own widths of its pictures."""

    row: dict[str, Any]
    plan: tuple[dict[str, Any], ...]
    widths: set[int]


class PageKey(BaseModel):
    """The experimenter's part of a page: its secret, and the facts that make rows of its answers."""

    format: Literal[1]
    page: str
    """Identifier of the page, in all of its records."""
    secret: str
    """Key of the names of its pictures."""
    study: str
    design_hash: str
    design: dict[str, Any]
    settings: QuizSettings
    lists: list[DealtList]


def read_key(path: Path) -> PageKey:
    """Read a page's key; raises `UserError` if the file is missing or is not one."""
    try:
        return PageKey.model_validate_json(read_bytes(path, what="key of a page"))
    except ValidationError as error:
        raise UserError(
            f"--key {path}: not the key of a page, or damaged; give the file that `gan-eval export page` wrote"
        ) from error


_KINDS: Mapping[str, type[BaseModel]] = {
    "begin": Arrival,
    "resume": Arrival,
    "check": InstructionCheck,
    "ready": Ready,
    "onset": Onset,
    "trial": TrialReport,
    "marks": MarksReport,
    "withdraw": Withdrawal,
}
"""The type of each message. An onset is that of a trial without a report, because the page was closed."""


class Record(Message):
    """A message as the page has stored it."""

    gan_eval: Literal[1]
    page: str
    session: Annotated[
        str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
    ]
    list: int = Field(ge=1)
    n: int = Field(ge=0)
    name: Literal["begin", "resume", "check", "ready", "onset", "trial", "marks", "withdraw"]
    at: float = Field(ge=0, le=4e12)
    """Time of day on the participant's computer, in milliseconds since 1970."""
    body: dict[str, Any]

    @property
    def message(self) -> Any:
        """The message; raises `ValidationError`."""
        return _KINDS[self.name].model_validate_json(json.dumps(self.body), strict=True)


@dataclass
class ReturnedAnswers:
    """Result of an import."""

    sessions: int = 0
    """Number of sessions in the files."""
    new_sessions: int = 0
    new_trials: int = 0
    forgotten: list[str] = field(default_factory=list)
    """Sessions whose participants want their data deleted; the store has none."""
    problems: list[str] = field(default_factory=list)
    """A line for each file and session that was not imported, or not completely."""


def import_page(paths: Sequence[Path], key_file: Path, where: Place) -> ReturnedAnswers:
    """Replay the records in these files into a store; what the store has does not change.

    Files: JSON, lines of JSON, and zip files and folders with them, such as JATOS' results.

    Raises:
        UserError: a file is missing; the key cannot be read; the store cannot be written or holds another design.
    """
    key, done = read_key(key_file), ReturnedAnswers()
    sessions: dict[str, dict[int, Record]] = {}
    for name, content in (each for path in paths for each in _contents(path)):
        try:
            for record in _records(name, content, key, key_file):
                if sessions.setdefault(record.session, {}).setdefault(record.n, record) != record:
                    done.problems.append(f"{name}: record {record.n} of {record.session} is not that of another file")
        except UserError as error:
            done.problems.append(str(error))
    done.sessions = len(sessions)
    if not sessions:
        return done
    with Writer(lambda: open_store(where)) as writer:
        writer.submit(partial(_require_design, key=key, key_file=key_file)).result()
        for session, records in sorted(sessions.items()):
            try:
                _Replay(key, writer, session, done).run([records[n] for n in sorted(records)])
            except (UserError, RequestError) as error:
                done.problems.append(f"session {session}: {error}")
    return done


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file with records."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in (*ENDINGS, ".zip", ".jrzip"):
                yield from _contents(file)
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:  # JATOS adds metadata, and files that components have stored
                names = [name for name in archive.namelist() if not re.search(r"(^|/)(metadata\.json$|files/)", name)]
                contents = [(f"{path}: {name}", archive.read(name)) for name in names if name.endswith(ENDINGS)]
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError) as error:
            raise UserError(f"{path}: not a readable zip file ({error}); download it again") from error
        yield from contents
    else:
        yield str(path), read_bytes(path)


def _records(name: str, content: bytes, key: PageKey, key_file: Path) -> list[Record]:
    """Return the records of a file: JSON values one after another, each a record or an array of them."""
    records, place, decoder = [], 0, json.JSONDecoder()
    text = content.decode("utf-8-sig", errors="replace")
    while match := re.compile(r"\S").search(text, place):
        where = f"{name}, line {1 + text.count(chr(10), 0, match.start())}"
        try:
            value, place = decoder.raw_decode(text, match.start())
            for each in value if isinstance(value, list) else [value]:
                records.append(Record.model_validate(each))
                assert records[-1].message
        except ValidationError as error:
            raise UserError(f"{where}: not a record of a study's page; leave this file out") from error
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not JSON ({syntax_problem(error)}); leave this file out") from error
    if others := {record.page for record in records} - {key.page}:
        raise UserError(f"{name}: of the page {min(others)}, but --key {key_file} is of {key.page}; give its own key")
    return records


def _require_design(store: Store, *, key: PageKey, key_file: Path) -> None:
    """Store the design of the page; refuse a store that holds sessions of another one."""
    if (other := other_design(store, key.study, key.design_hash)) is not None:
        raise UserError(
            f"{store.where}: its sessions of the study {key.study} have another design than --key {key_file}"
            f"{changes_since(store, other, key.design)}; name another --store"
        )
    store_design(store, key.design_hash, key.design)


class _Replay:
    """The replay of one session's records, as the server would have handled the messages."""

    def __init__(self, key: PageKey, writer: Writer, session: str, imported: ReturnedAnswers) -> None:
        self._imported = imported
        self._key, self._settings, self._writer, self._id = key, key.settings, writer, session
        self._texts = Texts(key.settings.language)
        self._clock = ReportedClock()
        self._attempts = 0

    def run(self, records: Sequence[Record]) -> None:
        """Replay the records, in their order, whose rows the store lacks.

        Raises:
            UserError: a record is missing or impossible; what came before it is stored.
            RequestError: the answers to the study's questions, or its questions on the instructions, are impossible.
        """
        stored, last = self._rows(tables.SESSIONS), -1
        if any(record.name == "withdraw" and record.body.get("forget") for record in records):
            if stored:
                self._do(lambda store: forget_in(store, stored[0]["participant"], study=self._key.study), alone=True)
            self._imported.forgotten.append(self._id)
            return
        if stored:
            self._rebuild(still_shown=True)
            done = {row["trial"] for row in self._session.done}
            shown = [record for record in records if record.name != "marks"]
            last = max((record.n for record in shown if record.body.get("trial") in done), default=0)
        for expected, record in enumerate(records):
            if record.n != expected or (expected == 0) != (record.name == "begin"):
                raise UserError(f"record {expected} is missing; the records from there on are not imported")
            if record.n <= last:
                continue
            when = datetime.fromtimestamp(record.at / 1000, UTC)
            self._clock.replay(self._clock.monotonic(), when)
            if record.name == "begin":
                self._begin(record.message, record.list)
            else:
                getattr(self, f"_{record.name}")(record.message, when)
            if self._session.wait() is State.FAILED:
                assert self._session.error is not None
                raise self._session.error

    def _begin(self, message: Arrival, number: int) -> None:
        key, code = self._key, Person(message.participant).code
        if number > len(key.lists):
            raise UserError(f"list {number}: the key has {len(key.lists)}; give the key of the page's last export")
        if self._do(partial(session_of, study=key.study, participant=code)) is not None:
            raise UserError(f"the participant {code} has another session in the store")
        row = {**key.lists[number - 1].row, "session": self._id, "participant": code}
        row |= {"presenter": PRESENTER, "language": self._texts.language}
        self._session = self._made(row, key.lists[number - 1].plan)
        names = self._settings.browser.other_parameters
        others = {name: message.parameters[name] for name in names if name in message.parameters}
        self._session.begin(presented_consent(self._settings.consent, self._texts), answers=others)
        self._imported.new_sessions += 1

    def _resume(self, message: Arrival, when: datetime) -> None:
        self._rebuild(still_shown=False)

    def _check(self, message: InstructionCheck, when: datetime) -> None:
        earlier = [{"verdict": "warning"}] * self._attempts
        self._attempts += 1
        self._add_check(attempt_row(self._id, message.choices, earlier, self._settings.browser, when))

    def _ready(self, message: Ready, when: datetime) -> None:
        session, settings, screen = self._session, self._settings, message.screen
        if session.state is State.OVER or session.row.get("screen_width") is not None:
            return
        answers = checked_answers(message.answers, settings, self._texts)
        if (problem := below_gate(screen, settings.browser)) is not None:
            self._add_check(check_row(self._id, *problem, "failed", when))
            return
        columns = columns_of(screen, settings, self._texts, self._key.lists[session.row["list"] - 1].widths)
        answered = answer_rows(session.row, answers, answered_at=when)
        more = ((tables.PARTICIPANTS, answered), (tables.CHECKS, checks_of(self._id, screen, when)))
        self._do(lambda store: store.update_session(self._id, columns, more=more))
        session.row |= columns
        plan_in_frames(session)

    def _onset(self, message: Onset, when: datetime) -> None:
        if self._session.trial_begun:  # the store has it from an earlier import
            return
        self._require_next(message.trial)
        self._clock.replay(nanoseconds(message.sent_ms), when)
        self._session.onset(nanoseconds(message.onset_ms))

    def _trial(self, message: TrialReport, when: datetime) -> None:
        self._require_next(message.trial)
        self._clock.replay(nanoseconds(message.sent_ms), when)
        likely = is_likely(self._session, message, when)
        replay(self._session, message, flags=() if likely else (Flag.CLOCK_UNLIKELY,))
        self._imported.new_trials += 1

    def _marks(self, message: MarksReport, when: datetime) -> None:
        session = self._session
        if session.state is State.MARKING and session.done[-1]["trial"] == message.trial:  # else the store has them
            session.mark(message)

    def _withdraw(self, message: Withdrawal, when: datetime) -> None:
        if self._session.state is not State.OVER:
            self._session.abort()

    def _require_next(self, trial: int) -> None:
        session = self._session
        session.leave_marks()
        ready = session.row.get("screen_width") is not None and session.state is State.READY
        if not (ready and session.trial.planned["trial"] == trial):
            raise UserError(f"trial {trial}: it is not the turn of this trial")

    def _add_check(self, row: Row) -> None:
        """Store a row of `checks` once; a failed check ends the session."""
        if not self._do(lambda store: store.rows(tables.CHECKS, session=self._id, check=row["check"])):
            self._do(lambda store: store.add(tables.CHECKS, [row], session=self._id))
        if row["verdict"] == "failed" and self._session.state is not State.OVER:
            self._session.abort()

    def _rebuild(self, *, still_shown: bool) -> None:
        """Continue with the session as stored; `still_shown` as in `Session.resume`."""
        (row,) = self._rows(tables.SESSIONS)
        stored = self._do(lambda store: stored_session(store, row))
        self._session = self._made(row, stored.plan, done=stored.done)
        self._session.resume(stored.onsets, still_shown=still_shown, marked=stored.marked)

    def _made(self, row: Row, plan: Sequence[Row], *, done: Sequence[Row] = ()) -> Session:
        protocol = QuizProtocol(self._settings, list_number=row["list"])
        session = Session(row, plan, protocol, self._writer, self._clock, done=done)
        plan_in_frames(session)
        return session

    def _rows(self, table: Table) -> list[Row]:
        return self._do(lambda store: store.rows(table, session=self._id))

    def _do(self, job: Callable[[Store], Result], *, alone: bool = False) -> Result:
        return self._writer.submit(job, alone=alone).result()
