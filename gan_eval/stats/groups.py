"""The groups of trials behind the scopes of the tables, and what travels with them.

Trials by the hole that was filled in their picture.

Who stands against whom in a trial of two pictures: the names behind `model`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.staircases import STAIRCASE
from gan_eval.stats.trials import PAIRED, TWO_MODELS, asked_exposure
from gan_eval.stimuli.holes import area_band
from gan_eval.tables import HOLE_SCOPES, STIMULI

UNTIL_ANSWER = "until-answer"
"""The exposure's id where the picture stays until it is judged."""
UNKNOWN = "unknown"
"""The exposure's id where nothing tells it."""

SEVERAL_STUDIES = "trials of several studies"


class Codes:
    """The columns of a table as whole numbers; each is worked out when first asked for, and once."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._known: dict[str, tuple[np.ndarray, list[Any]]] = {}

    def of(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """(N,) each row's place among the column's distinct values in sorted order, -1 where missing; and these."""
        if name not in self._known:
            code, values = pd.factorize(self._table[name], sort=True)
            self._known[name] = code, list(values)
        return self._known[name]


@dataclass(frozen=True)
class Groups:
    """Trials sorted into groups; a trial may stand in several groups, or in none."""

    ids: list[str]
    """The groups' names, G of them."""
    row: np.ndarray
    """(M,) position of a trial in the table."""
    group: np.ndarray
    """(M,) number of the group, 0..G-1, that this trial stands in."""
    in_order: bool = False
    """Every trial of the table stands in one group, and `row` counts from 0."""

    def of_rows(self, values: np.ndarray) -> np.ndarray:
        """(M,) the values (N,) of the table's trials, one for each trial in a group."""
        return values if self.in_order else values[self.row]

    def count(self, chosen: np.ndarray | pd.Series) -> np.ndarray:
        """(G,) how many of the trials marked in `chosen` (N, bool) stand in each group."""
        return self.tally(np.asarray(chosen, bool).astype(np.intp), 2)[:, 1]

    def tally(self, code: np.ndarray, size: int) -> np.ndarray:
        """(G, size) how many trials of each code (N, 0..size-1) stand in each group."""
        place = self.group * size + self.of_rows(code)
        return np.bincount(place, minlength=len(self.ids) * size).reshape(len(self.ids), size)


def groups(trials: pd.DataFrame, scope: str, codes: Codes | None = None) -> Groups:
    """The groups of one scope.

    Scope `exposure` leaves staircases out: their exposures follow the answers and are no levels of a design. Scope
    `model` takes, beside the model's own fakes, the reals of the same data sets in the same sessions; `mask_kind` and
    `mask_area_band` do the same for the fakes with that hole.

    Args:
        trials: as `gan_eval.stats.trials.main_trials` returns them.
        scope: one of `gan_eval.tables.SCOPES`, or of `HOLE_SCOPES` where the trials have its column.
        codes: of these trials, where several scopes are wanted.
    """
    codes = codes or Codes(trials)
    match scope:
        case "all":
            everything = np.arange(len(trials))
            return Groups(["all"], everything, np.zeros(len(trials), np.intp), in_order=True)
        case "model" | "mask_kind" | "mask_area_band":
            return _groups_of_fakes(trials["is_fake"].to_numpy(bool), scope, codes)
        case "exposure":
            levels = asked_exposure(trials)
            follows = (trials["protocol"] == STAIRCASE).fillna(False).to_numpy(bool)
            code, exposures = pd.factorize(levels, sort=True)  # an unknown one is -1
            ids = [_exposure_text(exposure) for exposure in exposures]
            is_unknown = (code < 0) & ~follows
            if is_unknown.any():
                code, ids = np.where(is_unknown, len(ids), code), [*ids, UNKNOWN]
            code = np.where(follows, -1, code)
            there = np.isin(np.arange(len(ids)), code)
            code = np.where(code < 0, -1, (np.cumsum(there) - 1)[code])
            return _labelled(code, [name for name, is_there in zip(ids, there, strict=True) if is_there])
        case "block":
            code, values = codes.of("block")
            return _labelled(code, [str(int(block)) for block in values])
        case _:
            code, values = codes.of(scope)
            return _labelled(code, [str(value) for value in values])


