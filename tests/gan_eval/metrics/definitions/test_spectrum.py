"""The radial spectrum compared with means by scipy, and the peak on pictures that were upsampled."""

from pathlib import Path

import numpy as np
import pytest
from made_sets import write_items
from metric_pictures import measure, texture
from PIL import Image, ImageFilter
from scipy import ndimage
from scipy.fft import fft2
from skimage import data

from gan_eval.metrics.definitions.spectrum import RINGS, peak_frequency, radial_spectrum, upsampling_peak
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.one_value import score
from gan_eval.pictures.decode import Picture

SIDE = 96


def photographs(count: int) -> list[Picture]:
    rng = np.random.default_rng(0)
    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    tops = [[int(rng.integers(0, length - SIDE)) for length in sources[n % 4].shape[:2]] for n in range(count)]
    return [np.ascontiguousarray(sources[n % 4][y : y + SIDE, x : x + SIDE]) for n, (y, x) in enumerate(tops)]


def resized(picture: Picture, factor: float) -> Picture:
    side = round(SIDE * factor)
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def up_convolved(picture: Picture, uneven: float) -> Picture:
    """The picture at half size through a transposed convolution of stride 2; an uneven kernel leaves a checkerboard."""
    half, kernel = resized(picture, 0.5).astype(float), np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    kernel[1, 1] += uneven
    up = np.zeros((SIDE + 2, SIDE + 2, 3))
    for row in range(3):
        for column in range(3):
            up[row : row + SIDE : 2, column : column + SIDE : 2] += kernel[row, column] * half
    return np.clip(np.rint(up[1:-1, 1:-1]), 0, 255).astype(np.uint8)


def spectra(pictures: list[Picture]) -> np.ndarray:
    return np.stack([radial_spectrum(picture) for picture in pictures])


REAL = photographs(24)
SPECTRA = spectra(REAL)


def test_the_spectrum_is_the_mean_power_of_each_ring() -> None:
    picture = texture(0, 64, 80)
    luma = (picture.astype(int) @ [299, 587, 114] + 500) // 1000
    window = np.outer(*(np.sin(np.pi * np.arange(1, n + 1) / (n + 1)) ** 2 for n in (64, 80)))
    power = np.abs(fft2((luma - luma.mean()) * window)) ** 2 / (window**2).sum()
    v, u = np.ogrid[:64, :80]
    rings = np.round(64 * np.hypot(np.minimum(v, 64 - v) / 64, np.minimum(u, 80 - u) / 80))
    expected = 10 * np.log10(ndimage.mean(power, rings, range(1, RINGS + 1)) + 1 / 12)
    assert radial_spectrum(picture) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("uneven", "least"), [(0.1, 20), (0.02, 10)])
def test_a_checkerboard_is_a_peak_at_half_a_cycle_a_pixel(uneven: float, least: float) -> None:
    fake = spectra([up_convolved(picture, uneven) for picture in REAL])
    assert upsampling_peak(SPECTRA, fake) > least
    assert peak_frequency(SPECTRA, fake) in (32 / 64, 45 / 64)  # half a cycle along an axis, or along both
    assert score("upsampling_peak", fake, SPECTRA) == upsampling_peak(SPECTRA, fake)


def test_pictures_without_upsampling_traces_have_no_peak() -> None:
    rng = np.random.default_rng(1)
    others = {
        "other photographs": photographs(48)[24:],
        "softer": [np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(1.2))) for p in REAL],
        "noisier": [np.clip(p + rng.normal(0, 8, p.shape), 0, 255).astype(np.uint8) for p in REAL],
        "smoothly enlarged": [np.asarray(Image.fromarray(resized(p, 0.5)).resize((SIDE, SIDE), 3)) for p in REAL],
    }
    for name, pictures in others.items():
        fake = spectra(pictures)
        assert upsampling_peak(SPECTRA, fake) < 2.5, name
    assert upsampling_peak(SPECTRA, SPECTRA) == 0


def test_too_small_pictures_and_empty_sets_are_reasons() -> None:
    with pytest.raises(Unmeasurable, match=r"63x80.*64x64"):
        radial_spectrum(texture(0, 80, 63))
    with pytest.raises(Unmeasurable, match="0 real and 24 generated"):
        upsampling_peak(SPECTRA[:0], SPECTRA)
    with pytest.raises(ValueError, match=r"expected \(N, 45\)"):
        score("upsampling_peak", SPECTRA[:, :9], SPECTRA[:, :9])


def test_a_set_has_the_peak_its_interval_and_its_place(tmp_path: Path) -> None:
    items = {f"{n:02}": {"real": p, "fake": up_convolved(p, 0.1)} for n, p in enumerate(REAL)}
    found = measure(write_items(tmp_path / "set", items), "upsampling_peak").set_metrics.iloc[0]
    fake = spectra([item["fake"] for item in items.values()])
    assert found["value"] == pytest.approx(upsampling_peak(SPECTRA, fake), abs=1e-4)
    assert found["ci_low"] < found["value"] < found["ci_high"]
    assert "the peak lies at 0." in found["note"]
