"""Malformed results stores: damaged pages, foreign schemas, wrong types, what lies beside the file."""

import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import strategies as st

from attack.attack import Attack, Special
from attack.damage import damaged, something_else
from attack.world import World
from gan_eval.store.layout import META, STORED_TABLES

PAGE = 4096
VALUES = (
    "NULL", "''", "'abc'", "'maybe'", "x'00ff'", "zeroblob(100000)", "-1", "1.5", "9223372036854775807", "1e999",
    "-1e999", "1e308", "'nan'", "0", "2", "'true'", "char(0)", "char(10)", "'=1+1'", "printf('%.*c', 300000, 'x')",
    "cast(x'fffe' as text)", "'2026-99-99T00:00:00Z'", "'fake'", "'../../x'", "'a|b'",
)  # fmt: skip
"""What SQLite lets stand in any column."""

_QUIZ = (
    "quiz", "--stimuli", "set", "--real", "4", "--fake", "4", "--participant", "P04", "--simulate", "default",
    "--store", "store.sqlite",
)  # fmt: skip
COMMANDS = (
    ("participants", "list", "--store", "store.sqlite"),
    ("participants", "forget", "P02", "--store", "store.sqlite", "--dry-run"),
    ("participants", "forget", "P02", "--store", "store.sqlite", "--yes"),
    ("store", "merge", "store.sqlite", "other.sqlite", "--out", "out.sqlite"),
    ("store", "merge", "other.sqlite", "store.sqlite", "--out", "out.sqlite"),
    ("export", "--store", "store.sqlite", "--out", "out", "--format", "csv"),
    ("export", "--store", "store.sqlite", "--out", "out", "--format", "parquet,psych-ds,r"),
    ("analyze", "--store", "store.sqlite", "--out", "out"),
    _QUIZ,
)


@st.composite
def attacks(draw: st.DrawFn, world: World) -> Attack:
    """A store of any family, and a command that opens it."""
    command = draw(st.sampled_from(COMMANDS))
    good = world.store["store.sqlite"]
    assert isinstance(good, bytes)
    files: dict[str, bytes | Special] = dict(world.set) if "--stimuli" in command else {}
    if "merge" in command:
        files["other.sqlite"] = good
    sort = draw(
        st.sampled_from(["cells"] * 4 + ["schema"] * 3 + ["pages"] * 3 + ["damaged", "else", "special", "beside"])
    )
    content: bytes | Special
    match sort:
        case "cells":
            what, script = draw(_cells())
            content = _changed(good, script)
        case "schema":
            what, script = draw(_schemas())
            content = _changed(good, script)
        case "pages":
            what, content = draw(_pages(good))
        case "damaged":
            what, content = draw(damaged(good, head=100))
        case "else":
            what, content = draw(something_else())
        case "special":
            what = draw(st.sampled_from(["folder", "fifo", "link"]))
            content = Special(what, "nowhere.sqlite")
        case _:
            ending = draw(st.sampled_from(["-wal", "-shm", "-journal"]))
            content = good
            files[f"store.sqlite{ending}"] = draw(
                st.one_of(st.binary(max_size=100), st.just(_log()), st.just(bytes(32768)), st.just(Special("folder")))
            )
            what = f"garbage in {ending}"
    files["store.sqlite"] = content
    return Attack(
        f"store, {' '.join(command[:2])}: {what}", command, files, names=("store.sqlite",),
        changes=("store.sqlite*", "other.sqlite*"),
    )  # fmt: skip


@st.composite
def _cells(draw: st.DrawFn) -> tuple[str, str]:
    """A value of another type, in one row or in all of them."""
    table = draw(st.sampled_from([table for table in STORED_TABLES if table.name not in ("onsets", "checks")]))
    column, value = draw(st.sampled_from(table.names)), draw(st.sampled_from(VALUES))
    rows = draw(st.sampled_from(["", f" WHERE rowid = (SELECT min(rowid) FROM {table.name})"]))
    # a table whose types and keys are not held up, as a table from elsewhere may be
    script = f"""
        CREATE TABLE attacked AS SELECT * FROM {table.name};
        DROP TABLE {table.name};
        ALTER TABLE attacked RENAME TO {table.name};
        UPDATE {table.name} SET "{column}" = {value}{rows};
    """
    return f"{table.name}.{column} {value}{' in a row' if rows else ''}", script


_UNTYPED_META = f"DROP TABLE {META}; CREATE TABLE {META} (schema_version);"


