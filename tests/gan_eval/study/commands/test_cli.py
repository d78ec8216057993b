"""The command line: exit statuses and the one line that names file, field and fix."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import typer
from pydantic import Field

import gan_eval
from gan_eval.base.commands import VERBS
from gan_eval.base.errors import MAX_LENGTH
from gan_eval.quiz.room import SessionResult
from gan_eval.settings.sections import Option, Section, mark_of
from gan_eval.settings.study import Study
from gan_eval.settings.template import settings_of
from gan_eval.study.commands.app import application
from gan_eval.study.commands.options import on_command_line, values_of_options
from gan_eval.study.commands.quiz import session_summary

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["quiz", "--nonsense"], ["generate"]])
def test_wrong_usage_is_status_2(command, arguments):
    status, out, err = command(*arguments)
    assert (status, out) == (2, "")
    assert "Usage" in err


@pytest.mark.parametrize(("verb", "dashes"), [([], ""), (["report", "a"], "--"), (["study"], "")])
def test_wrong_usage_of_any_length_is_reported_in_a_short_line(command, verb, dashes):
    status, _, err = command(*verb, dashes + "\x1b" * 5000)
    line = err.splitlines()[-1]
    assert status == 2
    assert line.startswith("gan-eval: ")
    assert "\x1b" not in err
    assert len(line) < MAX_LENGTH + 100


def test_a_setting_marked_as_an_option_is_one_with_its_words_and_default():
    verbs = {"study": ("quiz", "serve"), "quiz": ("quiz", "serve"), "training": ("train",), "power": ("power",)}
    commands = typer.main.get_command(application()).commands
    options = {verb: {each.name: each.help for each in command.params} for verb, command in commands.items()}
    for section in settings_of(Study):
        marked = [name for name, field in section.section.model_fields.items() if mark_of(field, Option)]
        assert not marked or section.name in verbs, "no command takes these options"
        assert all(name in options[verb] for name in marked for verb in verbs[section.name])
    assert "quick_response, yes_no, paired" in options["serve"]["protocol"]
    assert "default: 25." in options["quiz"]["real"]


def test_an_option_is_read_as_its_setting_s_type():
    class Kinds(Section):
        flag: bool = False
        title: str | None = None
        size: int | Literal["native"] = 1
        names: tuple[str, ...] = ()
        levels: tuple[float, ...] = ()
        keys: dict[str, str] = Field(default={})

    texts = {"flag": True, "title": "1984", "size": "12", "names": "1, b", "levels": "100,.5", "keys": "a=1,b=c"}
    values = {
        "flag": True,
        "title": "1984",
        "size": 12,
        "names": ("1", "b"),
        "levels": (100, 0.5),
        "keys": {"a": "1", "b": "c"},
    }
    assert values_of_options(Kinds, texts) == values == Kinds(**values).model_dump()


def test_a_word_that_an_option_does_not_have_is_named_with_the_words_it_has(command):
    status, _, err = command("try", "real", "fake", "--fit", "croop")
    assert (status, err) == (
        2,
        "gan-eval: try: Invalid value for '--fit': 'croop' is not one of 'crop', 'stretch', 'corner', 'centre'.\n",
    )


def test_version_and_help(command):
    assert command("--version")[:2] == (0, f"gan_eval {gan_eval.__version__}\n")
    everything = typer.main.get_command(application()).commands
    for verb in VERBS:
        assert everything[verb].help == typer.main.get_command(application([verb])).commands[verb].help
    assert everything["analyze"].help.count("\n") == 6, "only paragraphs end a line; the terminal's width breaks it"
    status, out, _ = command("train", "--help")
    assert (status, "[training]" in out) == (0, True), "names in brackets are shown"


def test_the_help_has_whole_sentences_and_shells_complete_an_installed_program(command, monkeypatch):
    status, out, _ = command("--help")
    assert (status, "..." in out.replace("[ARGS]...", "")) == (0, False)
    assert "Do a whole small study with pictures that come with a package: train, show, measure, report." in " ".join(
        out.split()
    )
    monkeypatch.setattr("gan_eval.study.commands.app.program", lambda: "gan-eval")
    assert "--install-completion" in command("--help")[1]
    monkeypatch.setattr("gan_eval.study.commands.app.program", lambda: "./run")
    assert "--install-completion" not in command("--help")[1], "shells complete names, not paths"


def lacking(library: str) -> Callable[[], None]:
    def fault() -> None:
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)

    return fault


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (lambda: 1 / 0, 1, "ZeroDivisionError"),
        *((lacking(name), 2, "./run setup --extras metrics") for name in ("torch", "numba", "piq", "lpips", "sklearn")),
    ],
)
def test_an_error_of_the_program_is_status_1_with_its_trace_and_a_library_that_lacks_names_its_extra(
    monkeypatch, command, fault, status, words
):
    monkeypatch.setattr("gan_eval.study.commands.doctor.examine", fault)
    found, _, err = command("doctor")
    assert (found, words in err) == (status, True)


@pytest.mark.parametrize(
    ("moment", "status", "line"),
    [
        ("doctor.examine = interrupt", 130, "gan-eval: interrupted; rerun the command\n"),
        ("start.leave = lambda status: (interrupt(), sys.exit(status))", 0, ""),
    ],
)
def test_ctrl_c_ends_the_process_by_a_status_and_never_by_the_signal(moment, status, line):
    code = f"""
import atexit, os, signal, sys
from gan_eval import __main__
from gan_eval.study.commands import doctor
from gan_eval.base import start
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
doctor.examine = list
{moment}
sys.argv[1:] = ["doctor"]
__main__.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, line)


def test_a_reader_that_closes_the_pipe_is_no_error():
    command = f"{sys.executable} -m gan_eval metrics --list; echo $? >&2"
    done = subprocess.run(["sh", "-c", f"({command}) | true"], capture_output=True, text=True, check=False)
    assert done.stderr.strip() in ("0", "141")


@pytest.mark.parametrize(
    ("response", "choice", "rating", "answered"), [("none", None, None, 0), (None, "a", None, 1), (None, None, 4.0, 1)]
)
def test_answers_of_every_protocol_are_counted(response, choice, rating, answered):
    trial = {"response": response, "choice": choice, "rating": rating}
    result = SessionResult("P01", "complete", False, (trial,), ())
    assert session_summary(result) == f"P01: session complete, 1 trial stored, {answered} answered"


def test_a_quiz_without_a_study_names_the_command_for_its_answers(finished_study, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    words = ("--real", "4", "--fake", "4", "--participant", "P01", "--simulate", "default")
    status, _, said = command("quiz", "--stimuli", finished_study / "main", *words)
    assert status == 0
    assert said.splitlines()[-1].endswith(" analyze --store gan-eval.sqlite --out analysis")
    assert (tmp_path / "gan-eval.sqlite").is_file()


def test_an_absent_list_is_not_typed() -> None:
    """Click before 8.3 calls an absent argument of several values typed: `metrics --list` was refused."""
    context: Any = SimpleNamespace(
        params={"sets": []}, get_parameter_source=lambda _: SimpleNamespace(name="COMMANDLINE")
    )
    assert not on_command_line(context, "sets")
