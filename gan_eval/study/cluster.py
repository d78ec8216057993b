"""A study on many machines: its stages are tasks of Dask's workers, which share the study's folder.

A task is a function of this module with plain arguments; the worker reads everything else from the folder. What the
quiz's store is read for is done by this machine. A task whose worker is killed is done by another one, which resumes
from the files. A task that nobody waits for any more ends at its next report of progress.
"""

import logging
import queue
import signal
import socket
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4
from weakref import WeakSet

from gan_eval import __version__
from gan_eval.base.atomic import OWN_FOLDER, LockedError, write_text
from gan_eval.base.commands import setup_command
from gan_eval.base.digests import sha256_bytes, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.parallel import ignored_interrupts
from gan_eval.base.progress import Listener, Progress, about
from gan_eval.base.threads import usable_cores
from gan_eval.study.certificate import SETTINGS, require_libraries
from gan_eval.study.markers import Stage, bring_up_to_date

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster, Worker

    from gan_eval.study.plan import Plan

GPU = "GPU"
"""Name of the resource of which each training and generation takes one, where a worker declares it."""
CONNECT_S = 10.0
PATIENCE_S = 180.0
"""Seconds to wait for a lock: a file server may keep that of a lost machine for a minute or two."""
EVERY_S = 1.0
"""Seconds between two reports of a task."""
POLL_S = 0.1
"""Seconds between two looks at all tasks."""
TASKS_EACH = 16
"""Number of tasks for each worker into which equal pieces of work are divided."""
HERE = ("metrics", "quiz", "analyze", "training", "report")
"""Stages of the command's machine: it has the store, which one machine at a time may open; it shares out metrics."""
MARK = "cluster.txt"
"""File below `.gan-eval/` by which a worker knows the command's folder from another one at the same path."""
BETWEEN = "|"
"""Character between a task's name and the rest of its key."""

State = TypeVar("State")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class ClusterTask:
    """A piece of work for one worker."""

    name: str
    function: Callable[..., Any]
    """A function of this program; it gets an `Origin` and the arguments."""
    arguments: tuple[Any, ...] = ()
    needs: tuple[str, ...] = ()
    """Tasks that must be done before; those that are not in the list count as done."""
    on_gpu: bool = False


@dataclass(frozen=True)
class Origin:
    """Facts about the command that waits for a task."""

    folder: str
    """The study's folder, absolute; empty without one."""
    version: str
    topic: str
    """Dask's topic for messages and progress; the file `MARK` in the folder has it, too."""
    threads: int | None = None


@cache
def own_version() -> str:
    """Return the version of gan_eval with the hash of its code."""
    root = Path(__file__).parents[2]
    files = sorted(path for name in ("gan_eval", "trainer") for path in (root / name).rglob("*.py"))
    code = sha256_json({path.relative_to(root).as_posix(): sha256_bytes(path.read_bytes()) for path in files})
    return f"{__version__} (code {code[:12]})"


# On a worker.

_ENDED: WeakSet["Worker"] = WeakSet()
"""Workers of this process that cannot do the study, and have said so."""


class Reports:
    """Receiver of a task's messages and progress on a worker, which sends them to the command."""

    def __init__(self, origin: Origin) -> None:
        """Check the worker; one that came later and cannot do the study gives the task back and ends."""
        from distributed import Reschedule, get_worker

        self._topic, self._worker, self._sent = origin.topic, get_worker(), 0.0
        self._key = self._worker.get_current_task()
        if problem := problem_here(origin, self._worker):
            if self._worker not in _ENDED:  # it may begin another task before it ends
                _ENDED.add(self._worker)
                self.message(f"{problem}; this worker is ended, and others do its tasks")
                self._worker.loop.add_callback(self._worker.close_gracefully)
            raise Reschedule
        if self._worker.nanny:  # which gets SIGTERM from a batch system, too, and lets the task stop first
            self._worker.loop.add_callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)

    def require_wanted(self) -> None:
        """End a task whose command, or whose scheduler, has gone: another worker may have begun it.

        Raises:
            Reschedule: so it is; Dask gives a task that somebody waits for to another worker.
        """
        from distributed import Reschedule

        state = self._worker.state.tasks.get(self._key)
        if state is None or state.state != "executing" or self._worker.status.name not in ("running", "paused"):
            raise Reschedule

    def message(self, text: str) -> None:
        self._send(text=text)

    def progress(self, done: int, total: int, what: str = "", detail: str = "", **units: Any) -> None:
        self.require_wanted()
        if done == total or time.monotonic() - self._sent >= EVERY_S:
            self._sent = time.monotonic()
            self._send(progress=(done, total, what, detail), units=units)

    def _send(self, **what: Any) -> None:
        self._worker.log_event(self._topic, {"task": self._key, "machine": machine_name(self._worker), **what})


