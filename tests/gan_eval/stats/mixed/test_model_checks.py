import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from make_trials import from_counts, simulated
from scipy.stats import t as student

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.mixed.checks import clustered_regression, model_checks
from gan_eval.stats.mixed.models import mixed_models

NUMBERS = ["estimate", "std_error", "ci_low", "ci_high", "p"]


def general(*, seed: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """y, X with a number beside the kind, participant, stimulus: 600 trials of 20 participants and 30 stimuli."""
    rng = np.random.default_rng(seed)
    person, picture = np.divmod(rng.permutation(600), 30)
    X = np.stack([np.ones(600), picture % 2, rng.normal(size=20)[person]], axis=1)
    eta = 0.3 - 0.5 * X[:, 1] + 0.3 * X[:, 2] + 0.5 * rng.normal(size=20)[person] + 0.8 * rng.normal(size=30)[picture]
    return rng.random(600) < 1 / (1 + np.exp(-eta)), X, person, picture


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_clustered_errors_are_those_of_statsmodels(link):
    y, X, person, picture = general()
    model = {"logit": sm.Logit, "probit": sm.Probit}[link](y.astype(float), X)
    two_way = {"groups": np.stack([person, picture], axis=1)}
    ways = [two_way, *({"groups": code} for code in (person, picture))]
    fitted = [model.fit(disp=False, cov_type="cluster", cov_kwds=way) for way in ways]
    expected, largest = fitted[0], np.max([each.bse for each in fitted], axis=0)
    found = clustered_regression(y, X, person, picture, link=link)
    assert found.estimate == pytest.approx(expected.params, abs=1e-7)
    factor = (len(y) - 1) / (len(y) - X.shape[1])  # statsmodels multiplies by it, Cameron, Gelbach & Miller need not
    assert found.std_error == pytest.approx(largest / np.sqrt(factor), rel=1e-5)
    df = np.array([19, 14, 19])  # 20 participants; behind the second column 15 stimuli on either side
    half = student.ppf(0.975, df) * found.std_error
    assert found.ci_low == pytest.approx(found.estimate - half)
    assert found.ci_high == pytest.approx(found.estimate + half)
    assert found.p == pytest.approx(2 * student.sf(np.abs(found.estimate / found.std_error), df))


def test_where_the_two_way_variance_is_not_above_0_the_larger_one_way_variance_stands():
    person, picture = np.divmod(np.arange(36), 6)
    y = (person + picture) % 2 == 0  # each participant and each stimulus is right half of the time
    X = np.ones((36, 1))
    y[0] = False
    results = [
        sm.Logit(y.astype(float), X).fit(disp=False, cov_type="cluster", cov_kwds={"groups": groups})
        for groups in (person, picture)
    ]
    groups = np.stack([person, picture], axis=1)
    both = sm.Logit(y.astype(float), X).fit(disp=False, cov_type="cluster", cov_kwds={"groups": groups})
    assert both.cov_params()[0, 0] < 0
    found = clustered_regression(y, X, person, picture, link="logit")
    assert found.std_error[0] == pytest.approx(max(result.bse[0] for result in results), rel=1e-6)


@pytest.mark.slow
def test_the_table_says_whether_the_mixed_model_is_confirmed():
    trials = simulated(seed=11)
    mixed = mixed_models(trials)
    table = model_checks(trials, mixed=mixed)
    assert table.equals(model_checks(trials))
    assert model_checks(trials, mixed=mixed.iloc[:0])["agrees"].isna().all()
    assert len(table) == (~mixed["formula"].str.contains("kind|", regex=False)).sum()
    assert set(table["method"]) == {"two_way_cluster"}
    wald = mixed.set_index(["formula", "term"])
    for row in table.itertuples():
        own = wald.loc[(row.formula, row.term)]
        assert row.agrees == ((row.ci_low > 0 or row.ci_high < 0) == (own["ci_low"] > 0 or own["ci_high"] < 0))
    assert table["p"].notna().all()
    assert table["agrees"].any()
    assert not table["agrees"].all()


@pytest.mark.slow
def test_names_and_order_of_the_rows_change_nothing():
    trials = simulated(seed=2, each=20)
    shuffled = trials.sample(frac=1, random_state=1)
    first, second = model_checks(trials), model_checks(shuffled)
    assert second[NUMBERS].to_numpy(float) == pytest.approx(first[NUMBERS].to_numpy(float), nan_ok=True)


@pytest.mark.slow
def test_covariates_are_told_per_unit_and_slopes_left_out_where_they_repeat():
    trials = simulated(seed=2, each=20)
    sessions = sorted(trials["session"].unique())
    ages = np.random.default_rng(0).integers(20, 60, len(sessions))
    tables = []
    for factor in (1, 10):
        people = pd.DataFrame({"session": sessions, "question": "age", "answer": [str(factor * age) for age in ages]})
        plan = AnalysisSettings(covariates=("age",), slope=True)
        table = model_checks(trials, plan=plan, participants=people)
        sloped = table.loc[table["formula"].str.contains("kind|", regex=False), "formula"]
        assert set(sloped) == {"correct ~ kind + age + (1 + kind|participant) + (1|stimulus)"}
        tables.append(table[table["term"] == "age"])
    for name in ("estimate", "std_error", "ci_low", "ci_high"):
        assert 10 * tables[1][name].to_numpy() == pytest.approx(tables[0][name].to_numpy())
    assert np.isfinite(tables[0]["ci_low"]).all()


@pytest.mark.parametrize(
    ("trials", "word", "empty"),
    [
        (simulated().iloc[:0], "no answered trials", NUMBERS),
        (from_counts(0, 0, 0, 0), "no answered trials", NUMBERS),
        (simulated(intercept=50.0), "separated", NUMBERS),
        (from_counts(15, 10, 7, 18), "one participant", NUMBERS[1:]),
        (from_counts(25, 0, 0, 25), "separated|one participant", NUMBERS[1:]),
        (from_counts(1, 0, 0, 1), "separated|one participant", NUMBERS[1:]),
        (simulated(participants=2, each=50), "few participants", []),
    ],
)
def test_without_an_estimate_there_is_a_word_and_no_number(trials, word, empty):
    table = model_checks(trials)
    assert len(table) == 5
    assert table[empty].isna().all().all()
    assert table["note"].str.contains(word).all()
    if empty:
        assert table["agrees"].isna().all()
