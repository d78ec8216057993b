"""Summary of how a table of judgements was read: counts, the source of each column, and columns that are not used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from gan_eval.base.errors import shortened
from gan_eval.judgements.contradictions import answered, are_single, pictures_of_pairs
from gan_eval.judgements.trials import CALLED, RATING_HIGH
from gan_eval.tables import TRIALS
from gan_eval.tables.names import NOT_KNOWN

MAX_WORDS = 8
"""Maximum number of words of a column that are listed with their counts."""
MAX_LINES = 10
"""Maximum number of lines."""
_MAX_LINES_OF_SOURCES = 2
"""Maximum number of lines of the sources, and of the rules."""
MAX_WIDTH = 150
"""Maximum number of characters of a line of several columns."""
_MAX_CELL = 40
"""Maximum number of characters of a word."""
Words = dict[str, int]
_KINDS = ("real", "fake")
_FIRST = re.compile(
    r"(?i)refus|exclu|reject|fail|catch|gold|taint|cancel|screen|consent|practi|attention|status|check|control|return"
    r"|time.?d?.?out|valid|finished|complet|warm.?up|training|tutorial|bot\b|duplicate|discard|outlier|quality"
)
"""Names and words of columns that may say which answers should not count."""
_PARTS = {"kind": "truth", "real_side": "truth", "response": "answer", "choice": "answer", "rating": "answer",
          "reaction_time_ms": "time", "trial": "order"}  # fmt: skip
"""Names of columns of `trials` in the text, those that matter most first."""


@dataclass(frozen=True)
class ReadAs:
    """Summary of how the main trials of a table of judgements were read."""

    participants: int
    """Number of participants; 0: answers were counted by picture, and nothing says whose they are."""
    pictures: int
    real: int
    """Number of real pictures."""
    fake: int
    models: int
    answers: int
    unanswered: int
    """Number of trials without an answer."""
    repeated: int
    """Number of participants who judged a picture, or pair, more than once."""
    other_phases: Words
    """Numbers of practice and catch trials, which no other count includes."""
    tool: str
    """The program that wrote the files; empty: not known."""
    mapped: Mapping[str, str]
    """The source of each column of `trials` that is not filled in."""
    not_used: Mapping[str, Words | int]
    """The words of each unused column with their counts, or their number where there are more than `MAX_WORDS`."""
    rules: Sequence[str]
    """Rules that chose the rows."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_as(
    trials: pd.DataFrame,
    *,
    mapped: Mapping[str, str],
    not_used: Mapping[str, Words | int],
    tool: str = "",
    rules: Sequence[str] = (),
) -> ReadAs:
    """Count the main trials of a table `trials`, filled (`fill_trials`)."""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    pictures = _pictures(main)
    kinds = {kind: pictures["stimulus"][(pictures["kind"] == kind).to_numpy(bool)].nunique() for kind in _KINDS}
    is_answered = answered(main)
    is_known = main["participant"] != NOT_KNOWN
    again = main.duplicated(["participant", "stimulus", "stimulus_b"]) & is_known
    return ReadAs(
        participants=main["participant"][is_known].nunique(),
        pictures=pictures["stimulus"].nunique(),
        real=kinds["real"],
        fake=kinds["fake"],
        models=pictures["model"].nunique(),
        answers=int(is_answered.sum()),
        unanswered=int((~is_answered).sum()),
        repeated=main["participant"][again].nunique(),
        other_phases={str(name): int(n) for name, n in trials["phase"].value_counts().items() if name != "main"},
        tool=tool,
        mapped=mapped,
        not_used=not_used,
        rules=list(rules),
    )


def _pictures(main: pd.DataFrame) -> pd.DataFrame:
    """Return stimulus, kind and model of each picture of each trial; in a pair `stimulus` is the real one."""
    single = are_single(main)
    columns = ["stimulus", "kind", "model"]
    if single.all():
        return main[columns].drop_duplicates().astype("object")
    shown = pd.concat([main[single][columns].astype("object"), *pictures_of_pairs(main[~single])])
    return shown.dropna(subset="stimulus")


def words_of(cells: pd.Series) -> Words | int:
    """Return the words of a column with their counts; their number, where there are more than `MAX_WORDS`.

    >>> words_of(pd.Series(["pass", "fail", "pass", None]))
    {'pass': 2, 'fail': 1}
    """
    counts = cells.dropna().astype("str").value_counts()
    if len(counts) > MAX_WORDS:
        return len(counts)
    return {str(word): int(count) for word, count in counts.items()}


_FILLED = ("session", "trial", "phase", "simulated", "correct")
"""Columns that are filled in where a table lacks them."""


