#!/usr/bin/env bash
# Expected: Gwet's AC2 is not Cohen's weighted kappa (its chance agreement is another one), and ordinal alpha is not interval alpha (ranks, not differences).
# What happens: iaa-kit 0.1.2's `ac2` gives the weighted kappa of the same grades, digit for digit, and its ordinal alpha the interval alpha. For two people of whom both
# mostly give the best grade AC2 is 0.82 (irrCAC 0.4.4) and kappa -0.09: the very case for which AC2 was made. Ordinal alpha is 0.70 (krippendorff 0.9.0), not 0.79.
# Who meets it: whoever reports how well people agree on grades of pictures, most of which are good.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check iaa-kit==0.1.2 irrCAC==0.4.4 krippendorff==0.9.0 numpy==1.26.4 pandas==2.3.3 scipy==1.12.0
"$work/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
import iaa_kit
import krippendorff
import numpy
import pandas
from iaa_kit.krippendorff import alpha_value
from irrCAC.raw import CAC

EXPECTED = {"iaa-kit": (-0.09, -0.09, 0.79, 0.79), "others": (0.82, 0.7)}
first, second = [5] * 18 + [4, 3], [5] * 16 + [4, 3, 5, 5]  # grades of 20 pictures, nearly all of them good
people = numpy.array([[1, 2, 3, 3, 2, 1, 4, 1, 2, 5], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5], [3, 3, 3, 3, 2, 3, 4, 2, 2, 5]])
pictures = people.T.tolist()
ours = iaa_kit.ac2(first, second, weight="linear"), iaa_kit.weighted_kappa(first, second, weight="linear")
ours += tuple(alpha_value(pictures, scale) for scale in ("ordinal", "interval"))
gwet = CAC(pandas.DataFrame({"first": first, "second": second}), weights="linear").gwet()["est"]["coefficient_value"]
others = gwet, krippendorff.alpha(reliability_data=people, level_of_measurement="ordinal")
seen = {"iaa-kit": tuple(round(float(value), 2) for value in ours), "others": tuple(round(float(value), 2) for value in others)}
print("iaa-kit", version("iaa-kit"), "irrCAC", version("irrCAC"), "krippendorff", version("krippendorff"))
print("iaa-kit: AC2, weighted kappa, ordinal alpha, interval alpha:", seen["iaa-kit"])
print("irrCAC: AC2; krippendorff: ordinal alpha:", seen["others"])
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
