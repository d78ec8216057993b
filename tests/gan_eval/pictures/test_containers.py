"""Containers of pictures, made here as the programs write them: names, pixels, captions and refusals."""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fetched_tools import python_with
from PIL import Image
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.pictures.captions import read_captions
from gan_eval.pictures.containers import pictures_folder
from gan_eval.pictures.decode import read_rgb

PICTURES = np.random.default_rng(5).integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)


def coded(number: int, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(PICTURES[number]).save(file, form)
    return file.getvalue()


def unpacked(source: Path, **options: str) -> tuple[dict[str, np.ndarray], dict[str, str], list[str]]:
    """Return the pictures by relative path, the captions, and the notes of a container."""
    with pictures_folder(source, **options) as found:
        files = sorted(path for path in found.folder.rglob("*") if path.is_file() and path.suffix != ".jsonl")
        captions = read_captions(found.folder, files).texts
        return (
            {path.relative_to(found.folder).as_posix(): read_rgb(path) for path in files if path.suffix != ".txt"},
            {path.name: text for path, text in captions.items()},
            found.notes,
        )


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2)])
def test_the_samples_of_an_npz_are_read_in_order_whatever_their_axes(tmp_path, save, axes):
    save(tmp_path / "samples.npz", np.ascontiguousarray(PICTURES.transpose(axes)), np.arange(3))
    pictures, _, notes = unpacked(tmp_path / "samples.npz")
    assert [*pictures] == ["000000.bmp", "000001.bmp", "000002.bmp"]
    assert all((pictures[f"{number:06}.bmp"] == PICTURES[number]).all() for number in range(3))
    assert "arr_1" in notes[0]


