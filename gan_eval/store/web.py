"""Records of the server of pages in a store: the key of its links, which tab holds a session, and pauses.

`server_secret` makes the tables; the other functions want them there. Nothing of it is copied by an export, a push or a
merge.
"""

import secrets
from typing import NamedTuple

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import Store, lock_writes

_METADATA = sa.MetaData()
_SECRETS = sa.Table("gan_eval_secrets", _METADATA, sa.Column("secret", sa.LargeBinary, nullable=False))
_TABS = sa.Table(
    "gan_eval_tabs",
    _METADATA,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("tab", sa.Text, nullable=False),
)
_PAUSED = sa.Table("gan_eval_paused", _METADATA, sa.Column("study", sa.Text, primary_key=True))
_HOLD = (
    f"INSERT INTO {_TABS.name} (session, tab) "
    f"SELECT session, :tab FROM {LAYOUTS[tables.SESSIONS].name} WHERE session = :session {{lock}}"
    "ON CONFLICT (session) DO UPDATE SET tab = excluded.tab"
)


class Progress(NamedTuple):
    """State of a session in the store, which any process may have changed."""

    tab: str | None
    """The tab that holds the session; None: no tab has."""
    trials: int
    """Number of stored trials."""
    status: str | None
    """open, complete or aborted; None: the store has no such session, as before consent."""
    described: bool
    """The participant's display is known."""


def server_secret(store: Store) -> bytes:
    """Return the 32 random bytes that sign the links of a store's sessions; they are made once and then kept."""
    with store.transaction() as connection:
        lock_writes(connection)
        _METADATA.create_all(connection)
        secret = connection.execute(sa.select(_SECRETS.c.secret)).scalar()
        if secret is None:
            secret = secrets.token_bytes(32)
            connection.execute(_SECRETS.insert().values(secret=secret))
    return bytes(secret)


def hold_session(store: Store, session: str, tab: str) -> bool:
    """Let a tab hold a session, in place of the one that did; return whether the store has the session."""
    with store.transaction() as connection:
        lock = "FOR KEY SHARE " if connection.dialect.name == "postgresql" else ""  # against its being forgotten
        held = connection.execute(sa.text(_HOLD.format(lock=lock)), {"session": session, "tab": tab})
    return held.rowcount > 0


def progress_of(store: Store, session: str) -> Progress:
    """Return how far a session is, by one query."""
    sessions, trials = LAYOUTS[tables.SESSIONS].c, LAYOUTS[tables.TRIALS].c
    query = sa.select(
        sa.select(_TABS.c.tab).where(_TABS.c.session == session).scalar_subquery(),
        sa.select(sa.func.count()).where(trials.session == session).scalar_subquery(),
        sa.select(sessions.status).where(sessions.session == session).scalar_subquery(),
        sa.select(sessions.screen_width).where(sessions.session == session).scalar_subquery(),
    )
    with store.transaction() as connection:
        tab, stored, status, width = connection.execute(query).one()
    return Progress(tab, stored, status, width is not None)


def pause(store: Store, study: str, *, on: bool) -> None:
    """Admit nobody new to a study, or admit people again; a restart of the server changes nothing."""
    with store.transaction() as connection:
        lock_writes(connection)
        connection.execute(_PAUSED.delete().where(_PAUSED.c.study == study))
        if on:
            connection.execute(_PAUSED.insert().values(study=study))


def is_paused(store: Store, study: str) -> bool:
    """Return whether nobody new is admitted to a study."""
    with store.transaction() as connection:
        return connection.execute(sa.select(_PAUSED.c.study).where(_PAUSED.c.study == study)).first() is not None
