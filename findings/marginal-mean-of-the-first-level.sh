#!/usr/bin/env bash
# Expected: a marginal mean averages over the levels of the other factors (R's emmeans, which the function says it mirrors: equal weights).
# What happens: emmeans of interlace-lme 0.3.2 gives the mean at the alphabetically first level of every other factor, also where
# `at` asks for another one: rename a data set, and the "marginal" mean of a kind of picture moves by the whole difference.
# Who meets it: whoever compares real and generated pictures over several data sets without R.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check interlace-lme==0.3.2 numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 statsmodels==0.15.0 formulaic==1.2.2
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
import interlace

EXPECTED = {"street": 3.0, "avenue": 2.0, "at street": 3.0}  # true means: house 3, street (or avenue) 2; equal weights 2.5


def marginal_mean(other, at=None):
    rng = np.random.default_rng(0)
    rows = [(f"p{p:02}", kind, place) for p in range(20) for kind in ("real", "fake") for place in [other] * 12 + ["house"] * 8]
    answers = pd.DataFrame(rows, columns=["person", "kind", "place"])
    answers["seconds"] = np.where(answers["place"] == "house", 3.0, 2.0) + rng.normal(0, 0.1, len(answers))
    model = interlace.fit("seconds ~ kind + place", data=answers, groups="person")
    return float(interlace.emmeans(model, specs="kind", at=at).set_index("kind").loc["real", "estimate"])


seen = {
    "street": marginal_mean("street"),
    "avenue": marginal_mean("avenue"),
    "at street": marginal_mean("street", {"place": "street"}),
}
print("interlace-lme", importlib.metadata.version("interlace-lme"))
print("real pictures take 3 s in data set 'house' and 2 s in the other one; with equal weights 2.5 s, with the rows' weights 2.4 s")
print(f"the other one is called 'street': {seen['street']:.2f}; 'avenue': {seen['avenue']:.2f}; asked for 'street': {seen['at street']:.2f}")
same = all(abs(seen[case] - mean) < 0.05 for case, mean in EXPECTED.items())
sys.exit(None if same else f"changed: expected {EXPECTED}")
PYTHON
