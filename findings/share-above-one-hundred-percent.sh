#!/usr/bin/env bash
# Expected: the interval of a predicted share of answers from a logistic model lies within 0..1, as in R's marginaleffects.
# What happens: marginaleffects 0.6.0 for Python adds 1.96 standard errors on the scale of shares: 0.926 to 1.024 here (39 of 40). The same model's
# own get_prediction (statsmodels) gives an interval within 0..1, and so far from symmetric that a test against 0.9 changes its answer.
# Who meets it: whoever reports shares of correct answers near 100 % by condition.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check marginaleffects==0.6.0 statsmodels==0.15.0 polars==1.44.2 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from marginaleffects import predictions

EXPECTED_UPPER = 1.024
answers = pd.DataFrame({"kind": ["fake"] * 40 + ["real"] * 40, "correct": [1] * 39 + [0] + [1] * 32 + [0] * 8})
answers["kind"] = answers["kind"].astype("category")
model = smf.logit("correct ~ kind", answers).fit(disp=0)
first = predictions(model).row(0, named=True)
own = model.get_prediction(answers[:1]).summary_frame().iloc[0]
print({name: importlib.metadata.version(name) for name in ("marginaleffects", "statsmodels", "polars")})
print(f"39 of 40 fakes found; marginaleffects: {first['estimate']:.3f} [{first['conf_low']:.3f}, {first['conf_high']:.3f}]")
print(f"statsmodels, the same model: {own['predicted']:.3f} [{own['ci_lower']:.3f}, {own['ci_upper']:.3f}]")
sys.exit(None if round(first["conf_high"], 3) == EXPECTED_UPPER else f"changed: expected {EXPECTED_UPPER}")
PYTHON
