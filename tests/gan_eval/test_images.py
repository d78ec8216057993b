"""Pictures become 8-bit RGB exactly, or are refused by name."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from gan_eval import images
from gan_eval.errors import UserError


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)


def test_png_round_trip_is_exact_and_without_metadata(tmp_path, picture):
    images.write_png(tmp_path / "a.png", picture)
    assert np.array_equal(images.read_rgb(tmp_path / "a.png"), picture)
    with Image.open(tmp_path / "a.png") as image:
        assert image.info == {}


def test_grey_palette_sixteen_bit_and_opaque_alpha_become_rgb(tmp_path, picture):
    grey = picture[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(images.read_rgb(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(images.read_rgb(tmp_path / "deep.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(picture).quantize(8).save(tmp_path / "palette.png")
    assert images.read_rgb(tmp_path / "palette.png").shape == (7, 5, 3)
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "alpha.png")
    assert np.array_equal(images.read_rgb(tmp_path / "alpha.png"), picture)
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.array_equal(images.read_rgb(tmp_path / "bits.png")[..., 0], np.where(grey > 127, 255, 0))


def _png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _deep_png(path, levels):
    """A 16-bit PNG of (H, W, 3) or (H, W, 4) levels, written by hand: Pillow writes none."""
    height, width, channels = levels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    chunks = _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(rows)) + _png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def test_sixteen_bit_colour_is_read_by_its_high_bytes(tmp_path, picture):
    deep = picture.astype(np.uint16) * 256 + np.arange(105, dtype=np.uint16).reshape(7, 5, 3)
    _deep_png(tmp_path / "deep.png", deep)
    assert np.array_equal(images.read_rgb(tmp_path / "deep.png"), picture)
    opaque = np.concatenate([deep, np.full((7, 5, 1), 65535, np.uint16)], axis=2)
    _deep_png(tmp_path / "opaque.png", opaque)
    assert np.array_equal(images.read_rgb(tmp_path / "opaque.png"), picture)


def test_sixteen_bit_grey_is_rounded(tmp_path):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(levels).save(tmp_path / name)
        wanted = np.round(levels.astype(float) * 255 / 65535)
        assert np.array_equal(images.read_rgb(tmp_path / name)[..., 1], wanted)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "I;16"])
def test_a_transparent_colour_is_refused_where_a_pixel_has_it(tmp_path, picture, mode):
    grey = picture[..., 0]
    image = Image.fromarray(grey.astype(np.uint16)) if mode == "I;16" else Image.fromarray(picture).convert(mode)
    there = image.getpixel((2, 3))
    image.save(tmp_path / "hole.png", transparency=there)
    with pytest.raises(UserError, match=r"hole\.png: the picture is transparent in places"):
        images.read_rgb(tmp_path / "hole.png")


def test_a_transparent_colour_that_no_pixel_has_is_no_matter(tmp_path):
    grey = np.full((4, 6), 9, np.uint8)
    Image.fromarray(grey).save(tmp_path / "whole.png", transparency=200)
    assert np.array_equal(images.read_rgb(tmp_path / "whole.png"), np.full((4, 6, 3), 9))


@pytest.mark.parametrize(
    ("mode", "suffix"), [("CMYK", "tif"), ("F", "tif"), ("I", "tif"), ("LAB", "tif"), ("YCbCr", "tif")]
)
def test_modes_without_an_exact_reading_are_refused_by_name(tmp_path, mode, suffix):
    path = tmp_path / f"odd.{suffix}"
    Image.new(mode, (6, 4)).save(path)
    with pytest.raises(UserError, match=rf"odd\.{suffix}: colour mode {mode} has no exact 8-bit RGB reading"):
        images.read_rgb(path)


def test_an_exif_rotation_is_applied(tmp_path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(images.read_rgb(tmp_path / "turned.png"), np.rot90(picture, -1))


def test_what_cannot_be_read_exactly_is_refused_by_name(tmp_path, picture):
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "print.jpg")
    with pytest.raises(UserError, match=r"print\.jpg: colour mode CMYK"):
        images.read_rgb(tmp_path / "print.jpg")
    see_through = Image.fromarray(picture).convert("RGBA")
    see_through.putalpha(100)
    see_through.save(tmp_path / "glass.png")
    with pytest.raises(UserError, match=r"glass\.png: the picture is transparent"):
        images.read_rgb(tmp_path / "glass.png")
    whole = tmp_path / "whole.png"
    images.write_png(whole, np.repeat(picture, 9, 0))
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"torn\.png: not a readable picture"):
        images.read_rgb(tmp_path / "torn.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UserError, match=r"text\.png: not a readable picture"):
        images.read_rgb(tmp_path / "text.png")
    with pytest.raises(UserError, match=r"absent\.png: no such picture"):
        images.read_rgb(tmp_path / "absent.png")


def _turned_with_a_note(path, picture):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "hello"
    Image.fromarray(picture).save(path, exif=exif)
    return path.read_bytes()


def test_a_damaged_exif_is_refused_by_name(tmp_path, picture):
    path = tmp_path / "a.jpg"
    content = _turned_with_a_note(path, picture)
    path.write_bytes(content.replace(b"\x01\x0e\x00\x02", b"\x01\x00\x00\x02"))  # the note became a width
    with pytest.raises(UserError, match=r"a\.jpg: not a readable picture"):
        images.read_rgb(path)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_damaged_picture_is_decoded_or_refused_by_name(tmp_path, picture, suffix, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)  # damaged sizes need not be decoded
    path = tmp_path / f"a{suffix}"
    whole = _turned_with_a_note(path, picture)
    rng = np.random.default_rng(1)
    lines = []
    for _ in range(300):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 200), rng.integers(1, 4)):
            content[place] = rng.choice([0, 255, rng.integers(256)])
        path.write_bytes(content)
        try:
            images.read_rgb(path)
        except UserError as error:
            lines.append(str(error))
    assert len(lines) > 30
    assert all(line.startswith(f"{path}: ") for line in lines)


def test_folders_are_no_pictures_and_a_dangling_link_is_not_passed_over(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "absent.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.jpg")
    assert [path.name for path in images.list_pictures(tmp_path)] == ["a.jpg", "link.png", "nowhere.png"]
    with pytest.raises(UserError, match=r"nowhere\.png: no such picture"):
        images.read_rgb(tmp_path / "nowhere.png")


def test_folders_are_listed_in_natural_order(tmp_path):
    for name in ("10.png", "9.PNG", "a2.jpg", "a10.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in images.list_pictures(tmp_path)] == ["9.PNG", "10.png", "a2.jpg", "a10.jpg"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: no pictures"):
        images.list_pictures(tmp_path / "empty")
    with pytest.raises(UserError, match="no such folder"):
        images.list_pictures(tmp_path / "absent")


def test_two_files_of_one_stem_are_refused(tmp_path):
    with pytest.raises(UserError, match="the same stem"):
        images.by_stem([tmp_path / "a.png", tmp_path / "a.jpg"])
