"""The server: one process, or several on one address, until a signal ends it."""

import asyncio
import contextlib
import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvicorn import Config
from uvicorn import Server as UvicornServer
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError, reason_of
from gan_eval.base.locks import hold_lock
from gan_eval.base.reading import Address, Place
from gan_eval.base.start import keep_little_memory
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.experimenter import experimenter_path, experimenter_routes, watch
from gan_eval.quiz.serve.live import LiveStudy

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
if sys.platform != "win32":
    import resource

HEAD_S = 20
"""Seconds in which a connection must send a complete request head."""
KEEP_S = 75
"""Seconds that a connection stays open without a request, so that a page need not reconnect after reading a text."""
OPEN_FILES = 8192
"""Wanted limit of open files and connections. A browser holds up to six; many systems allow 1024 in all."""
GRACE_S = 5
"""Seconds that running requests may take after the signal to stop."""


class Server(UvicornServer):
    """A server that ends with status 0 on SIGINT and SIGTERM."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let running requests end, and cancel them after `GRACE_S`; uvicorn would log each with a traceback."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals stop the server after its running requests; unlike uvicorn's own, do not raise them again."""
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Connection(HttpToolsProtocol):
    """A connection that is closed if it sends no complete request head within `HEAD_S`."""

    _closing: asyncio.TimerHandle | None = None
    _in_head = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request head."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Parse data; between two requests, it is part of the next head or of a body that nobody reads."""
        super().data_received(data)
        if self._in_head or self.cycle is None or self.cycle.response_complete:
            self._await_head()

    def on_message_begin(self) -> None:
        """Note that a head has begun, perhaps in the packet of the request before."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._closing is None:
            self._closing = self.loop.call_later(HEAD_S, self.timeout_keep_alive_handler)

    def _stop_waiting(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


def allow_open_files() -> None:
    """Raise the limit of open files of this process and its helpers to `OPEN_FILES`, or to the system's maximum."""
    if sys.platform != "win32":
        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        if now != resource.RLIM_INFINITY and now < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        UserError: the address is in use, not one of this computer or not permitted.
    """
    if not host:  # the system would take every address
        raise UserError("--host: is empty; name an address of this computer, or 0.0.0.0 for all of them")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol given, asyncio sends each part of a response immediately (TCP_NODELAY)
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # on Windows this option would let two servers share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        fixes = {
            errno.EADDRINUSE: "--port 0 finds a free port",
            errno.EACCES: "only the administrator may use ports below 1024; give --port 8700, with a proxy in front",
        }
        fix = fixes.get(getattr(error, "errno", None) or 0, "name an address of this computer")
        raise UserError(f"--host {host} --port {port}: {reason_of(error)}; {fix}") from error
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def run_server(
    study: QuizStudy,
    store: Place,
    *,
    host: str,
    port: int,
    workers: int = 1,
    public_url: str | None = None,
    intro: bool = True,
    report: Path | None = None,
    refresh: Callable[[], object] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a study until SIGINT or SIGTERM; return when every acknowledged answer is stored.

    Prints the addresses of the participants' and the experimenter's page to stdout.

    Args:
        study: pictures and settings.
        store: file or address of the store.
        host: address to listen on.
        port: port; 0: any free one.
        workers: number of processes; several need a PostgreSQL store.
        public_url: address that participants open, if the server is behind a proxy.
        intro: show the pages around the trials.
        report: file of the study's report; the experimenter's page links it when it exists.
        refresh: called at the start and after each complete session, for example to update the report.
        say: called with lines for the experimenter.

    Raises:
        UserError: the pictures or the store cannot be used, the address is in use, or another process serves the
            store.
    """
    allow_open_files()
    keep_little_memory()
    listening = listen(host, port)
    port = listening.getsockname()[1]
    address = (public_url or f"http://{_shown(host)}:{port}").rstrip("/")
    context = multiprocessing.get_context("spawn")
    ending = context.Event() if workers > 1 else threading.Event()  # the first starts a process of 12 MB
    with (
        listening,
        _only_server(store, workers),
        Room(study, store, warn=say) as room,
        tempfile.TemporaryDirectory() as scratch,
    ):
        live = LiveStudy(room, intro=intro, push_to=study.settings.push_to, say=say)
        rehearsed = Path(scratch) / "rehearsal.sqlite"
        with Room(study, rehearsed, library=room.library) as rehearsal_room:
            several = workers > 1
            rehearsal = LiveStudy(rehearsal_room, intro=intro, shared=several)
            work = (study, store, rehearsed, listening, address, intro, report, ending)
            helpers: list[multiprocessing.process.BaseProcess] = []

            def start_missing() -> None:
                """Start helpers until there are enough; also replace those that have ended."""
                helpers[:] = [helper for helper in helpers if helper.is_alive()]
                while len(helpers) < workers - 1:
                    helpers.append(context.Process(target=_help, args=work, daemon=True))
                    helpers[-1].start()

            start_missing()
            print(f"serving {study.name} at {address}", flush=True)
            print(f"experimenter {address}{experimenter_path(live)}/", flush=True)
            if refresh is not None:
                say(f"report {address}{experimenter_path(live)}/report")
            if host not in ("127.0.0.1", "::1", "localhost"):
                say(_line_on_encryption(host, port, address))

            async def watching() -> None:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(watch(live, say, refresh=refresh))
                    await asyncio.sleep(1)
                    while not ending.is_set() and listening.fileno() >= 0:  # closed at the end: no helper could use it
                        start_missing()
                        await asyncio.sleep(1)

            try:
                _run(_answer(live, rehearsal, listening, address, report, ending, watching))
            finally:
                ending.set()
                for helper in helpers:
                    helper.join(2 * GRACE_S)
                    helper.terminate()


