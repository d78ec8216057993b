import numpy as np
import pytest
from make_trials import from_counts, simulated
from scipy.stats import norm

from gan_eval.stats.mixed import mixed_models

FORMULAS = ["correct ~ 1 + (1|participant) + (1|stimulus)", "correct ~ kind + (1|participant) + (1|stimulus)"]


def test_both_formulas_stand_in_the_table():
    trials = simulated(seed=11)
    table = mixed_models(trials)
    assert list(table["formula"].unique()) == FORMULAS
    assert list(table["term"]) == ["intercept", "intercept", "kind[real]"]
    assert (table["link"] == "logit").all()
    assert (table["n_trials"] == len(trials)).all()
    assert (table["n_participants"] == 40).all()
    assert (table["n_stimuli"] == 50).all()
    assert table["note"].isna().all()
    assert not table["singular"].any()
    z = table["estimate"] / table["std_error"]
    assert table["z"].to_numpy() == pytest.approx(z.to_numpy())
    assert table["p"].to_numpy() == pytest.approx(2 * norm.sf(np.abs(z)))
    assert table["ci_high"].to_numpy() == pytest.approx((table["estimate"] + 1.959964 * table["std_error"]).to_numpy())
    assert table["log_likelihood"].iloc[1] >= table["log_likelihood"].iloc[0]
    assert table["estimate"].iloc[2] < 0


@pytest.mark.parametrize(
    ("trials", "word"),
    [
        (from_counts(15, 10, 7, 18), "one participant"),
        (from_counts(0, 0, 0, 0), "no answered"),
        (from_counts(1, 0, 0, 1), "one participant"),
        (simulated(intercept=50.0), "separated"),
        (simulated(stimuli=1, each=1), "one stimulus"),
        (simulated(stimuli=20_000, each=2, participants=8), "no stimulus has more than one answer"),
    ],
)
def test_without_an_estimate_there_is_a_word_and_no_number(trials, word):
    table = mixed_models(trials)
    numbers = ["estimate", "std_error", "z", "p", "ci_low", "ci_high", "sd_participant", "sd_stimulus"]
    assert len(table) == 3
    assert table[numbers].isna().all().all()
    assert table["note"].str.contains(word).all()


def test_reals_only_leave_the_plain_model():
    trials = simulated(seed=3)
    table = mixed_models(trials[trials["kind"] == "real"])
    assert np.isfinite(table["estimate"].iloc[0])
    assert table["estimate"].iloc[1:].isna().all()
    assert table["note"].iloc[1:].str.contains("one kind").all()


def test_few_groups_are_named_and_marks_travel():
    trials = simulated(participants=3, seed=5).assign(simulated=True, fraction=0.25)
    table = mixed_models(trials)
    assert table["note"].str.contains(r"few participants \(3\)").all()
    assert table["simulated"].all()
    assert (table["fraction"] == 0.25).all()
