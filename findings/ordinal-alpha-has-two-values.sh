#!/usr/bin/env bash
# Expected: Krippendorff's alpha with ordinal weights is one number, whichever package computes it (nominal, interval and ratio are).
# What happens: irrCAC 0.4.4 uses Gwet's ordinal weights, which know only how many grades there are; Krippendorff's use how often each was
# given. Here 0.457 and krippendorff 0.9.0's 0.498. With one missing answer irrCAC's linear and quadratic alpha are NaN.
# Who meets it: whoever reports the agreement of 1-to-5 grades of pictures and lets a reviewer recompute it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check irrCAC==0.4.4 krippendorff==0.9.0 scipy==1.12.0 pandas==2.3.3 numpy==1.26.4
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys
import warnings

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC

EXPECTED = {"identity": (0.140, 0.140), "ordinal": (0.457, 0.498), "quadratic": (0.498, 0.498)}
LEVELS = {"identity": "nominal", "ordinal": "ordinal", "quadratic": "interval"}
warnings.simplefilter("ignore")
rng = np.random.default_rng(1)
grades = pd.DataFrame(rng.integers(1, 6, (30, 4)).astype(float))
for picture in range(30):
    if rng.random() < 0.7:
        grades.iloc[picture, 1:] = (grades.iloc[picture, 0] + rng.integers(-1, 2, 3)).clip(1, 5)
one_missing = grades.copy()
one_missing.iloc[3, 2] = np.nan


def irrcac(table, weights):
    return round(float(CAC(table, weights=weights).krippendorff()["est"]["coefficient_value"]), 3)


print({name: importlib.metadata.version(name) for name in ("irrCAC", "krippendorff")})
seen = {}
for weights, level in LEVELS.items():
    other = round(float(krippendorff.alpha(reliability_data=grades.to_numpy().T, level_of_measurement=level)), 3)
    seen[weights] = (irrcac(grades, weights), other)
    print(f"{weights}: irrCAC {seen[weights][0]}, krippendorff ({level}) {other}; irrCAC with one missing answer {irrcac(one_missing, weights)}")
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
