"""The key of a page without a server: its lists, the keys of its files, and the links of its participants.

A list and its pictures are encrypted. Their keys are in the participant's link behind `#`, which browsers send to
nobody, with a proof that the link is the participant's own. The one link for all opens every list and proves no code.
"""

import base64
import csv
import hashlib
import hmac
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from gan_eval.errors import UserError
from gan_eval.files.atomic import atomic_path
from gan_eval.files.digests import sha256_json
from gan_eval.files.reading import read_bytes
from gan_eval.quiz.serve.cipher import NONCE_BYTES, encrypted
from gan_eval.quiz.serve.pictures import keyed_hash
from gan_eval.settings.quiz import QuizSettings

SIGNED: Final = 2
"""Format of keys whose pages send the proof of their link; earlier pages send none."""


class DealtList(BaseModel):
    """A list of a page: rows of `sessions` and `plans` without the session, and the own widths of its pictures."""

    row: dict[str, Any]
    plan: tuple[dict[str, Any], ...]
    widths: set[int]

    @property
    def sha256(self) -> str:
        """SHA-256 of what the answers are scored with: trials, keys and list number, but not the computer's name."""
        scored = {name: self.row[name] for name in ("list", "seed", "protocol", "keys")}
        return sha256_json({**scored, "plan": self.plan})


class PageKey(BaseModel):
    """The experimenter's part of a page: its secret, and the facts that make rows of its answers."""

    format: Literal[1, 2]
    page: str
    """Identifier of the page, in all of its records."""
    secret: str
    """Secret from which the keys of the lists and the proofs of the links are derived."""
    study: str
    design_hash: str
    design: dict[str, Any]
    settings: QuizSettings
    lists: list[DealtList]

    @property
    def key_of_all(self) -> bytes:
        """The key from which those of the lists are derived."""
        return hmac.digest(self.secret.encode(), b"lists", hashlib.sha256)

    def list_key(self, number: int) -> bytes:
        """The key of a list's file."""
        return encrypted(bytes(32), self.key_of_all, number.to_bytes(NONCE_BYTES, "little"))

    def proof(self, code: str, number: int) -> str:
        """Proof that a participant with a list of their own has their own link."""
        return keyed_hash(self.secret.encode(), "participant", code, str(number))

    @property
    def proof_of_all(self) -> str:
        """Proof of the one link for all."""
        return keyed_hash(self.secret.encode(), "everybody")

    @property
    def open_to_all(self) -> str:
        """What is behind `#` in the one link for all."""
        return f"all.{base64_text(self.key_of_all)}.{self.proof_of_all}"

    def links(self, address: str) -> Iterable[tuple[str, str, str]]:
        """Yield code, list number and link of each participant; in the last row, without a code, the one for all."""
        for number in range(1, len(self.lists) + 1):
            code = code_of(number)
            own = f"{base64_text(self.list_key(number))}.{self.proof(code, number)}"
            yield code, str(number), f"{address}/?participant={code}&list={number}#{own}"
        yield "", "", f"{address}/#{self.open_to_all}"


def read_key(path: Path) -> PageKey:
    """Read a page's key; raises `UserError` if the file is missing, damaged, or is not one."""
    try:
        content = json.loads(read_bytes(path, what="key of a page"))
        digest = content.pop("digest", None) if isinstance(content, dict) else None
        key = PageKey.model_validate_json(json.dumps(content))
        is_whole = digest == sha256_json(content) if digest is not None else key.format != SIGNED
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"--key {path}: not the key of a page, or damaged; give the file that `gan-eval export page` wrote"
        ) from error
    if not is_whole:
        raise UserError(f"--key {path}: damaged, its content has changed; give a copy of the file as it was written")
    return key


def write_key(key: PageKey, path: Path) -> None:
    """Write a key so that only this user can read it, with a digest that shows damage.

    Raises:
        UserError: the file cannot be written.
    """
    content = json.loads(key.model_dump_json(exclude_defaults=True, exclude={"settings": {"push_to"}}))
    text = json.dumps({"digest": sha256_json(content), **content}, ensure_ascii=False, separators=(",", ":"))
    write_private(path, text)


def write_links(key: PageKey, path: Path, address: str) -> None:
    """Write a table of the participants' links, which only this user can read.

    Raises:
        UserError: the file cannot be written.
    """
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("participant", "list", "link"), *key.links(address)])
    write_private(path, table.getvalue())


def write_private(path: Path, text: str) -> None:
    """Write a text that only this user can read."""
    with atomic_path(path) as temporary:
        temporary.chmod(0o600)
        temporary.write_text(text, "utf-8")


def code_of(number: int) -> str:
    """Return the participant's code in the link of a list.

    >>> code_of(7)
    'P07'
    """
    return f"P{number:02d}"


def base64_text(content: bytes) -> str:
    """Return bytes in base64 that is safe in addresses.

    >>> base64_text(bytes(3))
    'AAAA'
    """
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
