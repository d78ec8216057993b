"""Malformed tables: trials, metric values, stimuli and the tables of an analysis, as CSV and Parquet."""

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from attack.attack import Attack, Special
from attack.damage import damaged, something_else
from attack.world import QUIZ, World
from gan_eval.stats.tables import ALL_TABLES
from gan_eval.tables import IMAGE_METRICS, PARTICIPANTS, SESSIONS, SET_METRICS, STIMULI, TRIALS
from gan_eval.tables.schema import Table

Records = list[list[str]]
Bad = tuple[str, bytes | Special, tuple[str, ...]]
"""A table's fault, the file in its place, and the words that a refusal must contain."""

CELLS = (
    "", "abc", "nan", "NaN", "inf", "-inf", "1e308", "-1e308", "1e-320", "0", "-1", "0.5", "9" * 20, "9" * 400,
    "1_000", "0x10", "١", "true", "maybe", "TRUE", "None", "null", "=1+1", "=cmd|' /C calc'!A0", "+1", "@SUM(1)",
    "-a", "\ta", "x" * 200_000, "\0", "a\nb", "a\rb", "'", "’", "fake", "real", " real", "REAL", "main",
    "../../etc/passwd", "/etc/passwd", "a|b", "<script>alert(1)</script>", "\u202e", "\ufeff", "{}",
    "2026-13-45T99:99:99Z", "1e5", "1,5", "%s%n", "𝕏",
)  # fmt: skip
"""Values to try in any cell."""


def attacks(world: World) -> st.SearchStrategy[Attack]:
    """Every family of this topic."""
    return st.one_of(
        _given_tables(world),
        _given_tables(world),
        _given_tables(world),
        _tables_of_an_analysis(world),
        _tables_of_an_analysis(world),
        _foreign(world),
    )


@st.composite
def mutated(draw: st.DrawFn, data: bytes, table: Table) -> Bad:
    """The table as CSV, with a fault."""
    header, *records = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    known = [name for name in header if name in table.by_name]
    column = draw(st.sampled_from(known))
    place = header.index(column)
    row = draw(st.integers(0, len(records) - 1))
    sort = draw(st.sampled_from(_MUTATIONS))
    named: tuple[str, ...] = ()
    match sort:
        case "cell" | "every cell":
            cell = draw(st.sampled_from(CELLS))
            for record in records if sort == "every cell" else [records[row]]:
                record[place] = cell
            sort = f"{sort} of {column} {cell[:12]!r}"
        case "column missing":
            header, *records = [[*record[:place], *record[place + 1 :]] for record in (header, *records)]
            sort, named = f"column {column} missing", (column,)
        case "column twice":
            header = [*header, column]
            records = [[*record, record[place]] for record in records]
            named = (column,)
        case "column renamed":
            header[place] = draw(st.sampled_from(["", " ", column.upper(), column + " ", "x" * 10_000, "a\nb"]))
            sort = f"column {column} renamed"
        case "column more":
            name = draw(st.sampled_from(["", "more", "=1", "value_x", "index", "__class__", "x" * 5000]))
            header = [*header, name]
            records = [[*record, draw(st.sampled_from(CELLS[:30]))] for record in records]
        case "row twice":
            records = [*records, records[row]]
            named = ("row",)
        case "row short":
            records[row] = records[row][: draw(st.integers(1, len(header) - 1))]
            named = ("row",)
        case "row long":
            records[row] = [*records[row], "more"]
            named = ("row",)
        case "row empty":
            records[row] = []
        case "no rows":
            records = []
        case "one row":
            records = records[:1]
        case "rows moved":
            records = draw(st.permutations(records))
        case "many columns":
            header = [*header, *(f"c{number}" for number in range(3000))]
            records = [[*record, *[""] * 3000] for record in records]
        case "header twice":
            records = [header, *records]
        case "no header":
            header, *records = records
    return sort, _written(draw, [header, *records], sort), named


_MUTATIONS = (
    "cell", "cell", "cell", "cell", "cell", "every cell", "every cell", "every cell", "column missing", "column twice",
    "column renamed", "column more", "row twice", "row short", "row long", "row empty", "no rows", "one row",
    "rows moved", "many columns", "header twice", "no header", "written", "written", "written",
)  # fmt: skip


def _written(draw: st.DrawFn, rows: Records, sort: str) -> bytes:
    """The table as bytes; where nothing else is wrong, written in a way that nobody asked for."""
    way = draw(st.sampled_from(sorted(_WAYS))) if sort == "written" else "plain"
    return _WAYS[way](_as_csv(rows, {"semicolons": ";", "tabs": "\t"}.get(way, ",")))


def _as_csv(rows: Records, delimiter: str = ",") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


