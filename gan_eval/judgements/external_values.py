"""Picture metrics that another program computed, such as pyiqa (MUSIQ, CLIP-IQA, TOPIQ, ...), as rows of image_metrics.

A file is CSV with the picture's file and its values in each line, with a header or without. Programs differ in the rest
(pyiqa 0.1.16, libvmaf 3.0, ffmpeg-quality-metrics 3.13, pandas 3.1): a running number before the names, the reference
next to the picture or in the same cell, a comma at the end of each line.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

import pandas as pd

from gan_eval.errors import UserError, abbreviated
from gan_eval.files.reading import resolved
from gan_eval.judgements.trials import judged_pictures
from gan_eval.pictures.decode import SUFFIXES
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.cells import csv_records, number_of, require_distinct, with_point
from gan_eval.tables.frames import conform, joined_tables, read_table

_UNNAMED = re.compile(r"score|value|result|metric|\d*", re.IGNORECASE)
"""Headers that do not name a single metric, such as pandas' numbers; the file's name is used instead."""
_NAMES_PICTURES = re.compile(
    r"image|img|pictures?|pic|photo|file|filename|path|name|stimulus|stem|item|fake|generated|dist|distorted|id",
    re.IGNORECASE,
)
"""Words of headers above names of pictures, even if these are numbers."""
_NUMBERS_ROWS = re.compile(r"n|no|nr|#|i|idx|index|row|frame(num|_?(no|nr|number))?|unnamed: 0", re.IGNORECASE)
"""Headers above running numbers."""
_NO_METRIC = re.compile(
    r"(n|num|count|sd|std|se|ci)[\W_].*|(.*[\W_])?(n|counts?|total|votes|ratings|raters|sd|std|stdev|stddev|se|sem|ci"
    r"|lower|upper|low|high|width|height|seed|seconds|ms|runtime|latency|fps|bytes|kb|mb)|id|time|duration|size|area|var"
    rf"|variance|epoch|step|batch|fold|run|repeat|label|class|is_?(real|fake)|{_NUMBERS_ROWS.pattern}",
    re.IGNORECASE,
)
"""Headers above counts, spreads and sizes."""
_REFERENCE = re.compile(r"(.*[\W_])?(ref|reference|gt|ground_?truth|real|original|pristine)([\W_].*)?", re.IGNORECASE)
"""Headers above the references of pairs."""
_REFERENCE_WORD = re.compile(r"\b(ref|reference|gt|ground ?truth|real|original|pristine)\b")
_GENERATED_WORD = re.compile(r"\b(fakes?|generated|gen|synth(etic)?|outputs?)\b")
"""Words of headers above values of references, and of generated pictures."""
_NAMES_METRIC = re.compile(r"metrics?([\W_]?(name|id))?|measure|iqa([\W_]?(metric|model))?", re.IGNORECASE)
"""Headers above the metric of each row."""
_NAMES_MODEL = re.compile(r"models?([\W_]?name)?|generator|gan", re.IGNORECASE)
"""Headers above the model of each row."""
_CODES = (-1, -9, -99)
"""Numbers that programs write where they have no value, next to values that are not negative."""
MIN_OTHERS = 5
"""Minimum number of different other values for a question about one of them."""
_WHOLE = re.compile(r"0|[1-9]\d*")
_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null"})
_PAIR = re.compile(
    r"\s*(?:\||<?->|=>|→)\s*|\s+vs\.?\s+|(?i:(?<=\.png|\.jpg|\.bmp|\.gif|\.tif)|(?<=\.jpeg|\.webp|\.tiff))[\s,;'\"()\[\]-]+"
)
"""Mark between the two names of a pair in one cell: `|`, `->`, `vs`, or what follows a picture file."""
_PRINTED = re.compile(r"\[*(?:tensor\(|array\(|np\.float\d+\(|\[)+\s*([^\s,\[\]()]+)\s*\]*(?:,[^()]*)?[\])]*")
"""A number as torch or NumPy print it: tensor([0.63], device='cuda:0'), np.float32(0.63), [0.63]."""
_PSNR_OF_EQUAL = (60.0, 72.0, 80.0, 84.0, 100.0)
"""PSNR of equal pictures in programs: libvmaf 60 (8 bits), 72 and 84, piq and pyiqa 80, others 100."""


class _Values(NamedTuple):
    """The cells of another program's file."""

    rows: list[list[str]]
    names: list[int]
    """Columns with names of pictures, without references."""
    has_references: bool
    metrics: dict[int, str]
    """Columns of values, and their metrics."""
    named_at: int | None
    """Column that names the metric of each row."""
    unread: list[str]
    """Lines on columns and cells that are no values."""


