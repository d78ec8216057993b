"""A run's folder: one process at a time, the next command, and resuming from it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gan_eval.__main__ import run
from gan_eval.files.locks import who_holds
from gan_eval.machine.commands import own_command
from trainer.state.run_folder import CONFIG, run_lock

Pairs = Callable[..., Path]
SMALL = ["--image-size", "64", "--set", "generator_channels=2", "--set", "discriminator_channels=2"]
WITHOUT_TORCH = """
import sys
from gan_eval.__main__ import run
status = run(sys.argv[1:])
print("torch" in sys.modules, "pandas" in sys.modules, file=sys.stderr)
sys.exit(status)
"""


def without_torch(*arguments: str) -> tuple[int, list[str]]:
    """The status and the lines of a command in a new process, where torch was not imported."""
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    # set: the allocator's settings, for which `train` would start anew
    done = subprocess.run(
        command,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "0", "MALLOC_TRIM_THRESHOLD_": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *lines, heavy = done.stderr.splitlines()
    assert heavy == "False False", done.stderr
    return done.returncode, lines


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


def test_more_steps_start_from_the_old_run_as_the_message_says(
    trained: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "run", tmp_path / "new"
    more = [*trained, "--steps", "3"]
    assert run(more) == 2
    output = capsys.readouterr().err
    assert "holds a run with another settings.steps (2 there, 3 asked for); choose" in output, "once"
    (suggested,) = re.findall(r"--init-from \S+", output)
    assert suggested == f"--init-from {old}"
    assert run([*more, "--out", str(new), *suggested.split()]) == 0
    assert run([*trained, "--set", "norm=instance"]) == 2
    assert "--init-from" not in capsys.readouterr().err, "another network"


@pytest.mark.nightly
def test_of_two_trainings_in_a_folder_the_second_is_refused(make_pairs: Pairs, tmp_path: Path) -> None:
    data, out = make_pairs(train=2), tmp_path / "run"
    command = ["train", "--data", str(data), "--out", str(out), "--steps", "100000", *SMALL]
    lock, _, _ = run_lock(out)
    first = subprocess.Popen(own_command(*command), stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while not (out / CONFIG).exists() and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        status, lines = without_torch(*command)
        assert status == 2
        assert re.fullmatch(
            rf"gan-eval: --out {re.escape(str(out))}: process {first.pid} \(.*\) is training there; "
            "wait for it, or end it",
            lines[-1],
        )
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    assert lock.exists()
    second = subprocess.Popen(own_command(*command), stderr=subprocess.PIPE, text=True)
    try:
        while f"process {second.pid} " not in who_holds(lock) and second.poll() is None:
            time.sleep(0.05)
        time.sleep(1.0)
    finally:
        while second.poll() is None:  # a library that is being imported may swallow an interrupt
            second.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                second.communicate(timeout=10)
    assert second.returncode == 130
    assert not lock.exists()
