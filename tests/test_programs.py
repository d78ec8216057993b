"""The programs of benchmarks/ and results/ start, and every one is named where somebody looks for it."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = sorted(
    file.relative_to(ROOT).as_posix()
    for folder in ("benchmarks", "results")
    for file in (ROOT / folder).rglob("*.py")
    if "__main__" in file.read_text(encoding="utf-8")
)
WITHOUT_HELP = ("benchmarks/psychopy_side.py", "results/tables.py")
"""Programs that PsychoPy's own Python runs, or that take no arguments."""


HELP = """
import contextlib, io, json, runpy, sys, traceback
from pathlib import Path

def help_of(program):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            return said.getvalue() if end.code in (0, None) else f"exit status {end.code}"
        except Exception:
            return traceback.format_exc()
    return "it did not end"

path, found = [*sys.path[1:]], {}
for program in sys.argv[1:]:
    folder = Path(program).resolve().parent
    sys.path[:], sys.argv = [str(folder), *path], [program, "--help"]
    found[program] = help_of(program)
    for name, module in [*sys.modules.items()]:
        if str(getattr(module, "__file__", None)).startswith(str(folder)):  # the next one finds its neighbours itself
            del sys.modules[name]
print(json.dumps(found))
"""
"""Programs one after another, each as if it were started alone: most of a start is importing the same libraries."""


@pytest.mark.slow
def test_each_program_starts_and_says_how_to_call_it() -> None:
    programs = [each for each in PROGRAMS if each not in WITHOUT_HELP]
    command, environment = [sys.executable, "-c", HELP, *programs], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == programs
    assert {program: said for program, said in found.items() if "usage: " not in said} == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "made"), [("mix_loss", "edges2photo/test/coffee-000-000.png"), ("inpainting", "centre/centre.png")]
)
def test_the_pictures_of_the_results_are_made(
    program: str, made: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failed: it passed a function where the orders of channels are expected."""
    file = ROOT / "results" / program / "shown_data.py"
    monkeypatch.setattr(sys, "argv", [str(file), str(tmp_path)])
    runpy.run_path(str(file), run_name="__main__")
    assert (tmp_path / made).is_file()


def test_a_page_or_another_program_names_each_program() -> None:
    texts = {
        file: file.read_text(encoding="utf-8")
        for folder in ("docs", "results", "benchmarks", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".md", ".py", ".sh", ".toml") and file != Path(__file__)
    }
    unnamed = []
    for program in PROGRAMS:
        file = ROOT / program
        name = re.compile(rf"\b{file.stem}(\.py)?\b" if file.parent.name == "benchmarks" else re.escape(program))
        if not any(name.search(text) for other, text in texts.items() if other != file):
            unnamed.append(program)
    assert unnamed == []
