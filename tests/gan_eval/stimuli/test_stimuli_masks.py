"""Masks of any generator's pictures enter a stimulus set, or are refused by name."""

import shutil

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics import evaluate
from gan_eval.stimuli import pictures
from gan_eval.stimuli.importing import import_folder
from gan_eval.stimuli.sets import read_set

STEMS = ("1", "2", "10")


@pytest.fixture
def results(tmp_path):
    """`results/real`, `results/fake` and, apart, `holes` with one of the right size for each stem."""
    rng = np.random.default_rng(3)
    for number, stem in enumerate(STEMS):
        for kind in ("real", "fake"):
            save(tmp_path / "results" / kind / f"{stem}.png", rng.integers(0, 256, (20, 30, 3)))
        save(tmp_path / "holes" / f"{stem}.png", 255 * hole(number))
    return tmp_path / "results"


def save(path, levels):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures.write_png(path, np.asarray(levels).astype(np.uint8))


def hole(number):
    found = np.zeros((20, 30), bool)
    found[4 : 12 + number, 6:20] = True
    return found


def masks_of(folder):
    """Return the holes of the masks, by stem of the generated pictures' rows."""
    made = read_set(folder)
    fakes = [row for row in made.rows if row["kind"] == "fake"]
    return {row["item"].rpartition("/")[2]: pictures.read_rgb(made.path(row, "mask_file"))[..., 0] for row in fakes}


def test_masks_of_a_folder_become_black_and_white_and_rows_tell_of_them(tmp_path, results):
    grey = np.where(hole(1), 128, 127)
    save(tmp_path / "holes" / "2.png", np.repeat(grey[..., None], 3, axis=2))
    imported = import_folder(results, tmp_path / "set", dataset="d", masks=tmp_path / "holes", mask_kind="strokes")
    assert (imported.items, imported.problems) == (3, ())
    found = masks_of(tmp_path / "set")
    assert list(found) == list(STEMS)
    for number, stem in enumerate(STEMS):
        assert np.array_equal(found[stem], 255 * hole(number))
    rows = read_set(tmp_path / "set").rows
    assert {(row["mask_kind"], row["mask_area"], row["mask_file"]) for row in rows} == {
        ("strokes", float(hole(number).mean()), f"mask/{stem}.png") for number, stem in enumerate(STEMS)
    }
    values, _ = evaluate(tmp_path / "set", ["l1_hole", "psnr_hole", "ssim_hole"], cache=False)
    assert values["value"].notna().sum() == 9


@pytest.mark.parametrize("place", ["mask/10.png", "real/10.png"])
def test_a_replaced_mask_input_or_reference_is_refused_by_every_reader(tmp_path, results, capsys, place):
    (tmp_path / "holes").rename(results / "mask")
    shutil.copytree(results / "fake", results / "input")
    import_folder(results, tmp_path / "set", dataset="d", model="m")
    set_file = tmp_path / "set" / "stimuli.csv"
    fakes_alone = [line for line in set_file.read_text().splitlines() if ",real," not in line]
    for table in (set_file.read_text(), "\n".join(fakes_alone) + "\n"):  # references need no row of their own
        set_file.write_text(table)
        kept = (tmp_path / "set" / place).read_bytes()
        save(tmp_path / "set" / place, 255 - pictures.read_rgb(tmp_path / "set" / place).astype(int))
        for words in (
            ["metrics", "set", "--metrics", "psnr_hole", "--out", "m"],
            ["stimuli", "audit", "set"],
            ["stimuli", "equalise", "set", "--out", "equal"],
        ):
            assert run([str(tmp_path / word) if word in ("set", "m", "equal") else word for word in words]) == 2
            assert f"{place}: the picture has changed since it entered the stimulus set" in capsys.readouterr().err
        (tmp_path / "set" / place).write_bytes(kept)
        assert len(read_set(tmp_path / "set").rows) == len(table.splitlines()) - 1
    columns = [name for name in fakes_alone[0].split(",") if name.endswith("_sha256")]
    assert columns == ["input_sha256", "reference_sha256", "mask_sha256"]
    assert run(["stimuli", "equalise", str(tmp_path / "set"), "--out", str(tmp_path / "equal")]) == 0
    made = read_set(tmp_path / "equal")
    assert all(row["mask_sha256"] == sha256_file(made.path(row, "mask_file")) for row in made.rows)


def test_masks_that_are_missing_are_named_before_anything_is_written(tmp_path, results):
    (tmp_path / "holes" / "2.png").unlink()
    (tmp_path / "holes" / "10.png").unlink()
    with pytest.raises(UserError, match=r"holes: 2, 10: no mask with this stem; add it, white is hole"):
        import_folder(results, tmp_path / "set", masks=tmp_path / "holes")
    with pytest.raises(UserError, match="nowhere: no such folder"):
        import_folder(results, tmp_path / "set", masks=tmp_path / "nowhere")
    assert not (tmp_path / "set").exists()


def test_a_mask_of_another_size_or_broken_leaves_its_item_out_and_is_named(tmp_path, results):
    save(tmp_path / "holes" / "2.png", np.zeros((20, 31)))
    (tmp_path / "holes" / "10.png").write_text("broken")
    imported = import_folder(results, tmp_path / "set", masks=tmp_path / "holes")
    assert imported.items == 1
    first, second = imported.problems
    assert "2.png: real and mask differ in size (30x20 and 31x20); bring both to one size" in first
    assert "10.png: not a readable picture" in second
