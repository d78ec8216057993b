#!/usr/bin/env bash
# Expected: of the two outcomes 0 and 1, or Incorrect and Correct, the second is the correct answer, as in every other program.
# What happens: questplus 2023.1 takes the first name of `outcome_domain` for the correct answer, whatever it is called. With
# [0, 1] a person who is always right is given longer and longer exposures up to the end of the range, where his threshold is
# put. No error, and the posterior looks well defined.
# Who meets it: whoever measures how long a picture must be seen before it is told from a photograph, with trials as 0 and 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check questplus==2023.1 xarray==2026.9.0 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")
from questplus import QuestPlus

EXPECTED = {"0 then 1": [50, 1000], "1 then 0": [1000, 50]}
EXPOSURES = np.linspace(50, 1000, 20)


def last_threshold(outcomes, answer):
    quest = QuestPlus(
        stim_domain={"intensity": EXPOSURES},
        param_domain={"threshold": EXPOSURES, "slope": [3.5], "lower_asymptote": [0.5], "lapse_rate": [0.02]},
        outcome_domain={"response": outcomes},
        func="weibull",
        stim_scale="linear",
        stim_selection_method="min_entropy",
        param_estimation_method="mode",
    )
    shown = []
    for _ in range(60):
        shown.append(round(float(quest.next_stim["intensity"])))
        quest.update(stim=quest.next_stim, outcome={"response": answer})
    return round(float(quest.param_estimate["threshold"])), shown


print("questplus", version("questplus"))
found = {}
for name, outcomes in (("0 then 1", [0, 1]), ("1 then 0", [1, 0])):
    values = {answer: last_threshold(outcomes, answer) for answer in (0, 1)}
    found[name] = [values[answer][0] for answer in (0, 1)]
    for answer, (threshold, shown) in values.items():
        print(f"outcomes {outcomes}, 60 answers {answer}: exposures {shown[:6]} ... {shown[-1]} ms, threshold {threshold} ms")
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
