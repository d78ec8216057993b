"""The trials of an analysis: fill missing columns, remove copies, choose main and answered trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval.base.errors import UserError
from gan_eval.base.inference import shared_items
from gan_eval.judgements.contradictions import (
    agreement,
    are_single,
    pictures_of_pairs,
    require_agreement,
    require_plausible_times,
)
from gan_eval.tables import TRIALS
from gan_eval.tables.cells import name_of
from gan_eval.tables.frames import conform, faults, pandas_dtype, without_blanks
from gan_eval.tables.names import RESERVED_NAMES, name_problem

REQUIRED = ("participant", "stimulus", "kind", "response")
"""Required columns for single pictures; pairs and grades need the first two, and `correct` may replace a response."""
OUTCOMES = ("kind", "response", "choice", "rating", "correct", "confidence")
"""Columns of answers and of the truth."""
_LEAD_MS = 50.0
"""Maximum time in ms between the offset of a picture that stays until the answer and the key press."""
PAIRED = "paired"
"""Protocol with a real and a generated picture; picture a is the real one."""
TWO_MODELS = "model_vs_model"
"""Protocol with pictures of two models, named in `model` as A|B."""

RATING_HIGH = "rating_high"
"""Additional column of imported grades: real or fake, the pictures that get high ones."""
CALLED = "called"
"""Additional column of answers that name a class of pictures: a model's name, or real; see `with_named_classes`."""


def fill_trials(frame: pd.DataFrame, *, where: str = "trials", agree: bool = True) -> pd.DataFrame:
    """Return a trials table from a frame with participant, stimulus, and an answer.

    Answers are kind and response for single pictures, choice for pairs, rating for grades. Filled if absent: session =
    participant (within a study), trial = order within the session, phase = main, simulated = false, correct = answer
    and truth agree, response from kind and correct; every other column is empty. The model of a real picture is
    cleared.

    Args:
        frame: if its index has whole numbers, these are the rows' numbers in the source, from 0; messages count from 1.
        agree: refuse rows that contradict each other (`require_agreement`) and times of another unit.

    Raises:
        UserError: a required column is absent, a cell does not fit the schema, rows contradict each other, or times
            are not milliseconds.
    """
    if missing := missing_answers(frame):
        raise UserError(f"{where}: {are_missing(missing)}; it has {', '.join(map(str, frame))}; rename a column")
    numbers = frame.index + 1 if pd.api.types.is_integer_dtype(frame.index) else pd.RangeIndex(1, len(frame) + 1)
    computed = {"correct", "response"}.difference(frame)
    result = conform(_with_every_column(with_text_names(frame)), TRIALS, where=where)
    is_real = (result["kind"] == "real").to_numpy(bool, na_value=False) & are_single(result)
    if (is_real & result["model"].notna().to_numpy(bool)).any():  # designs in blocks name the model of the block
        result["model"] = result["model"].mask(is_real)
    if (wrong := misnamed(result)).any():
        row = int(wrong.argmax())
        problem = model_problem(str(result["model"].iat[row]))
        raise UserError(f"{where}: row {numbers[row]}, column model: {problem}")
    if "response" in computed and result["rating"].isna().all():
        result["response"] = response_from_correct(result).where(result["kind"].notna() & are_single(result))
    if agree:
        require_agreement(result, where=where, numbers=numbers)
        require_plausible_times(result, where=where, measured=False)
    if "correct" in computed:
        result["correct"] = agreement(result)
    return result


def _with_every_column(frame: pd.DataFrame) -> pd.DataFrame:
    """Return trials with sessions, numbers, phases and `simulated` where these are absent, and other columns empty."""
    filled: dict[str, Any] = {"session": sessions_of(frame), "phase": "main", "simulated": False}
    frame = frame.assign(**{name: cells for name, cells in filled.items() if name not in frame})
    if "trial" not in frame:
        frame = frame.assign(trial=frame.groupby("session", dropna=False).cumcount() + 1)
    absent = {name: pandas_dtype(column.dtype) for name, column in TRIALS.by_name.items() if name not in frame}
    empty = {dtype: pd.Series(None, index=frame.index, dtype=dtype) for dtype in absent.values()}
    columns = dict(frame.items())
    columns |= {name: empty[dtype] for name, dtype in absent.items()}  # they share their memory
    return pd.DataFrame(columns, copy=False)


