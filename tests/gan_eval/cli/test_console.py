"""Output of commands: tables on terminals of any width and in pipes, and progress."""

import io
import re
import sys
from collections.abc import Callable

import pytest

from gan_eval.cli.console import Console
from gan_eval.machine.progress import about_download

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
    monkeypatch.setattr("gan_eval.cli.console.time.monotonic", lambda: next(times))
    report = about_download("fetch weights", Console().progress)
    for done in (0, 50_000_000, 95_500_000, 95_600_000):
        report(done, 95_600_000)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "fetch weights (MB): 50/96, 2.50 MB/s, 0:00:18 left"
    assert last == "fetch weights (MB): 96/96, 4.36 MB/s"
