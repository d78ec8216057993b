"""Malformed tables, pictures and study files: commands end with status 0 or 2, in one line, and leave the input alone.

pytest tests/test_malformed_input.py -m nightly --attacks 2000 --attack-seed 7

Each case hangs on seed and number alone. Pictures that are damaged, and what each reader refuses by name, are tested
with the readers (`test_decode.py`, `test_tabular.py`, `test_study.py`).
"""

import csv
import gzip
import io
import json
import math
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Command
from finished import copy_study
from png_by_hand import png
from pydantic import TypeAdapter

from gan_eval.base.errors import MAX_LENGTH, UserError
from gan_eval.settings.sections import Section
from gan_eval.settings.study import Study, load_study
from gan_eval.settings.template import settings_of, toml

CELLS = (
    "", "abc", "nan", "inf", "-inf", "1e308", "1e-320", "0", "-1", "0.5", "9" * 20, "9" * 400, "1_000", "0x10", "١",
    "true", "maybe", "None", "=1+1", "=cmd|' /C calc'!A0", "\ta", "x" * 200_000, "\0", "a\nb", "a\rb", "'", "fake",
    "real", " real", "main", "../../etc/passwd", "a|b", "<script>alert(1)</script>", "\u202e", "\ufeff", "1,5", "𝕏",
    "2026-13-45T99:99:99Z",
)  # fmt: skip
"""Values to try in any cell."""
VALUES: tuple[Any, ...] = (
    True, 0, 1, -1, 2, 10**6, 10**18, 2**63 - 1, -0.0, 0.5, -0.5, 1e-320, 1e308, math.nan, math.inf, "", " ", "x", "3",
    "none", "x" * 5000, "\0", "a\nb", "\x1b[31m", "../..", "/dev/zero", "a|b", "real", "=1+1", "[bold]", "%s", "\u202e",
    "correct<1", "psnr", "set", [], [""], ["x", "x"], ["x"] * 10_000, [0], [1.5], [10**18], [True], [[]], [{}],
    ["a", "b"], [["a", "a"]], {}, {"x": 1}, {"": 1}, {"x": {}}, {"x" * 5000: 1}, {"real": "", "fake": "\n"},
)  # fmt: skip
"""Values to try for any key of a study."""


@pytest.fixture
def cases(request: pytest.FixtureRequest) -> list[random.Random]:
    """Random numbers for each case."""
    options = request.config.getoption
    return [random.Random(f"{options('--attack-seed')} {case}") for case in range(options("--attacks"))]


def test_a_value_of_another_type_is_refused_by_its_key(cases: list[random.Random], tmp_path: Path) -> None:
    """The keys come from the declarations: a new one is tried without anyone thinking of it."""
    keys = list(declared(Study))
    assert len(keys) > 120
    path = tmp_path / "study.toml"
    for rng in cases * 4:
        (*place, key), annotation = rng.choice(keys)
        value = rng.choice(VALUES)
        study: Any = value
        for part in reversed([*place, key]):
            study = [study] if isinstance(part, int) else {part: study}
        study |= {"study": {"name": "s", **(study.get("study") if isinstance(study.get("study"), dict) else {})}}
        path.write_text("".join(f"{toml(name)} = {toml(section)}\n" for name, section in study.items()), "utf-8")
        line = refusal(path)
        require_one_line(line)
        assert line.startswith(f"{path}: ") if line else is_possible(annotation, value), (place, key, value, line)


def refusal(path: Path) -> str:
    """Return the line that refuses a study file, or nothing."""
    try:
        load_study(path, only_plan=True)
    except UserError as error:
        return str(error)
    return ""


