"""Settings for all tests."""

import atexit
import gc
import importlib.util
import os
import re
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import gan_eval  # noqa: F401 - sets how threads wait, before a test loads PyTorch

if TYPE_CHECKING:
    from commands import Command
    from temporary_postgres import TemporaryPostgres

settings.register_profile("any machine", deadline=None)  # the time of an example depends on the machine
settings.load_profile("any machine")
os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)  # `gan-eval` is found, so messages name it
PACKAGES = (
    "torch", "torch_fidelity", "piq", "numba", "llvmlite", "sklearn", "skimage", "starlette", "psycopg", "mkdocs",
    "selenium",
)  # fmt: skip
ABSENT = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
"""Packages of extras that are not installed. What needs one is skipped, so that `--extras none` is tested alone."""
collect_ignore = ["gan_eval/quiz/serve"] if "starlette" in ABSENT else []
os.environ["BROWSER"] = "true"  # `try` and `demo` open no window of the person who runs the tests
os.fsync = lambda _: None  # the tests kill programs, not the computer
os.environ["GAN_EVAL_CACHE_MB"] = "0"  # no test finds metric values that another has kept; those of the cache set more


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=10, help="How often sessions are killed with signal 9.")
    parser.addoption("--attacks", type=int, default=25, help="How many malformed inputs the commands are given.")
    parser.addoption("--attack-seed", type=int, default=1, help="From which they are generated.")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    gc.disable()  # it would search all of PyTorch for seconds, again and again
    found = yield
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)  # some libraries report what is left at the end
    return found


def pytest_configure() -> None:
    """Let a command that needs an absent package end with the error, not with the line that says what to install."""
    from gan_eval import __main__ as program

    message = program._missing_library

    def raised(error: ModuleNotFoundError) -> int:
        if _absent_package(error):
            raise error
        return message(error)

    if ABSENT:
        program._missing_library = raised


def _absent_package(error: BaseException | None) -> str | None:
    """Return the absent package that an error, or one that led to it, names."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in ABSENT:
            return error.name
        error = error.__cause__ or error.__context__
    return None


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out files, and folders with a conftest.py, that import an absent package when they are collected."""
    file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    if not ABSENT or file.suffix != ".py" or not file.exists():
        return None
    imported = rf"^(import|from) ({'|'.join(ABSENT)})\b"
    return True if re.search(imported, file.read_text(encoding="utf-8"), re.MULTILINE) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from _skipped_without_its_packages())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from _skipped_without_its_packages())


def _skipped_without_its_packages() -> Generator[None, object, object]:
    try:
        return (yield)
    except (ImportError, pytest.fail.Exception) as error:  # a name that monkeypatch imports; no warning, for an error
        if package := _absent_package(error):
            pytest.skip(f"{package} is not installed")
        raise


@pytest.fixture(scope="session", autouse=True)
def stores_are_not_flushed() -> None:
    """Let no commit to a store's file wait for the disk, as with `os.fsync` above; processes of their own wait."""
    import sqlalchemy as sa

    @sa.event.listens_for(sa.Engine, "engine_connect")
    def configure(connection: sa.Connection) -> None:
        opened = connection.connection.driver_connection
        if connection.dialect.name == "sqlite" and not opened.in_transaction:
            opened.execute("PRAGMA synchronous=OFF")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> "Command":
    """`command("metrics", SET)`: exit status, stdout, stderr."""
    from gan_eval.__main__ import run

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([*map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A rehearsed study, read-only: `study.toml`, its set `main`, and its results in `out`; `copy_study` copies it."""
    from finished import STUDY, make_set, protected

    from gan_eval.__main__ import run

    folder = tmp_path_factory.mktemp("finished")
    make_set(folder / "main", 8)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("QT_QPA_PLATFORM", "offscreen")
        patch.delenv("DISPLAY", raising=False)
        assert run(["run", "study.toml", "--out", "out", "--simulate", "default"]) == 0
    with protected(folder):
        yield folder


@pytest.fixture(params=[1, pytest.param(None, marks=pytest.mark.nightly)], ids=["once", "nightly"])
def kills(request: pytest.FixtureRequest) -> int:
    """Number of times to kill: once by day, `--kills` times at night."""
    return request.param or int(request.config.getoption("--kills"))


@pytest.fixture(scope="session")
def postgres() -> "Iterator[TemporaryPostgres]":
    """A real PostgreSQL server."""
    from temporary_postgres import TemporaryPostgres, find_binaries

    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with TemporaryPostgres(
        binaries, settings="-c fsync=off -c full_page_writes=off -c deadlock_timeout=200ms"
    ) as server:
        yield server


@pytest.fixture
def database(postgres: "TemporaryPostgres") -> str:
    """The URL of an empty database."""
    return postgres.empty_database()
