"""PSNR, L1, SSIM and MS-SSIM, whole and in the hole, compared with scikit-image, piq and exact sums."""

import math

import numpy as np
import piq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_pictures import disturbed, planes, texture
from numpy.typing import NDArray
from picture_strategies import pictures
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gan_eval.metrics import functional
from gan_eval.metrics.definitions.similarity import l1, ms_ssim, psnr, ssim, ssim_luma
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.pictures.decode import Picture

sizes = st.integers(1, 90)


@settings(max_examples=30)
@given(pictures(2, sizes))
def test_psnr_and_l1_are_those_of_exact_sums(pair: list[Picture]) -> None:
    fake, real = pair
    difference = fake.astype(np.int64) - real
    squares, absolutes = int((difference**2).sum()), int(abs(difference).sum())
    assert l1(fake, real) == absolutes / fake.size
    if squares == 0:
        assert psnr(fake, real) == math.inf
    else:
        assert psnr(fake, real) == 10 * math.log10(255**2 * fake.size / squares)
        assert psnr(fake, real) == pytest.approx(peak_signal_noise_ratio(real, fake, data_range=255), abs=1e-9)


def test_sums_of_large_pictures_do_not_overflow() -> None:
    white = np.full((1000, 1200, 3), 255, np.uint8)
    black = np.zeros_like(white)
    assert psnr(white, black) == 0
    assert l1(white, black) == 255


@pytest.mark.parametrize("metric", [psnr, l1])
def test_a_value_range_is_never_guessed(metric) -> None:
    floats = texture(0, 16, 16).astype(np.float32) / 255
    for wrong in (floats, torch.from_numpy(floats), texture(0, 16, 16).astype(np.int16)):
        found = r"expected \(H, W, channels\) uint8 or uint16, found \(16, 16, 3\) (float32|int16)"
        with pytest.raises(TypeError, match=found):
            metric(wrong, wrong)
    with pytest.raises(TypeError, match="two pictures of one depth"):
        metric(texture(0, 16, 16), texture(0, 16, 16).astype(np.uint16))
    with pytest.raises(TypeError, match=r"found .* list"):
        metric([[[0, 0, 0]]], [[[0, 0, 0]]])


