"""Runs commands of gan_eval as forks of one process that has the libraries imported, so that one takes milliseconds.

Started by `attack.attack.Commands`; reads one job a line from stdin (JSON) and answers with how the command ended.
A fork starts as fresh as a new process: no case can break the next one, and one that hangs is ended.
"""

import contextlib
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import tempfile
from typing import Any, NoReturn

LIBRARIES = (
    "jinja2",
    "matplotlib.backends.backend_svg",
    "pyarrow.dataset",
    "pyarrow.parquet",
)
"""Modules that the commands import only when they need them."""


def serve() -> None:
    """Import, say so, and do one job after the other until stdin ends."""
    import gan_eval
    import trainer

    for package in (gan_eval, trainer):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None):
            if not module.name.startswith("gan_eval.quiz.app") and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_the_command(job)
        _, status, usage = os.wait4(child, 0)
        with contextlib.suppress(ProcessLookupError, PermissionError):  # what it has started
            os.killpg(child, signal.SIGKILL)
        print(json.dumps([os.waitstatus_to_exitcode(status), 1024 * usage.ru_maxrss]), flush=True)


def _be_the_command(job: dict[str, Any]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        for number, (name, flags) in enumerate(
            ((os.devnull, os.O_RDONLY), (job["stdout"], os.O_WRONLY), (job["stderr"], os.O_WRONLY))
        ):
            opened = os.open(name, flags | os.O_CREAT, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        os.chdir(job["cwd"])
        os.environ.update(job["environment"])
        tempfile.tempdir = None  # looked for again, in the new environment
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.alarm(round(job["seconds"]))  # ends it in any case
        sys.argv = ["gan-eval", *job["arguments"]]
        sys.orig_argv = [sys.executable, "-m", "gan_eval", *job["arguments"]]
        from gan_eval.__main__ import main

        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
    os._exit(0)  # taking the libraries down takes seconds