def declared(section: type[Section], place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every key that a study may have, and its type."""
    for setting in settings_of(section):
        here = (*place, setting.name)
        yield here, setting.field.annotation
        if setting.section is not None:
            inner: tuple[str | int, ...] = {"by_name": ("net",), "list": (0,)}.get(setting.shape, ())
            yield from declared(setting.section, (*here, *inner))


def is_possible(annotation: Any, value: Any) -> bool:
    """Let pydantic decide whether a key of this type accepts the value, without the section's own rules."""
    try:
        TypeAdapter(annotation).validate_json(json.dumps(value, allow_nan=False), strict=True)
    except ValueError:
        return False
    return True


def changed_table(rows: list[list[str]], rng: random.Random) -> str:
    """Change the table's rows, the header first, and return its text."""
    row, column = rng.randrange(1, len(rows)), rng.randrange(len(rows[0]))
    match rng.choice(["cell"] * 5 + ["every cell"] * 3 + ["missing", "twice", "renamed", "more", "row", "rows"]):
        case "cell":
            rows[row][column] = rng.choice(CELLS)
        case "every cell":
            cell = rng.choice(CELLS)
            for each in rows[1:]:
                each[column] = cell
        case "missing":
            rows = [[*each[:column], *each[column + 1 :]] for each in rows]
        case "twice":
            rows = [[*each, each[column]] for each in rows]
        case "renamed":
            rows[0][column] = rng.choice(["", " ", rows[0][column].upper(), "x" * 10_000, "a\nb"])
        case "more":
            rows = [[*each, *["=1"] * rng.choice([1, 3000])] for each in rows]
        case "row":
            rows[row] = rng.choice([[], rows[row][:1], [*rows[row], "more"], rows[row - 1], rows[0]])
        case "rows":
            rows = rng.choice([rows[:1], rows[:2], rows[1:], [*rows, *rows], [rows[0], *rows]])
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


WAYS: tuple[Callable[[str], bytes], ...] = (
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.replace("real", "ré", 1).encode("latin-1", "replace"),
    lambda text: text.replace(",", "\0,", 1).encode(),
    lambda text: text.encode() + bytes(5000),
    lambda text: text.replace(",", ',"', 1).encode(),
    lambda text: text.replace("\n", "\r").encode(),
    lambda text: text.replace(",", ";").encode(),
    lambda text: ("# made by hand\nsep=,\n" + text).encode(),
    lambda text: text.encode()[: len(text) // 2],
    lambda _: b"",
    lambda _: bytes(8192),
    lambda _: gzip.compress(b"x" * 1000),
    lambda _: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n",
)
"""Ways to write a table's text that no reader expects."""
ARRAYS: tuple[Callable[[int], pa.Array], ...] = (
    lambda n: pa.array([2**64 - 1] * n, pa.uint64()),
    lambda n: pa.array([10**30] * n, pa.decimal128(38, 0)),
    lambda n: pa.array([b"\xff\xfe"] * n, pa.binary()),
    lambda n: pa.array([[1, 2]] * n),
    lambda n: pa.array([{"a": 1}] * n),
    lambda n: pa.array([0] * n, pa.timestamp("ns")),
    lambda n: pa.nulls(n),
    lambda n: pa.array(["fake"] * n).dictionary_encode(),
    lambda n: pa.array([1] * n, pa.duration("ms")),
)
"""Columns of Parquet of types that no table has."""


def malformed(text: str, rng: random.Random, *, parquet: bool) -> bytes:
    """Return something in the place of a table."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not parquet:
        return rng.choice(WAYS)(text) if rng.random() < 0.2 else changed_table(rows, rng).encode()
    columns = {name: pa.array([row[place] for row in rows[1:]]) for place, name in enumerate(rows[0])}
    columns[rng.choice(rows[0])] = rng.choice(ARRAYS)(len(rows) - 1)
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


USES = (
    ("trials.csv", "analyze trials.csv --out out"),
    ("trials.csv", "trials import trials.csv --out out.csv"),
    ("trials.parquet", "analyze trials.parquet --out out"),
    ("sessions.csv", "analyze trials.csv --out out"),
    ("image_metrics.csv", "analyze trials.csv --image-metrics image_metrics.csv --out out"),
    ("set_metrics.csv", "analyze trials.csv --set-metrics set_metrics.csv --out out"),
    ("main/stimuli.csv", "analyze trials.csv --stimuli main --out out"),
    ("main/stimuli.csv", "stimuli audit main --out out"),
    ("main/stimuli.csv", "metrics main --metrics psnr --out out"),
    ("main/stimuli.csv", "quiz --stimuli main --real 4 --fake 4 --participant P1 --simulate default --store out.db"),
    ("tables/*.csv", "report tables --out out.html"),
)
"""A table, and a command that reads it."""


@pytest.fixture
def given(finished_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a set and its tables, which is the current one."""
    folder = copy_study(finished_study, tmp_path / "study")
    for name in ("trials", "sessions"):
        (folder / "out" / "tables" / f"{name}.csv").rename(folder / f"{name}.csv")
    (folder / "out" / "metrics" / "image_metrics.csv").rename(folder / "image_metrics.csv")
    (folder / "set_metrics.csv").write_text("model,dataset,metric,value,n_real,n_fake,ci_low,ci_high,reason,run,note\n")
    with (folder / "set_metrics.csv").open("a") as table:
        table.write("m,main,fid,61.5,8,8,,,,,\n")
    (folder / "out" / "tables").rename(folder / "tables")
    shutil.rmtree(folder / "tables" / ".gan-eval")  # the record of an analysis refuses any change
    shutil.rmtree(folder / "out")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.nightly
def test_a_malformed_table_is_taken_or_refused(cases: list[random.Random], given: Path, command: Command) -> None:
    for rng in cases:
        name, words = rng.choice(USES)
        tables = {path: path.read_text(encoding="utf-8") for path in given.glob(name.replace(".parquet", ".csv"))}
        path = rng.choice(sorted(path for path, text in tables.items() if text.count("\n") > 1))
        whole = tables[path]
        data = malformed(whole, rng, parquet=name.endswith("parquet"))
        changed = path.with_suffix(".parquet") if name.endswith("parquet") else path
        changed.write_bytes(data)
        require_manners(given, command, words, path.stem)
        path.write_text(whole, encoding="utf-8")


PICTURES = (
    *(png(*size) for size in ((60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 32), (32, 32))),
    *(png(32, 32, depth=depth, colour=colour, body=bytes(4000)) for depth, colour in ((7, 2), (8, 9), (8, 2))),
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n(PWNED) (w) file closefile\nshowpage\n",
    b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32"/>',
)
NAMES = (
    "\udcff\udcfe", "a\nb", "\x1b[31mred", "-rf", "--help", "x" * 251, " ", "'", '"', "a|b", "a,b", "=1+1", "%s{0}",
    "CON", "e\u0301", "\u202egnp", ".hidden", "0.png", "$(touch PWNED)", "[bold]x", "\\",
)  # fmt: skip


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:::PIL")
def test_a_malformed_picture_is_taken_or_refused(cases: list[random.Random], given: Path, command: Command) -> None:
    for rng in cases:
        made = [shutil.copytree(given / "main" / kind, given / "results" / kind) for kind in ("real", "fake")]
        if rng.random() < 0.5:
            rng.choice(made).joinpath("0.png").write_bytes(rng.choice(PICTURES))
        else:
            name = rng.choice(NAMES)
            for folder in made:
                (folder / "0.png").rename(folder / f"{name}.png")
        words = ("stimuli import results --out out", "metrics --real results/real --fake results/fake --metrics psnr")
        require_manners(given, command, f"{rng.choice(words)} --out out", "")
        shutil.rmtree(given / "results")


def require_manners(folder: Path, command: Command, words: str, name: str) -> None:
    """Run a command: status 0 or 2 (3 if rows are left out), a refusal in one line, only `out` is written."""
    before = contents(folder)
    status, out, err = command(*words.split())
    assert status in ((0, 2, 3) if words.startswith("trials") else (0, 2)), err
    assert "Traceback" not in out + err
    assert len(err.splitlines()) < 60
    assert not re.search(r"\.py:\d+: \w*Warning", err)
    assert contents(folder) == before
    if status == 2:
        line = err.splitlines()[-1]
        assert line.startswith("gan-eval: ")
        assert err.count("gan-eval: ") == 1
        require_one_line(line)
        assert name in line or "--" in line or "have the reasons" in line, line
        assert words.startswith("metrics") or not list(folder.glob("out*/*.csv"))
    for path in folder.glob("out*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def contents(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return size and time of the files that a command may not change: all but `out` and gan_eval's own."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".gan-eval" not in path.parts)
    kept = [path for path in found if not path.relative_to(folder).parts[0].startswith("out")]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in kept}


def require_one_line(text: str) -> None:
    assert len(text) < MAX_LENGTH + 300, text[:300]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text), repr(text)
    assert not re.search(r"sqlite3\.|sqlalche|\[SQL|Errno|<class |0x[0-9a-f]{6,}|Error\(", text), text
