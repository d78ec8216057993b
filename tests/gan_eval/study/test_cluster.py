"""Studies on the workers of a Dask scheduler: the results are those of one machine, also after kills."""

import gc
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from listening import Ear
from made_sets import write_items
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.base.commands import own_command, python_command
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.metrics.run import chunks
from gan_eval.settings.template import write_study
from gan_eval.study import certificate, cluster, markers
from gan_eval.study.certificate import write_certificate
from gan_eval.study.cluster import Cluster, ClusterTask, connected
from gan_eval.study.plan import make_plan
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import read_rows

distributed = pytest.importorskip("distributed")


def test_dask_has_the_defaults_that_the_page_gives_as_reasons() -> None:
    known = pytest.importorskip("dask").config.get
    assert known("distributed.worker.memory.terminate") == 0.95
    assert known("distributed.scheduler.allowed-failures") == 3
    assert known("distributed.worker.profile.interval") == "10ms"
    assert known("distributed.nanny.pre-spawn-environ")["MALLOC_TRIM_THRESHOLD_"] == 65536
    assert [known(f"distributed.{name}") for name in ("worker.profile.enabled", "admin.tick.interval")] == [
        True,
        "20ms",
    ]
    assert all(known(f"distributed.{name}.http.routes") for name in ("scheduler", "worker"))


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    """A scheduler with two workers in this process."""
    where = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, **where) as made:
        yield made


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two imported sets, in its own folder."""
    random = np.random.default_rng(0)
    real = {stem: random.integers(0, 256, (32, 32, 3), dtype=np.uint8) for stem in "pqrs"}
    for model, level in (("a", 9), ("b", 20)):
        write_items(tmp_path / model, {s: {"real": p, "fake": p // 2 + level} for s, p in real.items()}, model=model)
    file = tmp_path / "study.toml"
    values = {
        "study": {"name": "tiny"},
        "quiz": {"real": 2, "fake": 2, "participants": 1},
        "metrics": {"names": ["psnr"]},
    }
    write_study(file, values, sets=[tmp_path / "a", tmp_path / "b"])
    return file


@pytest.mark.slow
def test_a_study_of_sets_is_that_of_one_machine(scheduler, study, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "0")
    monkeypatch.setattr(chunks, "CHUNK", 1)
    for out, more in (("one", ()), ("two", ("--cluster", scheduler.scheduler_address))):
        for only in ("audit", "metrics"):
            words = ["run", str(study), "--out", str(tmp_path / out), "--threads", "1", "--only", only]
            assert run([*words, *more]) == 0, capsys.readouterr().err
    for name in ("tables/giveaways.csv", "metrics/metric_comparisons.csv"):
        assert without_runs(tmp_path / "one" / name) == without_runs(tmp_path / "two" / name)
    one, two = (read_rows(tmp_path / out / "metrics/image_metrics.csv", IMAGE_METRICS) for out in ("one", "two"))
    assert [row["value"] for row in one] == [row["value"] for row in two] != []


def without_runs(file: Path) -> list[str]:
    return [line.rpartition(",metrics-")[0] or line for line in file.read_text().splitlines()]


def fail(_origin: object) -> None:
    raise UserError("a.png: bad")


def end_once(_origin: object, file: str) -> int:
    """End as on a worker that is about to end; the second call returns a number."""
    if not Path(file).exists():
        Path(file).touch()
        raise distributed.Reschedule
    return 7


@pytest.fixture
def machines(scheduler: Any) -> Iterator[tuple[Cluster, Ear]]:
    ear = Ear()
    with connected(scheduler.scheduler_address, None, ear) as made:
        yield made, ear


def test_after_an_error_the_other_tasks_are_done(machines, tmp_path):
    (made, _), show = machines, lambda *_, **__: None
    tasks = [
        ClusterTask("bad", fail),
        ClusterTask("after", fail, needs=("bad",)),
        ClusterTask("good", end_once, (str(tmp_path / "f"),)),
    ]
    with pytest.raises(UserError, match=r"a\.png"):
        made.run(tasks, progress=show)
    assert (tmp_path / "f").exists(), "it was begun a second time"
    found = made.run([ClusterTask("again", end_once, (str(tmp_path / "f"),), needs=("elsewhere",))], progress=show)
    assert found["again"].result() == 7


def times(state: int, item: tuple[int, ...]) -> int:
    return state * item[0]


def test_results_are_in_the_order_of_the_items(machines):
    done: list[int] = []
    assert machines[0].in_parallel(times, 3, [(n,) for n in range(50)], on_done=done.append) == list(range(0, 150, 3))
    assert done[-1] == 50
    assert machines[0].in_parallel(times, 3, [], on_done=done.append) == [], "all questions are decided"


def test_a_task_waits_where_workers_are_started_for_waiting_tasks(study, tmp_path, monkeypatch, capsys):
    """Jobs of dask-jobqueue start so; without any, one line reports the end of the scheduler."""
    where = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None}
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    with distributed.LocalCluster(n_workers=0, processes=False, **where) as empty:

        def starts_workers() -> None:
            deadline = time.monotonic() + 30
            while not empty.scheduler.adaptive_target() and time.monotonic() < deadline:
                time.sleep(0.02)
            empty.close()

        scaling = Thread(target=starts_workers)
        scaling.start()
        words = ["run", str(study), "--out", str(tmp_path / "out"), "--cluster", empty.scheduler_address]
        assert run(words) == 2
        scaling.join()
    assert "scheduler has ended" in capsys.readouterr().err


def test_workers_that_cannot_do_the_study_are_refused_before_anything_starts(machines, tmp_path, monkeypatch):
    made, _ = machines
    with pytest.raises(UserError, match="other"):
        made.origin = replace(made.origin, version="other")
        made.check_workers()
    made.origin = replace(made.origin, version=cluster.own_version(), folder=str(tmp_path / "gone"))
    worker = next(iter(distributed.Worker._instances))
    assert str(tmp_path / "gone") in cluster.problem_here(made.origin, worker)
    make_plan(write_training(tmp_path, models=1, steps=1), tmp_path / "out", data_root=tmp_path)
    origin = replace(made.origin, folder=str(tmp_path / "out"))
    assert str(tmp_path / "out") in cluster.problem_here(origin, worker), "another folder at the same path"
    (tmp_path / "out" / ".gan-eval" / cluster.MARK).write_text(origin.topic)
    assert cluster.problem_here(origin, worker) == ""
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "find_spec", lambda name: name != "numba")
        assert "numba" in cluster.problem_here(origin, worker)
    (tmp_path / "dots" / "test").rename(tmp_path / "elsewhere")  # as where nothing was mounted
    assert str(tmp_path / "dots") in cluster.problem_here(origin, worker)


def once_lost(_origin: object, file: str) -> int:
    """Wait for the end of the worker; the second call returns a number."""
    if not Path(file).exists():
        Path(file).touch()
        while distributed.get_worker().status.name == "running":
            time.sleep(0.01)
        raise distributed.Reschedule
    return 7


def test_a_training_waits_for_a_gpu_and_the_progress_says_so(tmp_path):
    """A training that has begun on a GPU is not continued on a worker without one."""
    where = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None, "resources": {"GPU": 1}}
    shown, file = list[str](), tmp_path / "begun"
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **where) as few,
        connected(few.scheduler_address, None, Ear()) as made,
    ):

        def wait_until_shown(text: str) -> None:
            deadline = time.monotonic() + 30
            while text not in shown and time.monotonic() < deadline:
                time.sleep(0.02)

        def lose_and_start() -> None:
            while not file.exists():
                time.sleep(0.02)
            few.scale(0)
            wait_until_shown("tasks, on 0 workers, 0 with a GPU")
            few.new_spec["options"]["resources"] = {}
            few.scale(1)
            wait_until_shown("tasks, on 1 workers, 0 with a GPU")
            few.new_spec["options"]["resources"] = {"GPU": 1}
            few.scale(2)

        others = Thread(target=lose_and_start)
        others.start()
        task = ClusterTask("train-a", once_lost, (str(file),), on_gpu=True)
        done = made.run([task], progress=lambda _done, _total, _what, detail, **_: shown.append(detail))
        assert done["train-a"].result() == 7
        others.join()
    assert {"tasks, on 0 workers, 0 with a GPU", "tasks, on 1 workers, 0 with a GPU"} <= {*shown}


@pytest.fixture
def certificates() -> None:
    pytest.importorskip("cryptography")


def page_of_scheduler(dask_scheduler: Any) -> str:
    return f"http://{dask_scheduler.http_server.address}:{dask_scheduler.http_server.port}"


def page_of_worker(dask_worker: Any) -> str:
    return f"http://{dask_worker.http_server.address}:{dask_worker.http_server.port}"


@pytest.fixture(autouse=True)
def no_failed_clients() -> Iterator[None]:
    """A client of Dask that found no scheduler locks the next one for 10 s if it is collected while that one starts."""
    yield
    gc.collect()


STRANGER = """
import asyncio, sys
from distributed import Security
from distributed.comm import connect

