"""Who may begin, who goes on, who is refused; and the row of a new session."""

import platform
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version

import gan_eval
from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.clock import CLOCK_TOLERANCE, last_instant, read_instant
from gan_eval.quiz.draw import Draw, deal
from gan_eval.quiz.draw.deal import next_list
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, deal_list, give_back_list, new_session_id
from gan_eval.tabular import Row, iso

_PSEUDONYM = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True)
class Applicant:
    """Who wants to take part in what."""

    study: str
    design_hash: str
    participant: str
    simulated: bool
    station: str | None = None
    """The computer's name in the lab."""


@dataclass(frozen=True)
class Admitted:
    """A session that may be run: a new one, or an open one that goes on."""

    row: Row
    plan: tuple[Row, ...]
    done: tuple[Row, ...]
    onsets: tuple[Row, ...]
    """What was shown, also where the program was killed before the trial was stored."""
    warnings: tuple[str, ...]
    stored: bool


def admit(
    store: Store,
    applicant: Applicant,
    stimuli: Sequence[Row],
    settings: QuizSettings,
    *,
    seed: int,
    list_number: int | None = None,
    lists: str | None = None,
    practice: Sequence[Row] = (),
    catch: Sequence[Row] = (),
    fraction: float | None = None,
    now: datetime | None = None,
) -> Admitted:
    """Deal a list to a new participant, or take up the open session of a known one.

    A dealt list is nobody else's from then on; where the session does not begin, `give_back_list` frees it.

    Args:
        store: the results store.
        applicant: who wants to take part in what.
        stimuli: the rows to draw from.
        settings: the quiz.
        seed: the study's seed.
        list_number: which list; default: by order of arrival in this study, among people or among simulated
            participants.
        lists: the lists that this station deals, such as `1-20`, by order of arrival among them.
        practice: stimuli of practice trials; none: items that the list leaves over.
        catch: stimuli of catch trials.
        fraction: share of the planned training steps.
        now: the time of day, for the age of an open session; default: the machine's.

    Raises:
        UserError: the participant has taken part already, or has an open session with another list; the study has
            changed since the session began; it is too old; the station's lists are used up.
    """
    known = find_session(store, applicant)
    if known is not None:
        if list_number not in (None, known["list"]) and known["status"] == "open":
            raise UserError(
                f"--list {list_number}: the open session of {applicant.participant} in {store.where} has list "
                f"{known['list']} and goes on with it; leave the option out, or give a new participant code"
            )
        return _take_up(store, applicant, known, settings, now or datetime.now(UTC))
    others = store.rows(tables.SESSIONS, study=applicant.study)
    session = new_session_id()
    number, taken = deal_list(
        store,
        session,
        applicant.study,
        simulated=applicant.simulated,
        choose=lambda taken: next_list(taken, list_number, lists),
    )
    try:
        draw = deal(stimuli, settings, seed=seed, list_number=number, fraction=fraction, practice=practice, catch=catch)
    except BaseException:
        give_back_list(store, session)
        raise
    row = _session_row(session, applicant, settings, draw, seed=seed, list_number=number, fraction=fraction)
    again = (f"list {number} has been dealt before: two participants see the same",) if number in taken else ()
    warnings = (*draw.warnings, *again, *_design_warnings(store, applicant, others))
    return Admitted(row, draw.plan, (), (), warnings, stored=False)


def _design_warnings(store: Store, applicant: Applicant, others: Sequence[Row]) -> tuple[str, ...]:
    """A quiz without a study file may be changed from session to session; then they are not one experiment."""
    if all(row["design_hash"] == applicant.design_hash for row in others):
        return ()
    return (
        f"{store.where}: holds sessions of the study {applicant.study} with other stimuli or settings; tell them "
        "apart by design_hash, or name another --store",
    )


def find_session(store: Store, applicant: Applicant) -> Row | None:
    """The session of this participant in this study; None where there is none yet.

    Raises:
        UserError: the participant's code is no pseudonym.
    """
    if not _PSEUDONYM.fullmatch(applicant.participant):
        raise UserError(
            f"--participant {applicant.participant!r}: wanted a pseudonym of letters, digits, '.', '-' and '_', "
            "at most 64, such as P01"
        )
    known = store.rows(tables.SESSIONS, study=applicant.study, participant=applicant.participant)
    return known[-1] if known else None


