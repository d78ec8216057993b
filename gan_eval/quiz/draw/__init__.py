"""The draw of a participant's stimuli and their order, before the first trial."""

from gan_eval.quiz.draw.deal import Dealer, Draw

__all__ = ["Dealer", "Draw"]
