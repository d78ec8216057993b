"""`./run` and what it does before anything is installed."""

import ast
import importlib.util
import json
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

from bootstrap import environment, system, tools
from bootstrap.environment import Checkout, Stamp
from gan_eval import launch
from gan_eval.cli.app import application
from gan_eval.system_libraries import IMPORT_LIBRARIES

ROOT = Path(__file__).resolve().parent.parent
BOOTSTRAP_FILES = [
    ROOT / "run",
    *sorted((ROOT / "bootstrap").glob("*.py")),
    *(ROOT / "gan_eval" / name for name in ("__init__.py", "errors.py", "launch.py", "system_libraries.py")),
]


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """The file `run`, loaded as a module."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A clone with a healthy, finished environment for training; nothing in it can be run."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    checkout = Checkout(tmp_path, windows=False)
    checkout.python.parent.mkdir(parents=True)
    checkout.python.write_text("#!/bin/sh\nexit 0\n")
    checkout.python.chmod(0o755)
    checkout.site_packages.mkdir(parents=True)
    (checkout.venv / "pyvenv.cfg").write_text("home = /usr/bin\n")
    environment.write_stamp(checkout, environment.fresh_stamp(checkout, "train", finished=True))
    return checkout


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been run, which all succeed."""
    ran: list[list[str]] = []
    for module in (environment, system):
        monkeypatch.setattr(module, "run_shown", lambda command, **_: ran.append([str(word) for word in command]))
    return ran


# The file itself


def test_run_can_be_read_by_old_pythons():
    ast.parse((ROOT / "run").read_text(), feature_version=(3, 7))


def test_only_the_standard_library_is_imported_before_the_set_up():
    for file in BOOTSTRAP_FILES:
        tree = ast.parse(file.read_text())
        for block in [node for node in ast.walk(tree) if isinstance(node, ast.If)]:
            if ast.unparse(block.test) == "TYPE_CHECKING":  # read by type checkers alone
                block.body = []
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                room = name.split(".")[0]
                assert room in sys.stdlib_module_names or room in ("bootstrap", "gan_eval"), f"{file.name}: {name}"


def test_help_needs_no_environment_and_no_third_party_library():
    done = subprocess.run([sys.executable, "-S", ROOT / "run", "--help"], capture_output=True, text=True, check=True)
    assert "./run setup [--extras EXTRAS]" in done.stdout


def test_a_slip_of_the_pen_installs_nothing(run, monkeypatch, tmp_path, capsys, commands):
    monkeypatch.setattr(run, "ROOT", tmp_path)
    assert run.main(["dmeo"]) == 2
    assert "no verb 'dmeo'" in capsys.readouterr().err
    assert commands == []


@pytest.mark.parametrize("verb", ["analyze", "participants", "power", "stimuli", "trials"])
def test_every_verb_is_known_before_the_set_up(run, verb, monkeypatch, tmp_path):
    monkeypatch.setattr(run, "ROOT", tmp_path)
    asked: list[list[str]] = []
    monkeypatch.setattr(run, "set_up", lambda checkout, wanted: None)
    monkeypatch.setattr(run, "name_missing_libraries", lambda: None)
    monkeypatch.setattr(run, "hand_over", lambda command, **_: asked.append(command) or 0)
    assert run.main([verb, "--help"]) == 0
    assert asked[0][-3:] == ["gan_eval", verb, "--help"]


def test_the_verbs_are_the_commands(run):
    assert sorted(launch.VERBS) == sorted(typer.main.get_command(application()).commands)
    assert set(launch.VERBS) | {"build-quiz", "setup", "test"} == set(run.KNOWN_VERBS)
    named = {line.split()[1] for line in run.__doc__.splitlines() if line.startswith("    ./run ")}
    assert named - {"VERB"} <= set(run.KNOWN_VERBS)
    listed = re.search(r"The verbs: ([\w, \n]+)\.", run.__doc__)
    assert listed
    assert {*re.findall(r"\w+", listed[1])} | {"demo"} == set(launch.VERBS)


def test_no_verb_is_a_usage_error(run, capsys):
    assert run.main([]) == 2
    assert "./run demo" in capsys.readouterr().err


