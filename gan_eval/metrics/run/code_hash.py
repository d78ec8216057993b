"""Hashes of the code that computes a value: of what a function reaches, without comments and docstrings.

The sources are parsed, not run. From a function on, everything that it names at the top level of its own module and of
the other modules followed is taken in, and what that names in turn: functions, classes, constants, files of data. So
another constant in a definition is another hash for the metrics that use it, and for no other; another comment, or
another function beside it, is none.

What cannot be resolved is included rather than excluded: where a module itself is passed on (`backend_of` returns
one), whatever in it bears the name of an attribute that is used anywhere. Names made up while running are not seen.
"""

import ast
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
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
    "gan_eval.metrics.catalogue", "gan_eval.stimuli.pictures", "gan_eval.stimuli.pixel_formats",
    "gan_eval.stimuli.holes", "gan_eval.metrics.weights.files",
)  # fmt: skip
"""What of gan_eval has a part in values: these modules, and those below them."""
_ALWAYS_PRESENT = "metrics/catalogue.py"
_DATA_FILE = re.compile(r"[\w./-]+\.(npz|npy|json|csv|toml|txt)")


class NoSourceError(Exception):
    """A module's source is not there, as in some frozen programs."""


@dataclass(frozen=True)
class _Part:
    """The code of one name at the top level of a module."""

    text: str
    """Its normalised code."""
    uses: frozenset[Name] = frozenset()
    passed_modules: frozenset[str] = frozenset()
    """Modules that are used otherwise than by their attributes."""
    attributes: frozenset[str] = frozenset()
    """Names of attributes of whatever object."""


@dataclass
class _Module:
    """A parsed module."""

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
    ) -> None:
        """
        Args:
            read: the source of a module by its dotted name, and whether it is a package; None for a module that is not
                followed. May raise NoSourceError.
            data: the content of a file of data that a text in the code names; None where it names none.
        """
        self._read = read
        self._data = data
        self._modules: dict[str, _Module | None] = {}
        self._parts: dict[Name, _Part] = {}

    def hash_of(self, *roots: str) -> str:
        """SHA-256 of the code that functions or classes, as `module:name`, reach.

        Raises:
            NoSourceError: the source of a module that is reached is not there.
        """
        reached: dict[Name, str] = {}
        passed_modules: set[str] = set()
        attributes: set[str] = set()
        waiting: list[Name] = [(module, name) for module, _, name in (root.partition(":") for root in roots)]
        while waiting:
            while waiting:
                key = waiting.pop()
                if key in reached:
                    continue
                part = self._part(key)
                reached[key] = part.text
                passed_modules |= part.passed_modules
                attributes |= part.attributes
                waiting += part.uses
            waiting = [
                (module, name)
                for module in passed_modules
                for name in (self._module(module) or _Module("", "")).bound
                if name in attributes and (module, name) not in reached
            ]
        code = "\n".join(f"{module}:{name}\n{text}" for (module, name), text in sorted(reached.items()))
        return hashlib.sha256(code.encode()).hexdigest()

    def _module(self, name: str) -> _Module | None:
        """A module, parsed; None where it is not followed."""
        if name in self._modules:
            return self._modules[name]
        content = self._read(name)
        if content is None:
            self._modules[name] = None
            return None
        source, is_package = content
        module = _Module(name, name if is_package else name.rpartition(".")[0])
        for statement in ast.parse(source).body:
            if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
                continue
            names = set(_bound_by(statement))
            for bound in names:
                module.bound.setdefault(bound, []).append(statement)
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not names and not is_text:
                module.loose.append(statement)
        self._modules[name] = module
        return module

    def _part(self, key: Name) -> _Part:
        """The code of a name, with what it uses."""
        if key in self._parts:
            return self._parts[key]
        module_name, name = key
        module = self._module(module_name)
        part = _Part("")
        if module is not None and name == EVERYTHING:
            part = _Part("", frozenset((module_name, bound) for bound in ("", *module.bound)))
        elif module is not None:
            texts: list[str] = []
            uses: set[Name] = {(module_name, "")}
            passed_modules: set[str] = set()
            attributes: set[str] = set()
            for statement in module.loose if name == "" else module.bound.get(name, []):
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    target = self._imported(module, statement).get(name)
                    texts.append(ast.dump(_without_documentation(statement)) if target is None else "")
                    if target is not None:
                        uses.add(target if target[1] else (target[0], ""))
                    continue
                texts.append(ast.dump(_without_documentation(statement)))
                names = self._names_in(module, statement)
                uses |= names.uses
                passed_modules |= names.passed_modules
                attributes |= names.attributes
                constants = [node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)]
                for file in constants:
                    content = self._data(file) if isinstance(file, str) and _DATA_FILE.fullmatch(file) else None
                    texts += [] if content is None else [hashlib.sha256(content).hexdigest()]
            part = _Part("\n".join(texts), frozenset(uses - {key}), frozenset(passed_modules), frozenset(attributes))
        self._parts[key] = part
        return part

    def _names_in(self, module: _Module, statement: ast.stmt) -> _Part:
        """What a statement names at the top level of modules that are followed."""
        local: dict[str, Name] = {}
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                local |= self._imported(module, node)
        uses: set[Name] = set()
        passed_modules: set[str] = set()
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
                    passed_modules.add(target[0])
                    uses.add(target)
                elif target is not None:
                    uses.add(target)
        if any(isinstance(node, ast.Name) and node.id in ("getattr", "vars", "dir") for node in ast.walk(statement)):
            uses |= {(passed, EVERYTHING) for passed in passed_modules}
        return _Part("", frozenset(uses), frozenset(passed_modules), frozenset(attributes))

    def _target(self, module: _Module, name: str, local: Mapping[str, Name]) -> Name | None:
        """What a name stands for: a top-level name, or a module (with the name ""); None for anything else."""
        if name in local:
            return local[name]
        for statement in module.bound.get(name, []):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                target = self._imported(module, statement).get(name)
                if target is not None:
                    return target
        if name in module.bound:
            return module.name, name
        waiting, seen = [module], {module.name}  # an `import *` may have bound it
        while waiting:
            starred = waiting.pop()
            if name in starred.bound:
                return self._target(starred, name, {})
            for statement in starred.bound.get(EVERYTHING, []):
                origin, _ = self._imported(starred, statement).get(EVERYTHING, ("", ""))  # type: ignore[arg-type]
                source = self._module(origin) if origin else None
                if source is not None and origin not in seen:
                    seen.add(origin)
                    waiting.append(source)
        return None

    def _member(self, module: str, name: str) -> Name:
        """An attribute of a module: a name in it, or a module below it."""
        parsed = self._module(module)
        statements = [] if parsed is None else parsed.bound.get(name, [])
        if all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements):
            below = f"{module}.{name}"
            if self._module(below) is not None:
                return below, ""
        return module, name

    def _imported(self, module: _Module, statement: ast.Import | ast.ImportFrom) -> dict[str, Name]:
        """The names that an import of followed modules binds."""
        names: dict[str, Name] = {}
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                if self._module(alias.name) is not None:
                    # `import a.b` binds a, from which anything may be reached
                    names[alias.asname or alias.name.partition(".")[0]] = (
                        (alias.name, "") if alias.asname or "." not in alias.name else (alias.name, EVERYTHING)
                    )
            return names
        start = ".".join(module.package.split(".")[: len(module.package.split(".")) + 1 - statement.level])
        origin = ".".join(filter(None, [start, statement.module])) if statement.level else statement.module or ""
        for alias in statement.names:
            if self._module(origin) is None and self._module(f"{origin}.{alias.name}") is None:
                continue
            names[alias.asname or alias.name] = (
                (origin, EVERYTHING) if alias.name == "*" else self._member(origin, alias.name)
            )
        return names


