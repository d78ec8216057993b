"""Model against model: two models' outputs for one item; which one looks more real?

The choices are what the models of Bradley & Terry (1952) and Thurstone (1927, case V) are estimated from.
"""

from gan_eval.quiz.protocols.interface import judged
from gan_eval.quiz.protocols.paired import Paired, chosen
from gan_eval.tabular import Row


class ModelVsModel(Paired):
    """Shown as in `Paired`; a and b are the outputs of two models in the order of their names, and neither is right."""

    name = "model_vs_model"

    def judge(self, planned: Row, answer: str | None) -> Row:
        """The picture that looks more real; there is no right or wrong."""
        return judged(choice=chosen(planned, answer))

    def truth(self, planned: Row) -> str | None:
        """Nothing to tell in practice."""
        return None
