"""Pictures become 8-bit RGB exactly, or are refused by name."""

import os

import numpy as np
import pytest
import tifffile
from PIL import Image
from png_by_hand import chunk, png
from refusals import refused
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.pictures import decode as pictures
from gan_eval.pictures.importing import import_folder


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)


def test_grey_palette_sixteen_bit_and_opaque_alpha_become_rgb(tmp_path, picture):
    grey = picture[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(pictures.read_rgb(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(pictures.read_rgb(tmp_path / "deep.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(picture).quantize(8).save(tmp_path / "palette.png")
    assert pictures.read_rgb(tmp_path / "palette.png").shape == (7, 5, 3)
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "alpha.png")
    assert np.array_equal(pictures.read_rgb(tmp_path / "alpha.png"), picture)
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.array_equal(pictures.read_rgb(tmp_path / "bits.png")[..., 0], np.where(grey > 127, 255, 0))


def _deep_png(path, levels, more=b""):
    """A 16-bit PNG of (H, W, channels) levels."""
    height, width, channels = levels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    path.write_bytes(png(width, height, depth=16, colour={2: 4, 3: 2, 4: 6}[channels], body=rows, more=more))


@pytest.fixture
def deep():
    """(37, 53, 4) levels of 16 bits, opaque."""
    levels = np.random.default_rng(1).integers(0, 65536, (37, 53, 4), dtype=np.uint16)
    levels[..., 3] = 65535
    return levels


def _rounded(levels):
    return np.round(levels.astype(float) * 255 / 65535)


def test_sixteen_bit_colour_is_rounded_as_grey_is(tmp_path, deep):
    for channels in (3, 4):
        _deep_png(tmp_path / "deep.png", deep[..., :channels])
        found = pictures.read_rgb(tmp_path / "deep.png")
        assert np.array_equal(found, _rounded(deep[..., :3]))
        assert (found != deep[..., :3] >> 8).mean() > 0.2  # the high byte alone, Pillow's reading, is another picture
    _deep_png(tmp_path / "grey.png", deep[..., [0, 3]])
    assert np.array_equal(pictures.read_rgb(tmp_path / "grey.png"), _rounded(deep[..., [0, 0, 0]]))


def test_sixteen_bit_colour_that_is_transparent_is_refused(tmp_path, deep):
    for levels in (deep[..., [0, 1]], np.minimum(deep, 65534)):
        _deep_png(tmp_path / "glass.png", levels)
        refused(r"glass\.png:", pictures.read_rgb, tmp_path / "glass.png")
    hole = deep[3, 5, :3]
    _deep_png(tmp_path / "hole.png", deep[..., :3], chunk(b"tRNS", hole.astype(">u2").tobytes()))
    refused("transparent", pictures.read_rgb, tmp_path / "hole.png")
    nearly = hole ^ np.uint16(1)  # the same high bytes
    _deep_png(tmp_path / "whole.png", deep[..., :3], chunk(b"tRNS", nearly.astype(">u2").tobytes()))
    assert np.array_equal(pictures.read_rgb(tmp_path / "whole.png"), _rounded(deep[..., :3]))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "how", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}]
)
def test_sixteen_bit_tiff_is_rounded(tmp_path, deep, order, how):
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, deep[..., :3], photometric="rgb", byteorder=order, **how)
    assert np.array_equal(pictures.read_rgb(path), _rounded(deep[..., :3]))
    tifffile.imwrite(path, deep, photometric="rgb", extrasamples=["unassalpha"], byteorder=order, **how)
    assert np.array_equal(pictures.read_rgb(path), _rounded(deep[..., :3]))
    turned = [(274, 3, 1, 6, True)]
    tifffile.imwrite(path, deep[..., :3], photometric="rgb", byteorder=order, extratags=turned, **how)
    assert np.array_equal(pictures.read_rgb(path), np.rot90(_rounded(deep[..., :3]), -1))


def test_planes_apart_and_black_and_white_exchanged(tmp_path, deep, picture):
    path = tmp_path / "a.tif"
    for samples, wanted in ((picture, picture), (deep[..., :3], _rounded(deep[..., :3]))):
        tifffile.imwrite(path, np.moveaxis(samples, 2, 0), photometric="rgb", planarconfig="separate")
        assert np.array_equal(pictures.read_rgb(path), wanted)
    tifffile.imwrite(path, picture[..., 0], photometric="miniswhite")
    assert np.array_equal(pictures.read_rgb(path)[..., 1], 255 - picture[..., 0])
    tifffile.imwrite(path, deep[..., 0], photometric="miniswhite")
    refused(r"a\.tif:", pictures.read_rgb, path)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "I;16"])
