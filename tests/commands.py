"""What the fixture `command` gives to tests."""

from collections.abc import Callable

Command = Callable[..., tuple[int, str, str]]
"""Gives a command in this process: exit status, stdout, stderr."""
