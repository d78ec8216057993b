"""Stimulus sets are checked, merged, and imported from other tools' folders."""

import csv

import numpy as np
import pytest

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.stimuli import pictures, sets
from gan_eval.stimuli.importing import import_folder
from gan_eval.tables import frames as tabular


def save(path, value, size=(20, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures.write_png(path, np.full((*size, 3), value, np.uint8))


@pytest.fixture
def result_folder(tmp_path):
    for stem in ("1", "2", "10"):
        save(tmp_path / "results" / "real" / f"{stem}.png", int(stem))
        save(tmp_path / "results" / "fake" / f"{stem}.png", 100 + int(stem))
    return tmp_path / "results"


def test_a_real_and_fake_folder_becomes_a_set(tmp_path, result_folder):
    imported = import_folder(result_folder, tmp_path / "set", dataset="d", model="m")
    assert (imported.items, imported.problems) == (3, ())
    made = sets.read_set(tmp_path / "set")
    names = [f"d/{version}/{stem}" for version in ("real", "m") for stem in ("1", "2", "10")]
    assert [row["stimulus"] for row in made.rows] == names
    fake = made.rows[-1]
    assert fake["item"] == "d/10"
    assert (fake["width"], fake["height"]) == (30, 20)
    assert np.all(pictures.read_rgb(made.path(fake)) == 110)
    assert np.all(pictures.read_rgb(made.path(fake, "reference_file")) == 10)
    assert made.path(fake, "input_file") is None
    assert made.path(fake).suffix == ".png"


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


def test_a_set_made_again_loses_the_pictures_that_left_it_and_nothing_else(tmp_path, result_folder):
    import_folder(result_folder, tmp_path / "set")
    (tmp_path / "set" / "real" / "notes.png").write_text("not of the set")
    for kind in ("real", "fake"):
        (result_folder / kind / "2.png").unlink()
    save(result_folder / "fake" / "10.png", 99)
    import_folder(result_folder, tmp_path / "set")
    files = {path.relative_to(tmp_path / "set").as_posix() for path in (tmp_path / "set").glob("*/*.png")}
    assert files == {"real/1.png", "real/10.png", "real/notes.png", "fake/1.png", "fake/10.png"}
    assert np.all(pictures.read_rgb(tmp_path / "set" / "fake" / "10.png") == 99)


def test_one_bad_picture_among_many_is_named_and_the_rest_is_done(tmp_path, result_folder):
    (result_folder / "fake" / "2.png").write_text("broken")
    imported = import_folder(result_folder, tmp_path / "set")
    assert imported.items == 2
    assert "2.png" in imported.problems[0]
    assert len(sets.read_set(tmp_path / "set").rows) == 4


def test_partners_sizes_and_layouts_that_do_not_fit_are_named(tmp_path, result_folder):
    (result_folder / "fake" / "10.png").unlink()
    with pytest.raises(UserError, match="10: no fake picture"):
        import_folder(result_folder, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    for stem in ("1", "2", "10"):
        save(result_folder / "fake" / f"{stem}.png", 1, size=(20, 31))
    with pytest.raises(UserError, match="differ in size"):
        import_folder(result_folder, tmp_path / "set")
    with pytest.raises(UserError, match="no known layout"):
        import_folder(result_folder / "real", tmp_path / "other")
    with pytest.raises(UserError, match="no such folder"):
        import_folder(tmp_path / "absent", tmp_path / "other")


def test_a_broken_set_is_refused_by_row(tmp_path, result_folder):
    folder = tmp_path / "set"
    with pytest.raises(UserError, match="not a stimulus set"):
        sets.read_set(folder)
    import_folder(result_folder, folder)
    rows = tabular.read_rows(folder / "stimuli.csv", tables.STIMULI)
    for change, words in (
        ({"file": "../results/real/1.png"}, "row 1, column file: .* not below"),
        ({"file": "real/none.png"}, "row 1, column file: no such file"),
        ({"kind": "fake"}, "row 1, column model"),
        ({"sha256": None}, rf"row 1, column sha256: found nothing, wanted .* \(now {rows[0]['sha256']}\)"),
        ({"sha256": rows[0]["sha256"].upper()}, "row 1, column sha256: found .* 64 lower-case hexadecimal digits"),
        ({"sha256": "f" * 63}, "row 1, column sha256: found f{63}, wanted"),
        ({"sha256": rows[1]["sha256"]}, "1.png: the picture has changed since it entered"),
    ):
        sets.write_set(folder, [{**rows[0], **change}, *rows[1:]])
        with pytest.raises(UserError, match=words):
            sets.read_set(folder)
    sets.write_set(folder, [])
    with pytest.raises(UserError, match="no rows"):
        sets.read_set(folder)


def test_two_models_of_one_data_set_share_their_real_pictures(tmp_path, result_folder):
    for model in ("m1", "m2"):
        import_folder(result_folder, tmp_path / model, dataset="d", model=model)
    merged = sets.read_sets([tmp_path / "m1", tmp_path / "m2"])
    assert len(merged.rows) == 9
    assert all(merged.path(row).is_file() for row in merged.rows)
    save(result_folder / "real" / "1.png", 77)
    import_folder(result_folder, tmp_path / "m3", dataset="d", model="m3")
    with pytest.raises(UserError, match="d/real/1 is another picture"):
        sets.read_sets([tmp_path / "m1", tmp_path / "m3"])


def test_a_full_disk_is_an_error_and_no_bad_picture(tmp_path, result_folder, monkeypatch):
    write_png = pictures.write_png

    def fill_up(path, picture):
        if path.stem == "2":
            raise UserError(f"{path}: the disk is full")
        write_png(path, picture)

    monkeypatch.setattr(pictures, "write_png", fill_up)
    with pytest.raises(UserError, match="disk is full"):
        import_folder(result_folder, tmp_path / "set")
    assert not (tmp_path / "set" / "stimuli.csv").exists()
    monkeypatch.undo()
    assert import_folder(result_folder, tmp_path / "set").items == 3


@pytest.mark.parametrize("twice", ["7_fake_B.jpg", "7_real_A.bmp"])
def test_two_files_for_one_picture_of_a_flat_folder_are_refused(tmp_path, twice):
    for role, value in (("real_A", 1), ("fake_B", 2), ("real_B", 3)):
        save(tmp_path / "images" / f"7_{role}.png", value)
    (tmp_path / "images" / twice).write_bytes((tmp_path / "images" / "7_fake_B.png").read_bytes())
    with pytest.raises(UserError, match=f"{twice[:-4]}.*: the same stem as {twice[:-4]}"):
        import_folder(tmp_path / "images", tmp_path / "set", dataset="d")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("name", ["a|b", "a/b", "", "\udcff", "a\x00"])
def test_names_that_would_break_identifiers_are_refused(tmp_path, result_folder, name):
    if name:
        with pytest.raises(UserError, match=r"--dataset .*: a data set's name"):
            import_folder(result_folder, tmp_path / "set", dataset=name)
    for model, problem in ((name, "a model's name"), ("all", "the name all is kept for the row of all models")):
        with pytest.raises(UserError, match=rf"--model .*: {problem}"):
            import_folder(result_folder, tmp_path / "set", model=model)
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


@pytest.mark.parametrize(
    ("column", "value", "line"),
    [
        ("width", 0, "found 0, wanted at least 1"),
        ("width", 10**10, "wanted at least 1 and at most 1e\\+09"),
        ("mask_area", "inf", "wanted at least 0 and at most 1"),
        ("fraction", -1, "wanted at least 0 and at most 1"),
        ("model", "m\u202e", "invisible character U\\+202E"),
        ("mask_file", "fake/1\0.png", "U\\+0000"),
        ("stimulus", "d/other/1", "found 'd/other/1', wanted d/m/NAME"),
        ("stimulus", "d/m/", "wanted d/m/NAME"),
        ("item", "e/1", "found 'e/1', wanted d/NAME"),
        ("dataset", "e", "found 'd/m/1', wanted e/m/NAME"),
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
    with pytest.raises(UserError, match=rf"stimuli\.csv: row 4, column [a-z_]+: .*{line}"):
        sets.read_set(tmp_path / "set", files_must_exist=False)
    if "NAME" not in line:
        with pytest.raises(UserError, match=rf"stimuli\.csv: row 4, column {column}: .*{line}"):
            sets.read_stimulus_tables([tmp_path / "set"])
