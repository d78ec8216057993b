"""The metrics of the hole in a run: masks are read, counted in what is kept, and their lack has a reason."""

from pathlib import Path

import numpy as np
import pytest
from made_sets import write_items
from metric_pictures import cells, disturbed, measure, texture
from rehashed import rehash

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.similarity import l1, psnr, ssim
from gan_eval.metrics.run.inputs import NO_MASK, stimuli_of_sets
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.holes import mask_of
from gan_eval.pictures.sets import write_set
from gan_eval.tables.frames import read_rows

NAMES = ("psnr", "psnr_hole", "ssim_hole", "l1_hole")
FUNCTIONS = {"psnr_hole": psnr, "ssim_hole": ssim, "l1_hole": l1}


def hole_number(n: int) -> np.ndarray:
    hole = np.zeros((32, 40), bool)
    hole[6 + n : 20, 8:26] = True
    return hole


def make_set(folder: Path) -> Path:
    """Make a set of four items of one model, with masks."""
    items = {}
    for n in range(4):
        real = texture(n, 32, 40)
        items[str(n)] = {"real": real, "fake": disturbed(real, n), "mask": mask_of(hole_number(n))}
    return write_items(folder, items)


def test_a_faulty_mask_is_the_reason_and_the_rest_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    folder = make_set(tmp_path / "m")
    rows = read_rows(folder / "stimuli.csv", tables.STIMULI)
    write_set(folder, [row | ({"mask_file": None} if row["stimulus"] == "d/m/0" else {}) for row in rows])
    (folder / "mask" / "1.png").write_text("broken")
    pictures.write_png(folder / "mask" / "2.png", np.full((32, 41), 255, np.uint8))
    pictures.write_png(folder / "mask" / "3.png", np.full((32, 40), 127, np.uint8))
    rehash(folder)
    for cache in (None, tmp_path / "kept.sqlite", tmp_path / "kept.sqlite"):
        found = measure(folder, NAMES, cache=cache)
        for name in FUNCTIONS:
            reasons = [cells(found, "reason")[f"d/m/{n}", name] for n in range(4)]
            assert reasons[0] == NO_MASK.reason
            assert reasons[1].startswith(f"{folder / 'mask' / '1.png'}: not a readable picture")
            assert reasons[2].startswith("the mask is 41x32 pixels, the real picture 40x32")
            assert reasons[3].startswith("the mask has no hole")
        assert cells(found).xs("psnr", level="metric").notna().all()
    (folder / "mask" / "1.png").unlink()
    assert "no such picture" in cells(measure(folder, NAMES), "reason")["d/m/1", "l1_hole"]


def test_with_resize_the_mask_is_that_of_the_real_picture(tmp_path: Path) -> None:
    folder = make_set(tmp_path)
    real, small = pictures.read_rgb(folder / "real" / "0.png"), texture(9, 16, 20)
    pictures.write_png(folder / "fake" / "0.png", small)
    pictures.write_png(folder / "fake" / "1.png", small)
    pictures.write_png(folder / "mask" / "1.png", np.full((16, 20), 255, np.uint8))
    rehash(folder)
    assert (
        "sizes of the generated and the real picture differ"
        in cells(measure(folder, NAMES), "reason")["d/m/0", "l1_hole"]
    )
    found = measure(folder, NAMES, resize=True)
    assert cells(found)["d/m/0", "l1_hole"] == l1(pictures.resize(small, (32, 40)), real, hole_number(0))
    assert cells(found, "reason")["d/m/1", "l1_hole"].startswith("the mask is 20x16 pixels, the real picture 40x32")


def test_another_mask_is_another_value_and_another_input(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "m")
    first = measure(folder, NAMES, threads=2)
    assert len(cells(first)) == 4 * len(NAMES)  # of the generated pictures alone
    again = measure(folder, NAMES)
    assert again.runs["input_hash"][0] == first.runs["input_hash"][0] != measure(folder, "psnr").runs["input_hash"][0]
    assert cells(again).equals(cells(first))
    pictures.write_png(folder / "mask" / "2.png", mask_of(hole_number(7)))
    rehash(folder)
    other = measure(folder, NAMES)
    assert other.runs["input_hash"][0] != first.runs["input_hash"][0]
    fake, real = (pictures.read_rgb(folder / kind / "2.png") for kind in ("fake", "real"))
    for name, function in FUNCTIONS.items():
        assert cells(first)["d/m/2", name] == function(fake, real, hole_number(2))
        assert cells(other)["d/m/2", name] == function(fake, real, hole_number(7)) != cells(first)["d/m/2", name]
    assert (cells(other) != cells(first)).sum() == 3


def test_one_picture_with_two_holes_in_two_sets_is_an_error(tmp_path: Path) -> None:
    first, second = make_set(tmp_path / "m"), make_set(tmp_path / "second")
    assert len(stimuli_of_sets([first, second])) == 8
    pictures.write_png(second / "mask" / "1.png", mask_of(hole_number(5)))
    rehash(second)
    with pytest.raises(UserError, match=r"second/mask/1\.png:.*'d/m/1'.*m/mask/1"):
        stimuli_of_sets([first, second])
