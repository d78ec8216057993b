"""Who may begin, who goes on, who is refused; and the row of a new session."""

import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import gan_eval
from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.schedule import Draw, deal
from gan_eval.store import Store, new_session_id
from gan_eval.study import QuizSettings
from gan_eval.tabular import Row

_PSEUDONYM = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True)
class Applicant:
    """Who wants to take part in what."""

    study: str
    design_hash: str
    participant: str
    simulated: bool


@dataclass(frozen=True)
class Admitted:
    """A session that may be run: a new one, or an open one that goes on."""

    row: Row
    plan: tuple[Row, ...]
    done: tuple[Row, ...]
    warnings: tuple[str, ...]
    stored: bool


def admit(
    store: Store,
    applicant: Applicant,
    stimuli: list[Row],
    settings: QuizSettings,
    *,
    seed: int,
    list_number: int | None = None,
    fraction: float | None = None,
) -> Admitted:
    """Deal a list to a new participant, or take up the open session of a known one.

    Args:
        store: the results store.
        applicant: who wants to take part in what.
        stimuli: the rows to draw from.
        settings: the quiz.
        seed: the study's seed.
        list_number: which list; default: by order of arrival in this study.
        fraction: share of the planned training steps.

    Raises:
        UserError: the participant has taken part already, or the study has changed since the session began.
    """
    if not _PSEUDONYM.fullmatch(applicant.participant):
        raise UserError(
            f"--participant {applicant.participant!r}: wanted a pseudonym of letters, digits, '.', '-' and '_', "
            "at most 64, such as P01"
        )
    sessions = store.rows(tables.SESSIONS, study=applicant.study)
    known = [row for row in sessions if row["participant"] == applicant.participant]
    if known:
        return _take_up(store, applicant, known[-1])
    number = list_number if list_number is not None else len(sessions) + 1
    draw = deal(stimuli, settings, seed=seed, list_number=number, fraction=fraction)
    row = _session_row(applicant, settings, draw, seed=seed, list_number=number, fraction=fraction)
    return Admitted(row, draw.plan, (), draw.warnings, stored=False)


def _take_up(store: Store, applicant: Applicant, row: Row) -> Admitted:
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
    plan = store.rows(tables.PLANS, session=row["session"])
    done = store.rows(tables.TRIALS, session=row["session"])
    return Admitted(row, tuple(plan), tuple(done), (), stored=True)


def _session_row(
    applicant: Applicant, settings: QuizSettings, draw: Draw, *, seed: int, list_number: int, fraction: float | None
) -> Row:
    shares = [row["fraction"] for row in draw.plan if row["fraction"] is not None]
    return {
        "session": new_session_id(),
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
        "fraction": fraction if fraction is not None else min(shares, default=None),
    }


def _software() -> str:
    parts = [f"gan_eval {gan_eval.__version__}", f"Python {platform.python_version()}"]
    with suppress(PackageNotFoundError):
        parts.append(f"PySide6 {version('PySide6-Essentials')}")
    return ", ".join(parts)
