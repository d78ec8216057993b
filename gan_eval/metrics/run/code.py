"""The code of a user's own metric, so that its kept values are those of this code."""

import sys
from importlib.metadata import version
from pathlib import Path

from gan_eval.metrics.own.entries import own_class
from gan_eval.metrics.run.code_hash import Code

_INSTALLED = ("site-packages", "dist-packages")


def own_code(name: str) -> str | None:
    """What stands for the code of an own metric: a hash of what its class reaches in its own package, and in what lies
    beside that where it is not among the installed ones, whose versions tell; and torchmetrics, which it is built on.

    None where its source is not there: it cannot be told whether it is the same.
    """
    found = own_class(name)
    top = found.__module__.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None or not Path(file).is_file():
        return None
    folder = Path(file).parent.parent if Path(file).stem == "__init__" else Path(file).parent
    installed = any(part in _INSTALLED for part in folder.parts)

    def read(module: str) -> tuple[str, bool] | None:
        if installed and module.partition(".")[0] != top:
            return None
        path = folder.joinpath(*module.split("."))
        for source, is_package in ((path.with_name(f"{path.name}.py"), False), (path / "__init__.py", True)):
            if source.is_file():
                return source.read_text(encoding="utf-8"), is_package
        return None

    if read(found.__module__) is None:
        return None
    try:
        code = Code(read).hash_of(f"{found.__module__}:{found.__qualname__.partition('.')[0]}")
    except (SyntaxError, ValueError, OSError):  # changed since it was imported
        return None
    return f"code {code[:16]}; torchmetrics {version('torchmetrics')}"
