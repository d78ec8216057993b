"""One fit for each row: its numbers follow from two shares, for any answers."""

import numpy as np
import pandas as pd
import pytest
from cited_tables import cited_tables
from make_trials import from_counts, judged, partners, simulated
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from gan_eval.base.inference import two_way
from gan_eval.judgements.trials import fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.analysis import analyze
from gan_eval.stats.estimate.contrast import population_proportions
from gan_eval.stats.estimate.detection_rates import Rates, RatesOfTable
from gan_eval.stats.mixed import fit_crossed
from gan_eval.stats.questions import KindQuestion, kind_rows
from gan_eval.stats.tables.comparisons import comparisons

PLAN = AnalysisSettings(margin=0.1)


def rates(trials: pd.DataFrame, plan: AnalysisSettings = PLAN) -> Rates:
    """The rates of all rows of a trials table."""
    answered = typed(trials).answered
    return RatesOfTable(plan).of(KindQuestion.of(kind_rows(answered), answered))


@pytest.mark.parametrize("has_slope", [True, False])
def test_both_shares_are_the_models_averaged_over_people_and_pictures(has_slope: bool) -> None:
    trials = simulated(participants=15, each=40)
    is_fake = (trials["kind"] == "fake").to_numpy()
    codes = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
    X = np.column_stack([~is_fake, is_fake]).astype(float)
    slope = np.where(is_fake, 0.5, -0.5) if has_slope else None
    fit = fit_crossed((trials["response"] == "fake").to_numpy(), X, *codes, slope=slope)
    expected = []
    for eta, side in zip(fit.beta, (-0.5, 0.5), strict=True):
        slope = side * (fit.first.sd_slope or 0.0)
        shared = 2 * (fit.first.correlation or 0.0) * fit.first.sd * slope
        sd = np.sqrt(fit.first.sd**2 + shared + slope**2 + fit.second.sd**2)
        expected.append(quad(lambda z, eta=eta, sd=sd: expit(eta + sd * z) * norm.pdf(z), -12, 12)[0])
    found = rates(trials, AnalysisSettings(slope=has_slope))
    assert [found.real, found.fake] == pytest.approx(expected, abs=1e-6)
    assert found.basis == "crossed_model"


def test_a_reader_can_compute_the_row_from_its_rates() -> None:
    found = rates(simulated(participants=12, each=40, intercept=1.0))
    row = found.detection(0.1)
    f, r = row.fooling_rate.value, row.real_called_real.value
    assert row.accuracy.value == pytest.approx((1 - f + r) / 2)
    assert (found.difference(None).difference, found.bias().difference) == pytest.approx((r - f, r + f - 1))
    assert row.dprime.value == pytest.approx(norm.ppf(1 - f) - norm.ppf(1 - r))
    (covariance,) = found.covariances
    gradient = np.array([1 / norm.pdf(norm.ppf(1 - f)), -1 / norm.pdf(norm.ppf(1 - r))])
    reach = student.ppf(0.975, found.df) * np.sqrt(gradient @ covariance @ gradient)
    assert [row.dprime.low, row.dprime.high] == pytest.approx([row.dprime.value - reach, row.dprime.value + reach])
    z = norm.ppf(row.accuracy.value)
    error = np.sqrt(np.array([0.5, -0.5]) @ covariance @ np.array([0.5, -0.5])) / norm.pdf(z)
    assert row.p == pytest.approx(2 * student.sf(abs(z) / error, found.df))
    low90, high90 = norm.cdf(z + np.array([-1, 1]) * student.ppf(0.95, found.df) * error)
    assert row.accuracy90 == pytest.approx((low90, high90))
    assert (row.p_equivalent < 0.05) == (low90 > 0.4 and high90 < 0.6)


