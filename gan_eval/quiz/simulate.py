"""Simulated participants: rehearse a study without people, with the same session and store.

The model (signal detection with log-normal reaction times) and its sources: docs/simulated.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import read_rgb
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.draw.order import generator
from gan_eval.quiz.marks import Mark, MarksReport
from gan_eval.quiz.protocol import OPPOSITE, QuizProtocol
from gan_eval.quiz.remote import ReportedPress, Showing, TrialReport, nanoseconds, replay
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import MILLISECOND, State, Trial
from gan_eval.settings.quiz import QuestionSettings, QuizSettings
from gan_eval.tables.cells import number_of
from gan_eval.tables.frames import Row
from gan_eval.tables.names import BETWEEN_MODELS

STIMULUS_SD = 0.3
"""Standard deviation of the pictures' part of the unit-variance noise."""
DIFFERENCE_SD = 0.6
"""Standard deviation of the part that follows a fake's difference from its real picture, if known."""
PARTICIPANT_SD = 0.15
"""Standard deviation of d' and of the criterion over participants."""
MIN_DIFFERENCE = 0.01
"""Mean squared difference, in levels 0..255, below which a fake counts as equal to its real picture (68 dB)."""
UTILITY_SD = 0.5
"""Standard deviation of how real each model looks, in comparisons of models."""
SEEING_MS = 150.0
"""Exposure after which 63% of the evidence is collected."""
MAX_DISTANCE = 1.5
"""Distance from the criterion up to which grades and levels of confidence have equal steps."""
TYPICAL_MS = 750.0
"""Median reaction time to a picture without evidence, if the response window allows it."""
MAP_CELLS = 32
"""Number of rows and of columns of an error map."""
CENTRE_SD = 0.2
"""Standard deviation of marks without a map, as a share of the sides."""
MARK_MS = 900.0
"""Time of a mark."""
LEFT_OPEN = 0.1
"""Share of optional questions without an answer."""
LIMITS = {"dprime": (-10.0, 10.0), "criterion": (-10.0, 10.0), "lapse": (0.0, 1.0)}
"""Range of each parameter of a simulated participant."""


@dataclass(frozen=True)
class Observer:
    """A simulated participant's parameters."""

    dprime: float = 1.0
    """Distance between the means of fakes and reals, in standard deviations."""
    criterion: float = 0.0
    """Above 0: a bias to `real` and to high grades. It has no effect on pairs."""
    lapse: float = 0.02
    """Share of inattentive trials: half of them go unanswered if the window closes, the others are guesses."""


def parse_observer(spec: str) -> Observer:
    """Read `default` or `dprime=1.2,criterion=0.1,lapse=0.02`; other parameters keep their defaults.

    Raises:
        UserError: a name is unknown or repeated, or a value is out of range.

    >>> parse_observer("dprime=1.2")
    Observer(dprime=1.2, criterion=0.0, lapse=0.02)
    """
    values: dict[str, float] = {}
    for part in [] if spec.strip() == "default" else spec.split(","):
        name, _, text = (word.strip() for word in part.partition("="))
        where = f"--simulate {spec}: found {part.strip()!r}"
        if name not in LIMITS or name in values:
            raise UserError(f"{where}, expected default or dprime=X,criterion=X,lapse=X")
        low, high = LIMITS[name]
        try:
            values[name] = number_of(text)
        except ValueError:
            values[name] = nan
        if not low <= values[name] <= high:
            raise UserError(f"{where}, expected a number from {low:g} to {high:g}")
    return Observer(**values)


class RealDifferences(NamedTuple):
    """Differences of fakes from their real pictures, by stimulus: standardised distances, and shares of the squared
    difference in each of `MAP_CELLS` × `MAP_CELLS` cells (equal pictures have none)."""

    distance: Mapping[str, float]
    maps: Mapping[str, np.ndarray]


