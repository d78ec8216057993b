from collections import Counter

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated
from scipy.stats import gmean

from gan_eval.pictures.holes import area_band
from gan_eval.stats.groups import ONE_PARTICIPANT, with_holes
from gan_eval.stats.tables.rates import rates, reaction_times
from gan_eval.tables import HOLE_SCOPES


def row_of(table: pd.DataFrame, scope: str, name: str = "all") -> pd.Series:
    found = table[(table["scope"] == scope) & (table["id"] == name)]
    assert len(found) == 1
    return found.iloc[0]


def test_published_quiz_maps():
    row = row_of(rates(from_counts(15, 10, 7, 18)), "all")
    assert (row["hits"], row["misses"], row["false_alarms"], row["correct_rejections"]) == (15, 10, 7, 18)
    expected = {
        "accuracy": 0.66,
        "accuracy_low": 0.52154,
        "accuracy_high": 0.77563,
        "accuracy_p": 0.032839,
        "real_correct": 0.72,
        "real_low": 0.52423,
        "real_high": 0.85716,
        "fake_correct": 0.6,
        "fake_low": 0.40739,
        "fake_high": 0.76597,
        "dprime": 0.801289,
        "criterion": 0.157240,
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, abs=6e-6), name
    assert row_of(rates(from_counts(24, 1, 1, 24)), "all")["accuracy_p"] == pytest.approx(2.2666e-12, rel=1e-4)


def test_unanswered_practice_and_catch_are_in_no_rate():
    trials = from_counts(3, 2, 1, 4)
    trials.loc[0, "response"] = "none"
    trials.loc[1, "response"] = None
    trials.loc[2, "phase"] = "practice"
    trials.loc[5, "phase"] = "catch"
    row = row_of(rates(trials), "all")
    assert (row["hits"], row["misses"], row["false_alarms"], row["correct_rejections"]) == (0, 2, 0, 4)
    assert row["n_none"] == 2


def test_every_scope_adds_up():
    trials = simulated(models=("gan_a", "gan_b"))
    trials["requested_exposure_ms"] = np.where(trials["trial"] % 3 == 0, np.nan, np.where(trials["trial"] % 3, 33.5, 1))
    trials["block"] = (trials["trial"] > 25).astype("Int64") + 1
    table = rates(trials)
    for scope in ("participant", "stimulus", "dataset", "exposure", "block"):
        part = table[table["scope"] == scope]
        assert part[["hits", "misses", "false_alarms", "correct_rejections"]].sum().sum() == len(trials), scope
    assert set(table.loc[table["scope"] == "exposure", "id"]) == {"33.5", "unknown"}
    assert list(table.loc[table["scope"] == "block", "id"]) == ["1", "2"]


def test_an_empty_exposure_is_until_the_answer_only_where_the_picture_was_measured_to_stay():
    def exposures(**columns: object) -> list[str]:
        table = rates(simulated(participants=2, each=8).assign(**columns))
        return table.loc[table["scope"] == "exposure", "id"].tolist()

    times = simulated(participants=2, each=8)["reaction_time_ms"]
    assert exposures() == ["unknown"]
    assert exposures(exposure_ms=100.0) == ["unknown"]
    assert exposures(exposure_ms=times, planned_exposure_ms=100.0) == ["unknown"]
    assert exposures(exposure_ms=times + 8) == ["until-answer"]
    assert exposures(exposure_ms=(times + 8).where(times.index % 5 > 0)) == ["until-answer"]  # some broken off
    assert exposures(exposure_ms=(times + 8).where(times.index != 3, 100.0)) == ["until-answer", "unknown"]
    assert exposures(requested_exposure_ms=np.inf) == ["until-answer"]


@pytest.mark.parametrize(
    ("counts", "empty", "word"),
    [
        ((5, 5, 0, 0), ("real_correct", "dprime", "criterion"), "no real"),
        ((0, 0, 5, 5), ("fake_correct", "dprime", "criterion"), "no generated"),
        ((0, 0, 0, 0), ("accuracy", "accuracy_p", "dprime"), "no answered"),
        ((1, 0, 0, 1), (), "fewer than 10"),
        ((25, 0, 0, 25), (), "log-linear"),
        ((25, 0, 0, 25), (), ONE_PARTICIPANT),
    ],
)
def test_poor_data_leave_cells_empty_and_say_why(counts, empty, word):
    row = row_of(rates(from_counts(*counts)), "all")
    assert word in row["note"]
    for name in empty:
        assert np.isnan(row[name])


def test_simulated_and_fraction_travel():
    trials = from_counts(3, 2, 1, 4, simulated=True, fraction=0.1)
    row = row_of(rates(trials), "all")
    assert row["simulated"]
    assert row["fraction"] == 0.1
    trials.loc[0, "fraction"] = 0.2
    trials.loc[1, "simulated"] = False
    row = row_of(rates(trials), "all")
    assert row["simulated"]
    assert np.isnan(row["fraction"])
    assert "fractions" in row["note"]
    assert "mixed" in row["note"]