def response_from_correct(trials: pd.DataFrame) -> pd.Series:
    """Return (N,) the response to single pictures that follows from `kind` and `correct`.

    Without `correct` it is `none`. So is a wrong answer without a reaction time above 0 if all correct answers have
    one: many programs call a missed picture wrong.

    Args:
        trials: kind, correct (boolean), reaction_time_ms (numbers or text).
    """
    correct, timed = trials["correct"], pd.to_numeric(trials["reaction_time_ms"], errors="coerce") > 0
    is_right = correct.fillna(False).to_numpy(bool)
    missed = ~is_right & ~timed if is_right.any() and timed[is_right].all() else False
    other = trials["kind"].map({"real": "fake", "fake": "real"}).astype("str")
    return trials["kind"].astype("str").where(is_right, other).mask(correct.isna() | missed, "none")


def with_text_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose identifiers are text where they were whole numbers: participant 3, 3.0 and "3" are one.

    One of blanks alone is missing.

    >>> usable(pd.DataFrame({"participant": ["P1", " "], "stimulus": ["a", "b"]}))[1]
    '1 trials without participant left out'
    """
    columns = {}
    for name in (column.name for column in TRIALS.columns if column.is_name and column.name in frame):
        if isinstance(frame[name].dtype, pd.StringDtype):
            columns[name] = without_blanks(frame[name])
            continue
        codes, distinct = pd.factorize(frame[name].array)
        names = [None if str(text).isspace() else text for text in map(name_of, distinct)]
        cells = pd.Series([*names, None], dtype="object")  # code -1, the last one: missing
        columns[name] = cells.take(codes).set_axis(frame.index)
    return frame.assign(**columns)


def text_coded(trials: pd.DataFrame) -> pd.DataFrame:
    """Return trials with their text as categories, which are faster to compare and group."""
    columns = {
        name: cells.astype("category") if isinstance(cells.dtype, pd.StringDtype) else cells
        for name, cells in trials.items()
    }
    return pd.DataFrame(columns, copy=False)


def pictures(trials: pd.DataFrame) -> pd.Series:
    """Return (N,) the item of each trial, or the stimulus where there is none."""
    item = trials["item"]
    return item if item.notna().all() else item.astype("str").where(item.notna(), trials["stimulus"].astype("str"))


def judged_pictures(trials: pd.DataFrame) -> pd.DataFrame:
    """Return each judged picture once, with `stimulus`, `item`, `kind`, `model` and `dataset`, as objects."""
    columns = ["stimulus", "item", "kind", "model", "dataset"]
    single = are_single(trials)
    every = trials.loc[single, columns].drop_duplicates("stimulus").astype("object")
    if len(pairs := trials.loc[~single & trials["stimulus_b"].notna().to_numpy(bool)]):
        every = pd.concat([every, *pictures_of_pairs(pairs)])
    return every.dropna(subset="stimulus").drop_duplicates("stimulus")


def items_of(trials: pd.DataFrame, *, side: np.ndarray | None = None) -> np.ndarray | None:
    """Return the items (N,) int, 0.. if several stimuli share one, else None (`base.inference.shared_items`).

    Args:
        side: (N,) bool, if two groups of trials are compared.
    """
    if trials["item"].isna().all():
        return None
    item, stimulus = (pd.factorize(names)[0] for names in (pictures(trials), trials["stimulus"]))
    return shared_items(item, stimulus, side=side)


def are_own_names(trials: pd.DataFrame) -> bool:
    """Return whether the pictures are named as by this program: `dataset/real/stem` or `dataset/model/stem`."""
    names = trials[["stimulus", "dataset", "model"]].drop_duplicates().fillna({"model": "real"})
    is_own = (name.startswith(f"{of}/{model}/") for name, of, model in names.itertuples(index=False, name=None))
    return bool(are_single(trials).all()) and all(is_own)


def model_problem(model: str) -> str:
    """Return the message for the name of a model that `misnamed` finds.

    >>> model_problem("a|all")
    'the name all is reserved for the row of all models together; give the model another'
    """
    reserved = next((part for part in model.split("|") if part in RESERVED_NAMES), model)
    return str(name_problem(reserved, "model"))


def misnamed(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (N,) bool: trials with a forbidden name of a model: `all`, or A|B for a single picture."""
    if "model" not in frame:
        return np.zeros(len(frame), bool)
    codes, models = pd.factorize(frame["model"].array)
    parts = [str(model).split("|") for model in models]
    joined = np.array([*(len(names) > 1 for names in parts), False], bool)[codes]
    kept = np.array([*(not RESERVED_NAMES.keys().isdisjoint(names) for names in parts), False], bool)[codes]
    is_real = (frame["kind"] == "real").to_numpy(bool, na_value=False) if "kind" in frame else False
    return (kept | joined & are_single(frame)) & ~np.asarray(is_real)


