"""Picture metrics that another program computed, such as pyiqa (MUSIQ, CLIP-IQA, TOPIQ, ...), as rows of image_metrics.

A file has the picture's file and its values in each row, with a header or without, in any format that `reading` knows.
Programs differ in the rest (pyiqa 0.1.16, libvmaf 3.0, ffmpeg-quality-metrics 3.13, pandas 3.1): a running number
before the names, the reference next to the picture or in the same cell.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

import pandas as pd

from gan_eval.base.errors import UserError, abbreviated
from gan_eval.base.limits import read_small
from gan_eval.base.reading import resolved
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.parts import text_of
from gan_eval.judgements.reading import Foreign, TableLayout, read_foreign
from gan_eval.judgements.trials import judged_pictures
from gan_eval.judgements.words import MISSING
from gan_eval.pictures.decode import SUFFIXES
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.cells import csv_records, number_of, require_clear_numbers, with_point
from gan_eval.tables.frames import Row, conform, joined_tables, read_table
from gan_eval.tables.names import OF_FILE


def _title(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


_UNNAMED = _title(r"score|value|result|metric|fakes?|generated|unnamed_\d+|column \d+|\d*")
"""Headers that do not name a single metric, such as pandas' numbers; the file's name is used instead."""
_PICTURES = _title(
    r"image|img|pictures?|pic|photo|file|filename|path|name|stimulus|stem|item|fake|generated|dist|distorted|id"
)
"""Headers above names of pictures, even if these are numbers."""
_ROWS = _title(r"n|no|nr|#|i|idx|index|row|frame(num|_?(no|nr|number))?|unnamed: 0")
"""Headers above running numbers."""
_NO_METRIC = _title(
    r"(n|num|count|sd|std|se|ci)[\W_].*|(.*[\W_])?(n|counts?|total|votes|ratings|raters|sd|std|stdev|stddev|se|sem|ci"
    r"|lower|upper|low|high|width|height|seed|seconds|ms|runtime|latency|fps|bytes|kb|mb)|id|time|duration|size|area|var"
    r"|variance|epoch|step|batch|fold|run|repeat|label|class|is_?(real|fake)"
)
"""Headers above counts, spreads and sizes."""
_REFERENCE = _title(r"(.*[\W_])?(ref|reference|gt|ground_?truth|real|original|pristine)([\W_].*)?")
"""Headers above the references of pairs, or above their values."""
_METRICS = _title(r"metrics?([\W_]?(name|id))?|measure|iqa([\W_]?(metric|model))?")
"""Headers above the metric of each row."""
_MODELS = _title(r"models?([\W_]?name)?|generator|gan")
"""Headers above the model of each row."""
_CODES = (-1, -9, -99)
"""Numbers that programs write where they have no value, next to values that are not negative."""
_PAIR = re.compile(
    r"\s*(?:\||<?->|=>|→)\s*|\s+vs\.?\s+|(?i:(?<=\.png|\.jpg|\.bmp|\.gif|\.tif)|(?<=\.jpeg|\.webp|\.tiff))[\s,;'\"()\[\]-]+"
)
"""Mark between the two names of a pair in one cell: `|`, `->`, `vs`, or what follows a picture file."""
_PRINTED = re.compile(r"\[*(?:tensor\(|array\(|np\.float\d+\(|\[)+\s*([^\s,\[\]()]+)\s*\]*(?:,[^()]*)?[\])]*")
"""A number as torch or NumPy print it: tensor([0.63], device='cuda:0'), np.float32(0.63), [0.63]."""
_PSNR_OF_EQUAL = (60.0, 72.0, 80.0, 84.0, 100.0)
"""PSNR of equal pictures in programs: libvmaf 60 (8 bits), 72 and 84, piq and pyiqa 80, others 100."""


class _Judged:
    """The judged pictures, by the ends of their identifiers."""

    def __init__(self, pictures: pd.DataFrame) -> None:
        self.rows: list[Row] = [{str(name): cell for name, cell in row.items()} for row in pictures.to_dict("records")]
        self._by_end: dict[str, list[int]] = {}
        for at, row in enumerate(self.rows):
            path = _path(row["stimulus"])
            for end in {str(row["stimulus"]), str(path), path.stem, path.name}:
                self._by_end.setdefault(end, []).append(at)
        self.models = {str(row["model"]) for row in self.rows}

    def is_fake(self, row: int) -> bool:
        return bool(self.rows[row]["kind"] == "fake")

    def label(self, row: int) -> str:
        return str(self.rows[row]["model"]) if self.is_fake(row) else "real"

    def matches(self, name: str) -> list[int]:
        """Return the numbers of the pictures with this file name, with or without its suffix and folders."""
        path = _path(name)
        ends = (str(path), str(path.parent / path.stem), path.name, path.stem)
        return next((self._by_end[end] for end in ends if end in self._by_end), [])

    def is_picture(self, cell: str) -> bool:
        """Return True for the name of a judged picture, or of any picture file."""
        return any(_path(name).suffix.lower() in SUFFIXES or self.matches(name) for name in _PAIR.split(cell))

    def narrowed(self, name: str, folders: Iterable[str]) -> tuple[list[int], int]:
        """Return the matches in the nearest folder that is a model's, `real` or a data set's; and which it is.

        2: a model's or `real`; 1: a data set's; 0: none.
        """
        rows, rank = self.matches(name), 0
        for folder in (*reversed(_path(name).parts[:-1]), *folders):
            of_label = [row for row in rows if folder == self.label(row)]
            inside = [row for row in rows if row in of_label or folder == self.rows[row]["dataset"]]
            if inside:
                rows, rank = inside, max(rank, 2 if of_label else 1)
        return rows, rank

    def of_row(self, names: Sequence[str], is_pair: bool, folders: Sequence[str]) -> tuple[list[int], int]:
        """Return the pictures that a value may be of, of a pair the generated ones; and the rank (`narrowed`)."""
        matches = [self.narrowed(name, folders) for name in names]
        named, rows = ({row for of, rank in matches if rank >= least for row in of} for least in (2, 0))
        if is_pair:
            named, rows = ({row for row in of if self.is_fake(row)} for of in (named, rows))
        left = named or {row for row in rows if self.is_fake(row)} or rows
        return sorted(left), max((rank for of, rank in matches if not left.isdisjoint(of)), default=0)


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
    judged = _Judged(judged_pictures(trials))
    frames, lines = [], list[str]()
    having = dict[str, dict[str, set[object]]]()  # the pictures with a value by metric and file
    for given in map(Path, files):
        metric, _, name = str(given).rpartition("=")
        file = given if given.exists() else Path(name)
        if _is_ours(file):
            frames.append((str(given), read_table(file, IMAGE_METRICS)))
        else:
            frame, notes = _external(file, metric if file != given else "", judged)
            frames.append((str(given), frame))
            lines += notes
            for measured, rows in frame.groupby("metric"):
                having.setdefault(str(measured), {})[str(file)] = {*rows["stimulus"]}
    joined = joined_tables(frames, IMAGE_METRICS, compared=("value", "sha256"))
    return joined, [*lines, *_without_value(having, judged)]


def _is_ours(file: Path) -> bool:
    """Return True for a table `image_metrics`, also one with a fault, which its reader names."""
    if not file.is_file():
        return True
    names = [*map(str, read_foreign([file]).cells)] if file.suffix == ".parquet" else []
    if file.suffix in (".csv", ".tsv", ".txt"):
        names = csv_records(file, has_header=False)[1][0]
    return {"stimulus", "metric"} <= {*names}


def _external(file: Path, metric: str, judged: _Judged) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of judged pictures, and lines on the other cells."""
    table = _table(file, judged)
    names, is_pair, lines = _name_columns(file, table, judged)
    titles, said = _metrics(file, table, names, metric, judged)
    columns = [] if metric else [name for name in table.columns if _METRICS.fullmatch(name) and name not in titles]
    of_rows = columns[0] if columns else None
    records = table.to_dict("records")
    claims = [_claim(record, names, is_pair, resolved(file).parent.name, judged) for record in records]
    pictures = _pictures_of(claims, file, judged)
    values = [
        [(record[of_rows] if of_rows else title, _number(record[column])) for column, title in titles.items()]
        for record in records
    ]
    rows = _rows_of(claims, pictures, values, file, judged)
    if not rows:
        example = abbreviated(judged.rows[0]["stimulus"]) if judged.rows else "no picture"
        raise UserError(
            f"{file}: none of its {_count(claims, pictures)} pictures was judged: {abbreviated(claims[0].name)} "
            f"against {example}; give values of the pictures that were judged, under the same file names"
        )
    lines += [*said, *_not_taken(claims, pictures), *_other_numbers(claims, pictures, judged)]
    frame = conform(pd.DataFrame([*rows.values()]), IMAGE_METRICS, where=str(file))
    return frame, [f"{file}: {line}" for line in (*lines, *_finite_psnr(frame), *_far_values(frame))]


