"""Answers that come back from a page without a server: its records are replayed into a store, each row once.

A record is a message that the page would have posted to the server (static/dealt.js), with its session and a number.
Records may be repeated, in several files, and in any order.
"""

import shlex
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gan_eval import tables
from gan_eval.base.errors import UserError, naming
from gan_eval.base.locks import hold_lock
from gan_eval.base.reading import Place
from gan_eval.quiz.admission import Person, changes_since, lock_file, stored_session
from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.marks import MarksReport
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.remote import TrialReport
from gan_eval.quiz.serve.interpreter import Interpreter, attempts
from gan_eval.quiz.serve.messages import Arrival, InstructionCheck, Onset, Ready, RequestError, Withdrawal
from gan_eval.quiz.serve.page_key import PageKey, check_begin, read_key
from gan_eval.quiz.serve.page_records import NAMED, Given, checked, read_records
from gan_eval.quiz.serve.screening import is_nobody, plan_in_frames
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import State
from gan_eval.quiz.wording import Texts
from gan_eval.store import Store, Writer, deleted_among, left_out, open_store, other_design, store_design
from gan_eval.tables.cells import person_of
from gan_eval.tables.frames import Row, iso
from gan_eval.tables.schema import Table

Result = TypeVar("Result")
Sessions = dict[str, dict[int, Given]]
"""The records of files by session and number."""


@dataclass
class ReturnedAnswers:
    """Result of an import."""

    sessions: int = 0
    """Number of sessions in the files."""
    new_sessions: int = 0
    new_trials: int = 0
    forgotten: list[str] = field(default_factory=list)
    """Sessions whose participants' data are deleted, earlier or by request in the files; the store has none."""
    empty: list[str] = field(default_factory=list)
    """Files without a record, such as those of people who opened the page and did not begin."""
    problems: list[str] = field(default_factory=list)
    """A line for each file, record and session that was not imported, or not completely."""


def import_page(paths: Sequence[Path], key_file: Path, where: Place) -> ReturnedAnswers:
    """Replay the records in these files into a store; what the store has does not change.

    Files: JSON, lines of JSON, and zip files and folders with them, such as JATOS' results.

    Raises:
        UserError: a file is missing; the key cannot be read; the store cannot be written or holds another design;
            another import into this store is running.
    """
    key, done = read_key(key_file), ReturnedAnswers()
    sessions = _read_sessions(paths, partial(_checked, key=key, key_file=key_file), done)
    done.sessions = len(sessions)
    if not sessions:
        return done
    lock = lock_file(where, "import-page")
    with Writer(lambda: open_store(where)) as writer, hold_lock(lock, f"--store {where}", "importing answers into it"):
        writer.submit(partial(_require_design, key=key, key_file=key_file)).result()
        for session in _chosen(sessions, key, where, writer, done):
            try:
                _Replay(key, writer, session, done).run(sessions[session])
            except UserError as error:
                done.problems.append(str(error))
    return done


def _checked(value: Any, where: str, *, key: PageKey, key_file: Path) -> Given:
    """Return a JSON value as a record of this page; raises `UserError` with the field that is not one."""
    given = checked(value, where)
    record = given.record
    if record.page != key.page:
        raise UserError(f"page: found {record.page}, but --key {key_file} is of {key.page}; give its own key")
    if record.list > len(key.lists):
        raise UserError(
            f"list: found {record.list}, but the key has {len(key.lists)}; give the key of the page's last export"
        )
    if (record.n == 0) != (record.name == "begin"):
        raise UserError(f"n: found {record.n} of a record {record.name!r}; a session's record 0 is its begin")
    if record.name == "begin":
        code = given.message.participant
        with naming("body.participant: ", only="--participant"):
            Person(code)
        if is_nobody(code, key.settings.browser):
            raise UserError(f"body.participant: found {code!r}, which is not a participant's code but a placeholder")
        check_begin(key, code, record.list, list_sha256=record.list_sha256, proof=record.proof)
    return given