async def attempt(address, security):
    try:
        await connect(address, timeout=0.5, **security.get_connection_args("client"))
        return "connected"
    except (OSError, TypeError):
        return "refused"

async def try_all(addresses):
    ways = (("tcp", Security()), ("tls", Security()), ("tls", Security.temporary()))
    return await asyncio.gather(*(attempt(each.replace("tls", way), how) for each in addresses for way, how in ways))

print(*asyncio.run(try_all(sys.argv[1:])))
"""
"""A program of another user of the computer, with no certificate and with one of its own."""


@pytest.mark.usefixtures("certificates")
def test_only_the_command_reaches_its_local_processes() -> None:
    """Each user of the computer could run programs in them, and read Dask's pages at port 8787."""
    with connected("local:1", None, Ear()) as made:
        addresses = [made._client.scheduler.address, *made.workers()]
        tried = subprocess.run([sys.executable, "-c", STRANGER, *addresses], capture_output=True, text=True)
        pages = [made._client.run_on_scheduler(page_of_scheduler), *made._client.run(page_of_worker).values()]
        assert len({*pages}) == 2
        for page in pages:
            assert page.startswith("http://127.0.0.1:")
            assert not page.endswith(":8787")
            for path in ("/", "/health", "/metrics", "/info/main/workers.html", "/json/counts.json"):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(page + path, timeout=5)
    assert {address.rpartition(":")[0] for address in addresses} == {"tls://127.0.0.1"}
    assert tried.stdout.split() == 6 * ["refused"], tried.stderr