class _JudgedPictures:
    """The judged pictures, by the ends of their identifiers."""

    def __init__(self, judged: pd.DataFrame) -> None:
        self.rows = judged.to_dict("records")
        self._by_end: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            path = _path(str(row["stimulus"]))
            for end in {str(row["stimulus"]), str(path), path.stem, path.name}:
                self._by_end.setdefault(end, []).append(place)

    def matches(self, name: str) -> list[int]:
        """Return the numbers of the pictures with this file name, with or without its suffix and folders."""
        path = _path(name)
        ends = (str(path), str(path.parent / path.stem), path.name, path.stem)
        return next((self._by_end[end] for end in ends if end in self._by_end), [])

    def narrowed(self, name: str, folders: Iterable[str]) -> tuple[list[int], int]:
        """Return the matches in the nearest folder that is a model's, `real` or a data set's; and which it is.

        2: a model's or `real`; 1: a data set's; 0: none.
        """
        rows, rank = self.matches(name), 0
        for folder in (*reversed(_path(name).parts[:-1]), *folders):
            inside = [row for row in rows if folder in (self._label(row), self.rows[row]["dataset"])]
            if inside:
                rank = max(rank, 1 + any(folder == self._label(row) for row in inside))
            rows = inside or rows
        return rows, rank

    def has_model(self, name: str) -> bool:
        """Return True for the name of a judged model."""
        return any(row["model"] == name for row in self.rows)

    def is_picture(self, cell: str) -> bool:
        """Return True for the name of a judged picture, or of any picture file."""
        return any(_path(name).suffix.lower() in SUFFIXES or self.matches(name) for name in _PAIR.split(cell))

    def _label(self, row: int) -> object:
        return self.rows[row]["model"] if self.is_fake(row) else "real"

    def is_fake(self, row: int) -> bool:
        return self.rows[row]["kind"] == "fake"