def test_a_transparent_colour_is_refused_where_a_pixel_has_it(tmp_path, picture, mode):
    grey = picture[..., 0]
    image = Image.fromarray(grey.astype(np.uint16)) if mode == "I;16" else Image.fromarray(picture).convert(mode)
    there = image.getpixel((2, 3))
    image.save(tmp_path / "hole.png", transparency=there)
    refused(r"hole\.png:", pictures.read_rgb, tmp_path / "hole.png")


@pytest.mark.parametrize("mode", ["CMYK", "F", "I", "LAB", "YCbCr"])
def test_modes_without_an_exact_reading_are_refused_by_name(tmp_path, mode):
    Image.new(mode, (6, 4)).save(tmp_path / "odd.tif")
    of_old_pillow = "|not a readable picture" if mode == "YCbCr" else ""  # before 13 it cannot read its own file
    refused(rf"odd\.tif:.*(mode {mode}.*8-bit RGB{of_old_pillow})", pictures.read_rgb, tmp_path / "odd.tif")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_exif_orientation_is_applied(tmp_path, picture, orientation, suffix):
    path = tmp_path / f"turned{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(path, exif=exif, lossless=True)
    flipped = picture[:, ::-1] if orientation in (2, 4, 5, 7) else picture
    quarters = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}[orientation]
    assert np.array_equal(pictures.read_rgb(path), np.rot90(flipped, quarters))


def test_of_several_frames_the_first_counts(tmp_path, picture):
    first, second = Image.fromarray(picture), Image.fromarray(255 - picture)
    for name in ("moving.png", "moving.webp"):
        first.save(tmp_path / name, save_all=True, append_images=[second], lossless=True)
        assert np.array_equal(pictures.read_rgb(tmp_path / name), picture)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("side", [9_500, 30_000])
def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(png(side, side, body=bytes(1000)))
    refused(r"bomb\.png:", pictures.read_rgb, tmp_path / "bomb.png")


