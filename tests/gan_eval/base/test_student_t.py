"""The quantile of Student's t equals SciPy's."""

import numpy as np
from scipy.special import stdtrit

from gan_eval.base.inference import t_95


def test_the_quantile_is_scipys_for_few_and_many_degrees_of_freedom():
    degrees = [*range(1, 60), 399, 400, 2000, 2001, 10**6]
    assert np.allclose([t_95(df) for df in degrees], stdtrit(degrees, 0.975), rtol=1e-12, atol=0)