@st.composite
def _schemas(draw: st.DrawFn) -> tuple[str, str]:
    """Tables and columns that are not what they were."""
    table = draw(st.sampled_from(STORED_TABLES))
    name, column = table.name, draw(st.sampled_from(table.names))
    changes = {
        f"no table {name}": f"DROP TABLE {name};",
        f"{name} without {column}": f"CREATE TABLE t AS SELECT * FROM {name}; ALTER TABLE t DROP COLUMN \"{column}\"; "
        f"DROP TABLE {name}; ALTER TABLE t RENAME TO {name};",
        f"{name}.{column} renamed": f'ALTER TABLE {name} RENAME COLUMN "{column}" TO "{column.upper()}_";',
        f"view {name}": f"ALTER TABLE {name} RENAME TO t; CREATE VIEW {name} AS SELECT * FROM t;",
        f"empty view {name}": f"DROP TABLE {name}; CREATE VIEW {name} AS SELECT 1 AS a;",
        f"{name} without rows": f"DELETE FROM {name};",
        f"rows of {name} twice": f"CREATE TABLE t AS SELECT * FROM {name}; INSERT INTO t SELECT * FROM {name}; "
        f"DROP TABLE {name}; ALTER TABLE t RENAME TO {name};",
        f"trigger on {name}": f"CREATE TRIGGER t BEFORE INSERT ON {name} BEGIN SELECT RAISE(ABORT, 'no'); END;",
        f"trigger that empties {name}": f"CREATE TRIGGER t AFTER INSERT ON {name} BEGIN DELETE FROM {name}; END;",
        "more tables": "CREATE TABLE more (a); CREATE INDEX more_a ON more (a);",
        f"another column in {name}": f"ALTER TABLE {name} ADD COLUMN more TEXT;",
        "no meta": f"DROP TABLE {META};",
        "empty meta": f"DELETE FROM {META};",
        "newer": f"UPDATE {META} SET schema_version = 99;",
        "much newer": f"UPDATE {META} SET schema_version = 9223372036854775807;",
        "version 0": f"UPDATE {META} SET schema_version = 0;",
        "older": f"UPDATE {META} SET schema_version = 1;",
        "version below 0": f"UPDATE {META} SET schema_version = -1;",
        "two versions": f"INSERT INTO {META} VALUES (99);",
        "version is text": f"{_UNTYPED_META} INSERT INTO {META} VALUES ('two');",
        "version is a blob": f"{_UNTYPED_META} INSERT INTO {META} VALUES (x'02');",
        "version is missing": f"DROP TABLE {META}; CREATE TABLE {META} (other); INSERT INTO {META} VALUES (2);",
        "nothing at all": "".join(f"DROP TABLE {each.name};" for each in STORED_TABLES) + f"DROP TABLE {META};",
    }  # fmt: skip
    what = draw(st.sampled_from(sorted(changes)))
    return what, changes[what]


@st.composite
def _pages(draw: st.DrawFn, good: bytes) -> tuple[str, bytes]:
    """Whole pages that are lost, swapped or filled with something else."""
    count = len(good) // PAGE
    page, other = draw(st.integers(0, count - 1)), draw(st.integers(0, count - 1))
    start = page * PAGE + (100 if page == 0 else 0)  # the header of the file is left to other families
    fill = draw(st.sampled_from(["zeros", "ones", "noise", "another page", "cells"]))
    length = (page + 1) * PAGE - start
    content = {
        "zeros": bytes(length),
        "ones": b"\xff" * length,
        "noise": (draw(st.binary(min_size=64, max_size=64)) * (length // 64 + 1))[:length],
        "another page": good[other * PAGE : (other + 1) * PAGE][-length:],
        "cells": good[start : start + 8] + draw(st.binary(min_size=16, max_size=16)) * ((length - 8) // 16),
    }[fill]
    content = content.ljust(length, b"\0")
    return f"page {page} {fill}", good[:start] + content + good[start + length :]


def _changed(good: bytes, script: str) -> bytes:
    """The store after some SQL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        path.write_bytes(good)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.executescript(script)
            connection.commit()
        return path.read_bytes()


def _log() -> bytes:
    """The head of a write-ahead log whose frames are nonsense."""
    return struct.pack(">8I", 0x377F0683, 3007000, PAGE, 1, 2, 3, 4, 5) + bytes(range(256)) * 40
