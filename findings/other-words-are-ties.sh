#!/usr/bin/env bash
# Expected: a vote in a word that a ranking does not know is refused, or left out.
# What happens: arena-rank 0.1.1, the package of a well-known leaderboard, counts it as a tie, also a missing one. With "left" and
# "right", or the name of the winner, all models get 1000 points with an interval of no width, for votes that put them at 889 to
# 1092; where three votes in ten are missing, the first and the last model are 147 points apart in place of 203.
# Who meets it: whoever ranks generators from people's choices between two pictures: exports of quizzes have other words.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check numpy==2.3.3 jax==0.8.1 optax==0.2.8 jaxtyping==0.3.11 pandas==3.1.1
# Without its other requirement, which reads data sets from a hub.
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps arena-rank==0.1.1
"$work/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.utils.data_utils import PairDataset

EXPECTED = {"its own words": 203, "left, right": 0, "the winner's name": 0, "30 % missing": 147}
rng = np.random.default_rng(0)
strengths = pd.Series({"photo": 0.6, "one": 0.2, "two": -0.2, "three": -0.6})
first = rng.integers(0, 4, 1000)
second = (first + rng.integers(1, 4, 1000)) % 4
wins = rng.random(1000) < 1 / (1 + np.exp(strengths.iloc[second].to_numpy() - strengths.iloc[first].to_numpy()))
votes = pd.DataFrame({"model_a": strengths.index[first], "model_b": strengths.index[second]})
winners = {
    "its own words": np.where(wins, "model_a", "model_b"),
    "left, right": np.where(wins, "left", "right"),
    "the winner's name": np.where(wins, votes["model_a"], votes["model_b"]),
    "30 % missing": pd.Series(np.where(wins, "model_a", "model_b")).where(rng.random(1000) < 0.7),
}
print("arena-rank", version("arena-rank"))
found = {}
for name, column in winners.items():
    table = PairDataset.from_pandas(votes.assign(winner=column))
    result = BradleyTerry(len(table.competitors)).compute_ratings_and_cis(table)
    columns = [np.asarray(result[key]).round().astype(int) for key in ("ratings", "rating_lower", "rating_upper")]
    found[name] = int(np.ptp(columns[0]))
    rows = zip(result["competitors"], *columns, strict=True)
    print(f"{name}:", ", ".join(f"{model} {rating} [{low}, {high}]" for model, rating, low, high in rows))
sys.exit(None if found == EXPECTED else f"changed: expected {EXPECTED}, found {found}")
PYTHON
