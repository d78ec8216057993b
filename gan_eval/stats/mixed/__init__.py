"""The crossed mixed model: random effects of participants and of stimuli, by maximum likelihood.

Open models.py first: the table; fit.py fits one model.
"""

from gan_eval.stats.mixed.fit import CrossedFit, NoFitError, Spread, Start, fit_crossed

__all__ = ["CrossedFit", "NoFitError", "Spread", "Start", "fit_crossed"]