def read_image_metrics(files: Sequence[Path], trials: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Read the table `image_metrics` from one file or several, each ours or another program's.

    A picture of another program's file is the judged one whose identifier ends in its name, without the suffix. Where
    several do, the nearest folder in its name, another cell of its row, or the file's own folder, that is the model's
    name (or `real`) decides; else the generated picture is meant. A value of two pictures is the generated one's. A
    picture that several files have, such as the real ones of several runs, is taken once.

    Args:
        files: `FILE`, or `METRIC=FILE` to name the metric of another program's file.

    Returns:
        The table, and lines on what was not read of each file.

    Raises:
        UserError: a file cannot be read, none of its pictures was judged, a picture may be one of several models', or
            a picture has two values of one metric, or two files of its name differ.
    """
    pictures = _JudgedPictures(judged_pictures(trials))
    frames, lines = [], []
    for given in files:
        metric, _, name = str(given).rpartition("=")
        file = given if given.exists() else Path(name)
        ours = {"stimulus", "metric"}  # also a table `image_metrics` with a fault, which its reader names
        if file.suffix == ".parquet" or not file.is_file() or ours <= {*csv_records(file, has_header=False)[1][0]}:
            frames.append((str(given), read_table(file, IMAGE_METRICS)))
        else:
            frame, notes = _external(file, metric if file != given else "", pictures)
            frames.append((str(given), frame))
            lines += notes
    return joined_tables(frames, IMAGE_METRICS, compared=("value", "sha256")), lines


def _external(file: Path, metric: str, judged: _JudgedPictures) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of judged pictures, and lines on the other cells."""
    values = _values(file, metric, judged)
    rows: dict[tuple[object, str], dict[Any, Any]] = {}
    pictures = set[tuple[str, int | None]]()
    claims = []
    for cells in values.rows:
        names, is_pair = _pictures_of(values, cells)
        claims.append((" | ".join(names), *_judged_rows(names, is_pair, (*cells, resolved(file).parent.name), judged)))
    best = dict[int, int]()  # how well the best row names each picture
    for _, places, rank in claims:
        best |= {place: max(rank, best.get(place, 0)) for place in places}
    of_others = list[str]()
    for (name, places, rank), cells in zip(claims, values.rows, strict=True):
        if len(places) > 1 and rank == max(best[place] for place in places):
            raise UserError(
                f"{file}: {abbreviated(name)} may be "
                f"{' and '.join(abbreviated(judged.rows[place]['stimulus']) for place in places[:2])}; give one file "
                "for each model, in a folder of the model's name, or write the folder before the picture's name"
            )
        place = places[0] if places and rank == max(best[place] for place in places) else None
        pictures.add((name, place))
        if place is None:
            of_others += [name] if places else []
            continue
        for column, title in values.metrics.items():
            of = judged.rows[place]["stimulus"], title if values.named_at is None else cells[values.named_at]
            value = _number(cells[column])
            if of in rows and rows[of]["value"] != value:
                raise UserError(
                    f"{file}: {abbreviated(of[0])} has two values of {of[1]}, {rows[of]['value']} and {value}, the "
                    f"second one as {abbreviated(name)}; keep one row for each picture and metric. A column with the "
                    "metric of each row is called metric, one with the model model"
                )
            reason = None if value is not None else f"no number in {file.name}"
            rows[of] = {**judged.rows[place], "metric": of[1], "value": value, "reason": reason, "run": None}
    lines = values.unread
    if not rows:
        example = abbreviated(judged.rows[0]["stimulus"]) if judged.rows else "no picture"
        raise UserError(
            f"{file}: none of its {len(pictures)} pictures was judged: {abbreviated(claims[0][0])} against "
            f"{example}; give values of the pictures that were judged, under the same file names"
        )
    used = sum(place is not None for _, place in pictures)
    if used < len(pictures):
        name = f", such as {abbreviated(of_others[0])}, whose folder or row names no judged model" if of_others else ""
        lines = [*lines, f"{file}: {used} of {len(pictures)} pictures were judged; the others are not needed{name}"]
    if line := _numbered_otherwise({name for name, _ in pictures}, {str(of) for of, _ in rows}, judged):
        lines = [*lines, f"{file}: {line}"]
    frame = conform(pd.DataFrame([*rows.values()]), IMAGE_METRICS, where=str(file))
    return frame, [*lines, *_finite_psnr(file, frame), *_far_values(file, frame)]


def _numbered_otherwise(names: set[str], used: set[str], judged: _JudgedPictures) -> str:
    """Return a line if the file's pictures are numbered from one less or one more than the judged ones of a model.

    Args:
        names: all pictures of the file.
        used: the judged pictures that have a value.
    """
    models = {row["model"] for row in judged.rows if row["stimulus"] in used and row["kind"] == "fake"}
    wanted = {str(row["stimulus"]) for row in judged.rows if row["kind"] == "fake" and row["model"] in models}
    given, expected = _numbers_of(names), _numbers_of(wanted)
    if len(models) != 1 or len(given) != len(names) or len(expected) != len(wanted) or len(expected) < MIN_OTHERS:
        return ""
    if not any({number + by for number in given} == expected for by in (-1, 1)):
        return ""
    return (
        f"numbered from {min(given)} to {max(given)}, the judged pictures from {min(expected)} to {max(expected)}: "
        f"{len(wanted - used)} of these has no value, and each value may be that of its neighbour; rename them"
    )


def _numbers_of(names: Iterable[str]) -> set[int]:
    """Return the last number in each name, without its ending."""
    return {int(found[-1]) for name in names if (found := re.findall(r"\d+", _path(name).stem))}


def _finite_psnr(file: Path, frame: pd.DataFrame) -> Iterator[str]:
    for (metric, value), rows in frame.groupby(["metric", "value"]):
        if "psnr" in str(metric).casefold() and value in _PSNR_OF_EQUAL and len(rows) > 1:
            yield (
                f"{file}: {metric} is exactly {value:g} for {len(rows)} pictures; pyiqa, piq and libvmaf write such a "
                "number where a picture equals its reference and PSNR is infinite; if so, write inf"
            )


def _far_values(file: Path, frame: pd.DataFrame) -> Iterator[str]:
    """Yield a line on a value of several pictures that is far from all others, such as -1 for one that failed."""
    for metric, values in frame.groupby("metric")["value"]:
        counts = values[values.abs() < math.inf].value_counts().sort_index()
        ends = ((0, counts.index[1:]), (-1, counts.index[:-1])) if len(counts) > 3 else ()
        for at, rest in ends:
            value, count = float(counts.index[at]), int(counts.iloc[at])
            is_far = min(abs(value - rest[0]), abs(value - rest[-1])) > rest[-1] - rest[0]
            if count > 1 and (is_far or (value in _CODES and rest[0] >= 0 and len(rest) >= MIN_OTHERS)):
                yield (
                    f"{file}: {metric} is {value:g} for {count} pictures, the others {rest[0]:g} to {rest[-1]:g}: a "
                    "code for a missing value? It counts; leave these cells empty"
                )


def _values(file: Path, metric: str, judged: _JudgedPictures) -> _Values:
    """Read a file and classify its columns."""
    header, rows = _cells(file, judged)
    columns = dict(enumerate(zip(*rows, strict=True)))
    numeric = {place: sum(map(_is_almost_number, cells)) for place, cells in columns.items()}
    filled = {place: sum(not _is_missing(cell) for cell in cells) for place, cells in columns.items()}
    texts = [place for place in columns if 2 * numeric[place] < filled[place]]
    names = [place for place in texts if any(map(judged.is_picture, columns[place]))]
    names = names or [_first_names(file, header, columns, texts, judged)]
    others = [place for place in names if not _REFERENCE.fullmatch(header[place].strip())] or names
    numbers = [place for place in columns if numeric[place] and place not in (*texts, *names)]
    if 0 in numbers and columns[0][0] in ("0", "1") and _is_running(header[0], columns[0]):
        numbers.remove(0)
    if not any(_number(cell) is not None for place in numbers for cell in columns[place]):
        at = next((place for place in reversed(columns) if place not in names), names[-1])
        row, cell = next((row, cell) for row, cell in enumerate(columns[at], start=1) if cell.strip())
        raise UserError(
            f"{file}: no column of numbers after the picture's file: row {row}{_of_column(header[at])}: found "
            f"{abbreviated(cell)}, expected a number{with_point(cell)}; write each number alone"
        )
    chosen = [place for place in numbers if not _NO_METRIC.fullmatch(header[place].strip())] or numbers
    lines = []
    if left := [header[place] for place in numbers if place not in chosen]:
        lines.append(f"{file}: not taken for metrics (counts, spreads or sizes): {', '.join(left)}")
    if of_real := [place for place in chosen if _is_of_reference(place, chosen, header, columns)]:
        chosen = [place for place in chosen if place not in of_real]
        lines.append(
            f"{file}: not taken for metrics: {', '.join(header[place] for place in of_real)}, the real pictures' "
            "values by its name; give these as real/FILE, or rename a column of the generated pictures"
        )
    if metric and len(chosen) > 1:
        raise UserError(f"--image-metrics {metric}={file}: it has {len(chosen)} columns of values; give FILE alone")
    titles = {place: header[place].strip() for place in chosen}
    if len(chosen) == 1 and _UNNAMED.fullmatch(
        _stem(titles[chosen[0]], _GENERATED_WORD) if of_real else titles[chosen[0]]
    ):
        titles[chosen[0]] = file.stem
    if unnamed := [place for place, title in titles.items() if title.isdigit() or not title]:
        raise UserError(f"{file}: column {unnamed[0] + 1} has numbers without a name; write a header line")
    for place in chosen:
        wrong = [row for row, cell in enumerate(columns[place], 1) if _number(cell) is None and not _is_missing(cell)]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if wrong[1:] else ""
            cell = columns[place][wrong[0] - 1]
            lines.append(
                f"{file}: row {wrong[0]}{_of_column(header[place])}: found {abbreviated(cell)}, expected a number"
                f"{with_point(cell)}; taken as missing{more}"
            )
    if len(chosen) > 1 and (called := [title for title in titles.values() if judged.has_model(title)]):
        lines.append(
            f"{file}: {', '.join(called)}: a column for each model? Each is taken for a metric; if they are models, "
            f"give a file for each in a folder of its name, such as {called[0]}/{file.name}"
        )
    if unlike := _of_other_model(header, columns, texts, judged):
        lines.append(f"{file}: {unlike} names no judged model; the values are taken for those of the judged pictures")
    with_values = [place for place in chosen if any(_number(cell) is not None for cell in columns[place])]
    metrics = {place: metric or titles[place] for place in with_values}
    named_at = next((place for place in texts if _NAMES_METRIC.fullmatch(header[place].strip()) and not metric), None)
    return _Values(rows, others, others != names, metrics, named_at, lines)


def _is_of_reference(place: int, chosen: list[int], header: list[str], columns: Mapping[int, Sequence[str]]) -> bool:
    """Return True for a column of the real pictures' values: `musiq_real` next to `musiq_fake` or `musiq`.

    Two columns with one sum in each row are shares of a detector, both of the generated picture.
    """
    if not _REFERENCE.fullmatch(header[place].strip()):
        return False
    for other in chosen:
        if other == place or _stem(header[other], _GENERATED_WORD) != _stem(header[place], _REFERENCE_WORD):
            continue
        pairs = [(_number(a), _number(b)) for a, b in zip(columns[place], columns[other], strict=True)]
        sums = {round(a + b, 2) for a, b in pairs if a is not None and b is not None}
        return len(sums) > 1
    return False


def _stem(title: str, word: re.Pattern[str]) -> str:
    return re.sub(r"[\W_]+", "_", word.sub(" ", title.casefold().replace("_", " "))).strip("_")


def _of_other_model(
    header: list[str], columns: Mapping[int, Sequence[str]], texts: list[int], judged: _JudgedPictures
) -> str:
    """Describe a column of models none of which was judged; else return nothing."""
    for place in texts:
        if _NAMES_MODEL.fullmatch(header[place].strip()):
            called = {cell.strip() for cell in columns[place] if not _is_missing(cell)}
            if called and not any(map(judged.has_model, called)):
                return f"column {header[place].strip()} ({', '.join(sorted(called)[:3])})"
    return ""


def _cells(file: Path, judged: _JudgedPictures) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of one length, without empty columns; without a header line, empty names."""
    _, (header, *rows) = csv_records(file, has_header=False)
    is_numbered = header == [str(place) for place in range(len(header))]  # pandas, for columns without names
    is_header = is_numbered or not header[0].strip() or _NAMES_PICTURES.fullmatch(header[0].strip())
    if not is_header and any(_is_almost_number(cell) or judged.is_picture(cell) for cell in header):
        header, rows = [""] * len(header), [header, *rows]
    for row in rows:
        while len(row) > len(header) and not row[-1].strip():
            row.pop()
    is_longer = bool(rows) and all(len(row) == len(header) + 1 for row in rows)
    if is_longer and (not _NAMES_PICTURES.fullmatch(header[0].strip()) or _is_running("", [row[0] for row in rows])):
        header = ["", *header]  # R's row names have no header
    require_distinct([title for title in header if title.strip()], file)
    for number, row in enumerate(rows, start=1):
        if len(row) > len(header):
            raise UserError(f"{file}: row {number}: found {len(row)} cells, expected {len(header)}")
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    filled = [place for place in range(len(header)) if any(row[place].strip() for row in rows)]
    if len(filled) < 2:
        raise UserError(
            f"{file}: {'one column' if rows else 'no row'}; expected the picture's file and its value, or the table "
            "image_metrics"
        )
    return [header[place] for place in filled], [[row[place] for place in filled] for row in rows]


def _first_names(
    file: Path, header: list[str], columns: Mapping[int, Sequence[str]], texts: list[int], judged: _JudgedPictures
) -> int:
    """Return the column of names where none has text that names a picture."""
    titled = [place for place, title in enumerate(header) if _NAMES_PICTURES.fullmatch(title.strip())]
    naming = [place for place in titled if any(map(judged.is_picture, columns[place]))]
    if naming or 0 in texts or not _is_running(header[0], columns[0]):
        return (naming or [0])[0]
    title = f"its column {header[0]}" if header[0].strip() else "its first column"
    raise UserError(
        f"{file}: {title} numbers the rows ({', '.join(columns[0][:3])}), and no other column names a judged "
        "picture; add a column 'image' with the pictures' files, or call this one so if these are their names"
    )


def _is_running(title: str, cells: Sequence[str]) -> bool:
    """Return True for whole numbers in steps of one, or below a header of such numbers; not below a name's header."""
    if _NAMES_PICTURES.fullmatch(title.strip()) or not all(_WHOLE.fullmatch(cell.strip()) for cell in cells):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(cells)}
    return bool(_NUMBERS_ROWS.fullmatch(title.strip())) or steps <= {1}


