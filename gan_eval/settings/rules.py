"""A rule as text: the column, the operator and the value of one comparison."""

import math
import re

from gan_eval.tables.cells import number_of

_RULE = re.compile(r"^\s*(?P<column>.+?)\s*(?P<operator><=|>=|!=|==|=|<|>|~)\s*(?P<value>.*?)\s*$")


def rule_parts(text: str) -> tuple[str, str, str]:
    """Return the column, operator and value of a rule (see `gan_eval.judgements.rules`).

    Raises:
        ValueError: it is not `COLUMN<NUMBER` or `COLUMN=VALUE` with one of < <= > >= = != ~.

    >>> rule_parts("reaction_time_ms<200")
    ('reaction_time_ms', '<', '200')
    >>> rule_parts("practice=")  # an empty cell
    ('practice', '=', '')
    """
    match = _RULE.match(text)
    if not match or not (match["value"] or (match["operator"] == "=" and match["column"].strip())):
        raise ValueError(
            f"rule {text!r}: not understood; write COLUMN<NUMBER (or <= > >=), COLUMN=VALUE, COLUMN!=VALUE or "
            "COLUMN~WORD"
        )
    column, operator, value = match.groups()
    if operator[0] in "<>":
        try:
            if math.isnan(number_of(value)):
                raise ValueError(value)
        except ValueError as error:
            raise ValueError(f"rule {text!r}: {operator} compares numbers; write one after it") from error
    return column, "=" if operator == "==" else operator, value
