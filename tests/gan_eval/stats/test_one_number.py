"""One number and one interval: reals that several models share, and the participants behind a row."""

import numpy as np
import pandas as pd
import pytest
from cited_tables import cited_tables
from make_trials import simulated

from gan_eval.stats.cited import one_kind_sentence, printed
from gan_eval.stats.latex import latex
from gan_eval.stats.results import Result, results_of

REALS = ["real_called_real", "real_low", "real_high"]


def of_three(**more: object) -> pd.DataFrame:
    """Everybody judges the same real pictures, and pictures of three models."""
    return simulated(participants=12, each=24, models=("a", "b", "c"), **more)


def without(trials: pd.DataFrame, kind: str, people: list[str]) -> pd.DataFrame:
    return trials[~((trials["kind"] == kind) & trials["participant"].isin(people))].reset_index(drop=True)


def some_of_one_kind() -> pd.DataFrame:
    """Trials of one model: 12 participants, of whom three judged only real pictures, and one only generated ones."""
    trials = simulated(participants=12, each=24, models=("gan",))
    names = [*trials["participant"].unique()]
    return without(without(trials, "fake", names[:3]), "real", names[3:4])


def printed_reals(table: pd.DataFrame) -> list[str]:
    heads, rows = printed(results_of(table))
    return [row[heads.index("Real called real, %")] for row in rows]


def reals(table: pd.DataFrame) -> list[tuple[Result, tuple[float, ...]]]:
    """The rows as results, each with its share of reals called real."""
    return [(row, row.numbers["real_called_real"]) for row in results_of(table).every]


def test_models_that_share_real_pictures_have_one_share_of_reals_called_real():
    table = cited_tables(of_three())["paper"]
    assert len(set(printed_reals(table))) == 1, "four rows, each with its own fit"
    whole = table[table["model"] == "all"].iloc[0]
    assert [share for _, share in reals(table)] == [tuple(whole[REALS])] * 4
    share, interval = printed_reals(table)[0].split(" ", 1)
    assert (latex(table).count(f"& {share} &"), latex(table).count(interval)) == (4, 4)
    rates = table[["fooling_rate", "real_called_real"]].to_numpy()
    assert (1 - rates[:, 0] + rates[:, 1]) / 2 == pytest.approx(table["accuracy"]), "accuracy is of the row's own fit"


def test_one_model_shares_no_real_pictures_with_others():
    for trials in (simulated(participants=8, each=12), simulated(participants=8, stimuli=2, each=2)):
        table = cited_tables(trials)["paper"]
        assert not any(row.shares_reals for row, _ in reals(table))
    assert table["real_low"].isna().all(), "one picture of each kind: no interval"


def test_each_data_set_has_one_share_of_reals_called_real():
    trials = of_three()
    other = of_three(seed=5).assign(dataset="other")
    other["stimulus"], other["trial"] = "other/" + other["stimulus"], other["trial"] + 1000
    table = cited_tables(pd.concat([trials, other], ignore_index=True))["paper"]
    shares = {(row.dataset, share) for row, share in reals(table) if not row.is_of_all}
    assert len({dataset for dataset, _ in shares}) == len({share for _, share in shares}) == len(shares) == 2


def test_models_that_other_people_judged_keep_their_own_share():
    trials = of_three()
    names = [*trials["participant"].unique()]
    is_c = ((trials["model"] == "c") & ~trials["participant"].isin(names[:6])).to_numpy(bool)
    table = cited_tables(trials[~is_c].reset_index(drop=True))["paper"].set_index("model")
    assert table["n_participants"].to_dict() == {"a": 12, "b": 12, "c": 6, "all": 12}
    shown = {row.model: share[0] for row, share in reals(table.reset_index())}
    assert shown["a"] == shown["b"] != shown["c"]
    assert shown["c"] == table.loc["c", "real_called_real"]
    assert "were judged by other participants" in latex(table.reset_index())


