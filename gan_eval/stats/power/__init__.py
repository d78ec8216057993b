"""Power before the study: what its very design would find, simulated through the analysis that will be made."""

from gan_eval.stats.power.design import planned_stimuli, versions_of
from gan_eval.stats.power.planning import PowerPlan, plan_power

__all__ = ["PowerPlan", "plan_power", "planned_stimuli", "versions_of"]
