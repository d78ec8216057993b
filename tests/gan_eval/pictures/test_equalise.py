"""Equalised sets: one form, nothing left in the files, the pictures still paired and right."""

import io

import numpy as np
import pytest
from giveaway_pictures import picture
from PIL import Image, ImageCms
from refusals import refused
from rehashed import rehash

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.audit import audit, require_no_giveaways
from gan_eval.pictures.equalise import Form, decode_srgb, equalise, parse_size, targets_of, through_jpeg
from gan_eval.pictures.sets import FILE_COLUMNS, read_set, write_set

PLAIN = Form()


def camera(image, path):
    exif = Image.Exif()
    exif[0x0131] = "Camera"
    image.save(path, quality=90, exif=exif, comment=b"hi")


def by_stimulus(stimuli):
    return {row["stimulus"]: row for row in stimuli.rows}


def test_names_are_neutral_and_alike_in_both_classes(make_set, tmp_path):
    before = make_set(items=12, names={"real": "{item}_real", "fake": "{item}_fake"})
    equalise(before.folder, tmp_path / "equal", PLAIN)
    after = read_set(tmp_path / "equal")
    names = {kind: [row["file"] for row in after.rows if row["kind"] == kind] for kind in ("real", "fake")}
    wanted = {f"{number:02d}.png" for number in range(1, 13)}
    for kind, files in names.items():
        assert {file.removeprefix(f"{kind}/") for file in files} == wanted
    order = [file.removeprefix("real/") for file in names["real"]]
    assert order == [file.removeprefix("fake/") for file in names["fake"]]
    assert order != sorted(order)
    fake = next(row for row in after.rows if row["kind"] == "fake")
    assert fake["reference_file"] == fake["file"].replace("fake/", "real/")


def test_sizes_become_the_smallest_and_only_other_sizes_are_scaled(make_set, tmp_path):
    before = make_set(sizes={"real": (80, 64)})
    made = equalise(before.folder, tmp_path / "equal", PLAIN)
    after = read_set(tmp_path / "equal")
    assert {(row["width"], row["height"]) for row in after.rows} == {(40, 32)} == {made.size}
    old = by_stimulus(before)
    for row in after.rows:
        was = pictures.read_rgb(before.path(old[row["stimulus"]]))
        wanted = was if row["kind"] == "fake" else pictures.resize(was, (32, 40))
        assert np.array_equal(pictures.read_rgb(after.path(row)), wanted)
    assert equalise(before.folder, tmp_path / "both", Form(size=(20, 16))).size == (20, 16)


def test_other_shapes_need_a_word_and_are_cut_or_stretched(make_set, tmp_path):
    before = make_set(sizes={"real": (60, 32)})
    refused(r"8 pictures.*40x32,.*60x32;.*--fit", equalise, before.folder, tmp_path / "equal", PLAIN)
    assert not (tmp_path / "equal").exists()
    real = pictures.read_rgb(before.path(before.rows[0]))
    for fit, wanted in (("crop", real[:, 10:50]), ("stretch", pictures.resize(real, (32, 40)))):
        equalise(before.folder, tmp_path / fit, Form(fit=fit))
        row = by_stimulus(read_set(tmp_path / fit))[before.rows[0]["stimulus"]]
        assert np.array_equal(pictures.read_rgb(tmp_path / fit / row["file"]), wanted)


def test_jpeg_puts_the_same_traces_on_both_but_not_on_inputs(make_set, tmp_path):
    before = make_set(real=(".jpg", camera))
    equalise(before.folder, tmp_path / "equal", Form(jpeg=30))
    after = read_set(tmp_path / "equal")
    require_no_giveaways([after], allow=())
    old = by_stimulus(before)
    for row in after.rows:
        was, now = pictures.read_rgb(before.path(old[row["stimulus"]])), pictures.read_rgb(after.path(row))
        assert np.array_equal(now, through_jpeg(was, 30))
        assert not np.array_equal(now, was)
        inputs = before.path(old[row["stimulus"]], "input_file"), after.path(row, "input_file")
        assert np.array_equal(*map(pictures.read_rgb, inputs))
    assert {row["verdict"] for row in audit([after]).rows} <= {"ok", "look", None}


def test_a_profile_is_applied(tmp_path):
    swapped = wide_profile()
    plain = np.full((8, 8, 3), (0, 200, 0), np.uint8)
    coded = io.BytesIO()
    Image.fromarray(plain).save(coded, format="PNG", icc_profile=swapped)
    found = decode_srgb(coded.getvalue(), tmp_path / "a.png")
    source = ImageCms.ImageCmsProfile(io.BytesIO(swapped))
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
    )
    assert np.array_equal(found, np.asarray(ImageCms.applyTransform(Image.fromarray(plain), transform)))
    assert np.abs(found.astype(int) - plain).max() > 5


