#!/usr/bin/env bash
# Expected: of a set of four pictures, the answer "a is best, d is worst" says five things, each once: a over b, c and d, and b and c over d.
# What happens: bwsample 0.7.0 also compares the set with itself, so that "a over d" counts five times, not once. The same answer of two people counts
# 18 times, of ten people 410 times: its shares and ranks are those of the pictures that were shown as the ends of one set again and again.
# Who meets it: whoever ranks generators from best-worst answers by the counts that `count` returns first. Its second table has the answers as given.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check bwsample==0.7.0 numpy==1.26.4 scipy==1.17.1 scikit-learn==1.9.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import bwsample

EXPECTED = {1: (5, 1), 2: (18, 2), 10: (410, 10)}  # people: "a over d" as counted first, and as answered
BEST, WORST, NEITHER = 1, 2, 0
answer = ([BEST, NEITHER, NEITHER, WORST], ["a", "b", "c", "d"])
print("bwsample", version("bwsample"))
seen = {}
for people in EXPECTED:
    counted, answered, *_ = bwsample.count([answer] * people)
    print(people, "people:", {f"{better} over {worse}": number for (better, worse), number in sorted(counted.items())})
    seen[people] = counted["a", "d"], answered["a", "d"]
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}, found {seen}")
PYTHON
