"""Worksheets: .xlsx, .ods and .xls are read as text, with numbers, dates and durations as people see them."""

import shutil
import subprocess
import zipfile
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import small_tables
from refusals import refused

from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.reading import read_foreign

table = partial(small_tables.table, people=3, pictures=6, name="00{}")


def excel(tmp_path: Path, frame: pd.DataFrame, name: str = "t.xlsx") -> Path:
    frame.to_excel(tmp_path / name, index=False)
    return tmp_path / name


def ods(tmp_path: Path, frame: pd.DataFrame) -> Path:
    """Write an .ods file as a spreadsheet does, with the empty rows below the table in one element."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )

    def cell(value: object) -> str:
        shown = str(value).replace(".", ",") if isinstance(value, float) else value
        kind = f'"float" office:value="{value}"' if isinstance(value, float) else '"string"'
        return f"<table:table-cell office:value-type={kind}><text:p>{shown}</text:p></table:table-cell>"

    rows = [list(frame), *frame.to_numpy().tolist()]
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    body += f'<table:table-row table:number-rows-repeated="1048000">{empty}</table:table-row>'
    sheet = f'<table:table table:name="S">{body}</table:table>'
    content = f"<office:document-content {spaces}><office:body><office:spreadsheet>{sheet}</office:spreadsheet>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    entry = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>'
    manifest = f'<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{entry}</m:manifest>'
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content + "</office:body></office:document-content>")
        archive.writestr("META-INF/manifest.xml", manifest)
    return tmp_path / "t.ods"


TIMES = [512.5 + 37 * n for n in range(18)]


def test_a_table_of_libreoffice_is_read(tmp_path) -> None:
    """Before: "no table in it; expected one of .csv, …"."""
    found = import_trials(ods(tmp_path, table(reaction_time_ms=TIMES)), mapping={})
    assert found.trials["reaction_time_ms"].tolist() == TIMES
    assert found.trials["participant"].unique().tolist() == ["000", "001", "002"]
    refused("no such sheet; it has S", import_trials, tmp_path / "t.ods", mapping={}, sheet="T")


def test_a_table_of_old_excel_is_read(tmp_path) -> None:
    """Before: "not UTF-8 text"."""
    office = shutil.which("soffice")
    if not office:
        pytest.skip("nothing here writes .xls files: LibreOffice is not installed")
    source = excel(tmp_path, table(reaction_time_ms=TIMES))
    subprocess.run([office, "--headless", "--convert-to", "xls", "--outdir", tmp_path, source], check=True)
    assert import_trials(tmp_path / "t.xls", mapping={}).trials["reaction_time_ms"].tolist() == TIMES


def test_a_damaged_or_protected_file_of_old_excel_is_refused(tmp_path) -> None:
    (tmp_path / "t.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016))
    refused("t.xls: not a readable worksheet", import_trials, tmp_path / "t.xls", mapping={})


def test_cells_become_the_text_that_they_were(tmp_path) -> None:
    cells = {
        "number": 775.7,
        "whole": 3,
        "long": 10**15 + 7,
        "truth": True,
        "day": date(2025, 4, 1),
        "moment": datetime(2025, 4, 1, 12, 3, 4),
        "code": "007",
        "none": None,
    }
    frame = read_foreign([excel(tmp_path, pd.DataFrame([cells, cells]))]).cells
    expected = ["775.7", "3", str(10**15 + 7), "true", "2025-04-01 00:00:00", "2025-04-01 12:03:04", "007"]
    assert frame.iloc[0].tolist()[:-1] == expected
    assert frame["none"].isna().all()


def test_texts_with_a_decimal_comma_and_durations_are_numbers(tmp_path) -> None:
    """Before: "expected a number with a decimal point", and "expected a number"; the CSV with `;` was read."""
    commas = table(reaction_time_ms=[f"{time:.1f}".replace(".", ",") for time in TIMES], note="1,5 or so")
    found = import_trials(excel(tmp_path, commas), mapping={}).trials
    assert found["reaction_time_ms"].tolist() == TIMES
    assert set(found["note"]) == {"1,5 or so"}
    with pd.ExcelWriter(tmp_path / "d.xlsx") as book:
        table(rt=0).to_excel(book, index=False)
        for row, time in enumerate(TIMES, start=2):
            book.sheets["Sheet1"][f"E{row}"] = timedelta(milliseconds=time)
    found = import_trials(tmp_path / "d.xlsx", mapping={"reaction_time_ms": "rt*1000"}).trials
    assert found["reaction_time_ms"].tolist() == pytest.approx(TIMES, abs=1)


def test_a_number_that_may_have_a_thousands_separator_is_not_taken_for_another(tmp_path) -> None:
    times = [982, "1,240", *(800 + n for n in range(16))]
    refused("reaction_time_ms", import_trials, excel(tmp_path, table(reaction_time_ms=times)), mapping={})


def test_a_cell_far_from_the_others_does_not_fill_the_memory(tmp_path) -> None:
    """The reader would take half a terabyte for the empty cells between, and end the program."""
    frame = table()
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        frame.to_excel(book, index=False)
        book.sheets["Sheet1"]["XFD1048576"] = "x"
    refused(
        "the cells of xl/worksheets/sheet1.xml: has .*--largest-member", import_trials, tmp_path / "t.xlsx", mapping={}
    )


def test_a_first_row_with_few_cells_is_no_title(tmp_path: Path) -> None:
    """Before: the header was taken for a title, and the first full row for the header."""
    rows = [
        {"participant": "A", "stimulus": f"{n}.png", "kind": kind, "response": "real"} for n, kind in enumerate("rfr")
    ]
    rows[0] |= {"kind": None, "response": None}
    frame = pd.DataFrame(rows).replace({"r": "real", "f": "fake"})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    found = import_trials(tmp_path / "t.xlsx", mapping={})
    assert len(found.trials) == 2
    assert found.rejected["row"].tolist() == [1]
