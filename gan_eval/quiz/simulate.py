"""Simulated participants: a rehearsal of a study without a person, through the same session and store.

Judgements follow equal-variance signal detection (Macmillan & Creelman 2005, ch. 1-2) with fakes as the signal: the
evidence of a picture is +d'/2 for a fake and -d'/2 for a real one, plus noise of unit variance, part of which belongs
to the picture (a good fake fools everybody) and is the same for all participants. Evidence above the participant's
criterion is called fake. Reaction times are log-normal and longer for weak evidence.
"""

from dataclasses import dataclass

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.session import Session, State
from gan_eval.quiz.trial import MILLISECOND, Trial
from gan_eval.study import QuizSettings

PRESENTER = "simulated"
STIMULUS_SD = 0.3
"""Standard deviation of the pictures' share of the unit-variance noise."""
PARTICIPANT_SD = 0.15
"""Standard deviation of d' and of the criterion over participants."""


@dataclass(frozen=True)
class Observer:
    """A simulated participant's parameters."""

    dprime: float = 1.0
    """Distance between the means of fakes and reals, in standard deviations."""
    criterion: float = 0.0
    """Above 0: leans to `real`."""
    lapse: float = 0.02
    """Share of trials without attention: half of them go unanswered, half are guessed."""


def parse_observer(spec: str) -> Observer:
    """Read `default` or `dprime=1.2,criterion=0.1,lapse=0.02`; what is not named keeps its default.

    Raises:
        UserError: an unknown name, or a value out of range.

    >>> parse_observer("dprime=1.2")
    Observer(dprime=1.2, criterion=0.0, lapse=0.02)
    """
    limits = {"dprime": (-10.0, 10.0), "criterion": (-10.0, 10.0), "lapse": (0.0, 1.0)}
    values: dict[str, float] = {}
    for part in [] if spec.strip() == "default" else spec.split(","):
        name, equals, text = (word.strip() for word in part.partition("="))
        where = f"--simulate {spec}"
        if not equals or name not in limits:
            raise UserError(f"{where}: found {part.strip()!r}, wanted default or dprime=X,criterion=X,lapse=X")
        if name in values:
            raise UserError(f"{where}: {name} stands twice")
        try:
            values[name] = float(text)
        except ValueError as error:
            raise UserError(f"{where}: {name}: found {text!r}, wanted a number") from error
        low, high = limits[name]
        if not low <= values[name] <= high:
            raise UserError(f"{where}: {name}: found {text}, wanted a number from {low:g} to {high:g}")
    return Observer(**values)


class SimulatedParticipant:
    """One simulated participant: the same seed, name and stimulus give the same answer."""

    def __init__(self, observer: Observer, *, seed: int, participant: str) -> None:
        self._observer = observer
        self._seed = seed
        person = _generator(seed, "participant", participant)
        self._dprime = observer.dprime + PARTICIPANT_SD * person.standard_normal()
        self._criterion = observer.criterion + PARTICIPANT_SD * person.standard_normal()
        self._participant = participant

    def judge(self, trial: Trial) -> tuple[str, float] | None:
        """The answer to a picture and the reaction time in ms; None: no answer in time."""
        stimulus = trial.planned["stimulus"]
        noise = _generator(self._seed, "trial", self._participant, stimulus)
        effect = _generator(self._seed, "stimulus", stimulus).standard_normal()
        mean = self._dprime / 2 if trial.planned["kind"] == "fake" else -self._dprime / 2
        own_sd = np.sqrt(1 - STIMULUS_SD**2)
        evidence = mean + STIMULUS_SD * effect + own_sd * noise.standard_normal() - self._criterion
        typical = min(750.0, 0.4 * trial.timing.response_ms)
        reaction_ms = typical * np.exp(0.3 * noise.standard_normal() - 0.25 * np.tanh(abs(evidence)))
        if noise.random() < self._observer.lapse:
            if noise.random() < 0.5:
                return None
            evidence = noise.standard_normal()
        if reaction_ms > trial.timing.response_ms:
            return None
        return ("fake" if evidence > 0 else "real"), float(reaction_ms)


def take_part(session: Session, person: SimulatedParticipant, clock: VirtualClock, settings: QuizSettings) -> None:
    """Run a session that has begun to its end, on a virtual clock.

    Raises:
        UserError: the store cannot be written; what was answered before is in it.
    """
    keys = {answer: key for key, answer in session.protocol.answers.items()}
    while (state := session.wait()) is not State.OVER:
        if state is State.FAILED:
            assert session.error is not None
            raise session.error
        _one_trial(session, person, clock, keys, blank=round(settings.blank_ms * MILLISECOND))


def _one_trial(
    session: Session, person: SimulatedParticipant, clock: VirtualClock, keys: dict[str, str], *, blank: int
) -> None:
    trial = session.trial
    judged = person.judge(trial)
    clock.advance_to(clock.monotonic() + blank)
    onset = clock.monotonic()
    session.onset(onset)
    pressed = None if judged is None else onset + round(judged[1] * MILLISECOND)
    until_answer = trial.timing.flash_ms is None and pressed is not None
    vanishes = pressed if until_answer and pressed is not None else trial.vanish_due
    if judged is not None and pressed is not None:
        clock.advance_to(pressed)
        session.press(keys[judged[0]], pressed)
    clock.advance_to(vanishes if pressed is not None else trial.close_due)
    session.offset(vanishes)
    session.close()


def _generator(seed: int, *words: str) -> np.random.Generator:
    return np.random.default_rng([seed, int(sha256_bytes("\0".join(words).encode())[:16], 16)])
