"""The records in files of answers: each is checked when it is read, and a bad one is left out and named."""

import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from gan_eval.base.errors import UserError
from gan_eval.base.limits import read_small, require_small
from gan_eval.base.reading import read_bytes, require_file, syntax_problem
from gan_eval.quiz.serve.messages import ARRIVING, OF_SESSION, Message
from gan_eval.settings.sections import first_problem

ENDINGS = (".json", ".jsonl", ".txt")
"""Endings of files with records."""
ZIPPED = (".zip", ".jrzip")
"""Endings of zip files with such files."""
NAMED = 5
"""Number of records with the same problem in one file that are named."""
_NEXT = re.compile(r'\n\s*(?=[\[{])|(?=\{\s*"(?:gan_eval|at)"\s*:)')
"""Place to continue reading after text that is not JSON: a line that begins a value, or the start of a record."""


class Record(Message):
    """A message as the page has stored it."""

    gan_eval: Literal[1]
    page: str = Field(max_length=200)
    session: Annotated[
        str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
    ]
    list: int = Field(ge=1, le=10**6)
    n: int = Field(ge=0, le=10**6)
    name: Literal["begin", "resume", "check", "ready", "onset", "trial", "marks", "withdraw"]
    """An onset is that of a trial without a report, because the page was closed."""
    at: float = Field(ge=0, le=4e12)
    """Time of day on the participant's computer, in milliseconds since 1970."""
    body: dict[str, Any]
    proof: str | None = Field(default=None, max_length=200)
    """Proof of the participant's link, in the first record."""
    list_sha256: str | None = Field(default=None, max_length=200)
    """SHA-256 of the list's trials, in the first record."""


@dataclass(frozen=True)
class Given:
    """A record of a file."""

    record: Record
    message: Any
    """The record's body, checked."""
    where: str = field(compare=False)
    """File, line, and number in an array."""


def checked(value: Any, where: str) -> Given:
    """Return a JSON value as a record; raises `UserError` with the field that is not one."""
    if not isinstance(value, dict) or "gan_eval" not in value:
        raise UserError("gan_eval: is missing, so this is not a record of a study's page")
    try:
        field = _not_text(value)
    except RecursionError as error:
        raise UserError("body: nested too deeply") from error
    if field is not None:
        raise UserError(f"{field}: has bytes that are not text in UTF-8")
    record = _validated(Record, value, "")
    return Given(record, _validated((ARRIVING | OF_SESSION)[record.name], record.body, "body."), where)


def _not_text(value: Any) -> str | None:
    """Return the place of the first text within a value that has halves of characters; None if there is none."""
    if isinstance(value, str):
        return "" if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value) else None
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    fields = ((name, _not_text(cell) if _not_text(name) is None else "") for name, cell in inner)
    return next((f"{name}.{field}".removesuffix(".") for name, field in fields if field is not None), None)


def _validated(kind: type[BaseModel], value: Any, prefix: str) -> Any:
    try:
        return kind.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise UserError(first_problem(error, kind, prefix=prefix)) from error


def read_records(path: Path, check: Callable[[Any, str], Given]) -> Iterator[tuple[str, list[Given], list[str]]]:
    """Yield the name of each file, its records, and a line for each that is left out.

    Files: JSON, lines of JSON, and zip files and folders with them, such as JATOS' results.

    Args:
        path: file or folder.
        check: returns a JSON value of a place as a record; raises `UserError` with the field and the problem.

    Raises:
        UserError: the path does not exist.
    """
    if not path.exists():
        read_bytes(path)
    for name, content in _contents(path):
        yield name, *(([], [str(content)]) if isinstance(content, UserError) else _records(name, content, check))


def _contents(path: Path) -> Iterator[tuple[str, bytes | UserError]]:
    """Yield name and content of each file with records; an error for a file that cannot be read."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file is path or (file.suffix.lower() in (*ENDINGS, *ZIPPED) and not file.is_dir()):
            yield from _contents_of_file(file)


def _contents_of_file(path: Path) -> Iterator[tuple[str, bytes | UserError]]:
    """Yield name and content of a file, or of each member of a zip file that holds records."""
    try:
        require_file(path)
        if path.suffix.lower() not in ZIPPED and not zipfile.is_zipfile(path):
            yield str(path), read_small(path)
            return
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():  # JATOS adds metadata, and files that components have stored
                if member.endswith(ENDINGS) and not re.search(r"(^|/)(metadata\.json$|files/)", member):
                    yield f"{path}: {member}", _member(archive, member, path)
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError) as error:
        yield str(path), _damaged(path, error)
    except UserError as error:
        yield str(path), error


def _member(archive: zipfile.ZipFile, member: str, path: Path) -> bytes | UserError:
    try:
        require_small(archive.getinfo(member).file_size, f"{path}: {member}")
        return archive.read(member)
    except UserError as error:
        return error
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError) as error:
        return _damaged(f"{path}: {member}", error)


def _damaged(name: object, error: Exception) -> UserError:
    return UserError(f"{name}: not readable in a zip file ({error}); download it again")


def _records(name: str, content: bytes, check: Callable[[Any, str], Given]) -> tuple[list[Given], list[str]]:
    """Return the records of a file, and its lines for what is left out; records with the same problem share a line."""
    given, refused = list[Given](), dict[str, list[str]]()
    for where, value in _values(content.decode("utf-8-sig", errors="surrogateescape")):
        try:
            if isinstance(value, UserError):
                raise value
            given.append(check(value, f"{name}, {where}"))
        except UserError as error:
            refused.setdefault(str(error), []).append(where)
    lines = []
    for problem, records in refused.items():
        more = f"; and {len(records) - NAMED} more" if len(records) > NAMED else ""
        lines.append(f"{name}, {'; '.join(records[:NAMED])}{more}: {problem}; left out, the others are read")
    return given, lines


def _values(text: str) -> Iterator[tuple[str, Any]]:
    """Yield each JSON value of a text, those of arrays one by one, with its place; `UserError` for what is not JSON."""
    decoder, blank = json.JSONDecoder(), re.compile(r"\s*")
    at, counted, line = 0, 0, 1
    number: int | None = None  # of the last value in the array that is open
    while (at := blank.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        line, counted = line + text.count("\n", counted, at), at
        if number is None and text[at] == "[":
            number, at = 0, at + 1
        elif number is not None and text[at] in ",]":
            number, at = None if text[at] == "]" else number, at + 1
        else:
            number = None if number is None else number + 1
            where = f"line {line}" if number is None else f"line {line}, record {number} of the array"
            try:
                value, at = decoder.raw_decode(text, at)
                yield where, value
            except (ValueError, RecursionError) as error:
                problem = getattr(error, "msg", syntax_problem(error))
                yield where, UserError(f"not JSON, or cut off ({problem})")
                following = _NEXT.search(text, at + 1)
                at = following.end() if following else len(text)
                number = number if text[at : at + 1] == "{" else None
    if number is not None:
        yield f"line {line}", UserError("the array does not end, so the file may be cut off")
