"""The command `power`: its files, its lines and its exit status."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gan_eval.__main__ import run
from gan_eval.stats.power.planning import POWER
from gan_eval.tables.frames import read_rows

Command = Callable[..., tuple[int, str, str]]
STUDY = """
[study]
name = "planned"
[data.d]
[models.one]
data = "d"
[quiz]
real = 6
fake = 6
protocol = "{protocol}"
[power]
participants = [4, 6]
simulations = 10
{power}
"""


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: object) -> tuple[int, str, str]:
        status = run(["power", *map(str, arguments)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def write_study(folder: Path, *, protocol: str = "quick_response", power: str = "", more: str = "") -> Path:
    file = folder / "study.toml"
    file.write_text(STUDY.format(protocol=protocol, power=power) + more, encoding="utf-8")
    return file


def test_table_curve_and_sentence(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, reported, err = command(write_study(tmp_path), "--out", out, "--stimuli", 30, "--workers", 1)
    assert (status, reported) == (0, f"{out}\n")
    rows = read_rows(out / "power.csv", POWER)
    assert [(row["question"], row["participants"], row["stimuli"]) for row in rows] == [
        ("told apart", 4, 60),
        ("told apart", 6, 60),
    ]
    assert "power: 20/20" in err
    lines = [line for line in err.splitlines() if not re.match(r"power: \d+/", line)]
    answer, caption, heads, *table = lines[:5]
    assert answer.startswith(("None of the numbers", "Invite"))
    assert caption == "As planned, 12 trials a person:"
    assert heads.split()[:3] == ["question", "people", "pictures"]
    assert [line.split()[2].strip("*") for line in table] == ["4", "6"]
    svg = ElementTree.fromstring((out / "power.svg").read_text(encoding="utf-8"))
    assert svg.tag.endswith("svg")
    assert "told apart" in "".join(svg.itertext())


@pytest.mark.nightly
def test_the_same_seed_gives_the_same_files_on_any_number_of_processes(command: Command, tmp_path: Path) -> None:
    file, files = write_study(tmp_path, power="stimuli = 30"), []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        assert command(file, "--out", out, "--workers", workers)[0] == 0
        files.append([(out / name).read_bytes() for name in ("power.csv", "power.svg")])
    assert files[0] == files[1]
    assert command(file, "--out", tmp_path / "3", "--workers", 1, "--seed", 9)[0] == 0
    assert (tmp_path / "3" / "power.csv").read_bytes() != files[0][0]


def test_options_stand_in_the_place_of_the_study_s_assumptions(command: Command, tmp_path: Path) -> None:
    options = ["--participants", "5,3", "--simulations", 11, "--target", 0.6, "--workers", 1, "--json"]
    assumed = (
        "fooling_rates = { one = 0.2 }\nfalse_alarm_rate = 0.2\nsd_stimulus = 0\nsd_slope = 0\nsd_participant = 0.5"
    )
    file = write_study(tmp_path, power=assumed)
    status, reported, _ = command(file, "--out", tmp_path / "o", "--stimuli", 30, *options)
    assert status == 0
    rows = json.loads(reported)["power"]
    assert [row["participants"] for row in rows] == [3, 5]
    assert [row["simulations"] for row in rows] == [11, 11]
    assert rows[0]["effect"] == pytest.approx(0.57, abs=0.02)  # 0.6 for the typical participant


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give --stimuli N"),
        (["--stimuli", "30", "--participants", "10,x"], "--participants 10,x: wanted whole numbers"),
        (["--stimuli", "30", "--participants", "1"], "--participants"),
        (["--stimuli", "30", "--simulations", "1"], "--simulations"),
    ],
)
def test_bad_input_is_one_line(command: Command, tmp_path: Path, arguments: list[str], line: str) -> None:
    status, reported, err = command(write_study(tmp_path), "--out", tmp_path / "out", *arguments)
    assert (status, reported) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
