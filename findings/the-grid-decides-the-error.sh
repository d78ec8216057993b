#!/usr/bin/env bash
# Expected: with a uniform prior the standard error "with a uniform prior" is the standard error of the posterior, whatever the grid.
# What happens: pypalamedes 1.11.13 (the Palamedes toolbox in Python) takes the root before it divides: `se_a_uniform_prior` is `se_a`
# over the square root of the number of grid points. The finer the grid, the smaller: 18, 36 or 70 times too small here.
# Who meets it: whoever starts each person's exposures from a prior of earlier people, and wants an error that does not depend on it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 matplotlib==3.11.2
# Without its other requirement, a window toolkit, which the adaptive method does not use.
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps pypalamedes==1.11.13
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from pypalamedes import ampm, logistic

EXPECTED = {(31, 11): 18.5, (61, 21): 35.8, (121, 41): 70.4}


def errors(thresholds, slopes):
    """The two standard errors of the threshold (log10 of ms) after 60 answers."""
    answers = np.random.default_rng(1)
    state = ampm.setup_pm(
        *("prior_alpha_range", np.linspace(1.5, 3, thresholds), "prior_log_beta_range", np.linspace(-0.5, 1.5, slopes)),
        *("prior_gamma_range", np.array([0.5]), "prior_lambda_range", np.array([0.02])),
        *("stim_range", np.linspace(1.5, 3, 31), "num_trials", 60, "pf", "logistic"),
    )
    while not state["stop"]:
        chance = logistic([2.3, 8, 0.5, 0.02], state["x_current"]).item()
        state = ampm.update_pm(state, int(answers.random() < chance))
    return [float(state["summ_stats"][name][-1]) for name in ("se_a", "se_a_uniform_prior")]


print("pypalamedes", version("pypalamedes"))
found = {}
for thresholds, slopes in EXPECTED:
    usual, uniform = errors(thresholds, slopes)
    found[thresholds, slopes] = round(usual / uniform, 1)
    root = (thresholds * slopes) ** 0.5
    print(f"grid of {thresholds} x {slopes}: se_a {usual:.3f}, se_a_uniform_prior {uniform:.4f}, ratio {usual / uniform:.1f}, root of grid points {root:.1f}")
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
