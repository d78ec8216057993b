"""The lab's side: the PostgreSQL server that gathers what the stations' stores hold.

What is sent twice is stored once, and what two stores tell differently is refused, so that a delivery may be cut off
anywhere and repeated. One participant sits once in a study, by a unique index of the server's own.
"""

import logging
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gan_eval import tables
from gan_eval.delivery.unsent import PARTS, Parcel
from gan_eval.errors import UserError
from gan_eval.store.connect import CONNECT_S, Address, remote_engine
from gan_eval.store.layout import META, SCHEMA_VERSION, STORED_TABLES, Layout
from gan_eval.store.results import lock_writes, person_of
from gan_eval.tables.schema import Table
from gan_eval.tabular import Row

_FIXED = ("study", "design_hash", "participant", "list", "seed", "simulated", "started_at")
"""What never changes in a session's row."""

_OWN = sa.MetaData()
_IDENTITY = sa.Table("gan_eval_server", _OWN, sa.Column("server", sa.Text, primary_key=True))
_LISTS = sa.Table(
    "gan_eval_lists",
    _OWN,
    sa.Column("study", sa.Text, primary_key=True),
    sa.Column("simulated", sa.Boolean, primary_key=True),
    sa.Column("dealt", sa.BigInteger, nullable=False),
)
"""The highest list that was given out in a study, to people and to simulated participants."""

_LASTING = (
    "authentication failed",
    "does not exist",
    "invalid connection option",
    "no password",
    "no pg_hba.conf entry",
    "permission denied",
)
"""What a server says that no waiting mends."""


class UnreachableError(Exception):
    """The server does not take rows now; it may do so later. The message is one line without a password."""

    @property
    def lasting(self) -> bool:
        """It is the URL or the server's settings that are wrong."""
        return any(words in str(self) for words in _LASTING)


class RefusedError(Exception):
    """The server will never take this session's rows as they are. The message is one line without a password."""


