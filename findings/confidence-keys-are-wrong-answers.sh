#!/usr/bin/env bash
# Expected: in a study that asks "real or fake?" and then "how sure?", `accuracy` is the share of correct judgements, and `response` the judgement.
# What happens: OpenSesame 4.1.22 compares every key with the trial's correct_response, so each confidence key counts as a wrong answer: a person
# who is always right has an accuracy of 50, which the feedback page shows; `response`, `correct` and `response_time` in the log are those of the confidence.
# Who meets it: whoever asks for confidence after each picture, gives feedback, or analyses these columns in place of `response_judgement`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check pygame==2.6.1 pyyaml==6.0.4 datamatrix==1.0.20 python-pseudorandom==0.3.2
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check webcolors==25.10.0 markdown==3.11.3 numpy==2.4.6 pillow==13.0.0
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --no-deps opensesame-core==4.1.22
cd "$work"
PYGAME_HIDE_SUPPORT_PROMPT=1 SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy "$work/venv/bin/python" -W ignore - 2> "$work/log" <<'PYTHON' || { tail -n 3 "$work/log"; exit 1; }
import csv
import sys
import threading

import pygame
from libopensesame.experiment import Experiment

EXPECTED = ("50", "2", "0")  # accuracy in the last trial, its response, and whether that is correct
ITEMS = """
define sequence experiment
    run pictures True
define loop pictures
    set item trial
    set order sequential
    set cycles 4
    setcycle 0 correct_response f
    setcycle 1 correct_response j
    setcycle 2 correct_response f
    setcycle 3 correct_response j
    run trial
define sequence trial
    run press_judgement True
    run judgement True
    run press_confidence True
    run confidence True
    run logger True
define inline_script press_judgement
    ___run__
    press(correct_response)
    __end__
define inline_script press_confidence
    ___run__
    press("2")
    __end__
define keyboard_response judgement
    set timeout 10000
    set allowed_responses "f;j"
define keyboard_response confidence
    set timeout 10000
    set allowed_responses "1;2;3"
define logger logger
    set auto_log yes
"""


def press(key):
    event = pygame.event.Event(pygame.KEYDOWN, key=ord(key), unicode=key, mod=0)
    threading.Timer(0.5, pygame.event.post, [event]).start()


backends = "".join(f"set {kind}_backend legacy\n" for kind in ("canvas", "keyboard", "mouse", "sampler", "clock", "color"))
script = f"---\nAPI: 3\n---\nset start experiment\n{backends}{ITEMS.replace('    ', chr(9))}"
study = Experiment(string=script, logfile="log.csv", subject_nr=1, experiment_path=".")
study.python_workspace["press"] = press
study.run()
study.end()
with open("log.csv") as file:
    trials = list(csv.DictReader(file))
print("OpenSesame", trials[0]["opensesame_version"])
for trial in trials:
    names = ("correct_response", "response_judgement", "response_confidence", "response", "correct", "accuracy")
    print("; ".join(f"{name} {trial[name]}" for name in names))
seen = tuple(trials[-1][name] for name in ("accuracy", "response", "correct"))
sys.exit(None if seen == EXPECTED else f"changed: expected {EXPECTED}")
PYTHON
