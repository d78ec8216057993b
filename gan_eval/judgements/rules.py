"""Rules as text, one comparison of a column with a value: `reaction_time_ms<200`, `flags~late`, `passed_check=True`."""

import difflib
import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gan_eval.base.errors import UserError
from gan_eval.settings.rules import rule_parts
from gan_eval.tables.cells import number_of
from gan_eval.tables.frames import require_clear_texts

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
    """`<`, `<=`, `>`, `>=` for numbers; `=`, `!=` for anything; `~`: the cell contains the word.

    `=` compares numbers if the column is numeric, else text: as text, 7 and 007 differ."""
    value: str

    def holds(self, frame: pd.DataFrame, *, where: str) -> np.ndarray:
        """Return the rows (N,) bool that fulfil the rule. An empty cell fulfils only `COLUMN=`.

        Raises:
            UserError: the frame has no such column, or a rule with `<` or `>` is on a column that is not numeric or may
                have thousands separators (`require_clear_numbers`).
        """
        cells = frame[column_named(self.column, frame, where=where)]
        if self.operator in _ORDER:
            require_clear_texts(cells, where=f"{where}: column {self.column}")
            try:
                limit = number_of(self.value)
                numbers = pd.to_numeric(cells).to_numpy("float64", na_value=np.nan)
            except (TypeError, ValueError) as error:
                raise UserError(
                    f"{where}: rule {self.column}{self.operator}{self.value}: {self.operator} compares numbers "
                    f"({error})"
                ) from error
            return np.asarray(_ORDER[self.operator](numbers, limit), bool)
        as_text = partial(_comparable, is_number=is_numeric_dtype(cells.dtype))  # of booleans too
        if not self.value:
            return cells.isna().to_numpy(bool)
        codes, distinct = pd.factorize(cells.array)  # -1: missing
        texts, required = map(as_text, distinct), as_text(self.value)
        match self.operator:
            case "~":
                fulfil = [required in text.split() for text in texts]
            case "=":
                fulfil = [text == required for text in texts]
            case _:
                fulfil = [text != required for text in texts]
        return np.array([*fulfil, False], bool)[codes]


def parse_rule(text: str) -> Rule:
    """Return the rule that a text describes.

    Raises:
        UserError: it is not `COLUMN<NUMBER` or `COLUMN=VALUE` with one of < <= > >= = != ~.

    >>> parse_rule("reaction_time_ms<200")
    Rule(column='reaction_time_ms', operator='<', value='200')
    """
    try:
        return Rule(*rule_parts(text))
    except ValueError as error:
        raise UserError(str(error)) from error


def rows_fulfilling(frame: pd.DataFrame, rules: Sequence[str], *, where: str) -> np.ndarray:
    """Return the rows (N,) bool that fulfil every rule."""
    chosen = np.ones(len(frame), bool)
    for rule in map(parse_rule, rules):
        chosen &= rule.holds(frame, where=f"{where}: rule '{rule.column}{rule.operator}{rule.value}'")
    return chosen


def column_named(name: str, frame: pd.DataFrame, *, where: str, listed: bool = True) -> str:
    """Return `name` if the frame has that column; the message on any other lists the columns if `listed`."""
    if name in frame.columns:
        return name
    columns = [str(column) for column in frame.columns]
    near = [column for column in columns if column.startswith(name)]
    near = near or difflib.get_close_matches(name, columns, n=1)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; the columns are {', '.join(columns)}" * listed
    raise UserError(f"{where}: no column {name!r}{hint}")


def _comparable(cell: Any, *, is_number: bool) -> str:
    """Return a cell's text for comparison with a rule: short numbers, lower-case true and false."""
    text = str(cell).strip()
    if is_number:
        with suppress(ValueError):  # true and false
            return repr(number_of(text))
    return text.lower() if text.lower() in ("true", "false") else text
