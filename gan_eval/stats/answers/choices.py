"""Which picture of a pair is chosen? The share of right choices, or of choices of the one model, for each group."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from gan_eval.stats.groups import Codes, Groups, contestants, distinct, misnamed_note, provenance
from gan_eval.stats.shares import binomial_p, proportion, wilson
from gan_eval.stats.trials import PAIRED, pair_trials
from gan_eval.tables import CHOICES
from gan_eval.tabular import conform, frame_of


def choices(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `choices` of a trials table; no rows where no pairs were shown.

    Real beside fake: a row for all models of a data set together (without a model), then one for each model. Model
    against model: a row for each two models; over several twos the share of the first has no meaning. Pairs of two
    models whose `model` is not `A|B` stand in no share; their row has a count of 0 and a note.

    Interval and p take the answers as independent: they are of these people and these pairs. Whether people in general
    can tell, or prefer a model, is for `gan_eval.stats.compare.questions`.

    d′ of a choice between two is sqrt(2) z(share right) (Macmillan & Creelman 2005, ch. 7), with the log-linear
    correction (right + 0.5) / (n + 1) that keeps it finite.

    Args:
        trials: the table `trials`.
    """
    pairs = pair_trials(trials)
    if pairs.empty:
        return frame_of([], CHOICES)
    pairs = pairs.assign(misnamed=contestants(pairs).misnamed)
    is_paired = (pairs["protocol"] == PAIRED).fillna(False).to_numpy(bool)
    pooled = pairs[is_paired].reset_index(drop=True).assign(model=None)
    by_model = pairs[~is_paired | pairs["model"].notna()].reset_index(drop=True)
    rows = pd.concat([_shares(part) for part in (pooled, by_model) if len(part)])
    return conform(rows.sort_values(["protocol", "dataset"], kind="stable"), CHOICES, where="choices")


def dprime_of_choices(right: np.ndarray, n: np.ndarray) -> np.ndarray:
    """d′ of a choice between two pictures, log-linear correction; NaN where n is 0.

    >>> round(float(dprime_of_choices(np.array(30), np.array(40))), 6)
    0.926909
    """
    return np.where(n > 0, np.sqrt(2) * ndtri((right + 0.5) / (n + 1)), np.nan)


def _shares(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row for each protocol, data set and model, a missing one being a group of its own."""
    columns = ["protocol", "dataset", "model"]
    keys = pairs[columns].astype("object").where(pairs[columns].notna(), None)
    number = keys.groupby(columns, dropna=False, sort=True).ngroup().to_numpy()
    first = keys.assign(number=number).drop_duplicates("number").sort_values("number")
    grouped = Groups([str(number) for number in first["number"]], np.arange(len(pairs)), number)
    counted = pairs["answered"] & ~pairs["misnamed"]
    right = grouped.count(counted & (pairs["choice"] == "a").fillna(False))
    n, misnamed = grouped.count(counted), grouped.count(pairs["misnamed"])
    low, high = wilson(right, n)
    is_paired = (first["protocol"] == PAIRED).to_numpy(bool)
    edge = is_paired & (n > 0) & ((right == 0) | (right == n))
    notes = [
        ((n == 0) & (misnamed == 0), "no answered trials"),
        (edge, "a share of 0 or 1: d′ rests on the log-linear correction"),
        (distinct("participant", grouped, Codes(pairs)) == 1, "one participant: says nothing of people in general"),
        *((misnamed == count, misnamed_note(count)) for count in np.unique(misnamed)),
    ]
    return first[columns].assign(
        n=n,
        n_none=grouped.count(~pairs["answered"] & ~pairs["misnamed"]),
        right=proportion(right, n),
        ci_low=low,
        ci_high=high,
        p=binomial_p(right, n),
        dprime=np.where(is_paired, dprime_of_choices(right, n), np.nan),
        **provenance(pairs, grouped, notes=notes).set_index(first.index),
    )
