"""Simulated answers whose fits by R are in `lme4_references.json`, and the code that made these numbers.

`python lme4_designs.py > new.json`, to be renamed, fits every design by R's lme4, and the grades by R's ordinal (needs
Rscript with both).
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, ndtr

REFERENCES = json.loads(Path(__file__).with_name("lme4_references.json").read_text())
GENGAP = (
    Path(os.environ.get("GAN_EVAL_HUMAN_DATA", Path(__file__).parents[3].parent / "shared/human")) / "gengap_trials.csv"
)


@dataclass(frozen=True)
class Design:
    """One simulated study; the truth it is drawn from."""

    seed: int
    participants: int = 40
    stimuli: int = 50
    each: int = 50
    """Stimuli shown to a participant; with `unbalanced` 2 to twice as many."""
    beta: tuple[float, ...] = (0.4, -0.6)
    """Intercept, stimulus's kind (0 or 1), then standard normal covariates of the trials."""
    sd: tuple[float, float] = (0.5, 0.8)
    slope: tuple[float, float] | None = None
    """SD and correlation with the intercept of the participants' slopes over the last column of X."""
    link: str = "logit"
    unbalanced: bool = False
    slope_second: tuple[float, float] | None = None
    """SD and correlation of the stimuli's slopes."""
    thresholds: tuple[float, ...] = ()
    """Thresholds of the grades."""
    independent: tuple[float, float] | None = None
    """SDs of the participants' slopes over the last column of X, and of their effects of each of three groups of
    stimuli, without correlations."""


DESIGNS = {
    "shared list": Design(1),
    "shared list, probit": Design(2, link="probit"),
    "pool of 1000": Design(3, stimuli=1000),
    "unbalanced": Design(5, participants=60, stimuli=80, each=15, unbalanced=True),
    "more participants than stimuli": Design(6, participants=150, stimuli=12, each=12),
    "rate of 95%, probit": Design(8, beta=(1.8, 0.2), sd=(0.4, 0.5), link="probit"),
    "nearly singular": Design(9, sd=(0.12, 0.8)),
    "no spread of participants": Design(10, sd=(0.0, 0.7), each=30),
    "four covariates": Design(12, beta=(0.2, 0.5, -0.4, 0.3, 0.0), each=40),
    "intercept only": Design(13, beta=(-0.8,), participants=25, stimuli=40, each=40),
    "small": Design(14, participants=10, stimuli=14, each=14),
    "slope of kind": Design(15, slope=(0.7, 0.4)),
    "slope of kind, probit": Design(16, slope=(0.5, -0.3), link="probit"),
    "slope, unbalanced": Design(19, participants=60, stimuli=90, each=25, slope=(0.8, 0.2), unbalanced=True),
    "slope, correlation near 1": Design(21, slope=(0.6, 0.98), beta=(0.3, 0.1, -0.4)),
    "slopes of both": Design(22, beta=(0.3, 0.1, -0.4), slope=(0.7, 0.3), slope_second=(0.5, -0.4)),
    "slopes of both, probit": Design(
        23, beta=(0.1, 0.2, 0.4), slope=(0.4, 0.0), slope_second=(0.4, 0.3), link="probit"
    ),
    "slope of stimuli": Design(25, beta=(0.3, 0.1, -0.4), slope_second=(0.7, 0.2)),
    "grades": Design(26, beta=(0.0, 0.5), thresholds=(-1.5, -0.4, 0.5, 1.8), link="cumulative_logit"),
    "grades, probit": Design(27, beta=(0.0, 0.5), thresholds=(-1.0, -0.2, 0.9), link="cumulative_probit"),
    "grades, slopes of both": Design(
        29,
        beta=(0.0, 0.2, 0.5),
        thresholds=(-1.7, -0.6, 0.4, 1.5),
        slope=(0.7, 0.3),
        slope_second=(0.5, -0.4),
        link="cumulative_logit",
    ),
    "independent slopes": Design(31, beta=(0.3, 0.1, -0.4), independent=(0.5, 0.6)),
    "independent slopes, one at 0": Design(32, beta=(0.3, 0.1, -0.4), independent=(0.5, 0.0)),
    "independent slopes, few stimuli, probit": Design(
        33, participants=80, stimuli=12, each=12, beta=(0.3, 0.1, -0.4), independent=(0.5, 0.4), link="probit"
    ),
    "grades, independent slopes": Design(
        34,
        beta=(0.0, 0.2, 0.5),
        thresholds=(-1.7, -0.6, 0.4, 1.5),
        independent=(0.5, 0.6),
        link="cumulative_logit",
    ),
}


@dataclass(frozen=True)
class Answers:
    """Arrays as `fit_crossed` takes them."""

    y: np.ndarray
    X: np.ndarray
    first: np.ndarray
    second: np.ndarray
    link: str
    slope: np.ndarray | list[np.ndarray] | None
    slope_second: np.ndarray | None = None


