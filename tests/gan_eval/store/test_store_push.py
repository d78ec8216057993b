"""Copies between stores: a push copies each row once, to a server and to a file; a merge refuses contradictions."""

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from refusals import refused
from stored_rows import answer, fill, meanwhile, sit

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.reading import place_of
from gan_eval.store import forget, forget_in, merge, merging, open_store, push, push_lines
from gan_eval.store.layout import LAYOUTS
from gan_eval.study.forgetting import forget_everywhere


def contents(where: str | Path) -> dict[str, list[dict[str, Any]]]:
    with open_store(where, create=False) as store:
        return {table.name: store.rows(table) for table in tables.STORED_TABLES}


def complete(path: Path, *numbers: int, trials: int = 3) -> Path:
    """A station's store with complete sessions."""
    return fill(path, *(f"P{number:02d}" for number in numbers), planned=trials, done=trials, status="complete")


def test_each_row_is_copied_once_with_its_values_and_open_sessions_are_updated(tmp_path: Path, where: str) -> None:
    left, right = complete(tmp_path / "left.sqlite", 1, 2), complete(tmp_path / "right.sqlite", 3, 4)
    with open_store(right) as store:
        session = sit(store, "P05", planned=2, done=1)
        first = push(left, where)
        assert (first.sessions, first.trials, first.refused) == (2, 6, ())
        assert push(right, where).trials == 7
        assert [row["status"] for row in contents(where)["sessions"]] == [*["complete"] * 4, "open"]
        answer(store, 2, session, participant="P05")
        store.update_session(session, {"status": "complete", "ended_at": "2026-01-01T00:10:00.000Z"})
        assert push(right, where).trials == 1
    again = push(left, where)
    assert (again.sessions, again.trials) == (0, 0)
    both, lefts, rights = contents(where), contents(left), contents(right)
    assert both == {name: [*rows, *rights[name]] for name, rows in lefts.items()}
    refused("are the same store", push, left, left)


def test_answers_that_come_meanwhile_are_copied_wholly_or_not_at_all(tmp_path: Path, where: str) -> None:
    left = fill(tmp_path / "left.sqlite", "P01", planned=99)
    with open_store(left) as store:
        (session,) = (row["session"] for row in store.rows(tables.SESSIONS))
    numbers = iter(range(2, 99))
    with meanwhile(left, lambda other: answer(other, next(numbers), session, participant="P01")):
        push(left, where)
    assert next(numbers) > 9, "somebody has answered between the tables"
    copied = contents(where)
    assert [row["trial"] for row in copied["trials"]] == [row["trial"] for row in copied["onsets"]]


def test_a_contradiction_is_refused_and_the_rest_copied(tmp_path: Path, where: str) -> None:
    left = complete(tmp_path / "left.sqlite", 1, 2)
    push(left, where)
    with open_store(left) as store:
        one = store.rows(tables.SESSIONS)[0]["session"]
        layout = LAYOUTS[tables.TRIALS]
        with store.transaction() as connection:
            connection.execute(layout.update().where(layout.c.session == one).values(reaction_time_ms=1.0))
        sit(store, "P03", done=0)
    with open_store(where) as server, server.transaction() as connection:  # else no row count differs
        layout = LAYOUTS[tables.TRIALS]
        connection.execute(layout.delete().where(layout.c.session == one, layout.c.trial == 3))
    pushed = push(left, where)
    assert [f"different rows of trials for session {one} trial 1" in line for line in pushed.refused] == [True]
    assert [row["participant"] for row in contents(where)["sessions"]] == ["P01", "P02", "P03"]
    assert len(contents(where)["trials"]) == 5


class CutError(Exception):
    """The push ends here."""


def test_a_push_cut_off_at_any_statement_loses_and_doubles_nothing(tmp_path: Path, where: str) -> None:
    left = complete(tmp_path / "left.sqlite", 1, 2, 3, 4)
    whole, left_to_run = contents(left), 0

    def count(connection: sa.Connection, *_: object) -> None:
        nonlocal left_to_run
        left_to_run -= 1
        if left_to_run < 0:
            raise CutError

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        cuts = 0
        for cut_after in range(0, 100, 4):
            left_to_run = cut_after
            with suppress(CutError):
                push(left, where)
                break
            cuts += 1
        assert cuts > 8
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
    push(left, where)
    assert contents(where) == whole


