"""Files of Parquet, Feather, SPSS, Stata, SQLite and R: read with their labels, or refused with the way out."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import small_tables
from refusals import refused

from gan_eval.base.limits import members_up_to
from gan_eval.judgements.convert import import_trials
from gan_eval.store import open_store

TIMES = [512.5 + 37 * n for n in range(18)]

table = partial(small_tables.table, people=3, pictures=6, name="00{}", reaction_time_ms=TIMES)


def require_all(found: pd.DataFrame) -> None:
    expected = table()
    assert found[list(expected)].to_numpy().tolist() == expected.to_numpy().tolist()


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_parquet_and_feather_are_read(tmp_path: Path, ending: str) -> None:
    """Before: "not UTF-8 text; save it as CSV in UTF-8"."""
    file = tmp_path / f"t.{ending}"
    frame = table(order=[1.0, None] * 9, day=pd.Timestamp("2025-04-01 12:00"))
    getattr(frame, f"to_{ending}")(file)
    found = import_trials(file, mapping={}).trials
    require_all(found)
    assert found["day"].iloc[0] == "2025-04-01 12:00:00"
    with members_up_to(500):
        refused("--largest-member", import_trials, file, mapping={})
    file.write_bytes(file.read_bytes()[:-200])
    refused(f"t.{ending}: not a readable table", import_trials, file, mapping={})


def test_a_trials_table_of_an_import_is_read_again(tmp_path: Path) -> None:
    first = import_trials(csv(tmp_path), mapping={}).trials
    first.to_parquet(tmp_path / "trials.parquet")
    require_all(import_trials(tmp_path / "trials.parquet", mapping={}).trials)


def csv(tmp_path: Path) -> Path:
    table().to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def database(tmp_path: Path, **tables: pd.DataFrame) -> Path:
    with closing(sqlite3.connect(tmp_path / "t.sqlite")) as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False)
    return tmp_path / "t.sqlite"


def test_a_table_of_another_programs_database_is_read(tmp_path: Path) -> None:
    """Before: "a results store, which needs no import", and analyze: "not a results store"."""
    file = database(tmp_path, responses=table())
    require_all(import_trials(file, mapping={}).trials)
    database(tmp_path, people=table()[["participant"]])
    refused("has the tables responses, people; choose one with --sheet", import_trials, file, mapping={})
    refused("no such table; it has responses, people", import_trials, file, mapping={}, sheet="x")
    require_all(import_trials(file, mapping={}, sheet="responses").trials)


def test_all_tables_of_a_database_are_read_each_a_group(tmp_path: Path) -> None:
    people = {str(person): rows.drop(columns="participant") for person, rows in table().groupby("participant")}
    found = import_trials(database(tmp_path, **people), mapping={"participant": "@file"}, sheet="*")
    require_all(found.trials)


def test_a_results_store_is_still_refused(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite"):
        pass
    refused("a results store, which needs no import", import_trials, tmp_path / "store.sqlite", mapping={})


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_labels_of_spss_and_stata_take_the_place_of_codes(tmp_path: Path, ending: str) -> None:
    """Before: "not UTF-8 text"; the CSV of such a file has codes, and 9 for no answer."""
    pyreadstat = pytest.importorskip("pyreadstat")
    codes = {"real": 1.0, "fake": 2.0}
    frame = table().assign(kind=lambda each: each["kind"].map(codes), response=lambda each: each["response"].map(codes))
    labels = {name: {1: "real", 2: "fake"} for name in ("kind", "response")}
    file = tmp_path / f"t.{ending}"
    if ending == "sav":
        frame.loc[4, "response"] = 9.0
        labels["response"][9] = "no answer"
        pyreadstat.write_sav(frame, file, variable_value_labels=labels, missing_ranges={"response": [9]})
    else:
        pyreadstat.write_dta(frame, file, variable_value_labels=labels)
    found = import_trials(file, mapping={}).trials
    if ending == "sav":
        assert found.loc[4, "response"] == "none"
        found.loc[4, "response"] = table().loc[4, "response"]
    require_all(found)
    with members_up_to(500):
        refused("--largest-member", import_trials, file, mapping={})
    file.write_bytes(file.read_bytes()[:300])
    refused(f"t.{ending}: not a readable file of SPSS or Stata", import_trials, file, mapping={})


def test_the_extra_is_named_where_the_package_is_missing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyreadstat", None)
    (tmp_path / "t.sav").write_bytes(b"$FL2" + bytes(100))
    refused("need pyreadstat; .*import.*, or save it as CSV with labels", import_trials, tmp_path / "t.sav", mapping={})


@pytest.mark.parametrize(("name", "words"), [("t.rds", "readRDS"), ("t.RData", "load")])
def test_a_file_of_r_is_refused_with_what_to_write_there(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8b" + bytes(100))
    refused(f"{name}: a file of R; in R: write.csv.*{words}", import_trials, tmp_path / name, mapping={})


def test_a_database_with_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    file = database(tmp_path, responses=table())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE responses SET participant = CAST(x'8c' AS TEXT)")
        connection.commit()
    refused("t.sqlite: not a readable database .*; restore it, or export", import_trials, file, mapping={})