def _pictures_of(claims: Sequence["_Claim"], file: Path, judged: _Judged) -> list[int | None]:
    """Return the judged picture of each row; None: there is none, or another row names it better.

    Raises:
        UserError: a row may be of two.
    """
    best = dict[int, int]()  # how well the best row names each picture
    for claim in claims:
        best |= {picture: max(claim.rank, best.get(picture, 0)) for picture in claim.pictures}
    found: list[int | None] = []
    for name, pictures, rank in claims:
        is_best = bool(pictures) and rank == max(best[picture] for picture in pictures)
        if len(pictures) > 1 and is_best:
            both = " and ".join(abbreviated(judged.rows[picture]["stimulus"]) for picture in pictures[:2])
            raise UserError(
                f"{file}: {abbreviated(name)} may be {both}; give one file for each model, in a folder of the model's "
                "name, or write the folder before the picture's name"
            )
        found.append(pictures[0] if is_best else None)
    return found


def _rows_of(
    claims: Sequence["_Claim"],
    pictures: Sequence[int | None],
    values: Sequence[Sequence[tuple[str, float | None]]],
    file: Path,
    judged: _Judged,
) -> dict[tuple[str, str], Row]:
    """Return the row of each judged picture and metric.

    Args:
        values: for each row of the file its metrics with their values.

    Raises:
        UserError: a picture has two values of one metric.
    """
    rows: dict[tuple[str, str], Row] = {}
    for claim, at, measured in zip(claims, pictures, values, strict=True):
        if at is None:
            continue
        picture = judged.rows[at]
        for metric, value in measured:
            key = (picture["stimulus"], metric)
            if key in rows and rows[key]["value"] != value:
                raise UserError(
                    f"{file}: {abbreviated(key[0])} has two values of {metric}, {rows[key]['value']} and {value}, the "
                    f"second one as {abbreviated(claim.name)}; keep one row for each picture and metric. A column with "
                    "the metric of each row is called metric, one with the model model"
                )
            reason = None if value is not None else f"no number in {file.name}"
            rows[key] = picture | {"metric": metric, "value": value, "reason": reason, "run": OF_FILE + file.name}
    return rows