def differences_from_real(stimulus_sets: Sequence[StimulusSet]) -> RealDifferences:
    """Return how each fake of the sets differs from its real picture.

    The distance is the log of the mean squared difference (-PSNR / 10). A fake without a readable real picture
    (`reference_file`) of its size has none. There are no distances if all are equal.
    """
    logs, maps = dict[str, float](), dict[str, np.ndarray]()
    for stimuli in stimulus_sets:
        for row in stimuli.rows:
            fake, real = stimuli.path(row), stimuli.path(row, "reference_file")
            if row["kind"] != "fake" or fake is None or real is None:
                continue
            squared = _squared_difference(fake, real)
            if squared is not None:
                logs[row["stimulus"]] = float(np.log10(max(squared.mean(), MIN_DIFFERENCE)))
                for axis, length in enumerate(squared.shape):
                    squared = np.add.reduceat(squared, np.arange(MAP_CELLS) * length // MAP_CELLS, axis=axis)
                if squared.any():
                    maps[row["stimulus"]] = squared / squared.sum()
    mean, spread = (float(of([*logs.values()])) if logs else 0.0 for of in (np.mean, np.std))
    distance = {name: (value - mean) / spread for name, value in logs.items()} if spread > 1e-9 else {}
    return RealDifferences(distance, maps)


def _squared_difference(fake: Path, real: Path) -> np.ndarray | None:
    """Return (H, W), the squared difference of two pictures, mean over the channels; None if they do not compare."""
    try:
        a, b = read_rgb(fake), read_rgb(real)
    except UserError:  # the session itself refuses broken pictures that are dealt
        return None
    return np.mean((a.astype(np.float64) - b) ** 2, axis=2) if a.shape == b.shape else None


@dataclass(frozen=True)
class Judgement:
    """A simulated answer."""

    answer: str
    reaction_ms: float
    """Reaction time from the last onset."""
    distance: float
    """Distance of the evidence from the criterion, or between two pictures, in standard deviations."""

    def confidence(self, levels: int) -> int:
        """Return a level from 1 to `levels`, higher with more distance from the criterion."""
        return 1 + int(np.searchsorted(np.linspace(0, MAX_DISTANCE, levels + 1)[1:-1], self.distance))


class SimulatedParticipant:
    """A simulated participant; the same seed, name and stimuli give the same answers."""

    def __init__(
        self, observer: Observer, *, seed: int, participant: str, differences: RealDifferences | None = None
    ) -> None:
        """Draw the participant's own d' and criterion."""
        self._observer = observer
        self._differences, self._maps = differences or RealDifferences({}, {})
        self._seed = seed
        person = generator(seed, "participant", participant)
        self._dprime = observer.dprime + PARTICIPANT_SD * person.standard_normal()
        self._criterion = observer.criterion + PARTICIPANT_SD * person.standard_normal()
        self._participant = participant

    def answer(self, question: QuestionSettings) -> str | None:
        """Answer one of the study's questions; None leaves an optional one open. A free text is an age."""
        draw = generator(self._seed, "question", self._participant, question.id)
        if not question.required and draw.random() < LEFT_OPEN:
            return None
        if question.choices:
            return question.choices[int(draw.integers(len(question.choices)))]
        return str(draw.integers(18, 80))

    def judge(self, trial: Trial, answers: Collection[str]) -> Judgement | None:
        """Judge a trial with one of these answers; None: no answer in time."""
        planned, timing = trial.planned, trial.timing
        noise = generator(self._seed, "trial", self._participant, planned["stimulus"], planned["stimulus_b"] or "")
        requested_ms, window_ms = timing.requested_exposure_ms, timing.response_ms
        taken_up = 1.0 if requested_ms is None else 1 - float(np.exp(-requested_ms / SEEING_MS))
        distance = self._distance(planned, taken_up, noise)
        typical = TYPICAL_MS if window_ms is None else min(TYPICAL_MS, 0.4 * window_ms)
        reaction_ms = typical * np.exp(0.3 * noise.standard_normal() - 0.25 * np.tanh(abs(distance)))
        if noise.random() < self._observer.lapse:
            if noise.random() < 0.5 and window_ms is not None:
                return None
            distance = noise.standard_normal()
        if window_ms is not None and reaction_ms > window_ms:
            return None
        return Judgement(_answer_of(distance, planned, answers), float(reaction_ms), abs(distance))

    def _distance(self, planned: Row, taken_up: float, noise: np.random.Generator) -> float:
        """Return how much faker a picture looks than the criterion, or picture b than picture a."""
        dprime, evidence_a = self._dprime * taken_up, self._noise_of(planned["stimulus"], noise)
        if planned["stimulus_b"] is None:
            return evidence_a + (dprime / 2 if planned["kind"] == "fake" else -dprime / 2) - self._criterion
        model_a, between, model_b = planned["model"].partition(BETWEEN_MODELS)
        mean = dprime
        if between:
            has_difference = {planned["stimulus"], planned["stimulus_b"]} <= self._differences.keys()
            mean = 0.0 if has_difference else taken_up * (self._utility(model_a) - self._utility(model_b))
        return mean + self._noise_of(planned["stimulus_b"], noise) - evidence_a

    def mark(self, trial: int, stimulus: str, limit: int) -> MarksReport:
        """Mark where the error map is high (without one: near the centre, or nothing); in a lapse, anywhere."""
        draw = generator(self._seed, "marks", self._participant, stimulus)
        errors, marks = self._maps.get(stimulus), list[Mark]()
        if errors is None and draw.random() < 0.5:
            return MarksReport(trial=trial, nothing_ms=MARK_MS)
        for number in range(1, int(draw.integers(1, limit + 1)) + 1):
            if draw.random() < self._observer.lapse:
                x, y = draw.random(2)
            elif errors is None:
                x, y = np.clip(0.5 + CENTRE_SD * draw.standard_normal(2), 0, 1)
            else:
                row, column = divmod(int(draw.choice(errors.size, p=errors.ravel())), MAP_CELLS)
                x, y = (np.array([column, row]) + draw.random(2)) / MAP_CELLS
            marks.append(Mark(x=float(x), y=float(y), at_ms=number * MARK_MS))
        return MarksReport(trial=trial, marks=tuple(marks))

    def _noise_of(self, stimulus: str, noise: np.random.Generator) -> float:
        """Return noise of unit variance: the part of the picture plus the part of the trial."""
        picture = STIMULUS_SD * generator(self._seed, "stimulus", stimulus).standard_normal()
        share = STIMULUS_SD**2
        if stimulus in self._differences:
            picture += DIFFERENCE_SD * self._differences[stimulus]
            share += DIFFERENCE_SD**2
        return float(picture + np.sqrt(1 - share) * noise.standard_normal())

    def _utility(self, model: str) -> float:
        return float(UTILITY_SD * generator(self._seed, "model", model).standard_normal())


def take_part(session: Session, person: SimulatedParticipant, clock: VirtualClock, settings: QuizSettings) -> None:
    """Run a session to its end, on a virtual clock."""
    if session.state is State.NEW:
        session.row["presenter"] = "simulated"
        session.begin(None, answers={question.id: person.answer(question) for question in settings.questions})
    while (state := session.wait()) is not State.OVER:
        if state is State.FAILED:
            assert session.error is not None
            raise session.error
        if state is State.MARKING:
            assert session.to_mark is not None
            marks = person.mark(session.done[-1]["trial"], session.to_mark, settings.marks)
            clock.advance_to(clock.monotonic() + nanoseconds(max(marks.nothing_ms or 0, len(marks.marks) * MARK_MS)))
            session.mark(marks)
            continue
        judgement = person.judge(session.trial, session.protocol.answers.values())
        begins = clock.monotonic() + nanoseconds(settings.blank_ms)
        report = simulated_report(session.trial, judgement, session.protocol, begins=begins)
        clock.advance_to(nanoseconds(report.sent_ms))
        replay(session, report)


def simulated_report(trial: Trial, judgement: Judgement | None, protocol: QuizProtocol, *, begins: int) -> TrialReport:
    """Return the report of a trial by a presenter without delays.

    Args:
        trial: before its first onset, with its planned times.
        judgement: the answer; None: no answer in time.
        protocol: the session's protocol.
        begins: moment of the first onset, in nanoseconds.
    """
    onset, shown, presses = begins, [], []
    for _ in range(trial.showings - 1):
        assert trial.planned_exposure_ms is not None, "two pictures one after the other have a fixed exposure"
        vanished = onset + nanoseconds(trial.planned_exposure_ms)
        shown.append((onset, vanished))
        onset = vanished + nanoseconds(trial.planned_gap_ms)
    if judgement is None:
        assert trial.timing.response_ms is not None
        ended = onset + nanoseconds(trial.timing.response_ms)
    else:
        ended = onset + nanoseconds(judgement.reaction_ms)
        key = next(key for key, answer in protocol.answers.items() if answer == judgement.answer)
        presses.append(ReportedPress(key=key, at_ms=ended / MILLISECOND))
    vanished = ended if trial.planned_exposure_ms is None else onset + nanoseconds(trial.planned_exposure_ms)
    shown.append((onset, vanished))
    confidence, sent = None, max(ended, vanished)
    if protocol.settings.confidence and judgement is not None:
        confidence = judgement.confidence(protocol.settings.confidence)
        sent += nanoseconds(TYPICAL_MS)
    return TrialReport(
        trial=trial.planned["trial"],
        showings=tuple(Showing(onset_ms=on / MILLISECOND, offset_ms=off / MILLISECOND) for on, off in shown),
        presses=tuple(presses),
        confidence=confidence,
        sent_ms=sent / MILLISECOND,
    )


def _answer_of(distance: float, planned: Row, answers: Collection[str]) -> str:
    """Return the answer to how much faker the picture looks than the criterion, or picture b than picture a."""
    if planned["stimulus_b"] is not None:
        return str(planned["position"] if distance > 0 else OPPOSITE[planned["position"]])
    if "fake" in answers:
        return "fake" if distance > 0 else "real"
    cuts = np.linspace(-MAX_DISTANCE, MAX_DISTANCE, len(answers) + 1)[1:-1]  # between grades
    return sorted(answers)[int(np.searchsorted(cuts, -distance))]
