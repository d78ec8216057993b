"""Which lists are given out: each belongs to one session from the moment it is chosen, not only from its first trial.

Between the two lie the pages before the first trial, and other programs may deal from the same store meanwhile.
"""

from collections.abc import Callable, Collection

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.store.results import Store, reserve

_OWN = sa.MetaData()
_DEALT = sa.Table(
    "gan_eval_dealt",
    _OWN,
    sa.Column("session", sa.Text, primary_key=True),
    sa.Column("study", sa.Text, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("list", sa.BigInteger, nullable=False),
)
"""Lists of sessions that have not begun yet, and of those that have. Other programs' rows may be missing here."""


def deal_list(
    store: Store, session: str, study: str, *, simulated: bool, choose: Callable[[Collection[int]], int]
) -> tuple[int, frozenset[int]]:
    """Choose a list for a session and keep it for that session, in one transaction; the list, and those taken before.

    Args:
        store: the results store.
        session: the session that is to begin with the list.
        study: the study; each counts its own lists.
        simulated: people and simulated participants are counted apart.
        choose: from the lists that are taken to the one for this session; what it raises leaves the store as it was.

    Raises:
        UserError: the store cannot be written.
    """
    sessions = store.layout(tables.SESSIONS)
    with store.transaction() as connection:
        reserve(connection)
        _OWN.create_all(connection)
        taken = {
            number
            for table in (sessions, _DEALT)
            for number in connection.execute(
                sa.select(table.c.list).where(table.c.study == study, table.c.simulated == simulated)
            ).scalars()
            if number is not None
        }
        number = choose(taken)
        connection.execute(_DEALT.insert().values(session=session, study=study, simulated=simulated, list=number))
    return number, frozenset(taken)


def give_back_list(store: Store, session: str) -> None:
    """The session will not begin: its list may go to another one.

    Raises:
        UserError: the store cannot be written.
    """
    with store.transaction() as connection:
        reserve(connection)
        connection.execute(_DEALT.delete().where(_DEALT.c.session == session))
