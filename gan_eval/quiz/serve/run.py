"""Run the server: one process, or several on one address, until a signal ends it."""

import asyncio
import contextlib
import multiprocessing
import multiprocessing.process
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import uvicorn

from gan_eval.errors import UserError
from gan_eval.quiz.admission import QuizStudy
from gan_eval.quiz.room import Room
from gan_eval.quiz.serve.app import make_app
from gan_eval.quiz.serve.experimenter import experimenter_routes, path_of, watch
from gan_eval.quiz.serve.live import LiveStudy

if sys.platform == "win32":
    from asyncio import new_event_loop
else:
    from uvloop import new_event_loop

GRACE_S = 5
"""Seconds that requests on their way may take once the server is to end."""


class Server(uvicorn.Server):
    """A server that ends with status 0 on SIGINT and SIGTERM."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let signals end the server once its requests are answered."""
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        UserError: the address is not this computer's, or in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with the protocol given, asyncio sends each part of a response at once (TCP_NODELAY)
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there the option would let two servers share the port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise UserError(f"--host {host} --port {port}: {error}; name a free port of this computer") from error
    listening.listen(2048)
    listening.setblocking(False)
    return listening


def run_server(
    study: QuizStudy,
    store: str | Path,
    *,
    host: str,
    port: int,
    workers: int = 1,
    public_url: str | None = None,
    intro: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a study until SIGINT or SIGTERM; returns when everything acknowledged is stored.

    Prints the addresses of participants and of the experimenter to stdout.

    Args:
        study: pictures and settings.
        store: path or URL of the store.
        host: address to listen on.
        port: port; 0: any free one.
        workers: number of processes; several share a PostgreSQL store.
        public_url: address that participants open, where a proxy stands in front.
        intro: show the pages around the trials.
        say: called with lines for the experimenter.

    Raises:
        UserError: the pictures or the store cannot be used; the address is in use.
    """
    listening = listen(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    address = (public_url or f"http://{shown_host}:{listening.getsockname()[1]}").rstrip("/")
    with listening, Room(study, store, say=say) as room, tempfile.TemporaryDirectory() as scratch:
        live = LiveStudy(room, intro=intro, say=say)
        helpers = [_start_helper(study, store, listening, address, intro=intro) for _ in range(workers - 1)]
        with Room(study, Path(scratch) / "rehearsal.sqlite") as rehearsal_room:
            rehearsal = LiveStudy(rehearsal_room, intro=intro)
            print(f"serving {study.name} at {address}", flush=True)
            print(f"experimenter {address}{path_of(live)}/", flush=True)
            if host not in ("127.0.0.1", "::1", "localhost"):
                say(
                    "this address is reachable from other computers, and is not encrypted; put TLS in front of it, for "
                    "example with `caddy reverse-proxy --from quiz.example.org --to "
                    f"localhost:{listening.getsockname()[1]}`, and give --host 127.0.0.1 "
                    "--public-url https://quiz.example.org (docs/online.md)"
                )
            try:
                _run(_answer(live, rehearsal, listening, address, say))
            finally:
                for helper in helpers:
                    helper.terminate()
                for helper in helpers:
                    helper.join(2 * GRACE_S)


def _run(answering: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(answering)


async def _answer(
    live: LiveStudy, rehearsal: LiveStudy, listening: socket.socket, address: str, say: Callable[[str], None]
) -> None:
    """Answer requests until a signal comes."""

    def stop() -> None:
        server.should_exit = True

    routes = experimenter_routes(live, rehearsal, address=address, stop=stop)
    config = uvicorn.Config(
        make_app(live, routes),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="off",
    )
    server = Server(config)
    watching = asyncio.create_task(watch(live, say))
    await server.serve(sockets=[listening])
    watching.cancel()


def _start_helper(
    study: QuizStudy, store: str | Path, listening: socket.socket, address: str, *, intro: bool
) -> multiprocessing.process.BaseProcess:
    """Start a further process that answers requests on the same socket."""
    context = multiprocessing.get_context("spawn")
    helper = context.Process(target=_help, args=(study, store, listening, address, intro), daemon=True)
    helper.start()
    return helper


def _help(study: QuizStudy, store: str | Path, listening: socket.socket, address: str, intro: bool) -> None:
    """Answer requests next to the process that was started by the user."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        Room(study, store) as room,
        Room(study, Path(scratch) / "rehearsal.sqlite") as rehearsal_room,
    ):
        live, rehearsal = LiveStudy(room, intro=intro), LiveStudy(rehearsal_room, intro=intro)
        _run(_answer(live, rehearsal, listening, address, lambda _: None))
