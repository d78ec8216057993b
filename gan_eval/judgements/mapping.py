"""Columns of another program's table: read the options `--map`, take the columns that they name."""

import math
import re
from collections.abc import Collection, Mapping

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.rejections import if_missing, rejection
from gan_eval.judgements.rules import column_named
from gan_eval.tables import TRIALS
from gan_eval.tables.cells import with_point
from gan_eval.tables.frames import Row

NUMBERS = [column.name for column in TRIALS.columns if column.is_number]
PLACES = (("left", "right"), ("first", "second"))
"""Names of the two places of a pair's pictures."""
BY_PLACE = (
    *(place for places in PLACES for place in places),
    "real_side",
    *(f"{place}_{fact}" for places in PLACES for fact in ("kind", "model") for place in places),
)
"""Columns of pairs by place, which become columns of `trials` (`gan_eval.judgements.pairs`)."""
GRADE = "grade"
"""Name in `--map` of a column of grades, which become answers (`gan_eval.judgements.answers`)."""
COUNT = "count"
"""Name in `--map` of a column that counts answers, a row of each of which is made."""
COUNT_CORRECT = "count_correct"
"""Name in `--map` of a column that counts the correct ones of them."""
_SCALED = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator>[*/])\s*(?P<number>[0-9.eE+-]+)\s*$")
"""A column times or divided by a number."""


def known_names(foreign: pd.DataFrame, mapping: Mapping[str, str]) -> tuple[Sources, list[str]]:
    """Return the sources of those columns of a mapping that are known, and a message for each other entry."""
    sources: dict[str, Source | None] = {}
    problems = []
    for target, expression in mapping.items():
        try:
            where = f"--map {target}={expression}"
            known = [*TRIALS.names, *BY_PLACE, GRADE, COUNT, COUNT_CORRECT]
            column_named(target, pd.DataFrame(columns=known), where=f"{where}, left of =")
            source = parse_source(target, expression or target, foreign.columns)
            side = ", right of =" if expression else " ignores a column of the file"
            if expression or target != "trial":  # rows are numbered without a column, too
                column_named(source.column, foreign, where=where + side, listed=False)
            sources[target] = source if expression else None
        except UserError as error:
            problems.append(str(error))
    for place in (place for places in PLACES for place in places):  # pictures whose names have their models
        if sources.get(f"{place}_model") == Source(place):
            sources.setdefault(place, Source(place))
    return sources, problems


def parse_source(target: str, expression: str, columns: Collection[str]) -> Source:
    """Read an expression of a mapping; a column named like the expression wins over arithmetic.

    Raises:
        UserError: the factor is not a number, or the cells of `target` are not numbers.

    >>> parse_source("reaction_time_ms", "rt/2", ["rt"]), parse_source("reaction_time_ms", "rt/2", ["rt/2"])
    (Source(column='rt', factor=0.5), Source(column='rt/2', factor=None))
    """
    scaled = None if expression in columns or expression.startswith('@"') else _SCALED.match(expression)
    if not scaled:
        return Source(expression)
    where = f"--map {target}={expression}"
    try:
        number = float(scaled["number"])
        factor = number if scaled["operator"] == "*" else 1 / number
        if not math.isfinite(factor) or factor == 0:
            raise ValueError(factor)
    except (ValueError, ZeroDivisionError) as error:
        raise UserError(f"{where}: {scaled['number']} is not a number to multiply or divide by") from error
    if target not in NUMBERS:
        raise UserError(f"{where}: {target} is not a column of numbers; map it to a column without arithmetic")
    return Source(scaled["column"], factor)


def renamed(foreign: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Return the mapped columns of the file under the names of the table, and its other columns."""
    columns = {target: foreign[source.column] for target, source in sources.items() if source}
    taken = {source.column if source else target for target, source in sources.items()}
    columns |= {name: foreign[name] for name in foreign.columns if name not in taken and name not in columns}
    return pd.DataFrame(columns, index=foreign.index)


def scaled(frame: pd.DataFrame, sources: Sources) -> tuple[pd.DataFrame, list[Row]]:
    """Multiply the columns that have a factor; return a rejection for each of their cells that is not a number."""
    columns, rejected = {}, []
    for target, source in sources.items():
        if source and source.factor is not None:
            cells = frame[target]
            values = pd.to_numeric(cells, errors="coerce").astype("float64")
            rejected += [
                rejection(
                    row, target, f"found {cell!r}, expected a number{with_point(cell)}{if_missing(target, cell)}", cell
                )
                for row, cell in cells[values.isna() & cells.notna()].items()
            ]
            columns[target] = values * source.factor
    return frame.assign(**columns), rejected
