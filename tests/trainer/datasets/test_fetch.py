"""A data set is there as a whole or not at all, for any content and source of the archive."""

import errno
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from made_photographs import noise
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.metrics.weights.package import FetchError
from trainer.datasets.fetch import fetch
from trainer.datasets.photographs import PhotographSet
from trainer.datasets.presets import PRESETS

FACADES, TINY = PRESETS["facades"], PRESETS["tiny_imagenet"]
ADDRESS = "https://example.org/facades.tar.gz"
Archive = Callable[..., Path]


def picture_bytes(seed: int, size: tuple[int, int] = (32, 16)) -> bytes:
    """A PNG of noise, (width, height) pixels."""
    file = io.BytesIO()
    Image.fromarray(noise(seed, *size)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def make_archive(tmp_path: Path) -> Callable[..., Path]:
    """Writes an archive of {member: bytes, or size of a picture}; default: facades with three pictures."""
    default = {"facades/train/1.png": (32, 16), "facades/train/2.png": (32, 16), "facades/val/1.png": (32, 16)}

    def make(name: str = "facades.tar.gz", members: dict[str, bytes | tuple[int, int]] | None = None) -> Path:
        contents = {
            member: given if isinstance(given, bytes) else picture_bytes(number, given)
            for number, (member, given) in enumerate((members or default).items())
        }
        path = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as zipped:
                for member, content in contents.items():
                    zipped.writestr(member, content)
            return path
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tarred:
            for member, content in contents.items():
                entry = tarfile.TarInfo(member)
                entry.size = len(content)
                tarred.addfile(entry, io.BytesIO(content))
        return path

    return make


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    """Lets every address give these bytes; returns the addresses that are asked."""

    def serve(content: bytes) -> list[str]:
        asked: list[str] = []

        def download(url: str, folder: Path, name: str, _on_progress: object) -> Path:
            asked.append(url)
            if not content:
                raise FetchError(f"{url}: broke off")
            (folder / name).write_bytes(content)
            return folder / name

        monkeypatch.setattr("trainer.datasets.fetch.download", download)
        return asked

    return serve


@pytest.mark.parametrize("name", ["facades.tar.gz", "facades.tar", "facades.zip"])
def test_an_archive_becomes_a_data_set(make_archive: Archive, tmp_path: Path, name: str) -> None:
    archive = make_archive(name)
    fetched = fetch(FACADES, tmp_path / "out", source=str(archive))
    assert files_in(tmp_path / "out") == [".gan-eval/source.json", "train/1.png", "train/2.png", "val/1.png"]
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    record = {"name": "facades", "source": str(archive), "archive_sha256": digest, "splits": {"train": 2, "val": 1}}
    assert json.loads((tmp_path / "out/.gan-eval/source.json").read_text()) == record
    assert digest in fetched.remarks[0]
    assert fetched.remarks[1] == "facades: train 2, val 1 pictures; the official set has train 400, val 100, test 106"
    archive.unlink()
    refused(r"out:.*facades.*maps", fetch, PRESETS["maps"], tmp_path / "out", source=str(archive))
    again = fetch(FACADES, tmp_path / "out", source=str(archive))
    assert again.splits == fetched.splits


def test_class_folders_are_kept(tmp_path: Path, make_archive: Archive) -> None:
    names = ("train/n1/images/n1_0.png", "train/n2/images/n2_0.png", "val/images/v.png", "test/images/t.png")
    members = {f"tiny-imagenet-200/{name}": (9, 9) for name in names}
    archive = make_archive("tiny.zip", {**members, "tiny-imagenet-200/train/n1/n1_boxes.txt": b"n1_0.png 0 0 8 8"})
    fetched = fetch(TINY, tmp_path / "out", source=str(archive))
    assert fetched.splits == {"train": 2, "val": 1, "test": 1}
    found = [path.relative_to(tmp_path / "out").as_posix() for path in PhotographSet(tmp_path / "out").paths("train")]
    assert found == list(names[:2])


def test_a_broken_or_wrong_download_leaves_nothing_behind(
    make_archive: Archive, online: Callable[[bytes], list[str]], tmp_path: Path
) -> None:
    out, whole = tmp_path / "out", make_archive().read_bytes()
    online(b"")
    refused("--from FILE", fetch, FACADES, out, source=ADDRESS)
    assert not out.exists()
    online(b"<html>please log in</html>")
    refused(rf"^{ADDRESS}: not a readable archive", fetch, FACADES, out, source=ADDRESS)
    assert files_in(out) == [], "a wrong download is not kept"
    online(whole)
    assert fetch(FACADES, out, source=ADDRESS).splits == {"train": 2, "val": 1}
    assert files_in(out) == [".gan-eval/source.json", "train/1.png", "train/2.png", "val/1.png"]


@pytest.mark.parametrize("name", ["bad.tar.gz", "bad.zip"])
@pytest.mark.parametrize("member", ["../out.png", "/tmp/x.png", "a/../../x.png", "c:/x.png", "a\\..\\x.png"])
def test_paths_that_lead_out_are_refused(make_archive: Archive, tmp_path: Path, name: str, member: str) -> None:
    archive = make_archive(name, {"facades/train/1.png": (32, 16), member: (32, 16)})
    refused(name, fetch, FACADES, tmp_path / "in/out", source=str(archive))
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
    for name in ("bad.tar", "bad.zip"):
        with pytest.raises(UserError, match=r"no pictures in this archive|not a readable picture"):
            fetch(FACADES, tmp_path / "out", source=str(tmp_path / name))


@pytest.mark.parametrize("name", ["facades.tar.gz", "facades.tar", "facades.zip"])
def test_a_truncated_archive_leaves_nothing(make_archive: Archive, tmp_path: Path, name: str) -> None:
    archive = make_archive(name)
    archive.write_bytes(archive.read_bytes()[: min(3000, archive.stat().st_size - 100)])
    with pytest.raises(UserError, match=rf"{name}: (damaged or incomplete|not a readable archive)"):
        fetch(FACADES, tmp_path / "out", source=str(archive))
    assert files_in(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("preset", "members", "message"),
    [
        (FACADES, {"facades/train/odd.png": (33, 16), "facades/train/.hidden.png": b"x"}, "width 33"),
        (FACADES, {"facades/a/b/1.png": (32, 16), "facades/c/d/1.png": (32, 16)}, r"NAME/<split>/\*\.jpg"),
        (FACADES, {"readme.txt": b"hello"}, "no pictures"),
        (TINY, {"set/train/a/1.png": (7, 9)}, r"7x9.*8"),
        (TINY, {"set/a/1.png": (9, 9), "set/b/2.png": (9, 9)}, r"NAME/<split>/\*\*/\*\.jpg"),
    ],
)
def test_other_layouts_are_refused(preset, members, message, make_archive: Archive, tmp_path: Path) -> None:
    archive = make_archive("bad.zip", members)
    refused(rf"bad\.zip: .*{message}", fetch, preset, tmp_path / "out", source=str(archive))
    assert not (tmp_path / "out").exists()


def test_files_that_no_fetch_wrote_are_refused_and_stay(make_archive: Archive, tmp_path: Path) -> None:
    archive, out = make_archive(), tmp_path / "out"
    (out / ".gan-eval").mkdir(parents=True)
    (out / "train").mkdir()
    (out / "train" / "mine.png").touch()
    refused("holds train,", fetch, FACADES, out, source=str(archive))
    assert files_in(out) == ["train/mine.png"]
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/a.txt").touch()
    refused("not empty and not written by gan_eval", fetch, FACADES, tmp_path / "theirs", source=str(archive))


def test_a_download_is_kept_where_the_disk_was_full(
    make_archive: Archive, online: Callable[[bytes], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = online(make_archive().read_bytes())

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("trainer.datasets.fetch.tarfile.TarFile.extract", full)
        refused("disk is full", fetch, FACADES, tmp_path / "out", source=ADDRESS)
    fetch(FACADES, tmp_path / "out", source=ADDRESS)
    assert asked == [ADDRESS]