def usable(frame: pd.DataFrame, *, where: str = "trials") -> tuple[pd.DataFrame, str]:
    """Return each trial with participant and stimulus once, numbered from 0, and a note on the rows left out.

    Rows that repeat an earlier one in every cell are removed; without the column `trial` they stay and are counted.
    Rows without a participant or a stimulus are removed; a column that is empty throughout stays.

    Raises:
        UserError: rows share session and trial and differ otherwise.

    >>> usable(pd.DataFrame({"participant": ["P1"] * 3, "stimulus": ["a", "a", ""], "trial": [1, 1, 2]}))[1]
    '1 duplicate rows left out; 1 trials without stimulus left out'
    """
    frame, notes = with_text_names(frame.reset_index(drop=True)), []
    has_people = "participant" in frame or "session" in frame
    if has_people and "trial" not in frame:
        if equal := int(frame.duplicated().sum()):
            notes.append(f"{equal} rows equal another in every column: kept, no column trial")
    elif has_people:
        copy = _copies(frame, where=where)
        if copy.any():
            notes.append(f"{copy.sum()} duplicate rows left out")
            frame = frame[~copy]
    empty = {name: (frame[name].isna() | (frame[name] == "")).to_numpy(bool) for name in REQUIRED[:2] if name in frame}
    some = {name: cells for name, cells in empty.items() if cells.any() and not cells.all()}
    if some:
        counts = " and ".join(f"{cells.sum()} without {name}" for name, cells in some.items())
        notes.append(f"{counts.replace(' ', ' trials ', 1)} left out")
        frame = frame[~np.any([*some.values()], axis=0)]
    return frame, "; ".join(notes)


def _copies(frame: pd.DataFrame, *, where: str) -> NDArray[np.bool_]:
    """Return (N,) bool: rows that repeat an earlier one in every cell; refuse others of its session and trial."""
    key = frame.assign(session=sessions_of(frame))[["session", "trial"]]
    shared = key.duplicated(keep=False).to_numpy(bool) & key.notna().all(axis=1).to_numpy(bool)
    copy = np.zeros(len(frame), bool)
    copy[shared] = frame[shared].duplicated().to_numpy(bool)
    if (differs := key[~copy].duplicated().to_numpy(bool) & shared[~copy]).any():
        at = int(np.flatnonzero(~copy)[differs.argmax()])
        first = int((key == key.iloc[at]).all(axis=1).to_numpy(bool).argmax())
        session, trial = key.iloc[at]
        raise UserError(
            f"{where}: row {at + 1}: the same session={session}, trial={trial} as row {first + 1}, but they differ "
            "otherwise; each may occur once"
        )
    return copy


def missing_answers(frame: pd.DataFrame) -> list[str]:
    """Return the required columns that are absent; pairs and grades need neither kind nor response."""
    answers = {name for name in ("choice", "rating", "correct") if name in frame and frame[name].notna().any()}
    unneeded = {"kind", "response"} if answers & {"choice", "rating"} else {"response"} if answers else set()
    return [name for name in REQUIRED if name not in frame and name not in unneeded]


def are_missing(columns: Sequence[str]) -> str:
    """Return the message about missing columns.

    >>> are_missing(["kind", "response"])
    'columns kind, response are missing'
    """
    return f"column {columns[0]} is missing" if len(columns) == 1 else f"columns {', '.join(columns)} are missing"


def sessions_of(frame: pd.DataFrame) -> pd.Series:
    """Return the column `session`; if it is absent, each participant has one session in a study."""
    if "session" in frame:
        return frame["session"]
    if "study" in frame and frame["study"].nunique() > 1:
        return frame["study"].astype("str") + "/" + frame["participant"].astype("str")
    return frame["participant"]


