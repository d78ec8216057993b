"""The report's section of psychometric functions, from tables alone."""

import pytest
from synthetic_tables import folder_of

from gan_eval.report.people.curves import psychometric_blocks


def section(*, level="requested_exposure_ms", thresholds=(150.0, 300.0), link="logit"):
    shared = {"task": "single", "dataset": "faces", "simulated": False}
    counts = {"n_levels": 3, "n_trials": 90, "n_participants": 10, "n_stimuli": 30, "link": link}
    functions = [
        shared | counts
        | {"model": model, "level": level, "threshold": at, "threshold_low": 0.8 * at, "threshold_high": 1.3 * at,
           "share": 0.74, "slope": 1.2, "slope_low": 0.8, "slope_high": 1.6, "guess_rate": 0.45, "lapse_rate": 0.02,
           "sd_participant": 0.5, "sd_stimulus": 0.4, "basis": "crossed_model"}
        for model, at in zip("ab", thresholds, strict=True)
    ]  # fmt: skip
    levels = [
        shared | {"model": model, "at": at, "n_trials": 30, "accuracy": share, "ci_low": share - 0.1,
                  "ci_high": share + 0.05, "fitted": share}
        for model in "ab"
        for at, share in zip((thresholds[0] / 2, thresholds[0], thresholds[1]), (0.55, 0.7, 0.9), strict=True)
    ]  # fmt: skip
    return psychometric_blocks(folder_of(psychometric=functions, psychometric_levels=levels))


@pytest.mark.slow
def test_thresholds_are_in_table_and_chart():
    charts, functions = section()
    (chart,) = charts.charts
    assert chart.title == "Correct answers on faces"
    assert "a: threshold 150" in chart.alternative
    (axes,) = chart.figures[0].axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["75", "150", "300"]
    assert functions.rows[0][2].replace("\u202f", " ") == "150 ms"
    assert functions.rows[1][3].replace("\u202f", " ") == "[240 ms, 390 ms]"


@pytest.mark.parametrize(("link", "unit"), [("logit", "log-odds"), ("probit", "probits")])
def test_the_slope_has_the_unit_of_its_link(link, unit):
    (note,) = section(link=link)[1].notes
    assert f"Slope: {unit}" in note


def test_another_level_is_named():
    (chart,) = section(level="noise", thresholds=(0.1, 0.4))[0].charts
    assert chart.figures[0].axes[0].get_xlabel() == "noise"
