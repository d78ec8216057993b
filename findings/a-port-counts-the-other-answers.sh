#!/usr/bin/env bash
# Expected: senspy is a port of R's sensR, whose AnotA(10, 20, 3, 20) has a d′ of 1.04 in its manual: 10 of 20 signals and 3 of 20 others were called "A".
# What happens: the same four numbers have a d′ of -1.04 and a p of 0.997 in senspy 0.2.0, whose third number counts the others that were not called
# "A". Its second function for this, `sdt`, counts as sensR does. No number is refused in either meaning.
# Who meets it: whoever takes "fake" answers to fakes and to real pictures over from a script in R, as hits and false alarms.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check senspy==0.2.0 numpy==2.3.5 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import senspy

EXPECTED = {"anota": (-1.04, 0.997), "sdt": 1.04, "sensR's manual": (1.04, 0.020)}
hits, signals, false_alarms, others = 10, 20, 3, 20
found = senspy.anota(hits, signals, false_alarms, others)
table = [[others - false_alarms, false_alarms], [signals - hits, hits]]  # others, signals; not "A", "A"
seen = {
    "anota": (round(float(found.d_prime), 2), round(float(found.p_value), 3)),
    "sdt": round(float(senspy.sdt(table)[0][-1]), 2),
}
turned = senspy.anota(hits, signals, others - false_alarms, others)
seen["sensR's manual"] = (round(float(turned.d_prime), 2), round(float(turned.p_value), 3))
print("senspy", version("senspy"))
print(f"{hits} of {signals} signals and {false_alarms} of {others} others called A")
print("anota(10, 20, 3, 20): d′ and p", seen["anota"])
print("sdt of the table: d′", seen["sdt"])
print("anota(10, 20, 20 - 3, 20): d′ and p", seen["sensR's manual"])
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