def _pictures_of(values: _Values, cells: list[str]) -> tuple[list[str], bool]:
    """Return the names of the pictures in a row, without references if their column says so, and if it is of a pair."""
    of_cells = [
        [*filter(None, (name.strip(" '\"()[]") for name in _PAIR.split(cells[place])))] for place in values.names
    ]
    names = list(dict.fromkeys(name for of_cell in of_cells for name in of_cell))
    is_pair = values.has_references or any(len(of_cell) > 1 for of_cell in of_cells)
    if not is_pair:  # a path and its end, such as the file's name, are one picture
        parts = {name: _path(name).with_suffix("").parts for name in names if _path(name).name}
        names = [
            name
            for name in parts
            if not any(name != other and parts[other][-len(parts[name]) :] == parts[name] for other in parts)
        ]
    return names, is_pair or len(names) > 1


def _judged_rows(
    names: list[str], is_pair: bool, folders: Sequence[str], judged: _JudgedPictures
) -> tuple[list[int], int]:
    """Return the numbers of the judged pictures that a value may be of, of a pair the generated ones; and their rank.

    The rank says how they are named, as in `_JudgedPictures.narrowed`.
    """
    matches = [judged.narrowed(name, folders) for name in names]
    named, rows = ({row for of, rank in matches if rank >= least for row in of} for least in (2, 0))
    if is_pair:
        named, rows = ({row for row in of if judged.is_fake(row)} for of in (named, rows))
    left = named or {row for row in rows if judged.is_fake(row)} or rows
    return sorted(left), max((rank for of, rank in matches if not left.isdisjoint(of)), default=0)


def _is_almost_number(cell: str) -> bool:
    """Return True for a number, also one with a decimal comma or a unit: 41,78, 30 dB."""
    return _number(cell) is not None or _number(cell.strip(" dB%").replace(",", ".")) is not None


def _of_column(title: str) -> str:
    return f", column {title.strip()}" if title.strip() else ""


def _is_missing(cell: str) -> bool:
    return cell.strip().casefold() in _MISSING


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(normalize("NFC", unquote(name)).strip().replace("\\", "/"))


def _number(cell: str) -> float | None:
    """Return a cell's number, also one that torch or NumPy printed; None for other text and for NaN."""
    printed = _PRINTED.fullmatch(cell.strip())
    try:
        value = number_of(printed[1] if printed else cell)
    except ValueError:
        return None
    return None if math.isnan(value) else value