def test_clustered_errors_are_those_of_the_difference_of_shares() -> None:
    """Each picture has one answer, so no crossed model is fitted; compute the two-way variance by hand."""
    trials = simulated(participants=9, each=20, seed=1).assign(stimulus=lambda t: t.index.astype(str))
    trials = fill_trials(trials)
    found = rates(trials)
    assert found.basis == "two_way_cluster"
    is_fake = (trials["kind"] == "fake").to_numpy()
    says = (trials["response"] == "fake").to_numpy(float)
    of_kind = trials.assign(says=says).groupby(["kind", "participant"])["says"]
    weight = (1 / of_kind.transform("size") / 9).to_numpy()  # each of nine participants counts once
    assert found.reported == pytest.approx(of_kind.mean().groupby("kind").mean())
    n = {kind: 1 / (weight[is_fake == kind] ** 2).sum() for kind in (True, False)}  # Kish's effective number
    share = {kind: (weight @ (says * (is_fake == kind)) * n[kind] + 1) / (n[kind] + 2) for kind in n}
    assert (found.fake, found.real) == pytest.approx((share[True], share[False]))
    influence = weight * np.where(is_fake, says - share[True], share[False] - says)
    codes = [pd.factorize(trials[name])[0] for name in ("participant", "stimulus")]
    assert found.error(1.0, -1.0) ** 2 == pytest.approx(two_way(influence[:, None], *codes, side=is_fake)[0])


def test_the_clustered_error_counts_where_pictures_have_few_answers() -> None:
    rng = np.random.default_rng(3)
    person, number = np.repeat(np.arange(40), 10), np.concatenate([rng.permutation(200)[:10] for _ in range(40)])
    is_fake = number % 2 == 0
    eta = rng.normal(0, 0.6, 40)[person] + 0.4 * is_fake + 0.9 * np.sin(7.0 * number)
    found = rates(judged(person, number, is_fake, rng.random(400) < norm.cdf(eta)))
    assert found.fit is not None
    larger = found.error(1, -1) > np.sqrt(np.array([1, -1]) @ found.covariances[0] @ np.array([1, -1])) + 1e-12
    assert larger == (found.basis == "crossed_model_clustered_error")
    assert len(found.covariances) == (4 if larger else 1)


def test_a_photograph_and_its_version_are_not_taken_for_unrelated() -> None:
    """The second factor is the item, with a slope of the kind: what versions share cancels in one of both contrasts."""
    trials = partners(24, 10, seed=1)
    alone, named = (rates(trials.assign(item=item)) for item in (None, trials["stimulus"]))
    assert np.array_equal(named.covariances, alone.covariances)
    shared = rates(trials)
    assert (shared.basis, shared.df, len(shared.covariances)) == ("crossed_model", alone.df, 1)
    is_fake = (trials["kind"] == "fake").to_numpy()
    slope = np.where(is_fake, 0.5, -0.5)
    person, item = (pd.factorize(trials[name])[0] for name in ("participant", "item"))
    says = (trials["response"] == "fake").to_numpy()
    X = np.column_stack([is_fake, ~is_fake]).astype(float)
    fit = fit_crossed(says, X, person, item, slope=slope, slope_second=slope)
    variance, _ = fit.random_variance(np.array([0.5, -0.5]))
    shares = population_proportions(fit.beta, np.sqrt(variance)).share
    assert (shared.fake, shared.real) == pytest.approx(shares, abs=1e-5)
    assert shared.error(0.5, -0.5) > 1.2 * alone.error(0.5, -0.5)  # skill
    assert shared.error(-1, -1) < 0.9 * alone.error(-1, -1)  # bias


def test_items_with_few_answers_or_several_versions_are_no_factor() -> None:
    trials = partners(24, 10, seed=1)
    of_each = trials.groupby("stimulus").cumcount() < 1
    assert rates(trials[of_each].reset_index(drop=True)).fit is None
    other = trials[trials["kind"] == "fake"].assign(model="other")
    both = pd.concat([trials, other.assign(stimulus=other["stimulus"] + "-other")], ignore_index=True)
    assert len(rates(both).covariances) > 1, "the variance of items is added"


def test_shares_without_a_model_have_the_variance_of_items() -> None:
    trials = partners(24, 10, seed=1)
    is_fake = (trials["kind"] == "fake").to_numpy()
    says = (trials["response"] == "fake").to_numpy(float)
    answered = typed(trials).answered
    found = RatesOfTable(PLAN, "asked").of(KindQuestion.of(kind_rows(answered), answered))
    smoothed = np.where(is_fake, found.fake, found.real)
    influence = (says - smoothed)[:, None] * np.where(is_fake, 1, -1)[:, None] / 240
    person, stimulus, item = (pd.factorize(trials[name])[0] for name in ("participant", "stimulus", "item"))
    by_item = two_way(influence, person, item, side=is_fake)[0]
    assert by_item > 1.2 * two_way(influence, person, stimulus, side=is_fake)[0]
    assert found.error(1, -1) ** 2 == pytest.approx(by_item)