def _read_sessions(paths: Sequence[Path], check: Callable[[Any, str], Given], done: ReturnedAnswers) -> Sessions:
    sessions: Sessions = {}
    for name, records, problems in (each for path in paths for each in read_records(path, check)):
        done.problems += problems
        if not records and not problems:
            done.empty.append(name)
        for given in records:
            record = given.record
            first = sessions.setdefault(record.session, {}).setdefault(record.n, given)
            if first != given:
                done.problems.append(
                    f"{given.where}: record {record.n} of session {record.session} differs from {first.where}; the "
                    "first one counts"
                )
    return sessions


def _require_design(store: Store, *, key: PageKey, key_file: Path) -> None:
    """Store the design of the page; refuse a store that holds sessions of another one."""
    if (other := other_design(store, key.study, key.design_hash)) is not None:
        raise UserError(
            f"{store.where}: its sessions of the study {key.study} have another design than --key {key_file}"
            f"{changes_since(store, other, key.design)}; name another --store"
        )
    store_design(store, key.design_hash, key.design)


def _chosen(sessions: Sessions, key: PageKey, where: Place, writer: Writer, done: ReturnedAnswers) -> list[str]:
    """Return the sessions to import, those whose data are deleted first; name several sessions of one code."""
    gone = writer.submit(lambda store: deleted_among(store, sessions)).result()
    deleted = [each for each, records in sorted(sessions.items()) if each in gone or _is_to_be_deleted(records)]
    others = [session for session in sorted(sessions) if session not in deleted]
    claims: dict[str, list[str]] = defaultdict(list)
    for session in others:
        if 0 in sessions[session]:
            claims[person_of(sessions[session][0].message.participant)].append(session)
    rows = writer.submit(lambda store: store.rows(tables.SESSIONS, study=key.study)).result()
    stored_of = {person_of(row["participant"]): row for row in rows if row["session"] not in deleted}
    left_out: set[str] = set()
    for person, claiming in claims.items():
        code, stored = sessions[claiming[0]][0].message.participant, stored_of.get(person)
        forget = shlex.join(["gan-eval", "participants", "forget", code, "--store", str(where)])
        complete = [each for each in claiming if _is_complete(sessions[each], key)]
        own = [each for each in claiming if _has_own_link(sessions[each], key)]
        taken, fix = _choice(claiming, complete, own, stored, forget)
        if left := [session for session in claiming if session != taken]:
            names = _names(claiming, stored, sessions, key)
            done.problems.append(f"participant {code} has several sessions: {names}: {fix}")
            left_out.update(left)
    return [*deleted, *(session for session in others if session not in left_out)]


def _names(claiming: Sequence[str], stored: Row | None, sessions: Sessions, key: PageKey) -> str:
    """Return the sessions of one person in words, the one of the store first."""
    names = [_described(session, sessions[session], key) for session in claiming[:NAMED]]
    if stored is not None and stored["session"] not in claiming:
        names.insert(0, f"{stored['session']} (begun {stored['started_at']}, in the store)")
    more = f"; and {len(claiming) - NAMED} more" if len(claiming) > NAMED else ""
    return "; ".join(names) + more


def _choice(
    claiming: Sequence[str], complete: Sequence[str], own: Sequence[str], stored: Row | None, forget: str
) -> tuple[str | None, str]:
    """Return which session of one person is imported, and what to do about the others.

    The stored one, else the only one, else the only one with the participant's own link, else the only complete one of
    these; None: nobody can say which. With the link for all anybody can send a complete session.
    """
    if stored is not None:
        fix = f"{stored['session']} is in the store ({stored['status']}) and stays; for another one: {forget}"
        return stored["session"], f"{fix}, then import again"
    if len(claiming) == 1:
        return claiming[0], ""
    if len(own) == 1:
        return own[0], f"{own[0]} has the participant's own link and is taken"
    whole = [session for session in complete if session in own]
    if len(whole) == 1:
        return whole[0], f"{whole[0]} is complete and taken; for another one: {forget}, then import without it"
    state = (
        "several are complete" if whole else "none is complete yet" if own else "none has the participant's own link"
    )
    return None, f"{state}, so none is imported; leave out the files of those that are not this participant's"


