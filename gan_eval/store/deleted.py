"""Sessions whose participant's data were deleted from a store: no import, push or merge brings them back."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import sqlalchemy as sa

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.digests import sha256_bytes
from gan_eval.base.reading import resolved
from gan_eval.store.connect import DATABASE_ERRORS, read_only_engine

_DELETED = sa.Table("gan_eval_deleted", sa.MetaData(), sa.Column("digest", sa.Text, primary_key=True))
"""SHA-256 of the identifier of each session whose participant's data were deleted.

The identifier is random. Its digest names nobody and shows no time, but the session is known when it comes again.
"""


def digest_of(session: str) -> str:
    """Return what a store keeps of a deleted session: the SHA-256 of its identifier."""
    return sha256_bytes(session.encode())


def keep_deleted(connection: sa.Connection, digests: Collection[str]) -> None:
    """Store the digests of deleted sessions; import, push and merge then leave these sessions out."""
    if new := set(digests) - deleted_digests(connection):
        _DELETED.create(connection, checkfirst=True)
        keep = sa.text(f"INSERT INTO {_DELETED.name} VALUES (:digest) ON CONFLICT DO NOTHING")
        connection.execute(keep, [{"digest": digest} for digest in sorted(new)])


def deleted_digests(connection: sa.Connection) -> set[str]:
    """Return the digests (`digest_of`) of the sessions that were deleted from a store."""
    if not sa.inspect(connection).has_table(_DELETED.name):
        return set()
    return {*connection.execute(sa.select(_DELETED.c.digest)).scalars()}


def moved_stores(path: Path) -> list[Path]:
    """Return the earlier stores that `run --redo quiz` moved aside from a path, oldest first."""
    path = resolved(path)
    return sorted((path.parent / OWN_FOLDER / "old").glob(f"quiz-*/{path.name}"))


def deleted_from_moved(path: Path) -> set[str]:
    """Return the digests in the stores that were moved aside from a path; none of one that cannot be read."""
    digests = set[str]()
    for moved in moved_stores(path):
        engine = read_only_engine(moved)
        with suppress(*DATABASE_ERRORS), engine.connect() as connection:
            digests |= deleted_digests(connection)
        engine.dispose()
    return digests
