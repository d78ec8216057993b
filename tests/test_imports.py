"""Allowed imports between rooms, and the cost of an import (docs/architecture.md, the rooms).

Imports point one way, the quiz starts without the heavy libraries, and Qt lives in gan_eval/quiz/app alone.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ORDER = (
    *("base", "tables", "settings", "pictures", "store", "quiz"),
    *("metrics", "judgements", "stats", "report", "study", "__main__"),
)
"""The rooms, lowest first: each may import from those before it. The trainer is not one of them."""

SEPARATE = {"quiz": "quiz", "metrics": "metrics", "judgements": "statistics", "stats": "statistics"}
"""Rooms that are used alone: these three parts share the rooms before the store, and do not import each other."""

LIGHT_MODULES = (
    "tables", "tables.cells", "tables.frames", "settings.sections", "settings.study", "settings.quiz",
    "settings.training", "settings.analysis", "study", "store", "store.export", "pictures.audit", "pictures",
    "pictures.importing", "pictures.holes", "pictures.decode", "base.adaptive",
    "base.inference", "base.reading", "base.errors", "quiz", "study.commands.doctor",
    "metrics.catalogue", "metrics.weights.cache", "metrics.weights.package",
)  # fmt: skip
HEAVY = ("pandas", "scipy", "torch", "torchmetrics", "torchvision", "matplotlib")


def module_files() -> list[Path]:
    """Every module of the two packages."""
    return sorted([*(ROOT / "gan_eval").rglob("*.py"), *(ROOT / "trainer").rglob("*.py")])


def module_name(file: Path) -> str:
    """The dotted name of a module's file."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str | None:
    """The room of a dotted name: the part below gan_eval, or trainer; None for gan_eval itself and for others'."""
    parts = name.split(".")
    if parts[0] == "trainer":
        return "trainer"
    return parts[1] if parts[0] == "gan_eval" and len(parts) > 1 else None


@cache
def imports_of(file: Path) -> frozenset[str]:
    """The dotted names that a module imports anywhere, inside functions and for type checking too."""
    return frozenset(_imported_names(ast.parse(file.read_text(encoding="utf-8")), module_name(file), file))


def _imported_names(tree: ast.AST, module: str, file: Path) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
                base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):  # no expression imports
            yield from _imported_names(node, module, file)


def rooms_and_imports() -> Iterator[tuple[str, str, str, str]]:
    """Each (file, its room, a room that it imports, what of that), other rooms only."""
    for file in module_files():
        room = room_of(module_name(file))
        for name in imports_of(file):
            imported = room_of(name)
            if room and imported and imported not in ("__version__", "__address__", room):
                yield str(file.relative_to(ROOT)), room, imported, name


def test_imports_point_one_way():
    wrong = [
        f"{file} imports {name}"
        for file, room, imported, name in rooms_and_imports()
        if "trainer" not in (room, imported) and ORDER.index(imported) > ORDER.index(room)
    ]
    assert wrong == []


def test_no_files_import_each_other_in_a_circle():
    """Check also for types; the package itself does not count, as its modules take the version number from it."""
    modules = {module_name(file): file for file in module_files()}
    imported = {name: {_module_of(each, modules) for each in imports_of(file)} for name, file in modules.items()}
    left = {name: names - {name, "gan_eval", None} for name, names in imported.items() if name != "gan_eval"}
    size = 0
    while size != len(left):
        size, needed = len(left), set().union(*left.values())
        left = {name: names for name, names in left.items() if name in needed and names & left.keys()}
    assert sorted(left) == [], "each of these imports another of them"


def _module_of(name: str, modules: Container[str]) -> str | None:
    """The module that a dotted name is or is in; None: it is another program's."""
    parts = name.split(".")
    return next((front for end in range(len(parts), 0, -1) if (front := ".".join(parts[:end])) in modules), None)


def drawing() -> str:
    """The rooms, lowest first, each with the rooms that it imports."""
    below: dict[str, set[str]] = {room: set() for room in (*ORDER[:-1], "trainer")}
    for _, room, imported, _ in rooms_and_imports():
        if room in below and imported in below:
            below[room].add(imported)
    order = [*below]
    return "\n".join(f"{room:<11} {' '.join(sorted(below[room], key=order.index))}".rstrip() for room in order)


def test_the_drawing_of_rooms_in_the_docs_is_that_of_the_code():
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    assert f"```\n{drawing()}\n```" in page, f"docs/design.md needs this drawing:\n{drawing()}"


def test_rooms_that_are_used_alone_do_not_import_each_other():
    wrong = [
        f"{file} imports {name}"
        for file, room, imported, name in rooms_and_imports()
        if room in SEPARATE and imported in SEPARATE and SEPARATE[room] != SEPARATE[imported]
    ]
    assert wrong == []


def test_the_trainer_imports_no_room_that_imports_it():
    """Check that it imports only pretrained weights from the metrics; a run's metrics come as a callable."""
    below = ORDER[: ORDER.index("quiz")]
    wrong = [
        f"{file} imports {name}"
        for file, room, imported, name in rooms_and_imports()
        if (room == "trainer" and imported not in below and not name.startswith("gan_eval.metrics.weights"))
        or (imported == "trainer" and ORDER.index(room) < ORDER.index("report"))
    ]
    assert wrong == []


