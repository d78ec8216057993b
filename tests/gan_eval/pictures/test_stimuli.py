"""Stimulus sets are checked, merged, and imported from other tools' folders, with masks."""

import csv
import re

import numpy as np
import pytest
from refusals import refused

from gan_eval import tables
from gan_eval.metrics import evaluate
from gan_eval.pictures import decode as pictures
from gan_eval.pictures import sets
from gan_eval.pictures.importing import import_folder
from gan_eval.pictures.sets import read_set
from gan_eval.tables import frames as tabular


def save(path, value, size=(20, 30)):
    levels = np.full((*size, 3), value) if np.isscalar(value) else np.asarray(value)
    pictures.write_png(path, levels.astype(np.uint8))


STEMS = ("1", "2", "10")


@pytest.fixture
def result_folder(tmp_path):
    for stem in STEMS:
        save(tmp_path / "results" / "real" / f"{stem}.png", int(stem))
        save(tmp_path / "results" / "fake" / f"{stem}.png", 100 + int(stem))
    return tmp_path / "results"


def test_the_result_folder_of_cyclegan_and_pix2pix_is_known(tmp_path):
    for role, value in (("real_A", 1), ("fake_B", 2), ("real_B", 3)):
        save(tmp_path / "images" / f"7_{role}.png", value)
    import_folder(tmp_path / "images", tmp_path / "set", dataset="d")
    made = sets.read_set(tmp_path / "set")
    real, fake = made.rows
    values = [
        pictures.read_rgb(made.path(*place))[0, 0, 0]
        for place in ((real, "input_file"), (fake, "file"), (real, "file"))
    ]
    assert values == [1, 2, 3]


def test_a_set_made_again_has_no_row_of_the_pictures_that_left_it(tmp_path, result_folder):
    import_folder(result_folder, tmp_path / "set")
    for kind in ("real", "fake"):
        (result_folder / kind / "2.png").unlink()
    save(result_folder / "fake" / "10.png", 99)
    import_folder(result_folder, tmp_path / "set")
    files = {row["file"] for row in sets.read_set(tmp_path / "set").rows}
    assert files == {"real/1.png", "real/10.png", "fake/1.png", "fake/10.png"}
    assert np.all(pictures.read_rgb(tmp_path / "set" / "fake" / "10.png") == 99)


