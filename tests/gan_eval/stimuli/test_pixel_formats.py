"""Every sample of any picture: written, read again, measured; and how it is shown."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gan_eval.errors import UserError
from gan_eval.giveaways.audit import audit
from gan_eval.giveaways.equalise import Form, equalise
from gan_eval.metrics import evaluate
from gan_eval.stimuli.importing import import_folder
from gan_eval.stimuli.pictures import (
    common_format,
    contents_of,
    decode_measured,
    read_as,
    read_rgb,
    read_stored,
    resize,
    write_samples,
)
from gan_eval.stimuli.pixel_formats import RGB8, Display, PixelFormat, Samples, shown
from gan_eval.stimuli.sets import read_set


def noise(seed: int, channels: int, bits: int, side: tuple[int, int] = (24, 17)) -> Samples:
    return np.random.default_rng(seed).integers(0, 2**bits, (*side, channels)).astype(f"uint{bits}")


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_what_is_written_is_read(channels: int, bits: int, tmp_path: Path) -> None:
    samples = noise(1, channels, bits)
    display = None if bits == 8 and channels in (1, 3) else Display(3, 200, (channels,))
    pixel_format = PixelFormat(channels, 16 if bits == 16 else 8, display=display)
    paths = [tmp_path / f"{name}{pixel_format.suffix}" for name in "ab"]
    for path in paths:
        write_samples(path, samples, pixel_format)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    stored = read_stored(paths[0])
    assert not stored.alpha
    assert stored.samples.dtype == samples.dtype
    np.testing.assert_array_equal(stored.samples, samples)
    np.testing.assert_array_equal(read_rgb(paths[0]), shown(samples, display))
    np.testing.assert_array_equal(read_as(paths[0], common_format({paths[0]: contents_of(paths[0])})), samples)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_tiff_of_any_layout(planes: str, compression: str | None, tmp_path: Path) -> None:
    samples = noise(1, 5, 16)
    stored = samples if planes == "contig" else np.moveaxis(samples, 2, 0)
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, stored, photometric="minisblack", planarconfig=planes, compression=compression)
    np.testing.assert_array_equal(read_stored(path).samples, samples)
    with pytest.raises(UserError, match=r"x\.tif: (16 bits, 5 channels: only grey and RGB|not a readable picture)"):
        read_rgb(path)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("shape", [(5, 8, 12), (3, 8, 12), (4, 8, 12, 3)])
def test_a_stack_of_pages_is_refused_by_every_reader(shape: tuple[int, ...], bits: int, tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(0, 2**bits, shape, dtype=f"uint{bits}")
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb" if len(shape) == 4 else "minisblack")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:  # pages of different sizes
        file.write(pages[0], photometric="rgb" if len(shape) == 4 else "minisblack")
        file.write(pages[1, :6], photometric="rgb" if len(shape) == 4 else "minisblack")
    for name in ("a.tif", "b.tif"):
        path = tmp_path / name
        for read in (read_rgb, read_stored, lambda each: decode_measured(each.read_bytes(), each)):
            with pytest.raises(UserError, match=rf"{name}: .*a stack of \d pages: save the page that is meant"):
                read(path)  # type: ignore[operator]


def test_a_thumbnail_is_no_page(tmp_path: Path) -> None:
    picture = noise(1, 3, 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(picture, photometric="rgb")
        file.write(picture[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.tif"), picture)
    np.testing.assert_array_equal(read_stored(tmp_path / "a.tif").samples, picture)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint32])
def test_other_depths_are_refused_by_name(kind: type, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", noise(1, 4, 8).astype(kind), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UserError, match=r"x\.tif: .*wanted whole numbers of 8 or 16 bits"):
        read_stored(tmp_path / "x.tif")


def test_alpha_is_dropped_where_it_says_nothing_and_else_refused(tmp_path: Path) -> None:
    samples = noise(2, 4, 8)
    for name, alpha in (("glass", 254), ("opaque", 255)):
        samples[..., 3] = alpha
        Image.fromarray(samples).save(tmp_path / f"{name}.png")
        assert contents_of(tmp_path / f"{name}.png") == RGB8
    np.testing.assert_array_equal(read_as(tmp_path / "opaque.png", RGB8), samples[..., :3])
    with pytest.raises(UserError, match=r"glass\.png: the picture is transparent in places"):
        read_as(tmp_path / "glass.png", RGB8)


def test_16_bits_are_resized_without_rounding_to_8() -> None:
    samples = noise(1, 2, 16, (40, 30))
    found = resize(samples, (20, 15))
    assert (found.shape, found.dtype) == ((20, 15, 2), np.uint16)
    wanted = resize((samples >> 8).astype(np.uint8), (20, 15))
    assert np.abs(found / 257 - wanted).max() < 2.5
    assert (found % 257 != 0).mean() > 0.9
    assert resize(samples, (40, 30)) is samples
    colours = noise(2, 4, 8, (40, 30))
    np.testing.assert_array_equal(resize(colours, (20, 15))[..., :3], resize(colours[..., :3], (20, 15)))


def write_results(folder: Path, samples: dict[str, list[Samples]]) -> Path:
    for role, pictures in samples.items():
        (folder / role).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            file, how = folder / role / f"{number}.tif", {"planarconfig": "contig"} if picture.shape[2] > 1 else {}
            tifffile.imwrite(file, picture.squeeze(), photometric="minisblack", **how)
    return folder


@pytest.mark.slow
def test_a_foreign_16_bit_result_is_imported_measured_audited_and_equalised(tmp_path: Path) -> None:
    for channels in (1, 4):
        real, fake = ([noise(10 * n + k, channels, 16, (40, 40)) // 16 for k in range(3)] for n in (1, 2))
        folder = write_results(tmp_path / f"results{channels}", {"real": real, "fake": fake})
        imported = import_folder(folder, tmp_path / f"set{channels}")
        assert (imported.items, imported.problems) == (3, ())
        display = Display.parse(
            json.loads((imported.folder / ".gan-eval/import.json").read_text())["pictures"]["display"]
        )
        assert (display.low, display.high) == (min(x.min() for x in real), max(x.max() for x in real))
        stimuli = read_set(imported.folder)
        values, _ = evaluate(imported.folder, ("psnr", "ssim", "l1", "ssim_luma"), cache=False)
        values = values.set_index(["stimulus", "metric"])
        for row in stimuli.rows:
            number = int(row["item"].split("/")[1])
            source = (real if row["kind"] == "real" else fake)[number]
            np.testing.assert_array_equal(read_stored(imported.folder / row["file"]).samples, source)
            np.testing.assert_array_equal(read_rgb(imported.folder / row["file"]), shown(source, display))
            if row["kind"] == "fake":
                pair = source, real[number]
                how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
                wanted = {
                    "psnr": peak_signal_noise_ratio(*pair, data_range=65535),
                    "ssim": structural_similarity(*pair, data_range=65535, **how),
                    "l1": np.abs(pair[0].astype(float) - pair[1]).mean() / 257,
                }
                for metric, value in wanted.items():
                    assert values.loc[row["stimulus"], metric]["value"] == pytest.approx(value, rel=1e-4)
                assert "is defined for 8-bit RGB" in values.loc[row["stimulus"], "ssim_luma"]["reason"]
        assert not audit([stimuli]).problems
        equal = tmp_path / f"equal{channels}"
        made = equalise(imported.folder, equal, Form())
        assert made.items == 3
        assert {Image.open(path).mode for path in equal.rglob("*.png")} == {"RGB"}


@pytest.mark.slow
def test_8_bit_results_beside_16_bit_originals_are_measured_in_8_bits(tmp_path: Path) -> None:
    deep = noise(1, 1, 16)
    (tmp_path / "real").mkdir()
    (tmp_path / "fake").mkdir()
    Image.fromarray(deep[..., 0]).save(tmp_path / "real" / "a.png")
    Image.fromarray(shown(deep, None)).save(tmp_path / "fake" / "a.png")
    values, _ = evaluate(real=tmp_path / "real", fake=tmp_path / "fake", metrics="l1", cache=False)
    assert values["value"].tolist() == [0.0]
    imported = import_folder(tmp_path, tmp_path / "set", dataset="d")
    assert decode_measured((imported.folder / "real" / "a.png").read_bytes(), Path("a")).dtype == np.uint8
