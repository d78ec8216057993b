import doctest
import importlib
import pkgutil

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, simulated

import gan_eval.report
import gan_eval.stats
from gan_eval.errors import UserError
from gan_eval.stats import analyze, write_analysis
from gan_eval.tables import TABLES
from gan_eval.tabular import read_table

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (gan_eval.stats, gan_eval.report)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", [*MODULES, "gan_eval.stats"])
def test_examples_in_docstrings(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_table_survives_its_file(tmp_path):
    trials = simulated(participants=6, each=12, models=("a", "b")).assign(fraction=0.5, simulated=True)
    frames = analyze(trials)
    assert list(frames) == ["rates", "reaction_times", "mixed_models", "comparisons", "correlations"]
    for path in write_analysis(frames, tmp_path):
        again = read_table(path, TABLES[path.stem])
        pd.testing.assert_frame_equal(again, frames[path.stem], check_dtype=False)
    for name in ("rates", "reaction_times", "mixed_models", "comparisons"):
        assert frames[name]["simulated"].all(), name
        assert (frames[name]["fraction"] == 0.5).all(), name


def test_nothing_is_excluded_unless_a_rule_says_so():
    trials = simulated(participants=6, each=12)
    trials.loc[:4, "reaction_time_ms"] = 100.0
    trials.loc[3:9, "flags"] = "late"
    assert analyze(trials)["rates"].iloc[0][["n_real", "n_fake"]].sum() == len(trials)
    row = analyze(trials, exclude=["reaction_time_ms<200", "flags~late"])["rates"].iloc[0]
    assert row[["n_real", "n_fake"]].sum() == len(trials) - 10
    assert f"10 of {len(trials)} trials excluded" in row["note"]
    assert "reaction_time_ms<200: 5, flags~late: 7" in row["note"]


def test_an_unknown_column_in_a_rule_is_an_error():
    with pytest.raises(UserError, match="did you mean flags"):
        analyze(simulated(participants=3), exclude=["flag~late"])


def test_a_repeated_trial_is_an_error():
    trials = from_counts(2, 2, 2, 2)
    with pytest.raises(UserError, match="the same session=P01, trial=1"):
        analyze(pd.concat([trials, trials.head(1)]))


POOR = {
    "no rows": from_counts(0, 0, 0, 0),
    "two trials": from_counts(1, 0, 0, 1),
    "one trial": from_counts(0, 1, 0, 0),
    "one participant": from_counts(15, 10, 7, 18),
    "one stimulus": simulated(stimuli=1, each=1),
    "no reals": from_counts(5, 5, 0, 0),
    "all right": simulated(intercept=60.0, sd_participant=0, sd_stimulus=0, real=0),
    "all wrong": simulated(intercept=-60.0, sd_participant=0, sd_stimulus=0, real=0),
    "all answers missing": from_counts(3, 3, 3, 3, response="none"),
    "all answers fake": simulated().assign(response="fake", correct=None),
    "impossible times": from_counts(3, 3, 3, 3, reaction_time_ms=-5.0),
    "no data set, no model": simulated(participants=4).assign(dataset=None, model=None),
}


@pytest.mark.parametrize("name", POOR)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_poor_data_give_words_instead_of_crashes(name):
    frames = analyze(POOR[name])
    everything = frames["rates"].iloc[0]
    assert everything["scope"] == "all"
    for name_of, frame in frames.items():
        numbers = frame.select_dtypes("float64").to_numpy()
        assert not np.isinf(numbers).any(), name_of
    models = frames["mixed_models"]
    assert (models["estimate"].notna() | models["note"].notna()).all()
    assert (models["estimate"].notna() == models["std_error"].notna()).all()
    different = frames["comparisons"][frames["comparisons"]["verdict"] == "different"]
    assert different["p"].notna().all()