def test_partners_sizes_and_layouts_that_do_not_fit_are_named(tmp_path, result_folder):
    (result_folder / "fake" / "10.png").unlink()
    refused(r"3 real.*2 generated pictures, 2.*--paired", import_folder, result_folder, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    for stem in ("1", "2", "10"):
        save(result_folder / "fake" / f"{stem}.png", 1, size=(20, 31))
    refused("differ in size", import_folder, result_folder, tmp_path / "set")
    refused("no known layout", import_folder, result_folder / "real", tmp_path / "other")
    refused("no such folder", import_folder, tmp_path / "absent", tmp_path / "other")


def test_a_broken_set_is_refused_by_row(tmp_path, result_folder):
    folder = tmp_path / "set"
    refused("not a stimulus set", sets.read_set, folder)
    import_folder(result_folder, folder)
    rows = tabular.read_rows(folder / "stimuli.csv", tables.STIMULI)
    for change, words in (
        ({"file": "../results/real/1.png"}, "row 1, column file: .* not below"),
        ({"file": "real/none.png"}, "row 1, column file: no such file"),
        ({"kind": "fake"}, "row 1, column model"),
        ({"sha256": None}, rf"row 1, column sha256:.*{rows[0]['sha256']}"),
        ({"sha256": rows[0]["sha256"].upper()}, "row 1, column sha256: found .* 64 lower-case hexadecimal digits"),
        ({"sha256": "f" * 63}, "row 1, column sha256: found f{63}, expected"),
        ({"sha256": rows[1]["sha256"]}, "1.png: the picture has changed since it entered"),
    ):
        sets.write_set(folder, [{**rows[0], **change}, *rows[1:]])
        refused(words, sets.read_set, folder)
    sets.write_set(folder, [])
    refused("no rows", sets.read_set, folder)


def test_two_models_of_one_data_set_share_their_real_pictures(tmp_path, result_folder):
    for model in ("m1", "m2"):
        import_folder(result_folder, tmp_path / model, dataset="d", model=model)
    merged = sets.read_sets([tmp_path / "m1", tmp_path / "m2"])
    assert len(merged.rows) == 9
    assert all(merged.path(row).is_file() for row in merged.rows)
    save(result_folder / "real" / "1.png", 77)
    import_folder(result_folder, tmp_path / "m3", dataset="d", model="m3")
    refused("d/real/1", sets.read_sets, [tmp_path / "m1", tmp_path / "m3"])


@pytest.mark.parametrize("twice", ["7_fake_B.jpg", "7_real_A.bmp"])
def test_two_files_for_one_picture_of_a_flat_folder_are_refused(tmp_path, twice):
    for role, value in (("real_A", 1), ("fake_B", 2), ("real_B", 3)):
        save(tmp_path / "images" / f"7_{role}.png", value)
    (tmp_path / "images" / twice).write_bytes((tmp_path / "images" / "7_fake_B.png").read_bytes())
    refused(rf"{twice[:-4]}.*:.*{twice[:-4]}", import_folder, tmp_path / "images", tmp_path / "set", dataset="d")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("name", ["a|b", "a/b", "", "\udcff", "a\x00"])
def test_names_that_would_break_identifiers_are_refused(tmp_path, result_folder, name):
    if name:
        refused("--dataset", import_folder, result_folder, tmp_path / "set", dataset=name)
    for model, problem in ((name, "a model's name"), ("all", "the name all is reserved for the row of all models")):
        refused(rf"--model .*: {problem}", import_folder, result_folder, tmp_path / "set", model=model)
    assert not (tmp_path / "set").exists()


def test_pictures_of_two_sizes_are_brought_to_the_smaller_where_that_is_asked(tmp_path, result_folder):
    for stem in ("1", "2", "10"):  # of 20x30 pixels
        save(result_folder / "fake" / f"{stem}.png", 1, size=(10, 15))
    made = import_folder(result_folder, tmp_path / "set", fit="stretch")
    assert (made.items, made.resized, made.problems) == (3, 3, ())
    assert {(row["width"], row["height"]) for row in sets.read_set(made.folder).rows} == {(15, 10)}
    save(result_folder / "fake" / "1.png", 1, size=(16, 10))
    assert import_folder(result_folder, tmp_path / "cut", fit="crop").resized == 3
    cut = {(row["width"], row["height"]) for row in sets.read_set(tmp_path / "cut").rows if row["item"].endswith("/1")}
    assert cut == {(10, 16)}
    for stem in ("2", "10"):
        save(result_folder / "fake" / f"{stem}.png", 1, size=(16, 10))
    refused("no usable picture; the first problem", import_folder, result_folder, tmp_path / "cut")
    assert len(sets.read_set(tmp_path / "cut").rows) == 6, "the earlier set stays"


@pytest.mark.parametrize(
    ("column", "value", "line"),
    [
        ("width", 0, "found 0, expected a whole number of at least 1"),
        ("width", 10**10, "expected .* at least 1 and at most 1e\\+09"),
        ("mask_area", "inf", "expected a finite number"),
        ("fraction", -1, "expected a number of at least 0 and at most 1"),
        ("model", "m\u202e", "invisible character U\\+202E"),
        ("mask_file", "fake/1\0.png", "U\\+0000"),
        ("stimulus", "d/other/1", "found 'd/other/1', expected d/m/NAME"),
        ("stimulus", "d/m/", "expected d/m/NAME"),
        ("item", "e/1", "found 'e/1', expected d/NAME"),
        ("dataset", "e", "found 'd/m/1', expected e/m/NAME"),
    ],
)
def test_a_cell_that_no_set_may_have_is_refused_by_row_and_column(tmp_path, result_folder, column, value, line):
    import_folder(result_folder, tmp_path / "set", dataset="d", model="m")
    table = tmp_path / "set" / "stimuli.csv"
    rows = sets.read_set(tmp_path / "set").rows
    records = [list(rows[0]), *([row[name] if row[name] is not None else "" for name in row] for row in rows)]
    records[4][records[0].index(column)] = value
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(records)
    refused(rf"stimuli\.csv: row 4, column [a-z_]+: .*{line}", sets.read_set, tmp_path / "set", files_must_exist=False)
    if "NAME" not in line:
        refused(rf"stimuli\.csv: row 4, column {column}: .*{line}", sets.read_stimulus_tables, [tmp_path / "set"])


def test_a_set_of_which_no_fake_was_shown_is_refused(tmp_path, result_folder):
    import_folder(result_folder, tmp_path / "set", dataset="d", model="m")
    stimuli = sets.read_stimulus_tables([tmp_path / "set"])
    sets.require_presented(tmp_path / "set", stimuli, {"d/m/2", "other/m/1"})
    refused("d/m/1", sets.require_presented, tmp_path / "set", stimuli, {"d/real/1", "d/real/2"})


@pytest.fixture
def results(tmp_path, result_folder):
    """`result_folder`, and apart `holes` with one of the right size for each stem."""
    for number, stem in enumerate(STEMS):
        save(tmp_path / "holes" / f"{stem}.png", 255 * hole(number))
    return result_folder


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
def test_a_replaced_mask_or_reference_is_refused_by_every_reader(tmp_path, results, place):
    folder = import_folder(results, tmp_path / "set", masks=tmp_path / "holes").folder
    rows = read_set(folder).rows
    save(folder / place, 255 - pictures.read_rgb(folder / place).astype(int))
    for kept in (rows, [row for row in rows if row["kind"] == "fake"]):  # references need no row of their own
        sets.write_set(folder, kept)
        for read in (read_set, lambda folder: evaluate(folder, "psnr_hole", cache=False)):
            refused(f"{place}:", read, folder)


def test_masks_that_are_missing_are_named_before_anything_is_written(tmp_path, results):
    (tmp_path / "holes" / "2.png").unlink()
    (tmp_path / "holes" / "10.png").unlink()
    refused("holes: 2, 10:", import_folder, results, tmp_path / "set", masks=tmp_path / "holes")
    refused("nowhere:", import_folder, results, tmp_path / "set", masks=tmp_path / "nowhere")
    assert not (tmp_path / "set").exists()


def test_a_broken_picture_or_a_mask_of_another_size_leaves_its_item_out_and_is_named(tmp_path, results):
    save(tmp_path / "holes" / "2.png", np.zeros((20, 31)))
    (results / "fake" / "10.png").write_text("broken")
    imported = import_folder(results, tmp_path / "set", masks=tmp_path / "holes")
    assert imported.items == 1
    first, second = imported.problems
    assert re.search(r"2\.png: .*30x20 and 31x20", first)
    assert "10.png:" in second
    assert len(read_set(tmp_path / "set").rows) == 2
