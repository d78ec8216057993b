"""Files that are no table, or damaged, and options without effect: one line that says so."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from commands import Command
from refusals import refused

from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.readers import read_trials

HEAD = "participant,stimulus,kind,response,rt\n"
ROWS = HEAD + "A,a,real,real,500\nA,b,fake,fake,600\nB,a,real,fake,700\n"
OBJECTS = [
    {"participant": "A", "stimulus": name, "kind": kind, "response": kind, "note": "x"}
    for name, kind in (("a", "real"), ("b", "fake"))
]


def table(folder: Path, text: str = ROWS) -> Path:
    (folder / "t.csv").write_text(text)
    return folder / "t.csv"


@pytest.mark.parametrize("factor", ["*1e400", "/1e400", "*0", "*-1e999"])
def test_a_factor_that_is_no_finite_number_is_refused(tmp_path, factor):
    mapping = {"reaction_time_ms": f"rt{factor}"}
    refused("is not a number to multiply or divide by", import_trials, table(tmp_path), mapping=mapping)


def test_a_product_that_is_no_finite_number_is_a_rejected_row(tmp_path):
    text = HEAD + "A,a,real,real,inf\nA,b,fake,fake,600\nB,a,real,fake,700\n"
    imported = import_trials(table(tmp_path, text), mapping={"reaction_time_ms": "rt*1"})
    assert (len(imported.trials), "expected a finite number" in imported.rejected["reason"][0]) == (2, True)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("inf", "a finite number"),
        ("-Infinity", "a finite number"),
        ("1e300", r"a number of at most 1e\+15 ms"),
        ("6_00", "a number"),
    ],
)
def test_a_time_that_no_trial_takes_is_a_rejected_row(tmp_path, cell, reason):
    text = HEAD + f"A,a,real,real,{cell}\nA,b,fake,fake,600\nB,a,real,fake,700\n"
    imported = import_trials(table(tmp_path, text), mapping={"reaction_time_ms": "rt"})
    assert len(imported.trials) == 2
    assert re.search(f"found .*expected {reason}", imported.rejected["reason"][0])


@pytest.mark.parametrize("name", ["t.parquet", "t.zip", "t.xlsx", "t.xpd", "t.csv"])
@pytest.mark.parametrize("damage", [bytes(400), b"\0\0\0\0" + b"rest" * 50, b"\x01\x02\0\x03" * 50])
def test_a_damaged_file_is_called_damaged(tmp_path, name, damage):
    (tmp_path / name).write_bytes(damage)
    refused(rf"{name}: not a table of text \(damaged", import_trials, tmp_path / name, mapping={})


@pytest.mark.parametrize(
    "head", ['<?xml version="1.0"?>\n', '\ufeff\n<?xml version="1.0"?>', "<!DOCTYPE html>", "<HTML>"]
)
def test_a_page_or_xml_is_called_so_with_the_way_out(tmp_path, head):
    """Among them are CVAT's `annotations.xml`, and tables that a website calls `.xls`."""
    text = head + '<annotations><image id="0" name="real/1.png"><tag label="real"></tag></image></annotations>'
    for name in ("annotations.xml", "t.xls", "t.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        refused(rf"{name}: XML or HTML, not a table; .*CSV.*Datumaro", import_trials, tmp_path / name, mapping={})


@pytest.mark.parametrize("name", ["t.zip", "t.xlsx"])
def test_an_archive_without_its_beginning_is_called_damaged(tmp_path, name):
    (tmp_path / name).write_bytes(b"name" * 20)
    refused("not a table of text", import_trials, tmp_path / name, mapping={})


def test_half_a_surrogate_pair_in_json_becomes_the_replacement_character(tmp_path):
    rows = [{**row, "note": text} for row, text in zip(OBJECTS, ("cut \ud83d", "\udca5 whole \U0001f4a5"), strict=True)]
    (tmp_path / "t.json").write_text(json.dumps([*rows, {**OBJECTS[0], "stimulus": "c", "note": "\\ud83d"}]))
    notes = import_trials(tmp_path / "t.json", mapping={}).trials["note"].tolist()
    assert notes == ["cut \ufffd", "\ufffd whole \U0001f4a5", "\\ud83d"]


def test_an_option_for_sheets_is_refused_for_files_without_sheets(tmp_path):
    for sheet in ("x", "*"):
        refused("--sheet .* has no sheets; remove the option", import_trials, table(tmp_path), mapping={}, sheet=sheet)
    pd.DataFrame(OBJECTS).to_excel(tmp_path / "t.xlsx", index=False)
    assert len(import_trials(tmp_path / "t.xlsx", mapping={}, sheet="*").trials) == 2


def test_a_file_to_analyze_that_is_no_csv_is_named_so_with_the_command_that_reads_it(tmp_path, command: Command):
    (tmp_path / "t.json").write_text(json.dumps(OBJECTS))
    (tmp_path / "lines.json").write_text(json.dumps(OBJECTS[0]) + "\n" + json.dumps(OBJECTS[1]))
    pd.DataFrame(OBJECTS).to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.json", "lines.json", "t.xlsx"):
        refused(f"{name}: not CSV, but JSON, Excel or bytes; .* trials import", read_trials, tmp_path / name)
        status, _, errors = command("analyze", str(tmp_path / name), "--out", str(tmp_path / "out"))
        assert (status, "columns are" in errors) == (2, False)


def test_the_parquet_of_another_program_is_refused_with_the_command_that_reads_it(tmp_path):
    """Before, the message named our columns alone, though the file has all that an import needs."""
    pd.DataFrame(OBJECTS).to_parquet(tmp_path / "t.parquet")
    refused(
        "is missing; .*; another program's: gan-eval trials import .*t.parquet", read_trials, tmp_path / "t.parquet"
    )
