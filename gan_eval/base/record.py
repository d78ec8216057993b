"""Records of what we made in a folder and with which settings: the folder is used again only for the same.

A record is a JSON file. The fields of `FolderRecord.made` decide the result and are compared with what is asked now.
Its other fields are facts, such as the hashes of the files, problems or versions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import OWN_FOLDER, write_json
from gan_eval.base.errors import UserError, abbreviated, shortened
from gan_eval.base.reading import read_json

_DIGESTS = re.compile("[0-9a-f]{64}[0-9a-f ]*")
MAX_CHANGES = 6
"""Maximum number of differences that a message names."""


@dataclass(frozen=True)
class FolderRecord:
    """The record of what is asked now."""

    file: Path
    made: Mapping[str, Any]
    """Everything that the result depends on: settings, and inputs by their SHA-256."""
    section: str = ""
    """Section of the study file with the field `settings`."""

    @property
    def folder(self) -> Path:
        """Return the folder that the record is about."""
        return self.file.parent.parent if self.file.parent.name == OWN_FOLDER else self.file.parent

    def changes(self, earlier: Mapping[str, Any]) -> list[str]:
        """Return a text for each difference between what was made and what is asked now; none if nothing was made."""
        lines: list[str] = []
        for name, value in self.made.items() if earlier else ():
            section = {"settings": self.section, "inputs": ""}.get(name, name)
            lines += differences(earlier.get(name), value, where=section)
        return [*dict.fromkeys(lines)]

    def require_same(self, fix: str) -> None:
        """Refuse a folder with results of other settings or inputs."""
        if changes := self.changes(read_record(self.file)):
            raise UserError(
                f"--out {self.folder}: holds results of other settings or inputs: {in_words(changes)}; {fix}"
            )

    def write(self, **facts: Any) -> None:
        """Write the record, in place of an earlier one."""
        write_json(self.file, {**self.made, **facts})


def require_format(path: Path, found: Any, known: int) -> None:
    """Refuse a file whose field `format` is not the number that this program writes; None: it has no such field."""
    if found not in (None, known):
        raise UserError(
            f"{path}: format is {abbreviated(found)}, and this program knows {known}; use the version of gan_eval that "
            "made the file, or another folder"
        )


def read_record(path: Path, /, *, known: int | None = None, **kinds: type) -> dict[str, Any]:
    """Read a record with fields of these types; return {} if the file does not exist.

    `known`: the only format that is accepted, if the record has one; None: any.
    """
    if not path.exists():
        return {}
    record = read_json(path)
    if known is not None and type(record) is dict:
        require_format(path, record.get("format"), known)
    if not record or type(record) is not dict or any(type(record.get(name)) is not kinds[name] for name in kinds):
        expected = ", ".join(kinds) or "a JSON object"
        raise UserError(f"{path}: damaged: {expected} not found in it; restore it, or name another folder")
    return record


def differences(old: Any, new: Any, *, where: str = "") -> Iterator[str]:
    """Yield one text for each value that differs between two nested settings; hashes are not shown.

    >>> list(differences({"quiz": {"real": 20}, "picture": "0" * 64}, {"quiz": {"real": 25}}))
    ['picture is gone', 'quiz.real was 20, is 25']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), where=f"{where}.{key}" if where else str(key))
    elif old != new:
        if any(isinstance(value, str) and _DIGESTS.fullmatch(value) for value in (old, new)):
            yield f"{where} {'is new' if old is None else 'is gone' if new is None else 'has changed'}"
        else:
            before, now = ("not set" if value is None else shortened(repr(value), 80) for value in (old, new))
            yield f"{where} was {before}, is {now}"


def in_words(changes: Sequence[str]) -> str:
    """Return the first differences in one text, with the number of the others."""
    more = [f"and {len(changes) - MAX_CHANGES} more"] if len(changes) > MAX_CHANGES else []
    return "; ".join([*changes[:MAX_CHANGES], *more])
