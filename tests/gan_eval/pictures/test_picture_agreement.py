"""Pictures that are not what their folder says: unpaired, padded, of part of the range, with other masks, profiles."""

import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from checks_reference import of_pictures
from PIL import Image, ImageCms, ImageDraw, ImageFilter
from refusals import refused

from gan_eval.metrics import evaluate
from gan_eval.pictures import agreement, sets
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.checks import CHANGES, CHECKS
from gan_eval.pictures.importing import import_folder, import_items
from gan_eval.pictures.layouts import Found, content_name

SIZE = (96, 80)


@cache
def scene(seed, size=SIZE):
    """Return smooth fields of colour with edges and grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] / max(size)
    levels = sum(
        np.sin(6.28 * (rng.uniform(1, 9) * x + rng.uniform(1, 9) * y))[..., None] * rng.uniform(-1, 1, 3)
        for _ in range(5)
    )
    levels = levels + rng.normal(0, 0.2, (*x.shape, 3))
    return Image.fromarray(np.uint8(255 * (levels - levels.min()) / (levels.max() - levels.min())))


def save(image, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)


def write(folder, change, *, count=4, real=lambda image: image):
    """Write scenes to real/ and what `change` makes of them to fake/."""
    for number in range(count):
        save(real(scene(number)), folder / "real" / f"{number}.png")
        save(change(scene(number)), folder / "fake" / f"{number}.png")
    return folder


def blurred(image):
    return image.filter(ImageFilter.GaussianBlur(2))


def levels_of(made, role):
    return [pictures.read_rgb(path) for path in pictures.list_pictures(made.folder / role)]


# results of CycleGAN, snapshots, names


@pytest.mark.parametrize("extra", ["_rec_A", "_fake_A", "_idt_B"])
def test_results_of_a_cyclegan_have_no_partners_and_a_photograph_is_taken_once(tmp_path, extra):
    for stem in ("7", "8"):
        for role, seed in (("_real_A", int(stem)), ("_fake_B", int(stem) + 20), ("_real_B", 1), (extra, 3)):
            save(scene(seed), tmp_path / "in" / f"{stem}{role}.png")
    made = import_folder(tmp_path / "in", tmp_path / "set")
    assert f"7{extra}.png" in made.remarks[1]
    assert made.pictures == {"real": 1, "fake": 2}
    rows = sets.read_set(tmp_path / "set").rows
    assert [row["item"] for row in rows] == ["in/real/7", "in/7", "in/8"]
    assert not any(row["reference_file"] for row in rows)
    assert import_folder(tmp_path / "in", tmp_path / "pairs", paired=True).items == 2, "an aligned data set"


def test_one_real_picture_under_several_names_is_one_line(tmp_path):
    made = import_folder(write(tmp_path / "a", blurred, real=lambda _: scene(9)), tmp_path / "set")
    (line,) = made.remarks
    assert line.startswith("1 real picture has several names")
    with pytest.warns(UserWarning, match="1 real picture"):
        evaluate(real=tmp_path / "a" / "real", fake=tmp_path / "a" / "fake", metrics="l1", cache=False)


def test_snapshots_of_a_training_are_no_results(tmp_path):
    for stem in ("epoch001", "epoch002_iter010"):
        for role in ("_fake_B", "_real_B"):
            save(scene(1), tmp_path / "images" / f"{stem}{role}.png")
    refused(r"2.*epoch001", import_folder, tmp_path / "images", tmp_path / "set")
    save(scene(1), tmp_path / "images" / "7_fake_B.png")
    save(scene(2), tmp_path / "images" / "7_real_B.png")
    made = import_folder(tmp_path / "images", tmp_path / "set", dataset="d")
    assert {row["item"] for row in sets.read_set(made.folder).rows} == {"d/7"}
    assert "snapshots" in made.remarks[1]


def test_folders_for_each_kind_are_named_and_results_have_the_name_of_their_experiment(tmp_path):
    images = tmp_path / "facades_cut" / "test_latest" / "images"
    for folder in ("fakes", "reals"):
        save(scene(1), images / folder / "1.png")
    refused(r"images:.*fakes, reals", import_folder, images, tmp_path / "set")
    refused(r"no pictures in this folder .*folders fakes, reals have some", pictures.list_pictures, images)
    assert content_name(images / "real") == content_name(images) == "facades_cut"
    assert content_name(tmp_path / "facades" / "test") == "test"


def test_files_of_other_formats_are_named(tmp_path):
    folder = write(tmp_path / "a", blurred)
    for number in (2, 3):
        (folder / "fake" / f"{number}.png").rename(folder / "fake" / f"{number}.avif")
    (folder / "fake" / "notes.txt").write_text("mine")
    (folder / "real" / "clip.MP4").touch()
    refused(r"2.*2 files.*\(\.avif\)", import_folder, folder, tmp_path / "set")
    for number in (2, 3):
        (folder / "real" / f"{number}.png").unlink()
    line, video = import_folder(folder, tmp_path / "set").remarks
    assert line.startswith(f"{folder / 'fake'}: 2 files ")
    assert ".avif" in line
    assert video.startswith(f"{folder / 'real'}: 1 file ")
    assert ".mp4" in video
    (folder / "clips").mkdir()
    (folder / "clips" / "1.webm").touch()
    refused(r"no pictures in this folder .*1 file .*\(\.webm\)", pictures.list_pictures, folder / "clips")


# sizes


def padded(image, multiple):
    pad = [(0, -side % multiple) for side in (image.height, image.width)]
    return Image.fromarray(np.pad(np.array(image), (*pad, (0, 0)), mode="symmetric"))


@pytest.mark.parametrize("change", [lambda image: padded(image, 32), lambda image: image.crop((0, 0, 88, 72))])
def test_padded_and_cut_outputs_are_cut_at_the_corner(tmp_path, change):
    def real(image):
        return image.crop((0, 0, 90, 75))

    folder = write(tmp_path / "a", lambda image: change(real(image)), real=real)
    refused("--fit corner", import_folder, folder, tmp_path / "set")
    made = import_folder(folder, tmp_path / "set", fit="corner")
    assert all(map(np.array_equal, levels_of(made, "real"), levels_of(made, "fake")))
    assert any(
        "agree better cut at the top left" in each for each in import_folder(folder, tmp_path / "b", fit="crop").remarks
    )
    scaled = write(tmp_path / "c", lambda image: real(image).resize((96, 96)), real=real)
    assert any(
        "agree better with --fit stretch" in each
        for each in import_folder(scaled, tmp_path / "d", fit="corner").remarks
    )
    stretched = import_folder(scaled, tmp_path / "e", fit="stretch")
    assert not any("agree better" in each for each in stretched.remarks)


def test_outputs_padded_on_all_sides_are_cut_to_their_centre(tmp_path):
    def real(image):
        return image.crop((0, 0, 90, 75))

    def fake(image):
        return Image.fromarray(np.pad(np.array(real(image)), ((2, 3), (3, 3), (0, 0)), mode="reflect"))

    folder = write(tmp_path / "a", fake, real=real)
    refused("--fit centre", import_folder, folder, tmp_path / "set")
    made = import_folder(folder, tmp_path / "set", fit="centre")
    assert all(map(np.array_equal, levels_of(made, "real"), levels_of(made, "fake")))
    for fit in ("crop", "corner"):
        assert any("--fit centre" in each for each in import_folder(folder, tmp_path / fit, fit=fit).remarks)
    values, _ = evaluate(real=folder / "real", fake=folder / "fake", metrics="l1", cache=False)
    assert values["reason"].str.contains("--fit centre").all()
    narrow = write(tmp_path / "b", lambda image: image.crop((0, 4, 96, 76)).resize((88, 66)))
    assert not any("--fit c" in each for each in import_folder(narrow, tmp_path / "c", fit="crop").remarks)


def test_two_pictures_in_one_are_named(tmp_path):
    folder = write(tmp_path / "a", lambda image: Image.fromarray(np.hstack([np.array(image)] * 2)))
    refused(r"like 2 pictures.*\(A\|B\)", import_folder, folder, tmp_path / "set")
    values, _ = evaluate(real=folder / "real", fake=folder / "fake", metrics="l1", cache=False)
    assert values["reason"].str.contains("side by side").all()


# part of the range


@pytest.mark.parametrize(("white", "dtype"), [(4095, np.uint16), (15, np.uint8)])
def test_part_of_the_range_is_said_and_white_is_given(tmp_path, white, dtype):
    def coded(image):
        return np.rint(np.array(image.convert("L")) * (white / 255)).astype(dtype)

    plain = write(tmp_path / "plain", lambda image: blurred(image).convert("L"), real=lambda image: image.convert("L"))
    folder = write(tmp_path / "coded", lambda image: coded(blurred(image)), real=coded)
    made = import_folder(folder, tmp_path / "a")
    assert [line.partition(":")[0] for line in made.remarks] == ["real", "fake"]
    assert all(f"--white {white}" in line for line in made.remarks)
    made = import_folder(folder, tmp_path / "b", white=white)
    assert made.remarks == ()
    error = max(2, 255 / white)
    for number, picture in enumerate(levels_of(made, "real")):
        assert np.abs(picture.astype(int) - np.array(scene(number).convert("L"))[..., None]).max() <= error
    both = {"metrics": "psnr", "cache": False}
    wanted, _ = evaluate(real=plain / "real", fake=plain / "fake", **both)
    found, _ = evaluate(real=folder / "real", fake=folder / "fake", white=white, **both)
    assert found["value"].mean() == pytest.approx(wanted["value"].mean(), abs=2.5 if white == 15 else 0.1)
    with pytest.warns(UserWarning, match=f"--white {white}"):
        evaluate(real=folder / "real", fake=folder / "fake", **both)
    refused("has the level", import_folder, folder, tmp_path / "c", white=white // 2)


def test_a_folder_with_one_light_picture_is_not_dark_and_8_bits_need_no_white(tmp_path):
    folder = write(tmp_path / "a", blurred, real=lambda image: Image.fromarray(np.array(image) // 16))
    lines = import_folder(folder, tmp_path / "set").remarks
    assert ["real: " in line and "--white" not in line for line in lines] == [True], "the fakes have another white"
    save(np.full((80, 96), 70, np.uint8), folder / "real" / "3.png")
    assert import_folder(folder, tmp_path / "set").remarks == ()
    save(np.zeros((8, 8), np.uint8), tmp_path / "0.png")
    assert agreement.dark_folders({"fake": [tmp_path / "0.png"]}) == ["fake: all pictures are black"]


# masks


def hole_mask(number):
    mask = Image.new("L", SIZE, 0)
    left, top = 8 + 14 * number, 6 + 10 * number
    ImageDraw.Draw(mask).rectangle((left, top, left + 30, top + 26), fill=255)
    return mask


def filled(folder, *, finish=lambda image: image, mask=lambda mask, _: mask):
    for number in range(4):
        hole = hole_mask(number)
        save(scene(number), folder / "real" / f"{number}.png")
        out = finish(Image.composite(scene(number).filter(ImageFilter.GaussianBlur(6)), scene(number), hole))
        save(out, folder / "fake" / f"{number}.png")
        save(mask(hole, number), folder / "mask" / f"{number}.png")
    return folder


def as_jpeg(image):
    coded = io.BytesIO()
    image.save(coded, "JPEG", quality=85)
    return Image.open(coded)


def rebuilt(image):
    return image.resize((80, 66)).resize(image.size, Image.Resampling.BICUBIC)


def inverted(mask, _):
    return mask.point(lambda level: 255 - level)


@pytest.mark.parametrize("finish", [lambda image: image, as_jpeg])
def test_inverted_masks_are_refused_until_the_colour_of_the_hole_is_given(tmp_path, finish):
    folder = filled(tmp_path / "a", finish=finish, mask=inverted)
    refused(r"4 of 4 .*--mask-hole black", import_folder, folder, tmp_path / "set")
    made = import_folder(folder, tmp_path / "set", mask_hole="black")
    assert made.remarks == ()
    wanted = sets.read_set(import_folder(filled(tmp_path / "b", finish=finish), tmp_path / "c").folder).rows
    assert [row["mask_sha256"] for row in sets.read_set(made.folder).rows] == [row["mask_sha256"] for row in wanted]
    (line,) = import_folder(folder, tmp_path / "d", mask_hole="white").remarks
    assert "inverted?" in line


def test_outputs_that_were_not_pasted_into_the_photograph_are_decided_by_agreement(tmp_path):
    def coarse(image):
        return image.resize((24, 20)).resize(image.size, Image.Resampling.BICUBIC)

    assert import_folder(filled(tmp_path / "a", finish=rebuilt), tmp_path / "b").remarks == ()
    folder = filled(tmp_path / "c", finish=lambda image: Image.blend(image, Image.new("RGB", SIZE, "white"), 0.15))
    assert import_folder(folder, tmp_path / "d").remarks == ()
    folder = filled(tmp_path / "e", mask=inverted)
    for number in range(4):  # changed everywhere by more than JPEG does
        path = folder / "fake" / f"{number}.png"
        save(np.clip(np.array(Image.open(path)).astype(int) + 20, 0, 255).astype(np.uint8), path)
    (line,) = import_folder(folder, tmp_path / "f").remarks
    assert "inside the hole" in line


def test_masks_of_other_pictures_are_one_line(tmp_path):
    folder = filled(tmp_path / "a", mask=lambda _, number: hole_mask((number + 1) % 4))
    (line,) = import_folder(folder, tmp_path / "set").remarks
    assert "4 of 4 " in line
    folder = filled(tmp_path / "b", mask=lambda mask, number: hole_mask(0) if number == 3 else mask)
    (line,) = import_folder(folder, tmp_path / "other").remarks
    assert "1 of 4" in line, "one wrong mask among exact ones"


def test_masks_without_white_are_refused_and_transparent_ones_explained(tmp_path):
    def ones(mask, _):
        return np.array(mask) // 255

    def deep(mask, _):
        return (np.array(mask) // 255).astype(np.uint16)

    def red(mask, _):
        return Image.merge("RGB", (mask, Image.new("L", SIZE), Image.new("L", SIZE)))

    def transparent(mask, _):
        image = Image.new("RGBA", SIZE, "black")
        image.putalpha(mask)
        return image

    for number, (kind, words) in enumerate(
        {
            ones: "no pixel of the mask is white: its levels are 0 to 1, white is 255",
            deep: "levels are 0 to 1, white is 65535",
            red: "no pixel of the mask is white",
            transparent: "the mask is transparent in places.*--mask-hole",
        }.items()
    ):
        refused(words, import_folder, filled(tmp_path / f"{number}", mask=kind), tmp_path / "set")
    black = filled(tmp_path / "black", mask=lambda *_: Image.new("L", SIZE))
    assert "no mask has a hole" in import_folder(black, tmp_path / "set").remarks[0]


# profiles


def wide_profile():
    """Return sRGB's profile with red and green exchanged, under another name."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = content.index(b"rXYZ"), content.index(b"gXYZ")
    content[red : red + 4], content[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(content).replace("sRGB built-in".encode("utf-16-be"), "other colours".encode("utf-16-be"))


def test_profiles_are_applied_and_counted(tmp_path):
    folder = write(tmp_path / "a", blurred)
    for number in (0, 1):
        save(scene(number), folder / "real" / f"{number}.png", icc_profile=wide_profile())
    own = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    renamed = bytes(own).replace("sRGB built-in".encode("utf-16-be"), "some scanner!".encode("utf-16-be"))
    save(scene(2), folder / "real" / "2.png", icc_profile=renamed)
    save(blurred(scene(2)), folder / "fake" / "2.png", icc_profile=b"broken")
    made = import_folder(folder, tmp_path / "set")
    first, second = made.remarks
    assert re.match("2 of 4 real .*'other colours'", first)
    assert re.match("1 of 4 fake .*'unreadable'", second)
    changed = [not np.array_equal(picture, np.array(scene(n))) for n, picture in enumerate(levels_of(made, "real"))]
    assert changed == [True, True, False, False]
    with pytest.warns(UserWarning, match=r"real: 2.*4 pictures.*'other colours'"):
        evaluate(real=folder / "real", fake=folder / "fake", metrics="l1", cache=False)


def test_two_models_of_matched_files_are_checked_each(tmp_path):
    folder = write(tmp_path / "a", blurred)
    for number in range(4):
        save(np.array(scene(number).convert("L")) // 20, folder / "dark" / f"{number}.png")
    items = {
        str(n): {
            role: folder / place / f"{n}.png"
            for role, place in (("real", "real"), ("fake/a", "fake"), ("fake/b", "dark"))
        }
        for n in range(4)
    }
    made = import_items(
        Found(items), tmp_path / "set", where="here", dataset="d", models={"fake/a": "a", "fake/b": "b"}
    )
    assert [line.partition(":")[0] for line in made.remarks] == ["fake/b"]


# pictures that were saved in another way, grids without margins, names


def array_of(image):
    return np.asarray(image, np.float64)


def noisy(image):
    return np.clip(array_of(image) + np.random.default_rng(1).normal(0, 12, array_of(image).shape), 0, 255)


def test_pictures_that_were_saved_in_another_way_are_one_line(tmp_path):
    source = write(tmp_path, lambda image: np.uint8(noisy(image)[:, ::-1]))
    (line,) = import_folder(source, tmp_path / "set").remarks
    assert "mirrored" in line
    with pytest.warns(UserWarning, match=re.escape(line.removeprefix("fake: "))):
        evaluate(real=source / "real", fake=source / "fake", metrics="l1", cache=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        blurred,
        lambda image: image.convert("L").convert("RGB"),
        lambda image: Image.new("RGB", image.size, (170, 190, 230)),
        lambda image: image.point(lambda level: min(255, int(level * 1.4))),
        lambda image: Image.merge("RGB", [*image.split()[:2], image.split()[2].point(lambda level: level // 2)]),
    ],
)
def test_worse_pictures_were_not_saved_in_another_way(tmp_path, change):
    write(tmp_path, lambda image: np.uint8(noisy(change(image))), count=8)
    pairs = [(tmp_path / "real" / f"{n}.png", tmp_path / "fake" / f"{n}.png") for n in range(8)]
    assert not agreement.changed_line(pairs)


def test_grids_without_margins_are_one_line(tmp_path):
    for number in range(3):
        grid = Image.new("RGB", (4 * 96, 2 * 80))
        for tile in range(8):
            grid.paste(scene(10 * number + tile), (96 * (tile % 4), 80 * (tile // 4)))
        save(grid, tmp_path / "fake" / f"sample{number}.png")
        save(scene(number), tmp_path / "real" / f"{number}.png")
    made = import_folder(tmp_path / "real", tmp_path / "set", fakes=[tmp_path / "fake"])
    assert any("3 of 3 pictures looked at seem to be grids of 4 x 2 samples" in line for line in made.remarks)
    assert not agreement.sample_lines("real", pictures.list_pictures(tmp_path / "real"))


def test_pictures_of_several_epochs_are_one_line(tmp_path):
    for name in ("{number:04d}_epoch{epoch:03d}.png", "{number}-iter-{epoch}000.png"):
        paths = [Path(name.format(epoch=epoch, number=number)) for number in range(3) for epoch in (10, 20)]
        assert "3 pictures in 2 epochs" in agreement.sample_lines("fake", paths)[0]
    for number in range(3):
        save(scene(number), tmp_path / "real" / f"{number}.png")
        for epoch in (10, 20):
            save(scene(number + epoch), tmp_path / "fake" / f"epoch_{epoch}_{number}.png")
    made = import_folder(tmp_path / "real", tmp_path / "set", fakes=[tmp_path / "fake"])
    assert any("3 pictures in 2 epochs" in line for line in made.remarks)
    with pytest.warns(UserWarning, match="3 pictures in 2 epochs"):
        evaluate(real=tmp_path / "real", fake=tmp_path / "fake", metrics=["sharpness", "l1"], cache=False)


@pytest.mark.parametrize("name", ["{}", "{:03d}_fake_2x", "out-{}"])
def test_names_that_differ_in_a_regular_way_are_partners_if_asked(tmp_path, name):
    for number in range(11):
        save(scene(number), tmp_path / "real" / f"{number:04d}.png")
        save(blurred(scene(number)), tmp_path / "fake" / f"{name.format(number)}.png")
    real, fake = tmp_path / "real", tmp_path / "fake"
    made = import_folder(real, tmp_path / "set", fakes=[fake])
    assert "no partners; if they do, as" in made.remarks[0]
    assert made.items == 22
    assert import_folder(real, tmp_path / "pairs", fakes=[fake], paired=True).items == 11


def test_metrics_take_partners_in_order_if_asked(tmp_path):
    real, fake = tmp_path / "real", tmp_path / "fake"
    for number in range(11):
        save(scene(number), real / f"{number:04d}.png")
        save(blurred(scene(number)), fake / f"{number}.png")
    refused("--paired takes 11 pairs", evaluate, real=real, fake=fake, metrics="l1", cache=False)
    np.savez(tmp_path / "batch.npz", np.stack([np.asarray(blurred(scene(number))) for number in range(11)]))
    for place in (fake, tmp_path / "batch.npz"):
        values, _ = evaluate(real=real, fake=place, metrics="l1", paired=True, cache=False)
        assert values["value"].notna().sum() == 11
        assert values["value"].max() < 20


CONTENTS = {
    "2 of 10 pictures looked at are of one colour": lambda n: np.zeros((80, 96, 3)) if n % 5 == 1 else scene(n + 20),
    "9 of 10 pictures looked at are the same": lambda n: scene(20),
    "no picture looked at has a level below 127": lambda n: array_of(scene(n + 20)) / 2 + 127.5,
    "of the levels are 0": lambda n: np.clip(2 * array_of(scene(n + 20)) - 255, 0, None),
}


def test_contents_that_no_generator_makes_are_one_line(tmp_path):
    for number in range(10):
        save(scene(number), tmp_path / "real" / f"photo{number}.png")
        save(blurred(scene(number + 20)), tmp_path / "good" / f"{number}.png")
    for place, (said, content) in enumerate(CONTENTS.items()):
        for number in range(10):
            save(np.uint8(content(number)), tmp_path / f"fake{place}" / f"{number}.png")
        paths = [pictures.list_pictures(tmp_path / folder) for folder in (f"fake{place}", "real")]
        assert [said in line for line in agreement.content_lines("fake", *paths)] == [True]
    made = import_folder(tmp_path / "real", tmp_path / "set", fakes=[tmp_path / f"fake{place}"], paired=False)
    assert [said in line for line in made.remarks] == [True]
    with pytest.warns(UserWarning, match=re.escape(said)):
        evaluate(real=tmp_path / "real", fake=tmp_path / f"fake{place}", metrics="sharpness", cache=False)
    good = import_folder(tmp_path / "real", tmp_path / "good_set", fakes=[tmp_path / "good"], paired=False)
    assert not good.remarks


def stretched(image):
    return np.uint8(np.clip(2 * array_of(image) - 128, 0, 255))


@pytest.mark.parametrize("paired", [True, False])
def test_low_contrast_is_called_so(tmp_path, paired):
    """Before: "was -1 to 1 brought to 0 to 1 twice?"."""
    folder = write(tmp_path / "a", lambda image: np.uint8(stretched(image) * 0.6 + 50), count=10, real=stretched)
    (line,) = import_folder(folder, tmp_path / "set", paired=paired).remarks
    assert "was the contrast lowered, to levels 50 to 203?" in line


@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, -1), (0, 0)])
def test_a_move_by_one_pixel_is_told(tmp_path, x, y):
    """Before: not where the other direction, in which nothing moves, differs as much."""
    for number in range(6):
        rng = np.random.default_rng(number)
        real = 128 + rng.normal(0, 1.5, (1, 192, 1)) + rng.normal(0, 10, (192, 1, 1)) + rng.normal(0, 20, (192, 192, 1))
        fake = np.roll(real, x + y, 1) + rng.normal(0, 7, (192, 1, 1)) + rng.normal(0, 12, (192, 192, 3))
        for levels, role in ((real, "real"), (fake, "fake")):
            turned = levels.swapaxes(0, 1) if y else levels
            save(np.uint8(np.clip(turned + np.zeros(3), 0, 255)), tmp_path / role / f"{number}.png")
    line = agreement.changed_line(pairs_of(tmp_path, 6))
    assert (f"{x} pixels to the right and {y} down" in line) == bool(x or y)
    assert bool(line) == bool(x or y)


def test_blurred_drawings_have_no_dark_levels_and_are_not_told(tmp_path):
    """Before: asked about -1 to 1."""
    for number in range(10):
        drawing = Image.new("L", SIZE, "white")
        ImageDraw.Draw(drawing).ellipse((10 + number, 10, 80, 70 - number), outline=0)
        save(drawing, tmp_path / "real" / f"{number}.png")
        save(drawing.filter(ImageFilter.GaussianBlur(2)), tmp_path / "fake" / f"{number}.png")
    assert not import_folder(tmp_path, tmp_path / "set").remarks


# other changes, in all pictures or in some, and partners of others


def coded(change):
    """Return a change of levels between 0 and 1 as one of pictures."""
    return lambda levels: np.uint8(np.clip(np.rint(255 * change(levels / 255)), 0, 255))


CHANGED = {
    "red and blue": lambda levels: levels[:, :, ::-1],
    "mirrored": lambda levels: levels[:, ::-1],
    "upside down": lambda levels: levels[::-1],
    "turned by 90 degrees": lambda levels: np.rot90(levels, 3),
    "to the left": np.rot90,
    "negatives": lambda levels: 255 - levels,
    "128 to 255": coded(lambda levels: levels / 2 + 0.5),
    "darker half black": coded(lambda levels: 2 * levels - 1),
    "0 to 127": coded(lambda levels: levels / 2),
    "transposed: rows": lambda levels: levels.swapaxes(0, 1),
    "transposed (rows": lambda levels: levels[::-1, ::-1].swapaxes(0, 1),
    "brighter by a gamma": coded(lambda levels: levels ** (1 / 2.2)),
    "darker by a gamma": coded(lambda levels: levels**2.2),
    "wrapped to 255": lambda levels: np.uint8((2 * np.int16(levels) - 255) % 256),
    "3 pixels to the right and -2 down": lambda levels: np.roll(levels, (-2, 3), (0, 1)),
    "the order GBR": lambda levels: levels[:, :, [1, 2, 0]],  # before: red and blue, or nothing
    "the order BRG": lambda levels: levels[:, :, [2, 0, 1]],
    "the order RBG": lambda levels: levels[:, :, [0, 2, 1]],
    "the order GRB": lambda levels: levels[:, :, [1, 0, 2]],
    "in YCbCr": lambda levels: np.asarray(Image.fromarray(np.uint8(levels)).convert("YCbCr")),  # before: red and blue
}


def pairs_of(folder, count):
    return [(folder / "real" / f"{number}.png", folder / "fake" / f"{number}.png") for number in range(count)]


@pytest.mark.parametrize("said", CHANGED)
def test_each_change_has_its_own_name(tmp_path, said):
    def square(image):
        return image.crop((0, 0, 64, 64))

    def fake(image):
        return np.uint8(CHANGED[said](noisy(square(image))))

    write(tmp_path, fake, count=8, real=square)
    assert said in agreement.changed_line(pairs_of(tmp_path, 8))


def test_grey_pictures_of_purple_ones_are_not_called_ycbcr(tmp_path):
    def purple(image):
        return np.uint8(array_of(image.convert("L"))[..., None] * [1, 0, 1] + [0, 60, 0])

    write(tmp_path, lambda image: Image.fromarray(purple(image)).convert("L").convert("RGB"), count=8, real=purple)
    assert not agreement.changed_line(pairs_of(tmp_path, 8))


@pytest.mark.parametrize(("changed", "said"), [((0, 3, 6, 9), "4 of 12"), (range(1, 12), "11 of 12"), ((5,), "")])
def test_a_change_in_some_pictures_is_told_with_their_number(tmp_path, changed, said):
    for number in range(12):
        image = scene(number).filter(ImageFilter.GaussianBlur(1))
        save(scene(number), tmp_path / "real" / f"{number}.png")
        fake = np.asarray(image)[:, :, ::-1] if number in changed else image
        save(np.ascontiguousarray(fake), tmp_path / "fake" / f"{number}.png")
    line = agreement.changed_line(pairs_of(tmp_path, 12))
    assert line.startswith(said)
    assert bool(said) == ("red and blue" in line)


def test_partners_of_others_are_told_with_an_example(tmp_path):
    write(tmp_path, lambda image: image.filter(ImageFilter.GaussianBlur(1)), count=40)
    swapped = dict(zip(range(10, 14), (11, 10, 13, 12), strict=True))
    few = [(real, tmp_path / "fake" / f"{swapped.get(n, n)}.png") for n, (real, _) in enumerate(pairs_of(tmp_path, 20))]
    line = agreement.changed_line(few)
    assert line.startswith("4 of 20 generated pictures looked at agree better with the real picture of another one")
    assert "11.png with 11.png" in line
    by_one = [(real, tmp_path / "fake" / f"{n + 1}.png") for n, (real, _) in enumerate(pairs_of(tmp_path, 39))]
    assert "of another one" in agreement.changed_line(by_one), "neighbours are looked at, if not all can be"
    assert not agreement.changed_line(pairs_of(tmp_path, 40))


def test_the_table_of_checks_is_in_the_docs():
    page = Path(__file__).parents[3] / "docs" / "data_checks.md"
    assert of_pictures() in page.read_text()
    assert len({*CHECKS, *(change.id for change in CHANGES)}) == len(CHECKS) + len(CHANGES)
