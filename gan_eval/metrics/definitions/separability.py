"""P-IDS and U-IDS: errors of a linear support vector machine that separates two sets by their features.

The machine is fitted to all pictures of both sets and classifies the same pictures (Zhao et al. 2021). So it separates
a few pictures with many features without an error: with fewer pictures than features, expect 0.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.threads import usable_cores
from gan_eval.metrics.definitions.frechet import MAX_FEATURE, Features, require_finite
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    JackknifeEstimate,
    OnPart,
    PictureSet,
    SetComparison,
    as_of_equal_groups,
    silent,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable

MAX_FITS = 4
"""Number of concurrent fits."""
MAX_GB = 4
"""Memory that they may take together. One fit may take more."""
BYTES = 24
"""Memory of a fit for each feature of a picture: 1 GB for 10,000 pairs of 2,048 features."""
MAX_ITERATIONS = 1000
"""Number of steps of a fit; usual ones take fewer than 20."""
Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Row numbers of the real and of the generated pictures of one item."""


def p_ids(real: Features, fake: Features) -> float:
    """Share of the pairs of which the generated picture looks more real to the machine than the real one.

    Row i of both sets is a pair.

    Raises:
        Unmeasurable: the sets have no pictures or different numbers, or a feature is not finite.

    >>> line = np.arange(8.0)[:, None]
    >>> p_ids(line, line - 100), p_ids(line, np.where(line == 3, 9, line - 4))
    (0.0, 0.125)
    """
    if len(real) != len(fake):
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; P-IDS needs pairs")
    rows = np.arange(len(real))
    return _values(real, fake, (rows, rows))["p_ids"]


def u_ids(real: Features, fake: Features) -> float:
    """Return the share of all pictures that the machine classifies wrongly.

    Raises:
        Unmeasurable: a set is empty, or a feature is not finite.

    >>> line = np.arange(8.0)[:, None]
    >>> u_ids(line, line - 100), u_ids(line, line)
    (0.0, 0.5)
    """
    return _values(real, fake, None)["u_ids"]


def compare_separability(real: PictureSet) -> SetComparison:
    """Return a function that computes both metrics of a generated set, for these real pictures, paired by item."""

    def compare(
        fake: PictureSet, names: Sequence[str], on_part: OnPart = silent
    ) -> Mapping[str, JackknifeEstimate | Unmeasurable]:
        pairs = _pairs(real.items, fake.items)
        values = _values(real.features, fake.features, pairs)
        left_out = _without_each_group(real, fake, on_part)
        counts = {"p_ids": len(pairs[0]), "u_ids": len(real.items) + len(fake.items)}
        estimates: dict[str, JackknifeEstimate | Unmeasurable] = {}
        for name in names:
            if name not in values:
                estimates[name] = Unmeasurable("no generated picture has the item of a real one; P-IDS needs pairs")
                continue
            others = None
            if left_out and fake.groups is not None and all(name in part for part in left_out):
                parts = np.array([part[name] for part in left_out])
                others = as_of_equal_groups(values[name], parts, fake.groups)
            estimates[name] = JackknifeEstimate(values[name], others, counts[name])
        return estimates

    return compare


def _without_each_group(real: PictureSet, fake: PictureSet, on_part: OnPart) -> list[Mapping[str, float]]:
    """Return both metrics without each group; empty without groups, or if a set has no picture without a group."""
    if real.groups is None or fake.groups is None:
        return []
    kept = [(np.flatnonzero(real.groups != group), np.flatnonzero(fake.groups != group)) for group in range(GROUPS)]
    if not all(len(x) and len(y) for x, y in kept):
        return []

    def without(rows: Pairs) -> Mapping[str, float]:
        x, y = rows
        pairs = _pairs([real.items[row] for row in x], [fake.items[row] for row in y])
        return _values(real.features[x], fake.features[y], pairs)

    left_out: list[Mapping[str, float]] = []
    fits = fits_at_once(real.features.size + fake.features.size)
    with ThreadPoolExecutor(fits) as pool:  # scikit-learn fits without the lock
        for part in pool.map(without, kept):
            left_out.append(part)
            on_part((1 + len(left_out)) / (1 + GROUPS))
    return left_out


def fits_at_once(features: int) -> int:
    """Return the number of concurrent fits to this many features of all pictures.

    >>> fits_at_once(100_000 * 2048)
    1
    """
    return max(1, min(usable_cores(), MAX_FITS, MAX_GB * 10**9 // (BYTES * features)))


def few_pictures_note(metric: str, value: float, count: int, width: int) -> str | None:
    """Return a note on a value of 0 with no more pictures than features; None for other values.

    Args:
        metric: name of a metric, any one.
        value: its value.
        count: pictures of both sets together.
        width: d, the number of features.

    >>> few_pictures_note("u_ids@dino", 0.0, 100, 1024)
    '0 says nothing here: a plane can separate any 100 pictures with 1024 features; measure more'
    """
    if metric.partition("@")[0] not in ("p_ids", "u_ids") or value > 0 or count > width + 1:
        return None
    return f"0 says nothing here: a plane can separate any {count} pictures with {width} features; measure more"


def _pairs(real: Sequence[str], fake: Sequence[str]) -> Pairs:
    """Return the rows of generated pictures whose item has a real picture, and the rows of these."""
    row_of = {item: row for row, item in enumerate(real)}
    pairs = [(row_of[item], row) for row, item in enumerate(fake) if item in row_of]
    rows = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def _values(real: Features, fake: Features, pairs: Pairs | None) -> dict[str, float]:
    """Return U-IDS, and P-IDS if there are pairs, from one fit: reals are 1 and come first, fakes are 0."""
    if min(len(real), len(fake)) < 1:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; P-IDS and U-IDS need both")
    from sklearn.svm import LinearSVC

    features = np.concatenate([real, fake]).astype(np.float64, copy=False)
    require_finite(features)
    if np.abs(features).max() > MAX_FEATURE:  # its inner loop would not end
        raise Unmeasurable(f"a feature is beyond {MAX_FEATURE:g}; divide all features by one number")
    truth = np.repeat([1, 0], [len(real), len(fake)])
    machine = LinearSVC(dual=False, max_iter=MAX_ITERATIONS).fit(features, truth)
    if np.max(machine.n_iter_) >= MAX_ITERATIONS:
        raise Unmeasurable(
            f"the support vector machine has not converged after {MAX_ITERATIONS} iterations; scale the features to "
            "one spread"
        )
    scores = machine.decision_function(features)
    values = {"u_ids": float(np.mean((scores > 0) != (truth == 1)))}
    if pairs is not None and len(pairs[0]):
        of_real, of_fake = pairs
        values["p_ids"] = float(np.mean(scores[len(real) + of_fake] > scores[of_real]))
    return values
