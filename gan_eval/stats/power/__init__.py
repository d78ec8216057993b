"""Power before the study: simulate its design and analyse each simulated study as planned.

Open `planning.py` first; `gan_eval.study.power` deals the design.
"""

from gan_eval.stats.power.planning import PowerPlan, simulate_power

__all__ = ["PowerPlan", "simulate_power"]
