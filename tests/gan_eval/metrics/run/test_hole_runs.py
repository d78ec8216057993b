"""The metrics of the hole in a run: masks are read, counted in what is kept, and their lack has a reason."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from metric_pictures import disturbed, texture
from rehashed import rehash

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.metrics import Settings, run_metrics
from gan_eval.metrics.definitions.hole import l1_hole, psnr_hole, ssim_hole
from gan_eval.metrics.definitions.similarity import psnr
from gan_eval.metrics.run.inputs import NO_MASK, stimuli_of_sets
from gan_eval.metrics.run.tables import Evaluation
from gan_eval.report.metrics.data import title_of
from gan_eval.stimuli import pictures
from gan_eval.stimuli.holes import mask_of
from gan_eval.stimuli.sets import stimulus_row, write_set
from gan_eval.tables.frames import Row, read_rows

NAMES = ("psnr", "psnr_hole", "ssim_hole", "l1_hole")
FUNCTIONS = {"psnr_hole": psnr_hole, "ssim_hole": ssim_hole, "l1_hole": l1_hole}
MakeSet = Callable[..., Path]


def hole_number(n: int) -> np.ndarray:
    hole = np.zeros((32, 40), bool)
    hole[6 + n : 20, 8:26] = True
    return hole


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """Makes a set of four items of one model, with masks."""

    def make(model: str = "m", *, strength: float = 12) -> Path:
        folder = tmp_path / model
        rows: list[Row] = []
        for n in range(4):
            real = texture(n, 32, 40)
            files = {kind: folder / kind / f"{n}.png" for kind in ("real", "fake", "mask")}
            pictures.write_png(files["real"], real)
            pictures.write_png(files["fake"], disturbed(real, n, strength))
            pictures.write_png(files["mask"], mask_of(hole_number(n)))
            shared = {"dataset": "d", "stem": str(n), "size": (32, 40), "mask_file": f"mask/{n}.png"}
            rows.append(stimulus_row(folder, files["real"], kind="real", **shared))
            pair = {"model": model, "reference_file": f"real/{n}.png"}
            rows.append(stimulus_row(folder, files["fake"], kind="fake", **pair, **shared))
        write_set(folder, rows)
        return folder

    return make


def measure(folders: Path | list[Path], *names: str, **how: object) -> Evaluation:
    given = folders if isinstance(folders, list) else [folders]
    return run_metrics(stimuli_of_sets(given), Settings(names or NAMES, **how), command="test")  # type: ignore[arg-type]


def cells(found: Evaluation, column: str = "value") -> pd.Series:
    return found.image_metrics.set_index(["stimulus", "metric"])[column]


def change_row(folder: Path, n: int, **columns: object) -> None:
    rows = read_rows(folder / "stimuli.csv", tables.STIMULI)
    write_set(folder, [row | columns if row["stimulus"] == f"d/m/{n}" else row for row in rows])


def test_values_are_those_of_the_functions_on_the_generated_pictures_alone(make_set: MakeSet) -> None:
    folder = make_set()
    found = cells(measure(folder, threads=2))
    assert len(found) == 4 * len(NAMES)
    for n in range(4):
        fake, real = (pictures.read_rgb(folder / kind / f"{n}.png") for kind in ("fake", "real"))
        for name, function in FUNCTIONS.items():
            assert found[f"d/m/{n}", name] == function(fake, real, hole_number(n))
        assert found[f"d/m/{n}", "psnr"] == psnr(fake, real)


def test_what_is_wrong_with_a_mask_is_the_reason_and_the_rest_is_measured(
    make_set: MakeSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    folder = make_set()
    change_row(folder, 0, mask_file=None)
    (folder / "mask" / "1.png").write_text("broken")
    pictures.write_png(folder / "mask" / "2.png", np.full((32, 41), 255, np.uint8))
    pictures.write_png(folder / "mask" / "3.png", np.full((32, 40), 127, np.uint8))
    rehash(folder)
    for cache in (None, tmp_path / "kept.sqlite", tmp_path / "kept.sqlite"):
        found = measure(folder, cache=cache)
        for name in FUNCTIONS:
            reasons = [cells(found, "reason")[f"d/m/{n}", name] for n in range(4)]
            assert reasons[0] == NO_MASK
            assert reasons[1].startswith(f"{folder / 'mask' / '1.png'}: not a readable picture")
            assert reasons[2].startswith("the mask is 41x32 pixels, the real picture 40x32")
            assert reasons[3].startswith("the mask has no hole")
        assert cells(found).xs("psnr", level="metric").notna().all()
    (folder / "mask" / "1.png").unlink()
    assert "no such picture" in cells(measure(folder), "reason")["d/m/1", "l1_hole"]


def test_with_resize_the_mask_is_that_of_the_real_picture(make_set: MakeSet) -> None:
    folder = make_set()
    real, small = pictures.read_rgb(folder / "real" / "0.png"), texture(9, 16, 20)
    pictures.write_png(folder / "fake" / "0.png", small)
    pictures.write_png(folder / "fake" / "1.png", small)
    pictures.write_png(folder / "mask" / "1.png", np.full((16, 20), 255, np.uint8))
    rehash(folder)
    assert "sizes of the generated and the real picture differ" in cells(measure(folder), "reason")["d/m/0", "l1_hole"]
    found = measure(folder, resize=True)
    assert cells(found)["d/m/0", "l1_hole"] == l1_hole(pictures.resize(small, (32, 40)), real, hole_number(0))
    assert cells(found, "reason")["d/m/1", "l1_hole"].startswith("the mask is 20x16 pixels, the real picture 40x32")


def test_another_mask_is_another_value_and_another_input(
    make_set: MakeSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    folder, file = make_set(), tmp_path / "kept.sqlite"
    first = measure(folder, cache=file)
    again = measure(folder, cache=file)
    assert json.loads(again.runs["settings"][0])["kept_values_used"] == 16
    assert again.runs["input_hash"][0] == first.runs["input_hash"][0] != measure(folder, "psnr").runs["input_hash"][0]
    assert cells(again).equals(cells(first))
    pictures.write_png(folder / "mask" / "2.png", mask_of(hole_number(7)))
    rehash(folder)
    other = measure(folder, cache=file)
    assert json.loads(other.runs["settings"][0])["kept_values_used"] == 13
    assert other.runs["input_hash"][0] != first.runs["input_hash"][0]
    fake, real = (pictures.read_rgb(folder / kind / "2.png") for kind in ("fake", "real"))
    assert cells(other)["d/m/2", "psnr_hole"] == psnr_hole(fake, real, hole_number(7))
    assert cells(other)["d/m/2", "psnr_hole"] != cells(first)["d/m/2", "psnr_hole"]
    assert (cells(other) != cells(first)).sum() == 3


def test_masks_are_read_and_decoded_once_and_only_where_they_are_wanted(
    make_set: MakeSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_set()
    read: list[str] = []
    decoded: list[str] = []
    reading, decoding = pictures.read_file, pictures.decode_rgb
    monkeypatch.setattr(pictures, "read_file", lambda path: (read.append(path.as_posix()), reading(path))[1])
    monkeypatch.setattr(pictures, "decode_rgb", lambda c, path: (decoded.append(path.as_posix()), decoding(c, path))[1])
    measure(folder, "psnr", "niqe")
    assert not any("/mask/" in name for name in read)
    read.clear()
    decoded.clear()
    measure(folder)
    assert sorted(read) == sorted(decoded) == sorted({*read})
    assert sum("/mask/" in name for name in read) == 4


def test_one_picture_with_two_holes_in_two_sets_is_an_error(make_set: MakeSet, tmp_path: Path) -> None:
    first = make_set()
    second = first.rename(tmp_path / "second")
    first = make_set()
    assert len(stimuli_of_sets([first, second])) == 8
    pictures.write_png(second / "mask" / "1.png", mask_of(hole_number(5)))
    rehash(second)
    with pytest.raises(UserError, match=r"second/mask/1\.png: the hole of stimulus 'd/m/1' is another in .*m/mask/1"):
        stimuli_of_sets([first, second])


@pytest.mark.nightly
def test_the_command_measures_the_hole_and_the_report_shows_it(
    make_set: MakeSet, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    folder, out, page = make_set(), tmp_path / "out", tmp_path / "report.html"
    pictures.write_png(folder / "fake" / "3.png", pictures.read_rgb(folder / "real" / "3.png"))
    rehash(folder)
    command = ["metrics", folder, "--metrics", ",".join(NAMES), "--out", out, "--report", page]
    assert run([*map(str, command)]) == 0, capsys.readouterr().err
    rows = read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)
    assert [row["metric"] for row in rows[:4]] == list(NAMES)
    assert rows[-3]["value"] == float("inf")
    text = page.read_text(encoding="utf-8")
    assert all(title_of(name) in text for name in NAMES)