def _only_server(store: Place, workers: int) -> contextlib.AbstractContextManager[None]:
    """Return the lock of a store in a file, which one server may use; a database server may have several."""
    if isinstance(store, Address):
        return contextlib.nullcontext()
    if workers > 1:
        raise UserError(f"--workers {workers}: several processes need a database; give --store postgresql://...")
    if store.parent.is_dir() and not os.access(store.parent, os.W_OK):  # else the message would name the lock
        fix = "choose another place or fix the permissions"
        raise UserError(f"--store {store}: {store.parent.resolve()}: no permission to write; {fix}")
    lock = store.with_name(f".gan-eval-{sha256_json(['serve', store.name])[:12]}.lock")
    return hold_lock(lock, f"--store {store}", "serving this store")


def _line_on_encryption(host: str, port: int, address: str) -> str:
    """Return what to do about a port that other computers reach."""
    if address.startswith("https://"):
        return f"--host {host}: port {port} itself is not encrypted; let only the proxy reach it"
    return (
        "this address is reachable from other computers, and is not encrypted; put TLS in front of it, for example "
        f"with `caddy reverse-proxy --from quiz.example.org --to localhost:{port}`, and give --host 127.0.0.1 "
        "--public-url https://quiz.example.org (docs/proxy.md)"
    )


def _shown(host: str) -> str:
    """Return the host for links; for a wildcard, this computer's address in its network."""
    if host in ("0.0.0.0", "::"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))  # sends nothing; the system chooses the outgoing address
            return str(probe.getsockname()[0])
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _run(answering: Coroutine[Any, Any, None]) -> None:
    """Run the server until it ends, on uvloop if it is installed, which takes less time for each request."""
    loops = import_module("uvloop") if find_spec("uvloop") else asyncio
    with asyncio.Runner(loop_factory=loops.new_event_loop) as runner:
        runner.run(answering)


async def _answer(
    live: LiveStudy,
    rehearsal: LiveStudy,
    listening: socket.socket,
    address: str,
    report: Path | None,
    ending: "Event | threading.Event",
    more: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """Answer requests, and run `more`, until a signal comes or `ending` is set; either ends all processes."""
    routes = experimenter_routes(live, rehearsal, address=address, stop=ending.set, report=report)
    config = Config(
        make_app(live, routes),
        http=Connection,
        ws="none",  # else a library for web sockets is loaded, of 2 MB
        log_level="error",  # warnings are lines on requests that are not HTTP, or ask for web sockets
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_S,
        lifespan="off",
    )
    server = Server(config)

    async def end() -> None:
        while not (ending.is_set() or server.should_exit):
            await asyncio.sleep(0.2)
        ending.set()
        server.should_exit = True

    tasks = [asyncio.create_task(end()), asyncio.create_task(more())]
    await server.serve(sockets=[listening])
    for task in tasks:
        task.cancel()
    for study in (live, rehearsal):
        study.content.pictures.close()


def _help(
    study: QuizStudy,
    store: Place,
    rehearsed: Path,
    listening: socket.socket,
    address: str,
    intro: bool,
    report: Path | None,
    ending: "Event | threading.Event",
) -> None:
    """Answer requests in a helper process, which ends with the process that the user started."""

    async def watch_parent() -> None:
        parent = multiprocessing.parent_process()
        while parent is not None and parent.is_alive():
            await asyncio.sleep(0.5)
        ending.set()

    keep_little_memory()
    try:
        with Room(study, store) as room, Room(study, rehearsed, library=room.library) as rehearsal_room:
            live = LiveStudy(room, intro=intro, push_to=study.settings.push_to)
            rehearsal = LiveStudy(rehearsal_room, intro=intro, shared=True)
            _run(_answer(live, rehearsal, listening, address, report, ending, watch_parent))
    except UserError as error:  # for example the database restarts; the main process starts another helper
        sys.exit(str(error))