def test_every_extra_can_be_set_up(run):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"none", *project["optional-dependencies"]} == {*environment.EXTRAS, *environment.EXTRAS_BESIDE}
    assert run.wanted_extras(["--extras", "postgres"]) == "postgres"


@pytest.mark.parametrize(("extra", "level", "beside"), [("metrics", "metrics", []), ("postgres", None, ["postgres"])])
def test_an_extra_beside_the_others_leaves_them_as_they_are(run, monkeypatch, extra, level, beside):
    levels, added = [], []
    monkeypatch.setattr(run, "set_up", lambda checkout, *, wanted, explicit: levels.append(wanted))
    monkeypatch.setattr(run, "add_extra", lambda checkout, extra: added.append(extra))
    assert run.main(["setup", "--extras", extra]) == 0
    assert (levels, added) == ([level], beside)


def test_wrong_extras_are_a_usage_error(run):
    with pytest.raises(SystemExit) as stopped:
        run.wanted_extras(["--extras", "torch"])
    assert stopped.value.code == 2


# What is run inside the environment


@pytest.mark.parametrize(("windows", "python"), [(False, "bin/python"), (True, "Scripts/python.exe")])
def test_verbs_become_commands_of_the_environment(run, tmp_path, windows, python):
    checkout = Checkout(tmp_path, windows=windows)
    python = str(tmp_path / ".venv" / python)
    command = run.command_for("quiz", ["--windowed"], checkout, with_qt=True)
    assert command == [python, "-P", "-m", "gan_eval", "quiz", "--windowed"]
    assert run.command_for("test", [], checkout, with_qt=True) == [python, "-m", "pytest", "-n", "2"]
    chosen = run.command_for("test", ["-k", "stamp"], checkout, with_qt=False)
    assert chosen == [python, "-m", "pytest", "-p", "no:pytest-qt", "-k", "stamp"]
    script = str(ROOT / "packaging" / "build_quiz.py")
    assert run.command_for("build-quiz", ["--out", "q"], checkout, with_qt=True) == [python, script, "--out", "q"]


@pytest.mark.parametrize(("there", "installs"), [(True, False), (False, True)])
def test_an_extra_beside_the_others_is_installed_where_it_is_missing(checkout, commands, monkeypatch, there, installs):
    monkeypatch.setattr(environment, "ends_well", lambda command: there)
    environment.add_extra(checkout, "packaging")
    assert [command[-1] for command in commands] == [".[packaging]"] * installs


def test_training_verbs_get_the_allocator_settings_where_glibc_reads_them(run):
    name = "MALLOC_TRIM_THRESHOLD_"
    assert int(run.environment_for("train", {}, glibc=True)[name]) > 2**32
    assert name not in run.environment_for("train", {}, glibc=False)
    assert name not in run.environment_for("quiz", {}, glibc=True)
    assert run.environment_for("demo", {name: "1"}, glibc=True)[name] == "1"


def test_tests_use_one_thread_a_worker_unless_told(run):
    assert run.environment_for("test", {"A": "b"}, glibc=True) == {"A": "b", "OMP_NUM_THREADS": "1"}
    assert run.environment_for("test", {"OMP_NUM_THREADS": "4"}, glibc=True)["OMP_NUM_THREADS"] == "4"


def test_a_ready_environment_is_handed_over_to_at_once(run, checkout, commands, monkeypatch):
    handed = []
    monkeypatch.setattr(run, "ROOT", checkout.root)
    monkeypatch.setattr(run, "hand_over", lambda command, **_: handed.append(command[1:]) or 0)
    assert run.main(["metrics", "--list"]) == 0
    assert handed == [["-P", "-m", "gan_eval", "metrics", "--list"]]
    assert commands == []


# Stamps and extras


def test_an_environment_only_grows():
    stamp = Stamp(extras="train", python="3.11", root="/x", inputs="", finished=True)
    assert environment.extras_to_install(stamp, "none") == "train"
    assert environment.extras_to_install(stamp, "dev") == "dev"
    assert environment.extras_to_install(stamp, None) == "train"
    assert environment.extras_to_install(None, "none") == "none"
    assert environment.extras_to_install(None, None) == "train"


