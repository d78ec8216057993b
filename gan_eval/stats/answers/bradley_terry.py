"""Which contestant wins? Strengths of models, and of the real picture, from choices between two.

The model of Bradley & Terry (1952): whom it can estimate, the estimates, and their clustered variances.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from gan_eval.errors import UserError
from gan_eval.stats.clustering import t_critical, two_way
from gan_eval.stats.groups import UNNAMED, Groups, carried_by, contestants, joined, misnamed_note, provenance
from gan_eval.stats.trials import pair_trials
from gan_eval.tables import BRADLEY_TERRY
from gan_eval.tabular import Row, frame_of

TWO_QUESTIONS = "pairs with a real picture and pairs of two models in one fit: taken as one scale"
"""`paired` asks which is generated or real, `model_vs_model` which looks more real."""


def bradley_terry(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `bradley_terry` of a trials table; no rows where no pairs were shown.

    The model of Bradley & Terry (1952, Biometrika 39, 324-345): contestant i is chosen beside j with the chance
    1 / (1 + exp(s_j - s_i)), here by maximum likelihood. Contestants are models, and `real` where a real picture is
    beside a model's. Standard errors are clustered by participant and by item; the interval is Student's t with one
    degree of freedom fewer than the smaller number of both.

    Pairs of two models whose `model` is not `A|B` are left out and counted in the note; where a data set has no
    other pairs, its rows are the names as they stand, without numbers.

    Strengths are finite only among contestants of whom each can be reached from each other by a chain of wins (Ford
    1957, American Mathematical Monthly 64, 28-33). The largest group of such is estimated, and its strengths sum to
    0; the others have empty cells and a note.

    Args:
        trials: the table `trials`.
    """
    pairs = _contests(pair_trials(trials))
    rows: list[Row] = []
    for dataset, part in pairs.groupby("dataset", dropna=False, sort=True):
        taken = part[~part["misnamed"]]
        name = dataset if isinstance(dataset, str) else None
        found = _dataset_rows(name, taken.reset_index(drop=True)) if len(taken) else _nameless_rows(name, part)
        asked = taken.loc[taken["answered"], "of_reals"].nunique()
        words = misnamed_note(len(part) - len(taken)), TWO_QUESTIONS if asked > 1 else ""
        rows += [row | {"note": joined(row["note"], *words)} for row in found]
    return frame_of(rows, BRADLEY_TERRY)


