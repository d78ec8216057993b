"""Hashes of the code that computes a value: of what a function reaches, without comments and docstrings.

The sources are parsed, not run. From a function on, everything that it names at the top level of its own module and of
the other modules followed is taken in, and what that names in turn: functions, classes, constants, files of data. So
another constant in a definition is another hash for the metrics that use it, and for no other; another comment, or
another function beside it, is none.

What cannot be seen is taken in rather than left out: where a module itself is handed on (`backend_of` returns one),
whatever in it bears the name of an attribute that is used anywhere. Names that are made up while running are not seen.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from gan_eval import __version__
from gan_eval.files import sha256_json
from gan_eval.metrics.run.cache import Cache

Name: TypeAlias = tuple[str, str]
"""A module, and a name at its top level; EVERYTHING for all of them, "" for its statements that bind no name."""
EVERYTHING = "*"
_FOLLOWED = (
    "gan_eval.metrics.definitions", "gan_eval.metrics.kernels", "gan_eval.metrics.networks", "gan_eval.metrics.run",
    "gan_eval.metrics.catalogue", "gan_eval.stimuli.pictures", "gan_eval.stimuli.holes", "gan_eval.weights.files",
)  # fmt: skip
"""What of gan_eval has a part in values: these modules, and those below them."""
_APART = ("gan_eval.metrics.run.set_references",)
"""It hands each set metric on to its definition, which is a root of its own."""
_ALWAYS_THERE = "metrics/catalogue.py"
_DATA_FILE = re.compile(r"[\w./-]+\.(npz|npy|json|csv|toml|txt)")


class NoSourceError(Exception):
    """A module's source is not there, as in some frozen programs."""


@dataclass(frozen=True)
class _Part:
    """What one name stands for."""

    text: str
    """Its normalised code."""
    uses: frozenset[Name] = frozenset()
    handed_on: frozenset[str] = frozenset()
    """Modules that are used otherwise than by an attribute."""
    attributes: frozenset[str] = frozenset()
    """Names of attributes of whatever object."""


@dataclass
class _Module:
    name: str
    package: str
    """What relative imports start from."""
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """The top-level statements that bind each name."""
    loose: list[ast.stmt] = field(default_factory=list)
    """Those that bind none."""