@pytest.mark.usefixtures("certificates")
def test_a_certificate_is_for_its_owner_alone(tmp_path, processes):
    """`dask scheduler`, `dask worker` and the command find it by DASK_CONFIG."""
    private = tmp_path / "private"
    private.mkdir(0o755)
    write_certificate(private)
    assert [oct(path.stat().st_mode & 0o777) for path in (private, *sorted(private.iterdir()))] == [
        "0o700", "0o600", "0o600",
    ]  # fmt: skip
    with pytest.raises(UserError, match="exists already"):
        write_certificate(private)
    processes.environment["DASK_CONFIG"] = str(private)
    processes.protocol = "tls"
    processes.start(1)
    use = "import sys, distributed; distributed.Client(sys.argv[1], timeout=20).submit(abs, -1).result()"
    expected = ((private, ""), (tmp_path, "ssl_context"))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", use, processes.address],
            env=processes.environment | {"DASK_CONFIG": str(config)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for config, _ in expected
    ]
    for client, (_, words) in zip(started, expected, strict=True):
        said = client.communicate()[1]
        assert (client.returncode, words in said) == (len(words) > 0, True), said


def test_a_worker_that_came_later_and_cannot_do_the_study_costs_no_task(study, tmp_path, monkeypatch):
    """It failed each task that it was given, and so most of a study's."""
    where, ear = {"host": "127.0.0.1", "protocol": "tcp://", "dashboard_address": None}, Ear()
    make_plan(study, tmp_path / "out")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **where) as few,
        connected(few.scheduler_address, tmp_path / "out", ear) as made,
    ):
        good = next(iter(made.workers()))

        def problem_here(_origin: object, worker: Any) -> str:
            return "" if worker.address == good else "worker B: does not see the study's folder"

        monkeypatch.setattr(cluster, "problem_here", problem_here)
        few.scale(2)
        few.wait_for_workers(2)
        parts = [(n,) for n in range(64)]
        assert made.in_parallel(times, 3, parts, on_done=lambda _: None) == [3 * n for (n,) in parts]
        deadline = time.monotonic() + 30
        while [*made.workers()] != [good] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [*made.workers()] == [good]
    assert sum("worker B" in line for line in ear.heard) == 1


