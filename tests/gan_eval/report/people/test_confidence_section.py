"""The report's section of ROC curves from confidence, from tables alone."""

import numpy as np
import pytest
from synthetic_tables import folder_of

from gan_eval.report.people.curves import confidence_section

FIT = {
    "dataset": "faces", "d_a": 1.0, "d_a_low": 0.8, "d_a_high": 1.2, "slope": 0.8, "slope_low": 0.7, "slope_high": 0.9,
    "a_z": 0.76, "a_z_low": 0.71, "a_z_high": 0.8, "intercept": 0.9, "n_ratings": 3, "n_real": 90, "n_fake": 80,
    "n_participants": 9, "n_stimuli": 40, "basis": "two_way_cluster", "simulated": False,
}  # fmt: skip
NOT_FITTED = dict.fromkeys(("d_a", "d_a_low", "d_a_high", "slope", "slope_low", "slope_high", "a_z", "intercept"))
WHY = "the ratings of reals and of fakes hardly overlap: no finite estimate"
POINTS = (
    {"cut": 1, "from_rating": "fake 2", "hit_rate": 0.5, "false_alarm_rate": 0.0, "z_hit": 0.0},
    {"cut": 2, "from_rating": "fake 1", "hit_rate": 0.8, "false_alarm_rate": 0.3, "z_hit": 0.84}
    | {"z_false_alarm": -0.52},
)


def section(models=("a",), **cells):
    points = [{"model": model, "dataset": "faces", "simulated": False} | point for model in models for point in POINTS]
    return confidence_section(folder_of(roc=[FIT | {"model": model} | cells for model in models], roc_points=points))


@pytest.mark.slow
def test_points_and_fits_are_drawn_in_two_panels():
    charts, table = section(models=("a", "b")).blocks
    (chart,) = charts.charts
    assert (chart.title, len(chart.figures)) == ("ROC and zROC on faces", 2)
    assert chart.alternative == "a: d_a 1.00, slope 0.80; b: d_a 1.00, slope 0.80"
    roc, z = (figure.axes[0] for figure in chart.figures)
    lines = [line for line in z.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    x, y = (np.asarray(of(), float) for of in (lines[0].get_xdata, lines[0].get_ydata))
    assert (y[1] - y[0]) / (x[1] - x[0]) == pytest.approx(0.8)
    assert roc.get_xlim() == roc.get_ylim()
    assert [text.get_text() for text in chart.figures[0].legends[0].get_texts()] == ["a", "b"]
    assert table.rows[0][:3] == ["faces", "a", "1.00"]
    assert table.source == "roc"


def test_without_a_fit_points_are_drawn_and_the_note_says_why():
    charts, why = section(**NOT_FITTED, note=WHY, basis=None).blocks
    assert "Gaussian" not in charts.charts[0].caption
    assert why.lines == [f"a on faces: {WHY}"]