def _has_own_link(records: Mapping[int, Given], key: PageKey) -> bool:
    begin = records[0]
    return begin.record.proof == key.proof(begin.message.participant, begin.record.list)


def _is_to_be_deleted(records: Mapping[int, Given]) -> bool:
    return any(given.record.name == "withdraw" and given.message.forget for given in records.values())


def _shown(records: Mapping[int, Given]) -> set[int]:
    """Return the numbers of the trials in records."""
    return {given.message.trial for given in records.values() if given.record.name in ("trial", "onset")}


def _is_complete(records: Mapping[int, Given], key: PageKey) -> bool:
    planned = {row["trial"] for row in key.lists[records[0].record.list - 1].plan}
    return sorted(records) == [*range(len(records))] and planned <= _shown(records)


def _described(session: str, records: Mapping[int, Given], key: PageKey) -> str:
    first, last = (iso(_time(records[number])) for number in (0, max(records)))
    planned = len(key.lists[records[0].record.list - 1].plan)
    trials = f"{len(_shown(records))} of {planned} trials"
    return f"{session} (begun {first}, last record {last}, {trials}; {records[0].where})"


def _time(given: Given) -> datetime:
    """Return the time of day of a record."""
    return datetime.fromtimestamp(given.record.at / 1000, UTC)


