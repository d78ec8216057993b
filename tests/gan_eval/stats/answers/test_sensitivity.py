import numpy as np
import pytest
from scipy.stats import norm

from gan_eval.stats.answers.sensitivity import detection


@pytest.mark.parametrize(
    ("counts", "dprime", "criterion"),
    [((15, 10, 7, 18), 0.801289, 0.157240), ((24, 1, 1, 24), 3.14889, 0.0)],
)
def test_published_table(counts, dprime, criterion):
    found = detection(*counts)
    assert float(found.dprime) == pytest.approx(dprime, abs=5e-6)
    assert float(found.criterion) == pytest.approx(criterion, abs=5e-6)


def test_formula_and_symmetry():
    hits, misses, false_alarms, correct_rejections = 30, 12, 5, 40
    hit, false_alarm = norm.ppf(30.5 / 43), norm.ppf(5.5 / 46)
    found = detection(hits, misses, false_alarms, correct_rejections)
    assert float(found.dprime) == pytest.approx(hit - false_alarm)
    assert float(found.criterion) == pytest.approx(-(hit + false_alarm) / 2)
    mirrored = detection(correct_rejections, false_alarms, misses, hits)
    assert float(mirrored.dprime) == pytest.approx(float(found.dprime))
    assert float(mirrored.criterion) == pytest.approx(-float(found.criterion))


def test_extreme_rates_are_finite_and_missing_kinds_are_not_numbers():
    assert np.isfinite(detection(25, 0, 0, 25)).all()
    assert np.isnan(detection(25, 0, 0, 0)).all()
    assert np.isnan(detection(0, 0, 3, 22)).all()
