"""Sharpness compared with scipy's Laplacian."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_pictures import texture
from picture_strategies import pictures
from scipy.ndimage import laplace

from gan_eval.metrics.definitions.no_reference import sharpness
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.stimuli.pictures import Picture


@settings(max_examples=60)
@given(pictures(1, st.integers(3, 90)))
def test_is_the_variance_of_scipys_laplacian(single: list[Picture]) -> None:
    (picture,) = single
    luma = (picture.astype(np.int64) @ [299, 587, 114] + 500) // 1000
    bend = laplace(luma)[1:-1, 1:-1]
    assert sharpness(picture) == pytest.approx(bend.var(), rel=1e-12, abs=1e-12)


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable, match="2x40 pixels; sharpness needs at least 3x3"):
        sharpness(texture(0, 40, 2))
