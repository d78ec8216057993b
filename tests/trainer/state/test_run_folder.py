"""A run's folder: one process at a time, the next command, and resuming from it."""

import re
import shlex
from pathlib import Path

import pytest
from refusals import refused
from training_runs import Pairs

from gan_eval.__main__ import run
from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.errors import UserError
from trainer.state.run_folder import GENERATOR, begin_run, check_run

SMALL = ["--image-size", "64", "--set", "generator_channels=2", "--set", "discriminator_channels=2"]


@pytest.fixture
def trained(make_pairs: Pairs, tmp_path: Path) -> list[str]:
    """The command of a finished run, in `tmp_path / "run"`."""
    data = make_pairs(train=2)
    command = ["train", "--data", str(data), "--out", str(tmp_path / "run"), "--steps", "2", *SMALL]
    assert run(command) == 0
    return command


@pytest.mark.slow
def test_each_command_names_the_next_from_training_to_a_study(
    make_pairs: Pairs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--data", str(make_pairs(train=2, val=2)), "--out", str(tmp_path / "run"), "--steps", "2", *SMALL]
    done = []
    for _ in range(3):
        assert run(words) == 0
        done.append(words[0])
        line = next(line for line in reversed(capsys.readouterr().err.splitlines()) if line.startswith("next: "))
        words = shlex.split(line)[2:]
    assert done == ["train", "generate", "study"]
    assert words[:2] == ["run", f"{tmp_path}/run-set-study.toml"]


def test_another_machine_is_reported_once(tmp_path: Path) -> None:
    on_cpu = {"device": "cpu", "threads": 2, "torch": "2.15.0"}
    begin_run(tmp_path, {"steps": 2}, on_cpu)
    assert check_run(tmp_path, {"steps": 2}, on_cpu) == []
    (line,) = check_run(tmp_path, {"steps": 2}, {**on_cpu, "device": "NVIDIA H100", "cudnn": 91900})
    assert line.startswith("device was cpu when the run began and is NVIDIA H100 now")
    assert [line.split()[0] for line in check_run(tmp_path, {"steps": 2}, {**on_cpu, "threads": 1})] == ["threads"]
    with pytest.raises(UserError, match=r"steps was 2, is 3; choose another folder$"):  # no generator to start from yet
        check_run(tmp_path, {"steps": 3}, on_cpu)


def test_a_check_writes_nothing_and_refuses_a_folder_with_other_files(tmp_path: Path) -> None:
    assert check_run(tmp_path, {"steps": 2}, {}) == []
    assert not any(tmp_path.iterdir())
    (tmp_path / GENERATOR).touch()  # a run's, without the rest of the run
    refused("not empty and not written by gan_eval", check_run, tmp_path, {"steps": 2}, {})
    (tmp_path / OWN_FOLDER).mkdir()
    refused(r"config\.json:.*generator\.safetensors", check_run, tmp_path, {"steps": 2}, {})


def test_more_steps_start_from_the_old_run_as_the_message_says(
    trained: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "run", tmp_path / "new"
    more = [*trained, "--steps", "3"]
    assert run(more) == 2
    output = capsys.readouterr().err
    assert output.count("steps was 2, is 3") == 1
    (suggested,) = re.findall(r"--init-from \S+", output)
    assert suggested == f"--init-from {old}"
    assert run([*more, "--out", str(new), *suggested.split()]) == 0
