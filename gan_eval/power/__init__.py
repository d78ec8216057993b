"""Power before the study: simulate its design and analyse each simulated study as planned.

Open `planning.py` first.
"""

from gan_eval.power.design import planned_stimuli, versions_of
from gan_eval.power.planning import PowerPlan, plan_power

__all__ = ["PowerPlan", "plan_power", "planned_stimuli", "versions_of"]