def test_one_command_at_a_time(scheduler, study, tmp_path):
    out, ear = tmp_path / "out", Ear()
    words = ["run", str(study), "--out", str(out), "--only", "audit", "--cluster", scheduler.scheduler_address]
    assert run(words) == 0
    with hold_lock(*markers.run_lock(out)):
        assert run(words) == 2
    with connected(scheduler.scheduler_address, out, ear):  # also where locks of files reach no other machine
        assert run(words) == 2
    assert run(words) == 0
    assert not (out / ".gan-eval" / cluster.MARK).exists()


@pytest.mark.parametrize(
    "address", ["local", "local:0", "local:two", "local:65", "tcp:host", "host:8786", "http://host:1"]
)
def test_bad_addresses(address, study, tmp_path, capsys):
    assert run(["run", str(study), "--out", str(tmp_path / "out"), "--cluster", address]) == 2
    assert f"--cluster {address}" in capsys.readouterr().err


def test_nobody_answers_and_nothing_installed(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cluster, "CONNECT_S", 0.2)
    words = ["run", str(study), "--out", str(tmp_path / "out"), "--cluster", "tcp://127.0.0.1:9"]
    assert run(words) == 2
    gc.collect()
    with pytest.importorskip("dask").config.set({"distributed.comm.require-encryption": True}):
        assert run(words) == 2
    gc.collect()
    assert "encryption required" in capsys.readouterr().err
    assert run([*words[:-1], "tls://127.0.0.1:9"]) == 2
    assert "DASK_CONFIG" in capsys.readouterr().err
    gc.collect()
    for missing, address in (("distributed", "tcp://127.0.0.1:9"), ("cryptography", "local:1")):
        monkeypatch.setattr(certificate, "find_spec", lambda name, missing=missing: None if name == missing else name)
        assert run([*words[:-1], address]) == 2
        line = capsys.readouterr().err
        assert f"{missing} is missing" in line
        assert "--extras cluster" in line


# Three workers as processes, with kills.