def _count(claims: Sequence["_Claim"], pictures: Sequence[int | None]) -> int:
    """Return the number of pictures that the rows name."""
    return len({(claim.name, picture) for claim, picture in zip(claims, pictures, strict=True)})


def _not_taken(claims: Sequence["_Claim"], pictures: Sequence[int | None]) -> Iterator[str]:
    """Yield a line on the pictures of a file that were not judged."""
    if None in pictures:
        others = [claim.name for claim, at in zip(claims, pictures, strict=True) if claim.pictures and at is None]
        name = f", such as {abbreviated(others[0])}, whose folder or row names no judged model" if others else ""
        taken = [(claim, at) for claim, at in zip(claims, pictures, strict=True) if at is not None]
        used, every = _count(*zip(*taken, strict=True)), _count(claims, pictures)
        yield f"{used} of {every} pictures were judged; the others are not needed{name}"


def _other_numbers(claims: Sequence["_Claim"], pictures: Sequence[int | None], judged: _Judged) -> Iterator[str]:
    """Yield a line if the file's pictures are numbered from 0 and a model's judged ones from 1, or the other way."""
    check = CHECKS["other_numbers"]
    labels = [judged.label(at) for at in pictures if at is not None]
    names = _numbers_of_names(name for claim in claims for name in _PAIR.split(claim.name))
    for label in dict.fromkeys(labels):
        of_label = [row["stimulus"] for at, row in enumerate(judged.rows) if judged.label(at) == label]
        for form, numbers in _numbers_of_names(of_label).items():
            first, last, others = min(numbers), max(numbers), names.get(form, {-1})
            is_run = len(numbers) >= max(check.n, check.threshold * (last - first + 1))
            if is_run and {first, min(others)} == {0, 1}:
                yield check.line(first=first, last=last, other=min(others), other_last=max(others))
                return


