"""Wide tables, one row a person: find the columns that differ in a number only, make a row of each number."""

import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.reading import Foreign
from gan_eval.judgements.rejections import MAX_WORDS
from gan_eval.tables import TRIALS


def columns_by_number(pattern: str, columns: Sequence[str]) -> dict[str, str]:
    """Return the columns that a pattern stands for, by their number for #, or their text for *.

    >>> columns_by_number("rf.#.image", ["id", "rf.1.image", "rf.10.image"])
    {'1': 'rf.1.image', '10': 'rf.10.image'}
    >>> columns_by_number("Real? [*]", ["id", "Real? [a.png]"]), columns_by_number("*_Q*", ["1_Q5", "1_Q9"])
    ({'a.png': 'Real? [a.png]'}, {'1_5': '1_Q5', '1_9': '1_Q9'})
    """
    mark, text = ("#", r"(\d+)") if "#" in pattern else ("*", "(.+?)")
    expression = re.compile(text.join(map(re.escape, pattern.split(mark, -1 if mark == "*" else 1))))
    return {"_".join(match.groups()): name for name in columns if (match := expression.fullmatch(name))}


def lengthened(
    foreign: Foreign, patterns: Sequence[str], *, keep: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> Foreign:
    """Return a row for each number that # (text that *) stands for; a row without any cell of them is left out.

    Other numbered columns are left out, unless they are in `keep`, or there are no patterns.

    Args:
        known: further columns of the result, and for each the columns that it is made of, by the text for *.

    Raises:
        UserError: a pattern has no column.
    """
    columns = [*map(str, foreign.cells)]
    by_pattern = {**_columns_of(patterns, columns, keep), **{name: {**numbered} for name, numbered in known.items()}}
    numbers = list(dict.fromkeys(number for numbered in by_pattern.values() for number in numbered))
    if all(map(str.isdecimal, numbers)):
        numbers.sort(key=int)
    taken = {name for numbered in by_pattern.values() for name in numbered.values()}
    if patterns:
        taken |= {name for names in numbered_columns(columns).values() if len(names) > 2 for name in names}
    rows = len(foreign.cells)
    long = foreign.repeated(np.full(rows, len(numbers)), numbers * rows)
    further = {of: _in_rows(foreign.cells, [by.get(number) for number in numbers]) for of, by in by_pattern.items()}
    cells = long.cells.drop(columns=list(taken.difference(keep))).assign(**further)
    names = [*question_names(foreign, by_pattern, numbers)] * rows
    table = pd.DataFrame(long.numbers).assign(name=pd.array(names, dtype="str"))
    kept = cells[list(by_pattern)].notna().any(axis=1) if len(by_pattern) > 1 else slice(None)
    cells, table = cells.loc[kept], table.loc[kept]
    index = pd.RangeIndex(1, len(cells) + 1)
    return replace(foreign, cells=cells.set_axis(index), numbers=table.set_axis(index))


def _in_rows(cells: pd.DataFrame, columns: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
    """Return the cells of these columns row by row; None: empty cells."""
    empty = pd.Series(None, index=cells.index, dtype="str")
    of_columns = [(empty if name is None else cells[name]).to_numpy("object") for name in columns]
    return pd.array(np.stack(of_columns, axis=1).ravel(), dtype="str")


def _columns_of(patterns: Sequence[str], columns: Sequence[str], keep: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the columns of each pattern by their numbers, or by their text."""
    free = [name for name in columns if name not in keep and name not in TRIALS.by_name]
    by_pattern = {pattern: columns_by_number(pattern, free if "*" in pattern else columns) for pattern in patterns}
    if without := [pattern for pattern, numbered in by_pattern.items() if not numbered]:
        if "#" not in without[0]:
            raise UserError(f"no column {without[0]!r} with any text for *; the columns are {', '.join(columns)}")
        numbered_names = ", ".join(list(numbered_columns(columns))[:MAX_WORDS]) or "none"
        raise UserError(f"no column {without[0]!r} with a number for #; the numbered columns are {numbered_names}")
    return _with_equal_numbers(by_pattern)


def _with_equal_numbers(by_pattern: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the columns under numbers without zeros in front, where patterns differ in these: pic1 and answer01.

    Raises:
        UserError: two patterns have as many numbers, but others, such as 0 to 35 and 1 to 36.
    """
    if len({frozenset(numbered) for numbered in by_pattern.values()}) < 2:
        return by_pattern
    plain = {
        pattern: {number.lstrip("0") or "0": name for number, name in numbered.items()}
        for pattern, numbered in by_pattern.items()
    }
    if all(len(plain[pattern]) == len(numbered) for pattern, numbered in by_pattern.items()):
        by_pattern = plain
    ranges = {
        pattern: sorted(map(int, numbered))
        for pattern, numbered in by_pattern.items()
        if all(map(str.isdecimal, numbered))
    }
    for (one, ours), (other, theirs) in itertools.pairwise(ranges.items()):
        if len(ours) == len(theirs) > 2 and {b - a for a, b in zip(ours, theirs, strict=True)} in ({1}, {-1}):
            raise UserError(
                f"columns {one} have the numbers {ours[0]} to {ours[-1]}, {other} {theirs[0]} to {theirs[-1]}; equal "
                "numbers belong together: rename those of one"
            )
    return by_pattern


def question_names(
    foreign: Foreign, by_pattern: Mapping[str, Mapping[str, str]], numbers: Sequence[str]
) -> Sequence[str]:
    """Return the questions' texts, if the file has them and they differ; else their numbers."""
    of_patterns = ([foreign.texts.get(by.get(number, ""), "") for number in numbers] for by in by_pattern.values())
    return next((texts for texts in of_patterns if all(texts) and len({*texts}) == len(texts)), numbers)


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


def of_wide_table(columns: Sequence[str]) -> str:
    """Return the advice for a table that may have one row a person: its numbered columns; empty if it has none."""
    groups = numbered_columns(columns)
    if not groups:
        return ""
    named = ", ".join(f"{pattern} ({len(names)})" for pattern, names in list(groups.items())[:MAX_WORDS])
    more = f" and {len(groups) - MAX_WORDS} others" if len(groups) > MAX_WORDS else ""
    return (
        f"if this is a wide table, one row a person, with numbered columns {named}{more}: give # for the number in "
        f"--map (* for any text), and each becomes a row, such as --map COLUMN={next(iter(groups))} (stimulus=@name: "
        "the number itself names the picture, see --pictures)"
    )
