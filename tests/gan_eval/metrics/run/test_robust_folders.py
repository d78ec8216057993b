"""Two folders as people have them: every good picture is measured, every bad one has rows that say why not."""

import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from metric_pictures import disturbed, texture
from PIL import Image

from gan_eval.metrics import evaluate, folder_pair
from gan_eval.metrics.definitions.similarity import psnr
from gan_eval.stimuli import pictures

SIDE = 24
Make = Callable[[Path, np.ndarray], object]


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb(path: Path, _picture: np.ndarray) -> None:
    header = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    content = header + _png_chunk(b"IDAT", zlib.compress(bytes(9))) + _png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def _truncated(path: Path, picture: np.ndarray) -> None:
    pictures.write_png(path, picture)
    path.write_bytes(path.read_bytes()[:-200])


def _turned(path: Path, picture: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.fromarray(np.rot90(picture, -1)).save(path, exif=exif)


def _moving(path: Path, picture: np.ndarray) -> None:
    Image.fromarray(picture).save(path, save_all=True, append_images=[Image.fromarray(255 - picture)])


GOOD: dict[str, Make] = {
    "plain.png": pictures.write_png,
    "UPPER.PNG": lambda path, picture: Image.fromarray(picture).save(path, format="PNG"),
    "bitmap.bmp": lambda path, picture: Image.fromarray(picture).save(path),
    "opaque.png": lambda path, picture: Image.fromarray(picture).convert("RGBA").save(path),
    "deep.tif": lambda path, picture: tifffile.imwrite(path, picture.astype(np.uint16) * 257, photometric="rgb"),
    "turned.png": _turned,
    "moving.png": _moving,
    "two words 名前.png": pictures.write_png,
    "line\nbreak.png": pictures.write_png,
}
"""Formats of a generated picture; each gives the same pixels as 8-bit RGB."""

BAD: dict[str, tuple[Make, str]] = {
    "empty.png": (lambda path, _: path.touch(), "not a readable picture (the file is empty); replace or remove it"),
    "truncated.png": (_truncated, "not a readable picture ("),
    "text.png": (lambda path, _: path.write_text("hello"), "not a readable picture (of no known kind); replace"),
    "print.jpg": (
        lambda path, picture: Image.fromarray(picture).convert("CMYK").save(path),
        "colour mode CMYK has no exact 8-bit RGB reading; convert the picture to sRGB first",
    ),
    "glass.png": (
        lambda path, picture: Image.fromarray(np.dstack([picture, picture[..., 0] // 2])).save(path),
        "the picture is transparent in places; flatten it onto a background first",
    ),
    "bomb.png": (_bomb, "too large to decode safely (more than 89,478,485 pixels); scale it down"),
    "nowhere.png": (
        lambda path, _: path.symlink_to(path.with_name("absent")),
        "no such picture: the link leads nowhere; fix or remove it",
    ),
}
"""Faults of a generated picture, and the reason that its rows give after the file's path."""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """`real` and `fake`, with everything of GOOD and BAD in `fake` and a partner for each in `real`."""
    real, fake = tmp_path / "real", tmp_path / "fake"
    real.mkdir()
    fake.mkdir()
    for seed, name in enumerate([*GOOD, *BAD]):
        picture = texture(seed, SIDE, SIDE + 8)
        pictures.write_png(real / f"{Path(name).stem}.png", picture)
        make = GOOD[name] if name in GOOD else BAD[name][0]
        make(fake / name, disturbed(picture, seed))
    return real, fake


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index(["stimulus", "metric"])


def test_every_good_picture_is_measured_and_every_bad_one_has_its_reason(folders: tuple[Path, Path]) -> None:
    real, fake = folders
    pair = folder_pair(real, fake, dataset="d", model="m")
    assert pair.problems == ()
    frame, _ = evaluate(pair, ["psnr", "l1", "sharpness"], cache=False)
    assert len(frame) == len(GOOD | BAD) * 4  # two pair metrics; sharpness of the fake and of the real picture
    rows = _table(frame)
    for seed, name in enumerate(GOOD):
        picture = texture(seed, SIDE, SIDE + 8)
        stem = Path(name).stem.replace("\n", "\\n")
        assert rows.loc[(f"d/m/{stem}", "psnr"), "value"] == psnr(disturbed(picture, seed), picture), name
        assert rows.loc[(f"d/real/{stem}", "sharpness"), "value"] > 0
    for name, (_, reason) in BAD.items():
        for metric in ("psnr", "l1", "sharpness"):
            row = rows.loc[(f"d/m/{Path(name).stem}", metric)]
            assert math.isnan(row["value"])
            assert row["reason"].startswith(f"{fake / name}: {reason}"), name
        assert rows.loc[(f"d/real/{Path(name).stem}", "sharpness"), "value"] > 0
    assert "16-bit RGB: this metric is defined for 8-bit RGB" in rows.loc[("d/m/deep", "sharpness"), "reason"]
    assert frame["value"].isna().sum() == 3 * len(BAD) + 1