class Machines:
    """A scheduler and workers as processes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.protocol = folder, port, "tcp"
        self.processes = list[subprocess.Popen[bytes]]()
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GAN_EVAL_CACHE_MB": "0"}

    @property
    def address(self) -> str:
        return f"{self.protocol}://127.0.0.1:{self.port}"

    def start(self, workers: int) -> None:
        self._open("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        for _ in range(workers):
            self.add_worker()

    def add_worker(self, *words: str, nanny: bool = False) -> None:
        place = ("--local-directory", str(self.folder / f"worker-{len(self.processes)}"))
        alone = () if nanny else ("--no-nanny",)
        self._open("dask_worker", self.address, "--nthreads", "1", *alone, "--memory-limit", "0", *place, *words)

    def _open(self, program: str, *words: str) -> None:
        command = python_command(
            "-m", f"distributed.cli.{program}", *words, "--no-dashboard", "--dashboard-address", "127.0.0.1:0"
        )
        log = (self.folder / f"{program}.log").open("ab")
        self.processes.append(
            subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        )

    def study(self, *words: str) -> subprocess.Popen[str]:
        log = (self.folder / "client.log").open("w")
        return subprocess.Popen(
            own_command("run", *words),
            env=self.environment,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )

    def said(self) -> str:
        return (self.folder / "client.log").read_text()

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Machines]:
    with ExitStack() as stack:
        made = Machines(tmp_path, 20_000 + os.getpid() % 20_000)
        stack.callback(made.end)
        yield made


def write_training(folder: Path, *, models: int, steps: int) -> Path:
    """Write a study that trains small models, and its data."""
    random = np.random.default_rng(0)
    for split, count in (("train", 4), ("test", 6)):
        (folder / "dots" / split).mkdir(parents=True)
        for number in range(count):
            picture = np.kron(random.integers(0, 256, (6, 12, 3), dtype=np.uint8), np.ones((32, 32, 1), np.uint8))
            Image.fromarray(picture).save(folder / "dots" / split / f"{number}.png")
    sections = [f'[models.m{number}]\ndata = "dots"\ntraining = {{ seed = {number} }}\n' for number in range(models)]
    file = folder / "study.toml"
    file.write_text(
        '[study]\nname = "six"\n[data.dots]\ndirection = "AtoB"\n[training]\nimage_size = 64\n'
        f"steps = {steps}\ngenerator_channels = 8\ndiscriminator_channels = 8\n{''.join(sections)}"
        '[metrics]\nnames = ["psnr", "ssim"]\n[quiz]\nreal = 4\nfake = 4\nparticipants = 1\n'
    )
    return file


def wait_for(text: str, machines: Machines, client: "subprocess.Popen[str]", *, times: int = 1) -> None:
    while machines.said().count(text) < times:
        assert client.poll() is None, machines.said()
        time.sleep(0.05)


@pytest.mark.nightly
def test_eight_models_on_three_workers_with_kills(processes, tmp_path):
    file = write_training(tmp_path, models=8, steps=300)
    words = [str(file), "--data-root", str(tmp_path), "--threads", "1", "--simulate", "default"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(["run", *words, "--out", str(one)]) == 0
    words += ["--out", str(two), "--cluster", processes.address]

    processes.start(3)
    client = processes.study(*words)
    wait_for("train m0", processes, client)
    processes.processes[1].kill()  # a worker
    wait_for("tasks, on 2 workers", processes, client)
    other = subprocess.run(own_command("run", *words), env=processes.environment, capture_output=True, text=True)
    assert other.returncode == 2, other.stderr
    client.kill()
    client.wait()
    client = processes.study(*words)
    wait_for("train m", processes, client)
    client.send_signal(signal.SIGINT)
    assert client.wait() == 130
    client = processes.study(*words)
    wait_for("train m", processes, client)
    processes.processes[0].kill()  # the scheduler
    assert client.wait() == 2, processes.said()
    assert "scheduler" in processes.said()
    for worker in processes.processes[2:]:
        worker.wait(90)
    processes.end()

    processes.start(2)
    client = processes.study(*words)
    assert client.wait() == 0, processes.said()
    for name in files_of_results(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.nightly
def test_a_training_continues_on_another_worker_from_its_last_checkpoint(processes, tmp_path):
    file = write_training(tmp_path, models=1, steps=300)
    words = [str(file), "--data-root", str(tmp_path), "--threads", "1"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(["run", *words, "--out", str(one)]) == 0
    often = tmp_path / "often.py"
    often.write_text("from trainer.loop import run\nrun.SECONDS, run.SHARE = 0.2, 1e9\n")
    processes.start(0)
    processes.add_worker("--preload", str(often))
    client = processes.study(*words, "--out", str(two), "--cluster", processes.address)
    while not [*two.glob("models/m0/checkpoints/step_*.pt")]:
        assert client.poll() is None, processes.said()
        time.sleep(0.01)
    processes.processes[1].kill()
    processes.add_worker()
    assert client.wait() == 0, processes.said()
    resumed = re.search(r"continuing from step (\d+) of 300", processes.said())
    assert resumed, processes.said()
    assert 0 < int(resumed[1]) < 300
    for name in files_of_results(one):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


@pytest.mark.nightly
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no groups of processes")
@pytest.mark.parametrize("is_local", [False, True])
def test_a_training_saves_a_checkpoint_if_all_processes_get_sigterm(is_local, processes, tmp_path):
    """Signal of a batch system at its time limit."""
    file = write_training(tmp_path, models=1, steps=3000)
    out = tmp_path / "out"
    if not is_local:
        processes.start(0)
        processes.add_worker(nanny=True)
    words = [str(file), "--data-root", str(tmp_path), "--threads", "1", "--only", "train", "--out", str(out)]
    client = processes.study(*words, "--cluster", "local:1" if is_local else processes.address)
    wait_for("train m0", processes, client)
    ends = client if is_local else processes.processes[1]
    os.killpg(ends.pid, signal.SIGTERM)
    ends.wait(30)
    assert [*out.glob("models/m0/checkpoints/step_*.pt")]


def files_of_results(folder: Path) -> list[str]:
    """Files without times, runs' identifiers and names of sessions."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    kept = ("stimuli/", "models/", "tables/giveaways", "tables/rates", "tables/comparisons", "tables/paper")
    return [name for name in names if name.startswith(kept) and name.endswith((".png", ".safetensors", ".csv"))
            and not name.endswith("training_log.csv")]  # fmt: skip
