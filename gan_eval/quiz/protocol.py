"""The protocols: the pictures and question of a trial, the next trial, and the correct answer.

Methods and sources: docs/protocols.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gan_eval.base.adaptive import PsychometricGrid, moving_trials
from gan_eval.settings.protocols import PROTOCOLS, STAIRCASE
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

NO_ANSWER = "none"

OPPOSITE: Mapping[str, str] = {"left": "right", "right": "left", "first": "second", "second": "first"}
"""Position (place or turn) of the other picture of a pair."""

Showings = tuple[tuple[str, ...], ...]
"""The stimuli of a trial: a tuple for each showing, with its pictures from left to right."""


@dataclass(frozen=True)
class Timing:
    """The exposure of pictures and the response window."""

    requested_exposure_ms: float | None
    """Fixed exposure of each showing; None: until the answer or the end of the response window."""
    response_ms: float | None
    """Response window from the last onset; None: unlimited."""
    gap_ms: float = 0.0
    """Time between the offset of one showing and the onset of the next."""


class QuizProtocol:
    """The protocol of the settings, for one participant."""

    def __init__(self, settings: QuizSettings, *, list_number: int = 1) -> None:
        self.settings = settings
        self.facts = PROTOCOLS[settings.protocol]
        self.keys = settings.keys_of_list(list_number)
        """The key of each answer."""
        self.answers: Mapping[str, str] = {key.lower(): answer for answer, key in self.keys.items()}
        """The answer of each key, a lower-case character."""

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """Return the plan's row of the next trial after those that are done; None at the end."""
        answered = {row["trial"] for row in done}
        planned = next((row for row in plan if row["trial"] not in answered), None)
        if planned is None or not self.facts.adaptive:
            return planned
        exposure = self.settings.staircase.start_ms
        if planned["phase"] == "main":
            exposure = self.exposure_after([row for row in done if row["block"] == planned["block"]])
        return {**planned, "requested_exposure_ms": exposure}

    def exposure_after(self, rows: Sequence[Row]) -> float:
        """Return the exposure in ms that follows these trials of a block, in adaptive protocols.

        A main trial with an answer moves it. Practice, catch and unanswered trials (late, paused, interrupted, killed)
        do not.
        """
        steps, moving = self.settings.staircase, moving_trials(rows)
        if self.settings.protocol == STAIRCASE:
            exposure = steps.start_ms
            for row in moving:
                step = -steps.down_ms if row["correct"] else steps.up_ms
                exposure = min(max(exposure + step, steps.shortest_ms), steps.longest_ms)
            return exposure
        return self._grid.next_exposure(moving) if moving else steps.start_ms

    @cached_property
    def _grid(self) -> PsychometricGrid:
        return PsychometricGrid(self.settings.staircase.shortest_ms, self.settings.staircase.longest_ms)

    def timing(self, planned: Row) -> Timing:
        """Return the times of one trial."""
        gap = self.settings.gap_ms if self.facts.shows_pairs else 0.0
        return Timing(planned["requested_exposure_ms"], self.settings.window_ms, gap)

    def showings(self, planned: Row) -> Showings:
        """Return the showings: one picture, two side by side, or two one after the other."""
        a, b, position = planned["stimulus"], planned["stimulus_b"], planned["position"]
        if b is None:
            return ((a,),)
        both = (a, b) if position in ("left", "first") else (b, a)
        return (both,) if position in ("left", "right") else tuple((stimulus,) for stimulus in both)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """Return the columns of the trial's row that hold the answer; None: no answer in time."""
        columns: Row = {"response": None, "choice": None, "rating": None, "correct": None}
        if self.facts.graded:
            return columns | {"rating": None if answer is None else float(answer)}
        truth = self.truth(planned)
        if truth is not None and answer is not None:
            columns["correct"] = answer == truth
        if not self.facts.shows_pairs:
            return columns | {"response": answer or NO_ANSWER}
        choice = NO_ANSWER if answer is None else "a" if answer == planned["position"] else "b"
        return columns | {"choice": choice}

    def truth(self, planned: Row) -> str | None:
        """Return the correct answer of a trial; None if there is none."""
        return truth_of(self.settings.protocol, planned)


def truth_of(protocol: str, planned: Row) -> str | None:
    """Return the correct answer of a trial: the kind of its picture, or the position of the real one; None if none."""
    facts = PROTOCOLS[protocol]
    if facts.graded or facts.material == "two_models":
        return None
    return str(planned["position"] if facts.shows_pairs else planned["kind"])
