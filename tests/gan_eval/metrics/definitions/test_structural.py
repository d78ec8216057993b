"""SSIM compared with scikit-image, MS-SSIM with piq and pytorch-msssim, compiled code with torch."""

import numpy as np
import piq
import pytest
import pytorch_msssim
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_pictures import disturbed, texture
from numpy.typing import NDArray
from picture_strategies import pictures
from skimage.metrics import structural_similarity

from gan_eval.metrics.definitions.similarity import ms_ssim, ssim, ssim_luma
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli.pictures import Picture

SCIKIT_IMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def integer_luma(picture: Picture) -> NDArray[np.uint8]:
    return ((picture.astype(int) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)


def planes(picture: Picture) -> torch.Tensor:
    """(1, 3, H, W) float64."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].double()


def piqs_ms_ssim(fake: Picture, real: Picture) -> float:
    return float(piq.multi_scale_ssim(planes(fake), planes(real), data_range=255))


@settings(max_examples=80)
@given(pictures(2, st.integers(11, 150)))
def test_ssim_is_scikit_images_gaussian_variant(pair: list[Picture]) -> None:
    fake, real = pair
    wanted = structural_similarity(fake, real, channel_axis=-1, **SCIKIT_IMAGE)
    assert ssim(fake, real) == pytest.approx(wanted, abs=5e-7)


@settings(max_examples=40)
@given(pictures(2, st.integers(11, 150)))
def test_luma_ssim_is_scikit_images_on_the_integer_luma(pair: list[Picture]) -> None:
    fake, real = pair
    wanted = structural_similarity(integer_luma(fake), integer_luma(real), **SCIKIT_IMAGE)
    assert ssim_luma(fake, real) == pytest.approx(wanted, abs=5e-7)


@pytest.mark.slow
@settings(max_examples=6)  # piq takes half a second in float64
@given(pictures(2, st.integers(161, 200)))
def test_ms_ssim_is_piqs(pair: list[Picture]) -> None:
    assert ms_ssim(*pair) == pytest.approx(piqs_ms_ssim(*pair), abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(192, 256), (176, 208), (256, 256)])
def test_ms_ssim_is_pytorch_msssims_where_every_scale_is_even(size: tuple[int, int]) -> None:
    real = texture(3, *size)
    for fake in (disturbed(real, 4, 30), 255 - real):
        wanted = float(pytorch_msssim.ms_ssim(planes(fake), planes(real), data_range=255))
        assert ms_ssim(fake, real) == pytest.approx(wanted, abs=5e-6)


def test_what_cannot_be_measured_says_why() -> None:
    for metric in (ssim, ssim_luma):
        with pytest.raises(Unmeasurable, match="30x10 pixels; SSIM needs at least 11x11"):
            metric(texture(0, 10, 30), texture(1, 10, 30))
    with pytest.raises(Unmeasurable, match="300x160 pixels; MS-SSIM needs at least 161x161"):
        ms_ssim(texture(0, 160, 300), texture(1, 160, 300))
    with pytest.raises(Unmeasurable, match="differ"):
        ms_ssim(texture(0, 170, 180), texture(0, 180, 170))