def test_models_that_share_prompts_are_not_independent_in_the_row_of_all() -> None:
    """Each of two models has a version of each prompt, and the version fools where the other does."""
    rng = np.random.default_rng(3)
    person, prompt, model = (each.ravel() for each in np.indices((16, 15, 3)))
    eta = rng.normal(0, 0.5, 16)[person] + rng.normal(0, 1.2, (15, 2))[prompt, np.minimum(model, 1)]
    trials = judged(person, 3 * prompt + model, model > 0, rng.random(len(eta)) < expit(eta))
    trials = trials.assign(model=np.select([model == 1, model == 2], ["x", "y"], None), dataset="d")
    prompts = np.where(model > 0, prompt.astype(str), [f"photograph {number}" for number in prompt])
    apart, together = (rates(trials.assign(item=item)) for item in (None, prompts))
    assert together.error(1, 0) > 1.15 * apart.error(1, 0)
    assert together.error(0, 1) == apart.error(0, 1)
    assert together.df == apart.df == 14


def test_few_shared_items_have_few_degrees_of_freedom() -> None:
    trials = partners(24, 10, seed=1)
    of_three = trials["stimulus"].astype(int) % 3
    assert rates(trials.assign(item=of_three.astype(str))).df == 2
    assert rates(trials.assign(item="one")).df == rates(trials.assign(item=None)).df


@pytest.mark.nightly
def test_intervals_hold_where_photographs_and_versions_share_items() -> None:
    """True accuracy is 1/2; without the items the interval of accuracy held it in 88% of such studies."""
    found = [rates(partners(40, 12, seed=seed)).detection(None) for seed in range(400)]
    held = np.mean([row.accuracy.low <= 0.5 <= row.accuracy.high for row in found])
    assert 0.92 <= held <= 0.985
    assert np.mean([row.fooling_rate.low <= 0.5 <= row.fooling_rate.high for row in found]) >= 0.92


def test_a_poll_has_the_degrees_of_freedom_of_two_independent_samples() -> None:
    """Each person answers once: Welch's test of pictures, and not below the error of independent answers."""
    rng = np.random.default_rng(2)
    picture = rng.permutation(np.arange(96) % 12)
    is_fake, larger = picture % 2 == 0, set()
    for spread in (0.0, 1.5):
        says = rng.random(96) < expit(rng.normal(0, spread, 12)[picture])
        found = rates(judged(np.arange(96), picture, is_fake, says, dataset="d"))
        assert (found.basis, found.df) == ("two_way_cluster", 5)
        residual = (says - np.where(is_fake, found.fake, found.real)) / 48
        by_picture = np.bincount(picture, residual) ** 2 * 6 / 5
        of_pictures = by_picture[::2].sum(), by_picture[1::2].sum()
        of_people = [(residual[side] ** 2).sum() * 48 / 47 for side in (is_fake, ~is_fake)]
        reaches = {}
        for name, (fake, real), df in (("pictures", of_pictures, 5), ("people", of_people, 47)):
            welch = (fake + real) ** 2 / (fake**2 / df + real**2 / df)
            both, one = student.ppf(0.975, welch) ** 2 * (fake + real), student.ppf(0.975, df) ** 2 * fake
            reaches[name] = both, one
        expected = np.sqrt(np.max([*reaches.values()], axis=0))
        errors = [found.error(1, -1), found.error(1, 0)]
        assert student.ppf(0.975, 5) * np.array(errors) == pytest.approx(expected)
        larger.add(max(reaches, key=reaches.__getitem__))
    assert larger == {"people", "pictures"}


ALONE = "one participant alone gave both answers"


@pytest.mark.parametrize(
    ("people", "looked", "note"),
    [(1, 0, "no participant gave both"), (12, 0, "no participant gave both"), (12, 1, ALONE)],
)
def test_one_key_is_no_verdict(people: int, looked: int, note: str) -> None:
    trials = simulated(participants=people, each=40)
    constant = ~trials["participant"].isin(trials["participant"].unique()[:looked])
    trials["response"] = trials["response"].mask(constant, "fake")
    frames = cited_tables(trials.drop(columns="correct"), PLAN)
    for row in frames["paper"].to_dict("records"):
        assert row["verdict"] == "no verdict"
        assert (row["accuracy"] == 0.5) == (not looked)
        numbers = ("p", "accuracy_low", "accuracy90_high", "dprime", "dprime_low")
        assert np.isnan([row[name] for name in numbers]).all(), "50% ± 1.5 points"
        assert note in row["note"]
    kinds = frames["comparisons"][frames["comparisons"]["measure"].isin(["called_fake", "accuracy"])]
    assert set(kinds["comparison"]) >= {"told apart", "real vs fake"}
    assert kinds[["p", "p_equivalent", "ci_low", "simultaneous_high"]].isna().all(axis=None)
    assert not kinds["verdict"].isin(["different", "equivalent"]).any()


