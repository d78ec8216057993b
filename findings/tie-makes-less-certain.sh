#!/usr/bin/env bash
# Expected: every result that a rating system sees makes it more certain of both players, and draw_probability=0 means that ties are unusual.
# What happens: trueskill 0.4.5 accepts a tie with draw_probability=0 (the setting of a forced choice) and then knows less than before it:
# sigma of two new players rises from 8.33 to 9.59, and to 20.6 after ten ties. With 0.01 the same ties lower it to 2.2.
# Who meets it: whoever rates generators from forced choices with a few "no preference" rows in the file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check trueskill==0.4.5 six==1.17.0
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import trueskill

EXPECTED = {0.0: 9.59, 0.01: 6.46}


def sigma(draw_probability, ties):
    system = trueskill.TrueSkill(draw_probability=draw_probability)
    a, b = system.create_rating(), system.create_rating()
    for _ in range(ties):
        a, b = trueskill.rate_1vs1(a, b, drawn=True, env=system)
    return round(a.sigma, 2)


print("trueskill", importlib.metadata.version("trueskill"))
for probability in EXPECTED:
    print(f"draw_probability {probability}: sigma at first {sigma(probability, 0)}, after 1 tie {sigma(probability, 1)}, after 10 {sigma(probability, 10)}")
seen = {probability: sigma(probability, 1) for probability in EXPECTED}
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
