"""The draw of a participant's stimuli and their order, before the first trial.

Open deal.py first: it deals a participant's list; the other modules are its steps.
"""

from gan_eval.quiz.draw.deal import Dealer, Draw

__all__ = ["Dealer", "Draw"]
