"""Export of trials as BIDS events, a file for each participant and study (bids-specification.readthedocs.io 1.10.0)."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import __version__, tables
from gan_eval.base.atomic import write_json, write_text
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Column, Table, number, text

if TYPE_CHECKING:
    import pandas as pd

PLAIN = tables.TRIALS.by_name
COLUMNS: tuple[Column, ...] = (
    number("onset", "onset from the session's first; n/a after the time of day was set back in a pause", unit="s"),
    number("duration", "exposure of the picture; of two pictures one after the other, that of the first", unit="s"),
    text("trial_type", "kind of the picture; pair: two pictures", words=("real", "fake", "pair")),
    number("response_time", "key press minus the (last) onset; n/a without an answer", unit="s"),
    *(PLAIN[name] for name in ("response", "choice", "rating", "correct", "confidence", "trial", "phase", "block")),
    *(PLAIN[name] for name in ("protocol", "stimulus", "stimulus_b", "position", "item", "model", "dataset", "flags")),
)
"""The columns of a file of events."""
PEOPLE: tuple[Column, ...] = (
    text("participant_id", "label of the participant's files"),
    text("code", "the participant's pseudonym"),
    tables.SESSIONS.by_name["simulated"],
)
"""The columns of `participants.tsv`."""


def write_bids(frames: "Mapping[Table, pd.DataFrame]", folder: Path, *, title: str, about: str) -> None:
    """Write the trials as a BIDS dataset of behavioural events; `about` is the text of its README.md.

    Labels of participants and tasks are the letters and digits of their names, made distinct by a number.
    """
    shown_at = {(row["session"], row["trial"]): row["shown_at"] for row in _rows(frames[tables.ONSETS])}
    trials = frames[tables.TRIALS].sort_values(["session", "trial"])
    people: dict[str, Row] = {}
    tasks: dict[str, str] = {}
    for session in _rows(frames[tables.SESSIONS]):
        code, study = session["participant"], session["study"] or title
        tasks[study] = tasks.get(study) or _label(study, tasks.values())
        if code not in people:
            codes = [row["participant_id"] for row in people.values()]
            people[code] = {**session, "participant_id": f"sub-{_label(code, codes, 'sub-')}", "code": code}
        who = people[code]["participant_id"]
        rows = events(_rows(trials[trials["session"] == session["session"]]), shown_at)
        write_text(folder / who / "beh" / f"{who}_task-{tasks[study]}_events.tsv", _tsv(COLUMNS, rows))
    software = {"SoftwareName": "gan_eval", "SoftwareVersion": __version__}
    for label in tasks.values():  # without TaskName, which bids-validator 1.15 refuses here and 3.0 recommends
        write_json(folder / f"task-{label}_events.json", _described(COLUMNS) | {"StimulusPresentation": software})
    write_text(folder / "participants.tsv", _tsv(PEOPLE, people.values()))
    write_json(folder / "participants.json", _described(PEOPLE))
    write_text(folder / "README.md", about)
    maker = {"Name": "gan_eval", "Version": __version__}
    description = {"Name": title, "BIDSVersion": "1.10.0", "DatasetType": "raw", "GeneratedBy": [maker]}
    write_json(folder / "dataset_description.json", description)


def _rows(frame: "pd.DataFrame") -> list[Row]:
    """Return the rows of a frame; missing cells are None."""
    cells = frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None)
    return [dict(zip(frame.columns, row, strict=True)) for row in cells]


def _label(name: str, taken: Collection[str], before: str = "") -> str:
    """Return a label for a name that no file system confuses with one of those taken, which begin with `before`.

    >>> _label("my_study", []), _label("P-01", ["sub-p01"], "sub-")
    ('mystudy', 'P01x2')
    """
    label, lower = re.sub(r"[^A-Za-z0-9]", "", name) or "x", {each.lower() for each in taken}
    choices = (label, *(f"{label}x{count}" for count in range(2, len(lower) + 3)))
    return next(each for each in choices if f"{before}{each}".lower() not in lower)


def events(trials: Sequence[Row], shown_at: Mapping[tuple[str, int], str]) -> list[Row]:
    """Return a session's events."""
    return [
        {
            **trial,
            "onset": onset,
            "duration": _seconds(trial["exposure_ms"]),
            "trial_type": trial["kind"] or "pair",
            "response_time": _seconds(trial["reaction_time_ms"]),
        }
        for trial, onset in zip(trials, _onsets(trials, shown_at), strict=True)
    ]


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _onsets(trials: Sequence[Row], shown_at: Mapping[tuple[str, int], str]) -> Iterator[float | None]:
    """Yield the onset of each trial in seconds from the first one; None: not known.

    The clock may begin again when a session is resumed; the time of day then gives the start. If that would be before
    an earlier onset, the time of day was set back, and the onsets are unknown.
    """
    first, start, latest = None, 0.0, 0.0
    for trial in trials:
        at = shown_at.get((trial["session"], trial["trial"]))
        onset = _seconds(trial["onset_ms"])
        if onset is not None and (first is None or "resumed" in (trial["flags"] or "").split()):
            first = first or at
            start = onset
            if at is not None and first is not None:
                start -= (datetime.fromisoformat(at) - datetime.fromisoformat(first)).total_seconds()
            if onset - start < latest:
                start = math.nan
        if onset is not None:
            onset = None if math.isnan(start) else onset - start
            latest = latest if onset is None else onset
        yield onset


def _tsv(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """Return a table with tabs; missing values are `n/a`."""
    lines = [[column.name for column in columns]]
    lines += [[_cell(row[column.name], column) for column in columns] for row in rows]
    return "".join("\t".join(line) + "\n" for line in lines)


def _cell(value: Any, column: Column) -> str:
    if value is None:
        return "n/a"
    if column.dtype == "bool":
        return str(bool(value)).lower()
    return f"{value:.6f}".rstrip("0").rstrip(".") if column.dtype == "float" else re.sub(r"\s", " ", str(value))


def _described(columns: Iterable[Column]) -> dict[str, Any]:
    """Return the sidecar's descriptions of columns."""
    return {
        column.name: {
            "Description": column.meaning,
            **({"Units": column.unit} if column.unit else {}),
            **({"Levels": {word: word for word in column.words}} if column.words else {}),
        }
        for column in columns
    }
