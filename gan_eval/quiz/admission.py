"""Admission: decide who may begin or resume a session, and make the row of a new one."""

import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import gan_eval
from gan_eval import tables
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Place
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.draw import Dealer
from gan_eval.quiz.draw.deal import next_list
from gan_eval.quiz.simulate import Observer
from gan_eval.quiz.station import station_file
from gan_eval.settings.design import design_changes
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import (
    Store,
    deal_list,
    has_people,
    highest_number,
    new_session_id,
    open_store,
    other_design,
    session_of,
    store_design,
    stored_design,
    with_moved_stores,
)
from gan_eval.tables.cells import person_of
from gan_eval.tables.frames import Row


@dataclass(frozen=True, kw_only=True)
class QuizStudy:
    """A study's pictures and settings for its sessions."""

    name: str
    settings: QuizSettings
    shown: Sequence[StimulusSet]
    """The sets that the main trials are drawn from."""
    practice: Sequence[StimulusSet] = ()
    """The sets of practice trials; if empty: items that the list does not use."""
    catch: Sequence[StimulusSet] = ()
    """The sets of catch trials."""
    seed: int
    design: Mapping[str, Any]
    """All settings and pictures that participants see; stored, so that messages can name later changes."""
    title: str = ""
    """Headline for the experimenter; default: the name."""

    @cached_property
    def design_hash(self) -> str:
        """SHA-256 of the design."""
        return sha256_json(self.design)

    @cached_property
    def dealer(self) -> Dealer:
        """The dealer of the study's lists; raises `UserError` as `gan_eval.quiz.draw.Dealer`."""
        shown, practice, catch = (
            [row for stimuli in sets for row in stimuli.rows] for sets in (self.shown, self.practice, self.catch)
        )
        return Dealer(shown, self.settings, seed=self.seed, practice=practice, catch=catch)


@dataclass(frozen=True)
class Person:
    """A participant who wants a session."""

    code: str
    """The pseudonym."""
    observer: Observer | None = None
    """Parameters of a simulated participant; None: a person."""
    station: str | None = None
    """The computer's name in the lab."""
    list_number: int | None = None
    """The number of the list; None: the next one, counted separately for people and simulated participants."""

    def __post_init__(self) -> None:
        """Refuse a participant code that is not a pseudonym."""
        if not re.fullmatch(r"[\w.-]{1,64}", self.code):
            raise UserError(
                f"--participant {self.code!r}: expected a pseudonym of letters, digits, '.', '-' and '_', at most 64, "
                "such as P01"
            )

    @property
    def simulated(self) -> bool:
        """True if the session is simulated."""
        return self.observer is not None


def session_lock(store: Place, study: QuizStudy, person: Person) -> tuple[Path, str, str]:
    """Return the arguments of `gan_eval.base.locks.hold_lock` that keep a participant from two concurrent sessions."""
    doing = f"in this participant's session of the study {study.name} in {store}"
    return lock_file(store, study.name, person_of(person.code)), f"--participant {person.code}", doing


def lock_file(store: Place, *activity: str) -> Path:
    """Return an activity's lock file: next to the store; for a server, next to this computer's screen record."""
    folder, name = (store.parent, store.name) if isinstance(store, Path) else (station_file().parent, str(store))
    return folder / f".gan-eval-{sha256_json([name, *activity])[:12]}.lock"


@dataclass(frozen=True)
class Admitted:
    """A session that may run: a new one, or a stored one to resume."""

    row: Row  # of the table `sessions`
    plan: tuple[Row, ...]
    done: tuple[Row, ...] = ()  # stored trials
    onsets: tuple[Row, ...] = ()
    """Stored onsets, including that of a trial that was not stored because the program was killed."""
    warnings: tuple[str, ...] = ()
    stored: bool = False  # true if the session is resumed
    marked: bool = False  # the last stored trial has marks


@dataclass(frozen=True)
class Reserved:
    """A list reserved for a new session; its trials are not dealt yet."""

    session: str
    person: Person
    list_number: int
    warnings: tuple[str, ...]

    def deal(self, study: QuizStudy) -> Admitted:
        """Draw the trials of the list; this does not use the store.

        Raises:
            UserError: there are too few pictures for the list; free it with `give_back_list`.
        """
        draw = study.dealer.deal(self.list_number)
        keys = study.settings.keys_of_list(self.list_number)
        software = [f"gan_eval {gan_eval.__version__}", f"Python {platform.python_version()}"]
        with suppress(PackageNotFoundError):
            software.append(f"PySide6 {version('PySide6-Essentials')}")
        row = {
            "session": self.session,
            "study": study.name,
            "design_hash": study.design_hash,
            "participant": self.person.code,
            "protocol": study.settings.protocol,
            "list": self.list_number,
            "seed": study.seed,
            "status": "open",
            "simulated": self.person.simulated,
            "started_at": None,
            "ended_at": None,
            "software": ", ".join(software),
            "platform": platform.platform(),
            "station": self.person.station,
            "keys": ",".join(f"{answer}={key}" for answer, key in keys.items()),
            "fraction": min((row["fraction"] for row in draw.plan if row["fraction"] is not None), default=None),
        }
        return Admitted(row, draw.plan, warnings=(*draw.warnings, *self.warnings))


