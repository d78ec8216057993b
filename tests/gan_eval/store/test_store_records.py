"""A server of pages keeps in a store: one secret for all processes, and the tab that holds a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from stored_rows import at_once, sit, trial

from gan_eval import tables
from gan_eval.store import (
    Store,
    forget,
    hold_session,
    is_paused,
    merge,
    open_store,
    pause,
    progress_of,
    push,
    server_secret,
)
from gan_eval.store.export import export_store

MAKE = """
import sys
from gan_eval.store import open_store, server_secret
store = open_store(sys.argv[1])
sys.stdin.read()
print(server_secret(store).hex())
"""


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where) as opened:
        server_secret(opened)
        sit(opened, session="s1")
        yield opened


def names(where: str) -> set[str]:
    with open_store(where) as opened, opened.transaction() as connection:
        return set(sa.inspect(connection).get_table_names())


@pytest.mark.parametrize("where", [pytest.param("file", marks=pytest.mark.nightly), "server"], indirect=True)
def test_processes_share_one_secret_also_after_a_restart(where: str, tmp_path: Path) -> None:
    with open_store(where):
        pass
    made = {*at_once(MAKE, (where,), (where,))}
    with open_store(where) as store:
        assert made == {server_secret(store).hex()}
        assert len(server_secret(store)) == 32
    with open_store(tmp_path / "other") as other:
        assert made != {server_secret(other).hex()}


def test_the_tab_that_came_last_holds_a_session_and_progress_is_told_by_one_query(store: Store) -> None:
    assert progress_of(store, "s1").tab is None
    assert progress_of(store, "s1") == (None, 1, "open", False)
    hold_session(store, "s1", "first")
    assert hold_session(store, "s1", "second")
    assert not hold_session(store, "s2", "of a session that is not there")
    assert progress_of(store, "s1").tab == "second"
    store.add(tables.TRIALS, [trial(2), trial(1, "s2")])
    store.update_session("s1", {"status": "complete"})
    store.update_session("s1", {"screen_width": 800})
    statements = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert progress_of(store, "s1") == ("second", 2, "complete", True)
    assert len(statements) == 1
    assert progress_of(store, "s2") == (None, 1, None, False)
    assert progress_of(store, "s3") == (None, 0, None, False)


def test_progress_is_read_from_the_keys_alone(tmp_path: Path) -> None:
    """It is asked before each trial: a scan of all trials would grow with the study."""
    with open_store(tmp_path / "s.sqlite") as store:
        server_secret(store)
        asked = []
        sa.event.listen(store.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2:4]))
        progress_of(store, "s1")
        ((query, parameters),) = asked
        with store.transaction() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert sum("USING" in line and "INDEX" in line for line in plan) == 4
    assert not any("SCAN" in line and "CONSTANT" not in line for line in plan)


def test_a_pause_holds_for_one_study_and_outlives_its_process(store: Store, where: str) -> None:
    pause(store, "t", on=True)
    pause(store, "t", on=True)
    with open_store(where) as again:
        assert (is_paused(again, "t"), is_paused(again, "other")) == (True, False)
        pause(again, "t", on=False)
    assert not is_paused(store, "t")


def test_a_forgotten_participants_tab_goes_and_the_secret_stays(store: Store, where: str) -> None:
    secret = server_secret(store)
    hold_session(store, "s1", "tab-of-P01")
    store.close()
    forget(where, "P01")
    with open_store(where) as again:
        assert progress_of(again, "s1").tab is None
        assert server_secret(again) == secret
    if "://" not in where:
        assert b"tab-of-P01" not in Path(where).read_bytes()


@pytest.mark.parametrize("where", ["file", pytest.param("server", marks=pytest.mark.nightly)], indirect=True)
def test_no_export_push_or_merge_copies_secret_and_tabs(store: Store, where: str, tmp_path: Path) -> None:
    secret = server_secret(store)
    hold_session(store, "s1", "tab-of-P01")
    assert {"gan_eval_secrets", "gan_eval_tabs"} <= names(where)
    merge([where], tmp_path / "merged.sqlite")
    push(where, tmp_path / "pushed.sqlite")
    export_store(where, tmp_path / "exported", formats=["csv", "parquet", "psych-ds", "r"])
    for copy in ("merged", "pushed"):
        assert not {"gan_eval_secrets", "gan_eval_tabs"} & names(str(tmp_path / f"{copy}.sqlite"))
    copies = [tmp_path / "merged.sqlite", tmp_path / "pushed.sqlite", *(tmp_path / "exported").rglob("*")]
    contents = [path.read_bytes() for path in copies if path.is_file()]
    assert len(contents) > 10
    assert not [1 for content in contents if secret in content or secret.hex().encode() in content]
    assert not [1 for content in contents if b"tab-of-P01" in content or b"gan_eval_tabs" in content]
