"""Facts about files that need no decoding, and about pixels with known values."""

import io
import struct

import numpy as np
import pytest
from giveaway_pictures import picture
from PIL import Image, ImageCms, PngImagePlugin
from png_by_hand import png
from refusals import refused

from gan_eval.pictures.clues import CLUES, METADATA_CLUES, blockiness, border_step, file_facts, pixel_facts


def test_every_clue_is_looked_at(tmp_path):
    picture(0).save(tmp_path / "a.png")
    facts = file_facts(tmp_path / "a.png")
    assert {clue.name for clue in METADATA_CLUES} == set(facts)
    assert {*facts, *pixel_facts(np.asarray(picture(0)))} == set(CLUES)
    assert (facts["format"], facts["size"], facts["mode"]) == ("PNG", "40x32", "RGB 8 bit")
    assert (facts["metadata"], facts["profile"], facts["jpeg_tables"]) == ("none", "none", None)


def test_what_a_png_carries_is_found_after_the_picture_too(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "Painter 3", zip=True)
    text.add_itxt("XML:com.adobe.xmp", "<x/>")
    text.add(b"tIME", struct.pack(">HBBBBB", 2026, 1, 2, 3, 4, 5), after_idat=True)
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    picture(0).save(tmp_path / "a.png", pnginfo=text, exif=exif, dpi=(72, 72), compress_level=9)
    facts = file_facts(tmp_path / "a.png")
    assert facts["metadata"] == "EXIF, XMP, resolution, text, time"


def test_colour_modes_and_bits(tmp_path):
    palette = picture(0).quantize(4)
    palette.info["transparency"] = 0
    for name, image in (
        ("grey", picture(0).convert("L")),
        ("alpha", picture(0).convert("RGBA")),
        ("deep", picture(0).convert("L").convert("I;16")),
        ("palette", palette),
    ):
        image.save(tmp_path / f"{name}.png")
    modes = [file_facts(tmp_path / f"{name}.png")["mode"] for name in ("grey", "alpha", "deep", "palette")]
    assert modes == ["L 8 bit", "RGBA 8 bit", "I;16 16 bit", "P 2 bit with transparency"]


def test_what_a_jpeg_carries(tmp_path):
    exif = Image.Exif()
    exif[0x0131] = "Camera 1.0"
    picture(0).save(
        tmp_path / "rich.jpg", quality=95, subsampling="4:4:4", exif=exif, comment=b"hello", progressive=True
    )
    picture(0).save(tmp_path / "plain.jpg", quality=50)
    picture(0).convert("L").save(tmp_path / "grey.jpg", quality=50)
    rich, plain, grey = (file_facts(tmp_path / f"{name}.jpg") for name in ("rich", "plain", "grey"))
    assert rich["metadata"] == "EXIF, comment"
    assert (rich["jpeg_subsampling"], plain["jpeg_subsampling"]) == ("4:4:4", "4:2:0")
    assert grey["jpeg_subsampling"] == "grey"
    assert rich["jpeg_tables"] != plain["jpeg_tables"]
    assert plain["mode"] == "RGB 8 bit"


def test_a_profile_is_named(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture(0).save(tmp_path / "a.jpg", icc_profile=profile)
    picture(0).save(tmp_path / "b.png", icc_profile=b"no profile")
    assert str(file_facts(tmp_path / "a.jpg")["profile"]).startswith("sRGB")
    assert str(file_facts(tmp_path / "b.png")["profile"]).startswith("unreadable")


def test_what_is_no_picture_is_named(tmp_path):
    header = png(4, 4)[:33]
    for name, content in (("empty", b""), ("text", b"hello"), ("cut", header), ("cut2", header + b"\0\0\0\x05ID")):
        (tmp_path / f"{name}.png").write_bytes(content)
        refused(rf"{name}.png:", file_facts, tmp_path / f"{name}.png")
    refused("no such picture", file_facts, tmp_path / "absent.png")
    refused(r"\(Is a directory\)", file_facts, tmp_path)


def noise(seed=0, size=(48, 64)):
    return np.random.default_rng(seed).integers(20, 230, (*size, 3)).astype(np.uint8)


def smooth(seed=0, size=(64, 96)):
    small = Image.fromarray(noise(seed, (size[0] // 8, size[1] // 8)))
    return np.asarray(small.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def test_brightness_and_contrast_of_plain_colours():
    half = np.zeros((10, 20, 3), np.uint8)
    half[:, 10:] = (200, 100, 100)
    facts = pixel_facts(half)
    luma = 0.299 * 200 + 0.701 * 100
    assert facts["brightness"] == pytest.approx(luma / 2)
    assert facts["contrast"] == pytest.approx(luma / 2)


@pytest.mark.parametrize("side", range(4))
def test_a_black_row_at_any_side_is_a_step(side):
    luma = smooth()[..., 0].astype(float)
    framed = np.rot90(luma, side).copy()
    framed[0] = 0
    framed = np.rot90(framed, -side)
    assert border_step(framed) > 5 * border_step(luma)


def test_blocks_of_jpeg_show_and_only_on_their_grid():
    picture = smooth(size=(128, 160))
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, format="JPEG", quality=5)
    luma = np.asarray(Image.open(coded).convert("L")).astype(float)
    assert blockiness(luma) > 1.5
    assert blockiness(luma[3:, 3:]) < 1.1
    assert blockiness(noise(size=(128, 128))[..., 0].astype(float)) == pytest.approx(1, abs=0.1)


def test_flat_and_tiny_pictures_have_values_or_none():
    flat = pixel_facts(np.full((20, 20, 3), 9, np.uint8))
    assert (flat["border_step"], flat["blockiness"], flat["sharpness"]) == (1.0, 1.0, 0.0)
    tiny = pixel_facts(np.zeros((1, 2, 3), np.uint8))
    assert [tiny[name] for name in ("border_step", "sharpness", "blockiness")] == [None] * 3
    narrow = pixel_facts(np.zeros((2, 30, 3), np.uint8))
    assert narrow["blockiness"] == 1.0
