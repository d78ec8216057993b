#!/usr/bin/env bash
# Expected: with as many votes for "real" as for "fake" a majority vote is undecided, or drawn by chance; two raters who never agree are alike.
# What happens: crowd-kit 1.4.2 gives every tie to the answer that stands first in the file, and then takes the result for the truth:
# of two raters who always differ, the one in the first row has a skill of 1.0, the other 0.0. Exchanging two rows exchanges the skills.
# Who meets it: whoever screens raters of pictures by agreement with the majority, with an even number of raters.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check crowd-kit==1.4.2 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1 scipy==1.17.1
"$work/venv/bin/python" - <<'PYTHON'
import importlib.metadata
import sys

import pandas as pd
from crowdkit.aggregation import MajorityVote

EXPECTED = {"ann": {"ann": 1.0, "bob": 0.0}, "bob": {"ann": 0.0, "bob": 1.0}}
ANSWERS = {"ann": "real", "bob": "fake"}


def skills(first):
    raters = sorted(ANSWERS, key=lambda rater: rater != first)
    rows = [(f"picture{n:02}", rater, ANSWERS[rater]) for n in range(20) for rater in raters]
    vote = MajorityVote()
    labels = vote.fit_predict(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    print(f"{first} first: majority {labels.value_counts().to_dict()}, skills {vote.skills_.to_dict()}")
    return vote.skills_.to_dict()


print("crowd-kit", importlib.metadata.version("crowd-kit"))
print("20 pictures; ann always answers real, bob always fake")
seen = {first: skills(first) for first in EXPECTED}
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
