"""Facts about files that need no decoding."""

import struct
import zlib

import pytest
from giveaway_pictures import picture
from PIL import Image, ImageCms, PngImagePlugin

from gan_eval.errors import UserError
from gan_eval.giveaways.clues import CLUES, METADATA_CLUES
from gan_eval.giveaways.file_facts import file_facts
from gan_eval.giveaways.pixel_facts import pixel_facts
from gan_eval.stimuli.pictures import read_rgb, write_png


def test_every_clue_is_looked_at(tmp_path):
    write_png(tmp_path / "a.png", read_rgb_of(picture(0), tmp_path))
    found = {**file_facts(tmp_path / "a.png"), **pixel_facts(read_rgb(tmp_path / "a.png"))}
    assert set(found) == set(CLUES)
    assert {clue.name for clue in METADATA_CLUES} == set(file_facts(tmp_path / "a.png"))


def read_rgb_of(image, folder):
    image.save(folder / "temporary.png")
    return read_rgb(folder / "temporary.png")


def test_a_plain_png(tmp_path):
    write_png(tmp_path / "a.png", read_rgb_of(picture(0), tmp_path))
    facts = file_facts(tmp_path / "a.png")
    assert (facts["format"], facts["size"], facts["mode"]) == ("PNG", "40x32", "RGB 8 bit")
    assert (facts["metadata"], facts["profile"]) == ("none", "none")
    assert facts["jpeg_tables"] is None


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


def test_only_the_files_own_name_counts(tmp_path):
    path = tmp_path / "fake" / "Köln_12_fake_B007.PNG"
    path.parent.mkdir()
    picture(0).save(path)
    facts = file_facts(path)
    assert (facts["suffix"], facts["name_token"]) == (".PNG", frozenset({"köln", "fake", "b"}))


def test_what_is_no_picture_is_named(tmp_path):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    for name, content in (("empty", b""), ("text", b"hello"), ("cut", header), ("cut2", header + b"\0\0\0\x05ID")):
        (tmp_path / f"{name}.png").write_bytes(content)
        with pytest.raises(UserError, match=f"{name}.png: not a readable picture"):
            file_facts(tmp_path / f"{name}.png")
    with pytest.raises(UserError, match="no such picture"):
        file_facts(tmp_path / "absent.png")
    with pytest.raises(UserError, match=r"not a readable picture \(Is a directory\); replace"):
        file_facts(tmp_path)