def test_a_model_that_lies_far_from_the_answers_is_not_cited() -> None:
    trials = simulated(participants=12, each=40)
    constant = trials["participant"].isin(trials["participant"].unique()[:5])
    trials["response"] = trials["response"].mask(constant, "fake")
    row = cited_tables(trials.drop(columns="correct"), PLAN)["paper"].iloc[0]
    own = (trials["response"] == "real").groupby([trials["kind"], trials["participant"]]).mean()
    assert [row["fooling_rate"], row["real_called_real"]] == pytest.approx(own.groupby("kind").mean().to_list())
    assert row["basis"] == "two_way_cluster"
    assert "far from the observed ones" in row["note"]


@pytest.mark.parametrize(("few", "many"), [(10, 40), (20, 20)])
def test_all_has_no_verdict_where_a_row_is_without_variance(few: int, many: int) -> None:
    pictures = [
        {"stimulus": f"{dataset}/{kind}/{number}", "dataset": dataset, "kind": kind, "response": key}
        | {"model": "gan" if kind == "fake" else None}
        for dataset, key in (("a", "fake"), ("b", "real"))
        for kind in ("fake", "real")
        for number in range(many if kind == key else few)
    ]
    trials = pd.concat([pd.DataFrame(pictures).assign(participant=f"P{person}") for person in range(12)])
    table = cited_tables(trials.reset_index(drop=True), PLAN)["paper"].set_index("dataset")
    assert set(table["verdict"]) == {"no verdict"}
    assert table[["p", "accuracy_low", "dprime_high"]].isna().all(axis=None)
    assert "in 2 of 2 rows" in table.loc["all", "note"]


def leaning(seed: int, *, people: int = 20, lean: float = 4.5) -> pd.DataFrame:
    """Simulate people without sensitivity who answer `fake` where most pictures are fakes, and `real` elsewhere."""
    rng, parts = np.random.default_rng(seed), []
    for name, fakes, eta in (("A", 60, lean), ("B", 6, -lean)):
        person, number = np.divmod(np.arange(people * 66), 66)
        leanings = rng.normal(0, 0.5, people)[person] + rng.normal(0, 0.5, 66)[number]
        part = judged(person, number, number < fakes, rng.random(len(person)) < expit(eta + leanings), dataset=name)
        parts.append(part.assign(stimulus=name + part["stimulus"].astype(str), session=part["participant"]))
    return fill_trials(pd.concat(parts, ignore_index=True).drop(columns=["trial", "correct"]))


@pytest.mark.parametrize("seed", [1, 14])
def test_opposite_leanings_on_two_data_sets_are_no_sensitivity(seed: int) -> None:
    """The row `all` was significant in a third of such studies when its error did not include those of its rows."""
    row = rates(leaning(seed)).detection(0.1)
    assert row.p > 0.05
    assert row.accuracy.low <= 0.5 <= row.accuracy.high
    assert row.dprime.low <= 0 <= row.dprime.high
    assert np.isnan(row.p_equivalent), "99% of the answers of each data set are the same"
    assert "not equivalence" in str(row.note)


def test_a_model_that_diverged_gives_way_to_clustered_shares() -> None:
    found = []
    for seed in (3, 4, 11):  # separation, a fit, and a spread that diverged
        rng = np.random.default_rng(seed)
        person, number = np.repeat(np.arange(5), 10), np.tile(np.arange(10), 5)
        is_fake = number % 2 == 0
        says = np.where(rng.random(50) < 0.9, is_fake, ~is_fake)
        found.append(rates(judged(person, number, is_fake, np.where(person == 0, ~is_fake, says))))
    for each in found:
        row = each.detection(0.1)
        assert np.isfinite([row.accuracy.low, row.dprime.low, row.fooling_rate.high]).all()
        if each.fit is not None:
            assert max(each.fit.first.sd, each.fit.first.sd_slope, each.fit.second.sd) <= 7
    assert [each.basis for each in found] == ["two_way_cluster", "crossed_model", "two_way_cluster"]
    assert "(SD 7.5)" in str(found[2].note)


