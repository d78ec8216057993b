"""A session's place in a lab room: where its own store lies, and whom to ask about the other stations.

    with open_lab(store, local=folder / "store.sqlite") as lab, Writer(lambda: open_store(lab.local)) as writer:
        ...

Where the store is a path there is no room: nothing is delivered and nobody is asked. The session waits for the network
before its first trial alone: for the answers to two questions, two seconds and a half each at most. Where the first is
not answered, the second is not asked.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from gan_eval.errors import UserError
from gan_eval.store import open_store
from gan_eval.store.connect import Address, is_address, parse_address

if TYPE_CHECKING:
    from gan_eval.delivery.courier import Courier
    from gan_eval.delivery.server import Server

STATION_STORE = Path("gan-eval-station.sqlite")
"""Where a station keeps its rows when it is given no other place."""

CONNECT_S = 2.0
ASKING_S = 2.5
"""How long each of the two questions at the admission of a participant waits for the server."""

Answer = TypeVar("Answer")


class Lab:
    """A station's way to the lab's server, if there is one."""

    def __init__(self, local: Path, address: Address | None = None) -> None:
        self.local = local
        """The store that the session writes."""
        self.warning: str | None = None
        """The server could not be asked; one line."""
        self._address = address
        self._courier: Courier | None = None
        self._undelivered: str | None = None  # why there is no courier

    def require_newcomer(self, study: str, participant: str, *, own: str | None = None) -> None:
        """Refuse a participant whose session is at another station. A server that does not answer is no obstacle.

        Args:
            study: the study's name.
            participant: the pseudonym.
            own: this participant's session in the local store, which may go on.

        Raises:
            UserError: the participant has a session from another station, or the URL is not of a usable server.
        """
        row = self._ask(lambda server: server.sitting(study, participant))
        if row is not None and row["session"] != own:
            name = f" ({row['station']})" if row.get("station") else ""
            raise UserError(
                f"--participant {participant}: study {study} has this participant's session from another "
                f"station{name}; give a new participant code"
            )

    def next_list(self, study: str, *, simulated: bool = False) -> int | None:
        """The number of a list that no other station was given; None where there is no server, or no answer.

        Simulated participants use up none of the lists of people.

        Raises:
            UserError: the URL is not of a usable server.
        """
        return self._ask(lambda server: server.next_list(study, simulated=simulated))

    def notify(self) -> None:
        """Something was committed to the local store. Returns at once; a failure is told by `finish`."""
        if self._address is None or self._undelivered is not None:
            return
        if self._courier is None:  # not before: while it is asked, a station has one connection, not two
            try:
                from gan_eval.delivery.courier import Courier

                self._courier = Courier(self.local, self._address)
            except Exception as error:  # whatever it is: the session goes on
                self._undelivered = self._address.scrub(str(error))
                return
        self._courier.notify()

    def finish(self) -> tuple[str, ...]:
        """Wait a few seconds for what is undelivered; what the experimenter must know, a line each."""
        if self._undelivered is not None and self._address is not None:
            return (f"{self._address.safe_url}: nothing delivered ({self._undelivered}); all is safe in {self.local}",)
        return () if self._courier is None else self._courier.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._courier is not None:
            self._courier.close()

    def _ask(self, question: "Callable[[Server], Answer]") -> Answer | None:
        """Ask on a thread of its own: looking up a host's name has no time limit."""
        if self._address is None or self.warning is not None:
            return None
        from gan_eval.delivery.server import Server, UnreachableError

        server = Server(self._address, connect_s=CONNECT_S)
        answer: Future[Answer] = Future()
        threading.Thread(target=_answer, args=(server, question, answer), name="lab-question", daemon=True).start()
        try:
            return answer.result(ASKING_S)
        except UnreachableError as error:
            if error.lasting:
                raise UserError(f"--store {self._address.safe_url}: {error}") from None
            reason = str(error)
        except TimeoutError:
            reason = f"no answer within {ASKING_S:g} s"
        except UserError:
            raise
        except Exception as error:  # whatever it is: the session goes on
            reason = self._address.scrub(f"{type(error).__name__}: {error}")
        self.warning = (
            f"{self._address.safe_url}: {reason}; the session goes on, its rows are delivered when the server answers; "
            "nobody could tell whether the participant's code is new in the lab and which lists are free"
        )
        return None


def open_lab(where: str | Path, *, local: Path | None = None) -> Lab:
    """The lab behind `--store`: a path is the session's own store, a URL the server that it is delivered to.

    Args:
        where: path, or `postgresql://user:password@host/database`.
        local: where the session's own store lies if `where` is a URL.

    Raises:
        UserError: the URL is none of a PostgreSQL server, or the local store cannot be written.
    """
    if not is_address(where):
        return Lab(Path(where))
    address = parse_address(str(where))
    local = local or STATION_STORE
    open_store(local).close()
    return Lab(local, address)


def _answer(server: "Server", question: "Callable[[Server], Answer]", answer: "Future[Answer]") -> None:
    with server:
        try:
            server.identity()
            answer.set_result(question(server))
        except BaseException as error:
            answer.set_exception(error)
