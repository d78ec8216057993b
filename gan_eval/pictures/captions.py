"""Captions of pictures: the prompt or text that belongs to a picture, from the files that generators write next to it.

The first source found is read: `prompts.csv`, `metadata.jsonl` or `metadata.csv`, `NAME.txt` next to each
picture, and text inside PNG files (`parameters`, `prompt`). A caption is text: `007` and `None` are kept.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from PIL import Image

from gan_eval.base.errors import UserError
from gan_eval.base.limits import long_cells, read_small
from gan_eval.pictures.agreement import evenly_spread

_FILE_NAMES = ("file", "file_name", "filename", "image", "name", "path")
_TEXT_NAMES = ("prompt", "text", "caption", "txt")
_TABLES = ("prompts.csv", "metadata.jsonl", "metadata.csv")
MAX_LOOKED_AT = 20
"""Number of PNG files of a folder that are searched for text before all are."""
_PARAMETERS_END = re.compile(r"\n(Negative prompt|Steps): ")
"""The lines that interfaces write below the prompt."""


class Captions(NamedTuple):
    """The captions of the pictures of a folder."""

    texts: Mapping[Path, str]
    """The caption of each picture that has one."""
    notes: tuple[str, ...] = ()
    """The source, and the number of pictures without a caption."""


def read_captions(folder: Path, pictures: Iterable[Path]) -> Captions:
    """Return the captions of those pictures that are in a folder or its sub-folders; a table stands in either.

    Raises:
        UserError: a table has no column of files or of texts, or is not readable.
    """
    pictures = [picture for picture in pictures if folder in picture.parents]
    folders = dict.fromkeys([folder, *(picture.parent for picture in pictures)])
    table = next((file for each in folders for name in _TABLES if (file := each / name).is_file()), None)
    if table:
        texts, source = _of_table(table, pictures), str(table)
    elif texts := {picture: text for picture in pictures if (text := _text_next_to(picture)) is not None}:
        source = "NAME.txt next to the pictures"
    else:
        some = any(map(text_inside, evenly_spread(pictures, MAX_LOOKED_AT)))  # all pictures of a program have it
        texts = {picture: text for picture in pictures if some and (text := text_inside(picture)) is not None}
        source = "the text inside the PNG files"
    if not texts and not table:
        return Captions({})
    missing = f", {len(pictures) - len(texts)} pictures have none" * (len(texts) < len(pictures))
    return Captions(texts, (f"captions of {len(texts)} pictures from {source}{missing}",))


def _columns_of(rows: Sequence[Mapping[str, Any]], file: Path) -> tuple[str, str]:
    """Return the columns of a table that have the picture's file and its text."""
    columns = {str(name).strip().lower(): name for row in rows[:1] for name in row}
    of_file = [columns[name] for name in _FILE_NAMES if name in columns]
    of_text = [columns[name] for name in _TEXT_NAMES if name in columns]
    if not of_file or not of_text:
        raise UserError(
            f"{file}: expected a column with the picture's file ({', '.join(_FILE_NAMES[:2])}) and one with its text "
            f"({', '.join(_TEXT_NAMES[:3])}); found {', '.join(columns) or 'none'}"
        )
    return of_file[0], of_text[0]


def _of_table(file: Path, pictures: Iterable[Path]) -> dict[Path, str]:
    """Return the captions that a table names by a picture's path relative to the table's folder, or by its name."""
    rows = _rows_of(file)
    of_file, of_text = _columns_of(rows, file)
    named = {normalize("NFC", str(row[of_file])).replace("\\", "/"): row.get(of_text) for row in rows}
    captions = {}
    for picture in pictures:
        names = (picture.relative_to(file.parent).as_posix() if file.parent in picture.parents else "", picture.name)
        caption = next((named[key] for name in names if (key := normalize("NFC", name)) in named), None)
        if isinstance(caption, str) and caption.strip():
            captions[picture] = caption.strip()
    return captions


def _rows_of(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a table of captions."""
    text = read_small(file).decode("utf-8-sig", "replace")
    if file.suffix == ".csv":
        try:
            with long_cells():
                return list(csv.DictReader(io.StringIO(text)))
        except csv.Error as error:
            raise UserError(f"{file}: not a CSV file ({error}); save it again") from error
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError as error:
            raise UserError(f"{file}: line {number}: not valid JSON ({error}); correct the line") from error
        rows += [row] if isinstance(row, dict) else []
    return rows


def _text_next_to(picture: Path) -> str | None:
    file = picture.with_suffix(".txt")
    return read_small(file).decode("utf-8-sig", "replace").strip() or None if file.is_file() else None


def text_inside(picture: Path) -> str | None:
    """Return the prompt in a PNG's text, or None: of `parameters` without the settings below it, else `prompt`.

    A JSON object is a graph or a record of settings; its own field `prompt` is the caption, if that is text.
    """
    if picture.suffix.lower() != ".png":
        return None
    try:
        with Image.open(picture) as image:
            texts = {key: str(text) for key, text in getattr(image, "text", {}).items()}
    except Exception:  # a damaged picture is reported where it is decoded
        return None
    for key in ("parameters", "prompt"):
        text = _repaired(texts.get(key, ""))
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        if isinstance(fields, dict):
            prompt = fields.get("prompt")
            text = prompt if isinstance(prompt, str) else ""
        if text := _PARAMETERS_END.split(text, maxsplit=1)[0].strip():
            return text
    return None


def _repaired(text: str) -> str:
    """Return the text of UTF-8 bytes that were stored, and so read, as Latin-1; other texts unchanged.

    >>> _repaired("cafÃ©"), _repaired("café")
    ('café', 'café')
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
