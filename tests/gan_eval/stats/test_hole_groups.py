"""Rates by the kind and the area of the hole that was filled."""

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated

from gan_eval.stats.answers.rates import rates
from gan_eval.stats.groups import with_holes
from gan_eval.stimuli.holes import area_band
from gan_eval.tables import HOLE_SCOPES

KINDS = ("centre", "blocks", "strokes")


def holes_of(trials: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A stimulus table in which every picture has a hole in its row, the real ones too, as generation writes it."""
    rng = np.random.default_rng(seed)
    pictures = trials.drop_duplicates("stimulus")[["stimulus", "kind", "model", "dataset"]]
    kinds, areas = rng.choice(KINDS, len(pictures)), rng.uniform(0.001, 0.8, len(pictures))
    return pictures.assign(mask_kind=kinds, mask_area=areas)


def by_hand(trials: pd.DataFrame, of_stimulus: pd.Series, value: str) -> tuple[int, int, int, int]:
    """Reals judged, fakes judged, hits and false alarms of one group, row by row."""
    fakes = trials[(trials["kind"] == "fake") & (trials["stimulus"].map(of_stimulus) == value)]
    sat = set(zip(fakes["session"], fakes["dataset"], strict=True))
    reals = [
        row for row in trials.to_dict("records") if row["kind"] == "real" and (row["session"], row["dataset"]) in sat
    ]
    false_alarms = sum(row["response"] == "fake" for row in reals)
    return len(reals), len(fakes), int((fakes["response"] == "fake").sum()), false_alarms


@pytest.mark.parametrize("seed", range(2))
def test_counts_are_those_by_hand(seed):
    trials = simulated(participants=6, stimuli=20, each=7, models=("a", "b"), seed=seed)
    stimuli = holes_of(trials, seed)
    table = rates(with_holes(trials, stimuli))
    fakes = stimuli[stimuli["kind"] == "fake"].set_index("stimulus")
    for scope, of_stimulus in zip(HOLE_SCOPES, (fakes["mask_kind"], fakes["mask_area"].map(area_band)), strict=True):
        found = table[table["scope"] == scope].set_index("id")
        shown = trials.loc[trials["kind"] == "fake", "stimulus"].map(of_stimulus)
        assert set(found.index) == set(shown)
        for value, row in found.iterrows():
            counts = tuple(row[["n_real", "n_fake", "hits", "false_alarms"]])
            assert counts == by_hand(trials, of_stimulus, value)


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