def test_people_who_judged_one_kind_are_left_out_by_one_rule():
    """Before, who judged only generated pictures stayed, while who judged only real ones was left out."""
    frames = cited_tables(some_of_one_kind())
    row = frames["paper"].iloc[0]
    assert row[["n_participants", "n_only_real", "n_only_fake"]].tolist() == [8, 3, 1]
    assert row["n_answers"] == 8 * 24
    assert "answers to generated pictures left out" in row["note"]
    assert "answers to real pictures left out" in row["note"]
    sentence = "Left out of the result: 3 participants who judged no generated pictures, and 1 who judged no real ones."
    assert one_kind_sentence(results_of(frames["paper"])) == sentence


def test_polls_keep_everybody():
    trials = simulated(participants=60, each=24, models=("gan",))
    first = trials.groupby("participant").sample(1, random_state=1)
    row = cited_tables(first.reset_index(drop=True))["paper"].iloc[0]
    assert row[["n_participants", "n_only_real", "n_only_fake"]].tolist() == [60, 0, 0]
    assert one_kind_sentence(results_of(pd.DataFrame([row]))) == ""


def test_the_share_of_the_pairs_of_two_models_comes_before_their_strengths():
    rng = np.random.default_rng(2)
    rows = [
        {"participant": f"P{person}", "stimulus": f"x/{item}", "stimulus_b": f"y/{item}", "item": str(item)}
        for person in range(12)
        for item in range(20)
    ]
    choice = np.where(rng.random(len(rows)) < 0.3, "a", "b")
    frames = cited_tables(pd.DataFrame(rows).assign(model="x|y", choice=choice))
    test = frames["comparisons"].iloc[0]
    x, y = frames["paper"].to_dict("records")
    assert x["chosen"] == pytest.approx(0.5 + test["difference"])
    assert (x["chosen_low"], x["chosen_high"]) == pytest.approx((0.5 + test["ci_low"], 0.5 + test["ci_high"]))
    for name, other in (("chosen", "chosen"), ("chosen_low", "chosen_high"), ("chosen_high", "chosen_low")):
        assert y[name] == pytest.approx(1 - x[other])
    heads, _ = printed(results_of(frames["paper"]))
    assert heads.index("Chosen, % of their pairs") < heads.index("Preferred to the average model, %")


@pytest.mark.parametrize("model", [None, "m"])
def test_grades_without_a_truth_have_their_row(model):
    rng = np.random.default_rng(1)
    rows = [
        {"participant": f"P{person}", "stimulus": f"s{item}", "model": model, "rating": float(rng.integers(1, 6))}
        for person in range(6)
        for item in range(8)
    ]
    frames = cited_tables(pd.DataFrame(rows))
    row = frames["paper"].iloc[0]
    assert row[["n_participants", "n_unknown", "n_real", "n_answers"]].tolist() == [6, 8, 0, 48]
    assert row["grade"] == pytest.approx(np.mean([each["rating"] for each in rows]))
    heads, (cells,) = printed(results_of(frames["paper"]))
    assert cells[heads.index("Pictures")] == "8"


@pytest.mark.parametrize(("sd_person", "sd_picture", "is_of_pictures"), [(0.2, 2.0, True), (2.0, 0.2, False)])
def test_the_source_of_the_variance_is_found(sd_person, sd_picture, is_of_pictures):
    rng = np.random.default_rng(4)
    people, items = rng.normal(0, sd_person, 20), rng.normal(0, sd_picture, 20)
    rows = [
        {"participant": f"P{p}", "stimulus": f"x/{i}", "stimulus_b": f"y/{i}", "item": str(i), "model": "x|y"}
        | {"choice": "a" if rng.random() < 1 / (1 + np.exp(-people[p] - items[i])) else "b"}
        for p in range(20)
        for i in range(20)
    ]
    row = cited_tables(pd.DataFrame(rows))["comparisons"].iloc[0]
    assert row[["n_participants", "n_pictures"]].tolist() == [20, 20]
    assert (row["picture_variance"] > 0.7) == is_of_pictures
    assert (row["picture_variance"] < 0.2) != is_of_pictures
