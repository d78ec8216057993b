"""Output of commands: tables on terminals of any width and in pipes, and progress."""

import io
import re
import sys
from collections.abc import Callable

import pytest

from gan_eval.base.progress import about_download
from gan_eval.study.commands.console import Console

HEADS = ("Model", "Data set", "Verdict", "Nothing", "Fooling rate, %")
ROWS = [
    ["a generator with a name of forty letters", "facades", "told apart", "", "43.0 [35.1, 51.2]"],
    ["b", "maps", "", "", "–"],
]


class Screen(io.StringIO):
    """A terminal's stderr."""

    def isatty(self) -> bool:
        return True

    @property
    def lines(self) -> list[str]:
        """Return the printed text without codes for colours and the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue()).splitlines()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[Console, Screen]]:
    def make(columns: int) -> tuple[Console, Screen]:
        stderr = Screen()
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        return Console(), stderr

    return make


def test_a_table_in_a_pipe_is_plain_lines_of_any_length(capsys):
    Console().table(HEADS, ROWS, caption="A caption:")
    caption, heads, first, second = capsys.readouterr().err.splitlines()
    assert caption == "A caption:"
    assert heads.split("  ")[0] == "Model"
    assert "Nothing" not in heads, "a column that nobody fills is left out"
    assert first == f"{ROWS[0][0]}  facades   told apart  43.0 [35.1, 51.2]"
    assert second.split() == ["b", "maps", "–"]
    assert len(second) == len(first), "numbers stand to the right"


@pytest.mark.parametrize("columns", [80, 60, 30])
def test_on_a_narrow_terminal_every_letter_is_there_and_no_line_too_long(screen, columns):
    console, stderr = screen(columns)
    console.table(HEADS, ROWS)
    lines = stderr.lines
    assert max(map(len, lines)) <= columns
    letters = sorted("".join(cell for row in (HEADS, *ROWS) for cell in row if cell != "Nothing").replace(" ", ""))
    assert sorted("".join(lines).replace(" ", "")) == letters


def test_a_sentence_is_broken_at_spaces_on_a_terminal_alone(screen, capsys):
    text = "wherever guessing gives 50% " * 5 + "/a/path-that-is/longer-than-the/whole-terminal/is-wide/x.csv"
    Console().message(text, wrap=True)
    assert capsys.readouterr().err == f"{text}\n"
    console, stderr = screen(40)
    console.message(text, wrap=True)
    assert " ".join(stderr.lines).strip() == text
    assert "/a/path-that-is/longer-than-the/whole-terminal/is-wide/x.csv" in stderr.lines


def test_a_download_is_reported_in_megabytes(capsys, monkeypatch):
    times = iter((0.0, 20.0, 21.0, 22.0))
    monkeypatch.setattr("gan_eval.study.commands.console.time.monotonic", lambda: next(times))
    report = about_download("fetch weights", Console().progress)
    for done in (0, 50_000_000, 95_500_000, 95_600_000):
        report(done, 95_600_000)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "fetch weights (MB): 50/96, 2.50 MB/s, 0:00:18 left"
    assert last == "fetch weights (MB): 96/96, 4.36 MB/s"


def test_progress_of_an_unknown_number_says_no_question_mark(screen, capsys, monkeypatch):
    times = iter((0.0, 11.0, 22.0, 30.0, 34.0))
    monkeypatch.setattr("gan_eval.study.commands.console.time.monotonic", lambda: next(times))
    console = Console()
    for done, total in ((0, 0), (0, 0), (3, 0), (0, 8), (4, 8)):
        console.progress(done, total, "report")
    after_the_start = "report: 4/8, 1.00/s, 0:00:04 left"  # the rate is that of the parts, without the preparation
    assert capsys.readouterr().err.splitlines() == ["report: working", "report: 3, 0.14/s", after_the_start]
    monkeypatch.undo()
    console, stderr = screen(60)
    with console:
        console.progress(0, 0, "report")
    assert any("report" in line for line in stderr.lines)
    assert not any("?" in line for line in stderr.lines)


def test_what_is_done_has_its_full_name_and_goes_when_the_next_begins(screen):
    console, stderr = screen(100)
    with console:
        console.progress(82, 82, "fetch weights (MB)")
        console.progress(218, 500, "train l1_short (model 3 of 3)", "g_adversarial 0.699  g_l1 0.112  " * 4)
    shown = stderr.lines[-2:]
    assert any("train l1_short (model 3 of 3)" in line and "218/500" in line for line in shown), shown
    assert not any("fetch" in line for line in shown), shown
    assert max(map(len, stderr.lines)) <= 100
