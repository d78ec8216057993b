"""Stores of another version are refused."""

import sqlite3

import pytest

from gan_eval.errors import UserError
from gan_eval.store import SCHEMA_VERSION, STORED_TABLES, open_store


@pytest.mark.parametrize("other", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_a_store_of_another_version_is_refused(tmp_path, other):
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE gan_eval_meta SET schema_version = ?", (other,))
    with pytest.raises(UserError, match=r"s\.sqlite: the store has schema version .*gan_eval that made it"):
        open_store(path)


def test_every_stored_table_has_a_session_to_be_forgotten_by():
    assert [table.name for table in STORED_TABLES if "session" not in table.by_name] == []