_WAYS = {
    "plain": lambda text: text.encode("utf-8", "surrogatepass"),
    "semicolons": lambda text: text.encode(),
    "tabs": lambda text: text.encode(),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "Latin 1": lambda text: text.replace("real", "ré", 1).encode("latin-1", "replace"),
    "NUL": lambda text: text.replace(",", "\0,", 1).encode(),
    "NULs at the end": lambda text: text.encode() + bytes(5000),
    "quote never closed": lambda text: text.replace(",", ',"', 1).encode(),
    "quote in the middle": lambda text: text.replace("real", 're"al', 1).encode(),
    "carriage returns": lambda text: text.replace("\n", "\r").encode(),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "empty lines": lambda text: text.replace("\n", "\n\n").encode(),
    "no end": lambda text: text.rstrip("\n").encode(),
    "header alone": lambda text: text.partition("\n")[0].encode(),
    "sep line": lambda text: ("sep=,\n" + text).encode(),
    "comment": lambda text: ("# made by hand\n" + text).encode(),
}


@st.composite
def as_parquet(draw: st.DrawFn, data: bytes, table: Table) -> Bad:
    """The table as Parquet, with columns of a type that is not theirs."""
    header, *records = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    columns: dict[str, pa.Array] = {}
    wrong = draw(st.sampled_from([name for name in header if name in table.by_name]))
    kind = draw(st.sampled_from(sorted(_ARRAYS)))
    for place, name in enumerate(header):
        cells = [record[place] or None for record in records]
        columns[name] = _ARRAYS[kind](len(cells)) if name == wrong else pa.array(cells, pa.string())
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    if draw(st.integers(0, 3)):
        return f"Parquet, {wrong} of {kind}", buffer.getvalue(), ()
    what, bad = draw(damaged(buffer.getvalue(), head=8))
    return f"Parquet {what}", bad, ()


_ARRAYS = {
    "int64": lambda n: pa.array([2**62] * n, pa.int64()),
    "uint64": lambda n: pa.array([2**64 - 1] * n, pa.uint64()),
    "decimal": lambda n: pa.array([10**30] * n, pa.decimal128(38, 0)),
    "bytes": lambda n: pa.array([b"\xff\xfe"] * n, pa.binary()),
    "lists": lambda n: pa.array([[1, 2]] * n),
    "structs": lambda n: pa.array([{"a": 1}] * n),
    "dates": lambda n: pa.array([0] * n, pa.timestamp("ns")),
    "booleans": lambda n: pa.array([True] * n),
    "nulls": lambda n: pa.nulls(n),
    "nan": lambda n: pa.array([float("nan")] * n),
    "infinity": lambda n: pa.array([float("inf")] * n),
    "dictionary": lambda n: pa.array(["fake"] * n).dictionary_encode(),
    "durations": lambda n: pa.array([1] * n, pa.duration("ms")),
    "half floats": lambda n: pa.array([1.5] * n, pa.float32()).cast(pa.float16()),
}


_ANALYZE = ("analyze", "trials.csv", "--out", "out")
_USES: tuple[tuple[Table, str, tuple[str, ...]], ...] = (
    (TRIALS, "trials.csv", _ANALYZE),
    (TRIALS, "trials.csv", _ANALYZE),
    (TRIALS, "trials.csv", ("trials", "import", "trials.csv", "--out", "out.csv")),
    (SESSIONS, "sessions.csv", _ANALYZE),
    (PARTICIPANTS, "participants.csv", _ANALYZE),
    (IMAGE_METRICS, "image_metrics.csv", (*_ANALYZE, "--image-metrics", "image_metrics.csv")),
    (SET_METRICS, "set_metrics.csv", (*_ANALYZE, "--set-metrics", "set_metrics.csv")),
    (STIMULI, "set/stimuli.csv", (*_ANALYZE, "--stimuli", "set")),
    (STIMULI, "set/stimuli.csv", ("stimuli", "audit", "set", "--out", "out")),
    (STIMULI, "set/stimuli.csv", ("stimuli", "equalise", "set", "--out", "out")),
    (STIMULI, "set/stimuli.csv", ("metrics", "set", "--metrics", "psnr", "--out", "out")),
    (STIMULI, "set/stimuli.csv", QUIZ),
)  # fmt: skip
"""A table, its file, and a command that reads it."""


@st.composite
def malformed(draw: st.DrawFn, good: bytes, table: Table) -> Bad:
    """Something in the place of a table."""
    sort = draw(st.sampled_from(["cells"] * 6 + ["damaged", "something else", "special"]))
    if sort == "cells" and good.count(b"\n") > 1:
        return draw(mutated(good, table))
    if sort == "special":
        kind = draw(st.sampled_from(["folder", "link"]))
        return kind, Special(kind, "nowhere.csv"), ()
    return *draw(damaged(good) if sort == "damaged" else something_else()), ()