def provenance(
    trials: pd.DataFrame,
    grouped: Groups,
    codes: Codes | None = None,
    notes: Sequence[tuple[np.ndarray, str]] = (),
) -> pd.DataFrame:
    """The last columns of each group's row: `simulated` (any of its trials), `fraction` where unique, and `note`.

    Args:
        trials: the trials.
        grouped: their groups.
        codes: of these trials, where several tables are made of them.
        notes: what the notes say before what the trials themselves give reason for: (G,) bool, and the text of the
            groups that it marks.
    """
    codes = codes or Codes(trials)
    size = len(grouped.ids)
    is_simulated, values = codes.of("simulated")
    simulated = grouped.count(is_simulated == values.index(True)) if True in values else np.zeros(size, np.intp)
    total = np.bincount(grouped.group, minlength=size)
    low, high = _range(grouped, *codes.of("fraction"))
    every = [
        *notes,
        (distinct("study", grouped, codes) > 1, SEVERAL_STUDIES),
        ((simulated > 0) & (simulated < total), "people and simulated participants mixed"),
        (high > low, "models of different fractions of the planned steps"),
    ]
    return pd.DataFrame(
        {
            "simulated": simulated > 0,
            "fraction": np.where(low == high, low, np.nan),
            "note": pd.Series([text or None for text in join_notes(every, size)], dtype="object"),
        }
    )


def carried_by(trials: pd.DataFrame, *notes: object) -> dict[str, Any]:
    """The last cells of the row of all these trials: `simulated`, `fraction` (NaN: not unique) and `note` (or None).

    Args:
        trials: the trials.
        notes: what the note says before what the trials themselves give reason for; empty ones are left out.
    """
    carried = provenance(trials, groups(trials, "all")).iloc[0]
    return {
        "simulated": bool(carried["simulated"]),
        "fraction": float(carried["fraction"]),
        "note": joined(*notes, carried["note"]),
    }


def joined(*words: object) -> str | None:
    """The words that there are, each once, joined by semicolons; None where there are none.

    >>> joined("no grades", None, "", "simulated", "no grades")
    'no grades; simulated'
    """
    return "; ".join(dict.fromkeys(str(word) for word in words if word)) or None


def join_notes(notes: Sequence[tuple[np.ndarray, str]], size: int) -> list[str]:
    """One text for each of `size` rows: those whose mask (size, bool) holds there, each once, joined by semicolons."""
    texts: list[list[str]] = [[] for _ in range(size)]
    for mask, text in notes:
        for position in np.flatnonzero(mask):
            texts[position].append(text)
    return [joined(*row) or "" for row in texts]


def distinct(name: str, grouped: Groups, codes: Codes) -> np.ndarray:
    """(G,) how many distinct values of a column, missing ones left out, stand in each group."""
    code, values = codes.of(name)
    group, _ = _present(grouped, code, len(values))
    return np.bincount(group, minlength=len(grouped.ids))