def _take_up(store: Store, applicant: Applicant, row: Row, settings: QuizSettings, now: datetime) -> Admitted:
    who = f"--participant {applicant.participant}: {store.where}"
    if row["status"] == "complete":
        raise UserError(f"{who} holds this participant's complete session already; give a new participant code")
    if row["status"] == "aborted":
        raise UserError(f"{who}: this participant has stopped for good (the trials are kept); give a new code")
    if row["simulated"] != applicant.simulated:
        words = ("simulated", "a person's") if row["simulated"] else ("a person's", "simulated")
        raise UserError(f"{who} holds {words[0]} open session; it cannot be continued as {words[1]}; give a new code")
    if row["design_hash"] != applicant.design_hash:
        raise UserError(
            f"{who}: the study's stimuli or quiz have changed since this participant's open session began; "
            "undo the change, or give a new participant code"
        )
    plan, done, onsets = (
        tuple(store.rows(table, session=row["session"])) for table in (tables.PLANS, tables.TRIALS, tables.ONSETS)
    )
    warnings = _age_warnings(who, row, settings, now, last_instant(row, done, onsets))
    return Admitted(row, plan, done, onsets, warnings, stored=True)


def _age_warnings(who: str, row: Row, settings: QuizSettings, now: datetime, last: datetime | None) -> tuple[str, ...]:
    """What is to be said of a session of the future; one whose age nobody can tell is none that is young enough.

    Args:
        who: whose session it is, and where, for messages.
        row: the session.
        settings: the quiz.
        now: the time of day.
        last: the last moment that the session tells of.

    Raises:
        UserError: it is older than the study allows, or may be.
    """
    if row["started_at"] is None or last is None:
        return ()
    age = max(now, last) - read_instant(row["started_at"])
    limit = settings.resume_within_hours
    if limit is not None and age > timedelta(hours=limit):
        raise UserError(
            f"{who}: this participant's open session began {age.total_seconds() / 3600:.1f} hours ago, the study "
            f"continues one for {limit:g} hours (quiz.resume_within_hours); the trials are kept; give a new code"
        )
    if last - now <= CLOCK_TOLERANCE:
        return ()
    told = f"{who}: this session tells of {iso(last)}, which is still to come: was the clock set back?"
    if limit is not None:
        raise UserError(
            f"{told} How old the session is cannot be told, and the study continues one for {limit:g} hours "
            "(quiz.resume_within_hours); set the clock right, or give a new code; the trials are kept"
        )
    return (f"{told} It goes on from that moment; its next trial is flagged clock_set_back",)


def _session_row(
    session: str,
    applicant: Applicant,
    settings: QuizSettings,
    draw: Draw,
    *,
    seed: int,
    list_number: int,
    fraction: float | None,
) -> Row:
    shares = [row["fraction"] for row in draw.plan if row["fraction"] is not None]
    return {
        "session": session,
        "study": applicant.study,
        "design_hash": applicant.design_hash,
        "participant": applicant.participant,
        "protocol": settings.protocol,
        "list": list_number,
        "seed": seed,
        "status": "open",
        "simulated": applicant.simulated,
        "started_at": None,
        "ended_at": None,
        "software": _software(),
        "platform": platform.platform(),
        "presenter": None,
        "screen_width": None,
        "screen_height": None,
        "device_pixel_ratio": None,
        "refresh_hz": None,
        "station": applicant.station,
        "keys": ",".join(f"{answer}={key}" for answer, key in settings.keys_of_list(list_number).items()),
        "fraction": fraction if fraction is not None else min(shares, default=None),
    }


def _software() -> str:
    parts = [f"gan_eval {gan_eval.__version__}", f"Python {platform.python_version()}"]
    with suppress(PackageNotFoundError):
        parts.append(f"PySide6 {version('PySide6-Essentials')}")
    return ", ".join(parts)