class Code:
    """The code of some modules, each parsed when it is first reached."""

    def __init__(
        self,
        read: Callable[[str], tuple[str, bool] | None],
        *,
        data: Callable[[str], bytes | None] = lambda _: None,
        apart: Collection[str] = (),
    ) -> None:
        """
        Args:
            read: the source of a module by its dotted name, and whether it is a package; None for a module that is not
                followed. May raise NoSourceError.
            data: the content of a file of data that a text in the code names; None where it names none.
            apart: modules that are taken for themselves, not for what they use.
        """
        self._read = read
        self._data = data
        self._apart = frozenset(apart)
        self._modules: dict[str, _Module | None] = {}
        self._parts: dict[Name, _Part] = {}

    def hash_of(self, *roots: str) -> str:
        """SHA-256 of the code that functions or classes, as `module:name`, reach.

        Raises:
            NoSourceError: the source of a module that is reached is not there.
        """
        reached: dict[Name, str] = {}
        handed_on: set[str] = set()
        attributes: set[str] = set()
        waiting: list[Name] = [(module, name) for module, _, name in (root.partition(":") for root in roots)]
        while waiting:
            while waiting:
                key = waiting.pop()
                if key in reached:
                    continue
                part = self._part(key)
                reached[key] = part.text
                handed_on |= part.handed_on
                attributes |= part.attributes
                waiting += part.uses
            waiting = [
                (module, name)
                for module in handed_on
                for name in (self._module(module) or _Module("", "")).bound
                if name in attributes and (module, name) not in reached
            ]
        told = "\n".join(f"{module}:{name}\n{text}" for (module, name), text in sorted(reached.items()))
        return hashlib.sha256(told.encode()).hexdigest()

    def _module(self, name: str) -> _Module | None:
        if name not in self._modules:
            found = self._read(name)
            self._modules[name] = None if found is None else _parsed(name, *found)
        return self._modules[name]

    def _part(self, key: Name) -> _Part:
        if key not in self._parts:
            self._parts[key] = self._new_part(*key)
        return self._parts[key]

    def _new_part(self, module_name: str, name: str) -> _Part:
        module = self._module(module_name)
        if module is None:
            return _Part("")
        if name == EVERYTHING:
            return _Part("", frozenset((module_name, each) for each in ("", *module.bound)))
        statements = module.loose if name == "" else module.bound.get(name, [])
        texts: list[str] = []
        uses: set[Name] = {(module_name, "")}
        handed_on: set[str] = set()
        attributes: set[str] = set()
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                target = self._imported(module, statement).get(name)
                texts.append(ast.dump(_without_documentation(statement)) if target is None else "")
                if target is not None:
                    uses.add(target if target[1] else (target[0], ""))
                continue
            texts.append(ast.dump(_without_documentation(statement)))
            found = self._names_in(module, statement)
            uses |= found.uses
            handed_on |= found.handed_on
            attributes |= found.attributes
            texts += self._data_in(statement)
        if module_name in self._apart:
            uses, handed_on = {use for use in uses if use[0] == module_name}, set()
        uses.discard((module_name, name))
        return _Part("\n".join(texts), frozenset(uses), frozenset(handed_on), frozenset(attributes))

    def _names_in(self, module: _Module, statement: ast.stmt) -> _Part:
        """What a statement names at the top level of modules that are followed."""
        local: dict[str, Name] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                local |= self._imported(module, node)
        uses: set[Name] = set()
        handed_on: set[str] = set()
        attributes: set[str] = set()
        through: set[int] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute):
                attributes.add(node.attr)
                if isinstance(node.value, ast.Name):
                    target = self._target(module, node.value.id, local)
                    if target is not None and target[1] == "":
                        uses.add(self._member(target[0], node.attr))
                        through.add(id(node.value))
            elif isinstance(node, ast.Name) and id(node) not in through:
                target = self._target(module, node.id, local)
                if target is not None and target[1] == "":
                    handed_on.add(target[0])
                    uses.add(target)
                elif target is not None:
                    uses.add(target)
        if any(isinstance(node, ast.Name) and node.id in ("getattr", "vars", "dir") for node in ast.walk(statement)):
            uses |= {(each, EVERYTHING) for each in handed_on}
        return _Part("", frozenset(uses), frozenset(handed_on), frozenset(attributes))

    def _target(self, module: _Module, name: str, local: Mapping[str, Name]) -> Name | None:
        """What a name stands for: a top-level name, or a module (with the name ""); None for anything else."""
        if name in local:
            return local[name]
        statements = module.bound.get(name)
        if not statements:
            return self._from_star(module, name)
        for statement in statements:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                target = self._imported(module, statement).get(name)
                if target is not None:
                    return target
        return module.name, name

    def _from_star(self, module: _Module, name: str) -> Name | None:
        """What a name stands for that an `import *` may have bound."""
        waiting, seen = [module], {module.name}
        while waiting:
            here = waiting.pop()
            if name in here.bound:
                return self._target(here, name, {})
            for statement in here.bound.get(EVERYTHING, []):
                origin, _ = self._imported(here, statement).get(EVERYTHING, ("", ""))  # type: ignore[arg-type]
                found = self._module(origin) if origin else None
                if found is not None and origin not in seen:
                    seen.add(origin)
                    waiting.append(found)
        return None

    def _member(self, module: str, name: str) -> Name:
        """An attribute of a module: a name in it, or a module below it."""
        found = self._module(module)
        statements = [] if found is None else found.bound.get(name, [])
        if all(isinstance(one, ast.Import | ast.ImportFrom) for one in statements):
            below = f"{module}.{name}"
            if self._module(below) is not None:
                return below, ""
        return module, name

    def _imported(self, module: _Module, statement: ast.Import | ast.ImportFrom) -> dict[str, Name]:
        """What an import of modules that are followed binds."""
        found: dict[str, Name] = {}
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if self._module(alias.name) is not None:
                    # `import a.b` binds a, from which anything may be reached
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        (alias.name, "") if alias.asname or "." not in alias.name else (alias.name, EVERYTHING)
                    )
            return found
        start = ".".join(module.package.split(".")[: len(module.package.split(".")) + 1 - statement.level])
        origin = ".".join(filter(None, [start, statement.module])) if statement.level else statement.module or ""
        for alias in statement.names:
            if self._module(origin) is None and self._module(f"{origin}.{alias.name}") is None:
                continue
            found[alias.asname or alias.name] = (
                (origin, EVERYTHING) if alias.name == "*" else self._member(origin, alias.name)
            )
        return found

    def _data_in(self, statement: ast.stmt) -> Iterator[str]:
        """Hashes of the files of data that a statement names."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DATA_FILE.fullmatch(node.value):
                content = self._data(node.value)
                if content is not None:
                    yield hashlib.sha256(content).hexdigest()


class CodeHashes:
    """Hashes of the metrics' own code, parsed once for each state of the sources: what was found is kept."""

    def __init__(self, cache: Cache) -> None:
        """
        Args:
            cache: where hashes are kept by the content of all sources.
        """
        self._cache = cache
        self._found: dict[tuple[str, ...], str] = {}

    def of(self, *roots: str) -> str:
        """What stands for the code that functions or classes, as `module:name`, reach: a hash, or the version of
        gan_eval where its sources are not there."""
        if roots not in self._found:
            self._found[roots] = self._kept(roots) if self._cache.is_used else _hashed(roots)
        return self._found[roots]

    def _kept(self, roots: tuple[str, ...]) -> str:
        try:
            key = bytes.fromhex(sha256_json(["code", *sys.version_info[:2], _all_sources(), roots]))
        except NoSourceError:
            return _hashed(roots)
        known = self._cache.result(key)
        if known is None:
            known = _hashed(roots)
            self._cache.keep_result(key, known)
        return known


