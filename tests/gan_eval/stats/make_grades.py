"""Graded trials from known raters and pictures, for tests."""

import numpy as np
import pandas as pd

from gan_eval.judgements.trials import fill_trials

THRESHOLDS = (-1.5, -0.3, 0.6, 1.8)


def simulated_grades(*, people=16, items=24, gap=0.0, sd_view=0.0, seed=0, with_reals=False):
    """Return grades of people who each see one version of each item: A, B or the real picture."""
    rng = np.random.default_rng(seed)
    names = ["A", "B", "real"] if with_reals else ["A", "B"]
    leaning, picture = rng.normal(0, 0.5, people), rng.normal(0, 0.8, items)
    view = sd_view * rng.normal(size=people)
    rows = []
    for person in range(people):
        for item in range(items):
            version = (person + item) % len(names)
            eta = leaning[person] + picture[item] + (version - 0.5) * (gap + view[person]) + rng.logistic()
            kind, model = ("real", None) if names[version] == "real" else ("fake", names[version])
            row = {"participant": f"P{person}", "stimulus": f"d/{names[version]}/{item}", "item": f"d/{item}"}
            rating = 1.0 + np.digitize(eta, THRESHOLDS)
            rows.append(row | {"dataset": "d", "kind": kind, "model": model, "rating": rating, "protocol": "rating"})
    return fill_trials(pd.DataFrame(rows))