def test_what_a_killed_process_has_unpacked_is_removed_by_the_next_one(tmp_path, monkeypatch):
    """100,000 pictures of 64x64 pixels were 1.6 GB in the system's temporary folder, after every kill."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    np.savez(tmp_path / "samples.npz", PICTURES)
    lines = ["import os, pathlib", "from gan_eval.pictures.containers import pictures_folder"]
    lines += [f"with pictures_folder(pathlib.Path({str(tmp_path / 'samples.npz')!r})):", "    os._exit(9)"]
    command = [sys.executable, "-c", "\n".join(lines)]
    assert subprocess.run(command, env=os.environ | {"TMPDIR": tempfile.gettempdir()}).returncode == 9
    (left,) = (path for path in (tmp_path / "temporary").iterdir() if path.is_dir())
    with pictures_folder(tmp_path / "samples.npz") as first, pictures_folder(tmp_path / "samples.npz") as second:
        assert not left.exists()
        assert first.folder.is_dir()
        assert second.folder.is_dir()
    assert not [*(tmp_path / "temporary").iterdir()]


@pytest.mark.parametrize("shape", [(4, 6, 8), (4, 6, 8, 1), (4, 1, 6, 8)])
def test_grey_samples_of_an_npz_are_read(tmp_path, shape):
    levels = np.arange(4 * 6 * 8, dtype=np.uint8).reshape(4, 6, 8)
    np.savez(tmp_path / "grey.npz", images=levels.reshape(shape), labels=np.arange(4))
    pictures, *_ = unpacked(tmp_path / "grey.npz")
    assert len(pictures) == 4
    assert (pictures["000002.bmp"] == levels[2][..., None]).all()


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"arr_0": PICTURES.astype(np.float32)}, "float32"),
        ({"arr_0": np.zeros((2, 3, 8, 3), np.uint8)}, "2 x 3 x 8 x 3"),
        ({"arr_0": np.zeros((16, 8, 3), np.uint8)}, "16 x 8 x 3"),  # one picture
        ({"mu": np.zeros(4), "sigma": np.eye(4)}, "--reference"),
        ({"a": PICTURES, "b": PICTURES}, "arr_0"),
    ],
)
def test_an_npz_whose_pictures_are_not_certain_is_refused(tmp_path, arrays, named):
    np.savez(tmp_path / "x.npz", **arrays)
    refused(named, unpacked, tmp_path / "x.npz")


def parquet(file: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file


def test_a_parquet_has_pictures_of_any_format_and_texts_that_stay_texts(tmp_path):
    rows = [
        {"image": {"bytes": coded(0), "path": "a/0.jpg"}, "text": "007"},
        {"image": {"bytes": coded(1, "TIFF"), "path": "b/0.jpg"}, "text": "None"},  # the stem comes twice
        {"image": {"bytes": None, "path": "/elsewhere/2.png"}, "text": "lost"},
    ]
    pictures, captions, notes = unpacked(parquet(tmp_path / "x.parquet", rows))
    assert [*pictures] == ["000000.png", "000001.tif"]
    assert (pictures["000001.tif"] == PICTURES[1]).all()
    assert captions == {"000000.png": "007", "000001.tif": "None"}
    assert "1 of 3 rows" in notes[0]


def test_columns_real_and_fake_of_a_parquet_become_two_folders_paired_by_the_stems_of_their_paths(tmp_path):
    rows = [{kind: {"bytes": coded(n), "path": f"{n}.png"} for kind in ("real", "fake")} for n in range(2)]
    assert [*unpacked(parquet(tmp_path / "x.parquet", rows))[0]] == [
        "fake/0.png",
        "fake/1.png",
        "real/0.png",
        "real/1.png",
    ]


def test_a_parquet_of_paths_is_refused_and_no_file_outside_its_folder_is_read(tmp_path):
    (tmp_path / "0.png").write_bytes(coded(0))
    (tmp_path / "in").mkdir()
    for path in ("../0.png", str(tmp_path / "0.png")):
        with pytest.raises(UserError, match="holds paths"):
            unpacked(parquet(tmp_path / "in" / "x.parquet", [{"image": {"bytes": None, "path": path}}]))
    (tmp_path / "in" / "0.png").write_bytes(coded(1))
    pictures, *_ = unpacked(parquet(tmp_path / "in" / "x.parquet", [{"image": {"bytes": None, "path": "0.png"}}]))
    assert (pictures["0.png"] == PICTURES[1]).all()


def tar(file: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file


def test_a_tar_is_merged_by_key_although_it_is_not_sorted(tmp_path):
    members = {
        "./b.txt": b"of b",
        "./a.PNG": coded(0),
        "./b.png": coded(1),
        "./a.json": b'{"caption": "of a", "n": 1}',
        "./.hidden.png": b"",
        "./README": b"no picture",
    }
    pictures, captions, _ = unpacked(tar(tmp_path / "x.tar", members))
    assert {name: (pixels == PICTURES["ab".index(name[0])]).all() for name, pixels in pictures.items()} == {
        "a.png": True,
        "b.png": True,
    }
    assert captions == {"a.png": "of a", "b.png": "of b"}


def test_dots_in_the_names_of_a_tar_keep_samples_apart_but_several_pictures_of_a_key_need_a_choice(tmp_path):
    dotted = tar(
        tmp_path / "x.tar", {"cat_cfg5.0.png": coded(0), "cat_cfg5.5.png": coded(1), "cat_cfg5.5.txt": b"five"}
    )
    pictures, captions, _ = unpacked(dotted)
    assert ([*pictures], captions) == (["cat_cfg5.0.png", "cat_cfg5.5.png"], {"cat_cfg5.5.png": "five"})
    several = tar(tmp_path / "y.tar", {"1.png": coded(0), "1.seg.png": coded(1)})
    refused("--tar-key png", unpacked, several)
    assert (unpacked(several, tar_key="seg.png")[0]["1.png"] == PICTURES[1]).all()
    kinds = tar(tmp_path / "z.tar", {"1.real.png": coded(0), "1.fake.png": coded(1)})
    refused(r"--tar-key (real|fake)\.png", unpacked, kinds)


def test_a_zip_begins_where_its_files_do_and_may_not_lead_out_of_its_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("results/real/0.png", coded(0))
        archive.writestr("results/fake/0.png", coded(1))
        archive.writestr("results/notes.txt", "text")
        archive.writestr("__MACOSX/results/real/._0.png", "")
    assert [*unpacked(tmp_path / "x.zip")[0]] == ["fake/0.png", "real/0.png"]
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("../0.png", coded(0))
    refused("leads out", unpacked, tmp_path / "y.zip")
    assert not (tmp_path.parent / "0.png").exists()


@pytest.mark.parametrize("name", ["x.zip", "x.npz", "x.npy", "x.parquet", "x.tar", "x.tgz"])
def test_a_damaged_or_empty_container_is_refused_by_its_name(tmp_path, name):
    for content in (b"", b"PK\x03\x04damaged", coded(0)):
        (tmp_path / name).write_bytes(content)
        refused(name, unpacked, tmp_path / name)


def test_captions_are_read_as_text_from_the_first_source_and_counted(tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for number, file in enumerate(files):
        file.write_bytes(coded(number))
    files[0].with_suffix(".txt").write_text(" a cat\n")
    assert read_captions(tmp_path, files).texts == {files[0]: "a cat"}
    lines = [
        {"file_name": "2.png", "text": "None"},
        {"file_name": "lost.png", "text": "x"},
        {"file_name": "0.png", "text": "007"},
    ]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    captions = read_captions(tmp_path, files)
    assert captions.texts == {files[0]: "007", files[2]: "None"}
    assert "1 pictures have none" in captions.notes[0]
    (tmp_path / "prompts.csv").write_text('File,Prompt\n1.png,"a dog, running"\n2.png,\n')
    assert read_captions(tmp_path, files).texts == {files[1]: "a dog, running"}
    (tmp_path / "prompts.csv").write_text("a,b\n1,2\n")
    refused(r"prompts\.csv", read_captions, tmp_path, files)


@pytest.mark.parametrize(
    ("texts", "caption"),
    [
        ({"parameters": "a cat, 8k\nNegative prompt: dog\nSteps: 20, Sampler: Euler"}, "a cat, 8k"),
        ({"prompt": "a cat"}, "a cat"),
        ({"prompt": '{"3": {"inputs": {"seed": 1}}}', "workflow": "{}"}, None),  # a graph
        ({"parameters": '{"prompt": "a cat", "steps": 5}'}, "a cat"),
        ({"parameters": "caf\u00c3\u00a9"}, "café"),  # UTF-8 in a chunk that is read as Latin-1
        ({"Software": "x"}, None),
    ],
)
def test_the_prompt_inside_a_png_is_a_caption_and_a_graph_is_none(tmp_path, texts, caption):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    Image.fromarray(PICTURES[0]).save(tmp_path / "0.png", pnginfo=info)
    assert read_captions(tmp_path, [tmp_path / "0.png"]).texts.get(tmp_path / "0.png") == caption


WRITERS = """
import datasets, numpy, webdataset
from PIL import Image
pictures = numpy.load("pictures.npy")
texts, images = [f"text {n}" for n in range(len(pictures))], [*map(Image.fromarray, pictures)]
numpy.savez("x.npz", pictures)
features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
datasets.Dataset.from_dict({"image": images, "text": texts}, features=features).to_parquet("x.parquet")
with webdataset.TarWriter("x.tar") as archive:
    for number, (image, text) in enumerate(zip(images, texts)):
        archive.write({"__key__": f"{number:06}", "png": image, "txt": text})
"""


@pytest.mark.nightly
def test_the_containers_that_the_programs_write(tmp_path):
    python = python_with(tmp_path / "venv", "numpy==2.4.6", "datasets==5.2.0", "webdataset==1.0.2", "pillow")
    np.save(tmp_path / "pictures.npy", PICTURES)
    subprocess.run([python, "-c", WRITERS], cwd=tmp_path, check=True)
    for form in ("npz", "parquet", "tar"):
        pictures, captions, _ = unpacked(tmp_path / f"x.{form}")
        assert [Path(name).stem for name in pictures] == ["000000", "000001", "000002"]
        assert (np.stack([*pictures.values()]) == PICTURES).all()
        assert [*captions.values()] == ([] if form == "npz" else ["text 0", "text 1", "text 2"])
