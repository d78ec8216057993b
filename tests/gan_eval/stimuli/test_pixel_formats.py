"""Every sample of any picture: read, measured, and rounded where 8-bit RGB is wanted."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gan_eval.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.stimuli.importing import import_folder
from gan_eval.stimuli.pictures import Samples, decode_measured, decode_rgb, read_rgb, resize, rounded, stored_of


def noise(seed: int, channels: int, bits: int, side: tuple[int, int] = (24, 17)) -> Samples:
    return np.random.default_rng(seed).integers(0, 2**bits, (*side, channels)).astype(f"uint{bits}")


CHANNELS = {"1": 1, "L": 1, "LA": 2, "P": 3, "PA": 4, "RGB": 3, "RGBA": 4}


@pytest.mark.parametrize("mode", CHANNELS)
def test_only_pictures_with_alpha_have_its_channel(mode: str, tmp_path: Path) -> None:
    samples, is_alpha = stored_of(Image.new(mode, (3, 2)), b"", tmp_path)
    assert (samples.shape, is_alpha) == ((2, 3, CHANNELS[mode]), mode.endswith("A"))


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_than_grey_and_rgb_are_refused(channels: int, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "x.tif", noise(1, channels, 16), photometric="minisblack", planarconfig="contig")
    with pytest.raises(UserError, match=r"x\.tif: not a readable picture \(unknown format\)"):
        read_rgb(tmp_path / "x.tif")
    if channels == 5:
        tifffile.imwrite(tmp_path / "x.tif", noise(1, channels, 8), photometric="rgb", planarconfig="contig")
        with pytest.raises(UserError, match=rf"x\.tif: {channels} channels: only grey and RGB are read"):
            read_rgb(tmp_path / "x.tif")


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
        for decode in (decode_rgb, decode_measured):
            with pytest.raises(UserError, match=rf"{name}: .*a stack of \d pages: save the page that is meant"):
                decode(path.read_bytes(), path)


def test_a_thumbnail_is_no_page(tmp_path: Path) -> None:
    picture = noise(1, 3, 8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(picture, photometric="rgb")
        file.write(picture[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.tif"), picture)


def test_16_bits_are_resized_without_rounding_to_8() -> None:
    samples = noise(1, 3, 16, (40, 30))
    found = resize(samples, (20, 15))
    assert (found.shape, found.dtype) == ((20, 15, 3), np.uint16)
    wanted = resize((samples >> 8).astype(np.uint8), (20, 15))
    assert np.abs(found / 257 - wanted).max() < 2.5
    assert (found % 257 != 0).mean() > 0.9
    assert resize(samples, (40, 30)) is samples


@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_pairs_are_measured_with_every_sample(channels: int, tmp_path: Path) -> None:
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
    assert "is defined for 8-bit RGB" in rows.loc["ssim_luma", "reason"]


def test_8_bit_results_next_to_16_bit_originals_are_measured_and_imported_in_8_bits(tmp_path: Path) -> None:
    deep = noise(1, 1, 16)
    (tmp_path / "real").mkdir()
    (tmp_path / "fake").mkdir()
    Image.fromarray(deep[..., 0]).save(tmp_path / "real" / "a.png")
    Image.fromarray(rounded(deep[..., 0])).save(tmp_path / "fake" / "a.png")
    values, _ = evaluate(real=tmp_path / "real", fake=tmp_path / "fake", metrics="l1", cache=False)
    assert values["value"].tolist() == [0.0]
    imported = import_folder(tmp_path, tmp_path / "set", dataset="d")
    assert evaluate(imported.folder, metrics="l1", cache=False)[0]["value"].tolist() == [0.0]
    with Image.open(imported.folder / "real" / "a.png") as picture:
        assert picture.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(picture)[..., 0], rounded(deep[..., 0]))