def of_table(trials: pd.DataFrame, covariates: Sequence[str] = ()) -> ReadAs:
    """Return what a table with our own columns was read as: without those that are empty, or may be filled in.

    Args:
        covariates: further columns that the analysis uses.
    """
    ours = [*TRIALS.names, *(name for name in (RATING_HIGH, CALLED, *covariates) if name in trials)]
    mapped = {name: name for name in ours if trials[name].notna().any() and name not in _FILLED}
    others = {str(name): words_of(trials[name]) for name in trials if name not in ours}
    return read_as(trials, mapped=mapped, not_used=others)


def lines_of(read: ReadAs, words: Mapping[str, Mapping[str, str]] | None = None) -> list[str]:
    """Return the text of at most `MAX_LINES` lines.

    Args:
        words: for a column of `trials` the meanings of words that the file has.
    """
    same = [name for name, source in read.mapped.items() if source == name and name not in {*_PARTS, *(words or ())}]
    sources = [_mapped(name, read.mapped, words or {}) for name in _in_order(read.mapped) if name not in same]
    sources += [f"as named: {', '.join(same)}"] if same else []
    lines = [_counts(read), *(f"  {'; '.join(parts)}" for parts in _packed(sources, "; ")[:_MAX_LINES_OF_SOURCES])]
    if read.repeated:
        people = _several(read.participants, "participant")
        lines.append(f"  repeated: {read.repeated} of {people} judged pictures more than once")
    lines += [f"  rules: {', '.join(parts)}" for parts in _packed(read.rules, ", ")[:_MAX_LINES_OF_SOURCES]]
    return lines + _lines_of_unused(read, MAX_LINES - len(lines))


def _lines_of_unused(read: ReadAs, room: int) -> list[str]:
    """Return the columns that are not used in at most `room` lines, those that matter most first."""
    columns = sorted(read.not_used.items(), key=lambda column: _rank(*column))
    packed = _packed([_column(name, found) for name, found in columns], ", ")
    shown = packed if len(packed) <= room else packed[: room - 1]
    lines = [f"  not used: {', '.join(parts)}" for parts in shown]
    if left := sum(map(len, packed[len(shown) :])):
        lines.append(f"  not used: {left} more columns; --summary FILE.json has all")
    return lines


def _counts(read: ReadAs) -> str:
    by = f" by {_several(read.models, 'model')}" if read.models else ""
    kinds = f" ({read.real} real, {read.fake} generated{by})" if read.real or read.fake else ""
    missing = f", {_several(read.unanswered, 'trial')} without one" if read.unanswered else ""
    people = _several(read.participants, "participant") if read.participants else "participants not known"
    pictures = _several(read.pictures, "picture")
    others = [_several(count, f"{phase} trial") for phase, count in read.other_phases.items()]
    counts = f"{people}, {pictures}{kinds}, {_several(read.answers, 'answer')}{missing}"
    return "; ".join(filter(None, [f"read as: {counts}", ", ".join(others), read.tool]))


def _several(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _in_order(mapped: Mapping[str, str]) -> list[str]:
    order = {name: at for at, name in enumerate(_PARTS)}
    return sorted(mapped, key=lambda name: order.get(name, len(order)))


def _mapped(name: str, mapped: Mapping[str, str], words: Mapping[str, Mapping[str, str]]) -> str:
    """Return the part of the text on one column, such as `answer: column response (j = real, f = fake)`."""
    by_ours: dict[str, list[str]] = {}
    for theirs, ours in words.get(name, {}).items():
        by_ours.setdefault(ours or "missing", []).append(shortened(theirs, _MAX_CELL))
    meanings = ", ".join(f"{', '.join(each)} = {ours}" for ours, each in by_ours.items())
    source, part = mapped[name], _PARTS.get(name, name)
    is_column = part in ("truth", "answer") and " " not in source and not source.startswith("@")
    column = "column " if is_column else ""
    return f"{part}: {column}{source}{' in ms' if part == 'time' else ''}{f' ({meanings})' if meanings else ''}"


def _column(name: str, found: Words | int) -> str:
    if isinstance(found, int):
        return f"{name} ({_several(found, 'value')})"
    counted = ", ".join(f"{shortened(word, _MAX_CELL)} {count}" for word, count in found.items())
    return f"{name} ({counted or 'empty'})"


def _rank(name: str, found: Words | int) -> tuple[int, int]:
    """Return the order of an unused column: those that may say which answers should not count, then by its words."""
    words = found if isinstance(found, dict) else {}
    is_first = any(map(_FIRST.search, [name, *words])) and found != {}
    size = len(words) if words else MAX_WORDS + (1 if found else 2)
    return (0 if is_first else 1 if size > 1 else 2), (size if size > 1 else MAX_WORDS)


def _packed(parts: Sequence[str], separator: str) -> list[list[str]]:
    """Return the parts of each line: as many as fit in `MAX_WIDTH`, and at least one."""
    lines: list[list[str]] = []
    for part in parts:
        if lines and len(separator.join([*lines[-1], part])) <= MAX_WIDTH:
            lines[-1].append(part)
        else:
            lines.append([part])
    return lines
