"""Invalid names and files: one line and status 2, immediately."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.base import atomic
from gan_eval.base.atomic import write_bytes, write_json
from gan_eval.base.digests import sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_json, require_file
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.clues import file_facts
from gan_eval.settings.study import load_study
from gan_eval.tables.cells import csv_records

TRIALS = "participant,trial,stimulus,kind,response\nP1,1,a,fake,real\nP2,1,b,real,real\n"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for number, role in enumerate(("real", "fake")):
        pictures.write_png(tmp_path / "results" / role / "1.png", np.full((20, 30, 3), number, np.uint8))
    return tmp_path / "results"


def called(capsys: pytest.CaptureFixture, *arguments: object) -> str:
    """The one line of a command that is refused."""
    status = run([str(argument) for argument in arguments])
    err = capsys.readouterr().err
    assert status == 2, err
    assert "Traceback" not in err
    line = err.splitlines()[-1]
    assert line.startswith("gan-eval: ")
    return line


@pytest.fixture(params=["pipe", "socket", "device", "link to a device"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "odd"
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            monkeypatch.chdir(tmp_path)  # a socket's name is short
            socket.socket(socket.AF_UNIX).bind("odd")
        case "device":
            return Path("/dev/zero")
        case "link to a device":
            path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize(
    "words",
    ["metrics --real L --fake L --out o", "stimuli import --real L --fake L --out o", "try L L --out o"],
)
def test_a_link_that_leads_to_itself_is_one_line(tmp_path, capsys, monkeypatch, words) -> None:
    monkeypatch.chdir(tmp_path)
    Path("L").symlink_to("L")
    assert "L" in called(capsys, *words.split())
    assert not Path("o").exists()


@pytest.mark.parametrize(
    "opened",
    [
        pictures.read_rgb, file_facts, csv_records, load_study, read_json,
        sha256_file, require_file, lambda path: write_bytes(path, b""),
    ],
)  # fmt: skip
def test_what_has_no_end_is_refused_at_once(no_file: Path, opened) -> None:
    with pytest.raises(UserError, match=f"{no_file}:"):
        opened(no_file)
    assert no_file.exists()
    assert not no_file.is_file()


def test_commands_refuse_pipes_and_devices(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "t.csv").write_text(TRIALS)
    for odd in (tmp_path / "pipe", "/dev/zero"):
        for arguments in (
            ("run", odd, "--out", tmp_path / "out"),
            ("analyze", "--store", odd, "--out", tmp_path / "out"),
            ("trials", "import", odd, "--out", tmp_path / "x.csv"),
            ("trials", "import", tmp_path / "t.csv", "--out", odd),
            ("generate", odd, "--data", tmp_path, "--out", tmp_path / "out"),
        ):
            assert str(odd) in called(capsys, *arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "no permission to write"), (errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "no permission"), (errno.EIO, "cannot be"), (errno.ENAMETOOLONG, "too long"),
    ],
)  # fmt: skip
def test_what_a_disk_refuses_is_one_line(tmp_path, capsys, monkeypatch, number, words) -> None:
    (tmp_path / "t.csv").write_text(TRIALS)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "x.csv"))

    monkeypatch.setattr(atomic, "flush_to_disk", refuse)
    line = called(capsys, "trials", "import", tmp_path / "t.csv", "--out", tmp_path / "x.csv")
    assert f"{tmp_path / 'x.csv'}: " in line
    assert words in line
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize("out", ["x" * 300 + ".csv", "x/" * 3000 + "x.csv", "x\0y.csv"])
def test_names_that_no_system_has_are_one_line(tmp_path, capsys, out) -> None:
    (tmp_path / "t.csv").write_text(TRIALS)
    line = called(capsys, "trials", "import", tmp_path / "t.csv", "--out", f"{tmp_path}/{out}")
    assert len(line) < 400
    line = called(capsys, "run", f"{tmp_path}/{out}", "--out", tmp_path / "out")
    assert len(line) < 7000


def test_names_that_are_no_utf8_never_end_in_a_traceback(tmp_path, capsys, results) -> None:
    odd = b"\xff".decode(errors="surrogateescape")
    (tmp_path / "t.csv").write_text(TRIALS)
    called(capsys, "stimuli", "import", results, "--dataset", odd, "--out", tmp_path / "set")
    assert not (tmp_path / "set").exists()
    called(capsys, "analyze", "--store", tmp_path / odd, "--out", tmp_path / "out")
    called(capsys, "run", tmp_path / odd, "--out", tmp_path / "out")
    (results / "real" / "1.png").rename(results / "real" / f"{odd}.png")
    (results / "fake" / "1.png").rename(results / "fake" / f"{odd}.png")
    assert "\\udcff.png" in called(capsys, "stimuli", "import", results, "--out", tmp_path / "set2")


def test_json_holds_names_that_are_no_utf8(tmp_path) -> None:
    value = {"a\udcff": ["\udcff", "ü\n"]}
    write_json(tmp_path / "t.json", value)
    (tmp_path / "t.json").read_bytes().decode("utf-8")
    assert read_json(tmp_path / "t.json") == value
    assert sha256_json(value) != sha256_json({"a": ["", "ü\n"]})


@pytest.mark.nightly
def test_a_locale_of_ascii_takes_other_names_and_words(tmp_path, results) -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF"))}

    def command(*arguments: str | bytes) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "gan_eval", "stimuli", "import", *arguments]
        return subprocess.run(command, env={**environment, "LC_ALL": "C"}, capture_output=True, check=False)

    out = tmp_path / "sätze"
    done = command(str(results), "--dataset", "dü", "--out", str(out))
    assert (done.returncode, done.stdout.decode()) == (0, f"{out}\n"), done.stderr.decode()
    assert "dü/real/1" in (out / "stimuli.csv").read_text(encoding="utf-8")
    odd = os.fsencode(tmp_path) + b"/set\xff"
    done = command(str(results), "--out", odd)
    assert (done.returncode, done.stdout) == (0, odd + b"\n"), done.stderr
    done = command(str(tmp_path / "fehlt-ä"), "--out", str(out))
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert "fehlt-ä:" in done.stderr.decode()


@pytest.mark.nightly
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_stdout_is_one_line() -> None:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "gan_eval", "weights", "list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "the disk is full" in done.stderr
