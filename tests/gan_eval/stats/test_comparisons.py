import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from make_trials import from_counts, simulated
from scipy.stats import fisher_exact
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from gan_eval.stats.comparisons import against_published, comparisons, holm
from gan_eval.stats.differences import difference_of_shares
from gan_eval.stats.intervals import newcombe
from gan_eval.stats.rates import rates
from gan_eval.stats.trials import fill_trials
from gan_eval.tables import PUBLISHED_QUIZ
from gan_eval.tabular import frame_of


def shares(trials):
    right = (trials["kind"] == trials["response"]).to_numpy()
    codes = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
    return right, (trials["kind"] == "real").to_numpy(), *codes


def test_one_participant_equals_the_robust_regression_by_stimulus():
    trials = simulated(participants=1, stimuli=400, each=400)
    right, real, person, picture = shares(trials)
    found = difference_of_shares(right, real, person, picture)
    model = sm.OLS(right.astype(float), sm.add_constant(real.astype(float)))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": picture, "df_correction": False})
    plain = np.sqrt(fitted.cov_params()[1, 1] * model.df_resid / (len(right) - 1))  # statsmodels: (N-1)/(N-K) besides
    groups = 200 / 199 / (400 / 399)  # G / (G - 1) for each group's own pictures
    half = (found.ci_high - found.ci_low) / 2
    assert found.difference == pytest.approx(right[real].mean() - right[~real].mean())
    assert "one participant" in found.note
    expected = student.ppf(0.975, 199) * plain * np.sqrt(groups)
    assert half == pytest.approx(expected, rel=1e-3)  # the adjusted shares add a little


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


def false_alarms(draw, *, repeats: int) -> float:
    """The share of studies of equal groups that are called different; `draw` gives difference_of_shares' arguments."""
    rng = np.random.default_rng(3)
    return float(np.mean([difference_of_shares(*draw(rng)).p < 0.05 for _ in range(repeats)]))


@pytest.mark.parametrize(
    ("n_a", "n_b", "right"), [(25, 25, 0.5), (25, 25, 0.9), (5, 50, 0.5), (5, 50, 0.9), (3, 25, 0.8)]
)
def test_one_person_with_equal_groups_is_seldom_called_different(n_a, n_b, right):
    """Plain cluster-robust errors err in up to 45 % of such studies."""
    n = n_a + n_b

    def draw(rng):
        return rng.random(n) < right, np.arange(n) < n_a, np.zeros(n, int), np.arange(n)

    assert false_alarms(draw, repeats=500) < 0.06


@pytest.mark.parametrize("few", [2, 3, 5, 25])
def test_few_pictures_on_one_side_are_no_proof(few):
    """20 people see `few` pictures of a and 25 of b; people and pictures differ."""
    person, picture = np.repeat(np.arange(20), few + 25), np.tile(np.arange(few + 25), 20)

    def draw(rng):
        eta = 0.8 + rng.normal(0, 0.5, 20)[person] + rng.normal(0, 0.8, few + 25)[picture]
        return rng.random(len(eta)) < 1 / (1 + np.exp(-eta)), picture < few, person, picture

    assert false_alarms(draw, repeats=300) < 0.09


@pytest.mark.parametrize("counts", [(25, 25, 21, 25), (3, 3, 1, 3), (10, 10, 7, 10), (2, 2, 25, 50), (24, 25, 2, 25)])
def test_never_more_certain_than_independent_answers(counts):
    k_a, n_a, k_b, n_b = counts
    right = np.concatenate([np.arange(n_a) < k_a, np.arange(n_b) < k_b])
    trial = np.arange(n_a + n_b)
    found = difference_of_shares(right, trial < n_a, np.zeros(n_a + n_b, int), trial)
    low, high = newcombe(*counts)
    assert found.p >= fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1]
    assert -1 <= found.ci_low <= low
    assert high <= found.ci_high <= 1


def test_one_answer_proves_nothing():
    trial = np.arange(41)
    found = difference_of_shares(trial < 21, trial < 1, np.zeros(41, int), trial)
    assert found.difference == 0.5
    assert np.isnan(found.p)
    assert "too few" in found.note


