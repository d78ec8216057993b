"""Groups of trials for the rows of tables, and the columns simulated, fraction and note of each group.

Groups are made by scope, by the hole that was filled in a picture, and by the two contestants of a pair.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.judgements.trials import PAIRED, requested_exposure
from gan_eval.pictures.holes import area_band
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.tables import HOLE_SCOPES, STIMULI
from gan_eval.tables.names import NOT_KNOWN

_ONE, _UNKNOWN = "one participant", "not known who answered"
NOT_ABOUT_PEOPLE = "says nothing about people in general"
ONE_PARTICIPANT = f"{_ONE}: {NOT_ABOUT_PEOPLE}"
WHO_NOT_KNOWN = f"{_UNKNOWN}: {NOT_ABOUT_PEOPLE}"


@dataclass(frozen=True)
class Groups:
    """Trials sorted into groups; a trial may be in several groups, or in none."""

    ids: list[str]
    """Names of the G groups."""
    row: np.ndarray
    """(M,) position of a trial in the table."""
    group: np.ndarray
    """(M,) number of the trial's group, 0..G-1."""

    def count(self, chosen: np.ndarray | pd.Series) -> np.ndarray:
        """Return (G,) the number of trials in each group that `chosen` (N, bool) marks."""
        return self.tally(np.asarray(chosen, bool).astype(np.intp), 2)[:, 1]

    def tally(self, code: np.ndarray, size: int) -> np.ndarray:
        """Return (G, size) the number of trials in each group by code (N, 0..size-1)."""
        cell = self.group * size + code[self.row]
        return np.bincount(cell, minlength=len(self.ids) * size).reshape(len(self.ids), size)


def groups(trials: pd.DataFrame, scope: str) -> Groups:
    """Return the groups of one scope.

    Scope `exposure` excludes staircases and QUEST+, because their exposures follow the answers and are not levels of a
    design. A group of scope `model` has the model's fakes and their reals (`with_reals`). A group of `mask_kind` or
    `mask_area_band` has the fakes with that hole, and such reals.

    Args:
        trials: as `main` of `gan_eval.judgements.trials.typed`.
        scope: one of `gan_eval.tables.SCOPES`, or of `HOLE_SCOPES` if the trials have its column.
    """
    match scope:
        case "all":
            code, ids = np.zeros(len(trials), np.intp), ["all"]
        case "model" | "mask_kind" | "mask_area_band":
            code, names = pd.factorize(trials[scope], sort=True)
            row, group = with_reals(trials, np.where(trials["is_fake"], code, -1))
            occurs = np.bincount(group, minlength=len(names)) > 0
            return Groups([str(name) for name in names[occurs]], row, (np.cumsum(occurs) - 1)[group])
        case "exposure":
            code, ids = _exposures(trials)
        case _:
            code, values = pd.factorize(trials[scope], sort=True)
            ids = [str(value) for value in values]
    row = np.flatnonzero(code >= 0)
    return Groups(ids, row, code[row])


