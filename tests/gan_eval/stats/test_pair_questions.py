"""Are the right pictures of pairs chosen? Against quadrature, statsmodels, scipy and simulated studies."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from cited_tables import cited_tables
from make_trials import simulated_pairs
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binomtest, norm
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from gan_eval.judgements.trials import fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.differences import proportion_less_half
from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.mixed import fit_crossed
from gan_eval.stats.questions import pair_questions
from gan_eval.stats.tables.comparisons import comparisons


def codes(trials: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chosen = (trials["choice"] == "a").to_numpy(bool)
    return chosen, *(pd.factorize(trials[name])[0] for name in ("participant", "item"))


def test_the_share_is_the_crossed_models_averaged_over_people_and_pairs() -> None:
    trials = simulated_pairs(effect=0.6)
    chosen, person, item = codes(trials)
    fit = fit_crossed(chosen, np.ones((len(chosen), 1)), person, item)
    spread = np.hypot(fit.first.sd, fit.second.sd)
    share = quad(lambda z: expit(fit.beta[0] + spread * z) * norm.pdf(z), -12, 12)[0]
    row = comparisons(trials, plan=AnalysisSettings(margin=0.3)).iloc[0]
    assert row[["comparison", "a", "b", "measure", "basis"]].tolist() == [
        "told apart in pairs", "real", "fake", "chosen", "crossed_model",
    ]  # fmt: skip
    assert row["difference"] == pytest.approx(share - 0.5, abs=1e-6)
    assert (row["n_a"], row["n_b"]) == (chosen.sum(), (~chosen).sum())
    quantiles = student.ppf([0.975, 0.95], 19)
    z = norm.ppf(share)
    error = (norm.ppf(0.5 + row["ci_high"]) - z) / quantiles[0]
    assert row["ci90_high"] == pytest.approx(norm.cdf(z + quantiles[1] * error) - 0.5)
    assert row["ci_low"] == pytest.approx(norm.cdf(z - quantiles[0] * error) - 0.5)
    assert row["p"] == pytest.approx(2 * student.sf(z / error, 19))
    assert row["p_equivalent"] == pytest.approx(student.sf((norm.ppf(0.8) - z) / error, 19))
    assert not row["exploratory"]


def test_intervals_of_pairs_near_the_ceiling_end_before_100_percent() -> None:
    row = cited_tables(simulated_pairs(people=12, items=20, effect=4.0))["paper"].iloc[0]
    assert row["basis"] == "crossed_model"
    assert 0.9 < row["accuracy_low"] < row["accuracy"] < row["accuracy_high"] < 1
    assert row["accuracy"] - row["accuracy_low"] > row["accuracy_high"] - row["accuracy"]
    assert np.isfinite(row[["dprime", "dprime_low", "dprime_high"]].to_numpy(float)).all()
    row = cited_tables(simulated_pairs(people=3, items=20, effect=30.0))["paper"].iloc[0]
    assert (row["accuracy"], row["dprime"]) == (1.0, pytest.approx(np.nan, nan_ok=True))
    assert "no d′, since the share" in row["note"]
    assert "3 participants:" in row["note"]


def test_pairs_with_few_answers_name_the_error_that_counts() -> None:
    rng = np.random.default_rng(0)
    trials = simulated_pairs(people=30, items=200, effect=0.5)
    seen = np.concatenate([200 * person + rng.permutation(200)[:10] for person in range(30)])
    row = comparisons(fill_trials(trials.iloc[np.sort(seen)].reset_index(drop=True))).iloc[0]
    assert row["basis"] == "crossed_model_clustered_error"
    z = norm.ppf(0.5 + row["difference"])
    error = (norm.ppf(0.5 + row["ci_high"]) - z) / student.ppf(0.975, 29) * norm.pdf(z)
    chosen, person, item = codes(trials.iloc[np.sort(seen)])
    found = proportion_less_half(chosen, person, item, mean=row["difference"])
    reach = max(np.abs(np.subtract(found.interval(0.95), found.difference)))
    assert error == pytest.approx(reach / student.ppf(0.975, 29))


def test_clustered_share_is_the_two_way_sandwich() -> None:
    chosen, person, item = codes(simulated_pairs(effect=0.4))
    found = proportion_less_half(chosen, person, item, margin=0.3)
    groups = np.stack([person, item], axis=1)
    fitted = sm.OLS(chosen.astype(float), np.ones(len(chosen))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    half = student.ppf(0.975, 19) * fitted.bse[0]
    assert found.difference == pytest.approx(chosen.mean() - 0.5)
    assert found.interval(0.95) == pytest.approx((found.difference - half, found.difference + half), abs=1e-5)
    assert found.p == pytest.approx(2 * student.sf(found.difference / fitted.bse[0], 19), rel=1e-3)
    assert (found.p_equivalent < 0.05) == (max(np.abs(found.interval(0.9))) < 0.3)


def test_one_persons_share_is_never_more_certain_than_independent_answers() -> None:
    chosen = np.arange(40) < 27
    found = proportion_less_half(chosen, np.zeros(40, int), np.arange(40))
    low, high = proportion_confint(27, 40, method="wilson")
    assert found.p >= binomtest(27, 40).pvalue - 1e-12
    assert found.interval(0.95)[0] <= low - 0.5
    assert found.interval(0.95)[1] >= high - 0.5
    assert found.basis == "independent"
    assert found.untested == "one participant"


def test_agreeing_answers_count_each_pair_or_person_once() -> None:
    found = proportion_less_half(np.ones(120, bool), np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30))
    assert found.p == pytest.approx(binomtest(4, 4).pvalue)
    assert found.interval(0.95)[0] == pytest.approx(proportion_confint(4, 4, method="wilson")[0] - 0.5)
    assert "all answers agree" in found.note
    alone = proportion_less_half(np.ones(5, bool), np.arange(5), np.zeros(5, int))
    assert np.isnan(alone.p)
    assert "too few" in alone.note


def unequal(rows: dict[tuple[str, str], tuple[int, float]]) -> pd.DataFrame:
    """Pairs of models on data sets, each row with its number of items and the log-odds of choosing the real picture."""
    parts = [
        simulated_pairs(items=items, effect=effect, dataset=dataset, models=(model,), seed=seed)
        for seed, ((model, dataset), (items, effect)) in enumerate(rows.items())
    ]
    for (model, _), part in zip(rows, parts, strict=True):
        for name in ("stimulus", "item"):
            part[name] = part[name] + f"/{model}"
    trials = pd.concat(parts, ignore_index=True)
    trials["stimulus_b"] = trials["stimulus"] + "/b"
    return fill_trials(trials.drop(columns=["session", "trial"]))


def test_many_pairs_of_one_row_do_not_decide_for_all() -> None:
    rows = {("x", "faces"): (60, 1.5), ("y", "faces"): (12, -1.0), ("x", "maps"): (8, -1.5)}
    frames = cited_tables(unequal(rows), AnalysisSettings(margin=0.05))
    table, compared = frames["paper"], frames["comparisons"].set_index(["comparison", "b"])
    own, together = table[table["model"] != "all"], table[table["model"] == "all"].iloc[0]
    assert len(own) == 3
    assert together["accuracy"] == pytest.approx(own["accuracy"].mean(), abs=1e-9)
    assert compared.loc[("told apart in pairs", "fake"), "difference"] == pytest.approx(together["accuracy"] - 0.5)
    assert together["verdict"] == "undecided"
    assert together["basis"] == "crossed_model"
    assert together["accuracy_high"] - together["accuracy_low"] > 0.1, "the few pairs of the others count as much"


def test_observed_rows_count_once_where_there_is_no_model() -> None:
    rng = np.random.default_rng(0)
    row = np.repeat([0, 1], [400, 20])
    chosen = np.concatenate([rng.permutation(400) < 300, np.arange(20) < 6])
    found = proportion_less_half(chosen, np.arange(420) % 20, np.arange(420), row=row, margin=0.2)
    assert found.difference == pytest.approx((300 / 400 + 6 / 20) / 2 - 0.5)
    n = 4 / (1 / 400 + 1 / 20)
    low, high = proportion_confint((0.5 + found.difference) * n, n, method="wilson")
    assert found.interval(0.95)[0] <= low - 0.5 + 1e-9
    assert found.interval(0.95)[1] >= high - 0.5 - 1e-9
    assert found.p > 0.2, "of all answers together p is below 1e-10"
    trials = unequal({("x", "faces"): (60, 1.5), ("y", "faces"): (12, -1.5)})
    trials["item"] = trials.index.astype(str)
    table = comparisons(fill_trials(trials)).set_index("b")
    assert set(table["basis"]) == {"two_way_cluster"}
    assert table["note"].str.contains("no item has more than one answer").all()
    assert table.loc["fake", "difference"] == pytest.approx(table.loc[["x", "y"], "difference"].mean())


def test_data_sets_have_their_own_shares_and_pairs_without_one_count_among_all() -> None:
    parts = [simulated_pairs(effect=0.8), simulated_pairs(items=20, effect=-0.8, dataset="maps", seed=1)]
    table = comparisons(pd.concat(parts, ignore_index=True))
    assert table[["comparison", "b"]].to_numpy().tolist() == [
        ["told apart in pairs", "fake"],
        ["told apart in pairs on faces", "fake"],
        ["told apart in pairs on maps", "fake"],
    ]
    whole, faces, maps = table["difference"]
    assert whole == pytest.approx((faces + maps) / 2)
    assert table["p_holm"].iloc[0] == table["p"].iloc[0]
    assert table["p_holm"].iloc[1:].to_numpy() == pytest.approx(multipletests(table["p"].iloc[1:], method="holm")[1])
    parts[1]["dataset"] = pd.Series(None, index=parts[1].index, dtype="str")
    table = comparisons(fill_trials(pd.concat(parts, ignore_index=True)))
    assert table["comparison"].tolist() == ["told apart in pairs", "told apart in pairs on faces"]
    assert table[["n_a", "n_b"]].sum(axis=1).tolist() == [1000, 600]


def test_models_side_by_side_whichever_stands_first() -> None:
    trials = simulated_pairs(effect=0.5, models=("x|y", "x|z"), protocol="model_vs_model")
    table = comparisons(trials)
    assert table[["comparison", "a", "b"]].to_numpy().tolist() == [
        ["preferred on faces", "x", "y"],
        ["preferred on faces", "x", "z"],
    ]
    turned = trials.copy()
    odd = (turned["model"] == "x|y").to_numpy() & (np.arange(len(turned)) % 4 == 0)
    turned.loc[odd, "model"] = "y|x"
    turned.loc[odd, "choice"] = turned.loc[odd, "choice"].map({"a": "b", "b": "a"})
    pd.testing.assert_frame_equal(comparisons(turned), table)
    planned = comparisons(trials, plan=AnalysisSettings(comparisons=(("y", "x"), ("z", "x"))))
    assert planned[["a", "b", "exploratory"]].to_numpy().tolist() == [["y", "x", False], ["z", "x", False]]
    assert planned["difference"].to_numpy() == pytest.approx(-table["difference"].to_numpy())


@pytest.mark.parametrize(
    ("trials", "words"),
    [
        (simulated_pairs(people=1), ONE_PARTICIPANT),
        (simulated_pairs(items=1), "too few"),
        (simulated_pairs().assign(choice="a"), "all answers agree"),
        (simulated_pairs(people=2, items=2), ""),
        (simulated_pairs(people=1, items=1), "too few"),
        (simulated_pairs().assign(item=None, model=None, dataset=None, protocol=None), ""),
    ],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_pairs_give_words_and_no_certainty(trials: pd.DataFrame, words: str) -> None:
    table = comparisons(trials, plan=AnalysisSettings(margin=0.05))
    row = table.iloc[0]
    assert row["comparison"] == "told apart in pairs"
    assert words in (row["note"] if isinstance(row["note"], str) else "")
    known = table[["ci_low", "ci_high"]].dropna().to_numpy()
    assert ((known >= -0.5) & (known <= 0.5)).all()


def test_no_answers_no_question_and_pairs_are_no_single_pictures() -> None:
    silent = simulated_pairs().assign(choice="none")
    assert comparisons(silent).empty
    assert list(pair_questions(typed(silent).pairs, AnalysisSettings())) == []
    assert comparisons(simulated_pairs().iloc[:0]).empty
    assert "told apart" not in comparisons(simulated_pairs(people=4, items=6))["comparison"].tolist()


@pytest.mark.parametrize("looked", [0, 1, 2])
def test_choices_of_one_side_are_no_verdict(looked: int) -> None:
    trials = simulated_pairs(people=12, items=40, seed=3)
    left = np.random.default_rng(0).random(len(trials)) < 0.5
    one_side = ~trials["participant"].isin([f"P{number}" for number in range(looked)])
    trials = trials.assign(
        position=np.where(left, "left", "right"),
        choice=trials["choice"].mask(one_side, pd.Series(np.where(left, "a", "b"), dtype="str")),
    )
    row = comparisons(trials, plan=AnalysisSettings(margin=0.2)).iloc[0]
    if looked < 2:
        assert pd.isna(row[["verdict", "p"]]).all()
        assert row["untested"] == "one side"
        assert pd.isna(row[["ci_low", "ci_high", "basis"]]).all(), "the draw of the sides alone decides who was right"
        cited = cited_tables(trials.drop(columns="correct"))["paper"]
        assert cited[["accuracy_low", "dprime", "dprime_low", "basis"]].isna().all(axis=None)
        assert cited["note"].eq(row["note"]).all()
    else:
        assert row["verdict"] == "equivalent"


def test_one_answer_a_person_is_no_choice_of_one_side() -> None:
    trials = simulated_pairs(people=64, items=8, seed=3)[::9].reset_index(drop=True)  # each time another picture
    assert trials["participant"].is_unique
    trials = trials.assign(position=np.where(np.arange(len(trials)) % 2, "left", "right"))
    row = comparisons(trials, plan=AnalysisSettings(margin=0.2)).iloc[0]
    assert pd.isna(row["untested"])
    assert row["p"] > 0
    left = trials.assign(choice=np.where(trials["position"] == "left", "a", "b"))
    assert comparisons(left, plan=AnalysisSettings(margin=0.2)).iloc[0]["untested"] == "one side"


def test_real_pictures_that_are_paired_at_random_are_a_third_factor() -> None:
    rng, number = np.random.default_rng(0), 20
    trials = simulated_pairs(people=12, items=number, effect=0.4)
    shown = np.concatenate([rng.permutation(number) for _ in range(12)])
    hard = expit(rng.normal(0.4, 1.5, number))
    random = trials.assign(
        stimulus=[f"d/real/{name}" for name in shown],
        choice=np.where(rng.random(len(trials)) < hard[shown], "a", "b"),
    )
    questions = [next(pair_questions(typed(table).pairs, AnalysisSettings())).estimand for table in (trials, random)]
    assert questions[0].other is None, "the real and the generated picture are of one item"
    assert (np.bincount(questions[1].other) == 12).all()
    chosen, person, item = codes(random)
    errors = [
        proportion_less_half(chosen, person, item, other=other).interval(0.95)[1] - chosen.mean() + 0.5
        for other in (None, questions[1].other)
    ]
    smoothed = (chosen.sum() + 1) / (len(chosen) + 2)
    sums = np.bincount(shown, chosen - smoothed) / len(chosen)
    added = (sums**2).sum() * number / (number - 1) - ((chosen - smoothed) ** 2).sum() / len(chosen) / (len(chosen) - 1)
    reach = student.ppf(0.975, 11)
    assert (errors[1] / reach) ** 2 - (errors[0] / reach) ** 2 == pytest.approx(added)
    row = comparisons(random).iloc[0]
    assert row["ci_high"] - row["ci_low"] > 1.5 * (errors[0] + errors[0])
