"""Do participants agree with each other about single pictures?"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.stats.answers.krippendorff import Level, alpha, alpha_interval
from gan_eval.stats.groups import carried_by, joined
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials
from gan_eval.tables import AGREEMENT
from gan_eval.tabular import Row, frame_of

KINDS = ("all", "real", "fake")
_READ = ["participant", "study", "dataset", "kind", "simulated", "fraction"]
_CELLS = 30_000_000
"""Stimuli times different answers that are counted; grades of more have no alpha."""


def agreement(trials: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """The table `agreement` of a trials table: Krippendorff's alpha of each data set.

    Responses are nominal, grades ordinal, both over all pictures, the reals and the fakes. Choices between two are
    nominal; what is judged there is an item with its two contestants. Any number of participants may have judged a
    stimulus; those that one alone judged say nothing. Of several answers of a participant to a stimulus the first
    counts: alpha compares different people. The interval: percentiles of a bootstrap over stimuli.

    Args:
        trials: the table `trials`.
        seed: of the bootstrap.
    """
    rows: list[Row] = []
    for answers in (_responses(trials), _grades(trials), _choices(trials)):
        for dataset, place in answers.frame.groupby("dataset", dropna=False, sort=True).indices.items():
            part = _first_answers(answers.frame.iloc[place])
            for kind, of_kind in _kinds(part, answers.name):
                named = {"answer": answers.name, "dataset": dataset if isinstance(dataset, str) else None, "kind": kind}
                rows.append({**named, **_row(of_kind, answers.level, seed)})
    return frame_of(rows, AGREEMENT)


class _Answers(NamedTuple):
    """Answered trials with the columns `unit` (what was judged, a number) and `value`."""

    name: str
    level: Level
    frame: pd.DataFrame


def _responses(trials: pd.DataFrame) -> _Answers:
    main = main_trials(trials)
    frame = main[main["answered"]]
    unit, value = pd.factorize(frame["stimulus"])[0], frame["says_fake"].to_numpy(np.int64)
    return _Answers("response", "nominal", frame[_READ].assign(unit=unit, value=value))


def _grades(trials: pd.DataFrame) -> _Answers:
    graded = graded_trials(trials)
    frame = graded[graded["answered"]]
    unit = pd.factorize(frame["stimulus"])[0]
    return _Answers("rating", "ordinal", frame[_READ].assign(unit=unit, value=frame["rating"]))


def _choices(trials: pd.DataFrame) -> _Answers:
    """Of pairs that were shown in both orders the choice is counted as in the order of their names."""
    pairs = pair_trials(trials)
    frame = pairs[pairs["answered"]]
    item, _ = pd.factorize(frame["item"].where(frame["item"].notna(), frame["stimulus"]))
    name, names = pd.factorize(frame["model"], use_na_sentinel=False)
    texts = [each if isinstance(each, str) else "" for each in names]
    ordered = ["|".join(sorted(each.split("|"))) for each in texts]
    turned = np.array([one != other for one, other in zip(texts, ordered, strict=True)], bool)
    contest, different = pd.factorize(np.array(ordered, dtype="object"))
    first = (frame["choice"] == "a").to_numpy(bool)
    unit = item.astype(np.int64) * max(len(different), 1) + contest[name]
    return _Answers("choice", "nominal", frame[_READ].assign(unit=unit, value=(first ^ turned[name]).astype(np.int64)))


def _first_answers(part: pd.DataFrame) -> pd.DataFrame:
    """With participants and units as numbers, and `again` where a participant had answered before."""
    person, unit = pd.factorize(part["participant"])[0], pd.factorize(part["unit"])[0]
    both = unit.astype(np.int64) * (int(person.max(initial=0)) + 1) + person
    again = pd.Series(both).duplicated().to_numpy()
    return part.assign(person=person, unit=unit, again=again)


def _kinds(part: pd.DataFrame, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    for kind in KINDS if name != "choice" else KINDS[:1]:
        of_kind = part if kind == "all" else part[(part["kind"] == kind).fillna(False)]
        if len(of_kind):
            yield kind, of_kind


def _row(part: pd.DataFrame, level: Level, seed: int) -> Row:
    first = part[~part["again"].to_numpy(bool)]
    unit = pd.factorize(first["unit"])[0]
    value, values = pd.factorize(first["value"], sort=True)
    judged = np.bincount(unit)
    compared = judged[unit] > 1
    row: Row = {
        "level": level,
        "n_stimuli": int((judged > 1).sum()),
        "n_participants": int(first["person"][compared].nunique()),
        "n_answers": int(compared.sum()),
    }
    notes = ["several answers of a participant to the same: the first counts"] if len(first) < len(part) else []
    if len(judged) * len(values) > _CELLS:
        notes.append("too many different grades to be compared")
    else:
        counts = np.bincount(unit * len(values) + value, minlength=len(judged) * len(values))
        counts = counts.reshape(len(judged), len(values))
        row["alpha"] = alpha(counts, level)
        row["ci_low"], row["ci_high"] = alpha_interval(counts, level, seed=seed)
        notes.append(_reason(row))
    carried = carried_by(part)
    return {**row, **carried, "note": joined(*notes, carried["note"])}


def _reason(row: Row) -> str:
    """Why there is no alpha, or no interval."""
    if not row["n_stimuli"]:
        return "nothing was judged by two participants"
    if np.isnan(row["alpha"]):
        return "all answers are the same: agreement cannot be told from habit"
    if np.isnan(row["ci_low"]):
        return "too few stimuli for an interval"
    return ""
