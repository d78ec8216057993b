"""Files of JSON: an array of objects, one object after the other, and objects that hold the rows of people."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow

from gan_eval.base.errors import UserError
from gan_eval.judgements.parts import FilePart, table_of_rows, text_of

_HALF_A_PAIR = re.compile(
    r"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
"""An escape in JSON of half of a surrogate pair; before it, what looks like one: a backslash, and a whole pair."""
_OF_A_ROW = frozenset(
    {"stimulus", "kind", "response", "choice", "rating", "correct", "rt", "reaction_time_ms", "trial_type"}
)
"""Fields of a trial: a list next to them, such as the path of the mouse, has no trials. In several objects only a
list whose entries have one of them has; of others `[*]` in a path makes rows (`gan_eval.judgements.paths`)."""


def json_parts(text: str, file: str, group: str) -> Iterator[FilePart]:
    """Read arrays of objects, each on lines of its own a group, or objects one after the other.

    An object may hold the rows of a person next to fields about the person, which are repeated in each row, or the
    rows of several people under their names, each a group.

    Half of a surrogate pair, which JavaScript leaves where it cuts a text within an emoji, becomes U+FFFD.
    """
    lists, single = list[tuple[str, list[Any]]](), list[Any]()
    values = [*_values(text, file)]
    for gap, value in values:
        found = _lists_of(value)
        if not found or (
            len(values) > 1 and isinstance(value, dict) and not all(_are_trials(rows) for _, rows in found)
        ):
            single.append(value)
        elif lists and len(found) == 1 and "\n" not in gap:
            lists[-1][1].extend(found[0][1])  # as JATOS' appendResultData writes
        else:
            lists += found
    if single:
        lists.append(("", single))
    start = 0
    for number, (name_of, rows) in enumerate(lists, start=1):
        own = f"{group}_{number}" if len(lists) > 1 else group
        yield FilePart(file, name_of or own, _table(rows, file), range(start + 1, start + len(rows) + 1))
        start += len(rows)


def _table(rows: Sequence[Any], file: str) -> pyarrow.Table:
    """Return the fields of objects as columns of text."""
    if other := [row for row in rows if not isinstance(row, dict)]:
        raise UserError(f"{file}: expected JSON objects, one for each trial; found {json.dumps(other[0])[:60]}")
    return table_of_rows([{name: text_of(value) for name, value in row.items()} for row in rows])


def _values(text: str, file: str) -> Iterator[tuple[str, Any]]:
    """Yield the text before each value, and the value."""
    if "\\u" in text:
        text = _HALF_A_PAIR.sub(lambda found: found[0] if found[1] or found[2] else r"\ufffd", text)
    decoder, gap, at = json.JSONDecoder(), re.compile(r"[\s,]*"), 0
    while (match := gap.match(text, at)) and match.end() < len(text):
        try:
            value, at = decoder.raw_decode(text, match.end())
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", match.end())) + 1
            raise UserError(f"{file}: not JSON in line {line}; restore or remove that part") from error
        if isinstance(value, dict) and {"trialList", "nReps"} <= value.keys():
            raise UserError(
                f"{file}: a loop of PsychoPy as JSON, where answers may stand next to other pictures; import the CSV "
                "in its folder data, or that of saveAsWideText"
            )
        yield match.group(), value


def _lists_of(value: Any) -> list[tuple[str, list[Any]]]:
    """Return the rows that a value of JSON has, by the name of the person if it has several; none: it is a row."""
    if isinstance(value, list):
        of_people = [_rows_in(each) for each in value]
        rows = [row for rows in of_people for row in rows or ()]
        are_people = all(each is not None and _are_trials(each) for each in of_people)
        return [("", rows if value and are_people else value)]
    if not isinstance(value, dict):
        return []
    if of_person := _rows(value) or _rows_in(value):
        return [("", of_person)]
    people = {name: _rows(each) or _rows_in(each) for name, each in value.items()}
    if all(people.values()):
        return [(str(name), rows) for name, rows in people.items() if rows]
    return _lists_of(*value.values()) if len(value) == 1 else []


def _rows_in(value: Any) -> list[dict[str, Any]] | None:
    """Return the rows in the one list of objects that an object has, with its other fields; None: it is a row itself.

    A field that the rows have, too, becomes `outer.NAME`.
    """
    lists = {name: rows for name, each in value.items() if (rows := _rows(each))} if isinstance(value, dict) else {}
    if len(lists) != 1 or not _OF_A_ROW.isdisjoint(value):
        return None
    ((own, rows),) = lists.items()
    inner = {name for row in rows for name in row}
    fields = {f"outer.{name}" if name in inner else name: each for name, each in value.items() if name != own}
    return [{**fields, **row} for row in rows]


def _are_trials(rows: Sequence[Any]) -> bool:
    return not _OF_A_ROW.isdisjoint(rows[0])


def _rows(value: Any) -> list[dict[str, Any]]:
    """Return a list of objects, or three or more trials under keys, as of Firebase, with these as the field `key`."""
    if isinstance(value, dict) and len(value) > 2 and all(isinstance(each, dict) for each in value.values()):
        rows = [{"key": key, **each} for key, each in value.items()]
        return rows if all(_are_trials([row]) for row in rows) else []
    return value if isinstance(value, list) and all(isinstance(each, dict) for each in value) else []
