"""Covariates of the mixed models: participants' answers to the study's questions, or columns of the trials table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError

PREFIX = "covariate:"
"""A covariate stands in the frame under this and its name, so that no question can replace a column."""
OTHER = "other"
"""The level that holds the rare ones."""
_RARE = 3
"""A level of fewer participants than this says more of them than of the level."""
_MOST_LEVELS = 20
_UNFIT = ("participant", "stimulus", "kind", "response", "correct", "is_fake", "says_fake", "answered")
"""Columns that a model already has, or that hold the answer."""


class Coded(NamedTuple):
    """A covariate as columns of a design."""

    columns: np.ndarray
    """(N, C); a number in standard deviations from its mean, a level as 0 or 1."""
    terms: tuple[str, ...]
    """C names: `age`, or `age_band[50-59]`."""
    scale: float
    """What one unit of the columns is in the covariate's own units; 1 for levels."""
    note: str | None


def with_covariates(trials: pd.DataFrame, names: Sequence[str], participants: pd.DataFrame | None) -> pd.DataFrame:
    """The trials with each covariate's values in the column `covariate:NAME`: text or numbers, missing where not given.

    A question goes before a column of the same name.

    Args:
        trials: answered trials with `session`.
        names: the covariates.
        participants: the table `participants`: session, question, answer.

    Raises:
        UserError: a name is neither a question nor a column of the trials; the message names what there is.
    """
    asked = _questions(participants)
    added = {}
    for name in names:
        if name in asked:
            answers = asked[name]
            added[PREFIX + name] = trials["session"].map(answers)
        elif name in trials.columns and name not in _UNFIT:
            added[PREFIX + name] = trials[name]
        else:
            columns = [column for column in trials.columns if column not in _UNFIT and trials[column].notna().any()]
            raise UserError(
                f"analysis.covariates: {name}: no such question or column; questions: {', '.join(asked) or 'none'}; "
                f"columns: {', '.join(columns) or 'none'}"
            )
    return trials.assign(**added)


def usable(values: pd.Series, participant: pd.Series, name: str) -> tuple[np.ndarray, pd.Series, str | None]:
    """Which trials have a value that can be used, the values with rare levels joined, and a word on what was done.

    Args:
        values: (N,) of one covariate.
        participant: (N,) who answered.
        name: of the covariate.
    """
    values = values.mask(values.astype("str").str.strip() == "")
    notes = []
    if not _is_numeric(values):
        values = values.astype("str").str.strip().where(values.notna())
        values, joined = _join_rare(values, participant)
        notes += [f"{name}: rare answers joined as {OTHER} ({joined})"] if joined else []
    kept = values.notna().to_numpy()
    if not kept.all():
        notes.insert(0, f"{int((~kept).sum())} trials without {name} (or with a rare answer) left out")
    return kept, values, "; ".join(notes) or None


def code(values: pd.Series, name: str) -> Coded:
    """The columns of a covariate without missing values.

    A number is centred, so that the intercept is at its mean; its term is for one unit. Anything else is coded
    against its commonest level. A covariate that is the same everywhere gives a column of zeros.
    """
    if _is_numeric(values):
        numbers = pd.to_numeric(values).to_numpy(float)
        mean, sd = (float(numbers.mean()), float(numbers.std())) if len(numbers) else (0.0, 0.0)
        scale = sd if sd > 1e-12 * max(1.0, abs(mean)) else 1.0
        column = (numbers - mean) / scale if scale == sd else np.zeros(len(numbers))
        return Coded(column[:, None], (name,), scale, f"{name}: centred at {mean:.6g}" if len(numbers) else None)
    counts = values.value_counts()
    levels = sorted(counts.index, key=lambda level: (-counts[level], level))
    others = sorted(levels[1:])
    if not others:
        return Coded(np.zeros((len(values), 1)), (name,), 1.0, None)
    columns = np.stack([(values == level).to_numpy(float) for level in others], axis=1)
    return Coded(columns, tuple(f"{name}[{level}]" for level in others), 1.0, f"{name}: against {levels[0]}")


def _questions(participants: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Answers by session for each question; the last one where a session answered twice."""
    if participants is None or participants.empty:
        return {}
    last = participants.drop_duplicates(["session", "question"], keep="last")
    return {str(name): rows.set_index("session")["answer"] for name, rows in last.groupby("question")}


def _is_numeric(values: pd.Series) -> bool:
    given = values.dropna()
    if pd.api.types.is_bool_dtype(given) or given.map(lambda value: isinstance(value, bool)).any():
        return False
    numbers = pd.to_numeric(given, errors="coerce")
    return bool(np.isfinite(numbers.to_numpy(float, na_value=np.nan)).all())


def _join_rare(values: pd.Series, participant: pd.Series) -> tuple[pd.Series, str]:
    """Levels of few participants as one; missing if that is still rare. The levels joined are named."""
    people = participant.groupby(values).nunique().sort_values(ascending=False, kind="stable")
    rare = people.index[(people < _RARE) | (np.arange(len(people)) >= _MOST_LEVELS)]
    if len(rare) < 2:
        few = len(rare) == 1 and people[rare[0]] < _RARE
        return (values.mask(values == rare[0]) if few and len(people) > 1 else values), ""
    joined = values.mask(values.isin(rare), OTHER)
    if participant[joined == OTHER].nunique() < _RARE:
        return values.mask(values.isin(rare)), ""
    named = sorted(str(level) for level in rare)
    return joined, ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
