"""The names of the commands, how a user types them, and how to start one from Python."""

import re
import shlex
import shutil
import signal
import sys
from pathlib import Path

VERBS = {
    "export": "store:export_app",
    "demo": "study:demo",
    "try": "study:try_pictures",
    "study": "study:study_app",
    "run": "study:run",
    "train": "train:train",
    "generate": "train:generate",
    "quiz": "quiz:quiz",
    "serve": "serve:serve",
    "metrics": "metrics:metrics",
    "power": "analysis:power",
    "analyze": "analysis:analyze",
    "report": "study:report",
    "doctor": "doctor:doctor",
    "stimuli": "stimuli:stimuli_app",
    "weights": "metrics:weights_app",
    "trials": "trials:trials_app",
    "data": "data:data_app",
    "participants": "store:participants_app",
    "store": "store:store_app",
}
"""The commands of `gan-eval`, in the order of its help: module in `gan_eval.study.commands`, function or group in it.
The file `run` reads them here, before anything is installed."""
_PAGE = re.compile(r"\bdocs/([\w/]+)\.md\b")
_COMMAND = re.compile(rf"(?<![\w./\\-])gan-eval (?=(?:{'|'.join(VERBS)})\b)")


def python_command(*arguments: str) -> list[str]:
    """Return the command for another process of this Python.

    -P: Python does not import modules from the current folder.
    """
    return [sys.executable, "-P", *arguments]


def own_command(*arguments: str) -> list[str]:
    """Return the command for another `gan-eval` of this package, even if the package is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    return python_command(
        "-c", f"import sys; sys.path.append({root!r}); import gan_eval.__main__ as m; m.main()", *arguments
    )


def run_own(*arguments: str) -> int:
    """Run another `gan-eval` and return its exit status.

    Ctrl-C reaches both processes. Only the other one handles it: it finishes its writing and informs the user.

    Raises:
        SystemExit: the command was interrupted (status 130), and has printed a message.
    """
    import subprocess  # imported here, so that every command starts fast

    before = signal.signal(signal.SIGINT, lambda *_: None)  # the child inherits SIG_IGN, but not a handler
    try:
        status = subprocess.run(own_command(*arguments), check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    if status == 130:
        raise SystemExit(130)
    return status


def setup_command(extra: str = "") -> str:
    """Return the command that installs an extra, or the package itself: `./run setup` in a checkout, pip elsewhere."""
    if in_checkout():
        return f"{'py run' if sys.platform == 'win32' else './run'} setup --extras {extra or 'none'}"
    receipt = Path(sys.prefix) / "uv-receipt.toml"
    if extra and receipt.is_file():  # of `uv tool install`, which leaves pip out
        import tomllib

        package = tomllib.loads(receipt.read_text())["tool"]["requirements"][0]
        wanted = f"{package.get('path', package['name'])}[{extra}]"
        return f"uv pip install --python {shlex.quote(sys.prefix)} {shlex.quote(wanted)}"
    return f"pip install 'gan-eval[{extra}]'" if extra else "pip install gan-eval"


def as_typed(text: str, *, in_file: bool = False) -> str:
    """Return a text with its commands `gan-eval VERB` as the user types them, and its `docs/` files as found here.

    With `in_file` the text goes into a file, which may be read in another folder and by other people.
    """
    if "docs/" in text and not in_checkout():
        text = _PAGE.sub(r"the page \1 of the documentation", text)
    before, *others = _COMMAND.split(text)
    return f"{program(in_file=in_file)} ".join([before, *others]) if others else text


def in_checkout() -> bool:
    """Return whether this package is in a checkout, which has the file `run`, `docs/` and `studies/`."""
    root = Path(__file__).resolve().parents[2]
    return (root / "run").is_file() and (root / "constraints.txt").is_file()


def program(*, in_file: bool = False) -> str:
    """Return the program's name on the command line: `gan-eval` if the shell finds it, else the checkout's `./run`.

    In a file, the checkout's path is omitted.
    """
    run = Path(__file__).resolve().parents[2] / "run"
    if shutil.which("gan-eval") or not run.is_file():
        return "gan-eval"
    is_short = in_file or Path.cwd() == run.parent
    if sys.platform == "win32":
        return "py run" if is_short else f'py "{run}"'
    return "./run" if is_short else shlex.quote(str(run))
