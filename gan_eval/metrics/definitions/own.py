"""Metrics of the user's own: a function of (fake, real) or of (picture), given in Python or as FILE.py:NAME.

It takes (H, W, 3) uint8 arrays, which are copies, and returns a number. One thread at a time calls it. What it raises
is the reason in the row of that picture. The records name the function, its file and the SHA-256 of that file.
"""

import inspect
import sys
from collections.abc import Callable
from functools import cache, partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from gan_eval.base.digests import sha256_bytes
from gan_eval.base.errors import UserError, memory_ran_out
from gan_eval.base.reading import read_bytes
from gan_eval.metrics.definitions.record import FunctionFile, Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable, as_pair, as_picture

Function = Callable[..., float]
"""A function of (fake, real) or of (picture), (H, W, 3) uint8 arrays, to a number."""
EXAMPLE = "def NAME(fake, real): return a number"


def is_file_and_name(name: str) -> bool:
    """Return whether a metric's name is FILE.py:NAME.

    >>> is_file_and_name("C:/mine.py:contrast"), is_file_and_name("psnr")
    (True, False)
    """
    return ".py:" in name


def metric_of_function(function: Function) -> Metric:
    """Return the record of a metric that is the user's function, called as the function is.

    Raises:
        UserError: it has no name of its own, no source, or neither one nor two parameters.
    """
    name = getattr(function, "__name__", "")
    if not callable(function) or not name.isidentifier():
        raise UserError(f"metrics: {function!r} has no name for the tables; write it as a function: {EXAMPLE}")
    names = _parameters(function, name)
    source = source_of(function)
    call = partial(_value, function, name, Lock(), len(names) == 2)
    return Metric(
        name=name,
        kind="pair" if len(names) == 2 else "single",
        measures=(inspect.getdoc(function) or "").partition("\n")[0] or "a function of the user",
        low=-np.inf,
        source=f"{source.file}, function {name}",
        definition=f"function {name} of a file with SHA-256 {source.sha256}",
        function=call,
        own=source,
    )


def _parameters(function: Function, name: str) -> list[str]:
    """Return the names of the parameters that have no default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise UserError(f"metric {name!r}: its parameters are not known; wrap it: {EXAMPLE}") from error
    needed = [each.name for each in parameters if each.default is each.empty and each.kind != each.VAR_KEYWORD]
    is_starred = any(
        each.kind in (each.VAR_POSITIONAL, each.KEYWORD_ONLY) and each.name in needed for each in parameters
    )
    if is_starred or len(needed) not in (1, 2):
        raise UserError(f"metric {name!r}: takes ({', '.join(needed)}); expected (fake, real) or (picture)")
    if needed[0] == "real" and len(needed) == 2:
        raise UserError(
            f"metric {name!r}: takes ({', '.join(needed)}); the generated picture comes first: (fake, real)"
        )
    return needed


def source_of(function: Function) -> FunctionFile:
    """Return the file of a function and its SHA-256; of a function without a file, those of its own text."""
    name = function.__name__
    try:
        file = Path(inspect.getsourcefile(function) or "")
        if file.is_file():
            return FunctionFile(file.name, sha256_bytes(read_bytes(file)))
        return FunctionFile("a notebook or prompt", sha256_bytes(inspect.getsource(function).encode()))
    except (OSError, TypeError) as error:
        raise UserError(f"metric {name!r}: its source is not known; define it in a file") from error


def _value(function: Function, name: str, lock: Lock, is_pair: bool, *pictures: Any) -> float:
    """Return the function's value for copies of the pictures.

    Raises:
        Unmeasurable: the pictures of a pair differ in size, the function raised an exception or gave no number.
    """
    arrays = [array.copy() for array in (as_pair(*pictures) if is_pair else [as_picture(*pictures)])]
    try:
        with lock:
            value = function(*arrays)
        return float(value)
    except Unmeasurable:
        raise
    except Exception as error:
        if memory_ran_out(error):
            raise
        what = " ".join(str(error).split())
        raise Unmeasurable(f"{name} raised {type(error).__name__}{f': {what}' if what else ''}") from error


def function_of_file(text: str) -> Function:
    """Return the function that FILE.py:NAME names; the file is run once.

    Raises:
        UserError: there is no such file or function, or the file cannot be run.
    """
    path, _, name = text.rpartition(":")
    file = Path(path)
    contents = vars(_run(file.absolute(), sha256_bytes(read_bytes(file)), path))
    function = contents.get(name)
    if not callable(function):
        found = [each for each, value in contents.items() if inspect.isfunction(value) and not each.startswith("_")]
        known = f"it has {', '.join(found)}" if found else "it has no function"
        raise UserError(f"--metrics {text}: {path} has no function {name!r}; {known}")
    return function


@cache
def _run(file: Path, digest: str, shown: str) -> Any:
    """Run a Python file as a module of its own; modules next to it can be imported, after all installed ones."""
    spec = spec_from_file_location(f"gan_eval_metric_{digest[:12]}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module  # so that dataclasses and `inspect` find it
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UserError(f"{shown}: running it failed: {type(error).__name__}: {error}; fix it") from error
    return module
