"""Tables of text without a header, with blanks between their cells, or in the encoding of Windows."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import small_tables
from commands import Command
from refusals import refused

from gan_eval.judgements.convert import Imported, import_trials

table = partial(small_tables.table, 3, 6, reaction_time_ms=[512.5 + 37 * n for n in range(18)])
COLUMNS = list(table())


def imported(tmp_path: Path, text: str | bytes, **options: Any) -> Imported:
    (tmp_path / "t.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_trials(tmp_path / "t.txt", **{"mapping": {}, **options})


def require_all(found: Imported) -> None:
    assert found.trials[COLUMNS].to_numpy().tolist() == table().to_numpy().tolist()


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_columns_of_a_file_without_a_header_are_named(tmp_path: Path, separator: str) -> None:
    """Before: "the file's columns are main fake fake_06.png 2 776 2 1"."""
    text = table().to_csv(index=False, header=False, sep=separator)
    require_all(imported(tmp_path, text, columns=COLUMNS))
    found = imported(tmp_path, text, columns=["who", *COLUMNS[1:]], mapping={"participant": "who"})
    require_all(found)
    refused("5 cells, the header has 4", imported, tmp_path, text, columns=COLUMNS[:4])


def test_last_columns_without_cells_are_left_out(tmp_path: Path) -> None:
    """Before: each row was rejected. Mechanical Turk's results have Approve and Reject in the header alone."""
    header, *rows = table().to_csv(index=False).splitlines()
    found = imported(tmp_path, "\n".join([f"{header},Approve,Reject", *rows]))
    require_all(found)
    assert found.doubts[0].endswith("t.txt: no row has a cell for the last columns, Approve, Reject")
    assert len(imported(tmp_path, "\n".join([f"{header},Approve", *rows[:2], f"{rows[2]},x"])).rejected) == 2


def test_one_of_several_tables_below_their_titles_is_read(tmp_path: Path) -> None:
    """Before: the first table's columns were those of all. QuickEval's results are such a text."""
    lines = [f"{line}," for line in table().to_csv(index=False).splitlines()]
    text = "\n".join(["Observers,,,,,", "user ID,vision,,,,", "1,good,,,,", ",,,,,", "Stimuli Results,,,,,", *lines])
    require_all(imported(tmp_path, text, sheet="Stimuli Results"))
    refused("has the tables Observers, Stimuli Results; choose one with --sheet NAME", imported, tmp_path, text)
    refused("--sheet Results: no such table", imported, tmp_path, text, sheet="Results")


def test_columns_of_a_sheet_without_a_header_are_named(tmp_path: Path) -> None:
    table().to_excel(tmp_path / "t.xlsx", index=False, header=False)
    require_all(import_trials(tmp_path / "t.xlsx", mapping={}, columns=COLUMNS))


def test_cells_between_blanks_are_read(tmp_path: Path) -> None:
    """Before: "the file's columns are participant trial stimulus …", one column. R's row names have no header."""
    require_all(imported(tmp_path, table().to_csv(index=False, sep=" ")))
    require_all(imported(tmp_path, table().to_string(index=False)))
    rows = [" ".join([f'"{n}"', *(f'"{cell}"' for cell in row[:4]), str(row[4])]) for n, *row in table().itertuples()]
    of_r = "\n".join([" ".join(f'"{name}"' for name in COLUMNS), *rows])
    require_all(imported(tmp_path, of_r))


def test_a_table_of_one_column_with_sentences_is_none_of_blanks(tmp_path: Path) -> None:
    refused("columns are Is it real", imported, tmp_path, "Is it real\nyes it is\nno\nI do not know\n")


def test_text_of_windows_is_read_and_said(tmp_path: Path) -> None:
    """Before: "not UTF-8 text; save it as CSV in UTF-8"."""
    frame = table().assign(participant=lambda each: each["participant"].replace("P0", "Zoë"), note="5 €")
    found = imported(tmp_path, frame.to_csv(index=False).encode("cp1252"))
    assert found.trials["participant"].iloc[0] == "Zoë"
    assert found.trials["note"].iloc[0] == "5 €"
    (line,) = [line for line in found.doubts if "cp1252" in line]
    assert line.endswith("t.txt: not UTF-8: read as cp1252 of Windows; if letters are wrong, save it as CSV in UTF-8")
    for other in (b"a,b\n\xff\x81,1\n", b"a,b\n\xff\x02,1\n"):
        refused("not UTF-8 text; save it as CSV in UTF-8", imported, tmp_path, other)


def test_the_command_takes_names_of_columns(tmp_path: Path, command: Command) -> None:
    (tmp_path / "t.csv").write_text(table().to_csv(index=False, header=False))
    arguments = ["trials", "import", str(tmp_path / "t.csv"), "--out", str(tmp_path / "trials.csv"), "--columns"]
    status, _, errors = command(*arguments, "a,a")
    assert (status, "--columns a,a: expected names that differ" in errors) == (2, True)
    assert command(*arguments, ",".join(COLUMNS))[0] == 0


@pytest.mark.parametrize("blank", [" ", '"  "', "\u00a0"])
def test_a_cell_of_blanks_is_empty(tmp_path: Path, blank: str) -> None:
    """Before: with `correct` it was a wrong answer, else a word, a model, or a participant of that name."""
    text = f"participant,stimulus,kind,model,response,correct,reaction_time_ms\nA,1.png,fake,m,{blank},0,{blank}\n"
    text += f"A,2.png,real,{blank},real,1,500\nB,1.png,fake,m,fake,1,400\n{blank},2.png,real,,real,1,400\n"
    found = imported(tmp_path, text)
    assert found.trials["response"].tolist() == ["none", "real", "fake"]
    assert found.trials["model"].dropna().tolist() == ["m", "m"]
    assert found.rejected[["row", "column", "reason"]].to_numpy().tolist()[0][:2] == [4, "participant"]
