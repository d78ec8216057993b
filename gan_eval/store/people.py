"""Who has done what."""

from dataclasses import dataclass

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.store.results import Store
from gan_eval.tables.schema import Table


@dataclass(frozen=True)
class Participation:
    """One participant's session in one study."""

    participant: str
    study: str
    protocol: str
    list: int | None
    status: str
    trials: int
    """Trials that are stored."""
    planned: int
    started_at: str | None
    station: str | None
    simulated: bool


def list_participants(store: Store, study: str | None = None) -> list[Participation]:
    """Who has done what, in the order of the sessions; of one study where it is named.

    Raises:
        UserError: the store cannot be read.
    """
    equal = {} if study is None else {"study": study}
    sessions = store.rows(tables.SESSIONS, **equal)
    trials, planned = _rows_by_session(store, tables.TRIALS), _rows_by_session(store, tables.PLANS)
    copied = ("participant", "study", "protocol", "list", "status", "started_at", "station", "simulated")
    return [
        Participation(
            **{name: row[name] for name in copied},
            trials=trials.get(row["session"], 0),
            planned=planned.get(row["session"], 0),
        )
        for row in sessions
    ]


def has_people(store: Store, study: str) -> bool:
    """Whether a person, not a simulated participant, has answered anything in a study.

    Raises:
        UserError: the store cannot be read.
    """
    layout = store.layout(tables.TRIALS)
    of_people = sa.select(layout.c.session).where(layout.c.study == study, layout.c.simulated == sa.false()).limit(1)
    with store.transaction() as connection:
        return connection.execute(of_people).first() is not None


def _rows_by_session(store: Store, table: Table) -> dict[str, int]:
    session = store.layout(table).c.session
    with store.transaction() as connection:
        found = connection.execute(sa.select(session, sa.func.count()).group_by(session))
        return {name: number for name, number in found}  # noqa: C416
