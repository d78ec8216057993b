"""The addresses of the stores of these tests."""

from pathlib import Path

import pytest


@pytest.fixture(params=["file", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQLite file, or an empty database of a PostgreSQL server."""
    return str(tmp_path / "s.sqlite") if request.param == "file" else request.getfixturevalue("database")
