"""Transactions whose failures are the user's line."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gan_eval.errors import UserError
from gan_eval.files import complaint, who_holds

_ERRORS = (sa.exc.SQLAlchemyError, sqlite3.Error, UnicodeError, OverflowError)
"""What SQLAlchemy and a driver raise for a database, or for a value that does not go into it."""

_LINES = (
    (("disk is full", "no space"), "the disk is full; free some space; what was answered before is safe"),
    (("disk i/o",),
     "the disk is full or damaged, or its folder cannot be written; mend that; what was answered before is safe"),
    (("not a database",), "not a results store; name another file with --store"),
    (("malformed", "corrupt", "no such table", "no such column"),
     "the store is damaged ({detail}); restore it from a copy, or save what is left by `sqlite3 FILE .recover`"),
    (("readonly", "unable to open", "permission"),
     "the store cannot be opened for writing; mend its permissions or name another place"),
    (("locked",), "{holder} is using the store; end it or wait for it, then give the same command again"),
)  # fmt: skip
"""Words in a database's message, in lower case, and what the user reads instead."""


class Transaction:
    """A connection in a transaction; database errors become the user's line."""

    def __init__(self, engine: sa.Engine, where: str, scrub: Callable[[str], str] = str) -> None:
        """Set up.

        Args:
            engine: the database's connections.
            where: path or URL of the store, without a password.
            scrub: takes a password out of the database's messages.
        """
        self._context = engine.begin()
        self._where = where
        self._scrub = scrub

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except _ERRORS as error:
            raise self._user_error(error) from None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self._context.__exit__(kind, error, trace)
        except _ERRORS as failure:
            raise self._user_error(failure) from None
        if isinstance(error, _ERRORS):
            raise self._user_error(error) from None

    def _user_error(self, error: BaseException) -> UserError:
        message = complaint(getattr(error, "orig", None) or error)
        return database_error(self._scrub(message), self._where)


def database_error(detail: str, where: str) -> UserError:
    """The user's line for what a database says."""
    low = detail.lower()
    if "unique" in low or "duplicate key" in low:
        return UserError(f"{where}: this row is in the store already ({detail}); nothing was overwritten")
    for words, line in _LINES:
        if any(word in low for word in words):
            holder = who_holds(Path(where)) if "{holder}" in line else ""
            return UserError(f"{where}: {line.format(detail=detail, holder=holder)}")
    return UserError(f"{where}: the store gave an error: {detail}")