@pytest.mark.nightly
def test_killed_pushes_lose_and_double_nothing(tmp_path: Path, where: str) -> None:
    left, moments = tmp_path / "left.sqlite", random.Random(1)
    code = "import sys; from gan_eval.store import push; print(flush=True); push(*sys.argv[1:])"
    for killed in range(25):
        complete(left, *range(5 * killed + 1, 5 * killed + 6), trials=8)
        process = subprocess.Popen([sys.executable, "-c", code, str(left), where], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.read(1)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.communicate()
    push(left, where)
    assert contents(where) == contents(left)


def test_a_merge_holds_what_the_stations_held_and_changes_none_of_them(tmp_path: Path) -> None:
    sources = [complete(tmp_path / f"{number}.sqlite", number) for number in (1, 2, 3)]
    before = [path.read_bytes() for path in sources]
    merged = merge(sources, tmp_path / "all.sqlite")
    assert (merged.rows["sessions"], merged.rows["trials"], merged.deleted) == (3, 9, 0)
    assert [path.read_bytes() for path in sources] == before
    parts = [contents(path) for path in sources]
    assert contents(tmp_path / "all.sqlite") == {name: [*chain(*(part[name] for part in parts))] for name in parts[0]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.sqlite", "2.sqlite", "3.sqlite", "all.sqlite"]


@pytest.mark.parametrize(
    ("sources", "out", "message"),
    [
        (["one", "same"], "all", "forget` removes one of the two; nothing was merged"),
        (["one"], "one", "one: exists already"),
        (["one", "absent"], "all", "absent:"),
        (["one", "notes"], "all", "notes"),
    ],
)
def test_a_failed_merge_is_named_and_writes_nothing(tmp_path: Path, sources: list[str], out: str, message: str) -> None:
    complete(tmp_path / "one", 1)
    fill(tmp_path / "same", "P01", session="another")
    (tmp_path / "notes").write_text("no database, but long enough to be taken for one " * 40)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    refused(message, merge, [tmp_path / name for name in sources], tmp_path / out)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


LOGS = ("-wal", "-journal")


def left_by_a_killed_program(path: Path) -> None:
    """Leave the log of a store whose reaction times are all 1234.5, and remove the store itself."""
    complete(path, 1)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE trials SET reaction_time_ms = 1234.5")
        raw.commit()
        logs = {ending: Path(f"{path}{ending}").read_bytes() for ending in ("-wal", "-shm")}
    path.unlink()
    for ending, content in logs.items():
        Path(f"{path}{ending}").write_bytes(content)


def test_an_old_log_is_not_read_into_a_new_store(tmp_path: Path) -> None:
    sources = [complete(tmp_path / f"{number}.sqlite", number) for number in (1, 2)]
    new = tmp_path / "new.sqlite"
    left_by_a_killed_program(new)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for job in (
        lambda: merge(sources, new),
        lambda: push(sources[0], new),
        lambda: open_store(new),
        lambda: merge([tmp_path / "1.sqlite"], tmp_path / "link.sqlite"),
    ):
        if not (tmp_path / "link.sqlite-journal").exists():
            (tmp_path / "link.sqlite-journal").write_bytes(b"?")
            before[tmp_path / "link.sqlite-journal"] = b"?"
        refused(r"no such file, but .*-(wal|journal) is left from one and may hold its last answers; put that", job)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    for ending in LOGS:
        Path(f"{new}{ending}").unlink(missing_ok=True)
    assert merge(sources, new).rows["trials"] == 6
    assert {row["reaction_time_ms"] for row in contents(new)["trials"]} == {0.1 + 0.2}


@pytest.mark.parametrize("has_links", [True, False])
def test_a_store_that_comes_while_a_merge_works_is_not_replaced(
    tmp_path: Path, has_links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, out = [complete(tmp_path / f"{number}.sqlite", number) for number in (1, 2)], tmp_path / "all.sqlite"
    if not has_links:
        monkeypatch.setattr(os, "link", lambda *_: Path("/absent/folder").touch())
    copy = merging.push

    def meanwhile_made(*stores: Path) -> merging.Pushed:
        if not out.exists():
            complete(out, 3)
        return copy(*stores)

    with monkeypatch.context() as patched:
        patched.setattr(merging, "push", meanwhile_made)
        refused("all.sqlite: exists already; name a new file, nothing is overwritten", merge, sources, out)
    assert [row["participant"] for row in contents(out)["sessions"]] == ["P03"]
    out.unlink()
    assert merge(sources, out).rows["sessions"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.sqlite", "2.sqlite", "all.sqlite"]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("DELETE FROM sessions WHERE participant = 'P01'", "rows of session 'session-of-P01-t' without that session"),
        ("DELETE FROM trials WHERE participant = 'P01' AND trial = 2", "lacks 1 of its planned trials"),
        ("UPDATE trials SET correct = NOT correct WHERE trial = 2", "correct (False|True) contradicts kind "),
    ],
)
def test_nothing_is_copied_from_a_damaged_store(tmp_path: Path, damage: str, line: str) -> None:
    left = complete(tmp_path / "left.sqlite", 1, 2)
    with closing(sqlite3.connect(left)) as raw:
        raw.execute(damage)
        raw.commit()
    refused(line, push, left, tmp_path / "there.sqlite")
    assert not (tmp_path / "there.sqlite").exists()
    assert re.search(line, push_lines(left, str(tmp_path / "there.sqlite"))[0])


def people_of(where: str | Path) -> list[str]:
    return sorted(row["participant"] for row in contents(where)["sessions"])


def test_who_was_deleted_does_not_come_back_with_a_push_or_a_merge(tmp_path: Path, where: str) -> None:
    left, right = complete(tmp_path / "left.sqlite", 1, 2), complete(tmp_path / "right.sqlite", 3)
    push(left, where)
    forget(where, "P01")
    again = push(left, where)
    assert (again.sessions, len(again.deleted), again.remaining, people_of(where)) == (0, 1, (), ["P02"])
    assert push_lines(left, where)[-1].endswith(": 1")
    forget(left, "P02")
    assert push(left, where).remaining == ("P02",), "the data there are deleted by their own command"
    third = push(where, right)
    assert (third.sessions, len(third.deleted), people_of(right)) == (0, 1, ["P03"]), "what is deleted is carried on"
    copy = complete(tmp_path / "copy.sqlite", 1, 2, 4)
    for number, sources in enumerate(([copy, right, left], [left, copy, right])):
        merged = merge(sources, out := tmp_path / f"{number}.sqlite")
        assert (merged.rows["sessions"], merged.deleted, people_of(out)) == (2, 2, ["P03", "P04"])
        assert len(push(copy, out).deleted) == 2, "the new store knows it, too"


def test_who_is_deleted_while_being_copied_does_not_come_back(tmp_path: Path, where: str) -> None:
    left = complete(tmp_path / "left.sqlite", 1)
    push(left, where)
    with open_store(where) as served, done_before(merging, "_push_rows", lambda: forget_in(served, "P01")):
        assert push(left, where).deleted == ("session-of-P01-t",)
    assert people_of(where) == []


@contextmanager
def done_before(module: Any, name: str, job: Callable[[], object]) -> Iterator[None]:
    """Do a job before a function of a module is called."""
    original = getattr(module, name)

    def call(*arguments: Any) -> Any:
        job()
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, call)
        yield


def test_a_store_of_an_older_version_is_a_source_and_a_target(tmp_path: Path) -> None:
    """Such a store has no table of deleted sessions."""
    old, new = complete(tmp_path / "old.sqlite", 1, 2), complete(tmp_path / "new.sqlite", 1, 2)
    with closing(sqlite3.connect(old)) as raw:
        assert "gan_eval_deleted" not in {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
    forget(new, "P01")
    assert push(old, new).deleted == ("session-of-P01-t",)
    assert push(new, old).remaining == ("P01",)
    forget(old, "P01")
    assert people_of(old) == people_of(new) == ["P02"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_link_that_leads_to_itself_is_refused_in_one_line(tmp_path: Path) -> None:
    left, loop = complete(tmp_path / "left.sqlite", 1), tmp_path / "loop.sqlite"
    loop.symlink_to(loop)
    for job in (
        lambda: push(left, loop),
        lambda: push(loop, tmp_path / "new.sqlite"),
        lambda: merge([left, loop], tmp_path / "new.sqlite"),
        lambda: forget_everywhere(loop, "P01"),
        lambda: open_store(loop),
    ):
        refused(r"loop\.sqlite: a link to .*loop\.sqlite, which does not exist", job)
    refused(r"loop\.sqlite: exists already", merge, [left, left], loop)
    assert loop.is_symlink()
    assert not (tmp_path / "new.sqlite").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from gan_eval.store import merge, merging
step = merging.push
def killed(source, where):
    if source.name == "2.sqlite":
        os.kill(os.getpid(), signal.SIGKILL)
    return step(source, where)
merging.push = killed
merge([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_same_merge_after_a_kill_cleans_up_and_finishes(tmp_path: Path) -> None:
    sources = [complete(tmp_path / f"{number}.sqlite", number) for number in (1, 2)]
    out, foreign = tmp_path / "all.sqlite", tmp_path / ".all.sqlite.gan-eval-notes.tmp"
    foreign.write_text("somebody's")
    command = [sys.executable, "-c", KILLED, str(out), *map(str, sources)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) > 3, "something was left behind"
    merge(sources, out)
    assert sorted(tmp_path.iterdir()) == sorted([*sources, foreign, out])
    assert len(contents(out)["trials"]) == 6


SECRET = "hun/ter 2@lab%"
SPELT = "hun%2Fter%202%40lab%25"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_a_message_is_scrubbed_however_the_password_is_spelt(scheme: str) -> None:
    address = place_of(f"{scheme}://lab:{SPELT}@server:5433/studies?sslpassword=other%21")
    assert (address.url.drivername, address.url.password) == ("postgresql+psycopg", SECRET)
    assert str(address) == "postgresql://lab@server:5433/studies"
    said = address.scrub(f"no: password={SECRET} url={SPELT} hun%2Fter+2%40lab%25\n other! other%21")
    assert said == "no: password=*** url=*** *** *** ***"
    assert not {"hun", "other"} & set(re.findall("[a-z]+", f"{address!r} {address}"))


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (f"postgres://lab:{SPELT}@server/studies", "--store postgres://...: a lab's server is PostgreSQL"),
        (f"mysql://lab:{SPELT}@server/studies", "--store mysql://...: a lab's server is PostgreSQL"),
        (f"postgresql://lab:{SPELT}@server", "--store: the URL names no database"),
        (f"post gres://lab:{SPELT}@server", "--store: not a database URL"),
        (f"postgresql://lab:{SPELT}@server:port/studies", "--store: not a database URL"),
        ("postgresql:", "--store: not a database URL; expected one such as postgresql://user@host/database"),
        (f"postgresql:/lab:{SPELT}@server/studies", "--store: not a database URL"),
        (f"Postgres:lab:{SPELT}@server", "--store: not a database URL"),
    ],
)
def test_another_url_is_refused_without_its_password(url: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        place_of(url)
    assert str(caught.value).startswith(line)
    assert "hun" not in str(caught.value)


@pytest.mark.parametrize("forgotten_first", [True, False])
def test_who_was_forgotten_does_not_come_back_after_the_store_was_moved_aside(
    tmp_path: Path, forgotten_first: bool
) -> None:
    """`run --redo quiz` moves a store; the next one keeps the digests of its deleted sessions."""
    store, moved = tmp_path / "store.sqlite", tmp_path / ".gan-eval" / "old" / "quiz-1" / "store.sqlite"
    copy = fill(tmp_path / "copy.sqlite", "ann", "bob")
    fill(store, "ann")
    moved.parent.mkdir(parents=True)
    if forgotten_first:
        forget(store, "ann")
        store.rename(moved)
    else:
        store.rename(moved)
        fill(store, "cid")
        forget_everywhere(store, "ann")
    pushed = push(copy, store)
    assert (pushed.sessions, pushed.deleted) == (1, ("session-of-ann-t",))
    (moved.parent.parent / "quiz-2").mkdir()
    shutil.copy(moved, moved.parent.parent / "quiz-2" / "store.sqlite")
    moved.write_bytes(b"damaged")
    assert push(copy, store).deleted == ("session-of-ann-t",), "an unreadable store is passed over"
