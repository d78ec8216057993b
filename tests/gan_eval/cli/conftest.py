"""One way to give a command in the tests of commands."""

from collections.abc import Callable

import pytest

from gan_eval.__main__ import run

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """`command("metrics", SET)`: exit status, stdout, stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        status = run([*map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err

    return call