def _numbers_of_names(names: Iterable[str]) -> dict[str, set[int]]:
    """Return the numbers of files by their names without digits, where one number differs from file to file."""
    found = dict[str, list[list[int]]]()
    for stem in (_path(name).stem for name in dict.fromkeys(names)):
        found.setdefault(re.sub("[0-9]+", "#", stem), []).append([int(each) for each in re.findall("[0-9]+", stem)])
    varying = {form: [each for each in map(set, zip(*of, strict=True)) if len(each) > 1] for form, of in found.items()}
    return {form: numbers[0] for form, numbers in varying.items() if len(numbers) == 1}


def _table(file: Path, judged: _Judged) -> pd.DataFrame:
    """Return the cells as text, empty where missing; without a header line, columns are called after their place."""
    if (of_object := _cells_of_object(file, judged)) is not None:
        return of_object
    read = read_foreign([file])
    if names := _names_of_columns(read, judged):
        read = read_foreign([file], TableLayout(columns=names))
    if read.rejected:
        raise UserError(f"{file}: row {read.rejected[0]['row']}: {read.rejected[0]['reason']}")
    cells = read.cells.dropna(axis="columns", how="all").fillna("")
    if cells.shape[1] < 2 or cells.empty:
        raise UserError(
            f"{file}: {'no row' if cells.empty else 'one column'}; expected the picture's file and its value, or the "
            "table image_metrics"
        )
    return cells


def _cells_of_object(file: Path, judged: _Judged) -> pd.DataFrame | None:
    """Return the cells of an object of JSON with the values of pictures; None for another file.

    It is `{"1.png": 71.2}`, `{"1.png": {"musiq": 71.2}}`, `{"musiq": {"1.png": 71.2}}`, or has pandas' columns,
    `{"image": {"0": "1.png"}, "musiq": {"0": 71.2}}`.
    """
    try:
        found = json.loads(read_small(file)) if file.suffix == ".json" else None
    except (ValueError, RecursionError):
        return None
    values = found if isinstance(found, dict) else {}
    if all(isinstance(each, int | float | None) for each in values.values()):
        values = {"score": values}
    cells = [each for of in values.values() for each in (of.values() if isinstance(of, dict) else ([],))]
    if not cells or any(isinstance(each, list | dict) for each in cells):
        return None
    frame = pd.DataFrame(values, dtype="object").map(text_of).fillna("")
    titles = [*map(str, frame)]
    if any(map(_PICTURES.fullmatch, titles)):
        return frame.reset_index(drop=True)
    frame = frame.T if any(map(judged.is_picture, titles)) else frame
    return frame.rename_axis("image").reset_index()


def _names_of_columns(read: Foreign, judged: _Judged) -> list[str]:
    """Return the names of the columns of a file without a header, or of one that looks like a title; else none.

    It does where there are row numbers: pandas' index and R's row names have no name.
    """
    header, titles = [str(name) for name in read.cells], read.parts[0].titles
    if titles:
        above = titles[-1].split()
        if len(header) - len(above) in (0, 1):
            return [name or "unnamed_1" for name in ["", *above][-len(header) :]]
    is_numbered = header == [str(number) for number in range(len(header))]  # pandas, for columns without names
    is_header = is_numbered or header[0] == "unnamed_1" or _PICTURES.fullmatch(header[0])
    if is_header or not any(_is_almost_number(name) or judged.is_picture(name) for name in header):
        return []
    return [f"column {number}" for number in range(1, len(header) + 1)]


class _Claim(NamedTuple):
    """Contents of a row."""

    name: str
    pictures: list[int]
    """The judged pictures that it may be of."""
    rank: int


def _claim(row: dict[Any, str], columns: Sequence[str], is_pair: bool, folder: str, judged: _Judged) -> _Claim:
    """Return the pictures of a row; without references if their column says so."""
    of_cells = [[*filter(None, (name.strip(" '\"()[]") for name in _PAIR.split(row[at])))] for at in columns]
    names = list(dict.fromkeys(name for of_cell in of_cells for name in of_cell))
    is_pair |= any(len(of_cell) > 1 for of_cell in of_cells)
    names = names if is_pair else _whole_paths(names)
    return _Claim(" | ".join(names), *judged.of_row(names, is_pair or len(names) > 1, (*row.values(), folder)))


