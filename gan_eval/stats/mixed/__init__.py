"""The crossed mixed model: random effects of participants and of stimuli, by maximum likelihood."""

from gan_eval.stats.mixed.fit import CrossedFit, Start, fit_crossed, fit_without, likelihood_ratio
from gan_eval.stats.mixed.limits import NoFitError

__all__ = ["CrossedFit", "NoFitError", "Start", "fit_crossed", "fit_without", "likelihood_ratio"]
