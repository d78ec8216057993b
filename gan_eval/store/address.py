"""The address of a lab's PostgreSQL server: checked, and told without its password."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import sqlalchemy as sa

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes

CONNECT_S = 3
"""How long a new connection may take before the server counts as unreachable."""

SILENCE_S = 10
"""How long a server may be silent within a delivery before it counts as unreachable."""

_SECRETS = ("password", "sslpassword", "passfile")


@dataclass(frozen=True)
class Address:
    """Where a server is. Its text holds no password."""

    url: sa.URL = field(repr=False)

    @property
    def shown(self) -> str:
        """The URL without a password, as it can be given again where `~/.pgpass` or PGPASSWORD has the password."""
        url, query = self.url, {name: value for name, value in self.url.query.items() if name not in _SECRETS}
        return str(sa.URL.create("postgresql", url.username, None, url.host, url.port, url.database, query))

    @property
    def digest(self) -> str:
        """A hash of the URL, the same for every password and without one."""
        return sha256_bytes(self.shown.encode())

    def scrub(self, text: str) -> str:
        """One line of a driver's message without the password that it may hold, however it is written there."""
        secrets = [str(self.url.password or ""), *(str(self.url.query.get(name, "")) for name in _SECRETS)]
        line = " ".join(text.split())
        for secret in filter(None, secrets):
            for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
                line = line.replace(form, "***")
        return line

    def arguments(self, *, connect_s: float = CONNECT_S, hurried: bool = False) -> dict[str, Any]:
        """What the driver is told beside the URL, so that a pulled cable is noticed; what the URL says goes first.

        Args:
            connect_s: how long a new connection may take.
            hurried: no statement may take long, as beside a session; else reading many rows takes its time.
        """
        milliseconds = round(1000 * SILENCE_S)
        wanted = {
            "connect_timeout": round(max(2, connect_s)),  # libpq takes 1 for 2
            "tcp_user_timeout": milliseconds,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "application_name": "gan_eval",
        }
        if hurried:
            wanted["options"] = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        return {name: value for name, value in wanted.items() if name not in self.url.query}


def is_address(where: object) -> bool:
    """Whether a store is named by a URL, not by a path."""
    return "://" in str(where)


def parse_address(text: str, *, option: str = "--store") -> Address:
    """Read `postgresql://user:password@host/database` (or `postgresql+psycopg://`, the driver's name in full).

    Raises:
        UserError: it is not such a URL.
    """
    wanted = "wanted one such as postgresql://user@host/database"
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:  # their messages hold the URL, password and all
        raise UserError(f"{option}: not a database URL; {wanted}") from error
    if url.drivername == "postgres":
        raise UserError(f"{option} postgres://...: write postgresql:// for postgres://")
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise UserError(f"{option} {url.drivername}://...: a lab's server is PostgreSQL; {wanted}")
    if not url.database:
        raise UserError(f"{option}: the URL names no database; {wanted}")
    return Address(url.set(drivername="postgresql+psycopg"))
