"""What the system must have that Python's packages cannot bring: Qt's libraries, ensurepip, a virtual screen."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap.tools import SetupError, run_shown, say
from gan_eval.system_libraries import install_command, missing_libraries

TEST_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool", "objdump": "binutils"}
"""A virtual screen, a hand that presses keys on it, and what PyInstaller reads libraries with: Debian packages."""


def prepare_system(*, environment_needed: bool, for_tests: bool) -> None:
    """Install what is missing as root on Debian and its relatives; elsewhere say how, and go on where that is possible.

    Args:
        environment_needed: a virtual environment is to be made with this Python's own means.
        for_tests: some tests want `TEST_PROGRAMS`.

    Raises:
        SetupError: no virtual environment can be made.
    """
    packages = packages_to_install(environment_needed=environment_needed, for_tests=for_tests)
    if packages and may_use_apt():
        apt_install(packages)
    elif packages and shutil.which("apt-get"):
        command = f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
        say(f"the system lacks packages that the quiz's window or the tests need; they come with\n    {command}")
    elif packages:
        name_missing_libraries()
    if environment_needed and not has_venv():
        raise SetupError(how_to_get_venv(sys.platform))


def packages_to_install(*, environment_needed: bool, for_tests: bool) -> list[str]:
    """The Debian packages that are missing here."""
    packages = [venv_package()] if environment_needed and not has_venv() else []
    packages += [library.package for library in missing_libraries()]
    if for_tests and sys.platform.startswith("linux"):
        packages += [package for program, package in TEST_PROGRAMS.items() if not shutil.which(program)]
    return packages


def name_missing_libraries() -> None:
    """Say how to install what Qt lacks here, if anything."""
    libraries = missing_libraries()
    if libraries:
        say(f"the quiz cannot open a window until these libraries are here:\n    {install_command(libraries)}")


def has_venv() -> bool:
    """Whether this Python can make virtual environments; Debian's comes without."""
    return all(importlib.util.find_spec(module) for module in ("venv", "ensurepip"))


def venv_package() -> str:
    """The Debian package that lets the running Python make virtual environments."""
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"


def how_to_get_venv(platform: str) -> str:
    """What to install where Python cannot make virtual environments."""
    match platform:
        case "darwin":
            way = "Install Python from python.org, or with: brew install python"
        case "win32":
            way = "Install Python from python.org, with pip ticked"
        case _:
            way = (
                f"Debian, Ubuntu: sudo apt-get install {venv_package()}. Elsewhere: the package with Python's ensurepip"
            )
    return f"{sys.executable} cannot make virtual environments (it has no ensurepip). {way}; or install uv."


def may_use_apt() -> bool:
    """Root on Debian or a relative of it."""
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str]) -> None:
    """Install Debian packages; if it fails say so and go on, for much can be done without them."""
    apt = ("apt-get", "-o", "DPkg::Lock::Timeout=120")
    install = (*apt, "install", "-y", "--no-install-recommends", *packages)
    quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    say(f"as root, installing what the system lacks: apt-get install {' '.join(packages)}")
    try:
        run_shown(install, folder=Path("/"), what="apt-get install", environment=quietly)
    except SetupError:  # the usual reason: the lists of packages are empty or old
        try:
            run_shown((*apt, "update"), folder=Path("/"), what="apt-get update", environment=quietly)
            run_shown(install, folder=Path("/"), what="apt-get install", environment=quietly)
        except SetupError as error:
            say(f"{error}\nGoing on without. Later: apt-get update && apt-get install {' '.join(packages)}")
