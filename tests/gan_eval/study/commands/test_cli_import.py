"""`trials import` reports everything that a foreign table lacks, and counts what it leaves out."""

import csv
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.__main__ import run
from gan_eval.base.commands import program
from gan_eval.study.commands.trials import ROWS_LEFT_OUT
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import read_table

README = Path(__file__).parents[4] / "README.md"
Import = Callable[..., tuple[int, list[str]]]


def write(path: Path, header: str, row: Callable[[int, int], str]) -> Path:
    """A table of four people who judge six pictures each; in every second row the answer is the truth."""
    lines = [row(person, picture) for person in range(4) for picture in range(6)]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Import:
    """Give `trials import` in a folder of its own; the exit status and the lines of stderr."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, list[str]]:
        status = run(["trials", "import", *arguments])
        return status, capsys.readouterr().err.splitlines()

    return command


def test_everything_is_said_in_one_message(tmp_path, importing):
    def row(person: int, picture: int) -> str:
        kinds = ("GAN" if picture % 2 else "real", "GAN" if (person + picture) % 2 else "real")
        return f"w{person},im{picture}.png,{','.join(kinds)},0.{person}{picture}"

    write(tmp_path / "amt.csv", "WorkerId,Image,label,answer,rt_s", row)
    wrong = ("--map", "particpant=WorkerId", "--map", "kind=lable", "--map", "response=answer")
    status, (line,) = importing("amt.csv", *wrong, "--out", "t.csv")
    assert status == 2
    for words in (
        "did you mean participant?",
        "did you mean label?",
        "columns participant, stimulus, kind are missing",
        "; the file's columns are WorkerId, Image, label, answer, rt_s; not known in answer (response): GAN 12; "
        "add --map participant=COLUMN --map stimulus=COLUMN --map kind=COLUMN --word response:GAN=MEANING",
    ):
        assert words in line
    assert not (tmp_path / "t.csv").exists()
    assert "amt.csv --map participant=COLUMN" in importing("amt.csv")[1][0].replace(program(), "gan-eval")
    for expression, problem in (("foo", "model=foo, right of ="), ("", "model= ignores a column of the file")):
        _, (line,) = importing("amt.csv", "--map", f"model={expression}", "--out", "t.csv")
        assert line.startswith(f"gan-eval: amt.csv: --map {problem}: no column '{expression or 'model'}'; columns part")
        assert line.count("WorkerId") == 1, "the columns once"


def test_rows_left_out_are_counted_in_the_last_line_and_the_status(tmp_path, importing):
    def row(person: int, picture: int) -> str:
        said = {3: "dunno", 4: "GAN", 5: "fake"}.get(picture, "real")
        return f"{person or ''},{picture},{'fake' if picture % 2 else 'real'},{said}"

    write(tmp_path / "t.csv", "participant,stimulus,kind,response", row)
    status, lines = importing("t.csv")
    assert (status, lines[-1]) == (2, "gan-eval: t.csv: its columns fit; give --out trials.csv, the table to write")
    status, (first, _, *lines) = importing("t.csv", "--out", "trials.csv")
    assert status == ROWS_LEFT_OUT == 3
    assert first == "read as: 3 participants, 4 pictures (2 real, 2 generated), 12 answers"
    assert lines[0].startswith("t.csv: row 1 and 5 more: column participant: empty;")
    assert len(lines) == 4, "each problem once"
    said = ("12 trials; 12 of 24 ", " 6 participant, ", " 8 response (", "dunno 4", " trials.rejected.csv")
    assert all(part in lines[-1] for part in said)
    assert len(read_table(tmp_path / "trials.csv", TRIALS)) == 12
    chosen = importing("t.csv", "--where", "participant=1", "--where", "stimulus<3", "--out", "trials.csv")
    assert chosen[1][-1].endswith(" analyze trials.csv --out analysis")
    (tmp_path / "t.csv").write_text("participant,stimulus,kind,response\nP1,s1\nP1,s2,real,real\n")
    _, _, first, last = importing("t.csv", "--out", "trials.csv")[1]
    assert first.startswith("t.csv: row 1: ")
    assert last.startswith("1 trial; 1 of 2 ")


def test_answers_of_a_wide_table_that_are_left_out_are_each_counted(tmp_path, importing):
    (tmp_path / "p.csv").write_text("name,stimulus,kind\nQ1,a.png,real\nQ2,b.png,fake\nQ3,c.png,real\nQ4,d.png,fake\n")
    (tmp_path / "form.csv").write_text("participant,Q1,Q2,Q3,Q4\nA,real,fake,maybe,maybe\nB,real,real,maybe,fake\n")
    words = ("--word", "response:real=real", "--word", "response:fake=fake")
    status, lines = importing("form.csv", "--pictures", "p.csv", *words, "--out", "t.csv")
    assert status == ROWS_LEFT_OUT
    assert lines[-1].startswith("5 trials; 3 of 8 rows left out: 3 response (maybe 3)")
    assert "answer: @answer (real = real" in lines[1]


@pytest.mark.parametrize(("name", "out"), [("t.csv", "t.csv"), ("t.rejected.csv", "t.csv")])
def test_an_import_does_not_overwrite_its_own_file(tmp_path, importing, name, out):
    write(
        tmp_path / name, "participant,stimulus,kind,response", lambda person, picture: f"{person},{picture},real,real"
    )
    before = (tmp_path / name).read_bytes()
    status, (line,) = importing(name, "--out", out)
    assert (status, line.startswith(f"gan-eval: --out {out}: {name} is one of ")) == (2, True)
    assert (tmp_path / name).read_bytes() == before


def test_what_an_earlier_import_wrote_next_to_the_files_is_not_imported_with_them(tmp_path, importing):
    for person, kind in (("P1", "fake"), ("P2", "unclear")):
        rows = f"{person},a,real,real\n{person},b,{kind},fake\n"
        (tmp_path / f"{person}.csv").write_text("participant,stimulus,kind,response\n" + rows)
    assert importing("P1.csv", "P2.csv", "--out", "first.csv")[0] == 3
    for output in ("first.csv", "first.rejected.csv"):
        status, (line,) = importing("P1.csv", output, "P2.csv", "--out", "second.csv")
        assert (status, line.startswith(f"gan-eval: {output}: ")) == (2, True)
        assert "P1.csv" in line
    assert importing("first.csv", "--out", "second.csv")[0] == 0, "alone it is a table of trials"


def test_the_line_in_the_readme_works_as_it_stands(tmp_path, monkeypatch, capsys):
    text = README.read_text(encoding="utf-8")
    named = re.search(r"has the columns ([^.]*):", text)
    assert named
    columns = re.findall(r"`(\w+)`", named[1])
    assert len(columns) == 5
    lines = [line for line in text.splitlines() if re.match(r"\./run (trials import|analyze trials)", line)]
    assert len(lines) == 2
    monkeypatch.chdir(tmp_path)
    values = {"truth": ["real", "fake"], "response": ["fake", "real", "real"], "rt_s": ["0.8", "1.25"]}
    with (tmp_path / "theirs.csv").open("w", newline="") as file:
        rows = (
            [values.get(name, ["a", "b", "c", "d"])[n % len(values.get(name, "abcd"))] for name in columns]
            for n in range(24)
        )
        csv.writer(file).writerows([columns, *rows])
    for line in lines:
        assert run(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert (tmp_path / "analysis" / "rates.csv").is_file()