def _contests(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with the contestants `a` and `b`, and whether they are `misnamed`; others that name no two are left out."""
    names = contestants(pairs)
    columns = ["study", "participant", "dataset", "model", "choice", "answered", "simulated", "fraction"]
    found = pairs[columns].assign(
        a=names.a,
        b=names.b,
        of_reals=names.of_reals,
        misnamed=names.misnamed,
        unit=pairs["item"].where(pairs["item"].notna(), pairs["stimulus"]),
    )
    named = (found["a"] != found["b"]) & (found["a"] != "") & (found["b"] != "")
    return found[named.to_numpy(bool) | names.misnamed]


def _nameless_rows(dataset: str | None, part: pd.DataFrame) -> list[Row]:
    names = sorted(part["model"].dropna().unique()) or [UNNAMED]
    empty = dict.fromkeys(("strength", "std_error", "ci_low", "ci_high", "win_share"), np.nan)
    shared = {"dataset": dataset, "n": 0, "wins": 0, **empty, **carried_by(part)}
    return [{**shared, "contestant": name} for name in names]


class _Estimates(NamedTuple):
    """For each contestant; NaN where there is none."""

    strength: np.ndarray
    std_error: np.ndarray
    half: np.ndarray
    notes: list[str]


def _dataset_rows(dataset: str | None, part: pd.DataFrame) -> list[Row]:
    code, names = pd.factorize(np.concatenate([part["a"], part["b"]]), sort=True)
    a, b = code[: len(part)], code[len(part) :]
    answered = part["answered"].to_numpy(bool)
    a_wins = (part["choice"] == "a").fillna(False).to_numpy(bool)
    winner, loser = np.where(a_wins, a, b)[answered], np.where(a_wins, b, a)[answered]
    size = len(names)
    played = np.bincount(winner, minlength=size) + np.bincount(loser, minlength=size)
    wins = np.bincount(winner, minlength=size)
    found = _estimates(winner, loser, played, wins, part[answered])
    both = np.concatenate([np.arange(len(part))] * 2)
    carried = provenance(part, Groups([str(name) for name in names], both, code))
    return [
        {
            "dataset": dataset,
            "contestant": str(names[c]),
            "n": int(played[c]),
            "wins": int(wins[c]),
            "strength": found.strength[c],
            "std_error": found.std_error[c],
            "ci_low": found.strength[c] - found.half[c],
            "ci_high": found.strength[c] + found.half[c],
            "win_share": expit(found.strength[c]),
            "simulated": carried["simulated"][c],
            "fraction": carried["fraction"][c],
            "note": joined(found.notes[c], carried["note"][c]),
        }
        for c in range(size)
    ]


def _estimates(
    winner: np.ndarray, loser: np.ndarray, played: np.ndarray, wins: np.ndarray, answers: pd.DataFrame
) -> _Estimates:
    size = len(played)
    table = np.zeros((size, size))
    np.add.at(table, (winner, loser), 1)
    group = estimable_group(table)
    empty = np.full(size, np.nan)
    found = _Estimates(empty.copy(), empty.copy(), empty.copy(), _notes(table, group, played, wins))
    if len(group) < 2:
        return found
    strength = strengths(table[np.ix_(group, group)])
    found.strength[group] = strength
    inside = np.isin(winner, group) & np.isin(loser, group)
    place = np.searchsorted(group, np.arange(size))
    units = [pd.factorize(answers[name])[0][inside] for name in ("participant", "unit")]
    several = [unit for unit in units if len(np.unique(unit)) > 1]
    words = [
        word
        for unit, word in zip(
            units,
            ("one participant: says nothing of people in general", "one item: says nothing of items in general"),
            strict=True,
        )
        if len(np.unique(unit)) < 2
    ]
    if several:
        variance = variances(strength, place[winner[inside]], place[loser[inside]], *units)
        found.std_error[group] = np.sqrt(variance)
        freedom = min(len(np.unique(unit)) for unit in several) - 1
        found.half[group] = t_critical(freedom) * np.sqrt(variance)
    else:
        words = ["one participant and one item: no interval"]
    for c in group:
        found.notes[c] = "; ".join(words)
    return found


def _notes(table: np.ndarray, group: np.ndarray, played: np.ndarray, wins: np.ndarray) -> list[str]:
    """Why a contestant outside `group` has no strength."""
    estimated = set(group.tolist()) if len(group) > 1 else set()
    linked = linked_to(table, group) if estimated else set(range(len(played)))
    return ["" if c in estimated else _reason(played[c], wins[c], c in linked) for c in range(len(played))]


def _reason(played: int, wins: int, linked: bool) -> str:
    if not played:
        return "no answered pairs"
    if not linked:
        return "no pairs link it with the contestants that are estimated"
    if wins in (0, played):
        return f"{'never' if wins == 0 else 'always'} chosen: the strength has no finite estimate"
    return "no chain of wins leads both ways between it and the others: the strength has no finite estimate"


_STEPS = 200


def estimable_group(wins: np.ndarray) -> np.ndarray:
    """The contestants, in order, of the largest group in which a chain of wins leads from each to each.

    Of groups of equal size the one with most contests counts, then the one with the first contestant.

    Args:
        wins: (C, C) how often the contestant of the row was chosen beside that of the column.

    >>> estimable_group(np.array([[0, 2, 0], [1, 0, 0], [4, 0, 0]])).tolist()
    [0, 1]
    """
    count, label = connected_components(wins > 0, directed=True, connection="strong")
    groups = [np.flatnonzero(label == number) for number in range(count)]
    return max(groups, key=lambda group: (len(group), wins[np.ix_(group, group)].sum(), -group[0]))


def linked_to(wins: np.ndarray, group: np.ndarray) -> set[int]:
    """The contestants whom contests link with `group`, whoever won."""
    _, label = connected_components(wins > 0, directed=False)
    return set(np.flatnonzero(np.isin(label, label[group])).tolist())


def strengths(wins: np.ndarray) -> np.ndarray:
    """(C,) log-odds strengths by maximum likelihood, which sum to 0.

    Newton's method with halved steps; the log-likelihood is concave.

    Args:
        wins: (C, C) as for `estimable_group`; a chain of wins must lead from each contestant to each other.

    >>> strengths(np.array([[0, 30], [10, 0]])).round(6).tolist()
    [0.549306, -0.549306]
    """
    strength = np.zeros(len(wins))
    reached = _log_likelihood(wins, strength)
    for _ in range(_STEPS):
        score = _score(wins, strength)
        step = np.linalg.solve(_information(wins, strength) + 1 / len(wins), score)
        size = 1.0
        while (found := _log_likelihood(wins, strength + size * step)) < reached and size > 1e-10:
            size /= 2
        if size > 1e-10:
            strength, reached = strength + size * step, found
        if np.abs(step).max() < 1e-9:
            return strength - strength.mean()
    raise UserError("bradley_terry: the estimate does not converge; a contestant is chosen nearly always or never")


def variances(
    strength: np.ndarray, winner: np.ndarray, loser: np.ndarray, participant: np.ndarray, item: np.ndarray
) -> np.ndarray:
    """(C,) variances of the strengths around their mean, clustered by participant and by item.

    The larger of the sandwich estimate (`gan_eval.stats.clustering.two_way`) and of that of independent answers.

    Args:
        strength: (C,) that maximise the likelihood of the answers.
        winner: (N,) 0..C-1.
        loser: (N,) 0..C-1.
        participant: (N,) int.
        item: (N,) int; participants or items, or both, are two or more.
    """
    size = len(strength)
    table = np.zeros((size, size))
    np.add.at(table, (winner, loser), 1)
    bread = np.linalg.inv(_information(table, strength) + 1 / size) - 1 / size
    residual = expit(strength[loser] - strength[winner])  # 1 - chance of what happened
    influence = residual[:, None] * (bread[winner] - bread[loser])
    return np.maximum(np.diag(bread), two_way(influence, participant, item))


def _log_likelihood(wins: np.ndarray, strength: np.ndarray) -> float:
    return float(-(wins * np.logaddexp(0, strength[None, :] - strength[:, None])).sum())


def _score(wins: np.ndarray, strength: np.ndarray) -> np.ndarray:
    surprise = wins * expit(strength[None, :] - strength[:, None])
    return np.asarray(surprise.sum(axis=1) - surprise.sum(axis=0))


def _information(wins: np.ndarray, strength: np.ndarray) -> np.ndarray:
    chance = expit(strength[:, None] - strength[None, :])
    return _laplacian(wins * chance * (1 - chance))


def _laplacian(weight: np.ndarray) -> np.ndarray:
    """Sum over pairs of weight (e_i - e_j)(e_i - e_j)'."""
    symmetric = weight + weight.T
    return np.asarray(np.diag(symmetric.sum(axis=1)) - symmetric)