def test_qt_lives_in_the_quiz_app_alone():
    app = ROOT / "gan_eval" / "quiz" / "app"
    users = [file for file in module_files() if any(name.split(".")[0] == "PySide6" for name in imports_of(file))]
    assert users, "nobody imports PySide6: this test looks in the wrong place"
    assert [str(file.relative_to(ROOT)) for file in users if app not in file.parents] == []


def loaded_by(code: str, libraries: tuple[str, ...]) -> list[str]:
    """Return those of `libraries` that are loaded in a new interpreter after `code`."""
    report = f"\nimport sys; print('loaded:', *[name for name in {libraries!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


def test_loaded_libraries_are_seen():
    assert loaded_by("import json", ("json", "torch")) == ["json"]


def test_the_package_alone_imports_nothing_heavy_and_shows_its_names():
    code = "import gan_eval; assert gan_eval.__all__ == [name for name in dir(gan_eval) if name[0] != '_']"
    assert loaded_by(code, (*HEAVY, "sqlalchemy", "numpy", "PySide6")) == []


def test_all_of_the_quiz_imports_nothing_heavy():
    pytest.importorskip("starlette")
    files = [file for file in (ROOT / "gan_eval" / "quiz").rglob("*.py") if file.name != "__main__.py"]
    assert len(files) > 3
    code = "\n".join(f"import {module_name(file)}" for file in files)
    assert loaded_by(code, HEAVY) == []


def test_a_session_starts_without_what_it_does_not_use():
    others = ["rich", "psycopg", *(f"gan_eval.{name}" for name in ("study.plan", "metrics", "store.export"))]
    others += ["gan_eval.study.commands.train", "gan_eval.study.commands.metrics", "PySide6.QtNetwork", "PySide6.QtQml"]
    code = "from gan_eval.study.commands.app import application; application(['quiz'])\n"
    code += "import gan_eval.quiz.room, gan_eval.quiz.app.application\n"
    code += "from gan_eval.quiz.draw.rounds import Counts, Pool, choices\n"
    code += "offers = dict.fromkeys('abcdefgh', {})\n"
    code += "assert len(next(choices(Pool('d', {'': offers, 'm': offers}), Counts(4, 4), seed=0))) == 8"
    assert loaded_by(code, (*HEAVY, *others)) == []


def test_light_modules_and_the_help_import_nothing_heavy():
    code = "\n".join(f"import gan_eval.{module}" for module in LIGHT_MODULES)
    code += """
gan_eval.metrics.catalogue.describe()  # `metrics --list`
import runpy, sys
sys.argv = ["gan-eval", "--help"]
try:
    runpy.run_module("gan_eval", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
"""
    assert loaded_by(code, (*HEAVY, "PySide6", "numba")) == []


def test_metrics_of_pictures_need_no_slow_library(tmp_path):
    """Check a whole command: each of these libraries takes longer than measuring a hundred pictures."""
    code = f"""
import numpy as np
from pathlib import Path
from PIL import Image
from gan_eval.__main__ import run
folder = Path({str(tmp_path)!r})
for number, side in enumerate(("real", "fake")):
    (folder / side).mkdir()
    for name in "ab":
        pixels = np.random.default_rng(number).integers(0, 256, (96, 192, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / side / (name + ".png"))
sides = ["--real", str(folder / "real"), "--fake", str(folder / "fake")]
assert run(["metrics", *sides, "--metrics", "psnr,ssim,niqe", "--out", str(folder / "out"), "--no-cache"]) == 0
assert (folder / "out" / "image_metrics.parquet").stat().st_size > 1000
"""
    slow = {*HEAVY, "sqlalchemy", "rich.console", "gan_eval.stats"} - {"scipy"}  # numba imports it
    assert loaded_by(code, tuple(slow)) == []


def test_the_statistics_and_the_reports_sections_load_without_the_slow_libraries():
    slow = {"sqlalchemy", "torch", "PIL", "gan_eval.report", "gan_eval.judgements.convert"}
    code = f"""
import sys, gan_eval.stats.analysis
assert not sys.modules.keys() & {slow}, sys.modules.keys() & {slow}
import gan_eval.report.sections
"""
    assert loaded_by(code, ("matplotlib",)) == [], "only a figure needs it"


def test_no_two_test_files_have_one_name():
    names = sorted(file.name for file in (ROOT / "tests").rglob("test_*.py"))
    assert names == sorted(set(names)), "pytest cannot collect two files of one name in folders without __init__.py"


def test_each_folder_names_the_file_to_open_first():
    for file in module_files():
        if file.name != "__init__.py" or file.parent == ROOT / "gan_eval":  # that one lists the public functions
            continue
        first = re.search(r"Open `?([a-z_/]+\.py)`? first", ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "")
        assert first is not None, file
        assert (file.parent / first[1]).is_file(), file


def test_no_class_name_is_in_two_rooms() -> None:
    rooms: dict[str, set[str]] = {}
    for path in (ROOT / "gan_eval").rglob("*.py"):
        for name in re.findall(r"(?m)^class (\w+)", path.read_text(encoding="utf-8")):
            rooms.setdefault(name, set()).add(path.relative_to(ROOT / "gan_eval").parts[0])
    assert {name: found for name, found in rooms.items() if len(found) > 1} == {}