@cache
def _hashed(roots: tuple[str, ...]) -> str:
    try:
        return _own_code().hash_of(*roots)[:16]
    except NoSourceError:
        return f"gan_eval {__version__}, no source"


@cache
def _own_code() -> Code:
    return Code(_read_own, data=_data_file, apart=_APART)


@cache
def _all_sources() -> str:
    """SHA-256 of all that may have a part in values, as it stands in the files.

    Raises:
        NoSourceError: gan_eval came without sources.
    """
    package = files("gan_eval")
    if not package.joinpath(_ALWAYS_THERE).is_file():
        raise NoSourceError
    digest = hashlib.sha256()
    for name in sorted(_FOLLOWED):
        path = name.partition(".")[2].replace(".", "/")
        folder, file = package.joinpath(path), package.joinpath(f"{path}.py")
        found = sorted(folder.iterdir(), key=lambda one: one.name) if folder.is_dir() else [file]
        for one in found:
            if one.name.endswith(".py"):
                digest.update(f"{name}/{one.name}\n".encode() + one.read_bytes())
    for one in sorted(package.joinpath("metrics/data").iterdir(), key=lambda one: one.name):
        digest.update(f"data/{one.name}\n".encode() + one.read_bytes())
    return digest.hexdigest()


def _read_own(name: str) -> tuple[str, bool] | None:
    """The source of a module of gan_eval that has a part in values.

    Raises:
        NoSourceError: gan_eval came without sources.
    """
    if name != "gan_eval.metrics" and not name.startswith(_FOLLOWED):
        return None
    package = files("gan_eval")
    if not package.joinpath(_ALWAYS_THERE).is_file():
        raise NoSourceError
    path = "/".join(name.split(".")[1:])
    for file, is_package in ((f"{path}.py", False), (f"{path}/__init__.py", True)):
        found = package.joinpath(file)
        if found.is_file():
            return found.read_text(encoding="utf-8"), is_package
    return None


def _data_file(name: str) -> bytes | None:
    found = files("gan_eval").joinpath("metrics", name)
    return found.read_bytes() if found.is_file() else None


def _parsed(name: str, source: str, is_package: bool) -> _Module:
    module = _Module(name, name if is_package else name.rpartition(".")[0])
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            continue
        names = set(_bound_by(statement))
        for each in names:
            module.bound.setdefault(each, []).append(statement)
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not names and not is_text:
            module.loose.append(statement)
    return module


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    """The top-level names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            yield from (each.id for each in ast.walk(node.value) if isinstance(each, ast.Name))


def _without_documentation(statement: ast.stmt) -> ast.stmt:
    """The statement without the texts that stand alone in it; they are taken out of the tree itself."""
    for node in ast.walk(statement):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _is_text(one)] or [ast.Pass()]  # type: ignore[attr-defined]
    return statement


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
