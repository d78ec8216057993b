"""The command `power`: its files, its lines and its exit status."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from gan_eval.stats.power.planning import POWER
from gan_eval.tables.frames import read_rows

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
def command(command):
    return partial(command, "power")


def write_study(folder: Path, *, protocol: str = "quick_response", power: str = "", more: str = "") -> Path:
    file = folder / "study.toml"
    file.write_text(STUDY.format(protocol=protocol, power=power) + more, encoding="utf-8")
    return file


def test_table_and_sentence(command, tmp_path):
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
    assert answer.startswith(("None of the tried numbers", "Invite"))
    assert caption == "As planned, 12 trials a person:"
    assert heads.split()[:3] == ["question", "people", "pictures"]
    assert [line.split()[2].strip("*") for line in table] == ["4", "6"]


@pytest.mark.nightly
def test_the_same_seed_gives_the_same_files_on_any_number_of_processes(command, tmp_path):
    file, files = write_study(tmp_path, power="stimuli = 30"), []
    for workers in (1, 2):
        out = tmp_path / str(workers)
        assert command(file, "--out", out, "--workers", workers)[0] == 0
        files.append((out / "power.csv").read_bytes())
    assert files[0] == files[1]
    write_study(tmp_path, power="stimuli = 30\nseed = 9")
    assert command(file, "--out", tmp_path / "3", "--workers", 1)[0] == 0
    assert (tmp_path / "3" / "power.csv").read_bytes() != files[0]


def test_the_study_s_assumptions_are_used(command, tmp_path):
    assumed = (
        "fooling_rates = { one = 0.2 }\nfalse_alarm_rate = 0.2\nsd_stimulus = 0\nsd_slope = 0\nsd_participant = 0.5"
    )
    file = write_study(tmp_path, power=assumed)
    status, reported, _ = command(file, "--out", tmp_path / "o", "--stimuli", 30, "--workers", 1, "--json")
    assert status == 0
    assert json.loads(reported)["power"][0]["effect"] == pytest.approx(0.57, abs=0.02)  # 0.6 for the typical ones


def test_without_stimuli_the_pool_is_asked_for(command, tmp_path):
    status, reported, err = command(write_study(tmp_path), "--out", tmp_path / "out")
    assert (status, reported) == (2, "")
    assert "give --stimuli N" in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
