import numpy as np
import pandas as pd
import pytest
from make_grades import simulated_grades
from make_trials import from_counts, judged, simulated, simulated_pairs
from statsmodels.stats.multitest import multipletests

from gan_eval.judgements.trials import fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.contrast import estimate
from gan_eval.stats.estimate.differences import difference_of_proportions
from gan_eval.stats.paper import paper
from gan_eval.stats.questions import model_questions
from gan_eval.stats.tables.comparisons import compare, comparisons
from gan_eval.stats.tables.rates import rates

APART = "told apart"
"""The comparison of all generated pictures with the real ones."""


def test_leanings_that_differ_between_data_sets_do_not_tell_apart():
    photos = from_counts(5, 45, 20, 180, dataset="photos")
    drawings = from_counts(180, 20, 45, 5, dataset="drawings")
    table = comparisons(pd.concat([photos, drawings.assign(session="s2")]).assign(participant="P1"))
    told_apart = table.set_index("comparison").loc[APART]
    assert told_apart["difference"] == pytest.approx(0, abs=1e-12)  # pooled counts give 0.4
    assert told_apart["ci_low"] < 0 < told_apart["ci_high"]
    assert pd.isna(told_apart["verdict"]), "one participant"
    assert table.set_index("a").loc["photos real", ["n_a", "n_b"]].tolist() == [200, 50]


def test_a_data_set_with_one_kind_does_not_count():
    both, reals = from_counts(15, 10, 7, 18), from_counts(0, 0, 30, 10, dataset="maps", session="s2")
    told_apart = comparisons(pd.concat([both, reals])).set_index("comparison").loc[APART]
    assert told_apart["difference"] == pytest.approx(15 / 25 - 7 / 25)
    assert (told_apart["n_a"], told_apart["n_b"]) == (25, 25)
    assert "one kind of picture left out" in told_apart["note"]


def test_a_participants_sessions_are_compared_together():
    """Crowd work: each session (an assignment) shows one picture."""
    whole = simulated(participants=10, stimuli=24, each=24, models=("a", "b"))
    single = whole.assign(session=[f"A{number}" for number in range(len(whole))], trial=1)
    for table in (rates, comparisons):
        pd.testing.assert_frame_equal(table(single), table(whole))


def poll(*, people: int = 200, each: int = 1, effect: float = 4.0) -> pd.DataFrame:
    """Many people judge few pictures each, of two models and real ones."""
    rng = np.random.default_rng(1)
    picture = np.concatenate([rng.permutation(24)[:each] for _ in range(people)])
    is_fake = picture < 12
    says_fake = rng.random(len(picture)) < 1 / (1 + np.exp(effect * (0.5 - is_fake)))
    models = np.where(is_fake, np.where(picture % 2, "a", "b"), None)
    return judged(np.repeat(np.arange(people), each), picture, is_fake, says_fake, model=models)


def test_a_poll_with_one_answer_from_each_participant_has_its_verdict():
    trials = poll()
    table = comparisons(trials)
    for row in (APART, "a told apart", "b told apart"):
        found = one(table, row)
        assert (found["verdict"], found["n_b"]) == ("different", (trials["kind"] == "real").sum()), row
        assert "between participants" in found["note"], row
    assert one(comparisons(poll(effect=0.0), only_overall=True), APART)["verdict"] == "undecided"
    alike = fill_trials(trials.assign(response="fake").drop(columns="correct"))
    assert np.isnan(one(comparisons(alike, only_overall=True), APART)["p"])


def test_answers_to_reals_alone_are_counted_where_they_are_left_out():
    trials = poll(people=8, each=24, effect=1.0)
    is_alone = trials["participant"] == "3"
    trials = trials[~is_alone | (trials["kind"] == "real")].reset_index(drop=True)
    found = paper(trials, [], compare(trials)).set_index("model").loc["all"]
    assert found["n_answers"] == 7 * 24
    assert "12 answers" in found["note"]


