"""`./run`: what it does before anything is installed."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import threading
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
import typer

from gan_eval.base.commands import VERBS
from gan_eval.base.system_libraries import IMPORT_LIBRARIES
from gan_eval.study.commands.app import application

ROOT = Path(__file__).resolve().parent.parent
EARLY_MODULES = ("__init__", "commands", "errors", "parallel", "progress", "start", "system_libraries", "threads")
EARLY_FILES = [
    ROOT / "run",
    ROOT / "gan_eval" / "__init__.py",
    *(ROOT / "gan_eval" / "base" / f"{name}.py" for name in EARLY_MODULES),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The file `run` as a module, in a checkout of its own that has no environment and whose system lacks nothing."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("[project]\n")
    venv = tmp_path / ".venv"
    pretended = {"ROOT": tmp_path, "VENV": venv, "STAMP": venv / module.STAMP.name, "PYTHON": venv / "bin" / "python"}
    pretended |= {"PLACE": "here 3.11", "missing_libraries": lambda: (), "TEST_PROGRAMS": {}}
    for name, value in pretended.items():
        monkeypatch.setattr(module, name, value)
    return module


@pytest.fixture
def commands(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been run; all succeed, and `venv` makes the files of an environment."""
    ran: list[list[str]] = []

    def call(command: list[object], **_: str) -> int:
        ran.append([str(word) for word in command])
        if "--clear" in command:
            run.PYTHON.parent.mkdir(parents=True, exist_ok=True)
            run.PYTHON.touch()
            (run.VENV / "pyvenv.cfg").touch()
        return 0

    monkeypatch.setattr(run, "call", call)
    monkeypatch.setattr(run, "hand_over", lambda command: ran.append(command) or 0)
    return ran


def installed(commands: list[list[str]]) -> list[str]:
    """The projects that were installed, with their extras."""
    return [command[-1] for command in commands if "--editable" in command]


# The file


def test_old_pythons_can_read_run():
    ast.parse((ROOT / "run").read_text(), feature_version=(3, 7))


def test_only_the_standard_library_is_imported_before_set_up():
    for file in EARLY_FILES:
        tree = ast.parse(file.read_text())
        for block in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
            if ast.unparse(block.test) == "TYPE_CHECKING":  # read by type checkers alone
                block.body = []
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                room = name.split(".")[0]
                assert room in sys.stdlib_module_names or room == "gan_eval", f"{file.name}: {name}"
                if name.startswith("gan_eval.base."):
                    assert name.split(".")[2] in EARLY_MODULES, f"{file.name}: {name}"


def test_help_needs_no_environment_and_no_third_party_library():
    done = subprocess.run([sys.executable, "-S", ROOT / "run", "--help"], capture_output=True, text=True, check=True)
    assert "./run setup [--extras EXTRAS]" in done.stdout


def test_the_verbs_are_the_commands_and_every_extra_can_be_set_up(run):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"none", *project["optional-dependencies"]} == set(run.EXTRAS)
    assert sorted(VERBS) == sorted(typer.main.get_command(application()).commands)
    assert set(VERBS) | {"setup", "test"} == set(run.KNOWN_VERBS)
    listed = re.search(r"The verbs: ([\w, \n]+)\.", run.__doc__ or "")
    assert listed
    assert {*re.findall(r"\w+", listed[1])} | {"demo"} == set(VERBS)


# Commands


def test_usage_errors_install_nothing(run, commands, capsys):
    assert run.main([]) == 2
    assert "./run demo" in capsys.readouterr().err
    assert run.main(["dmeo"]) == 2
    assert "no verb 'dmeo'" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run.main(["setup", "--extras", "torch"])
    assert commands == []


def test_a_verb_sets_up_once_and_runs_in_the_environment(run, commands):
    assert run.main(["quiz", "--windowed"]) == 0
    assert installed(commands) == [".[train]"]
    del commands[:]
    assert run.main(["metrics", "--list"]) == 0
    assert commands == [[str(run.PYTHON), "-P", "-m", "gan_eval", "metrics", "--list"]]


def test_help_installs_nothing(run, commands, capsys):
    assert run.main(["serve", "--help"]) == 0
    assert "./run setup --extras none" in capsys.readouterr().err
    assert commands == []
    run.main(["setup", "--extras", "none"])
    del commands[:]
    assert run.main(["serve", "--help"]) == 0
    assert commands == [[str(run.PYTHON), "-P", "-m", "gan_eval", "serve", "--help"]]


# The environment


def test_an_environment_only_grows(run, commands, monkeypatch):
    run.main(["setup", "--extras", "none"])
    run.main(["quiz"])
    run.main(["analyze", "--store", "postgresql+psycopg://lab/db"])
    run.main(["demo"])
    run.main(["demo"])
    assert installed(commands) == [".", ".[postgres]", ".[postgres,train]"]
    (run.ROOT / "constraints.txt").write_text("numpy==9\n")
    run.main(["metrics"])
    assert installed(commands)[3:] == [".[postgres,train]"], "other versions"
    assert sum("--clear" in command for command in commands) == 1
    monkeypatch.setattr(run, "PLACE", "there 3.11")
    run.main(["metrics"])
    assert sum("--clear" in command for command in commands) == 2


