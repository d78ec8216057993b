"""Waiting for another program that makes the same SQLite file."""

import sqlite3
from typing import cast

import pytest

from gan_eval.files.sqlite_files import write_ahead


class Busy:
    """A connection whose file another program holds for a while."""

    def __init__(self, times: int, message: str = "database is locked") -> None:
        self.times, self.message, self.asked = times, message, 0

    def execute(self, _: str) -> None:
        self.asked += 1
        if self.asked <= self.times:
            raise sqlite3.OperationalError(self.message)


def switch(busy: Busy, *, patience_s: float) -> None:
    write_ahead(cast(sqlite3.Connection, busy), patience_s=patience_s)


def test_it_asks_again_until_the_other_is_done() -> None:
    busy = Busy(3)
    switch(busy, patience_s=60)
    assert busy.asked == 4


@pytest.mark.parametrize(("message", "patience_s"), [("database is locked", 0.0), ("disk I/O error", 60.0)])
def test_it_gives_up(message: str, patience_s: float) -> None:
    with pytest.raises(sqlite3.OperationalError, match=message):
        switch(Busy(1000, message), patience_s=patience_s)
