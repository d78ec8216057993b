"""Type of the fixture `command`."""

from collections.abc import Callable

Command = Callable[..., tuple[int, str, str]]
"""Gives a command in this process: exit status, stdout, stderr."""
