"""Files of other programs: read their cells as text."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gan_eval.stats.contradictions import Sources
from gan_eval.stats.importing.mapping import BY_PLACE
from gan_eval.stats.importing.rejections import MAX_WORDS, WRONG_LENGTH, rejection
from gan_eval.tables.cells import csv_records
from gan_eval.tables.frames import Row

_JUDGED = ("stimulus", "stimulus_b", "kind", "response", "choice", "rating", *BY_PLACE)
"""Columns that a wide table has for each judgement."""


def read_foreign(file: Path) -> tuple[pd.DataFrame, list[Row]]:
    """Return the rows of a table as text, numbered from 1, and a rejection for each row of another length."""
    header, records = csv_records(file, number_unnamed=True)
    rows = list(enumerate(records, start=1))
    rejected = [
        rejection(
            number, header[0], f"{WRONG_LENGTH}{len(record)} cells, the header has {len(header)}", ",".join(record)
        )
        for number, record in rows
        if len(record) != len(header)
    ]
    fitting = {number: record for number, record in rows if len(record) == len(header)}
    foreign = pd.DataFrame(list(fitting.values()), index=list(fitting), columns=header, dtype="str")
    foreign = foreign.mask(foreign == "")
    empty = [name for name in header if name.startswith("unnamed_") and foreign[name].isna().all()]
    return foreign.drop(columns=empty), rejected


def numbered_columns(columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns that differ in one number only, by their name with # in its place.

    A name with several numbers belongs to the largest of its groups.

    >>> numbered_columns(["id", "rf.1.image", "rf.2.image", "Q7"])
    {'rf.#.image': ['rf.1.image', 'rf.2.image']}
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in columns:
        for number in re.finditer(r"\d+", name):
            groups[f"{name[: number.start()]}#{name[number.end() :]}"].append(name)
    largest: dict[str, list[str]] = {}
    taken: set[str] = set()
    for pattern, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        if len(names) > 1 and not taken.intersection(names):
            largest[pattern] = names
            taken.update(names)
    return {pattern: largest[pattern] for pattern in groups if pattern in largest}


def is_wide(columns: Sequence[str]) -> bool:
    """Return True if a table seems to have one row a person: most of its columns are numbered."""
    numbered = [names for names in numbered_columns(columns).values() if len(names) > 2]
    numbered = numbered or list(numbered_columns(columns).values())
    return 2 * sum(map(len, numbered)) >= len(columns) and sum(map(len, numbered)) > 3


def wide_table(columns: Sequence[str]) -> str:
    """Return the message on a table that seems to have one row a person."""
    groups = numbered_columns(columns)
    named = ", ".join(f"{pattern} ({len(names)})" for pattern, names in list(groups.items())[:MAX_WORDS])
    more = f" and {len(groups) - MAX_WORDS} others" if len(groups) > MAX_WORDS else ""
    numbered = {name for names in groups.values() for name in names}
    others = ", ".join(name for name in columns if name not in numbered) or "none"
    return (
        f"this looks like a wide table, one row a person, with numbered columns {named}{more}; other columns: "
        f"{others}; trials import reads one row a judgement: reshape it first, such as with pandas.wide_to_long or "
        "tidyr's pivot_longer"
    )


def unread_numbers(known: Sources, foreign: pd.DataFrame, *, once: bool) -> list[str]:
    """Return a warning of columns that differ in a number from mapped ones, such as further rounds, and are not read.

    Args:
        once: each participant has one row; else two mapped columns must have such others.
    """
    sources = {source.column for target, source in known.items() if source and target in _JUDGED}
    unread = [
        (next(name for name in names if name in sources), [name for name in names if name not in sources])
        for names in numbered_columns(list(foreign.columns)).values()
        if not sources.isdisjoint(names) and not sources.issuperset(names)
    ]
    if len(unread) < (1 if once else 2):
        return []
    read, others = ", ".join(name for name, _ in unread), sum(len(names) for _, names in unread)
    return [
        f"columns {read} are read, {others} with other numbers are not, such as {unread[0][1][0]}: in this import one "
        "row is one judgement; reshape a wide table first"
    ]