class Server:
    """A lab's server. Nothing is sent before the first question; after a broken connection the next one mends it."""

    def __init__(self, address: Address, *, connect_s: float = CONNECT_S) -> None:
        """Set up; the network is not touched.

        Raises:
            UserError: the driver is not installed.
        """
        self._address = address
        log = logging.getLogger("psycopg")
        if not log.handlers:  # else the program has a place for the driver's remarks on a broken line
            log.addHandler(logging.NullHandler())
        self._engine = remote_engine(address, connect_s=connect_s, hurried=True, pool_size=1, max_overflow=0)
        self._layout = Layout()
        self._inserts = {  # of the rows that break no rule of uniqueness; the row count says how many these were
            table.name: insert(self._layout[table]).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
            for table in STORED_TABLES
        }
        self._identity: str | None = None

    def identity(self) -> str:
        """What the database calls itself, another for one that was made anew. Its tables are made where missing.

        Raises:
            UnreachableError: it does not answer, or its tables cannot be made.
            UserError: it is of a newer version, or holds two sessions of one participant.
        """
        if self._identity is None:
            try:
                with self._transaction() as connection:
                    identity = _identity_of(connection)
                    if identity is None:
                        lock_writes(connection)  # all stations may start at the same moment
                        identity = _identity_of(connection) or self._set_up(connection)
                self._identity = identity
            except RefusedError as error:  # no row was sent that could be refused
                raise UnreachableError(str(error)) from None
        return self._identity

    def send(self, parcel: Parcel) -> None:
        """Store what a parcel holds, all or nothing; durable on return. What is there already is left as it is.

        Raises:
            UnreachableError: it does not answer; whether the rows arrived is not known.
            RefusedError: the participant has a session from another station, or a row is there with other values.
        """
        with self._transaction() as connection:
            layout, session = self._layout[tables.SESSIONS], parcel.session
            known = self._sitting(connection, session["study"], session["participant"]) if parcel.changed else None
            if known is not None and known["session"] != session["session"]:
                raise RefusedError(already_sitting(session["study"], session["participant"]))
            if parcel.changed and connection.execute(self._inserts[layout.name], [session]).rowcount != 1:
                same = layout.c.session == session["session"]
                stored = connection.execute(layout.select().where(same)).mappings().first()
                if stored is None:
                    raise RefusedError(already_sitting(session["study"], session["participant"]))
                ended = stored["status"] != "open"
                if any(stored[name] != session[name] for name in _FIXED) or (
                    ended and session["status"] not in ("open", stored["status"])
                ):
                    raise RefusedError(f"two stores hold different rows for session {session['session']}")
                if not ended:
                    connection.execute(layout.update().where(same).values(session))
            for table in PARTS:
                rows = parcel.rows.get(table, [])
                if not rows or connection.execute(self._inserts[table.name], list(rows)).rowcount == len(rows):
                    continue
                layout = self._layout[table]
                query = layout.select().where(layout.c.session == rows[0]["session"])
                stored_rows = {_key(row, table): row for row in map(dict, connection.execute(query).mappings())}
                for row in rows:
                    if stored_rows.get(_key(row, table)) != row:
                        key = " ".join(f"{name} {row[name]}" for name in table.key)
                        raise RefusedError(f"two stores hold different rows of {table.name} for {key}")

    def sitting(self, study: str, participant: str) -> Row | None:
        """The row of this participant's session in this study; None where there is none."""
        with self._transaction() as connection:
            return self._sitting(connection, study, participant)

    def _sitting(self, connection: sa.Connection, study: str, participant: str) -> Row | None:
        layout = self._layout[tables.SESSIONS]
        rows = connection.execute(layout.select().where(layout.c.study == study)).mappings()
        # Compared here: SQL's lower() is another rule than casefold(), as for "STRASSE" and "straße".
        return next((dict(row) for row in rows if person_of(row["participant"]) == person_of(participant)), None)

    def next_list(self, study: str, *, simulated: bool) -> int:
        """The number of a list that no station was given before, from 1 in order of asking."""
        sessions = self._layout[tables.SESSIONS]
        same = (sessions.c.study == study) & (sessions.c.simulated == simulated)
        dealt = sa.select(sa.func.coalesce(sa.func.max(sessions.c.list), 0)).where(same).scalar_subquery()
        ask = insert(_LISTS).values(study=study, simulated=simulated, dealt=dealt + 1)
        ask = ask.on_conflict_do_update(
            index_elements=[_LISTS.c.study, _LISTS.c.simulated],
            set_={"dealt": sa.func.greatest(_LISTS.c.dealt + 1, ask.excluded.dealt)},
        )
        with self._transaction() as connection:
            return int(connection.execute(ask.returning(_LISTS.c.dealt)).scalar_one())

    def close(self) -> None:
        """Release the connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_up(self, connection: sa.Connection) -> str:
        """Make the tables; the new identity, or that of a server that was set up by an older version."""
        self._layout.bring_up_to_date(connection, self._address.safe_url)
        sessions = self._layout[tables.SESSIONS]
        once = sa.Index("gan_eval_one_sitting", sessions.c.study, sessions.c.participant, unique=True)
        try:
            once.create(connection, checkfirst=True)
        except sa.exc.IntegrityError as error:
            raise UserError(
                f"{self._address.safe_url}: holds two sessions of one participant in one study; remove one with "
                "`gan-eval participants forget`"
            ) from error
        finally:
            sessions.indexes.discard(once)
        _OWN.create_all(connection)
        identity = connection.scalar(sa.select(_IDENTITY.c.server))
        if identity is None:
            identity = str(uuid.uuid4())
            connection.execute(_IDENTITY.insert().values(server=identity))
        return identity

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """A transaction whose errors are told apart; what is not plainly the rows' fault may pass."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            line = self._address.scrub(str(error.orig).partition("\n")[0])
            if isinstance(error, sa.exc.IntegrityError | sa.exc.DataError):
                raise RefusedError(line) from None
            self._identity = None
            raise UnreachableError(line) from None
        except sa.exc.SQLAlchemyError as error:
            raise UnreachableError(self._address.scrub(str(error))) from None


def already_sitting(study: str, participant: str) -> str:
    """The words for a participant's code that is in use elsewhere."""
    return f"participant {participant} of study {study} has a session from another station"


def _identity_of(connection: sa.Connection) -> str | None:
    """The identity of a database whose tables are as this program makes them; found without looking at each."""
    if connection.scalar(sa.select(sa.func.to_regclass(_IDENTITY.name))) is None:
        return None
    query = sa.text(f"SELECT server FROM {_IDENTITY.name}, {META} WHERE schema_version = :version")
    return connection.scalar(query, {"version": SCHEMA_VERSION})


def _key(row: Mapping[str, object], table: Table) -> tuple[object, ...]:
    return tuple(row[name] for name in table.key)
