"""One attack: malformed files, the command that is given them, and the judgement on what it did."""

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Self

from gan_eval.errors import MAX_LENGTH, UserError
from gan_eval.machine.start import ALLOCATOR_SETTINGS
from gan_eval.stats.tables import ALL_TABLES
from gan_eval.tables.frames import read_rows

ROOT = Path(__file__).resolve().parents[2]
GIB = 2**30
SECONDS = 60.0
"""A command that takes longer hangs; none of these inputs is large."""
MEMORY = 3 * GIB
"""Maximum memory of a command, libraries included."""
_NOT_GIVEN = ("PYTEST", "COV", "GAN_EVAL_DATA")
MAX_LINES = 60
"""Maximum number of lines on stderr for a few pictures."""


@dataclass(frozen=True)
class Special:
    """Something that is not a regular file: `folder`, `fifo`, `link` (to `target`), `unreadable`."""

    kind: str
    target: str = ""


Files = Mapping[str, bytes | Special]
"""Files by path below the working folder, with `/`; paths that are not valid text hold surrogates."""


@dataclass(frozen=True)
class Attack:
    """A command with malformed input."""

    family: str
    """Description of what is malformed; failures are distinguished by it."""
    command: tuple[str, ...]
    """The arguments of gan-eval, in the folder with the files."""
    files: Files = field(repr=False)
    names: tuple[str, ...] = ()
    """Words that a refusal must contain; for `a|b`, either is enough."""
    refused: bool | None = None
    """True: it must be refused; False: it must not be; None: either."""
    mentions: tuple[str, ...] = ()
    """Names that must be reported on stderr, or in a table with the reason, if the command continues without them."""
    changes: tuple[str, ...] = ()
    """Patterns of the files that the command may change outside `out`: its own store."""
    keeps: bool = False
    """A refusal may leave finished work in `out`, as documented."""


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    status: int
    out: str
    err: str
    killed: str
    """`time` or `memory`: what it took too much of."""


class Commands:
    """Runs commands as forks of a process with the libraries imported (`fork_server.py`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "OMP_NUM_THREADS": "1",
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "GAN_EVAL_CACHE": str(folder / "cache"),
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "torch"),
            "GAN_EVAL_CACHE_MB": "0",
            "QT_QPA_PLATFORM": "offscreen",
            "COLUMNS": "200",
            "NO_COLOR": "1",
            **ALLOCATOR_SETTINGS,  # else a command that trains starts itself again, without the libraries
        }
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fork_server.py"))], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={key: value for key, value in environment.items() if not key.startswith(_NOT_GIVEN)},
        )  # fmt: skip
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n", "the fork server does not start"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def run(self, arguments: Sequence[str], room: Path) -> Ended:
        """Give a command in `room/home/user/work`."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        work = room / "home" / "user" / "work"
        streams = [self._folder / name for name in ("stdout", "stderr")]
        for stream in streams:
            stream.write_bytes(b"")
        surroundings = {"HOME": str(work.parent), "TMPDIR": str(room / "tmp"), "PWD": str(work)}
        job = {
            "arguments": list(arguments), "cwd": str(work), "environment": surroundings, "seconds": SECONDS,
            "stdout": str(streams[0]), "stderr": str(streams[1]),
        }  # fmt: skip
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        status, memory = json.loads(self._server.stdout.readline())
        out, err = (stream.read_bytes().decode(errors="backslashreplace") for stream in streams)
        killed = "time" if status == -signal.SIGALRM else "memory" if memory > MEMORY else ""
        return Ended(status, out, err, killed)


def lay_out(files: Files, work: Path) -> None:
    """Write an attack's files below `work`."""
    work.mkdir(parents=True)
    for name, content in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.kind == "folder":
            path.mkdir(exist_ok=True)
        elif content.kind == "fifo":
            os.mkfifo(path)
        elif content.kind == "link":
            path.symlink_to(content.target)
        else:
            raise ValueError(content.kind)


def carry_out(attack: Attack, commands: Commands, room: Path) -> list[str]:
    """Lay out the files in `room`, which is emptied, run the command, and report what it did wrong."""
    shutil.rmtree(room, ignore_errors=True)
    work = room / "home" / "user" / "work"
    lay_out(attack.files, work)
    (room / "tmp").mkdir()
    before = snapshot(room)
    ended = commands.run(attack.command, room)
    return list(faults(attack, ended, work, before, snapshot(room)))


