"""Real against fake: two versions of one item, side by side or one after the other; which one is real?

After the test of pix2pix (Isola et al. 2017, section 4.1; the programs of its authors are called AMT Real vs Fake).

Model against model: two models' outputs for one item; which one looks more real?

The choices are what the models of Bradley & Terry (1952) and Thurstone (1927, case V) are estimated from.
"""

from collections.abc import Mapping, Sequence

from gan_eval.quiz.protocols.interface import NO_ANSWER, Showings, Timing, answers_of, first_undone, judged
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

OPPOSITE: Mapping[str, str] = {"left": "right", "right": "left", "first": "second", "second": "first"}
"""Where, or when, the other picture of a pair is."""


class Paired:
    """The real picture (a, the plan's `stimulus`) and a fake of the same item (b, its `stimulus_b`).

    The plan's `position` says where a is: left or right, first or second. It was dealt as often one way as the other,
    so that a participant who always presses one key is right half of the time.
    """

    name = "paired"

    def __init__(self, settings: QuizSettings, *, list_number: int = 1) -> None:
        self._window_ms = settings.window_ms
        self._gap_ms = settings.gap_ms
        self.answers: Mapping[str, str] = answers_of(settings, list_number)

    def next_trial(self, plan: Sequence[Row], done: Sequence[Row]) -> Row | None:
        """The plan in its order."""
        return first_undone(plan, done)

    def showings(self, planned: Row) -> Showings:
        """Both pictures at once from left to right, or one and then the other."""
        a, b, position = planned["stimulus"], planned["stimulus_b"], planned["position"]
        both = (a, b) if position in ("left", "first") else (b, a)
        return (both,) if position in ("left", "right") else tuple((each,) for each in both)

    def timing(self, planned: Row) -> Timing:
        """The plan's exposure for each showing, the gap between two, and the settings' response window."""
        return Timing(planned["requested_exposure_ms"], self._window_ms, self._gap_ms)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The picture at the place that was named was chosen; right is the real one."""
        choice = chosen(planned, answer)
        return judged(choice=choice, correct=None if answer is None else choice == "a")

    def truth(self, planned: Row) -> str | None:
        """Where the real picture is."""
        return str(planned["position"])


def chosen(planned: Row, answer: str | None) -> str:
    """The picture of the pair that an answer names: a, b, or none.

    >>> chosen({"position": "left"}, "right")
    'b'
    """
    if answer is None:
        return NO_ANSWER
    return "a" if answer == planned["position"] else "b"


class ModelVsModel(Paired):
    """Shown as in `Paired`; a and b are the outputs of two models in the order of their names, and neither is right."""

    name = "model_vs_model"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The picture that looks more real; there is no right or wrong."""
        return judged(choice=chosen(planned, answer))

    def truth(self, planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None
