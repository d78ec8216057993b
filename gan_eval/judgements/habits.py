"""Habits of tools whose files are not what they seem: correct them in their rows, or warn; one function each."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import pyarrow
from pyarrow import compute

from gan_eval.base.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.paths import nested
from gan_eval.judgements.reading import Foreign
from gan_eval.judgements.tools import EXPECTED, TOOLS
from gan_eval.judgements.words import MISSING

Found = tuple[pd.DataFrame, list[str]]
"""Rows, and lines for the user."""
_RAW = re.compile(r"(.+)_raw(_\d+)?")
"""A column of PsychoPy's summaries."""


def of_files(tool: str | None, foreign: Foreign) -> tuple[Foreign, list[str]]:
    """Correct the rows of all files, before columns are mapped.

    Raises:
        UserError: the table has answers next to other pictures.
    """
    refuse_summaries(foreign)
    cells, lines = foreign.cells, list[str]()
    for correct in _OF_FILES.get(tool or "", ()):
        cells, more = correct(foreign, cells)
        lines += more
    return replace(foreign, cells=cells), lines


def of_trials(tool: str | None, frame: pd.DataFrame, foreign: pd.DataFrame) -> Found:
    """Correct the chosen rows under the names of `trials`, before words are translated.

    Args:
        foreign: the same rows with the files' columns.
    """
    return _OF_TRIALS[tool](frame, foreign) if tool in _OF_TRIALS else (frame, [])


def of_answers(tool: str | None, frame: pd.DataFrame) -> Found:
    """Remove the times of trials without an answer, if the tool writes the time limit there; warn of oTree's zeros."""
    lines = []
    if tool == "otree" and "confidence" in frame:
        confidence = pd.to_numeric(frame["confidence"], errors="coerce").dropna()
        if 0 < (zeros := int(confidence.eq(0).sum())) < len(confidence):
            lines.append(CHECKS["zero_confidence"].line(count=zeros))
    if tool is None or not TOOLS[tool].limit_time or not {"response", "reaction_time_ms"} <= set(frame):
        return frame, lines
    missed = (frame["response"] == "none") & frame["reaction_time_ms"].notna()
    if missed.any():
        lines.append(f"{missed.sum()} trials without an answer have the time limit as their time; it is left out")
    return frame.assign(reaction_time_ms=frame["reaction_time_ms"].mask(missed)), lines


def refuse_summaries(foreign: Foreign) -> None:
    """Refuse the text and Excel files of PsychoPy's trial handlers, which put answers next to other pictures."""
    names = {str(name) for name in foreign.cells}
    raw = [found[1] for name in names if (found := _RAW.fullmatch(name))]
    is_summary = {"thisN", "thisTrialN"} <= {*raw} or (len(raw) > 2 and not names.isdisjoint(raw))
    if is_summary or (raw and {"n", "order"} <= names):
        raise UserError(
            f"{foreign.parts[0].file}: a summary of PsychoPy (column {min(raw)}_raw), in which answers may stand next "
            "to other pictures; import the experiment's wide CSV (saveAsWideText, or the .csv in its folder data)"
        )


def _simulated(foreign: Foreign, cells: pd.DataFrame) -> Found:
    """Warn if the reaction times of a jsPsych session add up to more than the session lasted."""
    if not {"rt", "time_elapsed"} <= set(cells):
        return cells, []
    elapsed, rt, trial = (_numbers(cells[name]) for name in ("time_elapsed", "rt", "trial_index"))
    group = foreign.groups()
    session = (trial.diff().le(0) | elapsed.diff().lt(0) | group.ne(group.shift())).cumsum()
    total, last = rt.groupby(session).sum(), elapsed.groupby(session).max()
    is_faster = total > CHECKS["faster_than_possible"].threshold * last
    if not is_faster.any():
        return cells, []
    rows, count = int(session.isin(is_faster.index[is_faster]).sum()), int(is_faster.sum())
    counted = f"{count} sessions" if count > 1 else "a session"
    facts = {"rows": rows, "total": total[is_faster].iloc[0], "last": last[is_faster].iloc[0]}
    return cells, [CHECKS["faster_than_possible"].line(sessions=counted, **facts)]


