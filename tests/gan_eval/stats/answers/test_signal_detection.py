"""Signal detection and its intervals against scipy, statsmodels, and variances taken one cluster at a time."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, judged, simulated
from scipy.special import logit, ndtr, ndtri
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from gan_eval.stats.answers.detection import signal_detection
from gan_eval.stats.trials import main_trials

NUMBERS = ("hit_rate", "false_alarm_rate", "fooling_rate", "balanced_accuracy", "dprime", "criterion", "beta", "auc")


def whole(trials: pd.DataFrame) -> pd.Series:
    """The row about everything."""
    return signal_detection(trials).iloc[0]


def test_independent_intervals_follow_wilson_and_gourevitch_and_galanter() -> None:
    row = whole(from_counts(30, 12, 5, 40))
    hit, false_alarm = 30.5 / 43, 5.5 / 46
    of_hit = hit * (1 - hit) / (42 * norm.pdf(norm.ppf(hit)) ** 2)
    of_false_alarm = false_alarm * (1 - false_alarm) / (45 * norm.pdf(norm.ppf(false_alarm)) ** 2)
    half = norm.ppf(0.975) * np.sqrt(of_hit + of_false_alarm)
    dprime, criterion = norm.ppf(hit) - norm.ppf(false_alarm), -(norm.ppf(hit) + norm.ppf(false_alarm)) / 2
    assert (row["dprime"], row["criterion"]) == pytest.approx((dprime, criterion))
    assert (row["dprime_low"], row["dprime_high"]) == pytest.approx((dprime - half, dprime + half))
    assert row["criterion_high"] - row["criterion"] == pytest.approx(half / 2)
    for name, k in (("hit_rate", 30), ("fooling_rate", 12)):
        assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(proportion_confint(k, 42, method="wilson"))
    assert row["beta"] == pytest.approx(np.exp(dprime * criterion))
    assert row["auc"] == pytest.approx(norm.cdf(dprime / np.sqrt(2)))
    assert row["balanced_accuracy"] == pytest.approx((30 / 42 + 40 / 45) / 2)
    assert row["basis"] == "independent"
    assert "one participant" in row["note"]


MEASURES: dict[str, tuple[Callable[[float, float], float], Callable[[float], float]]] = {
    "hit_rate": (lambda hit, _: float(logit(hit)), lambda x: float(logit(x))),
    "false_alarm_rate": (lambda _, false_alarm: float(logit(false_alarm)), lambda x: float(logit(x))),
    "balanced_accuracy": (lambda hit, fa: float(logit((hit + 1 - fa) / 2)), lambda x: float(logit(x))),
    "dprime": (lambda hit, fa: float(ndtri(hit) - ndtri(fa)), float),
    "auc": (lambda hit, fa: float(ndtri(ndtr((ndtri(hit) - ndtri(fa)) / 2**0.5))), lambda x: float(ndtri(x))),
    "criterion": (lambda hit, fa: float(-(ndtri(hit) + ndtri(fa)) / 2), float),
}
"""Each measure on the scale of its interval, and the way there from the table."""


def test_clustered_variances_one_cluster_at_a_time() -> None:
    """The same sums, by loops and numerical gradients, for one model of a table with several."""
    trials = simulated(stimuli=40, each=30, participants=10, models=("a", "b"), sd_participant=0.9, seed=3)
    table = signal_detection(trials)
    row = table[(table["scope"] == "model") & (table["id"] == "b")].iloc[0]
    assert row["basis"] == "two_way_cluster"
    main = main_trials(trials)
    main = main[~main["is_fake"] | (main["model"] == "b")]
    is_fake, says_fake = main["is_fake"].to_numpy(bool), main["says_fake"].to_numpy(bool)
    rates = [(says_fake[kind].sum() + 0.5) / (kind.sum() + 1) for kind in (is_fake, ~is_fake)]
    main["error"] = np.where(is_fake, says_fake - rates[0], says_fake - rates[1])
    single = pd.Series(np.arange(len(main)), index=main.index)
    step = 1e-6
    for name, (measure, scale) in MEASURES.items():
        slopes = [
            (measure(rates[0] + a, rates[1] + b) - measure(rates[0] - a, rates[1] - b)) / (2 * step)
            for a, b in ((step, 0), (0, step))
        ]
        ways = []
        for cluster in (main["participant"], main["stimulus"], single):
            sums = 0.0
            for slope, kind in zip(slopes, (is_fake, ~is_fake), strict=True):
                number = cluster[kind].nunique()
                of_clusters = (main["error"] * kind).groupby(cluster).sum()
                sums = sums + slope * of_clusters / kind.sum() * np.sqrt(number / (number - 1))
            ways.append((sums**2).sum())
        variance = max(ways[0] + ways[1] - ways[2], ways[0], ways[1])
        half = student.ppf(0.975, 9) * np.sqrt(variance)
        assert scale(row[f"{name}_high"]) - scale(row[f"{name}_low"]) == pytest.approx(2 * half, rel=1e-6), name


@pytest.mark.parametrize("stimuli", [20, 500])
def test_no_interval_is_narrower_than_that_of_independent_answers(stimuli) -> None:
    trials = simulated(stimuli=stimuli, participants=25, each=20, sd_participant=0, sd_stimulus=0, seed=2)
    row, plain = whole(trials), whole(trials.assign(participant="P"))
    assert (row["basis"], plain["basis"]) == ("two_way_cluster", "independent")
    for name in NUMBERS:
        assert row[name] == pytest.approx(plain[name])
        assert row[f"{name}_low"] <= plain[f"{name}_low"] + 1e-12
        assert row[f"{name}_high"] >= plain[f"{name}_high"] - 1e-12


def test_everything_right_is_finite_and_as_wide_as_few_units_allow() -> None:
    trials = simulated(participants=30, stimuli=20, each=20)
    row = whole(trials.assign(response=trials["kind"]))
    assert np.isfinite(row[[f"{name}{end}" for name in NUMBERS for end in ("", "_low", "_high")]].to_numpy(float)).all()
    assert row["hit_rate_low"] <= proportion_confint(10, 10, method="wilson")[0] + 1e-9  # ten fakes
    assert "rate of 0 or 1" in row["note"]


def test_missing_kinds_and_single_units_are_empty_and_said() -> None:
    trials = simulated(participants=6, stimuli=20, each=20)
    fakes = whole(trials[trials["kind"] == "fake"])
    assert np.isnan(fakes["dprime"])
    assert fakes["hit_rate_low"] < fakes["hit_rate"] < fakes["hit_rate_high"]
    assert "no real pictures" in fakes["note"]
    first_real = trials.loc[trials["kind"] == "real", "stimulus"].iloc[0]
    one_real = whole(trials[(trials["kind"] == "fake") | (trials["stimulus"] == first_real)])
    assert np.isnan(one_real["dprime_low"])
    assert np.isfinite(one_real["dprime"])
    assert np.isnan(one_real["false_alarm_rate_low"])
    assert np.isfinite(one_real["hit_rate_low"])
    assert "no interval" in one_real["note"]
    picture = whole(trials[trials["stimulus"] == first_real])
    assert picture["basis"] == "independent"
    assert "one picture" in picture["note"]
    empty = whole(trials.iloc[:0])
    assert empty["note"] == "no answered trials"
    assert pd.isna(empty["basis"])
    assert whole(trials.assign(response="none"))[list(NUMBERS)].isna().all()


def observers(rng: np.random.Generator, evidence: np.ndarray) -> pd.DataFrame:
    """Each person's answers to the same pictures, fakes and reals in turn, from the mean evidence for `fake` (P, N)."""
    people, each = evidence.shape
    person, picture = np.repeat(np.arange(people), each), np.tile(np.arange(each), people)
    return judged(person, picture, picture % 2 == 0, rng.standard_normal(evidence.size) + evidence.ravel() > 0)


