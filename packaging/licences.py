"""The licence texts of all that is in the build of the quiz, which is passed on with it."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

from gan_eval.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "packaging" / "texts"

WITHOUT_TEXT = {"pyside6-essentials": ("LGPL-3.0.txt", "GPL-3.0.txt"), "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt")}
"""Wheels that name their licence without holding its text; the LGPL is a supplement to the GPL."""

_TEXT_NAMES = re.compile(r"(licen[cs]e|copying|notice|copyright|authors)", re.IGNORECASE)

_INTRODUCTION = """\
What is in this folder, under which licence. The texts are beside this file.

Qt, PySide6, shiboken6 and psycopg are used under the GNU Lesser General Public License, version 3. They are separate
files below _internal, unchanged, and may be replaced by other versions that work alike. Their sources: https://code.qt.io
and https://download.qt.io (official_releases), https://github.com/psycopg/psycopg.

"""


def write_licences(modules: Iterable[str], libraries: Iterable[Path], folder: Path) -> None:
    """Collect the licence texts of gan_eval, Python, the Python packages and the system's libraries.

    Args:
        modules: the top-level modules in the build.
        libraries: files of the system that are in the build.
        folder: where the texts go, one folder a package, with a list in README.txt.

    Raises:
        UserError: a package has no licence text.
    """
    packages = sorted(_distributions(modules), key=lambda one: one.name.lower())
    lines = [_write_own(folder), _write_python(folder), *(_write_package(package, folder) for package in packages)]
    lines += _write_system(libraries, folder / "system")
    (folder / "README.txt").write_text(_INTRODUCTION + "\n".join(lines) + "\n", encoding="utf-8")


def _distributions(modules: Iterable[str]) -> list[Distribution]:
    homes = packages_distributions()
    names = {name for module in modules for name in homes.get(module, [])} - {"gan-eval", "gan_eval"}
    return [distribution(name) for name in names]


def _write_own(folder: Path) -> str:
    _copy(ROOT / "LICENSE", folder / "gan_eval" / "LICENSE")
    return "gan_eval: MIT"


def _write_python(folder: Path) -> str:
    places = (Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", Path(sysconfig.get_path("data")) / "LICENSE.txt")
    version = sysconfig.get_python_version()
    for text in (*places, Path(f"/usr/share/doc/python{version}/copyright")):
        if text.is_file():
            _copy(text, folder / "Python" / "LICENSE.txt")
            return f"Python {version}: PSF-2.0"
    raise UserError(f"no licence text of Python {version} found (looked for {places[0]})")


def _write_package(package: Distribution, folder: Path) -> str:
    name = package.name
    texts = [file for file in package.files or () if ".dist-info" in file.parts[0] and _TEXT_NAMES.search(file.name)]
    found = [(Path(str(package.locate_file(file))), Path(*file.parts[1:])) for file in texts]
    found += [(TEXTS / text, Path(text)) for text in WITHOUT_TEXT.get(name.lower().replace("_", "-"), ())]
    if not found:
        raise UserError(f"{name}: no licence text in its package; add it to packaging/texts and to WITHOUT_TEXT")
    for source, place in found:
        _copy(source, folder / name / place)
    terms = [package.metadata[key] for key in ("License-Expression", "License") if key in package.metadata]
    return f"{name} {package.version}: {terms[0].splitlines()[0] if terms else 'see its text'}"


def _write_system(libraries: Iterable[Path], folder: Path) -> list[str]:
    """The texts of the distribution's packages that hold the libraries, as far as dpkg knows them."""
    lines = []
    owners: dict[str, set[str]] = {}
    for library in libraries:
        owners.setdefault(_debian_package(library), set()).add(library.name)
    owners.pop("", None)
    for owner, names in sorted(owners.items()):
        text = Path("/usr/share/doc") / owner / "copyright"
        if text.is_file():
            _copy(text, folder / f"{owner}.txt")
        lines.append(f"{owner} ({', '.join(sorted(names))}): the system's, see system/{owner}.txt")
    return lines


def _debian_package(library: Path) -> str:
    """The Debian package of a file; empty where there is none, as for a Python of one's own making."""
    if shutil.which("dpkg-query") is None:
        return ""
    place = str(library.resolve()).removeprefix("/usr")
    for path in (f"/usr{place}", place):  # dpkg still knows some files by where they were before /lib moved into /usr
        done = subprocess.run(["dpkg-query", "--search", path], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0].split(",")[0]
    return ""


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
