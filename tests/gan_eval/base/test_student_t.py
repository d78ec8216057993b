"""The quantile of Student's t equals that of the incomplete beta function, whose inverse SciPy has exactly."""

import numpy as np
from scipy.special import betaincinv

from gan_eval.base.inference import t_95


def test_the_quantile_is_that_of_the_beta_function_for_few_and_many_degrees_of_freedom():
    degrees = [*range(1, 60), 399, 400, 2000, 2001, 10**6]
    share = betaincinv(0.5, np.array(degrees) / 2, 0.95)  # of t² in t² + df; stdtrit of SciPy 1.14 is off by 2e-11
    expected = np.sqrt(degrees * share / (1 - share))
    assert np.allclose([t_95(df) for df in degrees], expected, rtol=1e-12, atol=0)
