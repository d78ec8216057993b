"""Records that a store keeps next to its tables: dealt lists, designs, given numbers; a server's secret, tabs, pauses.

Export, push and merge do not copy them.
"""

import json
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import Store, lock_writes, session_age
from gan_eval.tables.cells import person_of

_METADATA = sa.MetaData()


def _table(name: str, keys: int, **columns: type[sa.types.TypeEngine[Any]]) -> sa.Table:
    """Declare a table of filled columns, of which the first `keys` are the key."""
    made = [
        sa.Column(column, kind, nullable=False, primary_key=index < keys)
        for index, (column, kind) in enumerate(columns.items())
    ]
    return sa.Table(f"gan_eval_{name}", _METADATA, *made)


_DEALT = _table("dealt", 1, session=sa.Text, study=sa.Text, simulated=sa.Boolean, list=sa.BigInteger)
"""List of each session that is about to begin in a window, so that no other program deals the same list."""
_LISTS = _table("lists", 3, study=sa.Text, simulated=sa.Boolean, list=sa.BigInteger)
"""Lists that have been dealt, also to sessions that did not begin or are deleted; those are dealt again."""
RESERVED_S = 1800
"""Time in seconds for which a list stays reserved for a session that has not begun."""
_DESIGNS = _table("designs", 1, design_hash=sa.Text, design=sa.Text)
"""Designs as JSON by their hash, so that a message can name the changed keys of a study file."""
_NUMBERS = _table("numbers", 1, study=sa.Text, highest=sa.BigInteger)
"""Highest number in the codes P01, P02, ... of each study, stored when a participant's data are deleted."""
_SECRETS = _table("secrets", 0, secret=sa.LargeBinary)
_TABS = _table("tabs", 1, session=sa.Text, tab=sa.Text)
_PAUSED = _table("paused", 1, study=sa.Text)
_HOLD = (
    f"INSERT INTO {_TABS.name} (session, tab) "
    f"SELECT session, :tab FROM {LAYOUTS[tables.SESSIONS].name} WHERE session = :session {{lock}}"
    "ON CONFLICT (session) DO UPDATE SET tab = excluded.tab"
)


@contextmanager
def _writing(store: Store, *which: sa.Table) -> Iterator[sa.Connection]:
    """Begin a transaction that writes to these tables; create those that are missing."""
    with store.transaction() as connection:
        lock_writes(connection)
        _METADATA.create_all(connection, tables=which)
        yield connection


class ListTakenError(UserError):
    """Another session has begun with this list."""


class StudyFullError(UserError):
    """The study has as many participants as it admits."""


def deal_list(
    store: Store,
    session: str,
    study: str,
    *,
    simulated: bool,
    choose: Callable[[Collection[int]], int],
    again: bool = True,
    held: Mapping[str, int] | None = None,
) -> tuple[int, frozenset[int]]:
    """Choose a list and reserve it for a session, in one transaction; return its number and those in use before.

    Each study has its own lists; people's and simulated participants' lists are counted separately.

    Args:
        choose: called with the numbers of all dealt lists; returns the number of the new list.
        again: prefer the first list that was dealt and nobody uses any more, such as that of a deleted participant.
        held: lists of sessions that are about to begin in this process, which then keeps them apart without
            reservations; `require_place` finds a list that another process has begun in the meantime.
    """
    with _writing(store, _DEALT, _LISTS) as connection:
        in_use = _lists_in_use(connection, study, simulated=simulated) | set((held or {}).values())
        dealt = {
            number
            for table in (LAYOUTS[tables.SESSIONS], _DEALT, _LISTS)
            for number in connection.execute(
                sa.select(table.c.list).where(table.c.study == study, table.c.simulated == simulated)
            ).scalars()
            if number is not None
        } | in_use
        free = dealt - in_use
        number = min(free) if again and free else choose(dealt)
        row = {"study": study, "simulated": simulated, "list": number}
        connection.execute(
            sa.text(f"INSERT INTO {_LISTS.name} VALUES (:study, :simulated, :list) ON CONFLICT DO NOTHING"), row
        )
        if held is None:
            connection.execute(_DEALT.insert().values(session=session, **row))
    return number, frozenset(in_use)