def test_a_finished_environment_is_ready_for_what_it_holds(checkout):
    assert environment.is_ready(checkout, None)
    assert environment.is_ready(checkout, "none")
    assert environment.is_ready(checkout, "train")
    assert not environment.is_ready(checkout, "dev")


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_other_versions_make_it_stale(checkout, name):
    (checkout.root / name).write_text("changed")
    assert not environment.is_ready(checkout, None)


def test_a_new_format_makes_it_stale(checkout, monkeypatch):
    monkeypatch.setattr(environment, "FORMAT", environment.FORMAT + 1)
    assert not environment.is_ready(checkout, None)


def test_an_environment_without_its_python_is_not_ready(checkout):
    checkout.python.unlink()
    assert not environment.is_ready(checkout, None)
    assert "no working Python" in environment.reason_to_remake(checkout)


def test_an_unfinished_installation_is_not_ready(checkout):
    environment.write_stamp(checkout, environment.fresh_stamp(checkout, "train", finished=False))
    assert not environment.is_ready(checkout, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"extras": "train"}', json.dumps({"extras": "x"})])
def test_a_stamp_that_cannot_be_read_is_none(checkout, text):
    checkout.stamp_file.write_text(text)
    assert environment.read_stamp(checkout) is None


def test_another_python_or_place_means_making_it_anew(checkout, monkeypatch):
    assert environment.reason_to_remake(checkout) is None
    moved = environment.fresh_stamp(Checkout(checkout.root), "train", finished=True)
    environment.write_stamp(checkout, Stamp(**{**vars(moved), "root": "/elsewhere"}))
    assert "moved" in environment.reason_to_remake(checkout)
    monkeypatch.setattr(environment, "python_version", lambda: "3.99")
    assert "another Python" in environment.reason_to_remake(checkout)


# Interrupted installations


def add_package(checkout: Checkout, name: str, content: str = "x = 1\n") -> Path:
    """Install a package of one module the way installers do: the module, then its RECORD."""
    module = checkout.site_packages / f"{name}.py"
    module.write_text(content)
    information = checkout.site_packages / f"{name}-1.0.dist-info"
    information.mkdir()
    (information / "RECORD").write_text(f"{name}.py,sha256=abc,{len(content)}\n{information.name}/RECORD,,\n")
    return module


def test_packages_with_all_files_are_whole(checkout):
    add_package(checkout, "whole")
    assert environment.damaged_packages(checkout.site_packages) == []


def test_packages_cut_short_are_found(checkout):
    add_package(checkout, "whole")
    add_package(checkout, "truncated").write_text("x")
    add_package(checkout, "absent").unlink()
    (checkout.site_packages / "begun-1.0.dist-info").mkdir()
    assert environment.damaged_packages(checkout.site_packages) == ["absent-1.0", "begun-1.0", "truncated-1.0"]


def test_an_interrupted_installation_without_damage_is_continued(checkout, commands, monkeypatch):
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    environment.write_stamp(checkout, environment.fresh_stamp(checkout, "train", finished=False))
    add_package(checkout, "whole")
    environment.install(checkout, "train")
    assert [command[1:4] for command in commands] == [["-m", "pip", "install"]]
    assert environment.is_ready(checkout, "train")


def test_an_interrupted_installation_with_damage_is_made_anew(checkout, commands, monkeypatch):
    environment.write_stamp(checkout, environment.fresh_stamp(checkout, "train", finished=False))
    add_package(checkout, "truncated").write_text("x")
    environment.make_environment(checkout, "pip")
    assert not checkout.venv.exists()
    assert commands == [[sys.executable, "-m", "venv", str(checkout.venv)]]


def test_a_removal_that_was_cut_short_can_be_gone_on_with(checkout, commands, monkeypatch):
    removed = []

    def cut_short(path):
        removed.append(path)
        raise KeyboardInterrupt

    checkout.stamp_file.unlink()
    checkout.python.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(environment.shutil, "rmtree", cut_short)
        with pytest.raises(KeyboardInterrupt):
            environment.make_environment(checkout, "pip")
    assert removed
    environment.make_environment(checkout, "pip")
    assert not checkout.venv.exists()


