"""Logs of E-Prime (.txt) and Presentation (.log): a row for each trial."""

import re

from gan_eval.base.errors import UserError
from gan_eval.judgements.parts import FilePart, column_names, table_of_rows

_FRAME = re.compile(r"(?:Level: (\d+)\s+)?\*\*\* (Header|LogFrame) Start \*\*\*(.*?)\*\*\* \2 End \*\*\*", re.DOTALL)
_FIELD = re.compile(r"^[ \t]*([^:\r\n]+):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
_OF_FILE = ("VersionPersist", "LevelName")
_SHOWN = ("Picture", "Video")
_NO_TARGETS = ("", "other")
"""Words of Presentation for stimuli without an expected response."""


def log_part(text: str, file: str, group: str) -> FilePart | None:
    """Read a log of E-Prime or Presentation; None: the text is neither.

    E-Prime: the frames of the deepest level, each with the fields of the header. Presentation: the pictures that ask
    for an answer (of a log without such ones all), each with the first response after it as `Response`, and as `RT` the
    time to it in ms.

    Raises:
        UserError: it has no frame or no picture.
    """
    if "*** Header Start ***" in text[:100]:
        rows = _frames(text)
    elif text.startswith("Scenario -"):
        rows = _pictures(text)
    else:
        return None
    if not rows:
        raise UserError(f"{file}: a log without a trial; restore it, or leave it out")
    return FilePart(file, group, table_of_rows(rows), range(1, len(rows) + 1))


def _frames(text: str) -> list[dict[str, str]]:
    frames = [(int(level or 0), dict(_FIELD.findall(fields))) for level, _, fields in _FRAME.findall(text)]
    header = {name: value for name, value in frames[0][1].items() if name not in _OF_FILE} if frames else {}
    for _, fields in frames:  # without an answer the time is 0
        missed = [name for name in fields if name.endswith(".RT") and fields.get(f"{name[:-2]}RESP") == ""]
        fields.update(dict.fromkeys(missed, ""))
    deepest = max((level for level, _ in frames), default=0)
    return [header | fields for level, fields in frames if level == deepest > 0]


def _pictures(text: str) -> list[dict[str, str]]:
    lines = [line.split("\t") for line in text.splitlines()]
    heads = [at for at, cells in enumerate(lines) if {"Event Type", "Code"} <= {*cells}]  # the second table has sums
    begin, end, *_ = [*heads, len(lines), len(lines)]
    names = column_names(lines[begin]) if heads else []
    records = [[*cells, *[""] * len(names)][: len(names)] for cells in lines[begin + 1 : end]]
    events = [dict(zip(names, cells, strict=True)) for cells in records]
    has_targets = any(event.get("Stim Type", "") not in _NO_TARGETS for event in events)
    rows = list[dict[str, str]]()
    for event in events:
        if event["Event Type"] in _SHOWN and not (has_targets and event["Stim Type"] in _NO_TARGETS):
            rows.append(event)
        elif event["Event Type"] == "Response" and rows and rows[-1].get("Stim Type") != "miss":
            time = (float(event["Time"]) - float(rows[-1]["Time"])) / 10  # in steps of 0.1 ms
            rows[-1] = {"Response": event["Code"], "RT": f"{time:g}"} | rows[-1]  # the first response counts
    return rows
