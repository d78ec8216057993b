"""Rows of the tables, and what the modules that measure them share."""

import sys
import types
from collections.abc import Sequence
from importlib.metadata import distribution, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

Found = tuple[str, Sequence[float | None], str]
"""A program and its call, the values, why they differ."""
Table = dict[str, list[Found]]
"""Rows for each thing that is measured."""


def named(package: str, call: str = "") -> str:
    """A program's cell, with the version that is installed."""
    return called(f"{package} {version(package)}", call)


def called(program: str, call: str) -> str:
    """The cell of a program that has its version."""
    return program + (f" `{call}`" if call else "")


def bare(package: str, *folders: str) -> None:
    """Make the modules of a package importable without its `__init__`, which asks for more than is installed."""
    root = Path(str(distribution(package).locate_file(package)))
    for name, path in ((package, root), *((f"{package}.{folder}", root / folder) for folder in folders)):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(path)]


def module_of(package: str, file: str) -> Any:
    """One file of an installed package whose other files ask for more than is installed."""
    spec = spec_from_file_location(package, str(distribution(package).locate_file(file)))
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
