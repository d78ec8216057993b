"""A real PostgreSQL server and an empty database in it."""

from collections.abc import Iterator

import pytest
from temporary_postgres import TemporaryPostgres, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[TemporaryPostgres]:
    """The server."""
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
