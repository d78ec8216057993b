"""Checks of bad input, one line each."""

from collections.abc import Callable
from typing import Any

import pytest

from gan_eval.base.errors import UserError


def refused(words: str, call: Callable[..., object], *arguments: Any, **options: Any) -> None:
    """Check that a call raises a `UserError` that matches `words`, a regular expression."""
    __tracebackhide__ = True
    with pytest.raises(UserError, match=words):
        call(*arguments, **options)
