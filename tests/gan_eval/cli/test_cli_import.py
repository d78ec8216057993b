"""`trials import` reports everything that a foreign table lacks, and prints a command that works unchanged."""

import csv
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.__main__ import run
from gan_eval.cli.analysis import ROWS_LEFT_OUT
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import read_table

README = Path(__file__).parents[3] / "README.md"
Import = Callable[..., tuple[int, list[str]]]


def write(path: Path, header: str, row: Callable[[int, int], str]) -> Path:
    """A table of four people who judge six pictures each; in every second row the answer is the truth."""
    lines = [row(person, picture) for person in range(4) for picture in range(6)]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


FOREIGN: dict[str, tuple[str, Callable[[int, int], str]]] = {
    "amt.csv": (
        "WorkerId,Image,label,answer,rt_s",
        lambda w, i: f"w{w},im{i}.png,{'GAN' if i % 2 else 'real'},{'GAN' if (w + i) % 2 else 'real'},0.{w}{i}",
    ),
    "coded and spaced.csv": (
        "subject,filename,is_fake,resp,latency",
        lambda w, i: f"{w},im{i}.png,{i % 2},{('photo', 'AI')[(w + i) % 2]},{600 + i}",
    ),
    "reals are 1.csv": (
        "Participant ID,stim,is_real,choice,response time (ms)",
        lambda w, i: f"{w},im{i}.png,{1 - i % 2},{'synthetic' if (w + i) % 2 else 'photograph'},{600 + i}",
    ),
    "words only.csv": (
        "participant,stimulus,kind,response",
        lambda w, i: f"{w},{i},{'AI' if i % 2 else 'Photo '},{'AI' if (w + i) % 2 else 'Photo '}",
    ),
}  # fmt: skip


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Import:
    """Give `trials import` in a folder of its own; the exit status and the lines of stderr."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, list[str]]:
        status = run(["trials", "import", *arguments])
        return status, capsys.readouterr().err.splitlines()

    return command


def printed_command(lines: list[str]) -> list[str]:
    """The arguments of the command to try, as a shell takes it apart, after `gan-eval trials import`."""
    words = shlex.split(lines[-1].partition("; try: ")[2])
    assert words[-2:] == ["--out", "trials.csv"]
    return words[words.index("import") + 1 :]


@pytest.mark.parametrize("name", FOREIGN)
def test_the_printed_command_works_as_it_stands(tmp_path, importing, name):
    write(tmp_path / name, *FOREIGN[name])
    status, lines = importing(name, "--out", "trials.csv")
    assert status == 2
    assert lines[-1].startswith(f"gan-eval: {name}: ")
    status, again = importing(*printed_command(lines))
    assert (status, again[-1]) == (0, "24 trials"), again
    trials = read_table(tmp_path / "trials.csv", TRIALS)
    assert trials["kind"].tolist() == ["real", "fake"] * 12
    assert trials["correct"].tolist() == [person % 2 == 0 for person in range(4) for _ in range(6)]
    assert trials["participant"].nunique() == 4
    assert trials["stimulus"].nunique() == 6
    assert trials["trial"].tolist() == [1, 2, 3, 4, 5, 6] * 4
    assert trials.loc[trials["kind"] == "real", "model"].isna().all()
    assert not trials["reaction_time_ms"].gt(2000).any()
    assert not trials["reaction_time_ms"].between(0.1, 9).any()


def test_everything_is_said_in_one_message(tmp_path, importing):
    write(tmp_path / "amt.csv", *FOREIGN["amt.csv"])
    status, (line,) = importing("amt.csv", "--map", "particpant=WorkerId", "--map", "kind=lable", "--out", "t.csv")
    assert status == 2
    for words in (
        "did you mean participant?",
        "did you mean label?",
        "columns participant, stimulus, kind, response are missing",
        "; the file has the columns WorkerId, Image, label, answer, rt_s; ",
        "; not known in label (kind): GAN 12; give each meaning with --word kind:WORD=MEANING; ",
        "; not known in answer (response): GAN 12; give each meaning with --word response:WORD=MEANING; ",
        "--map 'reaction_time_ms=rt_s*1000'",
    ):
        assert words in line
    assert not (tmp_path / "t.csv").exists()


def test_rows_left_out_are_counted_in_the_last_line_and_the_status(tmp_path, importing):
    def row(person: int, picture: int) -> str:
        said = {3: "dunno", 4: "GAN"}.get(picture, "real")
        return f"{person or ''},{picture},{'fake' if picture % 2 else 'real'},{said}"

    write(tmp_path / "t.csv", "participant,stimulus,kind,response", row)
    status, lines = importing("t.csv", "--out", "trials.csv")
    assert status == ROWS_LEFT_OUT == 3
    assert lines[-1] == (
        "12 trials; 12 of 24 rows left out: 8 response (wanted one of real, fake, none), 6 participant (empty); all in "
        "trials.rejected.csv"
    )
    assert len(read_table(tmp_path / "trials.csv", TRIALS)) == 12


@pytest.mark.nightly
def test_the_line_in_the_readme_works_as_it_stands(tmp_path, monkeypatch, capsys):
    text = README.read_text(encoding="utf-8")
    named = re.search(r"with the columns ([^.]*):", text)
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
    assert (tmp_path / "answer" / "rates.csv").is_file()