def reserve(
    store: Store, study: QuizStudy, person: Person, *, held: dict[str, int] | None = None
) -> Admitted | Reserved:
    """Reserve a list for a new participant, or resume the open session of a known one.

    No other session gets a reserved list; if the session does not begin, `give_back_list` frees it. With `held`, as in
    `deal_list`, nothing is reserved; the list is added to `held` by the participant's code.

    Raises:
        UserError: the participant has taken part already, or has an open session with another list; the study has
            changed since the session began; the session is to be simulated, but people have answered in this store.
    """
    if person.simulated and has_people(store, study.name):
        raise UserError(
            f"--simulate: people have answered the study {study.name} in {store.where}, and simulated answers must not "
            "mix with theirs; name another --store"
        )
    earlier = session_of(store, study.name, person.code)
    if earlier is not None:
        if person.list_number not in (None, earlier["list"]) and earlier["status"] == "open":
            raise UserError(
                f"--list {person.list_number}: the open session of {person.code} in {store.where} has list "
                f"{earlier['list']}; remove the option, or give a new participant code"
            )
        return _resumed(store, study, person, earlier)
    session = new_session_id()
    number, in_use = deal_list(
        store,
        session,
        study.name,
        simulated=person.simulated,
        choose=lambda dealt: next_list(dealt, person.list_number),
        again=person.list_number is None,
        held=held,
    )
    if held is not None:
        held[person.code] = number
    store_design(store, study.design_hash, study.design)
    warnings = []
    if number in in_use:
        warnings.append(f"list {number} has been used before, so two participants see the same pictures")
    if other := other_design(store, study.name, study.design_hash):  # possible without a study file
        warnings.append(
            f"{store.where}: holds sessions of the study {study.name} with other stimuli or settings"
            f"{changes_since(store, other, study.design)}; separate them by design_hash, or name another --store"
        )
    return Reserved(session, person, number, tuple(warnings))


def next_code(where: Place, study: str) -> str:
    """Return the code of P01, P02, ... after the last one in a study.

    Readable stores that `run --redo quiz` moved aside from the store `where` count, too.
    """
    highest = 0
    for path in with_moved_stores(where):
        with suppress(UserError), open_store(path, create=False) as store, store.transaction() as connection:
            highest = max(highest, highest_number(connection, study))
    return f"P{highest + 1:02d}"


def _resumed(store: Store, study: QuizStudy, person: Person, row: Row) -> Admitted:
    """Return the open session `row` of a known participant, or refuse it."""
    same = "" if row["participant"] == person.code else f" (the same person as {row['participant']})"
    who = f"--participant {person.code}{same}: {store.where}"
    if row["status"] == "complete":
        raise UserError(f"{who} already has this participant's complete session; give a new participant code")
    if row["status"] == "aborted":
        raise UserError(f"{who}: this participant has withdrawn (the trials are kept); give a new participant code")
    if row["simulated"] != person.simulated:
        raise UserError(f"{who} has an open session, and only one of the two is simulated; give a new code")
    if row["design_hash"] != study.design_hash:
        raise UserError(
            f"{who}: the study's stimuli or quiz have changed since this participant's open session began"
            f"{changes_since(store, row['design_hash'], study.design)}; set them back, or give a new participant code"
        )
    return stored_session(store, row)


def stored_session(store: Store, row: Row) -> Admitted:
    """Return the session of a stored row, with its plan, trials and onsets."""
    plan, done, onsets = (
        tuple(store.rows(table, session=row["session"])) for table in (tables.PLANS, tables.TRIALS, tables.ONSETS)
    )
    marked = bool(done and store.rows(tables.MARKS, session=row["session"], trial=done[-1]["trial"]))
    return Admitted(row, plan, done, onsets, stored=True, marked=marked)


def changes_since(store: Store, design_hash: str, design: Mapping[str, Any]) -> str:
    """Return the changes from a stored design in parentheses; empty if the store does not have that design."""
    before = stored_design(store, design_hash)
    return "" if before is None else f" ({design_changes(before, design)})"
