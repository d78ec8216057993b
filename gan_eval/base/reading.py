"""Read text, JSON and TOML files, with errors that name the file and the fix; parse the place of a results store."""

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from urllib.parse import quote, quote_plus

from gan_eval.base.errors import UserError

if TYPE_CHECKING:
    import sqlalchemy as sa


def require_file(path: Path) -> os.stat_result | None:
    """Refuse a path whose reading may not end; return the file's status, or None if it does not exist."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a path's own `stat` costs twice as much
    except (OSError, ValueError):
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise UserError(f"{path}: a pipe, socket or device, not a file; name a file")
    return status


def no_folder(path: Path, what: str = "folder") -> str:
    """Return the message for a path that is not a folder; `what` describes it."""
    is_file = os.path.isfile(path)  # noqa: PTH113 - a path's own method fails in an unreadable folder
    return f"{path}: is a file, not a {what}; name the folder" if is_file else f"{path}: no such {what}"


def read_bytes(path: Path, *, what: str = "file") -> bytes:
    """Read a file; `what` describes it in messages."""
    require_file(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        link = ": the link leads nowhere; fix or remove it" if Path(path).is_symlink() else ""
        raise UserError(f"{path}: no such {what}{link}") from error
    except OSError as error:
        if Path(path).is_dir():
            raise UserError(f"{path}: not a readable {what}, but a folder; name a file in it") from error
        raise UserError(f"{path}: not a readable {what} ({error.strerror or error}); fix or remove it") from error


def read_json(path: Path) -> Any:
    """Read JSON."""
    try:
        return json.loads(read_bytes(path).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON ({syntax_problem(error)}); restore it or remove it") from error


def read_toml(path: Path, *, what: str = "file") -> dict[str, Any]:
    """Read TOML; `what` describes the file in messages."""
    import tomllib

    try:
        return tomllib.loads(read_bytes(path, what=what).decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; TOML is text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        fix = 'put a text into quotes, such as "en"' if "Invalid value" in str(error) else "fix it there"
        raise UserError(f"{path}: not valid TOML: {syntax_problem(error)}; {fix}") from error


def syntax_problem(error: ValueError | RecursionError) -> str:
    """Return a JSON or TOML parser's message, which may also be about deep nesting or a number of very many digits.

    >>> syntax_problem(RecursionError("maximum recursion depth exceeded"))
    'nested too deeply'
    """
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).partition("; use sys.")[0]


_SECRETS = ("password", "sslpassword", "passfile")


@dataclass(frozen=True)
class Address:
    """Address of a database on a server. Its text, for messages and commands, has no password."""

    url: "sa.URL" = field(repr=False)

    def __str__(self) -> str:
        """Return the URL without password; `~/.pgpass` or PGPASSWORD can supply it when the URL is used again."""
        url, query = self.url, {name: value for name, value in self.url.query.items() if name not in _SECRETS}
        return str(url.create("postgresql", url.username, None, url.host, url.port, url.database, query))

    def scrub(self, text: str) -> str:
        """Return a driver's message in one line, with the password replaced in each form in which it may appear."""
        secrets = [str(self.url.password or ""), *(str(self.url.query.get(name, "")) for name in _SECRETS)]
        line = " ".join(text.split())
        for secret in filter(None, secrets):
            for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
                line = line.replace(form, "***")
        return line


if TYPE_CHECKING:
    Place = Path | Address
else:

    class Place:
        """The place of a store: `Path | Address`. Typer refuses a union, and shows its name in help."""

    Place.__name__ = "path|URL"


def place_of(where: str | Place) -> Place:
    """Parse a path, or `postgresql://user:password@host/database`, or the same with `postgresql+psycopg://`.

    Raises:
        UserError: the URL is not valid, is not for PostgreSQL, or names no database.
    """
    if not isinstance(where, str):
        return where
    expected = "expected one such as postgresql://user@host/database"
    if "://" not in where:
        if re.match(r"postgres(ql)?(\+\w+)?:", where, re.IGNORECASE):  # not shown: it may contain a password
            raise UserError(f"--store: not a database URL; {expected} (for a file of this name: ./NAME)")
        return Path(where)
    import sqlalchemy as sa

    try:
        url = sa.make_url(where)
    except (sa.exc.ArgumentError, ValueError) as error:  # the error's message would show the password
        raise UserError(f"--store: not a database URL; {expected}") from error
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise UserError(f"--store {url.drivername}://...: a lab's server is PostgreSQL; {expected}")
    if not url.database:
        raise UserError(f"--store: the URL names no database; {expected}")
    return Address(url.set(drivername="postgresql+psycopg"))


@overload
def resolved(place: Path) -> Path: ...
@overload
def resolved(place: Place) -> Place: ...
def resolved(place: Place) -> Place:
    """Return an absolute path without links; an address, and a link that leads to itself, stay as they are.

    Before Python 3.13, `Path.resolve` raises `RuntimeError` for such a link.
    """
    return place if isinstance(place, Address) else Path(os.path.realpath(place))


def plain_file(store_or_file: Place) -> Path | None:
    """Return the path of what is not a database, judged by its first bytes; None for a store."""
    if isinstance(store_or_file, Address):
        return None
    with suppress(OSError):
        if store_or_file.is_file():
            with store_or_file.open("rb") as file:
                return None if file.read(16) == b"SQLite format 3\0" else store_or_file
    return store_or_file
