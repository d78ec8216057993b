"""The draw: which stimuli one participant sees, in which order; dealt before the first trial."""

from gan_eval.quiz.draw.deal import Dealer, Draw

__all__ = ["Dealer", "Draw"]
