"""Stations that write sessions, and the contents of a store."""

from pathlib import Path
from typing import Any

from gan_eval import tables
from gan_eval.store import STORED_TABLES, Store, new_session_id, open_store

STARTED = "2026-01-31T12:00:00.000Z"


class Sitting:
    """A session that a station writes into its own store."""

    def __init__(self, store: Store, participant: str, *, trials: int = 3, study: str = "faces") -> None:
        self.store = store
        self.session = new_session_id()
        self.shared = {"session": self.session, "study": study, "participant": participant, "simulated": False}
        row = {**self.shared, "protocol": "quick_response", "status": "open", "started_at": STARTED, "list": 1}
        plan = [{**self._picture(number), "sha256": "0" * 64, "block": 1} for number in range(1, trials + 1)]
        consent = {"session": self.session, "participant": participant, "given": True, "text": "Grüße, 世界"}
        store.begin(row, plan, consent)

    def answer(self, number: int, **values: Any) -> None:
        """One trial: its onset and its answer."""
        self.store.add(tables.ONSETS, [{"session": self.session, "trial": number, "onset_ms": number / 3}])
        measured = {"exposure_ms": 1000 / 3, "correct": number % 2 == 0, "reaction_time_ms": 0.1 + 0.2}
        self.store.add(tables.TRIALS, [{**self._picture(number), **self.shared, **measured, **values}])

    def end(self, status: str = "complete") -> None:
        """The session is over."""
        self.store.add(tables.CHECKS, [{"session": self.session, "check": "jitter", "value": 0.25}])
        self.store.set_status(self.session, status, "2026-01-31T12:10:00.000Z")

    def _picture(self, number: int) -> dict[str, Any]:
        named = {"stimulus": f"faces/real/{number}", "kind": "real", "item": f"faces/{number}"}
        return {**named, "session": self.session, "trial": number, "phase": "main"}


def contents(where: str | Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of a store."""
    with open_store(where, create=False) as store:
        return {table.name: store.rows(table) for table in STORED_TABLES}