def test_who_gave_one_answer_only_is_named_and_the_answer_without_them_given() -> None:
    trials = simulated(participants=6, each=20, intercept=1.0)
    constant = trials["participant"].isin(["P001", "P004"])
    trials["response"] = trials["response"].mask(constant, "fake")
    frames = analyze(fill_trials(trials.drop(columns="correct")))
    row = frames["comparisons"].set_index("comparison").loc["told apart, sensitivity: without one answer only"]
    rest = comparisons(fill_trials(trials[~constant].drop(columns="correct")))
    assert row["difference"] == pytest.approx(rest.set_index("comparison").loc["told apart", "difference"])
    assert pd.isna(row["verdict"])
    assert "2 of 6 participants gave one answer only" in frames["rates"]["note"].iloc[0]


@pytest.mark.parametrize(("people", "each"), [(3, 8), (40, 25)])
def test_a_rate_of_0_has_the_limit_of_people_and_pictures_that_differ(people: int, each: int) -> None:
    person, number = np.divmod(np.arange(2 * people * each), 2 * each)
    row = rates(judged(person, number, number % 2 == 0, number % 2 == 0)).detection(None)
    assert (row.fooling_rate.value, row.fooling_rate.low, row.accuracy.high) == (0.0, 0.0, 1.0)
    assert "one answer of each kind added" in str(row.note)
    limits = []
    for count, of_each in ((people, each), (each, people)):  # all of `count`, who differ by 1.5 log-odds, are right

        def all_right(eta: float, of_each: int = of_each) -> float:
            return quad(lambda z: expit(-eta - 1.5 * z) ** of_each * norm.pdf(z), -9, 9)[0]

        eta = brentq(lambda eta, n=count: n * np.log(all_right(eta)) - np.log(0.025), -20, 5)
        limits.append(quad(lambda z, eta=eta: expit(eta + 1.5 * z) * norm.pdf(z), -9, 9)[0])
    assert 1.4 * max(limits) < row.fooling_rate.high < 1.6 * max(limits)
    assert row.real_called_real.low == pytest.approx(1 - row.fooling_rate.high)
    assert row.accuracy.low < 1 - 1.2 / (2 * people * each)
    assert row.p < 0.05


def test_all_at_the_ceiling_has_the_dprime_of_its_rows() -> None:
    person, number = np.divmod(np.arange(12 * 60), 60)
    model = np.array(["a", "b", None], dtype=object)[number % 3]
    trials = judged(person, number, number % 3 < 2, number % 3 < 2, model=model)
    table = cited_tables(trials)["paper"].set_index("model")
    assert table["dprime"].to_numpy() == pytest.approx([2 * norm.ppf(241 / 242)] * 3)
    assert not table.loc["all", "note"].endswith("those of the rows")


def test_slips_among_answers_that_are_all_alike_are_not_equivalence() -> None:
    person, number = np.divmod(np.arange(40 * 40), 40)
    slips = np.isin(40 * person + number, [3, 410, 1007])
    table = cited_tables(judged(person, number, number % 2 == 0, ~slips), AnalysisSettings(margin=0.05))
    (row,) = table["paper"].query("model != 'all'").to_dict("records")
    assert row["verdict"] == "undecided"
    assert "nearly all answers on each data set are the same" in row["note"]
    tests = table["comparisons"].set_index("comparison").loc["told apart"]
    assert (tests["verdict"], "nearly all answers" in tests["note"]) == ("undecided", True)


def test_dprime_holds_0_where_accuracy_holds_one_half() -> None:
    for seed in (1, 3, 7):
        rng = np.random.default_rng(seed)
        person, number = np.divmod(np.arange(12 * 40), 40)
        says = np.where(person < 2, rng.random(480) < 0.5 + 0.2 * (number % 2 == 0), True)
        row = rates(judged(person, number, number % 2 == 0, says)).detection(0.1)
        assert row.accuracy.low <= 0.5 <= row.accuracy.high
        assert row.dprime.low <= 0 <= row.dprime.high


def near_ceiling(people: int, each: int, wrong: dict[str, int], seed: int) -> pd.DataFrame:
    """Each person sees pictures that nobody else sees; `wrong` counts the wrong answers to each model."""
    rng, n = np.random.default_rng(seed), people * each
    model = np.repeat([*wrong], n)
    is_wrong = np.concatenate([rng.permutation(n) < errors for errors in wrong.values()])
    person, is_fake = np.arange(len(model)) % people, model != "real"
    return judged(person, np.arange(len(model)), is_fake, is_fake != is_wrong, model=model, dataset="d")