@pytest.mark.parametrize(
    ("trials", "words", "counts"),
    [
        (from_counts(15, 10, 0, 0), "only generated pictures were judged", (25, 0)),
        (from_counts(0, 0, 7, 18), "only real pictures were judged", (0, 25)),
        (simulated(stimuli=1, each=1), "one picture; only real pictures were judged", (0, 40)),
        (from_counts(3, 3, 3, 3, response="none"), "no answered trials", (0, 0)),
        (
            pd.concat([from_counts(5, 5, 0, 0), from_counts(0, 0, 5, 5, dataset="maps", session="s2")]),
            "no data set has answers to both",
            (10, 10),
        ),
    ],
)
def test_where_nothing_can_be_told_apart_the_row_says_why(trials, words, counts):
    for plan in (AnalysisSettings(), AnalysisSettings(margin=0.05)):
        told_apart = one(comparisons(trials, plan=plan), APART)
        assert words in told_apart["note"]
        assert (told_apart["n_a"], told_apart["n_b"]) == counts
        assert told_apart[["difference", "ci_low", "ci_high", "p", "p_holm", "verdict"]].isna().all()


@pytest.fixture(scope="module")
def three() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers to three models' pictures, and their comparisons."""
    trials = simulated(participants=20, stimuli=30, each=30, models=("a", "b", "c"), seed=2)
    return trials, comparisons(trials, plan=AnalysisSettings(margin=0.1))


