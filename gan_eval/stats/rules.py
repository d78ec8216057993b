"""Rules in plain text that choose rows: `reaction_time_ms<200`, `flags~late`, `passed_check=True`.

A rule is one comparison of a column with a value; nothing is evaluated as a program.
"""

import difflib
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gan_eval.errors import UserError
from gan_eval.settings.analysis import rule_parts

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Rule:
    """One comparison: `column operator value`."""

    column: str
    operator: str
    """`<`, `<=`, `>`, `>=` for numbers; `=`, `!=` for anything; `~`: the cell holds the word.

    `=` compares numbers where the column is numbers, else text: the participants 7 and 007 are two."""
    value: str

    def holds(self, frame: pd.DataFrame, *, where: str) -> np.ndarray:
        """(N,) bool: the rows in which the rule holds. An empty cell fulfils no rule.

        Raises:
            UserError: the frame has no such column, or an order is asked of a column that is not numbers.
        """
        cells = frame[column_named(self.column, frame, where=where)]
        if self.operator in _ORDER:
            return self._ordered(cells, where)
        as_cell = _number if is_numeric_dtype(cells.dtype) else _word  # numpy and pandas count truth as numeric
        text = cells.astype("object").map(as_cell, na_action="ignore")
        wanted = as_cell(self.value)
        if self.operator == "~":
            return np.array([wanted in str(cell).split() for cell in text.where(text.notna(), "")], bool)
        equal = (text == wanted).to_numpy(bool)
        return equal if self.operator == "=" else ~equal & cells.notna().to_numpy(bool)

    def _ordered(self, cells: pd.Series, where: str) -> np.ndarray:
        try:
            limit = float(self.value)
            numbers = pd.to_numeric(cells).to_numpy("float64", na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{where}: rule {self.column}{self.operator}{self.value}: {self.operator} compares numbers ({error})"
            ) from error
        return np.asarray(_ORDER[self.operator](numbers, limit), bool)


def parse_rule(text: str) -> Rule:
    """A rule from its text.

    Raises:
        UserError: it is not `COLUMN<NUMBER` or `COLUMN=VALUE` with one of < <= > >= = != ~.

    >>> parse_rule("reaction_time_ms<200")
    Rule(column='reaction_time_ms', operator='<', value='200')
    """
    try:
        return Rule(*rule_parts(text))
    except ValueError as error:
        raise UserError(str(error)) from error


def holding(frame: pd.DataFrame, rules: Sequence[str], *, where: str) -> np.ndarray:
    """(N,) bool: the rows that fulfil every rule."""
    chosen = np.ones(len(frame), bool)
    for rule in map(parse_rule, rules):
        chosen &= rule.holds(frame, where=where)
    return chosen


def exclude(frame: pd.DataFrame, rules: Sequence[str], *, where: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that fulfil none of the rules, and for each rule how many rows it named."""
    named = {rule: parse_rule(rule).holds(frame, where=where) for rule in rules}
    dropped = np.zeros(len(frame), bool)
    for rows in named.values():
        dropped |= rows
    return frame[~dropped].reset_index(drop=True), {rule: int(rows.sum()) for rule, rows in named.items()}


def column_named(name: str, frame: pd.DataFrame, *, where: str) -> str:
    """`name` itself when the frame has that column.

    Raises:
        UserError: it has not; the nearest name is given.
    """
    if name in frame.columns:
        return name
    near = difflib.get_close_matches(name, [str(column) for column in frame.columns], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(map(str, frame.columns))}"
    raise UserError(f"{where}: no column {name!r}; {hint}")


def _word(cell: Any) -> str:
    """A cell of text as a rule compares it: truth in lower case, all else as it stands."""
    text = str(cell).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def _number(cell: Any) -> str:
    """A number as a rule compares it, without needless digits; truth is a word."""
    try:
        return repr(float(str(cell)))
    except ValueError:
        return _word(cell)
