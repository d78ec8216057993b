"""Choices between two pictures: how often each is chosen, and how strong each contestant is."""

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from gan_eval.base.inference import (
    Estimate,
    binomial_p,
    degrees_of_freedom,
    n_levels,
    proportion,
    t_critical,
    two_way,
    wilson,
)
from gan_eval.judgements.trials import PAIRED, TWO_MODELS, AnyTrials, pictures, typed
from gan_eval.stats.estimate.votes import by_both_pictures, pictures_of_any_pair
from gan_eval.stats.groups import Groups, contestants, distinct, joined, notes_on_one, one_participant, provenance
from gan_eval.stats.mixed.fit import plain_fit
from gan_eval.stats.results import Result, own_result
from gan_eval.tables.frames import Row, conform, frame_of
from gan_eval.tables.schema import DATASET, PROVENANCE, SHARE, Table, integer, interval_columns, number, text

CHOICES = Table(
    "choices",
    "Which picture of a pair was chosen: by data set (all models together) and by model. Practice and catch trials and "
    "trials without an answer are in no share.",
    (
        text("protocol", "paired: which is real; model_vs_model: which looks more real, or fits the text better"),
        DATASET,
        text("model", "the fakes' generator, or the two models `a|b`; empty: all models of the data set together"),
        integer("n", "answered trials", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        number("right", "share in which the real picture was chosen; model_vs_model: that of model a", unit=SHARE),
        *interval_columns("ci", "its Wilson 95% interval, answers as independent", unit=SHARE),
        number(
            "p", "exact binomial test against 1/2, answers as independent; the verdict is in `comparisons`", unit=SHARE
        ),
        number("dprime", "paired: sqrt(2) z(share correct), log-linear correction"),
        *PROVENANCE,
    ),
    key=("protocol", "dataset", "model"),
)

BRADLEY_TERRY = Table(
    "bradley_terry",
    "The strength of each contestant (a model, or the real picture) in pairs (Bradley & Terry 1952).",
    (
        DATASET,
        text("contestant", "a model, or `real`", filled=True),
        integer("n", "answered pairs with it", filled=True),
        integer("wins", "pairs in which it was chosen", filled=True),
        number("strength", "log-odds scale; the strengths of a data set's contestants sum to 0"),
        number("std_error", "clustered by participant and by item, or by both pictures if any two are paired"),
        *interval_columns("ci", "its 95% interval over participants and pictures, Student's t"),
        number("win_share", "chance to be chosen against the average contestant", unit=SHARE),
        *PROVENANCE,
    ),
    key=("dataset", "contestant"),
)

TWO_QUESTIONS = "pairs with a real picture and pairs of two models in one fit: taken as one scale"
"""`paired` asks which is generated or real, `model_vs_model` which looks more real."""
_COLUMNS = [
    *("participant", "dataset", "model", "stimulus", "stimulus_b", "choice", "answered", "simulated", "fraction"),
]


def choices(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `choices` of a trials table; it has no rows if no pairs were shown.

    Real against fake: a row for all models of a data set together, then one for each model. Model against model: a row
    for each pair of models.

    Interval and p assume independent answers; the table `comparisons` allows for differences between participants and
    between pictures. d′ of a choice between two is sqrt(2) z(share correct) (Macmillan & Creelman 2005, ch. 7), with
    the log-linear correction.
    """
    pairs = typed(trials).pairs
    if pairs.empty:
        return frame_of([], CHOICES)
    is_paired = (pairs["protocol"] == PAIRED).fillna(False).to_numpy(bool)
    pooled, by_model = pairs[is_paired].assign(model=None), pairs[~is_paired | pairs["model"].notna()]
    pairs = pd.concat([part for part in (pooled, by_model) if len(part)], ignore_index=True)
    columns = ["protocol", "dataset", "model"]  # missing ones are a group of their own
    keys = pairs[columns].astype("object").where(pairs[columns].notna(), None)
    ordered = keys.assign(model=keys["model"].fillna(""))  # all models together come first
    group = ordered.groupby(columns, dropna=False, sort=True).ngroup().to_numpy()
    first = keys.assign(group=group).drop_duplicates("group").sort_values("group")
    grouped = Groups([str(name) for name in first["group"]], np.arange(len(pairs)), group)
    right = grouped.count(pairs["answered"] & (pairs["choice"] == "a").fillna(False))
    n = grouped.count(pairs["answered"])
    low, high = wilson(right, n)
    is_paired = (first["protocol"] == PAIRED).to_numpy(bool)
    edge = is_paired & (n > 0) & ((right == 0) | (right == n))
    notes = [
        (n == 0, "no answered trials"),
        (edge, "a share of 0 or 1: d′ rests on the log-linear correction"),
        *notes_on_one(pairs["participant"], grouped, distinct(pairs["participant"], grouped) == 1),
    ]
    rows = first[columns].assign(
        n=n,
        n_none=grouped.count(~pairs["answered"]),
        right=proportion(right, n),
        ci_low=low,
        ci_high=high,
        p=binomial_p(right, n),
        dprime=np.where(is_paired & (n > 0), np.sqrt(2) * ndtri((right + 0.5) / (n + 1)), np.nan),
        **provenance(pairs, grouped, notes=notes).set_index(first.index),
    )
    return conform(rows, CHOICES, where="choices")


def bradley_terry(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `bradley_terry` of a trials table; it has no rows if no pairs were shown.

    Contestant i is chosen over j with probability 1 / (1 + exp(s_j - s_i)) (Bradley & Terry 1952, Biometrika 39,
    324-345). The strengths s are maximum-likelihood estimates. Contestants are models, and `real`. Standard errors are
    clustered by participant and by item. Where any two pictures are paired, each pair is in the clusters of both of its
    pictures (dyadic clustering: Aronow, Samii & Assenova 2015, Political Analysis 23, 564-577). The interval is
    Student's t; its degrees of freedom are the smallest number of people or pictures of a side minus one.

    Strengths are finite only among contestants that chains of wins connect in both directions (Ford 1957, American
    Mathematical Monthly 64, 28-33). The largest such group is estimated, and its strengths sum to 0; the others have
    empty cells and a note.
    """
    pairs = typed(trials).pairs
    names = contestants(pairs)
    pairs = pairs[_COLUMNS].assign(a=names.a, b=names.b, of_reals=names.of_reals, unit=pictures(pairs))
    has_two = (pairs["a"] != pairs["b"]) & (pairs["a"] != "") & (pairs["b"] != "")
    rows: list[Row] = []
    for dataset, part in pairs[has_two.to_numpy(bool)].groupby("dataset", dropna=False, sort=True):
        questions = part.loc[part["answered"], "of_reals"].nunique()
        shared = {"dataset": dataset}
        rows += [
            row | shared | {"note": joined(row["note"], TWO_QUESTIONS if questions > 1 else "")}
            for row in _strengths_of_dataset(part.reset_index(drop=True))
        ]
    return frame_of(rows, BRADLEY_TERRY)


def preference_results(table: pd.DataFrame) -> list[Result]:
    """Return the chances to be chosen over the average contestant, from the table `bradley_terry`."""
    return [
        own_result(
            row | {"model": row["contestant"]},
            TWO_MODELS,
            Estimate(row["win_share"], float(expit(row["ci_low"])), float(expit(row["ci_high"]))),
        )
        for row in table.to_dict("records")
    ]


def _strengths_of_dataset(pairs: pd.DataFrame) -> list[Row]:
    from scipy.sparse.csgraph import connected_components  # takes a third of a second

    code, names = pd.factorize(np.concatenate([pairs["a"], pairs["b"]]), sort=True)
    size, a, b = len(names), code[: len(pairs)], code[len(pairs) :]
    answered = pairs["answered"].to_numpy(bool)
    a_wins = (pairs["choice"] == "a").fillna(False).to_numpy(bool)
    winner, loser = np.where(a_wins, a, b)[answered], np.where(a_wins, b, a)[answered]
    table = np.bincount(winner * size + loser, minlength=size * size).reshape(size, size)
    played, wins = table.sum(axis=0) + table.sum(axis=1), table.sum(axis=1)
    strength, std_error, half_width = np.full((3, size), np.nan)
    group = estimable_group(table)
    is_estimated = np.isin(np.arange(size), group) & (len(group) > 1)
    notes = []
    if len(group) > 1:
        inside = is_estimated[winner] & is_estimated[loser]
        contest = (np.eye(size)[winner] - np.eye(size)[loser])[inside][:, group]
        basis = np.eye(len(group))[:, 1:] - 1 / len(group)  # strengths that sum to 0
        strength[group] = basis @ plain_fit(np.ones(len(contest)), contest @ basis, "logit")
        participant, item = (pd.factorize(pairs.loc[answered, name])[0][inside] for name in ("participant", "unit"))
        factors, both_pictures = [participant, item], pictures_of_any_pair(pairs[answered][inside], item)
        if both_pictures is not None:
            factors += both_pictures
        several = [factor for factor in factors if n_levels(factor) > 1]
        if several:
            residual = expit(-contest @ strength[group])  # 1 - probability of the actual choice
            weighted = (contest @ basis) * (residual * (1 - residual))[:, None]
            bread = basis @ np.linalg.inv(weighted.T @ contest @ basis) @ basis.T
            influence = residual[:, None] * (contest @ bread)
            clustered = two_way(influence, participant, item)
            if both_pictures is not None:
                clustered = by_both_pictures(influence, participant, *both_pictures)
            variance = np.maximum(np.diag(bread), clustered)
            std_error[group] = np.sqrt(variance)
            half_width[group] = t_critical(degrees_of_freedom(*several)) * np.sqrt(variance)
            notes += [
                (is_estimated & (n_levels(participant) < 2), one_participant(pairs["participant"])),
                (is_estimated & (n_levels(item) < 2), "one item: says nothing about items in general"),
            ]
        else:
            notes.append((is_estimated, one_participant(pairs["participant"], "no interval, as there is one item")))
    missing = ~is_estimated & (played > 0)
    _, label = connected_components(table > 0, directed=False)
    linked = np.isin(label, label[is_estimated]) | ~is_estimated.any()
    infinite = "no chain of wins leads both ways between it and the others: the strength has no finite estimate"
    notes += [
        (~is_estimated & (played == 0), "no answered pairs"),
        (missing & ~linked, "no pairs link it with the contestants that are estimated"),
        (missing & linked, infinite),
    ]
    both = np.concatenate([np.arange(len(pairs))] * 2)
    carried = provenance(pairs, Groups([str(name) for name in names], both, code), notes=notes)
    cells = pd.DataFrame(
        {
            "contestant": [str(name) for name in names],
            "n": played.astype(int),
            "wins": wins.astype(int),
            "strength": strength,
            "std_error": std_error,
            "ci_low": strength - half_width,
            "ci_high": strength + half_width,
            "win_share": expit(strength),
        }
    )
    return [{str(name): cell for name, cell in row.items()} for row in cells.join(carried).to_dict("records")]


def estimable_group(wins: np.ndarray) -> np.ndarray:
    """Return the contestants of the largest group in which chains of wins connect any two both ways, ascending.

    If several groups are largest, return the one with the most contests, then the one with the first contestant.

    >>> estimable_group(np.array([[0, 2, 0], [1, 0, 0], [4, 0, 0]])).tolist()
    [0, 1]
    """
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(wins > 0, directed=True, connection="strong")
    groups = [np.flatnonzero(label == component) for component in range(count)]
    return max(groups, key=lambda group: (len(group), wins[np.ix_(group, group)].sum(), -group[0]))