@st.composite
def _given_tables(draw: st.DrawFn, world: World) -> Attack:
    """A table that a command is given."""
    table, name, command = draw(st.sampled_from(_USES))
    tables = {each: data for each, data in world.tables.items() if each in command or each == name}
    good = {**world.tables, **world.set}[name]
    files: dict[str, bytes | Special] = {**tables, **(world.set if "set" in command else {})}
    if name in command and draw(st.integers(0, 9)) == 0:
        what, bad, named = draw(as_parquet(good, table))
        del files[name]
        command = tuple(word.replace(name, name.replace(".csv", ".parquet")) for word in command)
        name = name.replace(".csv", ".parquet")
    else:
        what, bad, named = draw(malformed(good, table))
    return Attack(
        f"{table.name}, {' '.join(command[:2])}: {what}", command, {**files, name: bad},
        names=(name.removeprefix("set/") + "|set" + "|have the reasons" * (command[0] == "metrics"), *named),
        changes=("room.sqlite*",), keeps=command[0] == "metrics",
    )  # fmt: skip


@st.composite
def _tables_of_an_analysis(draw: st.DrawFn, world: World) -> Attack:
    """A table of a study's folder, which the report reads unchecked where the folder has no record of it."""
    has_record = draw(st.booleans())
    files = {**world.analysis, **world.record} if has_record else dict(world.analysis)
    record = next(name for name in world.record if name.endswith(".set.json"))
    if has_record and draw(st.integers(0, 3)) == 0:
        what, other = draw(st.one_of(damaged(world.record[record]), something_else()))
        return Attack(f"report, record: {what}", _REPORT, {**files, record: other}, names=("analysis.set.json|.csv",))
    name = draw(st.sampled_from(sorted(name for name in files if name.endswith(".csv"))))
    what, bad, named = draw(malformed(world.analysis[name], _table_of(name)))
    is_checked = has_record and name.startswith("study/tables/") and _table_of(name) not in _UNCHECKED
    good = world.analysis[name]
    is_table = isinstance(bad, bytes) and bad != good and bad.split(b"\n")[0] == good.split(b"\n")[0]
    if not has_record:
        kept = {each: data for each, data in files.items() if draw(st.booleans())}
        files = {"study/tables/rates.csv": files["study/tables/rates.csv"], **kept}
    return Attack(
        f"report{' with record' * has_record}, {_table_of(name).name}: {what}", _REPORT, {**files, name: bad},
        names=(name.rpartition("/")[2], *(() if has_record else named)),
        refused=True if is_checked and is_table else None,
    )  # fmt: skip


_UNCHECKED = (PARTICIPANTS, IMAGE_METRICS, SET_METRICS)
"""Tables that the record of an analysis does not vouch for."""
_REPORT = ("report", "study", "--out", "out.html")


def _table_of(name: str) -> Table:
    return ALL_TABLES[name.rpartition("/")[2].removesuffix(".csv")]


FOREIGN = """subject,item,truth,answer,rt_s,passed_check
s1,a1,photo,photo,0.81,True
s1,a2,synthetic,photo,1.2,True
s2,a1,photo,synthetic,0.7,False
"""


@st.composite
def _foreign(draw: st.DrawFn, world: World) -> Attack:
    """Another program's table of judgements."""
    mapping = draw(st.fixed_dictionaries({
        "participant": st.sampled_from(["subject", "nobody", "", "subject*2", "rt_s"]),
        "stimulus": st.sampled_from(["item", "item", "truth", "\x01"]),
        "kind": st.sampled_from(["truth", "truth", "answer", "rt_s"]),
        "response": st.sampled_from(["answer", "answer", "truth*1"]),
        "reaction_time_ms": st.sampled_from(["rt_s*1000", "rt_s*1e400", "rt_s*nan", "rt_s*", "*", "answer*5"]),
    }))  # fmt: skip
    header, *records = csv.reader(io.StringIO(FOREIGN))
    place, row = draw(st.integers(0, len(header) - 1)), draw(st.integers(0, len(records) - 1))
    cell = records[row][place] = draw(st.sampled_from(CELLS))
    data, what = _as_csv([header, *records]).encode(), f"{header[place]} {cell[:12]!r}"
    if draw(st.integers(0, 4)) == 0:
        what, data = draw(damaged(data))
    where = draw(st.sampled_from(["", "passed_check=True", "passed_check=", "nothing=1", "=", "rt_s=0.81", "x"]))
    options = [f"--map={ours}={theirs}" for ours, theirs in mapping.items()]
    options += [f"--word={name}:{word}" for name in ("kind", "response") for word in ("photo=real", "synthetic=fake")]
    options += [f"--where={where}"] if where else []
    command = ("trials", "import", "judgements.csv", "--out", "out.csv", *options)
    family = f"foreign trials: {what}; {', '.join(f'{key}={value}' for key, value in mapping.items())} {where}"
    return Attack(family, command, {"judgements.csv": data}, names=("judgements.csv|--map|rule '",))