def _of_study(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.study == sa.bindparam("of_study"), table.c.simulated == sa.bindparam("is_simulated")


_SESSIONS = LAYOUTS[tables.SESSIONS]
_PICTURES = [
    sa.exists().where(LAYOUTS[table].c.session == _SESSIONS.c.session) for table in (tables.ONSETS, tables.TRIALS)
]
_LISTS_OF_SESSIONS = sa.select(_SESSIONS.c.list).where(
    *_of_study(_SESSIONS), sa.or_(_SESSIONS.c.status != "aborted", *_PICTURES)
)
_RESERVATIONS = sa.select(_DEALT.c.session, _DEALT.c.list).where(
    *_of_study(_DEALT), _DEALT.c.session.not_in(sa.select(_SESSIONS.c.session))
)


def _lists_in_use(connection: sa.Connection, study: str, *, simulated: bool) -> set[int]:
    """Return the lists of sessions, without those that ended before the first picture, and the reserved lists."""
    which = {"of_study": study, "is_simulated": simulated}
    lists = connection.execute(_LISTS_OF_SESSIONS, which).scalars()
    reservations = connection.execute(_RESERVATIONS, which)
    return {
        *(number for number in lists if number is not None),
        *(number for session, number in reservations if abs(session_age(session)) < RESERVED_S),
    }


def give_back_list(store: Store, session: str) -> None:
    """Free the list of a session that will not begin."""
    with _writing(store, _DEALT) as connection:
        connection.execute(_DEALT.delete().where(_DEALT.c.session == session))


def require_place(connection: sa.Connection, session: Mapping[str, Any], *, at_most: int | None) -> None:
    """Check, in the transaction that stores a new session, that its list is free and that the study admits it.

    Raises:
        ListTakenError: another session has this list.
        StudyFullError: people have `at_most` open or complete sessions.
    """
    study = session["study"]
    if session["list"] in _lists_in_use(connection, study, simulated=session["simulated"]):
        raise ListTakenError(f"list {session['list']} has been dealt elsewhere in the meantime")
    if at_most is not None and places_taken(connection, study) >= at_most:
        raise StudyFullError(f"the study {study} has {at_most} participants")


def places_taken(connection: sa.Connection, study: str) -> int:
    """Return the number of people's open and complete sessions of a study."""
    sessions = LAYOUTS[tables.SESSIONS].c
    conditions = (sessions.study == study, sessions.simulated == sa.false(), sessions.status != "aborted")
    return connection.execute(sa.select(sa.func.count()).where(*conditions)).scalar_one()


def store_design(store: Store, design_hash: str, design: Mapping[str, Any]) -> None:
    """Store the design of a design hash."""
    with _writing(store, _DESIGNS) as connection:
        same = _DESIGNS.c.design_hash == design_hash
        if connection.execute(sa.select(_DESIGNS.c.design_hash).where(same)).first() is None:
            connection.execute(_DESIGNS.insert().values(design_hash=design_hash, design=json.dumps(design)))


def stored_design(store: Store, design_hash: str) -> dict[str, Any] | None:
    """Return the design of a design hash; None if the store does not have it, for example after a merge."""
    with store.transaction() as connection:
        if not sa.inspect(connection).has_table(_DESIGNS.name):
            return None
        text = connection.execute(sa.select(_DESIGNS.c.design).where(_DESIGNS.c.design_hash == design_hash)).scalar()
    try:
        design = json.loads(text or "null")
    except (ValueError, TypeError, RecursionError):  # damaged; only a message needs it
        return None
    return design if isinstance(design, dict) else None


def highest_number(connection: sa.Connection, study: str) -> int:
    """Return the highest number in the codes P01, P02, ... of a study's participants, also of deleted ones; else 0.

    A paper record may still name a participant whose data are deleted, so nobody else may get that code.
    """
    sessions = LAYOUTS[tables.SESSIONS].c
    codes = connection.execute(sa.select(sessions.participant).where(sessions.study == study)).scalars()
    matches = (re.fullmatch(r"p(\d{2,5})", person_of(str(code))) for code in codes)
    numbers = [int(match[1]) for match in matches if match]
    if sa.inspect(connection).has_table(_NUMBERS.name):
        numbers += connection.execute(sa.select(_NUMBERS.c.highest).where(_NUMBERS.c.study == study)).scalars()
    return max(numbers, default=0)


def keep_highest_numbers(connection: sa.Connection, sessions: Collection[str]) -> None:
    """Store the highest number in the codes of the studies of these sessions, before the sessions are deleted.

    The number counts all participants of the study, so that it names none of them.
    """
    _METADATA.create_all(connection, tables=[_NUMBERS])
    layout = LAYOUTS[tables.SESSIONS].c
    studies = connection.execute(sa.select(layout.study).where(layout.session.in_(sessions)).distinct()).scalars().all()
    for study in studies:
        keep = (
            f"INSERT INTO {_NUMBERS.name} (study, highest) VALUES (:study, :highest) "
            "ON CONFLICT (study) DO UPDATE SET highest = excluded.highest"
        )
        connection.execute(sa.text(keep), {"study": study, "highest": highest_number(connection, study)})


class StudyProgress(NamedTuple):
    """State of a session in the store, which any process may change."""

    tab: str | None
    """Tab that holds the session; None if no tab does."""
    trials: int
    """Number of stored trials."""
    status: str | None
    """open, complete or aborted; None if the store does not have the session."""
    described: bool
    """True if the participant's display is known."""


def server_secret(store: Store) -> bytes:
    """Return the 32 random bytes that sign links and tokens; create them if the store has none.

    Also creates the tables for `hold_session`, `progress_of` and `is_paused`.
    """
    with _writing(store, _SECRETS, _TABS, _PAUSED) as connection:
        secret = connection.execute(sa.select(_SECRETS.c.secret)).scalar()
        if secret is None:
            secret = secrets.token_bytes(32)
            connection.execute(_SECRETS.insert().values(secret=secret))
    return bytes(secret)


def hold_session(store: Store, session: str, tab: str) -> bool:
    """Record that a tab now holds a session; return whether the store has the session."""
    with store.transaction() as connection:
        # lock the session's row, so that the participant's data cannot be deleted before this is stored
        lock = "FOR KEY SHARE " if connection.dialect.name == "postgresql" else ""
        result = connection.execute(sa.text(_HOLD.format(lock=lock)), {"session": session, "tab": tab})
    return result.rowcount > 0


def require_tab(connection: sa.Connection, session: str, tab: str | None) -> None:
    """Check, in the transaction that stores what a tab reports, that no other tab holds the session.

    Raises:
        UserError: another tab holds it, which may be known to another process only.
    """
    holder = sa.select(_TABS.c.tab).where(_TABS.c.session == session)
    if connection.execute(holder.with_for_update(read=True)).scalar() != tab:
        raise UserError(f"session {session}: it continues in another tab")


def progress_of(store: Store, session: str) -> StudyProgress:
    """Return the state of a session, in one query."""
    sessions, trials = LAYOUTS[tables.SESSIONS].c, LAYOUTS[tables.TRIALS].c
    query = sa.select(
        sa.select(_TABS.c.tab).where(_TABS.c.session == session).scalar_subquery(),
        sa.select(sa.func.count()).where(trials.session == session).scalar_subquery(),
        sa.select(sessions.status).where(sessions.session == session).scalar_subquery(),
        sa.select(sessions.screen_width).where(sessions.session == session).scalar_subquery(),
    )
    with store.transaction() as connection:
        tab, count, status, width = connection.execute(query).one()
    return StudyProgress(tab, count, status, width is not None)


def pause(store: Store, study: str, *, on: bool) -> None:
    """Pause (`on`) or resume the admission of new participants to a study; a restarted server keeps this state."""
    with _writing(store, _PAUSED) as connection:
        connection.execute(_PAUSED.delete().where(_PAUSED.c.study == study))
        if on:
            connection.execute(_PAUSED.insert().values(study=study))


def is_paused(store: Store, study: str) -> bool:
    """Return whether the admission of new participants to a study is paused."""
    with store.transaction() as connection:
        return connection.execute(sa.select(_PAUSED.c.study).where(_PAUSED.c.study == study)).first() is not None
