"""The report and its figure as files: equal bytes for equal input, formats, names, and tables that stay private."""

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

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.report import build, build_figure
from gan_eval.report.downloads import safe_name
from gan_eval.report.parts.chart import ON_PAGE
from gan_eval.stats.analysis import analyze
from gan_eval.stats.answers.rates import RATES
from gan_eval.tables import CHECKS, SESSIONS, TRIALS
from gan_eval.tables.frames import frame_of, write_table


@pytest.mark.nightly
def test_same_input_same_bytes_in_another_process(study, tmp_path):
    """A study's folder and a copy of it, the second in a process of its own, with another hash seed and time of day."""
    small = tmp_path / "small"
    shutil.copytree(study, small, ignore=shutil.ignore_patterns("maps*", "models", "*metric*"))
    program = (
        "import sys; from pathlib import Path; from gan_eval.report import *; f, o = map(Path, sys.argv[1:]);"
        "build(f, o / 'report.html', title='T'); build_figure(f, o / 'f.svg'); build_figure(f, o / 'f.pdf')"
    )
    moved = shutil.copytree(small, tmp_path / "moved")
    for name, place, seed in (("one", small, "1"), ("two", moved, "7")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        subprocess.run([sys.executable, "-c", program, str(place), str(tmp_path / name)], check=True, env=environment)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 3


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_figure_is_a_whole_file_without_the_pages_colours(study, tmp_path, suffix):
    data, again = (build_figure(study, tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "two"))
    assert data == again
    if suffix == ".svg":
        ElementTree.fromstring(data)
        assert not any(variable.encode() in data for variable in ON_PAGE.values())
        assert b"<text" not in data  # letters are outlines: no font is needed
    elif suffix == ".pdf":
        assert data.startswith(b"%PDF")
        assert b"CreationDate" not in data
        assert b"/FontFile2" in data
    else:
        assert data.startswith(b"\x89PNG")


def test_nothing_to_draw_and_another_ending_are_errors(tables, tmp_path):
    write_tables(tmp_path / "t")
    for path in (tmp_path / "t").glob("*.csv"):
        if path.name != "participation.csv":
            path.unlink()
    with pytest.raises(UserError, match="no figure"):
        build_figure(tmp_path / "t", tmp_path / "out.pdf")
    with pytest.raises(UserError, match=r"out\.jpg: a figure ends in \.pdf, \.svg, \.png"):
        build_figure(tables, tmp_path / "out.jpg")


@pytest.mark.parametrize("name", [*NASTY, SCRIPT, "", ".", "..", "../../etc/passwd", "a/b.csv"])
def test_file_names_are_plain(name):
    plain = safe_name(f"published-{name}")
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,101}", plain)
    assert not plain.startswith(".")


def sat(folder: Path) -> Path:
    """Write a study's tables with trials, sessions and a self-test whose identifiers and instants are private."""
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


def carried(page: Path) -> str:
    """Return a page with the files that it carries."""
    text = page.read_text(encoding="utf-8")
    files = re.findall(r"data:text/csv;base64,([A-Za-z0-9+/=]+)", text)
    return text + "".join(base64.b64decode(file).decode("utf-8", "replace") for file in files)


def test_tables_of_single_sessions_are_in_the_page_only_when_asked_for(tmp_path: Path) -> None:
    """Neither who sat when and where, nor identifiers that give it, leave in a report that may be mailed."""
    folder, out = sat(tmp_path / "tables"), tmp_path / "report.html"
    build(folder, out)
    everything = carried(out)
    assert "2031-07-08" not in everything
    assert SESSION not in everything
    assert "with-raw-tables" in everything
    assert "P-secret" in everything  # the rates of each participant are shown, and their table can be saved
    assert "scope,id" in everything
    assert run(["report", str(folder), "--out", str(out), "--with-raw-tables"]) == 0
    assert "2031-07-08T09:10:11Z" in carried(out)
    assert SESSION in carried(out)


def test_the_command_writes_page_and_figure(study, tmp_path, capsys):
    out, figure = tmp_path / "r.html", tmp_path / "figure.pdf"
    assert run(["report", str(study), "--out", str(out), "--figure", str(figure)]) == 0
    assert capsys.readouterr().out.split() == [str(out), str(figure)]
    assert figure.read_bytes().startswith(b"%PDF")