def answers(design: Design) -> Answers:
    """Draw the design's answers."""
    rng = np.random.default_rng(design.seed)
    counts = np.full(design.participants, design.each)
    if design.unbalanced:
        counts = np.minimum(rng.integers(2, 2 * design.each, design.participants), design.stimuli)
    first = np.repeat(np.arange(design.participants), counts)
    seen = np.concatenate([rng.permutation(design.stimuli)[:count] for count in counts])
    second = np.unique(seen, return_inverse=True)[1]
    columns = [np.ones(len(first)), (seen % 2).astype(float), *rng.normal(size=(3, len(first)))]
    X = np.stack(columns[: len(design.beta)], axis=1)
    by_first, by_second = rng.normal(size=design.participants), rng.normal(size=design.stimuli)
    eta = X @ design.beta + design.sd[0] * by_first[first] + design.sd[1] * by_second[seen]
    if design.slope is not None:
        spread, correlation = design.slope
        own = correlation * by_first + np.sqrt(1 - correlation**2) * rng.normal(size=design.participants)
        eta = eta + spread * own[first] * X[:, -1]
    if design.slope_second is not None:
        spread, correlation = design.slope_second
        own = correlation * by_second + np.sqrt(1 - correlation**2) * rng.normal(size=design.stimuli)
        eta = eta + spread * own[seen] * X[:, -1]
    slopes: list = [None if slope is None else X[:, -1] for slope in (design.slope, design.slope_second)]
    if design.independent is not None:
        of_slope, of_group = design.independent
        slopes[0] = [X[:, -1], np.eye(3)[seen % 3]]
        eta = eta + of_slope * rng.normal(size=design.participants)[first] * X[:, -1]
        eta = eta + of_group * rng.normal(size=(design.participants, 3))[first, seen % 3]
    y = rng.random(len(first)) < (expit if design.link.endswith("logit") else ndtr)(eta)
    if design.thresholds:
        noise = rng.logistic(size=len(eta)) if design.link.endswith("logit") else rng.normal(size=len(eta))
        y, X = np.digitize(eta + noise, design.thresholds), X[:, 1:]
    return Answers(y, X, first, second, design.link, *slopes)


def published(*, with_truth: bool) -> Answers:
    """Correct answers of the published study by those who passed its check; fakes first in `X`."""
    with GENGAP.open() as file:
        rows = [row for row in csv.DictReader(file) if row["passed_check"] == "True"]
    y = np.array([row["truth"] == row["response"] for row in rows])
    real = np.array([row["truth"] == "real" for row in rows], float)
    X = np.stack([np.ones(len(y)), real][: 1 + with_truth], axis=1)
    first, second = (np.unique([row[name] for row in rows], return_inverse=True)[1] for name in ("subject", "stimulus"))
    return Answers(y, X, first, second, "logit", None)


def published_with_slope() -> Answers:
    """`correct ~ truth + (1 + truth | subject) + (1 | stimulus)` of those who passed the check."""
    plain = published(with_truth=True)
    return Answers(plain.y, plain.X, plain.first, plain.second, "logit", plain.X[:, 1])


PUBLISHED = {
    "published, passed, 1": lambda: published(with_truth=False),
    "published, passed, truth": lambda: published(with_truth=True),
    "published, passed, slope": published_with_slope,
}


def by_r(data: Answers) -> dict[str, object]:
    """lme4's fit (nAGQ = 1, tight tolerances, standard errors from the Hessian); of grades, ordinal's."""
    are_grades = data.link.startswith("cumulative")
    names = [f"x{column}" for column in range(data.X.shape[1])]
    random = [
        f"(1 + {names[-1]} | {level})" if isinstance(slope, np.ndarray) else f"(1 | {level})"
        for level, slope in (("first", data.slope), ("second", data.slope_second))
    ]
    columns = {"y": data.y, **dict(zip(names, data.X.T, strict=True)), "first": data.first, "second": data.second}
    if isinstance(data.slope, list):  # terms of the same levels under other names, which distinguish their SDs
        covariate, indicators = data.slope
        columns |= {"centred": covariate - covariate.mean(), "of_slope": data.first}
        columns |= {"of_group": 3 * data.first + indicators.argmax(axis=1)}
        random += ["(0 + centred | of_slope)", "(1 | of_group)"]
    formula = f"y ~ {'' if are_grades else '0 + '}{' + '.join([*names, *random])}"
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "answers.csv"
        script = Path(__file__).with_name("ordinal.R" if are_grades else "lme4.R")
        values, header = np.column_stack([*columns.values()]), ",".join(columns)
        np.savetxt(table, values, fmt="%.17g", delimiter=",", header=header, comments="")
        command = ["Rscript", str(script), str(table), formula, data.link]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(found)


def main() -> None:
    """Print the references, those of R 4.2.2 with lme4 1.1-31 and ordinal 2022.11-16."""
    makers = {name: (lambda design=design: answers(design)) for name, design in DESIGNS.items()}
    if GENGAP.exists():
        makers |= PUBLISHED
    found = []
    for name, maker in makers.items():
        found.append(f"  {json.dumps(name)}: {json.dumps(by_r(maker()))}")
        print(name, file=sys.stderr)
    print("{\n" + ",\n".join(found) + "\n}")


if __name__ == "__main__":
    main()