def test_unequal_numbers_of_reals_and_fakes_are_named():
    assert "not equally many" in row_of(rates(from_counts(3, 9, 2, 4)), "all")["note"]
    assert "not equally many" not in row_of(rates(from_counts(3, 3, 2, 4)), "all")["note"]
    assert "several studies" in row_of(rates(from_counts(3, 2, 1, 4, study=["a"] * 5 + ["b"] * 5)), "all")["note"]


def test_reaction_times_equal_numpy():
    trials = simulated(participants=7, each=20)
    table = reaction_times(trials).set_index(["scope", "id", "kind", "answers"])
    wrong = (trials["participant"] == "P003") & (trials["kind"] == "fake") & (trials["response"] == "real")
    times = trials.loc[wrong, "reaction_time_ms"].to_numpy()
    row = table.loc[("participant", "P003", "fake", "wrong")]
    assert row["n"] == len(times)
    assert row["median_ms"] == pytest.approx(np.median(times))
    assert [row["q25_ms"], row["q75_ms"]] == pytest.approx(np.quantile(times, [0.25, 0.75]))
    assert row["geometric_mean_ms"] == pytest.approx(gmean(times))


def test_unanswered_trials_and_impossible_times_are_left_out():
    trials = from_counts(2, 1, 1, 2, reaction_time_ms=[500.0, 700.0, -3.0, 0.0, 900.0, np.nan])
    trials.loc[0, "response"] = "none"
    row = reaction_times(trials).iloc[0]
    assert (row["scope"], row["n"], row["median_ms"]) == ("all", 2, 800.0)
    assert "2 impossible" in row["note"]


def test_no_times_still_have_a_row():
    table = reaction_times(from_counts(2, 1, 1, 2))
    assert len(table) == 1
    assert table.iloc[0]["n"] == 0
    assert "no answered trial" in table.iloc[0]["note"]


HOLES = ("centre", "blocks", "strokes")


def holes_of(trials: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A stimulus table in which every picture has a hole in its row, the real ones too, as generation writes it."""
    rng = np.random.default_rng(seed)
    pictures = trials.drop_duplicates("stimulus")[["stimulus", "kind", "model", "dataset"]]
    kinds, areas = rng.choice(HOLES, len(pictures)), rng.uniform(0.001, 0.8, len(pictures))
    return pictures.assign(mask_kind=kinds, mask_area=areas)


def counts_by_hand(trials: pd.DataFrame, of_stimulus: pd.Series, value: str) -> tuple[int, ...]:
    """Reals judged, fakes judged, hits, false alarms and unanswered trials of one group, row by row."""
    fakes = trials[(trials["kind"] == "fake") & (trials["stimulus"].map(of_stimulus) == value)]
    sat = set(zip(fakes["session"], fakes["dataset"], strict=True))
    reals = [
        row for row in trials.to_dict("records") if row["kind"] == "real" and (row["session"], row["dataset"]) in sat
    ]
    of_fakes, of_reals = Counter(fakes["response"]), Counter(row["response"] for row in reals)
    n_real, n_fake = (answers["real"] + answers["fake"] for answers in (of_reals, of_fakes))
    return n_real, n_fake, of_fakes["fake"], of_reals["fake"], of_fakes["none"] + of_reals["none"]


@pytest.mark.parametrize("seed", range(2))
def test_counts_are_those_by_hand(seed):
    """Groups of fakes take the reals of their own data sets and sessions."""
    trials = simulated(participants=6, stimuli=20, each=7, models=("a", "b"), seed=seed)
    trials["dataset"] = np.where(trials["stimulus"].str[-2:].astype(int) % 8 < 4, "faces", "maps")
    trials.loc[::5, "response"] = "none"
    stimuli = holes_of(trials, seed)
    table = rates(with_holes(trials, stimuli))
    fakes = stimuli[stimuli["kind"] == "fake"].set_index("stimulus")
    groups = (fakes["model"], fakes["mask_kind"], fakes["mask_area"].map(area_band))
    for scope, of_stimulus in zip(("model", *HOLE_SCOPES), groups, strict=True):
        found = table[table["scope"] == scope].set_index("id")
        shown = trials.loc[trials["kind"] == "fake", "stimulus"].map(of_stimulus)
        assert set(found.index) == set(shown)
        for value, row in found.iterrows():
            counts = tuple(row[["n_real", "n_fake", "hits", "false_alarms", "n_none"]])
            assert counts == counts_by_hand(trials, of_stimulus, value)


@pytest.mark.slow
def test_without_masks_there_are_no_such_scopes():
    trials = simulated(participants=5, stimuli=20, each=10)
    bare = holes_of(trials, 0).drop(columns=["mask_kind", "mask_area"])
    of_reals = holes_of(trials, 0).query("kind == 'real'")
    for stimuli in (None, bare, of_reals):
        assert with_holes(trials, stimuli) is trials


def test_a_kind_without_an_area_has_no_band():
    trials = simulated(participants=5, stimuli=20, each=10)
    found = rates(with_holes(trials, holes_of(trials, 3).assign(mask_area=None)))
    assert "mask_kind" in set(found["scope"])
    assert "mask_area_band" not in set(found["scope"])
