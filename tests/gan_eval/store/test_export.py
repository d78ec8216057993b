"""Exports: every row, its type and meaning, in each format."""

import csv
import json
import re
from pathlib import Path

import pytest

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import STORED_TABLES, open_store
from gan_eval.store.export import DICTIONARY, FORMATS, export_store
from gan_eval.tables import frames as tabular

SESSION = {"participant": "P01", "protocol": "quick_response", "status": "open", "simulated": False, "seed": 2**53 + 1}
INSTANT = "2026-01-31T12:00:00.123Z"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with one session in each of two studies; consent texts with commas, quotes and lines."""
    path = tmp_path / "store.sqlite"
    with open_store(path) as opened:
        for number, study in enumerate(("first_study", "second"), start=1):
            session = {"session": f"s{number}"}
            consent = {**session, "participant": "P01", "given": True, "text": 'One, "two"\nthree ü', "version": "1"}
            opened.begin({**SESSION, **session, "study": study, "started_at": INSTANT}, [], consent)
            trial = {**session, "study": study, "participant": "P01", "phase": "main", "stimulus": "d/m/1"}
            trial |= {"simulated": False, "kind": "fake", "response": "real", "correct": False, "exposure_ms": 99.75}
            opened.add(tables.TRIALS, [{**trial, "trial": n} for n in range(1, number + 2)])
    return path


def test_tables_come_back_from_csv_and_parquet_as_they_are_in_the_store(store: Path, tmp_path: Path) -> None:
    exported = export_store(store, tmp_path / "out", formats=["csv", "parquet"])
    assert (exported.sessions, exported.trials) == (2, 5)
    with open_store(store) as opened:
        for table in STORED_TABLES:
            rows = opened.rows(table)
            assert tabular.read_rows(tmp_path / "out" / f"{table.name}.csv", table) == rows
            frame = tabular.read_table(tmp_path / "out" / f"{table.name}.parquet", table)
            assert frame.equals(tabular.frame_of(rows, table))


def test_the_dictionary_reports_each_column_of_each_file(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["csv"])
    rows = tabular.read_rows(tmp_path / "out" / "data_dictionary.csv", DICTIONARY)
    for table in STORED_TABLES:
        with (tmp_path / "out" / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == [row["column"] for row in rows if row["table"] == table.name]
    (response,) = [row for row in rows if (row["table"], row["column"]) == ("trials", "response")]
    assert response["words"] == "real fake none"
    (exposure,) = [row for row in rows if (row["table"], row["column"]) == ("trials", "exposure_ms")]
    assert (exposure["dtype"], exposure["unit"], exposure["key"]) == ("float", "ms", False)


def test_a_psych_ds_dataset_follows_its_rules(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["psych-ds"], study="first_study")
    folder = tmp_path / "out" / "psych-ds"
    described = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert {"name", "description", "variableMeasured"} <= set(described)
    assert (described["@type"], described["@context"]) == ("Dataset", "https://schema.org")
    files = sorted((folder / "data").glob("*.csv"))
    assert [file.name for file in files] == [
        f"study-firstStudy_description-{name}_data.csv" for name in ("consents", "sessions", "trials")
    ]
    known = {variable["name"] for variable in described["variableMeasured"]}
    for file in files:
        assert re.fullmatch(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv", file.name)
        with file.open(encoding="utf-8", newline="") as opened:
            header = next(csv.reader(opened))
        own = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["variableMeasured"]
        assert header == [variable["name"] for variable in own]
        assert set(header) <= known
        assert all(variable["@type"] == "PropertyValue" for variable in own)


def test_the_script_for_r_names_every_column_with_its_type(store: Path, tmp_path: Path) -> None:
    export_store(store, tmp_path / "out", formats=["r"])
    script = (tmp_path / "out" / "read.R").read_text(encoding="utf-8")
    for table in STORED_TABLES:
        assert (tmp_path / "out" / f"{table.name}.csv").is_file()
        block = script[script.index(f'{table.name} <- read_one("{table.name}"') :]
        block = block[: block.index("\n))")]
        assert re.findall(r"^  (\w+) = ", block, flags=re.MULTILINE) == list(table.names)
    assert '  response = c("factor", "real", "fake", "none")' in script
    assert script.count("(") == script.count(")")
    assert script.count("{") == script.count("}")


def test_a_second_export_replaces_the_first(store: Path, tmp_path: Path) -> None:
    for study, trials in ((None, 5), ("second", 3)):
        export_store(store, tmp_path / "out", formats=FORMATS, study=study)
        rows = tabular.read_rows(tmp_path / "out" / "trials.csv", tables.TRIALS)
        assert {row["session"] for row in rows} == {"s2", *(() if study else ("s1",))}
        for file in ("README.md", "psych-ds/dataset_description.json", "read.R"):
            assert "absolute lag of display and keyboard" in (tmp_path / "out" / file).read_text(encoding="utf-8")
        text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
        assert f"| trials | {trials} | session, trial |" in text


@pytest.mark.parametrize(
    ("formats", "study", "message"),
    [
        (["xlsx"], None, r"--format xlsx: wanted one or several of csv,parquet,psych-ds,r"),
        ([], None, "--format"),
        (["csv"], "third", r"store\.sqlite: no session of the study third"),
    ],
)
def test_what_cannot_be_exported_is_reported_and_nothing_written(
    store: Path, tmp_path: Path, formats: list[str], study: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        export_store(store, tmp_path / "out", formats=formats, study=study)
    assert not (tmp_path / "out").exists()