def in_finished_session(trials: pd.DataFrame, sessions: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return (N,) bool: trials of complete sessions; a session that is not in the table `sessions` is complete."""
    if sessions is None:
        return np.ones(len(trials), bool)
    unfinished = sessions.loc[(sessions["status"] != "complete").fillna(False).to_numpy(bool), "session"]
    return ~trials["session"].isin(unfinished).to_numpy(bool)


def requested_exposure(trials: pd.DataFrame) -> np.ndarray:
    """Return (N,) the requested exposure in ms; infinite: until the answer; NaN: not known.

    An empty cell means until the answer if the session's pictures were measured to stay up to the key press.
    """
    requested, planned, measured, answered_at = (
        trials[name].to_numpy("float64", na_value=np.nan)
        for name in ("requested_exposure_ms", "planned_exposure_ms", "exposure_ms", "reaction_time_ms")
    )
    empty = np.isnan(requested) & np.isnan(planned)
    stayed = empty & (measured >= answered_at - _LEAD_MS)
    vanished = empty & (measured < answered_at - _LEAD_MS)
    session = pd.factorize(trials["session"])[0]
    untimed = np.isin(session, session[stayed]) & ~np.isin(session, session[vanished])
    return np.where(empty & untimed, np.inf, requested)


@dataclass(frozen=True)
class TypedTrials:
    """The trials of an analysis by what was asked; the last four are main trials, numbered from 0."""

    every: pd.DataFrame
    """All trials."""
    main: pd.DataFrame
    """Single pictures to be called real or fake, with `is_fake`, `says_fake` and `answered` (bool)."""
    answered: pd.DataFrame
    """Trials of `main` with an answer, with `correct` computed from kind and response."""
    pairs: pd.DataFrame
    """Pairs, with `answered` (bool)."""
    graded: pd.DataFrame
    """Pictures to be graded, with `answered` (bool); an infinite grade is none."""


AnyTrials = pd.DataFrame | TypedTrials
"""The table `trials`, or what `typed` makes of it."""


def typed(trials: AnyTrials) -> TypedTrials:
    """Return trials by what was asked. A rating next to a response is not a grade."""
    if isinstance(trials, TypedTrials):
        return trials
    is_main, is_single = (trials["phase"] == "main").to_numpy(bool, na_value=False), are_single(trials)
    alone = trials["rating"].notna() & trials["response"].isna()
    is_graded = (alone | (trials["protocol"] == "rating").fillna(False)).to_numpy(bool)
    main = _rows(trials, is_main & trials["kind"].notna().to_numpy(bool) & is_single & ~is_graded)
    main = main.assign(
        is_fake=(main["kind"] == "fake").to_numpy(bool),
        says_fake=(main["response"] == "fake").to_numpy(bool),
        answered=main["response"].isin(["real", "fake"]).to_numpy(bool),
    )
    answered = _rows(main, main["answered"].to_numpy(bool))
    pairs, graded = (_rows(trials, is_main & chosen) for chosen in (~is_single, is_graded))
    rating = graded["rating"].where(np.isfinite(graded["rating"].to_numpy("float64", na_value=np.nan)))
    return TypedTrials(
        every=trials,
        main=main,
        answered=answered.assign(correct=(answered["is_fake"] == answered["says_fake"]).to_numpy(bool)),
        pairs=pairs.assign(answered=pairs["choice"].isin(["a", "b"]).to_numpy(bool)),
        graded=graded.assign(rating=rating, answered=rating.notna().to_numpy(bool)),
    )


def _rows(frame: pd.DataFrame, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    """Return the chosen rows, numbered from 0; no cell is copied if all are chosen."""
    return (frame if chosen.all() else frame[chosen]).reset_index(drop=True)


class PreparedTrials(NamedTuple):
    """Trials of an analysis, whole and by what was asked, and a note on rows that were left out."""

    trials: pd.DataFrame
    typed: TypedTrials
    note: str
    """Empty if no row was left out."""


def prepare_trials(frame: pd.DataFrame, *, where: str = "trials", of_file: bool = False) -> PreparedTrials:
    """Return the usable trials of a frame, filled: `usable`, then `fill_trials`.

    Args:
        of_file: the frame is that of a file. Messages count all its rows, and times with an onset are checked too.
    """
    trials, note = usable(frame, where=where)
    if of_file and len(trials) < len(frame):  # row numbers differ from those of the file
        for row, column, reason in faults(frame, TRIALS):
            if frame[column].notna()[row]:
                raise UserError(f"{where}: row {row + 1}, column {column}: {reason}")
    trials = fill_trials(trials, where=where)
    if of_file:
        require_plausible_times(trials, where=where)
    return PreparedTrials(trials, typed(text_coded(trials)), note)


def high_grade(trials: pd.DataFrame) -> str | None:
    """Return the kind of pictures that get high grades by their scale; None: not known.

    In the protocol `rating` of this program it is real; imported grades have it in `rating_high`.
    """
    graded = typed(trials).graded
    stated = set(graded[RATING_HIGH].dropna()) if RATING_HIGH in graded else set()
    stated |= {"real"} if len(graded) and (graded["protocol"] == "rating").all() and not stated else set()
    return str(stated.pop()) if len(stated) == 1 else None
