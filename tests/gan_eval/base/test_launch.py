"""A child Python imports from the same places as this one; threads; the libraries that Qt needs."""

import math
import os
import platform
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from commands import Command

from gan_eval.base import commands, system_libraries, threads
from gan_eval.base.commands import as_typed, own_command, setup_command
from gan_eval.base.system_libraries import IMPORT_LIBRARIES, SCREEN_LIBRARIES, install_command, missing_libraries

ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it has packages of the user's, called as ours are."""
    for name in ("trainer", "gan_eval"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")
def test_closed_streams_change_no_status_and_the_command_is_ours(folder: Path) -> None:
    command = f"{shlex.join(own_command('data', 'list'))} <&- >&-"
    done = subprocess.run(["sh", "-c", command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_is_ours_where_nothing_is_installed(tmp_path: Path) -> None:
    libraries = os.pathsep.join(path for path in sys.path if path and Path(path).resolve() != ROOT)
    environment = {**os.environ, "PYTHONPATH": libraries}
    done = subprocess.run(own_command("--version"), env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("gan_eval "), done.stderr


END = """
import atexit, tempfile, threading, time
from gan_eval.base.start import exit_process, release_nothing_at_exit
release_nothing_at_exit()
class Kept:
    def __del__(self):
        print("released")
kept = Kept()
folder = tempfile.TemporaryDirectory(dir=FOLDER)
atexit.register(print, "handled")
threading.Thread(target=lambda: (time.sleep(0.2), print("waited for"))).start()
print("begun")
exit_process(3)
"""


def test_a_command_ends_after_its_threads_and_exit_handlers_and_releases_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", END.replace("FOLDER", repr(str(tmp_path)))]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split("\n"), done.stderr) == (3, ["begun", "waited for", "handled", ""], "")
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_training_reports_no_leaks() -> None:
    pytest.importorskip("triton", reason="Triton is for Linux only")
    command = "from gan_eval.base.start import exit_process, release_nothing_at_exit; release_nothing_at_exit()"
    command += "; import triton._C.libtriton; exit_process(0)"
    done = subprocess.run([sys.executable, "-c", command], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


FREED_BLOCKS = """
import resource
import numpy as np
from gan_eval.base.start import keep_freed_memory
keep_freed_memory()
kept = np.ones(2**22)
del kept
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(2**22)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems have other allocators")
def test_a_training_keeps_freed_blocks_unless_the_user_has_set_the_allocator() -> None:
    faults = []
    for of_user in ({}, {"MALLOC_MMAP_THRESHOLD_": "131072"}):
        plain = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("MALLOC_")}
        command = [sys.executable, "-c", FREED_BLOCKS]
        done = subprocess.run(command, env=plain | of_user, capture_output=True, text=True, check=True)
        faults.append(int(done.stdout))
    assert faults[0] < faults[1] / 10


def test_a_module_that_is_run_looks_away_from_the_current_folder(folder: Path) -> None:
    (folder / "gan_eval" / "__init__.py").unlink()  # a folder of results: the package further down the path wins
    command = [sys.executable, "-m", "gan_eval", "data", "list"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_to_copy_begin_as_the_user_must_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "gan-eval: a.toml: get it with `gan-eval weights fetch inception`; see /lab/gan-eval run.txt"
    assert as_typed(text) == text  # the shell finds gan-eval
    monkeypatch.setattr(commands.shutil, "which", lambda _: None)
    monkeypatch.setattr(commands.sys, "platform", "linux")
    monkeypatch.chdir(ROOT)
    assert as_typed(text) == text.replace("`gan-eval", "`./run")
    monkeypatch.chdir(tmp_path)
    assert as_typed(text) == text.replace("`gan-eval", f"`{shlex.quote(str(ROOT / 'run'))}")
    assert as_typed(text, in_file=True) == text.replace("`gan-eval", "`./run"), "a report names no folder of its maker"
    monkeypatch.setattr(commands.sys, "platform", "win32")
    assert as_typed("gan-eval quiz a.toml") == f'py "{ROOT / "run"}" quiz a.toml'


def test_hints_and_errors_name_real_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.setattr(commands.shutil, "which", lambda _: None)
    monkeypatch.chdir(ROOT)
    file = tmp_path / "a.toml"
    assert f"next: ./run run {file}" in command("study", "new", "--out", file)[2]
    (tmp_path / "set").mkdir()
    status, _, said = command("metrics", tmp_path / "set", "--metrics", "psnr", "--out", tmp_path / "out")
    assert (status, "make one with `./run stimuli import`" in said) == (2, True)
    assert "Usage: ./run" in command("stimuli", "audit", "--help")[1]


def test_helps_and_study_files_name_commands_and_pages_as_they_are_found_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(ROOT)
    texts = []
    for is_installed in (True, False):
        monkeypatch.setattr(
            commands.shutil, "which", lambda _, found=is_installed: "/usr/bin/gan-eval" if found else None
        )
        monkeypatch.setattr(commands, "in_checkout", lambda found=is_installed: not found)
        file = tmp_path / f"{is_installed}.toml"
        assert command("study", "new", "--all", "--out", file)[0] == 0
        text = file.read_text() + command("quiz", "--help")[1] + command("run", "--help")[1]
        texts.append(" ".join(text.replace("#", " ").split()))
    for installed, in_clone in (("see `gan-eval stimuli audit`", "see `./run stimuli audit`"),
                                ("the page cluster of the documentation", "docs/cluster.md"),
                                ("by `gan-eval stimuli import`", "by `./run stimuli import`")):  # fmt: skip
        assert (installed in texts[0], in_clone in texts[0]) == (True, False)
        assert (installed in texts[1], in_clone in texts[1]) == (False, True)


def test_an_extra_is_added_to_a_tool_of_uv_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "in_checkout", lambda: False)
    monkeypatch.setattr(commands.sys, "prefix", str(tmp_path))
    assert setup_command("postgres") == "pip install 'gan-eval[postgres]'"
    wheel = "/root/gan_eval-0.2.0-py3-none-any.whl"
    receipt = f'[tool]\nrequirements = [{{ name = "gan-eval", extras = ["web"], path = "{wheel}" }}]\n'
    (tmp_path / "uv-receipt.toml").write_text(receipt)
    assert setup_command("postgres") == f"uv pip install --python {tmp_path} '{wheel}[postgres]'"


def test_only_one_place_knows_the_checkouts_command() -> None:
    """A text says `gan-eval VERB`, which `as_typed` replaces: `./run` is not there where a wheel is installed."""
    files = [path for name in ("gan_eval", "trainer") for path in (ROOT / name).rglob("*.*") if path.suffix != ".pyc"]
    texts = {path: path.read_text(encoding="utf-8", errors="ignore") for path in files}
    typed = [path.name for path, text in texts.items() if re.search(r"\./run [a-z]", text)]
    assert typed == ["commands.py"]


def test_a_waiting_policy_of_the_user_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ({}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "active"}, {"OPENBLAS_THREAD_TIMEOUT": "26"}):
        for name in ("OMP_WAIT_POLICY", *threads.WAITING_SETTINGS):
            monkeypatch.delenv(name, raising=False)
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        threads.set_waiting_settings()
        expected = threads.WAITING_SETTINGS | given
        if "OMP_WAIT_POLICY" in given:
            del expected["GOMP_SPINCOUNT"]
        assert {name: os.environ[name] for name in expected} == expected
        assert ("GOMP_SPINCOUNT" in os.environ) == ("GOMP_SPINCOUNT" in expected)


LOADED = """
import os, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "torch":
            print(os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OPENBLAS_THREAD_TIMEOUT"))
            raise SystemExit
sys.meta_path.insert(0, Finder())
"""


def test_the_waiting_policy_is_set_before_torch_is_loaded() -> None:
    environment = {name: value for name, value in ENVIRONMENT.items() if name not in threads.WAITING_SETTINGS}
    command = [sys.executable, "-c", f"{LOADED}import trainer.step; import torch"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(threads.WAITING_SETTINGS.values())


@pytest.mark.parametrize(
    ("files", "groups", "cores"),
    [
        ({"cpu.max": "max 100000"}, "0::/", math.inf),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, "0::/a/b", 1.5),  # the parent's limit
        ({"a/cpu.max": "50000 100000"}, "0::/gone", math.inf),
        ({"cpu.max": "damaged"}, "nothing", math.inf),
    ],
)
def test_a_control_groups_limit_counts(files: dict[str, str], groups: str, cores: float, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    (tmp_path / "cgroup").write_text(groups + "\n")
    assert threads._core_limit(tmp_path, tmp_path / "cgroup") == cores


def test_busy_cores_are_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "LOOK_S", 0.01)
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    for idle, free in ((4.0, 4), (2.6, 3), (0.1, 1)):
        seen = iter((100.0, 100.0 + idle * threads.LOOK_S))
        monkeypatch.setattr(threads, "_idle_seconds", lambda seen=seen: next(seen))
        assert threads.free_cores() == free
    monkeypatch.setattr(threads, "_idle_seconds", lambda: None)  # the system does not say: by its load average
    monkeypatch.setattr(os, "getloadavg", lambda: (3.2, 0, 0), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert threads.free_cores() == 1


def test_missing_libraries_are_those_that_do_not_load(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system_libraries, "can_load", lambda name: name != "libEGL.so.1")
    assert missing_libraries() == (IMPORT_LIBRARIES[1],)
    monkeypatch.setattr(system_libraries, "can_load", lambda name: False)
    assert missing_libraries() == IMPORT_LIBRARIES + SCREEN_LIBRARIES
    for other in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", other)
        assert missing_libraries() == ()


def test_the_command_speaks_the_package_managers_language(monkeypatch):
    for manager, line in (
        ("apt-get", "sudo apt-get install -y --no-install-recommends libgl1 libegl1"),
        ("pacman", "install the packages that hold libGL.so.1, libEGL.so.1"),
    ):
        monkeypatch.setattr(
            system_libraries.shutil, "which", lambda name, known=manager: name if name == known else None
        )
        assert install_command(IMPORT_LIBRARIES[:2]) == line


def test_qt_can_be_imported_without_a_screens_libraries(monkeypatch):
    monkeypatch.setattr(system_libraries, "missing_libraries", lambda: SCREEN_LIBRARIES)
    assert system_libraries.can_import_qt()
    monkeypatch.setattr(system_libraries, "missing_libraries", lambda: IMPORT_LIBRARIES[-1:])
    assert not system_libraries.can_import_qt()


def test_threads_that_spin_are_warned_of_where_torch_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(threads, "_torch_came_first", False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads.warn_if_threads_spin()
    monkeypatch.setattr(threads, "_torch_came_first", True)
    with pytest.warns(UserWarning, match="GOMP_SPINCOUNT=20000"):
        threads.warn_if_threads_spin()
