"""The threshold of each block of a staircase or of QUEST+.

A threshold is the exposure with a known share of correct answers: 75% for QUEST+, up / (up + down) for the staircase.
Methods and sources: docs/adaptive.md.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gan_eval.base.adaptive import RIGHT, End, PsychometricGrid, moving_trials
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS, QUEST_PLUS
from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.tables.frames import Row

DROPPED_REVERSALS = 4
"""Number of first reversals, on the way to the threshold, that are not in the mean."""
MIN_REVERSALS = 4
"""Minimum number of reversals for a staircase's threshold."""
MIN_ANSWERS = 20
"""Minimum number of answers for a threshold of QUEST+; with fewer it is mostly the prior."""


@dataclass(frozen=True)
class Threshold:
    """The threshold of one block."""

    session: str
    participant: str
    block: int
    dataset: str | None
    protocol: str
    answers: int
    """Number of trials that moved the exposure."""
    reversals: int | None
    """Number of times that a staircase's exposure changed direction."""
    threshold_ms: float | None
    """Staircase: mean exposure of the reversals after the first few; QUEST+: geometric mean of the posterior
    distribution, or the end of the range that `bound` names. None: too few, or a staircase of another rule."""
    threshold_ms_low: float | None
    """QUEST+: lower end of the 95% credible interval, within the range of exposures."""
    threshold_ms_high: float | None
    mode_ms: float | None
    """Staircase: the exposure shown most often after the first few reversals, the shortest in a tie."""
    bound: End | None
    """The threshold is close to this end of the range or beyond: the staircase's commonest exposure is this end, or
    more than half of the posterior distribution lies beyond it."""
    share: float | None
    """Proportion of correct answers at the threshold; None: not known, as for a staircase of another rule."""


def thresholds(rows: Iterable[Row], settings: StaircaseSettings | None) -> list[Threshold]:
    """Return the threshold of each session and block from rows of `gan_eval.tables.TRIALS`, for adaptive protocols."""
    blocks: dict[tuple[str, int], list[Row]] = {}
    asked: list[float] = []
    for row in moving_trials(rows):
        if row["protocol"] in ADAPTIVE_PROTOCOLS:
            blocks.setdefault((row["session"], row["block"]), []).append(row)
            asked.append(row["requested_exposure_ms"])
    limits = settings or StaircaseSettings()
    grid = None
    results = []
    for (session, number), block in sorted(blocks.items(), key=lambda item: item[0]):
        first = block[0]
        shared = (session, first["participant"], number, first["dataset"], first["protocol"], len(block))
        if first["protocol"] == QUEST_PLUS:
            if grid is None:
                ends = (limits.shortest_ms, limits.longest_ms)
                grid = PsychometricGrid(*ends) if settings else PsychometricGrid(min(*ends, *asked), max(*ends, *asked))
            enough = len(block) >= MIN_ANSWERS
            mean, low, high, bound = grid.estimate(block) if enough else (None, None, None, None)
            results.append(Threshold(*shared, None, mean, low, high, None, bound, RIGHT))
            continue
        results.append(Threshold(*shared, *_reversals(block, settings)))
    return results


def _reversals(block: Sequence[Row], settings: StaircaseSettings | None) -> tuple[Any, ...]:
    """Return the fields of a staircase's `Threshold` from `reversals` on."""
    limits = settings or StaircaseSettings()
    exposures = [row["requested_exposure_ms"] for row in block]
    steps = (limits.up_ms, limits.down_ms) if settings else _steps(block)
    if steps is None or steps[0] <= steps[1]:  # equal steps move to half of the answers correct: chance
        moves = np.sign(np.diff(exposures))
        return int(np.count_nonzero(np.diff(moves[moves != 0]))), None, None, None, None, None, None
    turns = [at for at, (row, after) in enumerate(pairwise(block), 1) if row["correct"] != after["correct"]]
    counted = turns[DROPPED_REVERSALS:]
    enough = len(counted) >= MIN_REVERSALS
    often = Counter(exposures[counted[0] :] if enough else exposures)
    mode = min(often, key=lambda exposure: (-often[exposure], exposure))  # the shortest in a tie
    ends_of_range: dict[float, End] = {limits.shortest_ms: "shortest", limits.longest_ms: "longest"}
    mean = sum(exposures[at] for at in counted) / len(counted) if enough else None
    bound = ends_of_range.get(mode) if settings else None
    return len(turns), mean, None, None, mode if enough else None, bound, steps[0] / sum(steps)


def _steps(block: Sequence[Row]) -> tuple[float, float] | None:
    """Return the steps up and down of a weighted up-down staircase, in ms or in log ms; None if it has another rule.

    Each answer moves the exposure by its step, or by less to the end of the range. Trials that are not in the block
    (excluded ones) may lie between two others; such pairs are not compared.

    >>> rule = enumerate([(490.0, False), (520.0, True), (510.0, True)])
    >>> _steps([{"trial": n, "requested_exposure_ms": ms, "correct": right} for n, (ms, right) in rule])
    (30.0, 10.0)
    """
    exposures, trial = (np.array([row[name] for row in block], float) for name in ("requested_exposure_ms", "trial"))
    follows = np.diff(trial) == 1
    right = np.array([row["correct"] for row in block[:-1]], bool)[follows]
    for level in (exposures, np.log(np.maximum(exposures, 1e-9))):
        moves, after = np.diff(level)[follows], level[1:][follows]
        up, down = (float(np.max(side, initial=0.0)) for side in (moves[~right], -moves[right]))
        at_end = np.where(right, after == level.min(), after == level.max())
        short = np.where(right, (moves <= 0) & (moves > -down), (moves >= 0) & (moves < up)) & at_end
        if up > 0 and down > 0 and (np.isclose(moves, np.where(right, -down, up), atol=1e-6 * down) | short).all():
            return up, down
    return None