def machine_name(worker: "Worker") -> str:
    """Return the machine of a worker, with the worker's name if it was given one."""
    name = "" if worker.name == worker.address else f" ({worker.name})"
    return f"{socket.gethostname()}:{worker.address.rpartition(':')[2]}{name}"


def do_some(
    origin: Origin, function: Callable[[State, Item], Result], state: State, items: Sequence[Item]
) -> list[Result]:
    """Return the results of a function of this program for several items."""
    reports, results = Reports(origin), list[Result]()
    for item in items:
        reports.require_wanted()
        results.append(function(state, item))
    return results


def do_stage(origin: Origin, name: str) -> None:
    """Bring a stage up to date."""
    from gan_eval.study.plan import open_plan
    from gan_eval.study.stages import list_stages

    reports = Reports(origin)
    plan = replace(open_plan(None, Path(origin.folder)), threads=origin.threads)
    (stage,) = [stage for stage in list_stages(plan) if stage.name == name]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return bring_up_to_date(stage, plan.folder, reports)
        except LockedError:  # of a task that is ending, or of a machine that was lost
            if time.monotonic() > deadline:
                raise
            reports.require_wanted()
            time.sleep(EVERY_S)


def problem_here(origin: Origin, dask_worker: "Worker") -> str:
    """Return why this worker cannot do a task; empty if it can."""
    problem = ""
    if dask_worker.state.nthreads > 1:
        problem = f"its {dask_worker.state.nthreads} threads would share a process; start it with --nthreads 1"
    elif (here := own_version()) != origin.version:
        problem = f"has gan_eval {here}, this command {origin.version}; install one version"
    elif origin.folder:
        problem = problem_of(Path(origin.folder), origin.topic)
    return problem and f"worker {machine_name(dask_worker)}: {problem}"


def problem_of(folder: Path, topic: str) -> str:
    """Return what this machine lacks for the study in a folder; empty if it has all."""
    from gan_eval.pictures.sets import TABLE_NAME
    from gan_eval.study.plan import open_plan  # with all that reads studies: tasks without a folder start sooner

    mark = folder / OWN_FOLDER / MARK
    if not mark.is_file() or mark.read_text(encoding="utf-8") != topic:
        return f"does not see the study's folder {folder}; share it with all machines, at the same path"
    try:
        plan = open_plan(None, folder)
        for model in plan.study.models.values():
            plan.split(model.data)  # an empty folder is one where nothing was mounted
    except UserError as error:
        return str(error)
    for base in (plan.file.parent / name for name in plan.study.stimuli.sets):
        if not (base / TABLE_NAME).is_file():
            return f"does not see the stimulus set {base}; share it with all machines"
    return _absent_library(plan)


def _absent_library(plan: "Plan") -> str:
    """Return which library of a study's stages is not installed here; empty if all are."""
    if plan.study.models and not find_spec("torch"):
        return f"has no PyTorch; install there: {setup_command('train')}"
    if plan.study.metrics.names and not find_spec("numba"):
        return f"has no numba, which metrics need; install there: {setup_command('metrics')}"
    return ""


# On the scheduler.


def clients_of(prefix: str, dask_scheduler: Any) -> list[str]:
    """Return the scheduler's clients with this beginning of their names."""
    return [name for name in dask_scheduler.clients if name.startswith(prefix)]


# Of the command.