class CodeHashes:
    """Hashes of the metrics' own code, parsed once for each state of the sources and cached."""

    def __init__(self, cache: Cache) -> None:
        """
        Args:
            cache: where hashes are kept by the content of all sources.
        """
        self._cache = cache
        self._hashes: dict[tuple[str, ...], str] = {}

    def of(self, *roots: str) -> str:
        """The key of the code that functions or classes, as `module:name`, reach: a hash, or the version of gan_eval
        where its sources are not there."""
        if roots in self._hashes:
            return self._hashes[roots]
        key = None
        if self._cache.is_used:
            with suppress(NoSourceError):
                key = bytes.fromhex(sha256_json(["code", *sys.version_info[:2], _all_sources(), roots]))
        code = self._cache.result(key) if key else None
        if code is None:
            code = _hashed(roots)
            if key:
                self._cache.keep_result(key, code)
        self._hashes[roots] = code
        return code


@cache
def _hashed(roots: tuple[str, ...]) -> str:
    try:
        return _own_code().hash_of(*roots)[:16]
    except NoSourceError:
        return f"gan_eval {__version__}, no source"


@cache
def _own_code() -> Code:
    return Code(_read_own, data=_data_file)


@cache
def _all_sources() -> str:
    """SHA-256 of all that may have a part in values, as it stands in the files.

    Raises:
        NoSourceError: gan_eval came without sources.
    """
    package = files("gan_eval")
    if not package.joinpath(_ALWAYS_PRESENT).is_file():
        raise NoSourceError
    digest = hashlib.sha256()
    for name in sorted(_FOLLOWED):
        path = name.partition(".")[2].replace(".", "/")
        folder, file = package.joinpath(path), package.joinpath(f"{path}.py")
        for source in sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else [file]:
            if source.name.endswith(".py"):
                digest.update(f"{name}/{source.name}\n".encode() + source.read_bytes())
    for data in sorted(package.joinpath("metrics/data").iterdir(), key=lambda entry: entry.name):
        digest.update(f"data/{data.name}\n".encode() + data.read_bytes())
    return digest.hexdigest()


def _read_own(name: str) -> tuple[str, bool] | None:
    """The source of a module of gan_eval that has a part in values.

    Raises:
        NoSourceError: gan_eval came without sources.
    """
    if name != "gan_eval.metrics" and not name.startswith(_FOLLOWED):
        return None
    package = files("gan_eval")
    if not package.joinpath(_ALWAYS_PRESENT).is_file():
        raise NoSourceError
    path = "/".join(name.split(".")[1:])
    for file, is_package in ((f"{path}.py", False), (f"{path}/__init__.py", True)):
        source = package.joinpath(file)
        if source.is_file():
            return source.read_text(encoding="utf-8"), is_package
    return None


def _data_file(name: str) -> bytes | None:
    file = files("gan_eval").joinpath("metrics", name)
    return file.read_bytes() if file.is_file() else None


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
            yield from (inner.id for inner in ast.walk(node.value) if isinstance(inner, ast.Name))


def _without_documentation(statement: ast.stmt) -> ast.stmt:
    """The statement without docstrings and other texts that are statements; they are removed from the tree itself."""
    for node in ast.walk(statement):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            code = [
                inner
                for inner in body
                if not (
                    isinstance(inner, ast.Expr)
                    and isinstance(inner.value, ast.Constant)
                    and isinstance(inner.value.value, str)
                )
            ]
            node.body = code or [ast.Pass()]  # type: ignore[attr-defined]
    return statement
