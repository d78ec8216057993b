"""Bringing a station's rows to the lab's PostgreSQL server, beside the session and never in its way.

    courier = Courier(Path("gan-eval-station.sqlite"), parse_address("postgresql://lab@server/studies"))
    courier.notify()          # after each commit to the local store
    lines = courier.finish()  # what the experimenter must know

The local store is written first and is the truth; a thread with connections of its own reads what the server lacks and
sends it, a session at a time. It may be killed anywhere: what was sent, but not noted, is sent again, and is there
once. The server may be away, from the start or in the middle: the thread tries again, ever less often.
"""

import shlex
import sqlite3
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gan_eval.delivery.server import RefusedError, Server, UnreachableError
from gan_eval.delivery.unsent import UnsentRows
from gan_eval.errors import UserError
from gan_eval.files import SQLITE_ERRORS, database_message
from gan_eval.store import open_store
from gan_eval.store.connect import Address, database_error, parse_address

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
"""Between two attempts to reach a server that is away; each pause is twice the one before."""

FAREWELL_S = 5.0
"""How long a session's end waits for what is unsent."""


@dataclass(frozen=True)
class Delivered:
    """What came of a delivery."""

    sessions: int
    """Sessions of which something was sent."""
    trials: int
    """Trials that were sent."""
    unsent: int
    """Trials of the local store that the server does not hold."""
    refused: tuple[str, ...]
    """One line for each session that the server does not take."""
    refused_rows: int = 0
    """Rows of these sessions, of all tables."""


class Courier:
    """A thread that brings what is new in a local store to a server."""

    def __init__(self, local: Path, address: Address) -> None:
        """Start with what an earlier run left behind; the store must be there, the server need not.

        Raises:
            UserError: the driver is not installed.
        """
        self._local = local
        self._address = address
        self._server = Server(address)
        self._state = threading.Condition()
        self._notified = 1
        self._delivered = 0
        self._waited_for = 0
        self._hurry = False
        self._closing = False
        self._trouble: str | None = None  # why the server does not take rows at the moment
        self._refused: dict[str, str] = {}
        threading.Thread(target=self._work, name="delivery", daemon=True).start()

    @property
    def refused(self) -> tuple[str, ...]:
        """One line for each session that the server does not take; its rows stay in the local store."""
        return tuple(self._refused.values())

    def notify(self) -> None:
        """Something was committed to the local store. Returns at once."""
        with self._state:
            self._notified += 1
            self._state.notify_all()

    def wait(self, seconds: float) -> bool:
        """Try now, and wait until all that was committed is delivered or refused, at most so long; whether it is."""
        with self._state:
            self._notified += 1
            self._waited_for = notified = self._notified
            self._hurry = True
            self._state.notify_all()
            return self._state.wait_for(lambda: self._delivered >= notified, seconds)

    def finish(self, seconds: float = FAREWELL_S) -> tuple[str, ...]:
        """Wait a little for what is unsent and end; what the experimenter must know, a line each."""
        arrived = self.wait(seconds)
        self.close()
        where = self._address.safe_url
        lines = [f"{where}: refused: {line}; the rows are kept in {self._local}" for line in self.refused]
        if not arrived:
            try:
                with UnsentRows(self._local, self._address) as unsent:
                    count = f"{unsent.trials()} trials"
            except (UserError, *SQLITE_ERRORS):  # the disk may be full: no reason to lose the line
                count = "some rows"
            command = shlex.join(["gan-eval", "store", "deliver", str(self._local), "--to", where])
            lines.append(
                f"{where}: {count} not yet delivered ({self._trouble or 'no answer'}); they are safe in "
                f"{self._local}; `{command}` does it"
            )
        return tuple(lines)

    def close(self) -> None:
        """Tell the thread to end, without waiting for the network."""
        with self._state:
            self._closing = True
            self._state.notify_all()

    def _work(self) -> None:
        """The thread: deliver what is new until the end; after a failure wait, ever longer, and try again."""
        pause = FIRST_PAUSE_S
        unsent: UnsentRows | None = None
        looked_through = False
        with self._server, ExitStack() as open_things:
            while True:
                with self._state:
                    self._state.wait_for(lambda: self._closing or self._notified > self._delivered)
                    if self._closing:
                        return
                    self._hurry = False
                    notified = self._notified
                try:
                    if unsent is None:
                        unsent = open_things.enter_context(UnsentRows(self._local, self._address))
                    hold_back = self._waited_for <= self._delivered
                    _send(unsent, self._server, self._refused, everything=not looked_through, hold_back=hold_back)
                    looked_through = True
                except Exception as error:  # whatever it is: a delivery never ends without a reason
                    known = isinstance(error, UnreachableError | UserError | sqlite3.Error)
                    self._trouble = str(error) if known else self._address.scrub(f"{type(error).__name__}: {error}")
                    with self._state:
                        self._state.wait_for(lambda: self._closing or self._hurry, pause)
                        pause = FIRST_PAUSE_S if self._hurry else min(2 * pause, LONGEST_PAUSE_S)
                else:
                    pause = FIRST_PAUSE_S
                    with self._state:
                        self._trouble = None
                        self._delivered = notified
                        self._state.notify_all()


def deliver_all(local: Path, target: str, *, again: bool = False) -> Delivered:
    """Bring all that a server lacks of a local store to it, each row once.

    Args:
        local: a station's SQLite store.
        target: the server, `postgresql://user:password@host/database`.
        again: send also what is noted as delivered, for a server that was restored from an older copy.

    Raises:
        UserError: there is no such store, the URL is none, or the server does not answer.
    """
    address = parse_address(target, option="--to")
    open_store(local, create=False).close()  # brings an older store up to date
    refused: dict[str, str] = {}
    try:
        with UnsentRows(local, address) as unsent, Server(address) as server:
            sessions, trials, rows = _send(unsent, server, refused, everything=True, again=again)
            return Delivered(sessions, trials, unsent.trials(), tuple(refused.values()), rows)
    except UnreachableError as error:
        mend = "mend the URL or the server's settings" if error.lasting else "nothing is lost; try again later"
        raise UserError(f"--to {address.safe_url}: {error}; {mend}") from None
    except SQLITE_ERRORS as error:
        raise database_error(database_message(error), str(local)) from error


def _send(
    unsent: UnsentRows,
    server: Server,
    refused: dict[str, str],
    *,
    everything: bool,
    again: bool = False,
    hold_back: bool = False,
) -> tuple[int, int, int]:
    """Send what is unsent and note it; how many sessions and trials, and how many rows were refused.

    Refused sessions are put down and passed over.
    """
    unsent.note_server(server.identity())
    sent = trials = refused_rows = 0
    for parcel in unsent.parcels(everything=everything, again=again):
        session = parcel.session["session"]
        if session in refused or (hold_back and parcel.waits):
            continue
        try:
            server.send(parcel)
        except RefusedError as error:
            refused[session] = str(error)
            refused_rows += parcel.size
        else:
            unsent.note(parcel)
            sent += 1
            trials += parcel.trials
    return sent, trials, refused_rows