def wide_profile():
    """sRGB's profile with its red and green primaries' tags exchanged: not sRGB, and named otherwise."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = content.index(b"rXYZ"), content.index(b"gXYZ")
    content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(content).replace("sRGB built-in".encode("utf-16-be"), "other colours".encode("utf-16-be"))


def test_srgbs_own_profile_changes_nothing_and_a_broken_one_is_named(tmp_path):
    def decoded(profile):
        coded = io.BytesIO()
        picture(0).save(coded, format="PNG", icc_profile=profile)
        return decode_srgb(coded.getvalue(), tmp_path / "a.png")

    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decoded(own), np.asarray(picture(0)))
    refused(r"a\.png:", decoded, b"no profile")
    grey = bytearray(wide_profile().replace(b"rTRC", b"kTRC", 1))
    grey[16:20] = b"GRAY"
    refused(r"a\.png:.*\(it is for grey pictures\)", decoded, bytes(grey))


def test_an_item_with_a_broken_picture_is_left_out_as_a_whole(make_set, tmp_path):
    before = make_set()
    (before.folder / "fake" / "p2.png").write_bytes(b"broken")
    (before.folder / "input" / "p6.png").unlink()
    refused(r"p2\.png:", equalise, before.folder, tmp_path / "equal", PLAIN)
    assert not (tmp_path / "equal").exists()
    rehash(before.folder)
    made = equalise(before.folder, tmp_path / "equal", PLAIN)
    assert made.items == 6
    assert [problem.split(":")[0] for problem in sorted(made.problems)] == ["d/2", "d/6"]
    items = {row["item"] for row in read_set(tmp_path / "equal").rows}
    assert items == {f"d/{number}" for number in (0, 1, 3, 4, 5, 7)}


@pytest.mark.parametrize("seed", range(20))
def test_every_file_of_an_item_has_a_new_name_of_its_own(seed):
    """Any number of pictures of an item, model and kind; inputs and references are files of the item, too."""
    rng = np.random.default_rng(seed)
    models = [f"m{number}" for number in range(rng.integers(1, 4))]
    rows = []
    for number in range(rng.integers(2, 9)):
        model = None if number == 0 else rng.choice([None, *models])
        others = [None, *(row["file"] for row in rows)]
        files = {column: rng.choice(others) for column in ("input_file", "reference_file", "mask_file")}
        rows.append({"kind": "fake" if model else "real", "model": model, "file": f"{number}.png", **files})
    targets = targets_of(rows, "7", models)
    assert set(targets) == {(column, row[column]) for row in rows for column in FILE_COLUMNS if row[column]}
    assert len({(target, source) for (_, source), target in targets.items()}) == len(set(targets.values()))
    assert all(targets["file", row["file"]].startswith(row["kind"]) for row in rows)


def test_masks_stay_black_and_white(make_set, tmp_path):
    before = make_set(items=2, sizes={"real": (80, 64), "fake": (80, 64)})
    mask = np.zeros((64, 80), np.uint8)
    mask[10:30, 6:40] = 255
    pictures.write_png(before.folder / "mask" / "m.png", mask)
    write_set(before.folder, [{**row, "mask_file": "mask/m.png", "mask_area": 0.5} for row in before.rows])
    equalise(before.folder, tmp_path / "equal", Form(size=(40, 32)))
    after = read_set(tmp_path / "equal")
    found = pictures.read_rgb(after.path(after.rows[0], "mask_file"))
    assert set(np.unique(found)) == {0, 255}
    assert np.array_equal(found[..., 0], mask[::2, ::2])
    assert {row["mask_area"] for row in after.rows} == {(found[..., 0] == 255).mean()}
    assert {row["mask_sha256"] for row in after.rows} == {sha256_file(after.path(after.rows[0], "mask_file"))}


def test_foreign_and_other_folders_are_refused_and_ones_own_is_made_anew(make_set, tmp_path):
    before = make_set()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    (tmp_path / "study" / ".gan-eval").mkdir(parents=True)
    (tmp_path / "study" / "store.sqlite").write_text("precious")
    for out, words in (
        (foreign, "not empty"),
        (tmp_path / "study", "other results"),
        (before.folder, "of its own"),
        (before.folder / "real" / "equal", "of its own"),
        (tmp_path, "of its own"),
    ):
        refused(words, equalise, before.folder, out, PLAIN)
    assert sorted(path.name for path in foreign.iterdir()) == ["letter.txt"]
    equalise(before.folder, tmp_path / "equal", PLAIN)
    write_set(before.folder, [row for row in before.rows if row["item"] != "d/0"])
    equalise(before.folder, tmp_path / "equal", PLAIN)
    assert len(list((tmp_path / "equal" / "real").iterdir())) == 7
    assert len(read_set(tmp_path / "equal").rows) == 14
    for path in before.folder.glob("*/*.png"):
        path.unlink()
    refused("no item is left; the first problem", equalise, before.folder, tmp_path / "equal", PLAIN)
    assert len(read_set(tmp_path / "equal").rows) == 14, "the earlier set stays"


def test_a_size_beyond_what_pictures_may_have_is_refused(make_set, tmp_path):
    assert parse_size("9000x9000") == (9000, 9000)
    for text in ("640", "640x", "0x4", "4x4x4", "-4x4", "4 x 4"):
        refused("--size", parse_size, text)
    before = make_set(items=1, sizes={"real": (1, 3000)})
    with pytest.raises(UserError, match=r"1x3000.*400x1200000,.*89,478,485"):
        equalise(before.folder, tmp_path / "equal", Form(size=(400, 320), fit="crop"))
    refused("20000x16000", equalise, before.folder, tmp_path / "equal", Form(size=(20000, 16000), fit="stretch"))