class Cluster:
    """Workers of a scheduler, for one command."""

    def __init__(self, client: "Client", address: str, origin: Origin, listener: Listener) -> None:
        self.origin = origin
        self._client, self._address, self._listener = client, address, listener
        self._reports: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._has_gpus = False
        client.subscribe_topic(origin.topic, lambda event: self._reports.put(event[1]))

    def workers(self) -> dict[str, dict[str, Any]]:
        """Return Dask's description of each worker, by address."""
        if self._client.status != "running":
            raise self._lost()
        return dict(self._client.scheduler_info(n_workers=-1).get("workers", {}))

    def check_workers(self) -> None:
        """Wait for a worker, and refuse workers that cannot do the study.

        Raises:
            UserError: one lacks the folder, or has another version of gan_eval; or the scheduler has ended.
        """
        if not self.workers():
            self._listener.message(f"{self._address}: waiting for the first worker")
            first = self._client.submit(socket.gethostname, pure=False)  # a waiting task, for which workers are started
            if error := self._error_of("the first task", first):
                raise error
            self.workers()  # a task of a scheduler that has ended has no error
        try:
            problems = self._client.run(problem_here, self.origin)
        except Exception as error:  # the function could not be imported there
            raise UserError(f"a worker cannot import this gan_eval ({error}); install {__version__} there") from error
        if problem := max(problems.values(), default=""):
            raise UserError(problem)

    def do_stages(self, stages: Sequence[Stage]) -> list[Stage]:
        """Do the stages that need neither the store nor a person; return the others."""
        tasks = [
            ClusterTask(
                stage.name, do_stage, (stage.name,), stage.needs, on_gpu=stage.name.startswith(("train-", "generate-"))
            )
            for stage in stages
            if stage.name not in HERE
        ]
        self.run(tasks, progress=about("cluster", self._listener.progress))
        return [stage for stage in stages if stage.name in HERE]

    def in_parallel(
        self,
        function: Callable[[State, Item], Result],
        state: State,
        items: Sequence[Item],
        *,
        on_done: Callable[[int], None],
    ) -> list[Result]:
        """Return `function(state, item)` of each item, in order; each task does several items.

        Dask takes tasks whose names differ only after a hyphen as one group, which waits at the scheduler: the worker
        that is ready first gets the next one.
        """
        size = ceil(len(items) / (TASKS_EACH * max(1, len(self.workers())))) or 1
        parts = [items[start : start + size] for start in range(0, len(items), size)]
        tasks = [ClusterTask(f"part-{number}", do_some, (function, state, part)) for number, part in enumerate(parts)]
        futures = self.run(tasks, progress=lambda done, *_, **__: on_done(min(done * size, len(items))))
        return [result for task in tasks for result in futures[task.name].result()]

    def run(self, tasks: Sequence[ClusterTask], *, progress: Progress) -> "dict[str, Future[Any]]":
        """Do all tasks; return their results, which stay on the workers. After an error the other tasks are done first.

        Raises:
            UserError: of a task; or the scheduler has ended, or the workers of a task end again and again.
        """
        waiting = {task.name: task for task in tasks}
        running: dict[str, Future[Any]] = {}
        done: dict[str, Future[Any]] = {}
        errors: dict[str, Exception] = {}
        shown = 0.0
        try:
            while unfinished := waiting.keys() | running.keys():
                for name in [name for name, task in waiting.items() if unfinished.isdisjoint(task.needs)]:
                    task = waiting.pop(name)
                    if failed := {*task.needs} & errors.keys():
                        errors[name] = errors[min(failed)]
                    else:
                        running[name] = self._submit(task)
                time.sleep(POLL_S)
                self._show_reports()
                for name in [name for name, future in running.items() if future.done()]:
                    shown, future = 0.0, running.pop(name)
                    if error := self._error_of(name, future):
                        errors[name] = error
                        if waiting or running:
                            self._listener.message(f"{name} failed: {error}; the others continue")
                    else:
                        done[name] = future
                if time.monotonic() - shown >= EVERY_S:
                    shown = time.monotonic()
                    progress(len(done), len(tasks), "", f"tasks, on {self._machines()}", unit="tasks")
        finally:
            with suppress(Exception):
                self._client.cancel([*running.values()])
        if errors:
            raise next(iter(errors.values()))
        return done

    def _machines(self) -> str:
        """Return the number of workers, and that of those with a GPU once any worker has declared one."""
        workers = self.workers().values()
        gpus = sum(GPU in worker["resources"] for worker in workers)
        self._has_gpus |= gpus > 0
        return f"{len(workers)} workers" + (f", {gpus} with a GPU" if self._has_gpus else "")

    def _submit(self, task: ClusterTask) -> "Future[Any]":
        """Submit a task; it takes a GPU if any worker has declared one so far."""
        self._machines()
        return self._client.submit(
            task.function,
            self.origin,
            *task.arguments,
            key=f"{task.name}{BETWEEN}{uuid4().hex}",
            pure=False,
            resources={GPU: 1} if task.on_gpu and self._has_gpus else None,
        )

    def _error_of(self, name: str, future: "Future[Any]") -> Exception | None:
        """Return the error of a finished task."""

        from distributed import KilledWorker

        try:
            error = future.exception()
        except CancelledError:
            error = CancelledError()
        if isinstance(error, CancelledError):
            raise self._lost()
        if isinstance(error, KilledWorker):
            return UserError(
                f"{name}: {error.allowed_failures + 1} workers ended during this task, the last was "
                f"{error.last_worker}; look at its log (is the memory too small?), then repeat the command to continue"
            )
        return error

    def _lost(self) -> UserError:
        return UserError(
            f"--cluster {self._address}: the scheduler has ended or cannot be reached any more; start it again, and "
            "repeat the command to continue"
        )

    def _show_reports(self) -> None:
        while not self._reports.empty():
            report = self._reports.get()
            machine = report["machine"]
            if "text" in report:
                self._listener.message(f"{machine}: {report['text']}")
            else:
                done, total, what, detail = report["progress"]
                self._listener.progress(done, total, what, f"{machine}  {detail}".rstrip(), **report["units"])


