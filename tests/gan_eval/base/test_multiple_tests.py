"""Holm's correction, against statsmodels."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from gan_eval.base.inference import holm

p_values = st.lists(st.floats(0, 1) | st.just(float("nan")), max_size=12)


@pytest.mark.slow
@settings(max_examples=100)
@given(p_values)
def test_holm_is_that_of_statsmodels_over_the_tests_there_are(p: list[float]) -> None:
    given_p = np.array(p)
    known = ~np.isnan(given_p)
    adjusted = holm(given_p)
    assert np.isnan(adjusted[~known]).all()
    if known.any():
        with mock.patch("gc.collect"):  # statsmodels collects garbage in each call: a second where much is loaded
            expected = multipletests(given_p[known], method="holm")[1]
        assert adjusted[known] == pytest.approx(expected)
