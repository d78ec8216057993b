import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from synthetic_tables import NASTY, SCRIPT, write_tables
from typer.testing import CliRunner

from gan_eval.__main__ import run
from gan_eval.cli.app import application
from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.report import build, build_figures, build_markdown
from gan_eval.report.downloads import safe_name
from gan_eval.report.markdown import escape
from gan_eval.report.parts.palette import PAPER
from gan_eval.stats.analysis import analyze
from gan_eval.stats.answers.rates import RATES
from gan_eval.tables import CHECKS, SESSIONS, TRIALS
from gan_eval.tables.frames import frame_of, write_table


@pytest.fixture
def folder(tables) -> Path:
    return tables


@pytest.fixture
def text(tables_text) -> str:
    return tables_text


def bytes_of(folder: Path) -> dict[str, bytes]:
    """What a reader of the folder sees: not the record of how it came there."""
    paths = [path for path in folder.rglob("*") if path.is_file() and OWN_FOLDER not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slow
def test_same_input_same_bytes_in_every_format(study, tmp_path):
    """A study's folder and a copy of it, the second in a process of its own, with another hash seed and time of day."""
    small = tmp_path / "small"
    shutil.copytree(study, small, ignore=shutil.ignore_patterns("maps*", "models", "*metric*"))
    program = (
        "import sys; from pathlib import Path; from gan_eval.report import *; f, o = map(Path, sys.argv[1:]);"
        "build(f, o / 'report.html', title='T'); build_markdown(f, o / 'report.md', title='T');"
        "build_figures(f, o / 'figures')"
    )
    build(small, tmp_path / "one" / "report.html", title="T")
    build_markdown(small, tmp_path / "one" / "report.md", title="T")
    build_figures(small, tmp_path / "one" / "figures")
    moved = shutil.copytree(small, tmp_path / "moved")
    arguments = [sys.executable, "-c", program, str(moved), str(tmp_path / "two")]
    subprocess.run(arguments, check=True, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    one, two = bytes_of(tmp_path / "one"), bytes_of(tmp_path / "two")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.slow
def test_figures_are_svg_and_pdf_in_colours_of_their_own(folder, tmp_path):
    paths = build_figures(folder, tmp_path)
    assert {path.suffix for path in paths} == {".svg", ".pdf"}
    assert len(paths) == 2 * len({path.stem for path in paths}) >= 8
    for path in paths:
        data = path.read_bytes()
        if path.suffix == ".svg":
            ElementTree.fromstring(data)
            assert b"var(" not in data
            assert b"<text" not in data  # letters are outlines: no font is needed
            assert not [mark for mark in PAPER.colours if mark.encode() in data]
        else:
            assert data.startswith(b"%PDF")
            assert b"CreationDate" not in data
            assert b"/FontFile2" in data or b"/FontFile3" in data


@pytest.mark.slow
def test_curves_of_training_are_drawn_too(study, tmp_path):
    paths = build_figures(study, tmp_path / "f")
    assert {"losses.svg", "losses.pdf", "rates.svg", "agreement-0.pdf"} <= {path.name for path in paths}
    assert not [mark for mark in PAPER.colours if mark.encode() in (tmp_path / "f" / "losses.svg").read_bytes()]


def test_nothing_to_draw_is_said(tmp_path):
    (tmp_path / "t").mkdir()
    write_tables(tmp_path / "t")
    for path in (tmp_path / "t").glob("*.csv"):
        if path.name != "participation.csv":
            path.unlink()
    with pytest.raises(UserError, match="no figure"):
        build_figures(tmp_path / "t", tmp_path / "out")


def test_markdown_says_what_the_page_says(text):
    assert "cannot be told apart by more than 5\u202fpoints" in text
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert headings[:3] == ["The answer", "What to bear in mind", "Can they tell?"]
    assert headings[-2:] == ["All tables", "Versions and hashes"]


def test_markdown_figures_and_tables_lie_beside_it(folder, tmp_path):
    out = build_markdown(folder, tmp_path / "my report.md")
    text = out.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(<([^>]+)>\)", text)
    assert len(targets) > 15
    assert all((tmp_path / target).is_file() for target in targets)
    assert (tmp_path / "my report_files" / "tables" / "rates.csv").read_bytes() == (folder / "rates.csv").read_bytes()


def test_markdown_tables_keep_their_columns(text):
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if line.startswith("| ---"):
            columns = line.count("|")
            below = place + 1
            assert len(re.findall(r"(?<!\\)\|", lines[place - 1])) == columns
            while below < len(lines) and lines[below].startswith("|"):
                assert len(re.findall(r"(?<!\\)\|", lines[below])) == columns, lines[below]
                below += 1


def test_markdown_names_become_no_markup(text):
    plain = re.sub(r"\\.", "", text)
    assert "<script" not in plain
    assert "[link](" not in plain
    assert "\u202e" not in text
    assert NASTY[2] in text


@pytest.mark.parametrize(
    ("words", "escaped"),
    [("a|b", "a\\|b"), ("a\nb", "a b"), ("- a", "\\- a"), ("1) a", "\\1) a"), ("<b>", "\\<b\\>"), ("x_y", "x\\_y")],
)
def test_markdown_escapes(words, escaped):
    assert escape(words) == escaped


@pytest.mark.parametrize("name", [*NASTY, SCRIPT, "", ".", "..", "../../etc/passwd", "a/b.csv"])
def test_file_names_are_plain(name):
    plain = safe_name(f"published-{name}")
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,101}", plain)
    assert not plain.startswith(".")


@pytest.mark.slow
def test_the_command_writes_each_format(folder, tmp_path):
    arguments = [
        "report",
        str(folder),
        "--out",
        str(tmp_path / "r.md"),
        "--format",
        "md",
        "--figures",
        str(tmp_path / "f"),
    ]
    found = CliRunner().invoke(application(), arguments)
    assert found.exit_code == 0, found.output
    assert (tmp_path / "r.md").is_file()
    assert list((tmp_path / "f").glob("*.pdf"))
    found = CliRunner().invoke(application(), ["report", str(folder), "--out", str(tmp_path / "by_suffix.md")])
    assert found.exit_code == 0, found.output
    assert (tmp_path / "by_suffix.md").read_text(encoding="utf-8").startswith("# ")


def sat(folder: Path) -> Path:
    """A study's tables with trials, sessions and a self-test whose identifiers and instants nobody else is to see."""
    study = {"session": SESSION, "participant": "P-secret", "simulated": False}
    trials = [
        study | {"trial": 1 + n, "phase": "main", "stimulus": f"d/{kind}/{n}", "kind": kind, "response": "real",
                 "dataset": "d", "answered_at": "2031-07-08T09:10:11Z"}
        for n, kind in enumerate(["real", "fake"] * 4)
    ]  # fmt: skip
    session = study | {
        "status": "complete",
        "protocol": "quick_response",
        "started_at": "2031-07-08T09:00:00Z",
        "software": "x",
        "list": 1,
        "seed": 1,
    }
    check = {"session": SESSION, "check": "vsync", "value": 16.7, "unit": "ms", "verdict": "warning"}
    rates = analyze(frame_of(trials, TRIALS))["rates"]
    write_table(rates, folder / "rates.csv", RATES)
    for rows, table in ((trials, TRIALS), ([session], SESSIONS), ([check], CHECKS)):
        write_table(frame_of(rows, table), folder / f"{table.name}.csv", table)
    return folder


SESSION = "01983f5a-secret-session"


def carried(page: str) -> str:
    """A page with the files that it carries."""
    files = re.findall(r"data:(?:text/csv|application/gzip);base64,([A-Za-z0-9+/=]+)", page)
    return page + "".join(base64.b64decode(file).decode("utf-8", "replace") for file in files)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["html", "md"])
def test_tables_of_single_sessions_are_handed_on_only_when_asked_for(tmp_path: Path, form: str) -> None:
    """Neither who sat when and where, nor identifiers that tell it, leave in a report that may be mailed."""
    write = build if form == "html" else build_markdown
    folder, out = sat(tmp_path / "tables"), tmp_path / "report" / f"report.{form}"

    def everything() -> str:
        beside = (tmp_path / "report" / "report_files").rglob("*.csv")
        return carried(out.read_text(encoding="utf-8")) + "".join(path.read_text() for path in beside)

    write(folder, out, with_raw_tables=True)
    assert "2031-07-08T09:10:11Z" in everything()
    assert SESSION in everything()
    write(folder, out)
    assert "2031-07-08" not in everything()
    assert SESSION not in everything()
    assert "with-raw-tables" in everything()
    assert "P-secret" in everything()  # the rates of each participant are shown, and their table can be saved
    assert "scope,id" in everything()


def test_the_option_with_raw_tables(tmp_path: Path) -> None:
    folder = sat(tmp_path / "tables")
    assert run(["report", str(folder), "--out", str(tmp_path / "r.html"), "--with-raw-tables"]) == 0
    assert SESSION in carried((tmp_path / "r.html").read_text(encoding="utf-8"))