def _numbers(cells: pd.Series) -> pd.Series:
    """Return text as numbers; other text is NaN."""
    texts = pyarrow.array(cells.array)
    is_number = compute.match_substring_regex(texts, r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$")
    texts = compute.utf8_trim_whitespace(compute.if_else(is_number, texts, None))
    return pd.Series(compute.cast(texts, "double").to_numpy(zero_copy_only=False), index=cells.index)


def _practice(foreign: Foreign, cells: pd.DataFrame) -> Found:
    """Take OpenSesame's flag of practice back in the rows after the practice, where it has stayed.

    The first rows are practice until an item begins, before that row's trial, that had not begun: its time is NA until
    then.
    """
    if "practice" not in cells:
        return cells, []
    starts = cells.filter(regex="^time_").apply(_numbers)
    phases, count, kept = cells["practice"].copy(), 0, 0
    for _, rows in cells.groupby(foreign.groups(), sort=False):
        if not rows["practice"].str.lower().isin(["yes", "1", "true"]).fillna(False).all():
            continue
        practice = _rows_of_practice(starts.loc[rows.index])
        phases.loc[rows.index[practice:]] = "main"
        count, kept = count + len(rows) - practice, kept + practice
    if not count:
        return cells, []
    doubt = "" if kept else "; if there were practice trials, leave them out with --where"
    return cells.assign(practice=phases), [
        f"practice is yes in all rows: {kept} rows before the next loop began are practice, {count} are not{doubt}"
    ]


def _rows_of_practice(starts: pd.DataFrame) -> int:
    """Count the rows before the first item that begins later than the first trial, and not within one."""
    trial = starts.loc[:, starts.diff().iloc[1:].gt(0).all()].min(axis=1)
    begins = starts.notna() & starts.shift().isna() & starts.le(trial.fillna(math.inf), axis=0)
    later = [row for row, is_begun in enumerate(begins.any(axis=1)) if row and is_begun]
    return later[0] if later else 0


def _last_questions(foreign: Foreign, cells: pd.DataFrame) -> Found:
    """Take the answer to the question that can be correct where OpenSesame's trials have several: it has the last one.

    Of questions that are correct equally often the first of a trial counts.
    """
    parts = ("response", "correct", "response_time")
    items = [name.removeprefix("time_") for name in map(str, cells) if name.startswith("time_")]
    items = [item for item in items if {*parts, *(f"{part}_{item}" for part in parts)} <= {*cells}]
    times = cells[[f"time_{item}" for item in items]].apply(_numbers).set_axis(items, axis=1)
    asked = times.notna() & times.ne(times.groupby(foreign.groups()).shift())
    several = asked.sum(axis=1) > 1
    if not several.any():
        return cells, []
    items.sort(key=lambda item: (-_numbers(cells[f"correct_{item}"]).sum(), times[item].median()))
    for item in reversed(items):
        answers = {part: cells[part].mask(several & asked[item], cells[f"{part}_{item}"]) for part in parts}
        cells = cells.assign(**answers)
    return cells, [
        f"{int(several.sum())} trials have several questions: the answer is that to {items[0]}; --map "
        "response=response_ITEM --map correct=correct_ITEM --map reaction_time_ms=response_time_ITEM takes another"
    ]


def _radio_buttons(foreign: Foreign, cells: pd.DataFrame) -> Found:
    """Join Mechanical Turk's columns of true and false, one for each radio button, into one with the chosen word."""
    groups: dict[str, dict[str, str]] = {}
    for name in map(str, cells):
        before, _, word = name.rpartition(".")
        words = {*cells[name].dropna().str.strip().str.lower()}
        if before.startswith("Answer.") and words and words <= {"true", "false"}:
            groups.setdefault(before, {})[word] = name
    joined = {}
    for name, buttons in groups.items():
        if name not in cells and len(buttons) > 1:
            joined[name] = pd.Series(None, index=cells.index, dtype="str")
            for word, column in buttons.items():
                joined[name] = joined[name].mask(cells[column].str.strip().str.lower().eq("true").fillna(False), word)
    return cells.assign(**joined), []


def _pages_without_time(frame: pd.DataFrame, foreign: pd.DataFrame) -> Found:
    """Take oTree's 0 on a page that timed out as no answer, and as no confidence: it has no time, and others do."""
    if not {"response", "reaction_time_ms"} <= set(frame):
        return frame, []
    untimed = _numbers(frame["reaction_time_ms"]).fillna(0).le(0)
    if untimed.all():
        return frame, []
    zeros = {
        name: untimed & frame[name].str.strip().isin(["0", "0.0", "False", "false"]).fillna(False)
        for name in ("response", "confidence", "reaction_time_ms")
        if name in frame
    }
    frame = frame.assign(**{name: frame[name].mask(is_zero) for name, is_zero in zeros.items()})
    count = int(zeros["response"].sum())
    return frame, [f"{count} answers 0 without a time are pages that timed out: none"] if count else []


def _answered_rows(frame: pd.DataFrame, foreign: pd.DataFrame) -> Found:
    """Keep, of Gorilla's rows of one trial, the answered or first one."""
    keys = ["Participant Private ID", "Tree Node Key", "Repeat Key", "Task Name", "Spreadsheet Row", "Trial Number"]
    if not {"Trial Number"} <= {*foreign} or "response" not in frame:
        return frame, []
    answers = frame["response"].fillna("").str.strip().str.lower()
    rank = 2 * answers.isin(["", *MISSING]) + ~answers.isin(["real", "fake"])
    ranked = foreign[[name for name in keys if name in foreign]].assign(picture=frame.get("stimulus"), rank=rank)
    ranked = ranked.sort_values("rank", kind="stable")
    kept = ranked.drop_duplicates(ranked.columns[:-1]).index.sort_values()
    line = f"{len(frame)} rows are of {len(kept)} trials; the row with the answer counts"
    return frame.loc[kept], [line] if len(kept) < len(frame) else []


def _lists_of_keys(frame: pd.DataFrame, foreign: pd.DataFrame) -> Found:
    """Take the last of several keys, and its time; PsychoPy calls every list of keys wrong."""
    columns: dict[str, pd.Series] = {}
    is_list = pd.Series(False, index=frame.index)
    for name in ("response", "reaction_time_ms"):
        if name in frame:
            listed = frame[name].str.match(r"\s*\[").fillna(False).astype(bool)
            last = frame[name][listed].map(lambda cell: next(iter(reversed(nested(cell.strip()) or [])), None))
            columns[name] = frame[name].mask(listed, last.astype("str"))
            is_list |= listed
    if not is_list.any():
        return frame, []
    expected = next((name for name in EXPECTED if name in foreign), None)
    if "correct" in frame and "response" in columns:
        equal = columns["response"].eq(foreign[expected]).map({True: "1", False: "0"}) if expected else None
        columns["correct"] = frame["correct"].mask(is_list, equal)
    line = f"{int(is_list.sum())} cells are lists of keys or times; the last one counts"
    return frame.assign(**columns), [line]


def _untouched(frame: pd.DataFrame, foreign: pd.DataFrame) -> Found:
    """Warn of ratings that are the slider's start value."""
    if "rating" not in frame or "slider_start" not in foreign:
        return frame, []
    rating, start = _numbers(frame["rating"]), _numbers(foreign["slider_start"])
    equal = int(rating.eq(start).sum())
    if not equal:
        return frame, []
    return frame, [CHECKS["untouched"].line(count=equal, n=len(frame))]


_OF_FILES: Mapping[str, tuple[Callable[[Foreign, pd.DataFrame], Found], ...]] = {
    "jspsych": (_simulated,),
    "opensesame": (_practice, _last_questions),
    "mturk": (_radio_buttons,),
}
_OF_TRIALS: Mapping[str | None, Callable[[pd.DataFrame, pd.DataFrame], Found]] = {
    "jspsych": _untouched,
    "otree": _pages_without_time,
    "psychopy": _lists_of_keys,
    "gorilla": _answered_rows,
}
