"""A store's tables as frames: the same cells as row by row."""

from pathlib import Path

import pandas as pd
import pytest
from stored_rows import SESSION, trial

from gan_eval import tables
from gan_eval.store import Store, open_store
from gan_eval.tables import frames as tabular
from gan_eval.tables.schema import Table


def full(path: Path, count: int) -> Path:
    """A store in which some columns are empty, some only at first, and texts hold what CSV and SQL might trip over."""
    odd = ["it's", 'say "so"', "a,b", "ü€", ""]
    rows = [
        {
            **trial(number),
            "flags": odd[number % 5] or None,
            "reaction_time_ms": None if number < count - 2 else 700 + number / 3,
            "correct": None if number % 3 else number % 2 == 0,
            "dataset": "" if number == 2 else "d",
        }
        for number in range(1, count + 1)
    ]
    with open_store(path) as store:
        store.begin({**SESSION, "list": 3, "seed": 2**63 - 1, "refresh_hz": 59.94}, [], None)
        store.begin({**SESSION, "session": "s2", "participant": "P02"}, [], None)  # seed and list are missing
        store.add(tables.TRIALS, rows)
    return path


@pytest.mark.parametrize("table", [tables.SESSIONS, tables.TRIALS, tables.CHECKS], ids=lambda table: table.name)
@pytest.mark.parametrize("equal", [{}, {"session": "s1"}, {"session": "it's another"}], ids=["all", "one", "none"])
def test_frames_and_rows_hold_equal_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Table, equal: dict[str, str]
) -> None:
    with open_store(full(tmp_path / "s.sqlite", 300)) as store:
        by_row = tabular.frame_of(store.rows(table, **equal), table)
        if table is tables.TRIALS:
            monkeypatch.setattr(Store, "rows", None)  # the slow way, for wrong cells and integers beyond 2^53
        pd.testing.assert_frame_equal(store.frame(table, **equal), by_row)