def test_removing_an_environment_follows_no_links(checkout, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "thesis.txt").write_text("mine")
    (checkout.venv / "lib64").symlink_to(elsewhere, target_is_directory=True)
    environment.remove_environment(checkout.venv)
    assert not checkout.venv.exists()
    assert (elsewhere / "thesis.txt").exists()


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path, commands):
    checkout = Checkout(tmp_path)
    checkout.venv.mkdir()
    (checkout.venv / "thesis.txt").write_text("mine")
    with pytest.raises(tools.SetupError, match="move it away"):
        environment.make_environment(checkout, "pip")
    assert (checkout.venv / "thesis.txt").exists()


def test_a_failed_upgrade_leaves_the_environment_usable(checkout, monkeypatch):
    def fail(*_, **__):
        raise tools.SetupError("no network")

    monkeypatch.setattr(environment, "run_shown", fail)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    with pytest.raises(tools.SetupError, match="no network"):
        environment.install(checkout, "dev")
    assert environment.is_ready(checkout, "train")


# Commands on the platforms


def test_uv_seeds_pip_and_pip_takes_over_where_uv_fails(checkout, monkeypatch):
    ran = []

    def only_pip(command, **_):
        ran.append(command)
        if command[0] == "/bin/uv":
            raise tools.SetupError("uv knows no such index")
        if command[:3] == [sys.executable, "-m", "venv"]:
            checkout.python.parent.mkdir(parents=True)

    monkeypatch.setattr(environment, "run_shown", only_pip)
    monkeypatch.setattr(environment.shutil, "which", lambda name: "/bin/uv")
    environment.shutil.rmtree(checkout.venv)
    environment.install(checkout, "train")
    assert ran[0] == ["/bin/uv", "venv", "--seed", "--python", sys.executable, str(checkout.venv)]
    assert [command[0] for command in ran] == ["/bin/uv", sys.executable, str(checkout.python)]


@pytest.mark.parametrize(("extras", "compiled"), [("none", 0), ("metrics", 2)])
def test_set_up_compiles_the_kernels_also_after_an_update(checkout, commands, monkeypatch, capsys, extras, compiled):
    monkeypatch.setattr(environment, "prepare_system", lambda **_: None)
    environment.write_stamp(checkout, environment.fresh_stamp(checkout, extras, finished=True))
    for _ in range(2):  # the second time all is installed, but the code may have changed
        environment.set_up(checkout, wanted=extras, explicit=True)
    assert commands.count([str(checkout.python), "-P", "-c", environment.WARM_UP]) == compiled
    assert capsys.readouterr().err.count("compiling the metrics' kernels: once") == compiled


def test_kernels_that_cannot_be_compiled_stop_no_set_up(checkout, monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise environment.SetupError("no space left")

    monkeypatch.setattr(environment, "run_shown", fail)
    environment.compile_kernels(checkout)
    assert "no space left\nThe first measurement will compile them." in capsys.readouterr().err


def test_installation_is_editable_and_under_the_constraints(checkout):
    by_pip = environment.install_command(checkout, "train", "pip")
    assert by_pip[:4] == [str(checkout.python), "-m", "pip", "install"]
    assert by_pip[-4:] == ["--constraint", str(checkout.constraints), "--editable", ".[train]"]
    by_uv = environment.install_command(checkout, "none", "/bin/uv")
    assert by_uv[:5] == ["/bin/uv", "pip", "install", "--python", str(checkout.python)]
    assert by_uv[-1] == "."


def test_constraints_hold_versions_and_no_address():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert any(line.startswith("torch==") for line in lines)
    assert all(line.count("==") == 1 and "://" not in line and "@" not in line for line in lines)


def test_the_package_is_imported_where_a_folder_has_its_name(tmp_path):
    """A clone is often called gan_eval; in the folder that holds it, the package must come before the clone."""
    (tmp_path / "gan_eval").mkdir()
    code = "import gan_eval, trainer; print(gan_eval.analyze.__name__)"
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=own, capture_output=True, text=True)
    assert done.stdout == "analyze\n", done.stderr


