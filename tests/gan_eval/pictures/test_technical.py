"""Technical differences that move a network's features: each kind is named, and equal or harmless files are not."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFilter

from gan_eval.pictures.technical import technical_differences, technical_facts

N = 12
Save = Callable[[Image.Image, Path], object]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def scene(n: int, width: int = 96, height: int = 96) -> Image.Image:
    rng = np.random.default_rng(n)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3)).astype(np.uint8)).resize((width, height), 3)
    return Image.fromarray((np.asarray(small) + rng.normal(0, 6, (height, width, 3))).clip(0, 255).astype(np.uint8))


def plain(picture: Image.Image, path: Path) -> None:
    picture.save(path.with_suffix(".png"))


def jpeg(quality: int) -> Save:
    return lambda picture, path: picture.save(path.with_suffix(".jpg"), quality=quality)


def in_pixels(picture: Image.Image, path: Path) -> None:
    jpeg(50)(picture, path)
    with Image.open(path.with_suffix(".jpg")) as image:
        image.convert("RGB").save(path.with_suffix(".png"))
    path.with_suffix(".jpg").unlink()


def turned(picture: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(path.with_suffix(".png"), exif=exif)


def padded(picture: Image.Image, path: Path) -> None:
    inner = np.asarray(picture.resize((picture.width - 16, picture.height - 16)))
    Image.fromarray(np.pad(inner, ((8, 8), (8, 8), (0, 0)))).save(path.with_suffix(".png"))


def with_profile(profile: bytes) -> Save:
    return lambda picture, path: picture.save(path.with_suffix(".png"), icc_profile=profile)


def converted(mode: str) -> Save:
    return lambda picture, path: picture.convert(mode).save(path.with_suffix(".png"))


def blurred(picture: Image.Image, path: Path) -> None:
    picture.filter(ImageFilter.GaussianBlur(1)).save(path.with_suffix(".png"))


WIDE, SQUARE = (96, 64), (96, 96)
KINDS: list[tuple[Save, Callable[[int], tuple[int, int]], Save, Callable[[int], tuple[int, int]], str]] = [
    (plain, lambda n: WIDE if n % 3 else WIDE[::-1], plain, lambda _: SQUARE, "96x64 and 64x96.* 96x96: .*squeezed"),
    (plain, lambda n: (96 + 5 * n, 96), plain, lambda _: SQUARE, "of 12 sizes from 96x96 to 151x96"),
    (plain, lambda n: (160 + n, 160), plain, lambda n: (80 + n, 80), "of 12 sizes from 160x160 .* of 12 sizes"),
    (plain, lambda _: (128, 128), plain, lambda _: SQUARE, "128x128, generated ones 96x96: .*different factors"),
    (jpeg(90), lambda _: SQUARE, plain, lambda _: SQUARE, "real pictures are JPEG, generated ones coded without loss"),
    (jpeg(95), lambda _: SQUARE, jpeg(60), lambda _: SQUARE, "JPEG of different quality"),
    (in_pixels, lambda _: SQUARE, plain, lambda _: SQUARE, "only real pictures have traces of JPEG"),
    (plain, lambda _: SQUARE, padded, lambda _: SQUARE, "only generated pictures have a plain border"),
    (plain, lambda _: SQUARE, converted("L"), lambda _: SQUARE, "real pictures are in colour, generated ones grey"),
    (with_profile(LAB), lambda _: SQUARE, plain, lambda _: SQUARE, "colour profiles are not applied"),
    (plain, lambda _: SQUARE, blurred, lambda _: SQUARE, "^$"),
    (plain, lambda n: WIDE if n % 3 else SQUARE, blurred, lambda n: WIDE if n % 3 else SQUARE, "^$"),
    (plain, lambda _: WIDE, turned, lambda _: WIDE, "^$"),
    (with_profile(SRGB), lambda _: SQUARE, converted("RGBA"), lambda _: SQUARE, "^$"),
    (lambda picture, path: converted("L")(picture, path), lambda _: SQUARE,
     lambda picture, path: plain(picture.convert("L").convert("RGB"), path), lambda _: SQUARE, "^$"),
]  # fmt: skip


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_each_kind_of_difference_is_named(kind: int, tmp_path: Path) -> None:
    *sides, said = KINDS[kind]
    facts = []
    for side, save, size in (("real", *sides[:2]), ("fake", *sides[2:])):
        (tmp_path / side).mkdir()
        for n in range(N):
            save(scene(n + 100 * (side == "fake"), *size(n)), tmp_path / side / str(n))
        facts.append(technical_facts(sorted((tmp_path / side).iterdir())))
    found = technical_differences(*facts)
    assert len(found) == (said != "^$")
    assert re.search(said, "; ".join(found)), found
