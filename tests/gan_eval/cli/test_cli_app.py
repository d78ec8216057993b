"""Commands start without the others."""

import subprocess
import sys

import pytest
import typer

from gan_eval.__main__ import run
from gan_eval.cli.app import application
from gan_eval.cli.quiz import session_summary
from gan_eval.machine.commands import VERBS
from gan_eval.quiz.room import SessionResult


def test_one_command_is_the_same_alone_as_next_to_the_others():
    everything = typer.main.get_command(application()).commands
    for verb in VERBS:
        assert everything[verb].help == typer.main.get_command(application([verb])).commands[verb].help


@pytest.mark.parametrize("arguments", [["--version"], ["quiz", "--help"], ["train", "--help"], ["metrics", "--help"]])
def test_every_command_is_found(arguments, capsys):
    assert run(arguments) == 0
    assert capsys.readouterr().out


def test_help_shows_names_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    assert "[training]" in capsys.readouterr().out


def test_a_command_does_not_import_the_others():
    code = """
import sys
from gan_eval.__main__ import run
status = run(["quiz"])
print(status, "gan_eval.cli.train" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]


@pytest.mark.parametrize(
    ("response", "choice", "rating", "answered"),
    [
        ("fake", None, None, 1),
        ("none", None, None, 0),
        (None, "a", None, 1),
        (None, "none", None, 0),
        (None, None, 4.0, 1),
        (None, None, None, 0),
    ],
)
def test_answers_of_every_protocol_are_counted(
    response: str | None, choice: str | None, rating: float | None, answered: int
) -> None:
    trial = {"response": response, "choice": choice, "rating": rating}
    result = SessionResult("id", "P01", 1, "complete", False, (trial,), ())
    assert session_summary(result) == f"P01: session complete, 1 trials stored, {answered} answered"
