"""Accuracy of thresholds of exposure, by the staircase and by QUEST+, in simulations of a 60 Hz screen.

    python benchmarks/thresholds.py --blocks 400

Simulated people answer trials at the exposures that the quiz's own protocols choose, rounded to whole frames; the
thresholds are those of `gan_eval.stats.tables.staircases` after the first 50, 100 and 150 trials of one block.
The table stands in results/calibration.md.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from gan_eval.base.adaptive import RIGHT
from gan_eval.base.inference import wilson
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stats.tables.staircases import Threshold, thresholds
from gan_eval.tables.frames import Row

FRAME_MS = 1000 / 60
TRIALS = (50, 100, 150)
Detected = Callable[[float], float]
"""Function from the exposure in ms to the share of trials that are not guessed, lapses aside."""
PEOPLE: Mapping[str, tuple[Detected, float]] = {
    "logistic 180, 40; lapse 5%": (lambda ms: float(expit((ms - 180) / 40)), 0.05),
    "logistic 250, 30; lapse 2%": (lambda ms: float(expit((ms - 250) / 30)), 0.02),
    "logistic 250, 80; lapse 5%": (lambda ms: float(expit((ms - 250) / 80)), 0.05),
    "logistic 400, 100; no lapse": (lambda ms: float(expit((ms - 400) / 100)), 0.0),
    "logistic 400, 100; lapse 2%": (lambda ms: float(expit((ms - 400) / 100)), 0.02),
    "logistic 600, 60; lapse 2%": (lambda ms: float(expit((ms - 600) / 60)), 0.02),
    "Weibull 300, 2; lapse 2%": (lambda ms: float(-np.expm1(-((ms / 300) ** 2))), 0.02),
    "Weibull 500, 3.5; lapse 2%": (lambda ms: float(-np.expm1(-((ms / 500) ** 3.5))), 0.02),
    "d' to 2.2 in 150 ms; lapse 2%": (lambda ms: float(2 * ndtr(-1.1 * np.expm1(-ms / 150)) - 1), 0.02),
}
"""Shape and lapse rate. The last takes up evidence as simulated participants do, and is right in 86% at most."""


def main() -> None:
    """Simulate, then print the table."""
    parser = argparse.ArgumentParser(description="bias of thresholds of exposure")
    parser.add_argument("--blocks", type=int, default=400, help="for each kind of person and each way")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ways = (QuizProtocol(QuizSettings(protocol="staircase")), QuizProtocol(QuizSettings(protocol="quest_plus")))
    heads = [f"{name}, {trials}" for trials in TRIALS for name in ("staircase", "QUEST+")]
    print(f"| people | threshold | {' | '.join(heads)} | 95% credible, {TRIALS[0]} |")
    print("| -- |" + " -- |" * (len(heads) + 2))
    for place, (name, (detected, lapse)) in enumerate(PEOPLE.items()):
        rng = np.random.default_rng([options.seed, place])
        true = brentq(lambda ms, of=detected, low=lapse: 0.5 + (0.5 - low) * of(ms) - RIGHT, 1, 5000)
        found = [[simulated(way, detected, lapse, rng) for _ in range(options.blocks)] for way in ways]
        cells = [_error([block[at] for block in of_way], true) for at in range(len(TRIALS)) for of_way in found]
        held = sum((block[0].threshold_ms_low or 0) <= true <= (block[0].threshold_ms_high or 0) for block in found[1])
        low, high = wilson(held, options.blocks)
        share = f"{100 * held / options.blocks:.1f} ({100 * low:.1f} to {100 * high:.1f})"
        print(f"| {name} | {true:.0f} | {' | '.join(cells)} | {share} |", flush=True)


def simulated(way: QuizProtocol, detected: Detected, lapse: float, rng: np.random.Generator) -> list[Threshold]:
    """The thresholds of one person after the first trials of one block, for each number in `TRIALS`."""
    rows: list[Row] = []
    shared: Row = {"session": "S", "participant": "P", "block": 1, "phase": "main", "dataset": "d"}
    shared["protocol"] = way.settings.protocol
    for number in range(TRIALS[-1]):
        asked = way.exposure_after(rows)
        shown = round(asked / FRAME_MS) * FRAME_MS
        correct = bool(rng.random() < 0.5 + (0.5 - lapse) * detected(shown))
        row = {"trial": number, "requested_exposure_ms": asked, "exposure_ms": shown, "correct": correct}
        rows.append({**shared, **row})
    return [thresholds(rows[:trials], way.settings.staircase)[0] for trials in TRIALS]


def _error(found: Sequence[Threshold], true: float) -> str:
    """Bias ± standard deviation in ms, and how many blocks gave no threshold."""
    errors = [each.threshold_ms - true for each in found if each.threshold_ms is not None]
    none = f" ({len(found) - len(errors)} none)" if len(errors) < len(found) else ""
    return f"{np.mean(errors):+.0f} ± {np.std(errors):.0f}{none}".replace("-", "−")


if __name__ == "__main__":
    main()
