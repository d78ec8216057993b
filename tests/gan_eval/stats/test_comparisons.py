import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from make_trials import from_counts, simulated
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests

from gan_eval.stats.comparisons import against_published, comparisons, holm
from gan_eval.stats.differences import difference_of_shares
from gan_eval.stats.rates import rates
from gan_eval.tables import PUBLISHED_QUIZ
from gan_eval.tabular import frame_of


def shares(trials):
    right = (trials["kind"] == trials["response"]).to_numpy()
    codes = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
    return right, (trials["kind"] == "real").to_numpy(), *codes


def test_one_participant_equals_the_robust_regression_by_stimulus():
    trials = simulated(participants=1, stimuli=40, each=40)
    right, real, person, picture = shares(trials)
    found = difference_of_shares(right, real, person, picture)
    model = sm.OLS(right.astype(float), sm.add_constant(real.astype(float)))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": picture, "df_correction": False})
    plain = np.sqrt(fitted.cov_params()[1, 1] * model.df_resid / (len(right) - 1))  # statsmodels: (N-1)/(N-K) besides
    half = (found.ci_high - found.ci_low) / 2
    assert found.difference == pytest.approx(right[real].mean() - right[~real].mean())
    assert "one participant" in found.note
    assert half / 2.022691 == pytest.approx(plain, rel=1e-5)  # Student's t with 39 degrees of freedom


def test_equal_groups_are_seldom_called_different_when_all_see_the_same_pictures():
    """The usual t-test over people errs in about 38 % of such studies; at most 8 % are allowed here."""
    verdicts = []
    rng = np.random.default_rng(0)
    person, picture = np.repeat(np.arange(40), 50), np.tile(np.arange(50), 40)
    for _ in range(400):
        eta = 0.4 + rng.normal(0, 0.5, 40)[person] + rng.normal(0, 0.8, 50)[picture]
        right = rng.random(2000) < 1 / (1 + np.exp(-eta))
        verdicts.append(difference_of_shares(right, picture % 2 == 0, person, picture).p < 0.05)
    assert np.mean(verdicts) < 0.08


def test_agreeing_answers_give_an_interval_and_no_p():
    found = difference_of_shares(np.ones(50, bool), np.arange(50) % 2 == 0, np.arange(50) % 5, np.arange(50) // 5)
    assert found.difference == 0
    assert np.isnan(found.p)
    assert found.ci_low < 0 < found.ci_high
    assert "agree" in found.note


def test_table_compares_models_within_a_data_set_and_corrects_by_kind():
    trials = simulated(models=("a", "b", "c"), seed=2)
    table = comparisons(trials)
    models = table[table["comparison"] == "models on faces"]
    assert list(zip(models["a"], models["b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert models["p_holm"].to_numpy() == pytest.approx(multipletests(models["p"], method="holm")[1])
    fooled = {name: (part["response"] == "real").mean() for name, part in trials.groupby("model")}
    assert models["difference"].iloc[0] == pytest.approx(fooled["a"] - fooled["b"])
    kinds = table[table["comparison"] == "real vs fake"]
    assert list(kinds["a"]) == ["faces real"]
    assert kinds["p_holm"].to_numpy() == pytest.approx(kinds["p"].to_numpy())


def test_several_data_sets_have_a_row_each_and_one_over_all():
    trials = pd.concat([from_counts(5, 5, 3, 7), from_counts(2, 8, 1, 9, dataset="maps", session="s2")])
    kinds = comparisons(trials)
    assert list(kinds["a"]) == ["real", "facades real", "maps real"]
    assert (kinds["verdict"].isin(["different", "undecided"])).all()


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (5, 5, 0, 0), (1, 0, 0, 1), (0, 0, 1, 0)])
def test_poor_data_give_no_verdict_of_difference(counts):
    table = comparisons(from_counts(*counts))
    assert not (table["verdict"] == "different").any()


def test_holm_leaves_missing_values_out():
    adjusted = holm(pd.Series([0.01, np.nan, 0.04, 0.03]))
    assert adjusted[[0, 2, 3]].to_numpy() == pytest.approx(multipletests([0.01, 0.04, 0.03], method="holm")[1])
    assert np.isnan(adjusted[1])


def test_against_published():
    published = frame_of(
        [
            {"study": "s", "source": "x", "dataset": name, "group": group, "trials": 25, "percent_correct": right}
            for name, group, right in (("facades", "real", 96.0), ("facades", "fake", 96.0), ("maps", "real", 72.0))
        ],
        PUBLISHED_QUIZ,
    )
    table = against_published(rates(from_counts(15, 10, 7, 18)), published)
    assert list(table["a"]) == ["facades real", "facades fake"]
    assert table["p"].to_numpy() == pytest.approx(
        [fisher_exact([[18, 7], [24, 1]])[1], fisher_exact([[15, 10], [24, 1]])[1]]
    )
    assert table["difference"].to_numpy() == pytest.approx([18 / 25 - 24 / 25, 15 / 25 - 24 / 25])
    assert (table["ci_low"] < table["difference"]).all()
