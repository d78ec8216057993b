"""Results: numbers with their question, interval, p and verdict, read once from the tables `paper` and `comparisons`.

Whoever writes about a result reads this list, not the tables.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.stats.paper import EVERYTHING, RATING, SHOWN, SINGLE, interval_names, with_shared_reals
from gan_eval.stats.questions import CHOSEN
from gan_eval.stats.recruitment import ALPHA
from gan_eval.tables.cells import is_missing

if TYPE_CHECKING:
    import pandas as pd

PRESET, EXPLORATORY, BY_RULE = "preset", "exploratory", "by rule"
"""Origin of a rule or a margin: in the study's plan, not in the plan, or given without a plan."""
_NAN = float("nan")
_NONE = Estimate(_NAN, _NAN, _NAN)
_QUESTIONS = {SINGLE: "detection", PAIRED: "detection", TWO_MODELS: "preference", RATING: "grades"}
"""Question behind a row of `paper`, by its protocol; others: the threshold of exposure."""
_NUMBERS = {"detection": "accuracy", "preference": "preference", "grades": "grade", "threshold": "threshold_ms"}
"""Number that answers it."""


class Margin(NamedTuple):
    """Margin of equivalence."""

    size: float
    source: str
    """PRESET, EXPLORATORY or BY_RULE."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A number, what it answers, and what may be said of it. Texts are empty and numbers NaN where there is none."""

    question: str
    """One of the words of `comparisons`, or `threshold`."""
    measure: str
    """Name of the number."""
    estimate: Estimate
    """The number with its 95% interval."""
    p: float = _NAN
    """Holm's p, else the unadjusted one."""
    verdict: str = ""
    basis: str = ""
    reason: str = ""
    """The note: a reader must know it, or it explains a missing number or verdict."""
    untested: str = ""
    protocol: str = ""
    """One of the words of `paper`; empty: a difference of `comparisons`."""
    dataset: str = ""
    model: str = ""
    name: str = ""
    """Name of the comparison, for readers."""
    a: str = ""
    b: str = ""
    sensitivity: str = ""
    """Whose answers are left out or added; empty: the analysis itself."""
    within: Estimate = _NONE
    """The number with its 90% interval."""
    simultaneous: Estimate = _NONE
    """The number with the interval that agrees with Holm's p."""
    p_unadjusted: float = _NAN
    is_tested: bool = False
    """True if p is one of several that are corrected together."""
    is_exploratory: bool = False
    margin: Margin | None = None
    """None: equivalence is not judged."""
    p_equivalent: float = _NAN
    is_equivalent: bool = False
    """True if the number is within the margin, also if it differs from none."""
    n_tests: int = 1
    """Number of tests of `paper` that are corrected together."""
    numbers: Mapping[str, Estimate] = field(default_factory=dict)
    """All numbers of a row of `paper` by their columns."""
    counts: Mapping[str, int | None] = field(default_factory=dict)
    """Numbers of participants, pictures and answers by their columns."""
    picture_variance: float = _NAN

    @property
    def is_adjusted(self) -> bool:
        """True if Holm's method has changed p."""
        return self.p > self.p_unadjusted

    @property
    def is_of_all(self) -> bool:
        """True for the row over all models."""
        return self.model == EVERYTHING

    @property
    def share(self) -> Estimate:
        """Share of the choices, of a difference from one half."""
        value, low, high = self.estimate
        return Estimate(0.5 + value, 0.5 + low, 0.5 + high)

    def magnitude(self, simultaneous: bool) -> Estimate:
        """Return the number without its sign, its interval turned with it."""
        value, low, high = self.simultaneous if simultaneous else self.estimate
        return Estimate(-value, -high, -low) if value < 0 else Estimate(value, low, high)

    @property
    def detectable(self) -> float:
        """Smallest accuracy that a study of this precision detects with 80% power; 2.0: unknown.

        A model's test is at the first level of Holm's method, that of all models at the study's level.
        """
        _, low, high = self.numbers["accuracy"]
        return 2.0 if is_missing(low) else detectable_accuracy(low, high, ALPHA / self.n_tests)


@dataclass(frozen=True)
class Results:
    """The results of a study."""

    every: list[Result]
    """The rows of `paper`, in their order."""
    compared: list[Result]
    """Differences."""

    @cached_property
    def cited(self) -> list[Result]:
        """The rows to cite: without the row `all` of a protocol that has only one other row."""
        others = Counter(each.protocol for each in self.every if not each.is_of_all)
        return [each for each in self.every if not (each.is_of_all and others[each.protocol] == 1)]

    @property
    def detection(self) -> list[Result]:
        """The rows of single pictures and of pairs with a real one, all models first."""
        of_detection = [each for each in self.cited if each.question == "detection"]
        return sorted(of_detection, key=lambda each: not each.is_of_all)

    def differences(self, question: str) -> list[Result]:
        """Return the differences that answer a question, without sensitivity analyses."""
        return [each for each in self.compared if each.question == question and not each.sensitivity]


