"""Graded trials from known raters and pictures, for tests."""

import numpy as np
import pandas as pd

from gan_eval.stats.trials import fill_trials


def graded_frame(grades: dict[tuple[str, str], float], **more: object) -> pd.DataFrame:
    """Trials of (participant, picture) pairs with their grades."""
    rows = [
        {"participant": person, "stimulus": f"d/{picture}", "kind": "fake", "dataset": "d", "model": "gan",
         "response": None, "protocol": "rating", "rating": grade}
        for (person, picture), grade in grades.items()
    ]  # fmt: skip
    return fill_trials(pd.DataFrame(rows).assign(**more))


def simulated_grades(
    seed: int, *, raters: int = 12, pictures: int = 20, each: int = 20
) -> dict[tuple[str, str], float]:
    """Grades 1..5: each rater, with bias and inconsistency, grades `each` pictures; the last rater grades at random."""
    rng = np.random.default_rng(seed)
    quality, bias = rng.uniform(1.5, 4.5, pictures), 0.4 * rng.normal(size=raters)
    spread = rng.uniform(0.3, 1.0, raters)
    found: dict[tuple[str, str], float] = {}
    for rater in range(raters):
        for picture in sorted(rng.permutation(pictures)[:each]):
            grade = quality[picture] + bias[rater] + spread[rater] * rng.normal()
            if rater == raters - 1:
                grade = rng.choice([1.0, 5.0])
            found[f"P{rater:02d}", f"{picture:02d}"] = float(np.clip(round(grade), 1, 5))
    return found
