"""Marks: places that a participant points out in the still picture, after the answer to it is stored."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.protocol import NO_ANSWER
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row
from gan_eval.tables.names import BETWEEN_MODELS

_BROKEN_OFF = {"paused", "interrupted", "killed", "hidden_tab"}
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Elapsed = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]  # ms since the picture was shown again


class Mark(BaseModel):
    """One mark: shares of the picture's width and height from its left and top edge."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    x: Share
    y: Share
    at_ms: Elapsed


class MarksReport(BaseModel):
    """The marks of one trial, or the time of *Nothing in particular*; neither: the time was up."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    trial: int = Field(ge=0, le=10**6)
    marks: tuple[Mark, ...] = Field(default=(), max_length=9)
    nothing_ms: Elapsed | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        times = [mark.at_ms for mark in self.marks]
        if times != sorted(times) or (times and self.nothing_ms is not None):
            raise ValueError("marks: expected times in order, and not nothing_ms too")
        return self


def marked_stimulus(settings: QuizSettings, row: Row) -> str | None:
    """Return the picture that a finished trial asks to be marked, of a pair the one called fake; None: not asked."""
    if not settings.marks or _BROKEN_OFF.intersection((row["flags"] or "").split()):
        return None
    if settings.shows_pairs:
        return {"a": row["stimulus_b"], "b": row["stimulus"]}.get(row["choice"])
    answered = row["rating"] is not None or row["response"] not in (None, NO_ANSWER)
    return row["stimulus"] if answered and (settings.marks_after == "every" or row["response"] == "fake") else None


def mark_rows(trial: Row, stimulus: str, report: MarksReport, settings: QuizSettings) -> list[Row]:
    """Return the rows of `gan_eval.tables.MARKS` for marks in a picture of a trial; `UserError`: too many marks."""
    if len(report.marks) > settings.marks:
        raise UserError(f"trial {report.trial}: marks: found {len(report.marks)}, expected at most {settings.marks}")
    shared = {name: trial.get(name) for name in tables.MARKS.names} | {"stimulus": stimulus}
    if trial["stimulus_b"] is not None:
        shared |= _of_pair(trial, stimulus, settings)
    if report.nothing_ms is not None:
        return [shared | {"marked_at_ms": report.nothing_ms}]
    marks = [{"mark": n, "x": at.x, "y": at.y, "marked_at_ms": at.at_ms} for n, at in enumerate(report.marks, start=1)]
    return [shared | mark for mark in marks]


def _of_pair(trial: Row, stimulus: str, settings: QuizSettings) -> Row:
    """Return the columns in which a mark in a picture of a pair differs from its trial."""
    is_b = stimulus == trial["stimulus_b"]
    model_a, between, model_b = (trial["model"] or "").partition(BETWEEN_MODELS)
    columns: Row = {"kind": "fake" if between or is_b else "real"}
    columns["model"] = (model_b or model_a) if is_b else (model_a if between else None)
    if not is_b and settings.pairs_of == "random":  # the trial has the other picture's item
        columns["item"] = None
    return columns