def _whole_paths(names: Sequence[str]) -> list[str]:
    """Return names without those that are the end of another one, such as a file's name next to its path."""
    parts = {name: _path(name).with_suffix("").parts for name in names if _path(name).name}
    return [
        name
        for name, own in parts.items()
        if not any(name != other and theirs[-len(own) :] == own for other, theirs in parts.items())
    ]


def _name_columns(file: Path, table: pd.DataFrame, judged: _Judged) -> tuple[list[str], bool, list[str]]:
    """Return the columns with names of pictures, whether others have their references, and a line on other models."""
    texts = [name for name in table.columns if not _is_numeric(table[name])]
    names = [name for name in texts if any(map(judged.is_picture, table[name]))]
    names = names or [_titled(file, table, texts, judged)]
    others = [name for name in names if not _REFERENCE.fullmatch(name)] or names
    for name in texts:
        models = {*table[name]} - {""} if _MODELS.fullmatch(name) else {*judged.models}
        if models and models.isdisjoint(judged.models):
            called = ", ".join(sorted(models)[:3])
            line = (
                f"column {name} ({called}) names no judged model; the values are taken for those of the judged pictures"
            )
            return others, others != names, [line]
    return others, others != names, []


def _titled(file: Path, table: pd.DataFrame, texts: Sequence[str], judged: _Judged) -> str:
    """Return the column of names where none has text that names a picture: under a header of names."""
    first = table.columns[0]
    titled = [name for name in table.columns if _PICTURES.fullmatch(name)]
    naming = [name for name in titled if any(map(judged.is_picture, table[name]))]
    if naming or titled or first in texts:
        return [*naming, *titled, first][0]
    title = "its first column" if _UNNAMED.fullmatch(first) else f"its column {first}"
    raise UserError(
        f"{file}: {title} numbers the rows ({', '.join(table[first][:3])}), and no other column names a judged "
        "picture; add a column 'image' with the pictures' files, or call this one so if these are their names"
    )


def _metrics(
    file: Path, table: pd.DataFrame, names: Sequence[str], metric: str, judged: _Judged
) -> tuple[dict[str, str], list[str]]:
    """Return the columns of values with their metrics, and lines on columns and cells that are no values."""
    chosen, lines = _values(_numbers(file, table, names))
    for name in chosen:
        require_clear_numbers(table[name].tolist(), f"{file}: column {name}")
    lines += [line for name in chosen for line in _cells_without_number(table[name], name)]
    if len(chosen) == 1:
        (name,) = chosen
        title = metric or (file.stem if _UNNAMED.fullmatch(name) else name)
        return {name: title} if _has_number(table[name]) else {}, lines
    if metric:
        raise UserError(f"--image-metrics {metric}={file}: it has {len(chosen)} columns of values; give FILE alone")
    if unnamed := next(filter(_UNNAMED.fullmatch, chosen), None):
        number = list(table).index(unnamed) + 1
        raise UserError(f"{file}: column {number} has numbers without a name; write a header line")
    if called := [name for name in chosen if name in judged.models]:
        lines.append(
            f"{', '.join(called)}: a column for each model? Each is taken for a metric; if they are models, give a "
            f"file for each in a folder of its name, such as {called[0]}/{file.name}"
        )
    return {name: name for name in chosen if _has_number(table[name])}, lines