@pytest.mark.parametrize(
    ("printed", "step"),
    [
        ([], ""),
        (["Collecting torch", "Downloading torch.whl (800 MB)"], "Downloading torch.whl (800 MB)"),
        (["Installing collected packages: a, b", "Successfully uninstalled a-1.0"], "copying 2 packages into .venv"),
    ],
)
def test_the_step_that_is_shown_is_the_one_under_way(printed, step):
    assert tools.current_step(printed).startswith(step)
    assert "uninstall" not in tools.current_step(printed)


def test_a_second_set_up_says_what_it_waits_for(tmp_path, capsys):
    fcntl = pytest.importorskip("fcntl")
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    threading.Timer(0.2, os.close, [other]).start()
    with environment.exclusive(tmp_path):
        said = capsys.readouterr().err
    assert f"another ./run is installing into {tmp_path / '.venv'}, which takes {environment.DURATION}" in said


# The system's packages


@pytest.fixture
def bare_debian(monkeypatch):
    """Debian with nothing beside Python."""
    monkeypatch.setattr(system, "missing_libraries", lambda: IMPORT_LIBRARIES[:1])
    monkeypatch.setattr(system, "has_venv", lambda: False)
    monkeypatch.setattr(system.shutil, "which", lambda name: None)
    monkeypatch.setattr(system.sys, "platform", "linux")


def test_root_on_debian_installs_what_is_missing(bare_debian, monkeypatch, commands):
    monkeypatch.setattr(system, "may_use_apt", lambda: True)
    with pytest.raises(tools.SetupError, match="ensurepip"):  # the pretended installation brought nothing
        system.prepare_system(environment_needed=True, for_tests=True)
    assert commands[0][-5:] == [system.venv_package(), "libgl1", "xvfb", "xdotool", "binutils"]


def test_others_are_told_one_command_and_go_on(bare_debian, monkeypatch, commands, capsys):
    monkeypatch.setattr(system, "may_use_apt", lambda: False)
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    system.prepare_system(environment_needed=False, for_tests=True)
    assert "sudo apt-get install -y --no-install-recommends libgl1 xvfb xdotool binutils\n" in capsys.readouterr().err
    assert commands == []


def test_other_systems_are_told_the_libraries(bare_debian, monkeypatch, commands, capsys):
    monkeypatch.setattr(system, "may_use_apt", lambda: False)
    monkeypatch.setattr(system, "install_command", lambda libraries: f"install {libraries[0].soname}")
    system.prepare_system(environment_needed=False, for_tests=False)
    assert "install libGL.so.1" in capsys.readouterr().err
    assert commands == []


def test_apt_fetches_its_lists_only_where_the_first_try_fails(monkeypatch, capsys):
    ran = []

    def fails_once(command, **_):
        ran.append(command[3])
        if len(ran) == 1:
            raise tools.SetupError("E: Unable to locate package")

    monkeypatch.setattr(system, "run_shown", fails_once)
    system.apt_install(["libgl1"])
    assert ran == ["install", "update", "install"]


def test_a_failing_apt_is_said_and_stops_nothing(monkeypatch, capsys):
    def fail(*_, **__):
        raise tools.SetupError("E: no network")

    monkeypatch.setattr(system, "run_shown", fail)
    system.apt_install(["libgl1"])
    assert "apt-get install libgl1" in capsys.readouterr().err


@pytest.mark.parametrize(("platform", "word"), [("linux", "apt-get"), ("darwin", "brew"), ("win32", "python.org")])
def test_how_to_get_venv_fits_the_platform(platform, word):
    assert word in system.how_to_get_venv(platform)


# Running tools


def test_a_failed_tool_shows_its_last_lines(tmp_path):
    code = "import sys; print(*range(100), sep='\\n'); sys.exit(3)"
    with pytest.raises(tools.SetupError) as failed:
        tools.run_shown([sys.executable, "-c", code], folder=tmp_path, what="counting")
    lines = str(failed.value).splitlines()
    assert lines[0] == "counting: failed with exit status 3. Its last lines:"
    assert [line.strip() for line in lines[1:]] == [str(n) for n in range(85, 100)]


def test_a_tool_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(tools.SetupError, match="cannot be started"):
        tools.run_shown([str(tmp_path / "nothing")], folder=tmp_path, what="nothing")