def test_why_a_file_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "empty.png").touch()
    refused(r"empty\.png:.*\(the file is empty\)", pictures.read_rgb, tmp_path / "empty.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "absent.png")
    refused(r"nowhere\.png:", pictures.read_rgb, tmp_path / "nowhere.png")
    pictures.write_png(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 256, (63, 5, 3), dtype=np.uint8))
    (tmp_path / "torn.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-40])
    (tmp_path / "text.png").write_text("hello")
    for name in (".", "torn.png", "text.png"):
        refused("not a readable picture", pictures.read_rgb, tmp_path / name)

    def forbidden(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    refused(r"a\.png:.*\(Permission denied\)", pictures.read_rgb, tmp_path / "a.png")
    monkeypatch.setattr("os.scandir", forbidden)
    refused("cannot be read", pictures.list_pictures, tmp_path)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_damaged_picture_is_decoded_or_refused_by_name(tmp_path, picture, suffix, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # damaged sizes need not be decoded
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "hello"
    Image.fromarray(picture).save(path, exif=exif)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 200), rng.integers(1, 4)):
            content[place] = rng.choice([0, 255, rng.integers(256)])
        path.write_bytes(content)
        try:
            pictures.read_rgb(path)
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 15
    assert all(line.startswith(f"{path}: ") for line in lines)


def test_folders_are_no_pictures_and_a_dangling_link_is_not_passed_over(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "absent.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "folder_link.png").symlink_to(tmp_path / "folder.jpg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    assert [path.name for path in pictures.list_pictures(tmp_path)] == ["a.jpg", "link.png", "nowhere.png"]


def test_folders_are_listed_in_natural_order(tmp_path):
    for name in ("10.png", "9.PNG", "a2.jpg", "a10.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures.list_pictures(tmp_path)] == ["9.PNG", "10.png", "a2.jpg", "a10.jpg"]
    (tmp_path / "empty").mkdir()
    refused("empty: no pictures", pictures.list_pictures, tmp_path / "empty")
    refused("no such folder", pictures.list_pictures, tmp_path / "absent")


def test_sizes_and_shapes():
    assert pictures.has_shape((512, 341), (256, 170))
    assert not pictures.has_shape((512, 341), (256, 165))
    assert pictures.to_size(np.zeros((341, 512, 3), np.uint8), (256, 170), None).shape == (170, 256, 3)


def noise(seed, channels, bits, side=(24, 17)):
    return np.random.default_rng(seed).integers(0, 2**bits, (*side, channels)).astype(f"uint{bits}")


CHANNELS = {"1": 1, "L": 1, "LA": 2, "P": 3, "PA": 4, "RGB": 3, "RGBA": 4}


@pytest.mark.parametrize("mode", CHANNELS)
def test_only_pictures_with_alpha_have_its_channel(mode, tmp_path):
    samples, is_alpha = pictures.stored_samples(Image.new(mode, (3, 2)), b"", tmp_path)
    assert (samples.shape, is_alpha) == ((2, 3, CHANNELS[mode]), mode.endswith("A"))


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_than_grey_and_rgb_are_refused(channels, tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", noise(1, channels, 16), photometric="minisblack", planarconfig="contig")
    refused(r"x\.tif:.*\(unknown format\)", pictures.read_rgb, tmp_path / "x.tif")
    if channels == 5:
        tifffile.imwrite(tmp_path / "x.tif", noise(1, channels, 8), photometric="rgb", planarconfig="contig")
        refused(rf"x\.tif:.*{channels}.*RGB", pictures.read_rgb, tmp_path / "x.tif")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("shape", [(5, 8, 12), (3, 8, 12), (4, 8, 12, 3)])
def test_a_stack_of_pages_is_refused_by_every_reader(shape, bits, tmp_path):
    pages = np.random.default_rng(0).integers(0, 2**bits, shape, dtype=f"uint{bits}")
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb" if len(shape) == 4 else "minisblack")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:  # pages of different sizes
        file.write(pages[0], photometric="rgb" if len(shape) == 4 else "minisblack")
        file.write(pages[1, :6], photometric="rgb" if len(shape) == 4 else "minisblack")
    for name in ("a.tif", "b.tif"):
        path = tmp_path / name
        for decode in (pictures.decode_rgb, pictures.decode_measured):
            refused(rf"{name}:.*\d pages:", decode, path.read_bytes(), path)


def test_a_thumbnail_is_no_page(tmp_path):
    picture = noise(1, 3, 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(picture, photometric="rgb")
        file.write(picture[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(pictures.read_rgb(tmp_path / "a.tif"), picture)


def test_16_bits_are_resized_without_rounding_to_8():
    samples = noise(1, 3, 16, (40, 30))
    found = pictures.resize(samples, (20, 15))
    assert (found.shape, found.dtype) == ((20, 15, 3), np.uint16)
    wanted = pictures.resize((samples >> 8).astype(np.uint8), (20, 15))
    assert np.abs(found / 257 - wanted).max() < 2.5
    assert (found % 257 != 0).mean() > 0.9
    assert pictures.resize(samples, (40, 30)) is samples


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_pairs_are_measured_with_every_sample(channels, tmp_path):
    pair = [noise(n, channels, 16, (40, 40)) // 16 for n in (1, 2)]
    kind = "rgb" if channels == 3 else "minisblack"
    for folder, picture in zip(("fake", "real"), pair, strict=True):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "0.tif", picture.squeeze(), photometric=kind)
    values, _ = evaluate(
        real=tmp_path / "real", fake=tmp_path / "fake", metrics=("psnr", "ssim", "l1", "ssim_luma"), cache=False
    )
    rows = values[values["kind"] == "fake"].set_index("metric")
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    wanted = {
        "psnr": peak_signal_noise_ratio(*pair, data_range=65535),
        "ssim": structural_similarity(*pair, data_range=65535, **window),
        "l1": np.abs(pair[0].astype(float) - pair[1]).mean() / 257,
    }
    for metric, value in wanted.items():
        assert rows.loc[metric, "value"] == pytest.approx(value, rel=1e-4)
    assert "needs 8-bit RGB" in rows.loc["ssim_luma", "reason"]


def test_8_bit_results_next_to_16_bit_originals_are_measured_and_imported_in_8_bits(tmp_path):
    deep = noise(1, 1, 16)
    (tmp_path / "real").mkdir()
    (tmp_path / "fake").mkdir()
    Image.fromarray(deep[..., 0]).save(tmp_path / "real" / "a.png")
    Image.fromarray(pictures.rounded(deep[..., 0])).save(tmp_path / "fake" / "a.png")
    values, _ = evaluate(real=tmp_path / "real", fake=tmp_path / "fake", metrics="l1", cache=False)
    assert values["value"].tolist() == [0.0]
    imported = import_folder(tmp_path, tmp_path / "set", dataset="d")
    assert evaluate(imported.folder, metrics="l1", cache=False)[0]["value"].tolist() == [0.0]
    with Image.open(imported.folder / "real" / "a.png") as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture)[..., 0], pictures.rounded(deep[..., 0]))
