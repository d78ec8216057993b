"""What comes of a staircase: the reversals of each session and block, and the threshold that they give.

The threshold is the mean exposure of the reversals (Levitt 1971, J. Acoust. Soc. Am. 49:467); HYPE's own score, the
exposure that was shown most often, is given beside it. The mean varies less: in simulated blocks of 150 trials its
standard deviation was a third below that of the mode.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from gan_eval.settings.quiz import StaircaseSettings
from gan_eval.tabular import Row

STAIRCASE = "staircase"
"""The protocol's name."""
DROPPED_REVERSALS = 4
"""The first reversals, on the way from the start to the threshold; they do not enter its mean."""
FEWEST_REVERSALS = 4
"""With fewer that count there is no threshold."""


@dataclass(frozen=True)
class Threshold:
    """What came of the staircase of one block."""

    session: str
    participant: str
    block: int
    dataset: str | None
    reversals: int
    """How often the exposure turned round."""
    threshold_ms: float | None
    """Mean exposure of the reversals after the first few; None: too few."""
    mode_ms: float | None
    """The exposure shown most often after the first few reversals, the shortest of several; None: too few."""
    bound: Literal["shortest", "longest"] | None
    """The exposure shown most often is this end of the range: the threshold is close to it or beyond."""


def thresholds(rows: Iterable[Row], settings: StaircaseSettings | None) -> list[Threshold]:
    """The threshold of each session and block, from rows of `gan_eval.tables.TRIALS`; other protocols' are left out.

    Args:
        rows: trials.
        settings: the range of the exposures, for `bound`; None: unknown, and no bound is told.
    """
    blocks: dict[tuple[str, int], list[Row]] = {}
    for row in moving_trials(rows):
        if row["protocol"] == STAIRCASE:
            blocks.setdefault((row["session"], row["block"]), []).append(row)
    ends: dict[float, Literal["shortest", "longest"]] = {}
    if settings is not None:
        ends = {settings.shortest_ms: "shortest", settings.longest_ms: "longest"}
    results = []
    for (session, number), block in sorted(blocks.items(), key=lambda item: item[0]):
        exposures = [row["requested_exposure_ms"] for row in block]
        turns = [at for at, (row, after) in enumerate(pairwise(block), 1) if row["correct"] != after["correct"]]
        counted = turns[DROPPED_REVERSALS:]
        enough = len(counted) >= FEWEST_REVERSALS
        often = Counter(exposures[counted[0] :] if enough else exposures)
        mode = min(often, key=lambda exposure: (-often[exposure], exposure))  # of several the shortest
        results.append(
            Threshold(
                session=session,
                participant=block[0]["participant"],
                block=number,
                dataset=block[0]["dataset"],
                reversals=len(turns),
                threshold_ms=sum(exposures[at] for at in counted) / len(counted) if enough else None,
                mode_ms=mode if enough else None,
                bound=ends.get(mode),
            )
        )
    return results


def moving_trials(rows: Iterable[Row]) -> list[Row]:
    """The trials that move the exposure, in order."""
    moving = [row for row in rows if row["phase"] == "main" and row["correct"] is not None]
    return sorted(moving, key=lambda row: row["trial"])