def _numbers(file: Path, table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the columns of numbers that do not number the rows.

    Raises:
        UserError: there is none.
    """
    numbers = [name for name in table.columns if name not in names and _is_numeric(table[name])]
    first = table.columns[0]
    rows = [name for name in numbers if _ROWS.fullmatch(name) or (name == first and first.startswith("unnamed_"))]
    numbers = [name for name in numbers if name not in rows] or numbers
    if not any(_has_number(table[name]) for name in numbers):
        at = next((name for name in reversed([*table]) if name not in names), names[-1])
        row, cell = next((row, cell) for row, cell in enumerate(table[at], start=1) if cell.strip())
        raise UserError(
            f"{file}: no column of numbers after the picture's file: row {row}{_of_column(at)}: found "
            f"{abbreviated(cell)}, expected a number{with_point(cell)}; write each number alone"
        )
    return numbers


def _values(numbers: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the columns of values, by their names, and lines on the others."""
    chosen = [name for name in numbers if not _NO_METRIC.fullmatch(name)] or [*numbers]
    of_real = [name for name in chosen if _REFERENCE.fullmatch(name)]
    of_real = of_real if len(of_real) < len(chosen) else []
    lines = []
    if left := [name for name in numbers if name not in chosen]:
        lines.append(f"not taken for metrics (counts, spreads or sizes): {', '.join(left)}")
    if of_real:
        lines.append(
            f"not taken for metrics: {', '.join(of_real)}, the real pictures' values by its name; give these as "
            "real/FILE, or rename a column of the generated pictures"
        )
    return [name for name in chosen if name not in of_real], lines


def _has_number(cells: pd.Series) -> bool:
    return any(_number(cell) is not None for cell in cells)


def _cells_without_number(cells: pd.Series, title: str) -> list[str]:
    wrong = [row for row, cell in enumerate(cells, 1) if _number(cell) is None and not _is_missing(cell)]
    if not wrong:
        return []
    cell, more = cells.iloc[wrong[0] - 1], f" (and {len(wrong) - 1} more)" if wrong[1:] else ""
    problem = f"found {abbreviated(cell)}, expected a number{with_point(cell)}; taken as missing{more}"
    return [f"row {wrong[0]}{_of_column(title)}: {problem}"]


def _without_value(having: Mapping[str, Mapping[str, set[object]]], judged: _Judged) -> Iterator[str]:
    """Yield a line on the judged pictures of each model that have no value, where others of the model have one.

    Args:
        having: the pictures with a value of each metric in each file.
    """
    used = dict[tuple[str, ...], set[object]]()  # metrics of the same files are one line
    for of_files in having.values():
        used.setdefault((*of_files,), set()).update(*of_files.values())
    for files, stimuli in used.items():
        for model in sorted(judged.models):
            of_model = [row["stimulus"] for row in judged.rows if row["kind"] == "fake" and str(row["model"]) == model]
            without = [stimulus for stimulus in of_model if stimulus not in stimuli]
            if CHECKS["without_value"].threshold <= len(without) < len(of_model):
                facts = {"count": len(without), "n": len(of_model), "first": abbreviated(without[0])}
                yield f"{', '.join(files)}: {CHECKS['without_value'].line(**facts)}"


def _finite_psnr(frame: pd.DataFrame) -> Iterator[str]:
    check = CHECKS["finite_psnr"]
    for (metric, value), rows in frame.groupby(["metric", "value"]):
        if "psnr" in str(metric).casefold() and value in _PSNR_OF_EQUAL and len(rows) >= check.threshold:
            yield check.line(metric=metric, value=value, count=len(rows))


def _far_values(frame: pd.DataFrame) -> Iterator[str]:
    """Yield a line on a value of several pictures that is far from all others, such as -1 for one that failed."""
    check = CHECKS["far_value"]
    for metric, values in frame.groupby("metric")["value"]:
        counts = values[values.abs() < math.inf].value_counts().sort_index()
        ends = ((0, counts.index[1:]), (-1, counts.index[:-1])) if len(counts) > 3 else ()
        for at, rest in ends:
            value, count = float(counts.index[at]), int(counts.iloc[at])
            is_far = min(abs(value - rest[0]), abs(value - rest[-1])) > check.threshold * (rest[-1] - rest[0])
            if count > 1 and (is_far or (value in _CODES and rest[0] >= 0 and len(rest) >= check.n)):
                yield check.line(metric=metric, value=value, count=count, low=rest[0], high=rest[-1])


def _is_numeric(cells: pd.Series) -> bool:
    numbers = sum(map(_is_almost_number, cells))
    return numbers > 0 and 2 * numbers >= sum(not _is_missing(cell) for cell in cells)


def _is_almost_number(cell: str) -> bool:
    """Return True for a number, also one with a decimal comma or a unit: 41,78, 30 dB."""
    return _number(cell) is not None or _number(cell.strip(" dB%").replace(",", ".")) is not None


def _is_missing(cell: str) -> bool:
    return cell.strip().casefold() in ("", *MISSING)


def _of_column(title: str) -> str:
    return "" if _UNNAMED.fullmatch(title) and not title.isalpha() else f", column {title}"


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