def test_table_compares_models_within_a_data_set_and_corrects_by_kind(three):
    trials, table = three
    models = table[table["comparison"] == "models on faces"]
    assert list(zip(models["a"], models["b"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert models["p_holm"].to_numpy() == pytest.approx(multipletests(models["p"], method="holm")[1])
    fooled = {name: (part["response"] == "real").mean() for name, part in trials.groupby("model")}
    assert models["difference"].iloc[0] == pytest.approx(fooled["a"] - fooled["b"], abs=0.03)
    kinds = table[table["comparison"] == "real vs fake"]
    assert list(kinds["a"]) == ["faces real"]
    assert kinds["p_holm"].to_numpy() == pytest.approx(kinds["p"].to_numpy())


def test_a_simultaneous_interval_leaves_0_out_exactly_where_holms_test_rejects(three):
    others = simulated_grades(gap=1.5, with_reals=True), simulated_pairs(effect=0.7, models=("a", "b", "c"))
    tested = pd.concat([three[1], *map(comparisons, others)]).dropna(subset="p_holm")
    leaves_out = (tested["simultaneous_low"] > 0) | (tested["simultaneous_high"] < 0)
    pd.testing.assert_series_equal(leaves_out, tested["p_holm"] < 0.05, check_names=False)
    assert 3 < leaves_out.sum() < len(tested) - 3
    others = tested[~leaves_out]
    assert (others["simultaneous_low"] <= others["ci_low"] + 1e-9).all()
    assert (others["simultaneous_high"] >= others["ci_high"] - 1e-9).all()
    one = comparisons(simulated(participants=12, stimuli=36, each=36)).iloc[0]
    assert one[["simultaneous_low", "simultaneous_high"]].tolist() == pytest.approx(one[["ci_low", "ci_high"]].tolist())


def test_each_model_is_told_apart_from_its_own_reals(three):
    trials, table = three
    names = [f"{model} told apart on faces" for model in "abc"]
    rows = table.set_index("comparison").loc[names]
    assert rows["p_holm"].to_numpy() == pytest.approx(multipletests(rows["p"], method="holm")[1])
    assert rows["verdict"].notna().all()
    assert (rows["margin"] == 0.1).all()
    for model, row in zip("abc", rows.to_dict("records"), strict=True):
        sittings = trials.loc[trials["model"] == model, "session"].unique()
        reals = trials[(trials["kind"] == "real") & trials["session"].isin(sittings)]
        fakes = trials[trials["model"] == model]
        assert (row["a"], row["b"], row["measure"]) == (model, "real", "called_fake")
        assert (row["n_a"], row["n_b"]) == (len(fakes), len(reals))
        assert row["ci_low"] < row["ci90_low"] < row["difference"] < row["ci90_high"] < row["ci_high"]
        assert row["check_p"] == pytest.approx(row["p"], rel=1)
        called = [(part["response"] == "fake").mean() for part in (fakes, reals)]
        assert row["difference"] == pytest.approx(called[0] - called[1], abs=0.03)
    whole = one(table, "told apart on faces")
    assert whole["difference"] == pytest.approx(one(table, APART)["difference"])


def test_reals_that_name_the_model_of_their_block_change_nothing():
    trials = simulated(participants=12, stimuli=40, each=40, models=("a", "b"))
    trials = trials.sort_values(["participant", "stimulus"], ignore_index=True)
    fooled = trials["model"] == "b"
    trials["response"] = trials["response"].mask(fooled, np.where(np.arange(len(trials)) % 3, "real", "fake"))
    trials = fill_trials(trials.drop(columns="correct"))
    block = np.where(trials["stimulus"].str[-2:].astype(int) % 4 < 2, "a", "b")
    assert set(zip(trials["model"].dropna(), block[trials["model"].notna()], strict=True)) == {("a", "a"), ("b", "b")}
    named = trials.assign(model=trials["model"].where(trials["model"].notna(), block))
    pd.testing.assert_frame_equal(comparisons(fill_trials(named)), comparisons(trials))


def test_a_model_is_held_against_the_reals_of_those_who_judged_it():
    seen = from_counts(15, 10, 7, 18).assign(model=lambda frame: frame["model"].where(frame["kind"] == "real", "mine"))
    others = from_counts(5, 20, 20, 5, participant="P02", session="s2")
    row = one(comparisons(pd.concat([seen, others])), "mine told apart on facades")
    assert (row["n_a"], row["n_b"]) == (25, 25)
    assert row["difference"] == pytest.approx(15 / 25 - 7 / 25)


def one(table: pd.DataFrame, comparison: str) -> pd.Series:
    """The only row of a comparison."""
    return table.set_index("comparison").loc[comparison]


def counterbalanced(*, people: int = 24, items: int = 30, effect: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Simulate people who see each item from model a or b; items differ much more than the models' pictures."""
    rng = np.random.default_rng(seed)
    person, item = np.repeat(np.arange(people), items), np.tile(np.arange(items), people)
    is_b = (person + item) % 2
    eta = 0.3 + effect * (is_b - 0.5) + rng.normal(0, 0.5, people)[person] + rng.normal(0, 1.2, items)[item]
    eta += rng.normal(0, 0.2, 2 * items)[2 * item + is_b]
    says_fake = rng.random(len(eta)) >= 1 / (1 + np.exp(-eta))
    own = {"item": item.astype(str), "model": np.where(is_b, "b", "a"), "dataset": "maps"}
    return judged(person, 2 * item + is_b, np.ones(len(item), bool), says_fake, **own)


def test_items_that_models_share_cancel():
    trials = counterbalanced()
    within, between = (one(comparisons(each), "models on maps") for each in (trials, trials.assign(item=None)))
    assert within["basis"] == between["basis"] == "crossed_model"
    assert within["difference"] == pytest.approx(between["difference"], abs=0.03)
    assert within["ci_high"] - within["ci_low"] < 0.75 * (between["ci_high"] - between["ci_low"])


def test_few_people_or_few_shared_items_have_the_larger_of_two_errors():
    """Up to ten: the error of the model, or that of the clustered shares."""
    rng = np.random.default_rng(1)
    found = []
    for people, items in ((30, 6), (5, 24), (30, 10), (30, 11)):
        for _ in range(3):
            person, item, is_b = (each.ravel() for each in np.indices((people, items, 2)))
            eta = (is_b - 0.5) * rng.normal(0, 1.5, items)[item] + rng.normal(0, 0.8, items)[item]
            own = {"item": item.astype(str), "model": np.where(is_b, "b", "a"), "dataset": "maps"}
            trials = judged(person, 2 * item + is_b, is_b >= 0, rng.random(len(eta)) < 1 / (1 + np.exp(-eta)), **own)
            (asked,) = (question.estimand for question in model_questions(typed(trials).answered, AnalysisSettings()))
            row = estimate(asked, margin=None)
            check = difference_of_proportions(asked.answer, asked.in_a, asked.participant, asked.picture, margin=None)
            error, clustered = (np.abs(np.array(one.interval(0.95)) - one.difference).max() for one in (row, check))
            is_larger = row.basis == "crossed_model_clustered_error"
            assert error == pytest.approx(clustered) if is_larger else items == 11 or error >= clustered
            found.append((people, items, is_larger))
    assert {(30, 6), (5, 24), (30, 10)} == {(people, items) for people, items, is_larger in found if is_larger}


@pytest.mark.parametrize(("of_both", "has_slope"), [(1, False), (2, True)])
def test_people_have_a_slope_where_two_or_more_judged_both_models(of_both, has_slope):
    trials = simulated(participants=6, stimuli=24, each=24, models=("a", "b"))
    number = trials["participant"].str[1:].astype(int)
    own = np.where(number % 2, "a", "b")
    shown = (trials["kind"] == "real") | (number < of_both) | (trials["model"] == own)
    (question,) = model_questions(typed(trials[shown].reset_index(drop=True)).answered, AnalysisSettings())
    assert (question.estimand.slopes[0] is not None) == has_slope
    assert question.counts == tuple((trials.loc[shown, "model"] == name).sum() for name in "ab")


def test_the_plans_pairs_are_planned_and_the_others_exploratory():
    trials = simulated(participants=12, stimuli=24, each=24, models=("a", "b", "c"), seed=2)
    plan = AnalysisSettings(comparisons=(("c", "a"),), margin=0.4)
    table = comparisons(trials, plan=plan)
    models = table[table["comparison"] == "models on faces"]
    assert list(zip(models["a"], models["b"], models["exploratory"], strict=True)) == [
        ("a", "b", True), ("c", "a", False), ("b", "c", True),
    ]  # fmt: skip
    planned = models[~models["exploratory"].astype(bool)]
    assert planned["p_holm"].to_numpy() == pytest.approx(multipletests(planned["p"], method="holm")[1])
    assert not table.loc[table["comparison"] == APART, "exploratory"].any()


def test_equivalence_is_the_90_per_cent_interval_within_the_margin_twice_for_told_apart():
    trials = simulated(participants=25, stimuli=40, each=40, intercept=0.15, real=-0.1, sd_participant=0, sd_stimulus=0)
    for margin in (0.02, 0.4):
        table = comparisons(trials, plan=AnalysisSettings(margin=margin))
        told_apart = one(table, APART)
        inside = -2 * margin < told_apart["ci90_low"] and told_apart["ci90_high"] < 2 * margin
        assert (told_apart["p_equivalent"] < 0.05) == inside
        assert (told_apart["verdict"] == "equivalent") == (inside and told_apart["p_holm"] >= 0.05)
        assert ("less than the margin" in str(told_apart["note"])) == (inside and told_apart["p_holm"] < 0.05)
        assert told_apart["margin"] == margin
    assert inside
    assert pd.isna(one(table, "real vs fake")["margin"])


def test_one_participant_gives_no_verdict():
    found = comparisons(simulated(participants=1, stimuli=40, each=40, models=("a", "b"), seed=1))
    assert (found["measure"] == "fooling_rate").sum() == 1
    assert found["difference"].notna().all()
    assert found["verdict"].isna().all()
