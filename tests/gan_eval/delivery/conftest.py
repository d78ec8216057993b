"""A real PostgreSQL server, databases in it, and stations that write sessions."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from stations import Cable
from temporary_postgres import TemporaryPostgres, find_binaries

from gan_eval.store import Store, open_store


@pytest.fixture(scope="session")
def postgres() -> Iterator[TemporaryPostgres]:
    """The server; a test that stops it starts it again."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed")
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    with TemporaryPostgres(binaries, settings="-c fsync=off -c full_page_writes=off") as server:
        yield server


@pytest.fixture
def database(postgres: TemporaryPostgres) -> str:
    """The URL of an empty database."""
    return postgres.empty_database()


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    """Stores by name, below the test's folder."""
    opened: list[Store] = []

    def make(name: str = "station") -> Store:
        opened.append(open_store(tmp_path / f"{name}.sqlite"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def cable(postgres: TemporaryPostgres) -> Iterator[Cable]:
    """A cable to the server."""
    with closing(Cable(postgres.port)) as one:
        yield one
