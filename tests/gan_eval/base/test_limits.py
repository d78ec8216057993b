"""The limit of size: what states more is refused before it is read, in every kind of file that others make."""

import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Command
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.base.limits import VARIABLE, copy_small, largest_member, members_up_to
from gan_eval.judgements.convert import import_trials
from gan_eval.judgements.readers import read_trials
from gan_eval.metrics.maps import read_map
from gan_eval.metrics.run.features import read_features
from gan_eval.metrics.run.reference import read_reference
from gan_eval.pictures.captions import read_captions
from gan_eval.pictures.containers import pictures_folder
from gan_eval.quiz.serve.page_records import _contents
from trainer.datasets.fetch import extract_pictures

LIMIT, SIZE = 1_000_000, 20_000_000
"""The limit in these tests, and the size of what is beyond it: zeros, which are small in a file."""
REASONS = ("--largest-member", "promises", "pixels", "expected 2147483647 bytes", "note about a member")
Read = Callable[[], object]
HEAD = "participant,stimulus,kind,response,note\n"
ROWS = "A,a,real,real,{}\nA,b,fake,fake,x\n"


def deflated(file: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return file


def promising(dtype: str, *shape: int) -> bytes:
    """Return an array file whose header promises numbers that it does not hold."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(64)


def unpack(source: Path) -> None:
    with pictures_folder(source):
        pass


def import_table(source: Path) -> None:
    import_trials(source, mapping={})


def zip_of_pictures(folder: Path) -> Read:
    return partial(unpack, deflated(folder / "x.zip", a__png=bytes(SIZE)))


def tar_with_a_sparse_member(folder: Path) -> Read:
    member = tarfile.TarInfo("a.png")
    member.pax_headers = {"GNU.sparse.size": str(SIZE), "GNU.sparse.numblocks": "1", "GNU.sparse.map": f"{SIZE},0"}
    with tarfile.open(folder / "x.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(member)
    return partial(unpack, folder / "x.tar")


def tar_with_a_text(folder: Path) -> Read:
    with tarfile.open(folder / "x.tgz", "w:gz") as archive:
        for name, size in (("a.png", 10), ("a.txt", SIZE)):
            member = tarfile.TarInfo(name)
            member.size = size
            archive.addfile(member, io.BytesIO(bytes(size)))
    return partial(unpack, folder / "x.tgz")


def tar_with_a_long_note(folder: Path) -> Read:
    with tarfile.open(folder / "x.tgz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a.png")
        member.pax_headers = {"comment": "x" * SIZE}
        archive.addfile(member)
    return partial(unpack, folder / "x.tgz")


def parquet_with_a_cell(folder: Path) -> Read:
    pq.write_table(pa.table({"image": [bytes(SIZE)]}), folder / "x.parquet", compression="zstd")
    return partial(unpack, folder / "x.parquet")


def array_of_pictures(folder: Path) -> Read:
    (folder / "x.npy").write_bytes(promising("|u1", 10**9, 64, 64, 3))
    return partial(unpack, folder / "x.npy")


def array_of_a_picture(folder: Path) -> Read:
    return partial(unpack, deflated(folder / "x.npz", arr_0__npy=promising("|u1", 1, 20_000, 20_000, 3)))


def array_with_a_long_header(folder: Path) -> Read:
    return partial(unpack, deflated(folder / "x.npz", arr_0__npy=b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * SIZE))


def reference(folder: Path) -> Read:
    content = promising("<f8", 10**6, 10**6)
    return partial(
        read_reference, deflated(folder / "x.npz", mu__npy=promising("<f8", 10**6), sigma__npy=content), resizer="tf1"
    )


def whole_reference(folder: Path) -> Read:
    np.savez_compressed(folder / "x.npz", mu=np.zeros(1600), sigma=np.zeros((1600, 1600)))
    return partial(read_reference, folder / "x.npz", resizer="tf1")


def features(folder: Path) -> Read:
    deflated(folder / "x.npz", stimulus__npy=promising("<U9", 3), features__npy=promising("<f8", 10**6, 10**6))
    return partial(read_features, "n", folder / "x.npz")


def features_as_parquet(folder: Path) -> Read:
    pq.write_table(pa.table({"stimulus": ["a"] * 200_000, "f": np.zeros(200_000)}), folder / "x.parquet")
    return partial(read_features, "n", folder / "x.parquet")


def a_map(folder: Path) -> Read:
    (folder / "x.npy").write_bytes(promising("<f8", 10**6, 10**6))
    return partial(read_map, folder / "x.npy")


def data_set(folder: Path) -> Read:
    (folder / "inside").mkdir()
    return partial(extract_pictures, deflated(folder / "x.zip", a__png=bytes(SIZE)), folder / "inside")


def table(folder: Path) -> Read:
    (folder / "x.csv").write_text(HEAD + ROWS.format("x" * SIZE))
    return partial(import_table, folder / "x.csv")


def table_in_a_zip(folder: Path) -> Read:
    return partial(import_table, deflated(folder / "x.zip", t__csv=(HEAD + ROWS.format("x" * SIZE)).encode()))


def tables_in_a_zip(folder: Path) -> Read:
    small = (HEAD + ROWS.format("x" * (LIMIT - 1000))).encode()
    return partial(import_table, deflated(folder / "x.zip", t__csv=small, u__csv=small, v__csv=small))


def excel_file(folder: Path) -> Read:
    deflated(folder / "x.zip").rename(folder / "x.xlsx")
    with zipfile.ZipFile(folder / "x.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * SIZE)
    return partial(import_table, folder / "x.xlsx")


def json_file(folder: Path) -> Read:
    (folder / "x.json").write_text(json.dumps([{"note": "x" * SIZE}]))
    return partial(import_table, folder / "x.json")


def table_to_analyze(folder: Path) -> Read:
    pq.write_table(pa.table({"participant": pa.array(np.zeros(10**6, "u1"))}), folder / "x.parquet")
    return partial(read_trials, folder / "x.parquet")


def captions(folder: Path) -> Read:
    (folder / "metadata.csv").write_text("file_name,text\nx.png," + "x" * SIZE)
    return partial(read_captions, folder, [folder / "x.png"])


def results_of_a_page(folder: Path) -> Read:
    path = deflated(folder / "x.zip", a__json=b" " * SIZE)

    def read() -> None:
        for _, content in _contents(path):
            if isinstance(content, UserError):  # the other members are read all the same
                raise content

    return read


DOORS: list[Callable[[Path], Read]] = [
    *(zip_of_pictures, tar_with_a_sparse_member, tar_with_a_text, tar_with_a_long_note, parquet_with_a_cell),
    *(array_of_pictures, array_of_a_picture, array_with_a_long_header, reference, whole_reference),
    *(features, features_as_parquet, a_map, data_set, table, table_in_a_zip, tables_in_a_zip, excel_file, json_file),
    *(table_to_analyze, captions, results_of_a_page),
]


@pytest.mark.parametrize("door", DOORS)
def test_what_states_more_than_the_limit_is_refused_before_it_is_read(tmp_path, door):
    read = door(tmp_path)
    tracemalloc.start()
    with members_up_to(LIMIT), pytest.raises(UserError, match=rf"(x|metadata)\.\w+.*({'|'.join(REASONS)})"):
        read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * LIMIT


def test_the_limit_names_the_size_and_the_option_that_raises_it(tmp_path, command: Command, monkeypatch):
    file = deflated(tmp_path / "x.zip", t__csv=(HEAD + ROWS.format("x" * 2_000_000)).encode())
    out = str(tmp_path / "t.csv")
    status, _, errors = command("trials", "import", str(file), "--out", out, "--largest-member", "1MB")
    assert (status, errors.count("\n")) == (2, 1)
    assert "x.zip: has 2 MB, more than the 1 MB that are read" in errors
    assert "--largest-member 3MB" in errors
    assert command("trials", "import", str(file), "--out", out, "--largest-member", "3MB")[0] == 0
    monkeypatch.setenv(VARIABLE, "1MB")
    assert command("trials", "import", str(file), "--out", out)[0] == 2
    assert command("trials", "import", str(file), "--out", out, "--largest-member", "3MB")[0] == 0
    assert largest_member() == 1_000_000
    status, _, errors = command("trials", "import", str(file), "--out", out, "--largest-member", "much")
    assert (status, "expected a size such as 700MB" in errors) == (2, True)


def test_bytes_are_counted_where_the_stated_size_lies():
    target = io.BytesIO()
    with members_up_to(LIMIT):
        refused("a: has .* more than the 1 MB", copy_small, io.BytesIO(bytes(5 * LIMIT)), target, "a")
    assert len(target.getvalue()) <= LIMIT


def test_an_array_of_many_pictures_may_be_larger_than_the_limit(tmp_path):
    np.savez(tmp_path / "x.npz", np.zeros((40, 64, 64, 3), np.uint8))
    with members_up_to(100_000), pictures_folder(tmp_path / "x.npz") as found:
        assert found.pictures == 40


def test_a_cell_of_json_beyond_the_limit_of_pythons_csv_is_read(tmp_path):
    note = json.dumps({"clicks": list(range(60_000))}).replace('"', '""')
    assert len(note) > 200_000
    (tmp_path / "x.csv").write_text(HEAD + ROWS.format(f'"{note}"'))
    trials = import_trials(tmp_path / "x.csv", mapping={}).trials
    assert json.loads(trials["note"][0])["clicks"][-1] == 59_999
    (tmp_path / "x.csv").write_text(f"Study of May\n{HEAD}" + ROWS.format(f'"{note}"'))  # a title, another reader
    assert len(import_trials(tmp_path / "x.csv", mapping={}).trials) == 2
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "metadata.csv").write_text("file_name,text\na.png," + "x" * 200_000)
    assert len(read_captions(tmp_path, [tmp_path / "a.png"]).texts[tmp_path / "a.png"]) == 200_000


def test_a_table_with_the_line_ends_of_an_old_mac_is_no_traceback(tmp_path):
    (tmp_path / "x.csv").write_bytes((HEAD + ROWS.format("x")).replace("\n", "\r").encode() + b"\n\n")
    assert len(import_trials(tmp_path / "x.csv", mapping={}).trials) == 2


def test_an_archive_in_an_archive_is_refused(tmp_path):
    inner = deflated(tmp_path / "i.zip", t__csv=HEAD.encode()).read_bytes()
    refused("archive in an archive", import_table, deflated(tmp_path / "x.zip", t__csv=inner))
