"""Cells that a spreadsheet would run are text in every CSV file, and come back as they were."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.tables.cells import csv_cells, csv_records, csv_rows, invisible_in, parse
from gan_eval.tables.frames import read_rows, text_frame, write_rows

FORMULAS = [
    "=1+1", "+1", "@SUM(A1)", "-cmd|' /C calc'!A0", "-1+cmd|' /C calc'!A0", "-x", "--1", "\t=1", "\r=1", "\n=1", "=",
]  # fmt: skip
PLAIN = ["-", "-4", "-4.5", "-1e-05", "-inf", "'", "''", "it's", "'quoted'", "'-4", " =1", "a=1", "7", "x\n=1"]

characters = st.characters(exclude_categories=["Cs"])
any_text = st.text(characters) | st.tuples(
    st.text("'", max_size=3), st.sampled_from([*FORMULAS, *PLAIN]), st.text(characters, max_size=3)
).map("".join)


def is_name(text: str) -> bool:
    """True for texts that an identifier may be."""
    return bool(text) and invisible_in(text) is None


def as_others_read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("cell", PLAIN)
def test_what_no_spreadsheet_runs_is_written_as_it_is(cell):
    assert next(csv.reader(csv_cells([cell]))) == [cell]


@settings(max_examples=50)
@given(st.lists(st.tuples(any_text, any_text), max_size=4), any_text)
def test_any_text_at_all_comes_back(tmp_path_factory, records, name):
    path = tmp_path_factory.mktemp("cells") / "t.csv"
    header = [name, f"{name}2"]
    path.write_bytes(csv_rows(map(csv_cells, [header, *records])))
    found = csv_records(path)
    assert found == (header, [list(record) for record in records])


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_or_column_of_a_table_is_one_that_a_spreadsheet_runs(tmp_path, cell):
    name = cell if is_name(cell) else f"={cell.strip()}"
    row = {"stimulus": name, "metric": "psnr", "value": -1.0, "reason": cell, cell: cell}
    write_rows([row], tmp_path / "t.csv", tables.IMAGE_METRICS)
    header, cells = as_others_read(tmp_path / "t.csv")
    assert header[-1] == f"'{cell}"
    assert next(csv.reader(csv_cells([f"''{cell}"]))) == [f"'''{cell}"]
    assert [each for each in cells if each[:1] in "=+@\t\r\n" and each] == []
    assert cells[header.index("stimulus")] == f"'{name}"
    assert cells[header.index("reason")] == f"'{cell}"
    assert cells[header.index("value")] == "-1.0"


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_are_read_where_the_header_has_no_comma(tmp_path, mark):
    path = tmp_path / "t.csv"
    for quote in ("", '"'):
        lines = [["name", "one\n,two" if quote else "two", "ms"], ["a, b", "-0,5", "3"], ["c.png", ",5e-3", ""]]
        path.write_text("\n".join(mark.join(f"{quote}{cell}{quote}" for cell in line) for line in lines))
        found = csv_records(path)
        assert found == (lines[0], [["a, b", "-0.5", "3"], ["c.png", ".5e-3", ""]])
    path.write_text(f'a,b\n"x{mark}y","0,5"\n')
    assert csv_records(path) == (["a", "b"], [[f"x{mark}y", "0,5"]])


def test_a_comma_that_may_be_one_of_thousands_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("stimulus;metric;value\na;psnr;1,234\nb;psnr;1.5\n")
    with pytest.raises(UserError, match=r"t\.csv: column value: '1,234'.*row 1"):
        read_rows(path, tables.IMAGE_METRICS)
    with pytest.raises(UserError, match="found '1,5', expected a number with a decimal point"):
        parse("1,5", tables.IMAGE_METRICS.by_name["value"], "")


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,\n\n,é\n",
        "\ufeffa,b\r\n1,2\r\n",
        "a,b\r1,2\r",
        'a,b\n"1,0",2\n',
        'a,b\n"x,""y"" and\nz",""\nit\'s,"""q"""\n"","1"',
        'a,b\r\n"1\r\n2","3"\r\n"",\r\n',
        'a,b\nx"y,"z"\n1,2"\n',
        "a,b\n\"'=1\",'x\n",
        '"a",b\n1,2\n',
        '"a, b","c ""d"""\r\n"1",2\r\n',
        '\ufeff"a","b"\n"1","2"\n',
        '"a\nb",c\n1,2\n',
        '"a,b"\n1\n',
        "a,b\n'=1,it's\n",
        "a,b\n" + "x" * 2_000_000 + ",nan\n",
        "a,b\n",
        "a\n1\n",
    ],
)
def test_a_frame_has_the_cells_of_the_records_whether_the_file_is_plain_or_not(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, newline="", encoding="utf-8")
    header, records = csv_records(path)
    frame = text_frame(path, tables.TRIALS)
    assert [*frame] == header
    assert frame.astype(object).where(frame.notna(), "").to_numpy().tolist() == records
    assert all(isinstance(dtype, pd.StringDtype) for dtype in frame.dtypes)
    assert (frame != "").to_numpy().all()
