"""Names that come out of a file, at every place where one becomes a path: nothing is written outside of its folder."""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import settled
from gan_eval.base.read_names import leads_out, names_one_part
from gan_eval.pictures.containers import pictures_folder
from gan_eval.pictures.sets import read_set
from gan_eval.store.bids import _label as bids_label
from gan_eval.store.export import file_name
from gan_eval.tables.frames import write_rows
from trainer.datasets.fetch import BadArchiveError, extract_pictures

NAMES = ("../x", "../../x", "{outside}/x", "a/b", "a\\..\\..\\x", "C:x", "NUL", "", ".", "..", ".hidden", "x" * 300)
"""Names for a file or folder; `{outside}` is an absolute path."""


def coded() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "grey").save(file, "PNG")
    return file.getvalue()


def _unpack(source: Path) -> None:
    with pictures_folder(source) as found:
        assert all(path.resolve().is_relative_to(found.folder.parent.resolve()) for path in found.folder.rglob("*"))


def column_of_a_parquet(folder: Path, name: str) -> None:
    table = pa.table({name: [coded()], "fake": [coded()]})
    pq.write_table(table, folder / "x.parquet")
    _unpack(folder / "x.parquet")


def path_in_a_parquet(folder: Path, name: str) -> None:
    rows = [{"image": {"bytes": coded(), "path": f"{name}.png"}}, {"image": {"bytes": None, "path": name}}]
    pq.write_table(pa.Table.from_pylist(rows), folder / "x.parquet")
    _unpack(folder / "x.parquet")


def key_in_a_parquet(folder: Path, name: str) -> None:
    pq.write_table(pa.table({"key": [name], "png": [coded()]}), folder / "x.parquet")
    _unpack(folder / "x.parquet")


def member_of_a_zip(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr(f"{name}.png", coded())
    _unpack(folder / "x.zip")


def member_of_a_tar(folder: Path, name: str) -> None:
    with tarfile.open(folder / "x.tar", "w") as archive:
        member = tarfile.TarInfo(f"{name}.png")
        member.size = len(coded())
        archive.addfile(member, io.BytesIO(coded()))
    _unpack(folder / "x.tar")


def member_of_a_data_set(folder: Path, name: str) -> None:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr(f"{name}.png", coded())
    (folder / "inside").mkdir()
    with suppress(OSError):  # a name that is too long, which `unpack` reports
        extract_pictures(folder / "x.zip", folder / "inside")


def file_of_a_stimulus_set(folder: Path, name: str) -> None:
    row = {"stimulus": "d/real/1", "item": "d/1", "kind": "real", "dataset": "d", "split": "test", "file": name or "."}
    row |= {"width": 4, "height": 4, "sha256": "0" * 64}
    write_rows([{**dict.fromkeys(tables.STIMULI.names), **row}], folder / "stimuli.csv", tables.STIMULI)
    read_set(folder, hash_files=False)


def file_of_a_record(folder: Path, name: str, where: str = "files") -> None:
    (folder / ".gan-eval").mkdir()
    (folder / ".gan-eval" / ".x.gan-eval-0123456789ab.tmp").mkdir()
    record = {"run": "r", "files": {}, "aside": ".x.gan-eval-0123456789ab.tmp", "gone": []}
    record[where] = {"files": {name: "0" * 64}, "gone": [name], "aside": name}[where]
    (folder / ".gan-eval" / "tables.coming.json").write_text(json.dumps(record))
    (folder / "kept").touch()
    with suppress(UserError), settled(folder):
        pass
    assert (folder / "kept").exists()


def file_gone_in_a_record(folder: Path, name: str) -> None:
    file_of_a_record(folder, name, "gone")


def folder_of_a_record(folder: Path, name: str) -> None:
    file_of_a_record(folder, name, "aside")


def participant_in_bids(_: Path, name: str) -> None:
    assert names_one_part(f"sub-{bids_label(name, [], 'sub-')}", windows=True)


def study_in_psych_ds(_: Path, name: str) -> None:
    assert names_one_part(file_name(tables.TRIALS, [name]), windows=True)


DOORS: list[Callable[[Path, str], None]] = [
    column_of_a_parquet,
    path_in_a_parquet,
    key_in_a_parquet,
    member_of_a_zip,
    member_of_a_tar,
    member_of_a_data_set,
    file_of_a_stimulus_set,
    file_of_a_record,
    file_gone_in_a_record,
    folder_of_a_record,
    participant_in_bids,
    study_in_psych_ds,
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("door", DOORS)
def test_no_name_in_a_file_leads_out_of_the_folder(tmp_path, monkeypatch, door, name):
    work, outside = tmp_path / "a" / "work", tmp_path / "outside"
    temporary = tmp_path / "a" / "temporary"
    for folder in (work, outside, temporary):
        folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    for file in (tmp_path / "x", tmp_path / "a" / "x", outside / "000000.png"):
        file.write_text("kept")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with suppress(UserError, BadArchiveError):
        door(work, name.format(outside=outside))
    outside_of_both = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: text for path, text in outside_of_both.items() if work not in path.parents} == before


@pytest.mark.parametrize("name", ["../x", "/x", "C:x", "", "a/b"])
def test_a_column_of_pictures_that_cannot_name_a_folder_is_refused_by_its_name(tmp_path, name):
    pq.write_table(pa.table({name: [coded()], "fake": [coded()]}), tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"x\.parquet: the column .* rename it"):
        _unpack(tmp_path / "x.parquet")
    pq.write_table(pa.table({name or " ": [coded()]}), tmp_path / "one.parquet")  # it names no folder
    _unpack(tmp_path / "one.parquet")


def test_names_of_devices_lead_out_on_windows_alone():
    assert leads_out("a/nul.png", windows=True)
    assert not leads_out("a/nul.png", windows=False)
