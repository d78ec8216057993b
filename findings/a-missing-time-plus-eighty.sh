#!/usr/bin/env bash
# Expected: reaction times of which a constant delay is added or taken away: a missing one stays missing.
# What happens: an empty cell of datamatrix 1.0.20 (OpenSesame's tables) plus 80 is the text '80', which a saved and read table has as a number: the missed
# picture was then answered after 80 ms, and the mean falls from 780 to 605 ms. Minus and times keep the cell empty, and a cell of NaN stays NaN.
# Who meets it: whoever corrects the times of a study for the display's or keyboard's delay before the analysis.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check datamatrix==1.0.20 numpy==2.4.6 scipy==1.17.1 fastnumbers==5.2.0
"$work/venv/bin/python" - "$work" <<'PYTHON'
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
import datamatrix
from datamatrix import io

EXPECTED = {"corrected": [580, "80", 780, 980], "read again": [580, 80, 780, 980], "means": (780.0, 605.0)}
folder = Path(sys.argv[1])
(folder / "trials.csv").write_text("picture,rt\n1,500\n2,\n3,700\n4,900\n")
trials = io.readtxt(str(folder / "trials.csv"))
trials.corrected = trials.rt + 80
io.writetxt(trials, str(folder / "corrected.csv"))
again = io.readtxt(str(folder / "corrected.csv"))
seen = {"corrected": list(trials.corrected), "read again": list(again.corrected), "means": (trials.corrected.mean, again.corrected.mean)}
print("datamatrix", datamatrix.__version__)
print("rt", list(trials.rt), "minus 80:", list(trials.rt - 80), seen)
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
