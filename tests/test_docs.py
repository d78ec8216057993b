"""Pages: links, imports and commands are right, the site builds strictly, results say what their CSV files say."""

import ast
import contextlib
import csv
import doctest
import io
import linecache
import re
import runpy
import shlex
from functools import lru_cache
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import typer.main
from mkdocs.commands.build import build
from mkdocs.config import load_config

from gan_eval.__main__ import run
from gan_eval.base.commands import VERBS
from gan_eval.pictures.decode import write_png
from gan_eval.study.commands.app import application

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path
    for folder in (".", "docs", "results", "packaging")
    for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.M | re.S)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@lru_cache
def anchors(page: Path) -> frozenset[str]:
    """Return the valid `#...` targets of a page: headings as GitHub writes them, and `id`s and `name`s."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text, re.M):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        candidates = (slug, *(f"{slug}-{number}" for number in range(1, 50)))
        found.add(next(name for name in candidates if name not in found))
    return frozenset(found)


def broken_links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "`", _FENCE.sub("", page.read_text(encoding="utf-8")))
    broken = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        place, _, anchor = unquote(target).partition("#")
        file = (page.parent / place).resolve() if place else page
        if not file.exists():
            broken.append(f"{target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            broken.append(f"{target}: no such heading")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []


GENERATED = ("tables.md", "study_file.md")
_MADE = re.compile(r"<!-- (?:made by|cluster: begin).*?<!-- (?:end of what is made|cluster: end) -->", re.S)


def test_a_page_of_docs_answers_one_question_in_900_words() -> None:
    """Count what is written by hand: not whole pages, tables and lists that a program makes."""
    texts = {page: _MADE.sub("", page.read_text(encoding="utf-8")) for page in (ROOT / "docs").glob("**/*.md")}
    words = {named(page): len(text.split()) for page, text in texts.items() if page.name not in GENERATED}
    assert {page: count for page, count in words.items() if count > 900} == {}, "shorten these pages to 900 words"
    total = sum(words.values())
    assert total <= 40_000, f"all pages together: remove {total - 40_000} words from any of them"


def test_every_page_of_docs_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").glob("**/*.md")]
    assert [page for page in pages if f": {page}\n" not in navigation] == []


def test_pages_of_docs_that_code_and_study_files_name_exist() -> None:
    folders = ("gan_eval", "trainer", "studies", "packaging", "benchmarks", "paper", "results")
    files = [
        file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".py", ".toml", ".md")
    ]
    pages = {page for file in files for page in re.findall(r"\bdocs/\w+\.md\b", file.read_text(encoding="utf-8"))}
    assert {"docs/tables.md", "docs/proxy.md"} <= pages
    assert sorted(page for page in pages if not (ROOT / page).is_file()) == []


@pytest.mark.slow
def test_imports_of_the_examples_work() -> None:
    blocks = [block for page in PAGES for block in _PYTHON.findall(page.read_text(encoding="utf-8"))]
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block))]
    for line in {ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)}:
        exec(line, {})  # our own pages


WITH_EXAMPLES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("gan_eval", "trainer")
    for file in sorted((ROOT / package).rglob("*.py"))
    if ">>>" in file.read_text(encoding="utf-8")
]


@pytest.mark.slow
@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_in_docstrings_give_what_they_say(module: str) -> None:
    linecache.clearcache()  # doctest looks at each file that was read again for every docstring of a module
    found = doctest.testmod(import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.nightly
def test_the_readmes_commands_and_python_example_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 200, (8, 32, 32, 3), dtype=np.uint8)
    for number, picture in enumerate(noise):
        for folder in ("photographs", "generated"):
            write_png(Path(folder) / f"{number}.png", picture + np.uint8(number + 1) * (folder == "generated"))
    rows = ["subject,stimulus,truth,response,rt_s"]
    for person, number, kind in product("AB", range(8), ("real", "fake")):
        rows.append(f"{person},{kind}{number}.png,{kind},{('real', 'fake')[number % 2]},0.{5 + number}{ord(person)}")
    Path("theirs.csv").write_text("\n".join(rows))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in re.findall(r"^\./run ((?:trials|analyze) .*)$", text, re.M):
        assert run(shlex.split(command)) == 0
    (example,) = _PYTHON.findall(text)
    names: dict[str, Any] = {}
    exec(example, names)  # our own page
    assert (names["image_metrics"]["metric"] == "psnr").sum() == 8
    assert names["rates"]["scope"].tolist().count("participant") == 2
    assert Path("report.html").is_file()


@pytest.mark.nightly
def test_the_tutorials_unpaired_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (2, 30, 32, 32, 3), dtype=np.uint8)
    for kind, pictures in zip(("real", "fake"), noise, strict=True):  # as `demo` leaves them
        for number, picture in enumerate(pictures):
            write_png(Path(f"demo/stimuli/dots2photo-gan/{kind}/coffee-{number:03}.png"), picture)
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8").partition("## 7.")[2]
    (example,) = _PYTHON.findall(text)
    exec(example, {})  # our own page
    for command in re.findall(r"^\./run (?!demo)(.*)$", text, re.M):
        assert run(shlex.split(command)) == 0
    with Path("unpaired/study/tables/paper.csv").open(newline="", encoding="utf-8") as file:
        (row,) = [row for row in csv.DictReader(file) if row["model"] == "samples"]
    assert (row["n_real"], row["n_fake"], row["simulated"]) == ("15", "15", "true")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=named)
def test_commands_have_one_name(page: Path) -> None:
    text, verb = page.read_text(encoding="utf-8"), rf"(?:{'|'.join(VERBS)})"
    found = re.findall(rf"(?<![\w./-])gan-eval\s+{verb}\b|`{verb} [^`\n]+`", text)
    assert not found, "write ./run, as messages and the help do in a checkout"


def test_commands_and_their_options_exist() -> None:
    app, missing = typer.main.get_command(application()), []
    for page in (page for page in PAGES if page.name != "CHANGELOG.md"):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"\./run ((?!test\b|setup\b|VERB)[^\n`#|;]+)", text):
            command: Any = app
            words = iter(line.split())
            while hasattr(command, "commands") and (word := next(words, None)):
                command = command.commands.get(word) or command.commands.get("tables")  # of `export`, unsaid
            parameters = getattr(command, "params", ())
            known = {"--help", *(name for each in parameters for name in (*each.opts, *each.secondary_opts))}
            given = {found[0] for word in words if (found := re.match(r"--[a-z0-9-]+", word))}
            missing += [f"{named(page)}: {line}"] * (command is None or not given <= known)
    assert missing == []


def defined_names(file: Path) -> set[str]:
    """Return the functions, classes and variables of a module and of its classes."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    found = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return found | {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def test_files_that_contributing_names_define_the_functions_next_to_them() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tests = re.findall(r"\btests/[\w/]+\.py", text)
    assert [path for path in tests if "NAME" not in path and not (ROOT / path).is_file()] == []
    claims = re.findall(r"`(\w+)`\s+(?:\(|in\s+|of\s+)`([\w/]+\.py)`", text)
    assert ("_tables_of_answers", "gan_eval/stats/analysis.py") in claims
    for path, sentence in re.findall(r"^\d\. `([\w/]+\.py)`: (.*?)(?:\.\s|:$)", text, re.M | re.S):
        claims += [(name, path) for name in re.findall(r"`(\w{4,})`", sentence) if name != "NAME"]
    tracked = [path for folder in ("gan_eval", "trainer", "tests") for path in (ROOT / folder).rglob("*.py")]
    files = {path: [file for file in tracked if file.as_posix().endswith(f"/{path}")] for _, path in claims}
    assert [path for path, found in files.items() if len(found) != 1] == []
    assert [(name, path) for name, path in claims if name not in defined_names(files[path][0])] == []


