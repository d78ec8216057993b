"""A data set is there as a whole or not at all, for any content and source of the archive."""

import errno
import hashlib
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made_pictures import picture_bytes

from gan_eval.errors import UserError
from gan_eval.files.atomic import temporary_name
from trainer.datasets.fetch import fetch
from trainer.datasets.presets import PRESETS

FACADES = PRESETS["facades"]


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["facades.tar.gz", "facades.tgz", "facades.tar", "facades.zip"])
def test_an_archive_becomes_a_data_set(make_archive: Callable, tmp_path: Path, name: str) -> None:
    archive = make_archive(name)
    fetched = fetch(FACADES, tmp_path / "out", source=str(archive))
    assert files_in(tmp_path / "out") == [".gan-eval/source.json", "train/1.png", "train/2.png", "val/1.png"]
    assert (tmp_path / "out/train/2.png").read_bytes() == picture_bytes(1)
    assert fetched.splits == {"train": 2, "val": 1}
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    source = json.loads((tmp_path / "out/.gan-eval/source.json").read_text())
    assert source == {
        "name": "facades",
        "source": str(archive),
        "archive_sha256": digest,
        "splits": {"train": 2, "val": 1},
    }
    assert digest in fetched.remarks[0]
    assert fetched.remarks[1] == "facades: train 2, val 1 pictures; the official set has train 400, val 100, test 106"
    assert archive.is_file()


def test_what_is_there_is_not_fetched_again(make_archive: Callable, tmp_path: Path) -> None:
    archive = make_archive()
    first = fetch(FACADES, tmp_path / "out", source=str(archive))
    archive.unlink()
    again = fetch(FACADES, tmp_path / "out", source=str(archive))
    assert (again.splits, again.sha256) == (first.splits, first.sha256)
    with pytest.raises(UserError, match="already fetched from an archive with SHA-256"):
        fetch(FACADES, tmp_path / "out", sha256="0" * 64)


def test_a_download_that_broke_off_leaves_nothing_behind(
    make_archive: Callable, serve: Callable, tmp_path: Path
) -> None:
    server = serve(make_archive().read_bytes())
    server.limits = [1000]
    out = tmp_path / "out"
    with pytest.raises(UserError, match=r"broke off .*--from FILE"):
        fetch(FACADES, out, source=server.url)
    assert not out.exists()
    fetch(replace(FACADES, url=server.url), out)
    assert files_in(out) == [".gan-eval/source.json", "train/1.png", "train/2.png", "val/1.png"]


def test_the_checksum_is_demanded(make_archive: Callable, serve: Callable, tmp_path: Path) -> None:
    archive = make_archive()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    with pytest.raises(UserError, match=rf"SHA-256 {digest}, wanted 0000"):
        fetch(FACADES, tmp_path / "wrong", source=str(archive), sha256="0" * 64)
    assert files_in(tmp_path / "wrong") == []
    server = serve(archive.read_bytes())
    with pytest.raises(UserError, match="wanted 0000"):
        fetch(replace(FACADES, url=server.url, sha256="0" * 64), tmp_path / "wrong")
    assert files_in(tmp_path / "wrong") == [], "a wrong download is not kept"
    assert fetch(FACADES, tmp_path / "wrong", source=str(archive), sha256=digest.upper()).splits["train"] == 2
    with pytest.raises(UserError, match="wanted 64 hexadecimal digits"):
        fetch(FACADES, tmp_path / "b", source=str(archive), sha256="12")


@pytest.mark.parametrize("name", ["bad.tar.gz", "bad.zip"])
@pytest.mark.parametrize("member", ["../out.png", "/tmp/x.png", "a/../../x.png", "c:/x.png", "a\\..\\x.png"])
def test_paths_that_lead_out_are_refused(make_archive: Callable, tmp_path: Path, name: str, member: str) -> None:
    archive = make_archive(name, {"facades/train/1.png": picture_bytes(0), member: picture_bytes(1)})
    if name.endswith(".zip") and "\\" in member:
        assert zipfile.ZipFile(archive).namelist()[1] == member
    with pytest.raises(UserError, match="leads out of the folder; nothing was taken"):
        fetch(FACADES, tmp_path / "in/out", source=str(archive))
    assert files_in(tmp_path / "in") == []


