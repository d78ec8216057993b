"""PSNR, L1 and SSIM in the hole, compared with NumPy in float64 and scikit-image's map."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_pictures import disturbed, texture
from numpy.typing import NDArray
from picture_strategies import pictures
from skimage.metrics import structural_similarity

from gan_eval.metrics import functional
from gan_eval.metrics.definitions.similarity import l1, psnr, ssim
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli.pictures import Picture

Hole = NDArray[np.bool_]
ALL = (psnr, ssim, l1)
REAL = texture(0, 40, 60)
FAKE = disturbed(REAL, 1)


def some_hole(kind: str, height: int, width: int, rng: np.random.Generator) -> Hole:
    hole = np.zeros((height, width), bool)
    if kind == "centre":
        hole[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    elif kind == "border":
        hole[:, : width // 2] = True
    elif kind == "point":
        hole[rng.integers(5, height - 5), rng.integers(5, width - 5)] = True
    elif kind == "everything":
        hole[:] = True
    else:
        hole = rng.random((height, width)) < 0.3
        hole[height // 2, width // 2] = True
    return hole


def holes(picture: Picture, kind: str, seed: int) -> Hole:
    return some_hole(kind, picture.shape[0], picture.shape[1], np.random.default_rng(seed))


any_hole = st.sampled_from(["centre", "border", "point", "everything", "scattered"])


@settings(max_examples=80)
@given(pictures(2, st.integers(12, 110)), any_hole, st.integers(0, 10**6))
def test_ssim_is_scikit_images_map_averaged_over_the_hole(pair: list[Picture], kind: str, seed: int) -> None:
    fake, real = pair
    hole = holes(fake, kind, seed)
    _, found = structural_similarity(
        fake, real, full=True, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=255,
    )  # fmt: skip
    wanted = found[5:-5, 5:-5][hole[5:-5, 5:-5]].mean()
    assert ssim(fake, real, hole) == pytest.approx(wanted, abs=1e-6)


@settings(max_examples=80)
@given(pictures(2, st.integers(12, 90)), any_hole, st.integers(0, 10**6))
def test_psnr_and_l1_are_those_of_float64(pair: list[Picture], kind: str, seed: int) -> None:
    fake, real = pair
    hole = holes(fake, kind, seed)
    difference = (fake.astype(float) - real)[hole]
    assert l1(fake, real, hole) == pytest.approx(abs(difference).mean(), abs=1e-6)
    error = (difference**2).mean()
    wanted = math.inf if error == 0 else 10 * math.log10(255**2 / error)
    assert psnr(fake, real, hole) == pytest.approx(wanted, abs=1e-6)


def test_what_lies_outside_the_hole_does_not_count() -> None:
    hole = some_hole("centre", 40, 60, np.random.default_rng(0))
    composite = np.where(hole[..., None], FAKE, REAL)
    assert psnr(composite, REAL, hole) == psnr(FAKE, REAL, hole)
    assert l1(composite, REAL, hole) == l1(FAKE, REAL, hole)
    assert psnr(np.where(hole[..., None], REAL, FAKE), REAL, hole) == math.inf
    far = np.zeros_like(hole)
    far[18:22, 28:32] = True
    assert ssim(composite, REAL, far) == pytest.approx(ssim(FAKE, REAL, far), abs=1e-6)
    assert ssim(composite, REAL, hole) > ssim(FAKE, REAL, hole), "windows at the edge see known pixels"


def test_what_cannot_be_measured_says_why() -> None:
    hole = np.ones((40, 60), bool)
    for metric in ALL:
        with pytest.raises(Unmeasurable, match="the mask has no hole"):
            metric(FAKE, REAL, ~hole)
        with pytest.raises(Unmeasurable, match="the mask is 59x40 pixels, the real picture 60x40"):
            metric(FAKE, REAL, hole[:, 1:])
        with pytest.raises(Unmeasurable, match=r"sizes .* differ"):
            metric(FAKE[1:], REAL, hole)
        with pytest.raises(TypeError, match=r"wanted \(H, W\) bool, found \(40, 60\) uint8"):
            metric(FAKE, REAL, hole.view(np.uint8))  # type: ignore[arg-type]
    rim = hole.copy()
    rim[5:-5, 5:-5] = False
    with pytest.raises(Unmeasurable, match="no pixel of the hole is 5 pixels from the border"):
        ssim(FAKE, REAL, rim)
    with pytest.raises(Unmeasurable, match="10x40 pixels; SSIM needs at least 11x11"):
        ssim(FAKE[:, :10], REAL[:, :10], hole[:, :10])
    assert psnr(FAKE, REAL, rim) > 0


def test_functions_of_batches_name_the_picture_and_refuse_other_holes() -> None:
    fake, real = (torch.from_numpy(np.stack([one, one])).permute(0, 3, 1, 2) for one in (FAKE, REAL))
    hole = torch.ones(2, 40, 60, dtype=torch.bool)
    hole[1] = False
    with pytest.raises(Unmeasurable, match=r"^picture 1: the mask has no hole"):
        functional.l1_hole(fake, real, hole)
    with pytest.raises(ValueError, match="2 generated pictures and 1 holes"):
        functional.l1_hole(fake, real, hole[:1])
    with pytest.raises(TypeError, match=r"wanted holes as \(N, H, W\) bool, found \(2, 1, 40, 60\)"):
        functional.ssim_hole(fake, real, hole[:, None])
