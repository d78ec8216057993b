"""Fills without learning: their pixels by other arithmetic, and the sets that are made of them."""

from pathlib import Path

import numpy as np
import pytest
from made_sets import write_items
from refusals import refused
from rehashed import rehash
from scipy import ndimage
from skimage import measure
from skimage.morphology import diamond, dilation

from gan_eval import tables
from gan_eval.pictures.decode import Picture, read_rgb, write_png
from gan_eval.pictures.fills import Fill, border_mean, harmonic, write_fills
from gan_eval.pictures.holes import Hole, hole_of, mask_of
from gan_eval.pictures.sets import StimulusSet, read_set, read_sets, write_set
from gan_eval.tables.frames import read_rows

HEIGHT, WIDTH = 12, 15


def picture(seed: int) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def hole(seed: int) -> Hole:
    """Two or more parts, one of them at the picture's corner."""
    made = np.random.default_rng(seed).random((HEIGHT, WIDTH)) < 0.15
    made[2:6, 3:8] = made[9:, 11:] = True
    made[:, 9] = False
    return made


@pytest.mark.parametrize("seed", range(4))
def test_border_mean_is_that_of_the_known_pixels_around_each_part(seed: int) -> None:
    known, inside = picture(seed), hole(seed)
    expected = known.astype(float)
    parts = measure.label(inside, connectivity=1)
    for part in range(1, parts.max() + 1):
        border = dilation(parts == part, diamond(1)) & ~inside
        expected[parts == part] = known[border].mean(axis=0)
    np.testing.assert_allclose(border_mean(known, inside), expected[inside], atol=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_in_a_harmonic_fill_each_pixel_is_the_mean_of_its_neighbours(seed: int) -> None:
    values, inside = picture(seed).astype(float), hole(seed)
    values[inside] = harmonic(picture(seed), inside)
    around = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])[..., None]
    sums, counts = (ndimage.convolve(x, around, mode="constant") for x in (values, np.ones_like(values)))
    np.testing.assert_allclose(values[inside], (sums / counts)[inside], atol=1e-9)


def make_set(folder: Path, model: str, *, items: range = range(3), shift: int = 0) -> Path:
    """Write a set whose real pictures, and holes but for `shift`, are the same for all models."""
    made = {str(n): {"real": picture(n), "fake": picture(n + 50), "mask": mask_of(hole(n + shift))} for n in items}
    more = {"split": "test", "fraction": 0.5, "seen": True, "mask_kind": "blocks"}
    return write_items(folder, made, model=model, **more)


def test_sets_of_fills_hold_the_photograph_around_the_hole_and_the_fill_in_it(tmp_path: Path) -> None:
    sets = [make_set(tmp_path / "a", "a", items=range(2)), make_set(tmp_path / "b", "b")]
    folders = write_fills(sets, tmp_path / "out")
    assert [folder.name for folder in folders] == ["border_mean", "harmonic"]
    fills: dict[str, Fill] = {"border_mean": border_mean, "harmonic": harmonic}
    for folder in folders:
        made = read_set(folder)
        fakes = [row for row in made.rows if row["kind"] == "fake"]
        assert [row["stimulus"] for row in fakes] == [f"d/{folder.name}/{n}" for n in range(3)]
        assert len(made.rows) == 6
        for n, row in enumerate(fakes):
            assert (row["model"], row["item"], row["mask_kind"], row["split"]) == (
                folder.name,
                f"d/{n}",
                "blocks",
                "test",
            )
            assert (row["fraction"], row["seen"]) == (None, None)
            found = read_rgb(folder / row["file"])
            np.testing.assert_array_equal(found[~hole(n)], picture(n)[~hole(n)])
            expected = np.clip(np.round(fills[folder.name](picture(n), hole(n))), 0, 255)
            np.testing.assert_array_equal(found[hole(n)], expected)
    # the real pictures are copies, byte for byte, so that all sets can be measured and shown together
    assert len(read_sets([*sets, *folders]).rows) == 3 + 2 + 3 + 3 + 3
    assert write_fills([StimulusSet(sets[1], read_set(sets[1]).rows)], tmp_path / "out") == folders  # again


def test_a_picture_without_a_hole_is_the_photograph_and_one_without_a_mask_is_left_out(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "a", "a")
    write_png(folder / "mask" / "1.png", np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    rows = read_rows(folder / "stimuli.csv", tables.STIMULI)
    write_set(folder, [row | ({"mask_file": None} if row["stimulus"] == "d/a/0" else {}) for row in rows])
    rehash(folder)
    made = read_set(write_fills([folder], tmp_path / "out")[1])
    files = {row["stimulus"]: row["file"] for row in made.rows if row["kind"] == "fake"}
    assert list(files) == ["d/harmonic/1", "d/harmonic/2"]
    np.testing.assert_array_equal(read_rgb(made.folder / files["d/harmonic/1"]), picture(1))


def test_holes_that_cannot_be_filled_are_refused(tmp_path: Path) -> None:
    sets = [make_set(tmp_path / "a", "a"), make_set(tmp_path / "b", "b", shift=1)]
    refused(r"b/mask/0.png:.*d/0", write_fills, sets, tmp_path / "out")
    for mask in (np.full((HEIGHT, WIDTH, 3), 255, np.uint8), np.zeros((HEIGHT, WIDTH + 1, 3), np.uint8)):
        write_png(sets[0] / "mask" / "2.png", mask)
        rehash(sets[0])
        refused(r"a/mask/2.png:.*real/2.png \(15x12 pixels", write_fills, sets[:1], tmp_path / "out")
    rows = read_rows(sets[1] / "stimuli.csv", tables.STIMULI)
    write_set(sets[1], [row | {"mask_file": None, "mask_sha256": None} for row in rows])
    refused(r"b:.*mask_file.*reference_file", write_fills, sets[1:], tmp_path / "out")


def test_a_line_of_one_pixel_and_a_frame_are_filled_as_drawn(tmp_path: Path) -> None:
    drawn = np.zeros((HEIGHT, WIDTH), bool)
    drawn[:, 2] = True
    drawn[3:9, 5:13] = True
    drawn[5:7, 7:11] = False
    items = {"1": {"real": picture(1), "fake": picture(51), "mask": mask_of(drawn)}}
    for folder in write_fills([write_items(tmp_path / "a", items, model="a")], tmp_path / "out"):
        files = {row["kind"]: row for row in read_set(folder).rows}
        assert np.array_equal(hole_of(read_rgb(folder / files["fake"]["mask_file"])), drawn)
        changed = (read_rgb(folder / files["fake"]["file"]) != picture(1)).any(axis=2)
        assert np.array_equal(changed, drawn)
