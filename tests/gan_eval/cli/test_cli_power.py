"""The command `power`: its files, its lines and its exit status."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.stats.power.planning import POWER
from gan_eval.stimuli import pictures
from gan_eval.stimuli.sets import stimulus_row, write_set
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


@pytest.mark.slow
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
    assumed = ("fooling_rates.one=0.2", "false_alarm_rate=0.2", "sd_stimulus=0", "sd_slope=0", "sd_participant=0.5")
    effects = [part for each in assumed for part in ("--effect", each)]
    status, reported, _ = command(write_study(tmp_path), "--out", tmp_path / "o", "--stimuli", 30, *options, *effects)
    assert status == 0
    rows = json.loads(reported)["power"]
    assert [row["participants"] for row in rows] == [3, 5]
    assert [row["simulations"] for row in rows] == [11, 11]
    assert rows[0]["effect"] == pytest.approx(0.57, abs=0.02)  # 0.6 for the typical participant


def test_the_pool_is_the_stimuli_that_the_study_has(command: Command, tmp_path: Path) -> None:
    write_stimuli(tmp_path / "study" / "stimuli" / "d-one", 15)
    (tmp_path / "study" / ".gan-eval").mkdir()
    status, _, err = command(write_study(tmp_path), "--out", tmp_path / "study", "--workers", 1)
    assert status == 0, err
    rows = read_rows(tmp_path / "study" / "power.csv", POWER)
    assert rows[0]["stimuli"] == 30
    assert "only 15 items" in err


def write_stimuli(folder: Path, size: int) -> None:
    rows = []
    for number in range(size):
        for kind, model in (("real", None), ("fake", "one")):
            file = folder / kind / f"{number}.png"
            pixels = np.random.default_rng([number, kind == "fake"]).integers(0, 256, (8, 8, 3), np.uint8)
            pictures.write_png(file, pixels)
            rows.append(stimulus_row(folder, file, kind=kind, dataset="d", stem=str(number), size=(8, 8), model=model))
    write_set(folder, rows)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give --stimuli N"),
        (["--stimuli", "30", "--participants", "10,x"], "--participants 10,x: wanted whole numbers"),
        (["--stimuli", "30", "--participants", "1"], "--participants"),
        (["--stimuli", "30", "--effect", "rate=0.5"], "--effect rate: wanted one of false_alarm_rate"),
        (["--stimuli", "30", "--effect", "fooling_rate=1.5"], "--effect fooling_rate: found 1.5"),
        (["--stimuli", "30", "--effect", "fooling_rate=often"], "wanted a number"),
        (["--stimuli", "30", "--simulations", "1"], "--simulations"),
    ],
)
def test_bad_input_is_one_line(command: Command, tmp_path: Path, arguments: list[str], line: str) -> None:
    status, reported, err = command(write_study(tmp_path), "--out", tmp_path / "out", *arguments)
    assert (status, reported) == (2, "")
    assert line in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("protocol", "effect", "line"),
    [
        (
            "model_vs_model",
            "sd_participant=1",
            "sd_participant: has no effect with the protocol model_vs_model",
        ),
        ("paired", "sd_item=1", "sd_item: has no effect with the protocol paired"),
        ("quick_response", "sd_model=1", "sd_model: has no effect: no data set has several models"),
        ("rating", "dropout=1", "dropout: found 1.0"),
    ],
)
def test_assumptions_that_change_nothing_are_refused(
    command: Command, tmp_path: Path, protocol: str, effect: str, line: str
) -> None:
    file = write_study(tmp_path, protocol=protocol, power="stimuli = 30")
    status, _, err = command(file, "--out", tmp_path / "out", "--effect", effect)
    assert (status, f"--effect {line}" in err) == (2, True), err


def test_losses_are_settable_and_in_the_number_to_invite(command: Command, tmp_path: Path) -> None:
    file = write_study(tmp_path, power="stimuli = 30\nexcluded = 0.5\nfooling_rate = 0.02\nfalse_alarm_rate = 0.02")
    out, many = tmp_path / "out", ["--participants", "14", "--simulations", "25", "--workers", 1]
    status, _, err = command(file, "--out", out, *many, "--effect", "dropout=0", "--effect", "unanswered=0")
    assert status == 0
    assert read_rows(out / "power.csv", POWER)[0]["complete"] == 7
    invite = next(line for line in err.splitlines() if line.startswith("Invite"))
    assert "14 people" in invite
    assert "0 % of them break off and 50 % are left out, so that about 7 finish and count" in invite


@pytest.mark.slow
def test_grades_have_power(command: Command, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--stimuli", 30, "--participants", 4, "--workers", 1]
    status, _, err = command(write_study(tmp_path, protocol="rating"), "--out", out, *arguments)
    assert status == 0
    rows = read_rows(out / "power.csv", POWER)
    assert [row["question"] for row in rows] == [f"fakes against reals: {end}_grade" for end in ("higher", "mean")]
    assert rows[0]["effect"] < 0
    assert " grades wide" in err


def test_a_protocol_without_power_says_so(command: Command, tmp_path: Path) -> None:
    status, _, err = command(write_study(tmp_path, protocol="staircase"), "--out", tmp_path / "out", "--stimuli", 30)
    assert status == 2
    assert "power is not defined for staircase" in err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a console's interruption cannot be sent to one process there")
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_it_leaves_nothing_half_done(tmp_path: Path, workers: int) -> None:
    file = write_study(tmp_path, power="stimuli = 30")
    arguments = ["power", file, "--out", tmp_path / "out", "--workers", workers, "--simulations", 1_000_000]
    process = subprocess.Popen(
        [sys.executable, "-m", "gan_eval", *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    until = time.monotonic() + 60
    while not (tmp_path / "out").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal's Ctrl-C: to all of them
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".gan-eval"]
