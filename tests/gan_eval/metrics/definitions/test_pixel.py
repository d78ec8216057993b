"""PSNR and L1 compared with scikit-image and exact whole numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_pictures import texture
from picture_strategies import pictures
from skimage.metrics import peak_signal_noise_ratio

from gan_eval.metrics.definitions.similarity import l1, psnr
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli.pictures import Picture

sizes = st.integers(1, 90)


@settings(max_examples=60)
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


def test_what_cannot_be_measured_says_why() -> None:
    for metric in (psnr, l1):
        with pytest.raises(Unmeasurable, match="12x20 and 20x12"):
            metric(texture(0, 20, 12), texture(0, 12, 20))


@pytest.mark.parametrize("metric", [psnr, l1])
def test_a_value_range_is_never_guessed(metric) -> None:
    floats = texture(0, 16, 16).astype(np.float32) / 255
    for wrong in (floats, torch.from_numpy(floats), texture(0, 16, 16).astype(np.int16)):
        found = r"wanted \(H, W, channels\) uint8 or uint16, found \(16, 16, 3\) (float32|int16)"
        with pytest.raises(TypeError, match=found):
            metric(wrong, wrong)
    with pytest.raises(TypeError, match="two pictures of one depth"):
        metric(texture(0, 16, 16), texture(0, 16, 16).astype(np.uint16))
    with pytest.raises(TypeError, match=r"found .* list"):
        metric([[[0, 0, 0]]], [[[0, 0, 0]]])