SCIKIT_IMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def integer_luma(picture: Picture) -> NDArray[np.uint8]:
    return ((picture.astype(int) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)


@settings(max_examples=25)
@given(pictures(2, st.integers(11, 90)))
def test_ssim_is_scikit_images_gaussian_variant(pair: list[Picture]) -> None:
    fake, real = pair
    wanted = structural_similarity(fake, real, channel_axis=-1, **SCIKIT_IMAGE)
    assert ssim(fake, real) == pytest.approx(wanted, abs=5e-7)


@settings(max_examples=25)
@given(pictures(2, st.integers(11, 150)))
def test_luma_ssim_is_scikit_images_on_the_integer_luma(pair: list[Picture]) -> None:
    fake, real = pair
    wanted = structural_similarity(integer_luma(fake), integer_luma(real), **SCIKIT_IMAGE)
    assert ssim_luma(fake, real) == pytest.approx(wanted, abs=5e-7)


@pytest.mark.nightly
@settings(max_examples=3)  # piq takes half a second in float64
@given(pictures(2, st.integers(161, 180)))
def test_ms_ssim_is_piqs(pair: list[Picture]) -> None:
    theirs = piq.multi_scale_ssim(*map(planes, pair), data_range=255)
    assert ms_ssim(*pair) == pytest.approx(float(theirs), abs=1e-5)


@pytest.mark.parametrize(
    ("metric", "fake", "real", "reason"),
    [
        *((metric, (20, 12), (12, 20), "12x20 and 20x12") for metric in (psnr, l1, ssim, ssim_luma, ms_ssim)),
        *((metric, (10, 30), (10, 30), "30x10 pixels; SSIM needs at least 11x11") for metric in (ssim, ssim_luma)),
        (ms_ssim, (160, 300), (160, 300), "300x160 pixels; MS-SSIM needs at least 161x161"),
    ],
)
def test_sizes_without_a_value(metric, fake: tuple[int, int], real: tuple[int, int], reason: str) -> None:
    with pytest.raises(Unmeasurable, match=reason):
        metric(texture(0, *fake), texture(1, *real))


Hole = NDArray[np.bool_]
ALL = (psnr, ssim, l1)
REAL = texture(0, 40, 60)
FAKE = disturbed(REAL, 1)


def some_hole(kind: str, height: int, width: int, seed: int) -> Hole:
    rng, hole = np.random.default_rng(seed), np.zeros((height, width), bool)
    if kind == "centre":
        hole[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    elif kind == "border":
        hole[:, : width // 2] = True
    elif kind == "point":
        hole[rng.integers(5, height - 5), rng.integers(5, width - 5)] = True
    else:
        hole = rng.random((height, width)) < (1.0 if kind == "everything" else 0.3)
        hole[height // 2, width // 2] = True
    return hole


any_hole = st.sampled_from(["centre", "border", "point", "everything", "scattered"])


@settings(max_examples=40)
@given(pictures(2, st.integers(12, 110)), any_hole, st.integers(0, 10**6))
def test_ssim_is_scikit_images_map_averaged_over_the_hole(pair: list[Picture], kind: str, seed: int) -> None:
    fake, real = pair
    hole = some_hole(kind, *fake.shape[:2], seed)
    _, found = structural_similarity(fake, real, full=True, channel_axis=-1, **SCIKIT_IMAGE)
    wanted = found[5:-5, 5:-5][hole[5:-5, 5:-5]].mean()
    assert ssim(fake, real, hole) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=40)
@given(pictures(2, st.integers(12, 90)), any_hole, st.integers(0, 10**6))
def test_psnr_and_l1_are_those_of_float64(pair: list[Picture], kind: str, seed: int) -> None:
    fake, real = pair
    hole = some_hole(kind, *fake.shape[:2], seed)
    difference = (fake.astype(float) - real)[hole]
    assert l1(fake, real, hole) == pytest.approx(abs(difference).mean(), abs=1e-6)
    error = (difference**2).mean()
    wanted = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    assert psnr(fake, real, hole) == pytest.approx(wanted, abs=1e-6)


def test_unfit_holes_have_no_value() -> None:
    hole = np.ones((40, 60), bool)
    for metric in ALL:
        with pytest.raises(Unmeasurable, match="the mask has no hole"):
            metric(FAKE, REAL, ~hole)
        with pytest.raises(Unmeasurable, match="the mask is 59x40 pixels, the real picture 60x40"):
            metric(FAKE, REAL, hole[:, 1:])
        with pytest.raises(TypeError, match=r"expected \(H, W\) bool, found \(40, 60\) uint8"):
            metric(FAKE, REAL, hole.view(np.uint8))  # type: ignore[arg-type]
    rim = hole.copy()
    rim[5:-5, 5:-5] = False
    with pytest.raises(Unmeasurable, match="the whole hole is within 5 pixels of the border"):
        ssim(FAKE, REAL, rim)
    assert psnr(FAKE, REAL, rim) > 0


def test_functions_of_batches_name_the_picture_and_refuse_other_holes() -> None:
    fake, real = (torch.from_numpy(np.stack([one, one])).permute(0, 3, 1, 2) for one in (FAKE, REAL))
    hole = torch.ones(2, 40, 60, dtype=torch.bool)
    hole[1] = False
    with pytest.raises(Unmeasurable, match=r"^picture 1: the mask has no hole"):
        functional.l1_hole(fake, real, hole)
    with pytest.raises(ValueError, match="2 generated pictures and 1 holes"):
        functional.l1_hole(fake, real, hole[:1])
    with pytest.raises(TypeError, match=r"expected holes as \(N, H, W\) bool, found \(2, 1, 40, 60\)"):
        functional.ssim_hole(fake, real, hole[:, None])
