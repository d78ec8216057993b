"""Files that belong together: one whole set or the other, even after a failure on the way."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gan_eval.base import file_sets
from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set, settled

OLD = {"a.csv": "old a", "b.csv": "old b", "below/c.csv": "old c"}
NEW = {"a.csv": "new a", "d.csv": "new d"}


def write(folder: Path, files: dict[str, str], run: str = "") -> None:
    with replaced_set(folder, "tables") as new:
        new.run = run
        for name, text in files.items():
            (new.folder / name).parent.mkdir(exist_ok=True)
            (new.folder / name).write_text(text)


def finish(folder: Path) -> None:
    with settled(folder):
        pass


def found(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and OWN_FOLDER not in path.parts
    }


def test_a_set_takes_the_place_of_the_last_one_and_leaves_other_files(tmp_path):
    write(tmp_path, OLD)
    with replaced_set(tmp_path, "export") as new:
        (new.folder / "e.csv").write_text("exported")
    (tmp_path / "notes.csv").write_text("mine")
    (tmp_path / "b.csv").write_text("changed by hand")
    write(tmp_path, NEW, run="second")
    assert found(tmp_path) == {**NEW, "notes.csv": "mine", "b.csv": "changed by hand", "e.csv": "exported"}
    with settled(tmp_path) as sets:
        (_, known) = sets[tmp_path]
    assert (known.run, sorted(known.files)) == ("second", sorted(NEW))
    assert sorted(path.name for path in (tmp_path / OWN_FOLDER).iterdir()) == [
        "export.set.json",
        "sets.lock",
        "tables.set.json",
    ]


@pytest.mark.parametrize("when", ["writing", "announcing"])
def test_what_fails_before_all_is_written_leaves_the_old_set(tmp_path, monkeypatch, when):
    write(tmp_path, OLD)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises((UserError, OSError), match=r"disk is full|No space"), replaced_set(tmp_path, "tables") as new:
        (new.folder / "a.csv").write_text("new a")
        if when == "writing":
            full()
        monkeypatch.setattr("gan_eval.base.atomic.os.fsync", full)
    monkeypatch.undo()
    assert found(tmp_path) == OLD
    finish(tmp_path)
    assert found(tmp_path) == OLD
    assert not list((tmp_path / OWN_FOLDER).glob(".*"))


@pytest.mark.parametrize("steps", range(6))
def test_a_kill_while_files_are_put_in_place_is_made_good_by_whoever_comes_next(tmp_path, monkeypatch, steps):
    """The steps are: two files, two that go, the record."""
    write(tmp_path, OLD)
    done = []

    def until_killed(name: str):
        real = getattr(Path, name)

        def step(path: Path, *given: object, **more: object) -> object:
            if path.name.startswith("."):  # a temporary file of a single write
                return real(path, *given, **more)
            if len(done) == steps:
                raise KeyboardInterrupt
            done.append(path.name)
            return real(path, *given, **more)

        return step

    monkeypatch.setattr(Path, "replace", until_killed("replace"))
    monkeypatch.setattr(Path, "unlink", until_killed("unlink"))
    if steps < 5:
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, NEW)
    else:
        write(tmp_path, NEW)
    monkeypatch.undo()
    with settled(tmp_path) as sets:
        assert sorted(sets[tmp_path][0].files) == sorted(NEW)
    assert found(tmp_path) == NEW


@pytest.mark.nightly
def test_a_kill_while_it_is_written_leaves_the_old_set_and_its_scraps_go_next_time(tmp_path):
    write(tmp_path, OLD)
    code = (
        "import os, sys; from pathlib import Path; from gan_eval.base.file_sets import replaced_set\n"
        "with replaced_set(Path(sys.argv[1]), 'tables') as new:\n"
        "    (new.folder / 'a.csv').write_text('half'); os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    finish(tmp_path)
    assert found(tmp_path) == OLD
    write(tmp_path, NEW)
    assert found(tmp_path) == NEW
    assert not list((tmp_path / OWN_FOLDER).glob(".*"))


@pytest.mark.nightly
def test_of_two_at_once_one_whole_set_results(tmp_path):
    code = (
        "import sys; from pathlib import Path; from gan_eval.base.file_sets import replaced_set\n"
        "for _ in range(15):\n"
        "    with replaced_set(Path(sys.argv[1]), 'tables') as new:\n"
        "        for name in [*'abcdefgh', sys.argv[2]]:\n"
        "            (new.folder / name).write_text(sys.argv[2])\n"
    )
    working = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), who]) for who in ("first", "second")]
    assert [one.wait(timeout=120) for one in working] == [0, 0]
    files = found(tmp_path)
    assert len(files) == 9
    assert len(set(files.values())) == 1


def test_a_record_that_is_none_is_told(tmp_path):
    write(tmp_path, OLD)
    (tmp_path / OWN_FOLDER / "tables.set.json").write_text("[]")
    with pytest.raises(UserError, match=r"tables\.set\.json:"), settled(tmp_path):
        pass


def test_a_reader_makes_no_lock_and_waits_for_the_one_that_is_there(tmp_path, monkeypatch):
    write(tmp_path, OLD)
    lock = tmp_path / OWN_FOLDER / "sets.lock"
    lock.unlink()  # a copy of the folder need not have it
    with settled(tmp_path) as sets:
        assert len(sets[tmp_path]) == 1
    assert not lock.exists()
    monkeypatch.setattr(file_sets, "PATIENCE_S", 0.05)
    with replaced_set(tmp_path, "tables"), pytest.raises(UserError, match="another gan-eval"), settled(tmp_path):
        pass
