"""The crossed mixed model: random effects of participants and of stimuli, by maximum likelihood."""

from gan_eval.stats.mixed.fit import CrossedFit, NoFitError, Spread, Start, fit_crossed

__all__ = ["CrossedFit", "NoFitError", "Spread", "Start", "fit_crossed"]
