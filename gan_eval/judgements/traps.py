"""Habits of tools whose files are not what they seem: correct them in their rows, or warn; one function each."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pandas as pd
import pyarrow
from pyarrow import compute

from gan_eval.errors import UserError
from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.paths import nested
from gan_eval.judgements.reading import Foreign
from gan_eval.judgements.rejections import MAX_WORDS
from gan_eval.judgements.tools import EXPECTED, TOOLS
from gan_eval.judgements.words import MISSING

Found = tuple[pd.DataFrame, list[str]]
"""Rows, and lines for the user."""
_OF_QUESTION = ("participant", "trial", "stimulus", "response", "correct", "reaction_time_ms")
"""Columns of `trials` that distinguish trials, and three that each question has."""
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
    lines: list[str] = []
    for correct in _OF_TRIALS.get(tool or "", ()):
        frame, more = correct(frame, foreign)
        lines += more
    return frame, lines


def without_limits(tool: str | None, frame: pd.DataFrame) -> Found:
    """Remove the times of trials without an answer, if the tool writes the time limit there."""
    if tool is None or not TOOLS[tool].limit_time or not {"response", "reaction_time_ms"} <= set(frame):
        return frame, []
    missed = (frame["response"] == "none") & frame["reaction_time_ms"].notna()
    if not missed.any():
        return frame, []
    line = f"{int(missed.sum())} trials without an answer have the time limit as their time; it is left out"
    return frame.assign(reaction_time_ms=frame["reaction_time_ms"].mask(missed)), [line]


def zero_confidences(tool: str | None, trials: pd.DataFrame) -> list[str]:
    """Return a warning of confidences of 0, which oTree also writes for a page that timed out."""
    confidence = trials["confidence"].dropna()
    zeros = int(confidence.eq(0).sum())
    if tool != "otree" or not 0 < zeros < len(confidence):
        return []
    return [CHECKS["zero_confidence"].line(count=zeros)]


def one_row_a_trial(tool: str | None, foreign: pd.DataFrame, sources: Sources, words: Iterable[str]) -> Found:
    """Keep the rows of the question about the picture and, of Gorilla's rows of one trial, the answered or first one.

    Args:
        words: answers that the user has named.
    """
    foreign, lines = _first_questions(foreign, sources, words)
    foreign, more = _answered_rows(foreign, sources)
    lines += more
    keys = ["Participant Private ID", "Tree Node Key", "Repeat Key", "Task Name", "Spreadsheet Row", "Trial Number"]
    keys = [name for name in keys if name in foreign]
    response = sources.get("response")
    if tool != "gorilla" or "Trial Number" not in keys or response is None:
        return foreign, lines
    answers = foreign[response.column].fillna("").str.strip().str.lower()
    rank = 2 * answers.isin(["", *MISSING]) + ~answers.isin(["real", "fake"])
    first = foreign.assign(**{"": rank}).sort_values("", kind="stable").drop_duplicates(keys).index
    if len(first) == len(foreign):
        return foreign, lines
    line = f"{len(foreign)} rows are of {len(first)} trials; the row with the answer counts"
    return foreign.loc[first.sort_values()], [*lines, line]


def _first_questions(foreign: pd.DataFrame, sources: Sources, words: Iterable[str]) -> Found:
    """Leave out answers to a further question about the picture, such as a confidence in a row of its own.

    They are known by their words: never a trial's first answer where it has several, and never correct. Where a trial
    has no other row the first one stays, without an answer.
    """
    sources_of = {name: sources.get(name, Source(name)) for name in _OF_QUESTION}
    named = {name: source.column for name, source in sources_of.items() if source and source.column in foreign}
    if not {"stimulus", "response"} <= named.keys():
        return foreign, []
    answers = foreign[named["response"]].str.strip().str.lower()
    of_trial = foreign[[column for name, column in named.items() if name in _OF_QUESTION[:3]]].fillna("")
    trial = of_trial.ne(of_trial.shift()).any(axis=1).cumsum()
    given = answers[~answers.fillna("").isin(["", *MISSING])]
    several = given[given.groupby(trial).transform("size") > 1]
    is_later = trial[several.index].duplicated()
    first, later = {*several[~is_later]}, {*several[is_later]}
    if (~is_later).sum() < CHECKS["further_question"].threshold or len(first) < 2 or first & later:
        return foreign, []
    later |= {*given[trial.duplicated()[given.index]]} - first
    further = answers.isin(list(later))
    is_correct = "correct" in named and foreign[named["correct"]][further].str.lower().isin(["true", "1", "1.0"]).any()
    if is_correct or later & {"real", "fake", *(word.strip().lower() for word in words)}:
        return foreign, []
    is_alone = further.groupby(trial).transform("all") & ~trial.duplicated()
    emptied = {named[name]: foreign[named[name]].mask(further) for name in _OF_QUESTION[3:] if name in named}
    some = ", ".join(sorted(later)[:MAX_WORDS])
    line = CHECKS["further_question"].line(count=int(further.sum()), words=some, column=named["response"])
    return foreign.assign(**emptied)[~further | is_alone], [line]


def _answered_rows(foreign: pd.DataFrame, sources: Sources) -> Found:
    """Leave out rows without an answer, such as a picture's onset, of trials that have one in another row."""
    sources_of = {name: sources.get(name, Source(name)) for name in _OF_QUESTION}
    named = {name: source.column for name, source in sources_of.items() if source and source.column in foreign}
    if not {"participant", "stimulus", "response"} <= named.keys():
        return foreign, []
    answers = foreign[named["response"]].fillna("").str.strip().str.lower()
    of_trial = foreign[[column for name, column in named.items() if name in _OF_QUESTION[:3]]].fillna("")
    trial = of_trial.ne(of_trial.shift()).any(axis=1).cumsum()
    is_given = ~answers.isin(["", *MISSING])
    spare = ~is_given & is_given.groupby(trial).transform("any") & foreign[named["stimulus"]].notna()
    if spare.sum() < CHECKS["rows_without_answer"].threshold:
        return foreign, []
    line = CHECKS["rows_without_answer"].line(count=int(spare.sum()))
    return foreign[~spare], [line]


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
    elapsed, rt, place = (_numbers(cells[name]) for name in ("time_elapsed", "rt", "trial_index"))
    group = foreign.groups()
    session = (place.diff().le(0) | elapsed.diff().lt(0) | group.ne(group.shift())).cumsum()
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
_OF_TRIALS: Mapping[str, tuple[Callable[[pd.DataFrame, pd.DataFrame], Found], ...]] = {
    "jspsych": (_untouched,),
    "otree": (_pages_without_time,),
    "psychopy": (_lists_of_keys,),
}
