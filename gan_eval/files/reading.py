"""Read text, JSON and TOML files, with errors that name the file and the fix."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError


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


def is_address(where: object) -> bool:
    """Return whether a store is given by a URL, not a path."""
    return "://" in str(where)


def is_store(where: str | Path) -> bool:
    """Return whether a path or URL is a database; a file is judged by its first bytes."""
    if is_address(where):
        return True
    try:
        if not Path(where).is_file():
            return False
        with Path(where).open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False
