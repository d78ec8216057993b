"""Two pictures of one item, side by side or one after the other: real against fake, or model against model."""

from collections.abc import Mapping
from typing import ClassVar

from gan_eval.quiz.protocols.interface import NO_ANSWER, QuizProtocol, Showings, Timing, TrialMaterial, judged
from gan_eval.tables.frames import Row

OPPOSITE: Mapping[str, str] = {"left": "right", "right": "left", "first": "second", "second": "first"}
"""Where, or when, the other picture of a pair is."""


class Paired(QuizProtocol):
    """Which of the two is real? a, the plan's `stimulus`, is the real picture; b, its `stimulus_b`, a fake of the item.

    The plan's `position` says where a is: left or right, first or second. It was dealt as often one way as the other,
    so that a participant who always presses one key is right half of the time. After the test of pix2pix (Isola et al.
    2017, section 4.1; the programs of its authors are called AMT Real vs Fake).
    """

    name = "paired"
    material: ClassVar[TrialMaterial] = "real_and_fake"
    question = "question_pair"
    in_brief = "the real and a generated picture of one item, which is real"
    methods = "Participants saw the real and a generated picture of one item and chose the real one"

    def task(self) -> str:
        """By layout."""
        return f"task_pair_{self.settings.layout}"

    def showings(self, planned: Row) -> Showings:
        """Both pictures at once from left to right, or one and then the other."""
        a, b, position = planned["stimulus"], planned["stimulus_b"], planned["position"]
        both = (a, b) if position in ("left", "first") else (b, a)
        return (both,) if position in ("left", "right") else tuple((stimulus,) for stimulus in both)

    def timing(self, planned: Row) -> Timing:
        """The plan's exposure for each showing, the gap between two, and the settings' response window."""
        return Timing(planned["requested_exposure_ms"], self.settings.window_ms, self.settings.gap_ms)

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The picture at the place that was named was chosen; right is the real one."""
        choice = choice_of(planned, answer)
        return judged(choice=choice, correct=None if answer is None else choice == "a")

    @staticmethod
    def truth(planned: Row) -> str | None:
        """Where the real picture is."""
        return str(planned["position"])


class ModelVsModel(Paired):
    """Which looks more real? a and b are the outputs of two models in the order of their names, and neither is right.

    The choices are what the models of Bradley & Terry (1952) and Thurstone (1927, case V) are estimated from.
    """

    name = "model_vs_model"
    material = "two_models"
    title = "welcome_title_models"
    question = "question_models"
    in_brief = "two models' pictures of one item, which looks more real"
    methods = "Participants saw two models' pictures of one item and chose the one that looked more real"

    def task(self) -> str:
        """By layout."""
        return f"task_models_{self.settings.layout}"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The picture that looks more real; there is no right or wrong."""
        return judged(choice=choice_of(planned, answer))

    @staticmethod
    def truth(planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None


def choice_of(planned: Row, answer: str | None) -> str:
    """The picture of the pair that an answer names: a, b, or none.

    >>> choice_of({"position": "left"}, "right")
    'b'
    """
    if answer is None:
        return NO_ANSWER
    return "a" if answer == planned["position"] else "b"