@pytest.mark.parametrize("text", ["", '{"extras": 3, "place": "here 3.11"}'])
def test_an_environment_without_a_valid_stamp_is_made_anew(run, commands, text):
    run.main(["setup"])
    run.STAMP.write_text(text)
    run.main(["metrics"])
    assert sum("--clear" in command for command in commands) == 2


@pytest.mark.parametrize(("failing", "status"), [(("uv",), 0), (("uv", "pip"), 1)])
def test_pip_takes_over_where_uv_fails_and_a_failed_update_harms_nothing(run, commands, monkeypatch, failing, status):
    run.main(["setup"])
    del commands[:]
    succeed = run.call

    def fail(command: list[object], **_: str) -> int:
        done = int(succeed(command))
        return 1 if "--editable" in command and command[2] in failing else done

    with monkeypatch.context() as patch:
        patch.setattr(run, "call", fail)
        if status:
            with pytest.raises(run.SetupError, match="installation failed"):
                run.main(["setup", "--extras", "notebook"])
        else:
            run.main(["setup", "--extras", "notebook"])
    assert [command[2] for command in commands if "--editable" in command] == ["uv", "pip"]
    assert run.is_ready({"train"})
    assert run.is_ready({"notebook"}) == (not status)


def test_a_folder_that_is_no_environment_is_left_alone(run, commands):
    run.VENV.mkdir()
    (run.VENV / "thesis.txt").write_text("mine")
    with pytest.raises(run.SetupError, match="move it away"):
        run.main(["setup"])
    assert (run.VENV / "thesis.txt").exists()
    assert commands == []


def test_a_link_to_another_environment_is_left_alone(run, commands, tmp_path):
    (tmp_path / "other").mkdir()
    run.VENV.symlink_to(tmp_path / "other", target_is_directory=True)
    with pytest.raises(run.SetupError, match="is a link; remove it"):
        run.set_up(set())
    assert not commands


def test_a_second_set_up_says_what_it_waits_for(run, capsys):
    fcntl = pytest.importorskip("fcntl")
    other = os.open(run.ROOT, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(0.2, os.close, [other]).start()
    with run.exclusive():
        assert f"another ./run is installing into {run.VENV}" in capsys.readouterr().err


def test_set_up_says_what_it_does_and_how_long_it_takes(run, commands, capsys):
    run.main(["setup"])
    said = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        rf"run: setting up {run.VENV} with extras train: up to [\d.]+ GB on disk, {run.DURATION}", said[0]
    )
    assert said[1] == "run: compiling the packages, so that commands start faster"
    assert said[2] == "run: compiling the metrics' kernels: once after each installation or update, about 20 s"
    assert re.fullmatch(rf"run: ready: {run.VENV} \(\d+ s\)", said[3])
    assert len(said) == 4
    assert all("--quiet" in command for command in commands if "pip" in command and "uv" not in command)
    run.set_up({"web"})
    added = capsys.readouterr().err.splitlines()
    assert added[0] == f"run: setting up {run.VENV} with extras train, web", "a few MB are no 6.5 GB"


def test_the_package_is_imported_where_a_folder_has_its_name(tmp_path):
    """A clone is often called gan_eval; in the folder that holds it, the package must come before the clone."""
    (tmp_path / "gan_eval").mkdir()
    code = "import gan_eval, trainer; print(gan_eval.open_store.__name__)"
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.stdout == "open_store\n", done.stderr


# The system


@pytest.mark.parametrize("root", [True, False])
def test_missing_packages_are_named_and_installed_by_root(run, monkeypatch, capsys, root):
    ran: list[str] = []

    def call(command: list[str], **_: str) -> int:
        ran.append(command[1])
        return int(len(ran) == 1)  # the first try fails: the lists of packages are old

    monkeypatch.setattr(run, "missing_libraries", lambda: IMPORT_LIBRARIES[:1])
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(run.shutil, "which", lambda name: name)
    monkeypatch.setattr(run.os, "geteuid", lambda: 0 if root else 1000)
    monkeypatch.setattr(run, "call", call)
    with pytest.raises(run.SetupError, match=r"python3\.\d+-venv"):  # the pretended installation brought nothing
        run.prepare_system(for_tests=False)
    assert re.search(r"sudo apt-get install .* libgl1 python3\.\d+-venv\n", capsys.readouterr().err)
    assert ran == (["install", "update", "install"] if root else [])


def test_a_silent_program_is_said_to_be_at_work(run, capfd, monkeypatch):
    monkeypatch.setattr(run, "SILENT_S", 0.2)
    assert run.call([sys.executable, "-c", "import time; time.sleep(0.9); raise SystemExit(3)"], what="compiling") == 3
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert all(re.fullmatch(r"run: compiling: \d s", line) for line in lines)
    assert run.call([sys.executable, "-c", "print('its own words')"]) == 0
    assert capfd.readouterr().err == "its own words\n"