class _Replay:
    """The replay of one session's records, as the server would have handled the messages."""

    _session: Session

    def __init__(self, key: PageKey, writer: Writer, session: str, imported: ReturnedAnswers) -> None:
        self._imported = imported
        self._key, self._writer, self._id = key, writer, session
        self._interpreter = Interpreter(key.settings, Texts(key.settings.language))
        self._clock = ReportedClock()

    def run(self, records: Mapping[int, Given]) -> None:
        """Replay the records, in their order, whose rows the store lacks.

        Raises:
            UserError: a record is missing or impossible; what came before it is stored.
        """
        stored, last = self._rows(tables.SESSIONS), -1
        wants = _is_to_be_deleted(records)
        if self._do(partial(left_out, session=self._id, forget=wants), alone=wants):
            self._imported.forgotten.append(self._id)
            return
        if stored:
            last = self._last_stored(records, stored[0])
            if last in records:  # else the store's last record is not in these files
                self._clock.receive(0, _time(records[last]))
            # onsets without a trial come again: they belong to a record that an ended import did not finish
            self._rebuild((), still_shown=True)
            self._session.wait()
        before = len(self._session.done) if stored else 0
        for number in range(last + 1, max(records) + 1):
            if number not in records:
                following = records[min(each for each in records if each > number)].where
                raise UserError(
                    f"{following}: session {self._id}: record {number}, which comes before it, is missing; its records "
                    "from there on are not imported; give the file with it, too"
                )
            self._replay(records[number])
            self._imported.new_trials += len(self._session.done) - before
            before = len(self._session.done)

    def _last_stored(self, records: Mapping[int, Given], row: Row) -> int:
        """Return the number of the last record whose rows the store has."""
        done = {trial["trial"] for trial in self._rows(tables.TRIALS)}
        tried = sum(check["verdict"] != "failed" for check in self._do(partial(attempts, session=self._id)))
        checks = [number for number in sorted(records) if records[number].record.name == "check"]
        kept = [0, *checks[:tried]]
        for number, given in records.items():
            is_described = given.record.name == "ready" and row["screen_width"] is not None
            if is_described or (given.record.name in ("onset", "trial") and given.message.trial in done):
                kept.append(number)
        return max(kept)

    def _replay(self, given: Given) -> None:
        record, where = given.record, f"{given.where}: session {given.record.session}, record {given.record.n}"
        end = "its records from there on are not imported"
        self._clock.receive(self._clock.monotonic(), _time(given))
        try:
            if record.name == "begin":
                self._begin(given)
            elif record.list != self._session.row["list"]:
                raise RequestError(409, f"list: found {record.list}, but it began with {self._session.row['list']}")
            else:
                self._apply(given.message, _time(given))
            if self._session.wait() is State.FAILED:
                assert self._session.error is not None
                raise self._session.error
        except RequestError as error:
            raise UserError(f"{where}, {record.name}: {_problem(error)}; {end}") from error
        except UserError as error:
            raise UserError(f"{where}: {error}; {end}") from error

    def _begin(self, given: Given) -> None:
        dealt, message = self._key.lists[given.record.list - 1], given.message
        row = {**dict.fromkeys(tables.SESSIONS.names), **dealt.row}
        plan = [{**dict.fromkeys(tables.PLANS.names), **planned} for planned in dealt.plan]
        self._session = self._made({**row, "session": self._id, "participant": message.participant}, plan)
        self._interpreter.begin(self._session, message)
        self._imported.new_sessions += 1

    def _apply(self, message: Any, when: datetime) -> None:
        session, is_over = self._session, self._session.state is State.OVER
        match message:
            case Arrival():  # an onset without a trial counts only if its record came before this one
                self._rebuild(self._rows(tables.ONSETS) if session.trial_begun else (), still_shown=False)
            case InstructionCheck() if not is_over:
                job = partial(self._interpreter.check, session=self._id, message=message, at=when)
                self._end_if_failed(self._do(job))
            case Ready() if not is_over and session.row.get("screen_width") is None:
                self._ready(message, when)
            case Onset():
                if not self._interpreter.onset(session, self._clock, message, when):
                    raise RequestError(409, f"trial: found {message.trial}; it is not the turn of this trial")
            case TrialReport():
                self._interpreter.trial(session, self._clock, message, when)
            case MarksReport():
                self._interpreter.marks(session, message)
            case Withdrawal() if not is_over:
                session.abort()

    def _ready(self, message: Ready, when: datetime) -> None:
        session = self._session
        widths = self._key.lists[session.row["list"] - 1].widths
        job = partial(self._interpreter.ready, session=session.row, message=message, widths=widths, at=when)
        columns, failed = self._do(job)
        session.row |= columns
        self._end_if_failed(failed)
        plan_in_frames(session)

    def _end_if_failed(self, row: Row | None) -> None:
        if row is not None and row["verdict"] == "failed":
            self._session.abort()

    def _rebuild(self, onsets: Sequence[Row], *, still_shown: bool) -> None:
        """Continue with the session as stored; arguments as for `Session.resume`."""
        (row,) = self._rows(tables.SESSIONS)
        stored = self._do(lambda store: stored_session(store, row))
        self._session = self._made(row, stored.plan, done=stored.done)
        self._session.resume(onsets, still_shown=still_shown, marked=stored.marked)

    def _made(self, row: Row, plan: Sequence[Row], *, done: Sequence[Row] = ()) -> Session:
        protocol = QuizProtocol(self._key.settings, list_number=row["list"])
        session = Session(row, plan, protocol, self._writer, self._clock, done=done)
        plan_in_frames(session)
        return session

    def _rows(self, table: Table) -> list[Row]:
        return self._do(lambda store: store.rows(table, session=self._id))

    def _do(self, job: Callable[[Store], Result], *, alone: bool = False) -> Result:
        return self._writer.submit(job, alone=alone).result()


def _problem(error: RequestError) -> str:
    """Return the field and the problem of an impossible message, without the words for participants."""
    if "question" in error.body:
        return f"body.answers.{error.body['question']}: is missing; the study requires this answer"
    if error.body.get("reason") == "check_missing":
        return "the questions on the instructions (a record check) were not passed before it, as the page demands"
    return f"body.{error}" if not str(error).startswith("list:") else str(error)