def test_links_and_devices_are_not_extracted(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tarred:
        for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            entry = tarfile.TarInfo(f"facades/train/{number}.png")
            entry.type, entry.linkname = kind, "/etc/passwd"
            tarred.addfile(entry)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as zipped:
        entry = zipfile.ZipInfo("facades/train/1.png")
        entry.external_attr = 0o120777 << 16
        zipped.writestr(entry, "/etc/passwd")
    for name, reason in (("bad.tar", "no pictures in this archive"), ("bad.zip", "not a readable picture")):
        with pytest.raises(UserError, match=reason):
            fetch(FACADES, tmp_path / "out", source=str(tmp_path / name))
        assert files_in(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["facades.tar.gz", "facades.tar", "facades.zip"])
def test_a_truncated_archive_leaves_nothing(make_archive: Callable, tmp_path: Path, name: str) -> None:
    archive = make_archive(name)
    archive.write_bytes(archive.read_bytes()[: min(3000, archive.stat().st_size - 100)])
    with pytest.raises(UserError, match=rf"{name}: (damaged or incomplete|not a readable archive)"):
        fetch(FACADES, tmp_path / "out", source=str(archive))
    assert files_in(tmp_path / "out") == []


def test_other_layouts_are_refused_by_name(make_archive: Callable, tmp_path: Path) -> None:
    clutter = {"__MACOSX/train/._1.png": b"x", "facades/train/.hidden.png": b"x", "facades/notes.txt": b"x"}
    odd = make_archive("odd.zip", {"facades/train/odd.png": picture_bytes(0, (33, 16)), **clutter})
    with pytest.raises(UserError, match=r"odd\.zip: facades/train/odd\.png: the width 33 is odd"):
        fetch(FACADES, tmp_path / "out", source=str(odd))
    two = make_archive("two.zip", {"facades/a/b/1.png": picture_bytes(0), "facades/c/d/1.png": picture_bytes(0)})
    with pytest.raises(UserError, match=r"two\.zip: not in the A\|B layout"):
        fetch(FACADES, tmp_path / "out", source=str(two))
    none = make_archive("none.zip", {"readme.txt": b"hello"})
    with pytest.raises(UserError, match=r"none\.zip: no pictures"):
        fetch(FACADES, tmp_path / "out", source=str(none))
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(UserError, match=r"text\.zip: not a readable archive"):
        fetch(FACADES, tmp_path / "out", source=str(tmp_path / "text.zip"))
    with pytest.raises(UserError, match=r"--from .*nothing\.zip: no such file"):
        fetch(FACADES, tmp_path / "out", source=str(tmp_path / "nothing.zip"))


def test_leftovers_of_a_broken_off_fetch_are_replaced(
    make_archive: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between the moves of two splits, as by signal 9."""
    archive, out = make_archive(), tmp_path / "out"
    rename = Path.rename

    def stopped(path: Path, target: Path) -> Path:
        if path.name == "val":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stopped)
        with pytest.raises(KeyboardInterrupt):
            fetch(FACADES, out, source=str(archive))
    assert files_in(out) == [".gan-eval/moving.json", "train/1.png", "train/2.png"]
    left = out / ".gan-eval" / temporary_name("unpacking")
    left.mkdir()
    fetch(FACADES, out, source=str(archive))
    assert files_in(out) == [".gan-eval/source.json", "train/1.png", "train/2.png", "val/1.png"]
    assert not left.exists()


def test_files_that_no_fetch_wrote_are_refused_and_stay(make_archive: Callable, tmp_path: Path) -> None:
    archive, out = make_archive(), tmp_path / "out"
    (tmp_path / "bad.zip").write_text("no archive")
    with pytest.raises(UserError, match="not a readable archive"):
        fetch(FACADES, out, source=str(tmp_path / "bad.zip"))
    (out / ".gan-eval").mkdir(parents=True)
    (out / "train").mkdir()
    (out / "train" / "mine.png").touch()
    with pytest.raises(UserError, match="holds train, which no fetch wrote"):
        fetch(FACADES, out, source=str(archive))
    assert files_in(out) == ["train/mine.png"]
    assert (out / ".gan-eval").is_dir(), "the mark of whoever made the folder stays"
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/a.txt").touch()
    with pytest.raises(UserError, match="not empty and not written by gan_eval"):
        fetch(FACADES, tmp_path / "theirs", source=str(archive))


def test_a_set_without_an_address_says_why(make_archive: Callable, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cityscapes: no address, because each user registers at .*--from FILE"):
        fetch(PRESETS["cityscapes"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert fetch(PRESETS["cityscapes"], tmp_path / "out", source=str(make_archive())).splits["train"] == 2


def test_a_bad_download_is_not_kept_and_another_address_is_asked_anew(
    make_archive: Callable, serve: Callable, tmp_path: Path
) -> None:
    page, right = serve(b"<html>please log in</html>"), serve(make_archive().read_bytes())
    with pytest.raises(UserError, match=rf"^{page.url}: not a readable archive"):
        fetch(FACADES, tmp_path / "out", source=page.url)
    assert not (tmp_path / "out").exists()
    assert fetch(FACADES, tmp_path / "out", source=right.url).splits == {"train": 2, "val": 1}


def test_a_download_is_kept_where_the_disk_was_full(
    make_archive: Callable, serve: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(make_archive().read_bytes())

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("trainer.datasets.fetch.tarfile.TarFile.extract", full)
        with pytest.raises(UserError, match="the disk is full; free some space and give the same command again"):
            fetch(FACADES, tmp_path / "out", source=server.url)
    fetch(FACADES, tmp_path / "out", source=server.url)
    assert server.answers == 1