def test_agreeing_answers_count_each_stimulus_once():
    """Two pictures of each kind, judged alike by 30 people: four answers, not 120."""
    person, picture = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    found = difference_of_shares(picture < 2, picture < 2, person, picture)
    assert found.p == pytest.approx(fisher_exact([[2, 0], [0, 2]])[1])
    assert (found.difference, found.ci_low) == (1.0, pytest.approx(newcombe(2, 2, 0, 2)[0]))
    assert "agree" in found.note


def test_agreeing_answers_give_an_interval():
    found = difference_of_shares(np.ones(50, bool), np.arange(50) % 2 == 0, np.arange(50) % 5, np.arange(50) // 5)
    assert found.difference == 0
    assert found.p == 1
    assert found.ci_low < 0 < found.ci_high
    assert "agree" in found.note


def leaning(*, reals: int, fakes: int, people: int = 8, says_real: float = 0.9, seed: int = 0) -> pd.DataFrame:
    """Everybody says `real` with one probability, whatever the picture."""
    rng = np.random.default_rng(seed)
    kind = np.tile(np.repeat(["real", "fake"], [reals, fakes]), people)
    frame = pd.DataFrame({"participant": np.repeat(np.arange(people), reals + fakes).astype(str), "kind": kind})
    frame["stimulus"] = [f"{name}{number}" for name, number in zip(kind, rng.integers(60, size=len(kind)), strict=True)]
    return frame.assign(response=np.where(rng.random(len(kind)) < says_real, "real", "fake"))


def test_a_leaning_does_not_tell_apart():
    """Where reals abound, saying `real` is right more often than not; being told apart is another matter."""
    tables = [comparisons(fill_trials(leaning(reals=40, fakes=10, seed=seed))) for seed in range(60)]
    told = pd.concat([table[table["comparison"] == "told apart"] for table in tables])
    assert len(told) == 60
    assert set(told["measure"]) == {"called_fake"}
    assert (told["verdict"] == "different").mean() < 0.09
    assert told["difference"].mean() == pytest.approx(0, abs=0.02)


def test_leanings_that_differ_between_data_sets_do_not_tell_apart():
    """`real` nine times in ten on the data set with many reals, `fake` on that with many fakes; no skill."""
    photos = from_counts(5, 45, 20, 180, dataset="photos")
    drawings = from_counts(180, 20, 45, 5, dataset="drawings")
    table = comparisons(pd.concat([photos, drawings.assign(session="s2")]).assign(participant="P1"))
    told = table.set_index("comparison").loc["told apart"]
    assert told["difference"] == pytest.approx(0, abs=1e-12)
    assert told["ci_low"] < 0 < told["ci_high"]
    assert told["verdict"] == "undecided"


def test_a_data_set_with_one_kind_does_not_count():
    both, reals = from_counts(15, 10, 7, 18), from_counts(0, 0, 30, 10, dataset="maps", session="s2")
    told = comparisons(pd.concat([both, reals])).set_index("comparison").loc["told apart"]
    assert told["difference"] == pytest.approx(15 / 25 - 7 / 25)
    assert (told["n_a"], told["n_b"]) == (25, 25)
    assert "one kind of picture left out" in told["note"]


def test_equal_weights_change_nothing_and_doubled_trials_count_twice():
    rng = np.random.default_rng(2)
    right, in_a = rng.random(60) < 0.6, np.arange(60) < 25
    person, picture = np.arange(60) % 6, np.arange(60)
    plain = difference_of_shares(right, in_a, person, picture)
    assert difference_of_shares(right, in_a, person, picture, weight=np.full(60, 3.0))[:4] == pytest.approx(plain[:4])
    weight = np.where(picture % 3 == 0, 2.0, 1.0)
    found = difference_of_shares(right, in_a, person, picture, weight=weight)
    expected = np.average(right[in_a], weights=weight[in_a]) - np.average(right[~in_a], weights=weight[~in_a])
    assert found.difference == pytest.approx(expected)


def test_told_apart_is_hits_less_false_alarms_and_wants_both_kinds():
    table = comparisons(from_counts(15, 10, 7, 18)).set_index("comparison")
    assert table.loc["told apart", "difference"] == pytest.approx(15 / 25 - 7 / 25)
    assert table.loc["told apart", "p_holm"] == pytest.approx(table.loc["told apart", "p"])
    assert not (comparisons(from_counts(15, 10, 0, 0))["comparison"] == "told apart").any()


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
    table = comparisons(trials)
    kinds = table[table["comparison"] == "real vs fake"]
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