def faults(attack: Attack, ended: Ended, work: Path, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """Yield the faults of a command; every line begins with the kind of fault."""
    reported = ended.err.splitlines()
    if ended.killed:
        yield "hangs: not done in time" if ended.killed == "time" else "memory: takes more than any input is worth"
        return
    with_rows_left_out = ended.status == 3 and attack.command[:2] == ("trials", "import")
    done = ended.status == 0 or with_rows_left_out
    if "Traceback (most recent call last)" in ended.err + ended.out:
        yield f"traceback: {_last_of_traceback(reported)}"
    elif ended.status not in (0, 2) and not with_rows_left_out:
        yield f"status {ended.status}: {reported[-1:]}"
    if len(reported) > MAX_LINES:
        yield f"flood: {len(reported)} lines, such as {reported[0]!r}"
    for line in reported:
        if re.search(r"\.py:\d+: \w*Warning", line):
            yield f"library's warning: {line[-200:]}"
    if ended.status == 2:
        yield from _faults_of_refusal(attack, reported)
    elif done and attack.refused:
        yield "taken: it must be refused"
    elif done:
        tables = "".join(path.read_text(errors="replace") for path in (work / "out").rglob("*.csv") if path.is_file())
        yield from (f"silent on {name}" for name in attack.mentions if name not in ended.err + ended.out + tables)
    yield from _faults_of_files(attack, ended.status, work, before, after)


def _faults_of_refusal(attack: Attack, reported: list[str]) -> Iterator[str]:
    if attack.refused is False:
        yield f"refused: it must be taken: {reported[-1:]}"
        return
    lines = [line for line in reported if line.startswith("gan-eval: ")]
    if len(lines) != 1 or reported[-1] != lines[0]:
        yield f"not one line: {reported[-3:]}"
        return
    if re.search(r"sqlite3\.|sqlalche|\[SQL|Errno|<class |0x[0-9a-f]{6,}|Error\(", lines[0]):
        yield f"raw error: {lines[0]}"
    if len(lines[0]) > MAX_LENGTH + 100:
        yield f"long line: {len(lines[0])} characters: {lines[0][:200]}"
    if re.search(r"[\x00-\x1f\x7f-\x9f]", lines[0]):
        yield f"control characters: {lines[0]!r}"
    for name in attack.names:
        if not any(each in lines[0] for each in name.split("|")):
            yield f"culprit {name} not named: {lines[0]}"


def _faults_of_files(
    attack: Attack, status: int, work: Path, before: dict[str, str], after: dict[str, str]
) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        below = name.removeprefix("home/user/work/")
        if before.get(name) == after.get(name) or any(fnmatch(below, pattern) for pattern in attack.changes):
            continue
        if not re.fullmatch(r"home/user/work/out(_files)?([./].*)?", name, re.DOTALL):
            yield f"outside --out: {name} was {_change(before, after, name)}"
        elif status == 2 and not attack.keeps and before.get(name) != "folder" and ".gan-eval" not in below:
            if after.get(name) != "folder":
                yield f"refused, but {name} was {_change(before, after, name)}"
        elif re.fullmatch(r"\..+-[a-z0-9_]{8}(\.\w+)?", Path(name).name):
            yield f"left behind: {name}"
    if status == 0:
        for path in sorted((work / "out").rglob("*.csv")):
            if path.stem in ALL_TABLES and path.is_file() and "published" not in path.parts:
                try:
                    read_rows(path, ALL_TABLES[path.stem])
                except UserError as error:
                    yield f"its own table cannot be read: {error}"


def _change(before: dict[str, str], after: dict[str, str], name: str) -> str:
    return "made" if name not in before else "removed" if name not in after else "changed"


def _last_of_traceback(reported: list[str]) -> str:
    """The error, and where in our own code it came from."""
    places = [line.strip() for line in reported if re.search(r'File ".*/(gan_eval|trainer)/', line)]
    place = re.sub(r'File ".*/((gan_eval|trainer)/[^"]+)", line (\d+).*', r"\1:\3", places[-1]) if places else "?"
    errors = [line for line in reported if re.match(r"[\w.]+(Error|Exception|Interrupt|Exit|Warning)\b", line)]
    return f"{place}: {errors[-1][:300] if errors else reported[-3:]}"


def snapshot(room: Path) -> dict[str, str]:
    """Every file, folder and link below a folder with what it holds."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(room):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118
            known = os.lstat(path)
            kind = stat.S_IFMT(known.st_mode)
            reported = {stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}.get(kind)
            text = os.path.relpath(path, room)
            found[text] = reported or f"{known.st_size} {known.st_mtime_ns} {known.st_ino}"
    return found


def keep(attack: Attack, wrong: Sequence[str], place: Path, seed: int) -> None:
    """Write an attack that was not withstood into the folder `place`, so that it can be repeated by hand."""
    shutil.rmtree(place, ignore_errors=True)
    lay_out(attack.files, place / "files")
    script = f"#!/bin/sh\n# {attack.family!r}, seed {seed}\n" + "".join(f"# {line!r}\n" for line in wrong)
    command = b"exec python -m gan_eval " + b" ".join(map(os.fsencode, map(shlex.quote, attack.command)))
    (place / "repeat.sh").write_bytes(
        script.encode(errors="backslashreplace") + b'cd "$(dirname "$0")/files"\n' + command + b"\n"
    )
