"""The build of the quiz as one folder: what is in it, and that it works without Python."""

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import write_png
from gan_eval.stimuli.sets import stimulus_row, write_set

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
HEAVY = ("torch", "pandas", "scipy", "statsmodels", "matplotlib", "numba", "pyarrow", "trainer", "onnx", "skimage")


def module(name: str) -> ModuleType:
    """A module of packaging/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"packaging_{name}", PACKAGING / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built folder, made once, moved to where nothing of this checkout is near; or one made before.

    `GAN_EVAL_QUIZ_BUILD=DIR` names one that was made before, such as the one that is to be passed on.
    """
    if "GAN_EVAL_QUIZ_BUILD" in os.environ:
        return Path(os.environ["GAN_EVAL_QUIZ_BUILD"]).resolve()
    if importlib.util.find_spec("PyInstaller") is None:
        pytest.skip("needs PyInstaller (pip install -e '.[packaging]')")
    if sys.platform.startswith("linux") and shutil.which("objdump") is None:
        pytest.skip("needs objdump (apt-get install binutils)")
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, str(PACKAGING / "build_quiz.py"), "--out", str(folder / "made")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Python shared library" in done.stderr:
        pytest.skip("needs Python's shared library (on Debian apt-get install libpython3.11)")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_file()
    return (folder / "made").rename(folder / "the quiz")


@pytest.fixture
def stimuli(tmp_path: Path) -> Path:
    """The folder of a stimulus set of twelve items."""
    folder = tmp_path / "set"
    generator = np.random.default_rng(1)
    rows = []
    for number in range(12):
        shared = {"dataset": "noise", "stem": f"n{number}", "size": (48, 64)}
        for kind, model in (("real", None), ("fake", "net")):
            file = folder / kind / f"n{number}.png"
            write_png(file, generator.integers(0, 256, (48, 64, 3), dtype=np.uint8))
            rows.append(stimulus_row(folder, file, kind=kind, model=model, **shared))
    write_set(folder, rows)
    return folder


def gan_eval(built: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the built program in `folder` with an empty home and nothing on the path."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": "", "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
    if os.name == "nt":
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    command = [str(built / ("gan-eval.exe" if os.name == "nt" else "gan-eval")), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def answers(store: Path) -> list[tuple[str, int]]:
    """Response and whether it was simulated, of each trial in a store."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT response, simulated FROM trials ORDER BY trial").fetchall()


@pytest.mark.slow
def test_it_is_small_and_holds_nothing_heavy(built):
    size = sum(path.lstat().st_size for path in built.rglob("*") if path.is_file())
    assert size <= 220e6
    names = {path.name.split(".")[0].split("-")[0] for path in (built / "_internal").iterdir()}
    assert {"PySide6", "numpy", "sqlalchemy"} <= names
    assert names.isdisjoint(HEAVY)


@pytest.mark.slow
def test_licences_of_what_is_in_it_are_there(built):
    texts = {
        path.relative_to(built / "licences").parts[0] for path in (built / "licences").rglob("*") if path.is_file()
    }
    assert {"gan_eval", "Python", "PySide6_Essentials", "shiboken6", "numpy", "pillow", "SQLAlchemy"} <= texts
    assert "LESSER GENERAL PUBLIC" in (built / "licences/PySide6_Essentials/LGPL-3.0.txt").read_text()


@pytest.mark.slow
def test_it_tells_what_it_can_do(built, tmp_path):
    done = gan_eval(built, tmp_path, "--help")
    assert done.returncode == 0, done.stderr
    assert "quiz" in done.stdout
    assert "train" not in done.stdout
    assert gan_eval(built, tmp_path, "--version").stdout.startswith("gan_eval ")


@pytest.mark.slow
def test_doctor_starts_qt_in_a_process_of_its_own(built, tmp_path):
    done = gan_eval(built, tmp_path, "doctor")
    assert done.returncode == 0, done.stderr
    assert "starts on the platform offscreen" in done.stdout
    assert "missing" not in done.stdout


@pytest.mark.slow
def test_a_rehearsal(built, tmp_path, stimuli):
    options = ("--stimuli", str(stimuli), "--participant", "P1", "--store", "lab.sqlite")
    done = gan_eval(built, tmp_path, "quiz", *options, "--real", "5", "--fake", "5", "--simulate", "dprime=2")
    assert done.returncode == 0, done.stderr
    assert [simulated for _, simulated in answers(tmp_path / "lab.sqlite")] == [1] * 10


@pytest.mark.slow
def test_a_session_off_screen(built, tmp_path, stimuli):
    options = ("--stimuli", str(stimuli), "--participant", "P1", "--store", "lab.sqlite", "--no-intro")
    done = gan_eval(built, tmp_path, "quiz", *options, "--real", "2", "--fake", "2", "--response-ms", "150")
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "lab.sqlite") == [("none", 0)] * 4


def test_other_commands_are_named_as_missing(capsys):
    assert module("quiz_program").main(["train", "--data", "x"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("gan-eval: train: not in this build")
    assert line.count("\n") == 1


def test_the_build_refuses_somebody_elses_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(PACKAGING))
    (tmp_path / "thesis.txt").write_text("mine")
    assert module("build_quiz").main(["--out", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_package_without_a_licence_text_stops_the_build(tmp_path, monkeypatch):
    licences = module("licences")
    monkeypatch.setattr(licences, "WITHOUT_TEXT", {})
    with pytest.raises(UserError, match=r"PySide6.* no licence text"):
        licences.write_licences(["PySide6"], [], tmp_path / "licences")


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs dpkg, which knows the system's licences")
def test_licences_of_the_system_come_from_its_packages(tmp_path):
    shell = Path(shutil.which("sh") or "").resolve()
    folder = tmp_path / "licences"
    module("licences").write_licences(["numpy"], [shell], folder)
    listed = [line for line in (folder / "README.txt").read_text().splitlines() if shell.name in line]
    assert len(listed) == 1
    assert len(list((folder / "system").iterdir())) == 1