@contextmanager
def connected(
    address: str, folder: Path | None, listener: Listener, *, threads: int | None = None
) -> "Iterator[Cluster]":
    """Yield the cluster at `address` after a look at its workers.

    Args:
        address: `tcp://HOST:PORT` or `tls://HOST:PORT` of a scheduler, or `local:N` for N processes of this machine.
        folder: the study's folder, which every worker must see; None: the tasks need none.
        threads: number of CPU threads of each task; default: as on one machine, and for `local:N` a share of the cores.

    Raises:
        UserError: Dask is not installed, `local:N` asks for more processes than cores, no scheduler answers, another
            command does this study there, or a worker lacks the folder or has another version of gan_eval.
    """
    number = _processes_of(address)
    require_libraries("--cluster", "distributed", *["cryptography"] * (number > 0))
    name = f"gan_eval-{sha256_json(str(folder and folder.resolve()))[:16]}"
    with ExitStack() as stack:
        client = _client(address, number, name, stack)
        try:
            others = client.run_on_scheduler(clients_of, f"Client-{name}")
        except Exception as error:
            raise UserError(
                f"--cluster {address}: the scheduler cannot import this gan_eval ({error}); install {__version__} there"
            ) from error
        if folder is not None and len(others) > 1:
            raise UserError(f"--out {folder}: another command does this study at {address}; wait for it, or end it")
        topic, path = f"gan_eval-{uuid4().hex}", ""
        if folder is not None:
            path, mark = str(folder.resolve()), folder / OWN_FOLDER / MARK
            write_text(mark, topic)
            stack.callback(mark.unlink, missing_ok=True)
        if number:
            threads = threads or max(1, usable_cores() // number)
        cluster = Cluster(client, address, Origin(path, own_version(), topic, threads), listener)
        cluster.check_workers()
        yield cluster


def _client(address: str, number: int, name: str, stack: ExitStack) -> "Client":
    """Return a client of a scheduler, or of `number` processes here, until the stack ends."""
    from distributed import Client

    for logger in ("distributed", "distributed.client"):  # the command itself reports what matters
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(action="ignore"):  # of ports and versions
            where = stack.enter_context(_local_cluster(number)) if number else address
            return stack.enter_context(Client(where, name=name, timeout=CONNECT_S, set_as_default=False))
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # the last two: of TLS
        fix = "start it, or correct the address"
        if isinstance(error, TypeError):  # of TLS without a certificate
            fix = "give its certificate by DASK_CONFIG (docs/cluster.md)"
        raise UserError(f"--cluster {address}: no scheduler of Dask answers there ({error}); {fix}") from error


def _processes_of(address: str) -> int:
    """Return N of `local:N`; 0 for the address of a scheduler."""
    kind, _, rest = address.partition(":")
    if kind in ("tcp", "tls") and rest.startswith("//"):
        return 0
    number = int(rest) if kind == "local" and rest.isascii() and rest.isdecimal() and len(rest) < 10 else 0
    if not number:
        raise UserError(f"--cluster {address}: expected tcp://HOST:PORT, tls://HOST:PORT or local:N")
    if number > (cores := usable_cores()):
        raise UserError(f"--cluster {address}: this machine has {cores} cores for it; give local:{cores} or less")
    return number


@contextmanager
def _local_cluster(number: int) -> "Iterator[LocalCluster]":
    """Yield a scheduler and workers, which are processes of this machine; only this command has their certificate."""
    import dask
    from distributed import LocalCluster

    with dask.config.set(SETTINGS), ExitStack() as stack:
        # SIGTERM is as Ctrl-C: the processes end with this one, after their trainings saved a checkpoint
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.callback(signal.signal, signal.SIGTERM, before)
        with ignored_interrupts():
            made = LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                memory_limit=0,
                host="127.0.0.1",
                security=True,
                # Dask always opens a port for its web page; this one is any free port, and SETTINGS leave it no page
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
            )
        yield stack.enter_context(made)