def results_of(paper: "pd.DataFrame", comparisons: "pd.DataFrame") -> Results:
    """Return the results of the tables `paper` and `comparisons`, which may be empty."""
    compared = [_compared(row) for row in comparisons.to_dict("records")]
    every = [_cited(row) for row in with_shared_reals(paper).to_dict("records")]
    tests = Counter(each.protocol for each in every if each.is_tested and not each.is_of_all)
    margins = {each.measure: each.margin for each in reversed(compared) if each.question == "detection" and each.margin}
    measures = {SINGLE: "called_fake", PAIRED: CHOSEN}

    def completed(each: Result) -> Result:
        margin = margins.get(measures.get(each.protocol, ""))
        distances = [abs(end - 0.5) for end in each.within[1:]]
        is_equivalent = margin is not None and all(distance < margin.size for distance in distances)
        n_tests = 1 if each.is_of_all else max(tests[each.protocol], 1)
        return replace(each, margin=margin, is_equivalent=is_equivalent, n_tests=n_tests)

    return Results([completed(each) for each in every], compared)


def is_adjusted(results: Iterable[Result]) -> bool:
    """Return whether Holm's method has changed a p of some results."""
    return any(each.is_adjusted for each in results)


def detectable_accuracy(low: float, high: float, level: float) -> float:
    """Return the smallest accuracy that a study with this 95% interval detects with 80% power.

    It is 0.5 + w (z(1 − level / 2) + z(0.8)) / z(0.975), where w is half the width of the interval.

    >>> round(detectable_accuracy(0.45, 0.55, 0.05), 3), round(detectable_accuracy(0.45, 0.55, 0.05 / 8), 3)
    (0.571, 0.591)
    """
    z = NormalDist().inv_cdf
    return 0.5 + (high - low) / 2 * (z(1 - level / 2) + z(0.8)) / z(0.975)


def _number(row: Mapping[Any, Any], name: str) -> float:
    return _NAN if is_missing(row.get(name)) else float(row[name])


def _estimate(row: Mapping[Any, Any], value: str, low: str, high: str) -> Estimate:
    return Estimate(_number(row, value), _number(row, low), _number(row, high))


def _shared(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the fields that both tables have."""
    p_holm, p = _number(row, "p_holm"), _number(row, "p")
    names = {"verdict": "verdict", "basis": "basis", "reason": "note", "untested": "untested", "dataset": "dataset"}
    texts = {name: "" if is_missing(row.get(of)) else str(row[of]) for name, of in {**names, "model": "model"}.items()}
    counts = {str(name): None if is_missing(n) else int(n) for name, n in row.items() if str(name).startswith("n_")}
    return texts | {
        "p": p if is_missing(p_holm) else p_holm,
        "p_unadjusted": p,
        "is_tested": not is_missing(p_holm),
        "is_exploratory": not is_missing(row.get("exploratory")) and bool(row["exploratory"]),
        "counts": counts,
    }


def _cited(row: Mapping[Any, Any]) -> Result:
    question = _QUESTIONS.get(row["protocol"], "threshold")
    numbers = {name: _estimate(row, name, *interval_names(name)) for name in SHOWN if name in row}
    return Result(
        question=question,
        measure=_NUMBERS[question],
        estimate=numbers.get(_NUMBERS[question], _NONE),
        protocol=row["protocol"],
        within=_estimate(row, "accuracy", "accuracy90_low", "accuracy90_high"),
        numbers=numbers,
        **_shared(row),
    )


def _compared(row: Mapping[Any, Any]) -> Result:
    margin = None
    if not is_missing(row["margin"]):
        is_exploratory = not is_missing(row.get("margin_exploratory")) and bool(row["margin_exploratory"])
        source = EXPLORATORY if is_exploratory else BY_RULE if is_missing(row["exploratory"]) else PRESET
        margin = Margin(float(row["margin"]), source)
    return Result(
        question=row["question"],
        measure=row["measure"],
        estimate=_estimate(row, "difference", "ci_low", "ci_high"),
        within=_estimate(row, "difference", "ci90_low", "ci90_high"),
        simultaneous=_estimate(row, "difference", "simultaneous_low", "simultaneous_high"),
        name=row["comparison"],
        a=row["a"],
        b=row["b"],
        sensitivity="" if is_missing(row["sensitivity"]) else row["sensitivity"],
        margin=margin,
        p_equivalent=_number(row, "p_equivalent"),
        is_equivalent=_number(row, "p_equivalent") < ALPHA,
        picture_variance=_number(row, "picture_variance"),
        **_shared(row),
    )