@pytest.mark.parametrize("people", [5, 40])
@pytest.mark.parametrize(
    "wrong", [{"a": 1, "b": 0, "c": 0, "real": 1}, {"a": 1, "b": 0, "real": 0}, {"a": 2, "real": 1}]
)
def test_an_interval_reaches_beyond_an_estimate_below_100_percent(people: int, wrong: dict[str, int]) -> None:
    for each, seed in ((5, 0), (10, 1)):
        trials = near_ceiling(people, each, wrong, seed)
        answered = typed(trials).answered
        rows = tuple(kind_rows(answered))
        for chosen in (rows, rows[:1]):
            found = RatesOfTable(PLAN).of(KindQuestion.of(chosen, answered))
            assert found.basis == "two_way_cluster"
            row = found.detection(0.1)
            for one in (row.fooling_rate, row.real_called_real, row.accuracy):
                assert one.low < one.value or one.value == one.low == 0
                assert one.high > one.value or one.value == one.high == 1
                assert one.high - one.low < 0.6
            assert row.dprime.low < row.dprime.value < row.dprime.high
            bias = found.bias()
            (low, high), (low90, high90) = bias.interval(0.95), bias.interval(0.9)
            assert low <= low90 <= bias.difference <= high90 <= high
            assert row.accuracy.low <= row.accuracy90[0] < row.accuracy.value <= row.accuracy90[1] <= row.accuracy.high


def test_dprime_near_the_ceiling_reaches_as_far_as_that_of_independent_answers() -> None:
    dprime = rates(near_ceiling(10, 5, {"a": 1, "real": 1}, 0)).detection(None).dprime
    high = norm.ppf(proportion_confint(49, 50, method="wilson")[1]) - norm.ppf(49 / 50)  # for hits and false alarms
    assert dprime.value == pytest.approx(2 * norm.ppf(49 / 50))
    assert dprime.high == pytest.approx(dprime.value + np.hypot(high, high))


def test_people_who_all_answer_half_fake_leave_an_interval() -> None:
    person, number = np.repeat(np.arange(4), 4), np.tile(np.arange(4), 4)
    answered = typed(judged(person, number, number % 2 == 1, (person + number // 2) % 2 == 0)).answered
    found = RatesOfTable(PLAN, "asked").of(KindQuestion.of(kind_rows(answered), answered))
    row = found.detection(0.1)
    for one in (row.fooling_rate, row.real_called_real, row.accuracy, row.dprime):
        assert one.low < one.value - 0.05 < one.value + 0.05 < one.high


def test_of_one_person_the_pictures_are_the_clusters() -> None:
    found = rates(from_counts(15, 10, 7, 18))
    assert found.basis == "picture_cluster"
    assert found.df == 24
    assert found.untested == "one participant"
    error = np.sqrt(sum(k * (1 - p) ** 2 + (25 - k) * p**2 for k, p in ((15, 16 / 27), (7, 8 / 27))) / 25 / 24)
    assert found.error(1, -1) == pytest.approx(error)


def test_one_person_gives_no_verdict_on_kinds_and_models() -> None:
    counts = {"gan": (20, 0, 20, 0), "a": (15, 5, 1, 0), "b": (5, 15, 1, 0)}
    parts = [from_counts(*of, dataset=name).assign(model=name, dataset="d") for name, of in counts.items()]
    trials = pd.concat(parts, ignore_index=True).assign(trial=lambda t: np.arange(len(t)) + 1)
    table = comparisons(trials, plan=PLAN)
    assert {"told apart", "real vs fake", "models on d"} <= set(table["comparison"])
    assert table[["p", "p_equivalent"]].isna().all(axis=None)
    assert table["verdict"].isna().all()
    assert set(table["untested"]) == {"one participant", "constant answers"}


@pytest.mark.parametrize(("people", "says"), [(1, False), (3, True), (6, False)])
def test_intervals_of_few_people_are_called_wide_by_necessity(people, says):
    frames = cited_tables(simulated(participants=people, stimuli=30, each=30))
    for table in (frames["comparisons"], frames["paper"]):
        assert table["note"].fillna("").str.contains(f"{people} participants: .* wide by necessity").all() == says
