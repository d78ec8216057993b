from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from make_metrics import metric_of
from scipy.stats import chi2

from gan_eval.stats.metrics_and_people.models import metric_models
from gan_eval.stats.mixed import fit_crossed
from gan_eval.stats.shares import holm
from gan_eval.stats.trials import fill_trials


def known(
    slope: float, *, rest: float = 0.6, seed: int = 0, participants: int = 60, stimuli: int = 150
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Answers to fakes with log-odds 0.2 + slope z + person (SD 0.5) + picture (SD rest), and z of each picture."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=stimuli)
    z = (z - z.mean()) / z.std(ddof=1)
    picture = np.tile(np.arange(stimuli), participants)
    person = np.repeat(np.arange(participants), stimuli)
    eta = 0.2 + slope * z[picture] + rng.normal(0, 0.5, participants)[person] + rng.normal(0, rest, stimuli)[picture]
    real = rng.random(len(eta)) < 1 / (1 + np.exp(-eta))
    names = [f"faces/gan/{number:03d}" for number in range(stimuli)]
    frame = pd.DataFrame({"participant": [f"P{number:02d}" for number in person], "kind": "fake", "model": "gan"})
    frame = frame.assign(stimulus=np.array(names)[picture], dataset="faces", response=np.where(real, "real", "fake"))
    return fill_trials(frame), dict(zip(names, z, strict=True))


def test_recovers_the_slope_and_the_share_explained():
    trials, z = known(0.8)
    row = metric_models(trials, image_metrics=metric_of(trials, z)).iloc[0]
    assert abs(row["estimate"] - 0.8) < 3 * row["std_error"]
    assert row["std_error"] == pytest.approx(0.6 / np.sqrt(150), rel=0.3)
    assert row["explained"] == pytest.approx(0.64 / (0.64 + 0.36), abs=0.12)
    assert row["lrt_p"] < 1e-10
    assert row["lrt_p"] == pytest.approx(chi2.sf(row["lrt_chi2"], 1))
    assert row["metric_sd"] == pytest.approx(1)
    assert (row["n_trials"], row["n_participants"], row["n_stimuli"]) == (9000, 60, 150)


def test_the_metrics_unit_changes_nothing_but_its_sd():
    trials, z = known(0.5, participants=25, stimuli=60)
    plain, turned = (
        metric_models(trials, image_metrics=metric_of(trials, values)).iloc[0]
        for values in (z, {name: 40 - 3 * value for name, value in z.items()})
    )
    assert turned["estimate"] == pytest.approx(-plain["estimate"], abs=1e-4)
    assert turned["lrt_chi2"] == pytest.approx(plain["lrt_chi2"], abs=1e-4)
    assert turned["metric_sd"] == pytest.approx(3 * plain["metric_sd"])


@pytest.mark.slow
def test_metrics_without_relation_are_called_so_in_one_of_twenty():
    trials, z = known(0.0, participants=20, stimuli=50)
    rng = np.random.default_rng(5)
    noise = [metric_of(trials, dict(zip(z, rng.normal(size=len(z)), strict=True)), f"m{k:02d}") for k in range(40)]
    table = metric_models(trials, image_metrics=pd.concat(noise))
    assert (table["lrt_p"] < 0.05).sum() <= 5  # of 40: 2 expected
    assert table["lrt_p"].mean() == pytest.approx(0.5, abs=0.15)
    assert table["p_holm"].tolist() == pytest.approx(holm(table["lrt_p"]).tolist())
    assert table["explained"].median() < 0.1


def test_infinite_values_are_left_out_and_said():
    trials, z = known(0.8, participants=20, stimuli=40)
    first, second = list(z)[:2]
    row = metric_models(trials, image_metrics=metric_of(trials, z | {first: np.inf, second: np.nan})).iloc[0]
    assert (row["n_stimuli"], row["n_trials"]) == (38, 760)
    assert "1 infinite" in row["note"]
    without = {name: value for name, value in z.items() if name not in (first, second)}
    same = metric_models(trials, image_metrics=metric_of(trials, without)).iloc[0]
    assert row["estimate"] == same["estimate"]


def test_equal_values_and_one_picture_have_a_word():
    trials, z = known(0.8, participants=10, stimuli=20)
    flat = metric_models(trials, image_metrics=metric_of(trials, dict.fromkeys(z, 0.1 + 0.2))).iloc[0]
    assert np.isnan(flat["estimate"])
    assert "equal" in flat["note"]
    infinite = metric_models(trials, image_metrics=metric_of(trials, dict.fromkeys(z, np.inf))).iloc[0]
    assert "no picture has a value" in infinite["note"]


def test_few_people_are_named_and_a_worse_fit_with_the_metric_has_no_test(monkeypatch):
    trials, z = known(0.8, participants=4, stimuli=30)
    row = metric_models(trials, image_metrics=metric_of(trials, z)).iloc[0]
    assert "few participants (4): their spread is badly known" in row["note"]
    assert np.isfinite(row["lrt_chi2"])
    from_there = fit_crossed

    def worse(y, X, *levels, **more):
        fit = from_there(y, X, *levels, **more)
        return replace(fit, log_likelihood=fit.log_likelihood - 100) if X.shape[1] == 2 else fit

    monkeypatch.setattr("gan_eval.stats.metrics_and_people.models.fit_crossed", worse)
    row = metric_models(trials, image_metrics=metric_of(trials, z)).iloc[0]
    assert np.isnan(row["lrt_p"])
    assert "no likelihood-ratio test: did not converge" in row["note"]
    assert np.isfinite(row["estimate"])


def test_too_many_answers_are_not_fitted(monkeypatch):
    trials, z = known(0.8, participants=6, stimuli=20)
    monkeypatch.setattr("gan_eval.stats.mixed.limits.MOST_FITTED", 100)
    row = metric_models(trials, image_metrics=metric_of(trials, z)).iloc[0]
    assert row["note"] == "more than 100 trials: no model is fitted"
    assert np.isnan(row["estimate"])


def test_without_metrics_the_table_is_empty_with_all_its_columns():
    trials, _ = known(0.8, participants=3, stimuli=5)
    assert metric_models(trials).empty
    assert "explained" in metric_models(trials).columns