def _range(grouped: Groups, code: np.ndarray, values: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """(G,) each group's least and largest value; NaN where all are missing."""
    low, high = np.full((2, len(grouped.ids)), np.nan)
    if values:
        group, present = _present(grouped, code, len(values))
        low[group[::-1]] = np.asarray(values, float)[present[::-1]]  # written from the last to the first: it stays
        high[group] = np.asarray(values, float)[present]
    return low, high


def _present(grouped: Groups, code: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The combinations of a group and a code of 0 and above that occur: group and code (K,), in the order of both."""
    group, own = grouped.group, grouped.of_rows(code)
    if (own < 0).any():
        group, own = group[own >= 0], own[own >= 0]
    place = group * max(size, 1) + own
    cells = len(grouped.ids) * size
    occurring = np.flatnonzero(np.bincount(place, minlength=cells)) if cells <= 4 * len(place) else np.unique(place)
    return occurring // max(size, 1), occurring % max(size, 1)


def _labelled(code: np.ndarray, ids: list[str]) -> Groups:
    """Groups of equal codes; trials without one, -1, stand in no group."""
    if (code >= 0).all():
        return Groups(ids, np.arange(len(code)), code, in_order=True)
    row = np.flatnonzero(code >= 0)
    return Groups(ids, row, code[row])


def _exposure_text(milliseconds: float) -> str:
    if np.isinf(milliseconds):
        return UNTIL_ANSWER
    return str(int(milliseconds)) if float(milliseconds).is_integer() else repr(float(milliseconds))


def _groups_of_fakes(is_fake: np.ndarray, name: str, codes: Codes) -> Groups:
    """The fakes of each value of a column, with the reals of the same data sets in the same sessions."""
    model, ids = codes.of(name)
    session, _ = codes.of("session")
    dataset, names = codes.of("dataset")
    sitting = (session + 1) * (len(names) + 1) + dataset + 1  # a missing name is one of its own
    fakes, reals = np.flatnonzero(is_fake & (model >= 0)), np.flatnonzero(~is_fake)
    shown = pd.unique(sitting[fakes] * max(len(ids), 1) + model[fakes])
    shown.sort()
    own, of_model = shown // max(len(ids), 1), shown % max(len(ids), 1)
    first, last = (np.searchsorted(own, sitting[reals], side) for side in ("left", "right"))
    times = last - first
    begins = np.repeat(first - (np.cumsum(times) - times), times)
    beside = of_model[begins + np.arange(times.sum())]
    row, group = np.concatenate([fakes, np.repeat(reals, times)]), np.concatenate([model[fakes], beside])
    return _without_gaps([str(name) for name in ids], row, group)


def _without_gaps(ids: list[str], row: np.ndarray, group: np.ndarray) -> Groups:
    """Without the groups in which no trial stands."""
    held = np.bincount(group, minlength=len(ids)) > 0
    return Groups([name for name, stands in zip(ids, held, strict=True) if stands], row, (np.cumsum(held) - 1)[group])


KIND, BAND = HOLE_SCOPES


def with_holes(trials: pd.DataFrame, stimuli: pd.DataFrame | None) -> pd.DataFrame:
    """The trials with the columns `mask_kind` and `mask_area_band` of their generated pictures.

    A real picture has no hole: both are empty. Where no generated picture has one, the trials come back as they are.

    Args:
        trials: the table `trials`.
        stimuli: the table `stimuli` of all sets that were shown; of a stimulus in several sets the first row counts.
    """
    if stimuli is None:
        return trials
    known = stimuli.reindex(columns=[column.name for column in STIMULI.columns])
    fakes = known[(known["kind"] == "fake") & (known["mask_kind"].notna() | known["mask_area"].notna())]
    fakes = fakes.drop_duplicates("stimulus").set_index("stimulus")
    if fakes.empty:
        return trials
    bands = fakes["mask_area"].map(area_band, na_action="ignore")
    is_fake = trials["kind"] == "fake"
    found = {KIND: fakes["mask_kind"], BAND: bands}
    columns = {name: trials["stimulus"].map(of).astype(object).where(is_fake) for name, of in found.items()}
    return trials.assign(**columns)


def hole_scopes(trials: pd.DataFrame) -> list[str]:
    """Those of HOLE_SCOPES that any of the trials has."""
    return [name for name in HOLE_SCOPES if name in trials and bool(trials[name].notna().any())]


REAL = "real"
"""The contestant that stands for real pictures."""
UNNAMED = "unnamed"
"""Stands for a contestant of pairs that name none."""
SEPARATOR = "|"
"""Between the names of two models, those of `stimulus` and of `stimulus_b`."""


class Contestants(NamedTuple):
    """The names behind N pairs."""

    a: np.ndarray
    """(N,) whose picture is a; empty: not said."""
    b: np.ndarray
    """(N,) whose picture is b."""
    of_reals: np.ndarray
    """(N,) bool, a is asked to be the real picture."""
    misnamed: np.ndarray
    """(N,) bool, `model_vs_model` whose `model` is not two names, or not those of the pictures: whose picture was
    chosen is not known."""


def contestants(pairs: pd.DataFrame) -> Contestants:
    """The contestants of each pair.

    `paired`: real against `model`. `model_vs_model`: `model` is `A|B`, A's picture in `stimulus` and B's in
    `stimulus_b`; where a picture, as `dataset/NAME/stem`, bears the name of another contestant, the pair is misnamed.
    Any other protocol: two models where `model` is `A|B`, else real against `model`.

    Args:
        pairs: as `gan_eval.stats.trials.pair_trials` returns them.
    """
    number, names = pd.factorize(pairs["model"], use_na_sentinel=False)
    texts = [name if isinstance(name, str) else "" for name in names]
    halves = [name.split(SEPARATOR, 1) if SEPARATOR in name else (REAL, name) for name in texts]
    first, second, whole, two = (
        np.array([*column, ""], dtype="object")[number]
        for column in (
            [half[0] for half in halves],
            [half[1] for half in halves],
            texts,
            [SEPARATOR in t for t in texts],
        )
    )
    of_reals, of_models = (
        (pairs["protocol"] == protocol).fillna(False).to_numpy(bool) for protocol in (PAIRED, TWO_MODELS)
    )
    known = {REAL, *(name for half in halves for name in half)} - {""}
    complete = two.astype(bool) & (first != "") & (second != "") & (first != second)
    others = _another(pairs["stimulus"], first, known)
    if "stimulus_b" in pairs:
        others |= _another(pairs["stimulus_b"], second, known)
    return Contestants(
        np.where(of_reals, REAL, first), np.where(of_reals, whole, second), of_reals, of_models & (~complete | others)
    )


def misnamed_note(count: int) -> str:
    """What is said of `count` misnamed pairs; empty: there are none."""
    if not count:
        return ""
    return (
        f"{count} pairs of two models left out: model must be A{SEPARATOR}B, the names of stimulus's and of "
        "stimulus_b's model"
    )


def _another(stimulus: pd.Series, name: np.ndarray, known: set[str]) -> np.ndarray:
    """(N,) bool: the picture, as dataset/NAME/stem, is that of another of the known contestants."""
    number, pictures = pd.factorize(stimulus, use_na_sentinel=False)
    parts = [str(picture).split("/") if isinstance(picture, str) else [] for picture in pictures]
    bears = np.array([each[1] if len(each) > 2 and each[1] in known else "" for each in parts] + [""], dtype="object")
    found = bears[number]
    return np.asarray((found != "") & (found != name), bool)
