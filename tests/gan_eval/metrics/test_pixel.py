import math

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, texture
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from gan_eval.images import Picture
from gan_eval.metrics.pixel import luma, psnr, ssim, ssim_luma
from gan_eval.metrics.unmeasurable import Unmeasurable

SCIKIT_IMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def _pairs() -> list[tuple[Picture, Picture]]:
    picture = texture(0, 97, 130)
    flat = np.full((64, 64, 3), 255, np.uint8)
    return [
        (disturbed(picture, 1), picture),
        (disturbed(picture, 2, 80), picture),
        (255 - picture, picture),
        (texture(3, 11, 11), texture(4, 11, 11)),
        (flat - np.uint8(1), flat),
        (flat * 0, flat),
    ]


@pytest.mark.parametrize("pair", range(6))
def test_ssim_is_scikit_images_gaussian_variant(pair: int) -> None:
    fake, real = _pairs()[pair]
    wanted = structural_similarity(fake, real, channel_axis=-1, **SCIKIT_IMAGE)
    assert ssim(fake, real) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("pair", range(6))
def test_luma_ssim_is_scikit_images_on_the_integer_luma(pair: int) -> None:
    fake, real = _pairs()[pair]
    lumas = [((p.astype(int) @ [299, 587, 114] + 500) // 1000).astype(np.uint8) for p in (fake, real)]
    assert ssim_luma(fake, real) == pytest.approx(structural_similarity(*lumas, **SCIKIT_IMAGE), abs=1e-6)


@pytest.mark.parametrize("pair", range(6))
def test_psnr_is_scikit_images(pair: int) -> None:
    fake, real = _pairs()[pair]
    assert psnr(fake, real) == pytest.approx(peak_signal_noise_ratio(real, fake, data_range=255), abs=1e-9)


def test_equal_pictures() -> None:
    picture = texture(5, 40, 40)
    assert psnr(picture, picture.copy()) == math.inf
    assert ssim(picture, picture.copy()) == 1.0


def test_tensors_and_arrays_give_the_same_number() -> None:
    fake, real = _pairs()[0]
    tensors = torch.from_numpy(fake), torch.from_numpy(real)
    assert psnr(*tensors) == psnr(fake, real)
    assert ssim(*tensors) == ssim(fake, real)


def test_luma_is_exact_for_every_grey_and_at_the_rounding_edges() -> None:
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert luma(torch.from_numpy(grey)).flatten().tolist() == list(range(256))
    colours = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    wanted = (colours.astype(np.int64) @ [299, 587, 114] + 500) // 1000
    assert np.array_equal(luma(torch.from_numpy(colours)).numpy(), wanted)


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable, match="12x20 and 20x12"):
        psnr(texture(0, 20, 12), texture(0, 12, 20))
    with pytest.raises(Unmeasurable, match="30x10 pixels; SSIM needs at least 11x11"):
        ssim(texture(0, 10, 30), texture(1, 10, 30))


def test_a_value_range_is_never_guessed() -> None:
    floats = texture(0, 16, 16).astype(np.float32) / 255
    with pytest.raises(TypeError, match="uint8"):
        psnr(floats, floats)