def _exposures(trials: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return (N,) the number of each trial's exposure, and their names; -1: exposures that follow the answers."""
    levels = requested_exposure(trials)
    follows = trials["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)
    code, exposures = pd.factorize(np.where(follows, np.nan, levels), sort=True)  # an unknown one is -1
    ids = [
        "until-answer" if np.isinf(ms) else str(int(ms)) if float(ms).is_integer() else repr(float(ms))
        for ms in exposures
    ]
    is_unknown = (code < 0) & ~follows
    return (np.where(is_unknown, len(ids), code), [*ids, "unknown"]) if is_unknown.any() else (code, ids)


def provenance(trials: pd.DataFrame, grouped: Groups, notes: Iterable[tuple[np.ndarray, str]] = ()) -> pd.DataFrame:
    """Return (G,) the last columns of the groups' rows: `simulated` (any trial), `fraction` if unique, and `note`.

    Args:
        notes: notes on the rows, which come before those on their trials: (G,) bool, and the text of the marked rows.
    """
    simulated, fraction, texts = _provenance(trials, grouped, notes)
    return pd.DataFrame({"simulated": simulated, "fraction": fraction, "note": pd.Series(texts, dtype="object")})


def _provenance(
    trials: pd.DataFrame, grouped: Groups, notes: Iterable[tuple[np.ndarray, str]] = ()
) -> tuple[np.ndarray, np.ndarray, list[str | None]]:
    size = len(grouped.ids)
    is_simulated = trials["simulated"].fillna(False).to_numpy(bool)[grouped.row]
    simulated = np.bincount(grouped.group, is_simulated, size)
    fraction = trials["fraction"].to_numpy("float64", na_value=np.nan)[grouped.row]
    low, high = np.full((2, size), np.nan)
    rows = np.flatnonzero(~np.isnan(fraction))
    np.fmin.at(low, grouped.group[rows], fraction[rows])
    np.fmax.at(high, grouped.group[rows], fraction[rows])
    total = np.bincount(grouped.group, minlength=size)
    every = [
        *notes,
        ((simulated > 0) & (simulated < total), "people and simulated participants mixed"),
        (high > low, "models of different fractions of the planned steps"),
    ]
    texts: list[list[str]] = [[] for _ in total]
    for mask, note in every:
        for position in np.flatnonzero(mask):
            texts[position].append(note)
    return simulated > 0, np.where(low == high, low, np.nan), [joined(*parts) for parts in texts]


def provenance_cells(trials: pd.DataFrame, *notes: object) -> dict[str, Any]:
    """Return the cells `simulated`, `fraction` (NaN: not unique) and `note` of a row from these trials.

    Args:
        notes: the row's own notes, which come first; empty ones and None are left out.
    """
    (simulated,), (fraction,), (note,) = _provenance(trials, groups(trials, "all"))
    return {"simulated": bool(simulated), "fraction": float(fraction), "note": joined(*notes, note)}


def joined(*notes: object) -> str | None:
    """Return the notes that are not empty, each once, joined by semicolons; None without a note.

    >>> joined("no grades; simulated", None, "", "simulated", "no grades")
    'no grades; simulated'
    """
    return "; ".join(dict.fromkeys(part for note in notes if note for part in str(note).split("; "))) or None


def distinct(column: pd.Series, grouped: Groups) -> np.ndarray:
    """Return (G,) the number of distinct values of a column (N,) in each group, without missing ones."""
    code, values = pd.factorize(column)
    codes, size = code[grouped.row], max(len(values), 1)
    occurring = pd.unique((grouped.group * size + codes)[codes >= 0])
    return np.bincount(occurring // size, minlength=len(grouped.ids))


def with_reals(trials: pd.DataFrame, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the fakes with a code (N, 0..; -1: none), then those of their reals, and all their codes.

    A code has the answers of the participants who judged both its fakes and reals of the same data set. If most of the
    participants who judged its fakes judged no real of the data set, the comparison is one between participants; then
    the answers of all participants count. A real may occur with several codes.
    """
    size = max(int(code.max(initial=-1)) + 1, 1)
    is_real = ~trials["is_fake"].to_numpy(bool)
    fakes, reals = np.flatnonzero(~is_real & (code >= 0)), np.flatnonzero(is_real)
    participant, dataset = (pd.factorize(trials[name], use_na_sentinel=False)[0] for name in ("participant", "dataset"))
    sets = int(dataset.max(initial=0)) + 1
    sheet = participant * sets + dataset  # a participant's answers on a data set
    presented = pd.unique(sheet[fakes] * size + code[fakes])
    has_reals = np.isin(presented // size, sheet[reals])
    pair = presented // size % sets * size + presented % size  # data set and code
    is_between = 2 * np.bincount(pair, has_reals) < np.bincount(pair)
    for alone in np.flatnonzero(is_between):
        presented = np.append(presented, np.unique(sheet[is_real & (dataset == alone // size)]) * size + alone % size)
    fakes = fakes[np.isin(sheet[fakes], sheet[reals]) | is_between[dataset[fakes] * size + code[fakes]]]
    presented = np.unique(presented)
    group_of, of_code = presented // size, presented % size
    first, last = (np.searchsorted(group_of, sheet[reals], side) for side in ("left", "right"))
    times = last - first  # number of codes of a real
    begins = np.repeat(first - (np.cumsum(times) - times), times)
    codes = np.concatenate([code[fakes], of_code[begins + np.arange(times.sum())]])
    return np.concatenate([fakes, np.repeat(reals, times)]), codes


def with_holes(trials: pd.DataFrame, stimuli: pd.DataFrame | None) -> pd.DataFrame:
    """Return the trials with the columns `mask_kind` and `mask_area_band` of their generated pictures.

    Both are empty for real pictures. If no generated picture has a hole, the trials are returned unchanged.

    Args:
        stimuli: the table `stimuli` of all sets that were shown; the first row of a stimulus is used.
    """
    if stimuli is None:
        return trials
    table = stimuli.reindex(columns=[column.name for column in STIMULI.columns])
    fakes = table[(table["kind"] == "fake") & (table["mask_kind"].notna() | table["mask_area"].notna())]
    fakes = fakes.drop_duplicates("stimulus").set_index("stimulus")
    if fakes.empty:
        return trials
    of_stimuli = (fakes["mask_kind"], fakes["mask_area"].map(area_band, na_action="ignore"))
    is_fake = trials["kind"] == "fake"
    return trials.assign(
        **{
            scope: trials["stimulus"].map(values).astype(object).where(is_fake)
            for scope, values in zip(HOLE_SCOPES, of_stimuli, strict=True)
        }
    )


def one_participant(participants: pd.Series | np.ndarray, so: str = NOT_ABOUT_PEOPLE) -> str:
    """Return the note of a row with answers of one participant, or of nobody knows whom.

    Args:
        participants: (N,) those of the answers, at least one; `NOT_KNOWN` where answers were counted by picture.
        so: what follows; default: for an interval over pictures alone, hence without a test and a verdict.
    """
    return f"{_UNKNOWN if (participants == NOT_KNOWN).all() else _ONE}: {so}"


def notes_on_one(
    participants: pd.Series, grouped: Groups, is_one: np.ndarray, so: str = NOT_ABOUT_PEOPLE
) -> list[tuple[np.ndarray, str]]:
    """Return such notes (`one_participant`) with the groups, of G, that they are of, for `provenance`.

    Args:
        participants: (N,) those of all trials.
        is_one: (G,) bool: all answers of the group are of one participant, or `NOT_KNOWN`.
    """
    is_unknown = grouped.count(participants == NOT_KNOWN) > 0
    return [(is_one & ~is_unknown, f"{_ONE}: {so}"), (is_one & is_unknown, f"{_UNKNOWN}: {so}")]


def n_known(participants: pd.Series) -> int:
    """Return the number of participants (N,); answers that were counted by picture are of nobody who is known."""
    return int(participants[participants.ne(NOT_KNOWN).to_numpy(bool)].nunique())


REAL = "real"
SEPARATOR = "|"
"""Separator of the names of two models, of `stimulus` and `stimulus_b`."""


class Contestants(NamedTuple):
    """Names of the contestants of N pairs."""

    a: np.ndarray
    """(N,) contestant with picture a; empty: unnamed."""
    b: np.ndarray
    """(N,) contestant with picture b."""
    of_reals: np.ndarray
    """(N,) bool, the question was which picture is real."""


def contestants(pairs: pd.DataFrame) -> Contestants:
    """Return the contestants of each pair.

    In the protocol `paired` they are `real` and `model`. In other protocols they are two models if `model` is `A|B`
    (A's picture is in `stimulus`, B's in `stimulus_b`), else `real` and `model`.
    """
    number, names = pd.factorize(pairs["model"], use_na_sentinel=False)
    texts = [name if isinstance(name, str) else "" for name in names]
    halves = [name.split(SEPARATOR, 1) if SEPARATOR in name else (REAL, name) for name in texts]
    columns = ([a for a, _ in halves], [b for _, b in halves], texts)
    first, second, whole = (np.array([*column, ""], dtype="object")[number] for column in columns)
    of_reals = (pairs["protocol"] == PAIRED).fillna(False).to_numpy(bool)
    return Contestants(np.where(of_reals, REAL, first), np.where(of_reals, whole, second), of_reals)