@pytest.mark.parametrize("example", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(
    example: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "gallery/index.html": 'href="../example_report.html"',
        "example_report.html": "Simulated participants (N = 10) judged",
        "reference/commands/index.html": "gan-eval stimuli equalise",
        "reference/python/index.html": "gan_eval.metrics.classes.MeanStructuralSimilarity",
    }
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True)
    if not example:  # by day, the study of the example is not run
        hooks = config.hooks["packaging/site_hooks.py"]
        monkeypatch.setattr(hooks, "example_report", lambda: said["example_report.html"])
    build(config)
    pages = [page.read_text(encoding="utf-8") for page in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 20
    loaded = re.compile(r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=\"?https?://[^\s\">]+")
    assert [found for page in pages for found in loaded.findall(page) if "rel=canonical" not in found] == []
    assert [page for page, words in said.items() if words not in (tmp_path / "site" / page).read_text("utf-8")] == []


RESULTS = ROOT / "results"


@pytest.fixture(scope="module")
def printed() -> dict[str, list[str]]:
    """The rows that results/tables.py prints for each page."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(str(RESULTS / "tables.py"), run_name="__main__")
    _, *parts = re.split(r"^(\w+)/README\.md\n", said.getvalue(), flags=re.M)
    return {page: rows.splitlines() for page, rows in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["cityscapes_convergence", "inpainting", "mix_loss", "photographs", "pix2pix_capability"]
)
def test_tables_are_those_of_the_csv_files(printed: dict[str, list[str]], page: str) -> None:
    text = (RESULTS / page / "README.md").read_text(encoding="utf-8").replace("*", "")
    assert len(printed[page]) >= 4
    assert [row for row in printed[page] if row not in text] == []


@pytest.mark.parametrize(
    "table", sorted(RESULTS.rglob("*_metrics*.csv")), ids=lambda path: str(path.relative_to(RESULTS))
)
def test_the_run_of_each_value_is_kept(table: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        runs = {row["run"] for row in csv.DictReader(file) if "run" in row}
    with (table.parent / "runs.csv").open(newline="", encoding="utf-8") as file:
        assert runs <= {row["run"] for row in csv.DictReader(file)}
