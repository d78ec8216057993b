"""The commands of a lab's desktop, which start without the others."""

import subprocess
import sys

import pytest
import typer

from gan_eval.__main__ import run
from gan_eval.cli.app import app
from gan_eval.cli.lab import LAB_VERBS, lab_app
from gan_eval.cli.options import session_summary
from gan_eval.quiz import SessionResult


def verbs(application: typer.Typer) -> dict[str, object]:
    """The commands of an application by their verbs."""
    return dict(typer.main.get_command(application).commands)  # type: ignore[attr-defined]


def test_the_verbs_are_those_of_the_application():
    assert sorted(verbs(lab_app)) == sorted(LAB_VERBS)


def test_all_commands_hold_those_of_the_lab():
    everything = verbs(app)
    for verb, command in verbs(lab_app).items():
        assert everything[verb].help == command.help  # type: ignore[attr-defined]


@pytest.mark.parametrize("arguments", [["--version"], ["quiz", "--help"], ["train", "--help"], ["metrics", "--help"]])
def test_every_command_is_found(arguments, capsys):
    assert run(arguments) == 0
    assert capsys.readouterr().out


def test_a_command_of_the_lab_leaves_the_others_alone():
    code = """
import sys
from gan_eval.__main__ import run
status = run(["quiz"])
print(status, "gan_eval.cli.app" in sys.modules)
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
    result = SessionResult("id", "P01", 1, "complete", False, (trial,), (), ())
    assert session_summary(result) == f"P01: session complete, 1 trials stored, {answered} answered"
