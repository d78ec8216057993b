"""The libraries that Qt needs, on systems that lack some."""

import pytest

from gan_eval.machine import system_libraries
from gan_eval.machine.system_libraries import IMPORT_LIBRARIES, SCREEN_LIBRARIES, install_command, missing_libraries


def test_missing_libraries_are_those_that_do_not_load():
    assert missing_libraries(platform="linux", loads=lambda name: name != "libEGL.so.1") == (IMPORT_LIBRARIES[1],)
    assert missing_libraries(platform="linux", loads=lambda name: False) == IMPORT_LIBRARIES + SCREEN_LIBRARIES
    assert missing_libraries(platform="darwin", loads=lambda name: False) == ()
    assert missing_libraries(platform="win32", loads=lambda name: False) == ()


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install -y --no-install-recommends libgl1 libegl1"),
        ("dnf", "sudo dnf install 'libGL.so.1()(64bit)' 'libEGL.so.1()(64bit)'"),
        ("pacman", "install the packages that hold libGL.so.1, libEGL.so.1"),
    ],
)
def test_the_command_speaks_the_package_managers_language(manager, line):
    assert install_command(IMPORT_LIBRARIES[:2], which=lambda name: name if name == manager else None) == line


def test_qt_can_be_imported_without_a_screens_libraries(monkeypatch):
    monkeypatch.setattr(system_libraries, "missing_libraries", lambda: SCREEN_LIBRARIES)
    assert system_libraries.can_import_qt()
    monkeypatch.setattr(system_libraries, "missing_libraries", lambda: IMPORT_LIBRARIES[-1:])
    assert not system_libraries.can_import_qt()
