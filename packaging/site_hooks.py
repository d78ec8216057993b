"""Additions of the documentation site to docs/: commands, an example report, CONTRIBUTING.md, studies and results."""

import re
import runpy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from gan_eval.study.commands.app import application

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "CONTRIBUTING.md",
    "studies/*.toml",
    "results/**/*.md",
    "results/**/*.jpg",
    "results/**/*.png",
    "results/**/*.svg",
    "results/**/*.csv",
    "results/**/*.toml",
)
"""Files of the repository that pages of docs/ link to."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files that the site takes from outside docs/."""
    files.append(File.generated(config, "reference/commands.md", content=commands_page()))
    files.append(File.generated(config, "example_report.html", content=example_report()))
    for path in sorted({path for pattern in COPIED for path in ROOT.glob(pattern)}):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point links between docs/ and the rest of the repository to the site's copies."""
    if page.file.src_uri.startswith("results/") or page.file.src_uri == "CONTRIBUTING.md":
        return re.sub(r"\]\(((?:\.\./)*)docs/", r"](\1", markdown)
    markdown = markdown.replace("](../packaging/example_report.py)", "](example_report.html)")
    return re.sub(r"\]\(\.\./(?=results/|studies/|CONTRIBUTING)", "](", markdown)


@cache
def example_report() -> str:
    """Return the report of the example study."""
    make_report = runpy.run_path(str(ROOT / "packaging" / "example_report.py"))["make_report"]
    with TemporaryDirectory() as folder:
        report: Path = make_report(Path(folder))
        return report.read_text(encoding="utf-8")


def commands_page() -> str:
    """Return the help of every command as Markdown."""
    commands = typer.main.get_command(application())
    return "\n".join(["# Commands", "", *_lines("gan-eval", commands, 2)])


def _lines(name: str, command: Any, level: int) -> Iterator[str]:
    for verb, inner in getattr(command, "commands", {}).items():
        path = f"{name} {verb}"
        yield from (f"{'#' * level} {path}", "", (inner.help or "").strip(), "")
        if not getattr(inner, "commands", None):
            arguments = [parameter for parameter in inner.params if parameter.param_type_name == "argument"]
            words = " ".join([path, *(parameter.name.upper() for parameter in arguments)])
            yield from ("```", f"{words} [OPTIONS]", "```", "", "| option | meaning |", "| --- | --- |")
            for parameter in inner.params:
                if parameter.name != "help":
                    shown = parameter.name.upper() if parameter in arguments else ", ".join(parameter.opts)
                    meaning = " ".join((parameter.help or "").split()).replace("|", "\\|")
                    yield f"| `{shown}` | {meaning} |"
            yield ""
        yield from _lines(path, inner, level + 1)