def test_the_mean_of_individuals_is_theirs_and_different_criteria_lower_only_the_pooled_one():
    people, each = 12, 200
    criteria = np.where(np.arange(people) % 2, -1.0, 1.0)[:, None]
    evidence = np.where(np.arange(each) % 2 == 0, 0.5, -0.5) - criteria
    table = signal_detection(observers(np.random.default_rng(4), evidence))
    row = table[table["scope"] == "all"].iloc[0]
    own = table[table["scope"] == "participant"]
    assert row["dprime_individual"] == pytest.approx(own["dprime"].mean())
    assert own["dprime_individual"].isna().all()
    assert row["dprime"] < 0.8 < row["dprime_individual"]
    assert row["dprime_individual_low"] < 1 < row["dprime_individual_high"]
    between = own["dprime"].std() / np.sqrt(people) * student.ppf(0.975, people - 1)
    assert row["dprime_individual_high"] - row["dprime_individual"] == pytest.approx(between, rel=0.2)


def test_the_mean_of_individuals_at_the_ceiling_has_no_interval():
    """All near d′ = 2.7, the value that the correction gives, was 2.68 to 2.77 where the pooled d′ was 0.5 to 7.8."""
    evidence = np.where(np.arange(30) % 2 == 0, 0.5, -0.5) * 6.0
    row = signal_detection(observers(np.random.default_rng(1), np.tile(evidence, (10, 1)))).iloc[0]
    assert row["dprime_individual"] > 2
    assert np.isnan([row["dprime_individual_low"], row["dprime_individual_high"]]).all()


@pytest.mark.nightly
def test_the_interval_of_the_mean_of_individuals_allows_for_pictures():
    covered = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        people, each = 20, 100
        picture, skill = 0.6 * rng.standard_normal(each), 0.4 * rng.standard_normal(people)
        evidence = np.where(np.arange(each) % 2 == 0, 0.5, -0.5) * (1 + skill[:, None]) + picture
        row = signal_detection(observers(rng, evidence)).iloc[0]
        if pd.notna(row["dprime_individual_low"]):  # nobody has a rate of 0 or 1
            covered.append(row["dprime_individual_low"] <= 1 <= row["dprime_individual_high"])
    assert len(covered) > 80
    assert 0.9 <= np.mean(covered) <= 1
