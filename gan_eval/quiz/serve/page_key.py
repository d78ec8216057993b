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
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from gan_eval import tables
from gan_eval.base.atomic import atomic_path
from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError, abbreviated
from gan_eval.base.reading import read_bytes
from gan_eval.quiz.protocol import OPPOSITE
from gan_eval.quiz.serve.cipher import NONCE_BYTES, encrypted
from gan_eval.quiz.serve.pictures import keyed_hash
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.sections import first_problem
from gan_eval.tables.cells import parse_any, person_of
from gan_eval.tables.frames import EMPTY, Row
from gan_eval.tables.schema import Table

SIGNED: Final = 2
"""Format of keys whose pages send the proof of their link; earlier pages send none."""


class DealtList(BaseModel):
    """A list of a page: rows of `sessions` and `plans` without the session, and the own widths of its pictures."""

    row: dict[str, Any]
    plan: tuple[dict[str, Any], ...]
    widths: set[Annotated[int, Field(ge=1, le=100_000)]]

    @property
    def sha256(self) -> str:
        """SHA-256 of what the answers are scored with: trials, keys and list number, but not the computer's name."""
        scored = {name: self.row.get(name) for name in ("list", "seed", "protocol", "keys")}
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
        return keyed_hash(self.secret.encode(), "participant", person_of(code), str(number))

    @property
    def proof_of_all(self) -> str:
        """Proof of the one link for all."""
        return keyed_hash(self.secret.encode(), "everybody")

    @property
    def open_to_all(self) -> str:
        """Part behind `#` of the one link for all."""
        return f"all.{base64_text(self.key_of_all)}.{self.proof_of_all}"

    def links(self, address: str, people: int) -> Iterator[tuple[str, str, str]]:
        """Yield code, list number and link of each participant; in the last row, without a code, the one for all."""
        parameter = self.settings.browser.participant_parameters[0]
        for number in range(1, people + 1):
            code = code_of(number)
            own = f"{base64_text(self.list_key(number))}.{self.proof(code, number)}"
            yield code, str(number), f"{address}/?{parameter}={code}&list={number}#{own}"
        yield "", "", f"{address}/#{self.open_to_all}"


def read_key(path: Path) -> PageKey:
    """Read a page's key; raises `UserError` if the file is missing, is not one, or is damaged."""
    fix = "; give the file that `gan-eval export page` wrote"
    content = read_bytes(path, what="key of a page")
    try:
        key = PageKey.model_validate_json(content)
    except ValidationError as error:
        problem = first_problem(error, PageKey)
        raise UserError(f"--key {path}: not the key of a page, or damaged: {problem}{fix}") from error
    for number, dealt in enumerate(key.lists, start=1):
        if fault := next(_faults(dealt, key, number), None):
            raise UserError(f"--key {path}: damaged: list {number}, {fault}{fix}")
    if not _is_whole(content, key.format):
        raise UserError(f"--key {path}: damaged: its content does not have its digest{fix}")
    return key


def _is_whole(content: bytes, key_format: int) -> bool:
    """Return whether a key's content has its digest; those of earlier versions have none."""
    try:
        values = json.loads(content)
        digest = values.pop("digest", None)
        return key_format != SIGNED if digest is None else bool(digest == sha256_json(values))
    except (ValueError, RecursionError):  # such as a number that JSON does not have
        return False


def _faults(dealt: DealtList, key: PageKey, number: int) -> Iterator[str]:
    """Yield each cell of a list that does not fit its table, the study or the protocol."""
    yield from _wrong_cells(tables.SESSIONS, dealt.row, "row")
    ours = {"study": key.study, "design_hash": key.design_hash, "protocol": key.settings.protocol, "list": number}
    for name, value in {**ours, "status": "open", "simulated": False}.items():
        if (found := dealt.row.get(name)) != value:
            yield f"row, {name}: found {abbreviated(found)}, expected {abbreviated(value)}"
    for trial, row in enumerate(dealt.plan, start=1):
        where = f"plan, row {trial}"
        yield from _wrong_cells(tables.PLANS, row, where)
        if (found := row.get("trial")) != trial:
            yield f"{where}, trial: found {abbreviated(found)}, expected {trial}"
        is_pair = key.settings.shows_pairs
        if (row.get("stimulus_b") is not None) != is_pair or (row.get("position") in OPPOSITE) != is_pair:
            yield f"{where}, stimulus_b, position: not possible in the protocol {key.settings.protocol}"
        if not is_pair and row.get("kind") is None:
            yield f"{where}, kind: {EMPTY}"


def _wrong_cells(table: Table, row: Row, where: str) -> Iterator[str]:
    for name, column in table.by_name.items():
        if name in ("session", "participant"):  # each session has its own
            continue
        value = row.get(name)
        try:
            cell = parse_any(value, column)
        except UserError as error:
            yield f"{where}, {name}: {error}"
            continue
        if cell is None and column.filled:
            yield f"{where}, {name}: {EMPTY}"
        elif cell is not None and type(value) is not type(cell) and (type(value) is not int or type(cell) is str):
            yield f"{where}, {name}: found {abbreviated(value)}, expected {cell!r}"


def check_begin(key: PageKey, code: str, number: int, *, list_sha256: str | None, proof: str | None) -> None:
    """Refuse the first record of a session whose list is not that of the key, or whose link is none of the page's.

    Raises:
        UserError: the field and its problem.
    """
    is_earlier = key.format != SIGNED  # a page that sends neither
    if list_sha256 != key.lists[number - 1].sha256 and not (is_earlier and list_sha256 is None):
        raise UserError(
            f"list_sha256: the page has another list {number} than the key; give the key that it was made with"
        )
    if proof not in (key.proof(code, number), key.proof_of_all) and not is_earlier:
        raise UserError(f"proof: {code} was not begun with a link of this page, but perhaps by somebody else")


def write_key(key: PageKey, path: Path) -> None:
    """Write a key so that only this user can read it, with a digest that shows damage.

    Raises:
        UserError: the file cannot be written.
    """
    content = json.loads(key.model_dump_json(exclude_defaults=True, exclude={"settings": {"push_to"}}))
    text = json.dumps({"digest": sha256_json(content), **content}, ensure_ascii=False, separators=(",", ":"))
    write_private(path, text)


def write_links(key: PageKey, path: Path, *, address: str, people: int) -> None:
    """Write a table of the participants' links, which only this user can read.

    Raises:
        UserError: the file cannot be written.
    """
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("participant", "list", "link"), *key.links(address, people)])
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
