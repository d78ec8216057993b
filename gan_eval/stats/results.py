"""Results: numbers with their question, interval, p and verdict.

Whoever writes about a result reads this list, not the tables. In an analysis each statistic gives its own, of which
`paper` is a view; `results_of` reads those of stored tables.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_eval.base.inference import Estimate
from gan_eval.judgements.trials import PAIRED, TWO_MODELS
from gan_eval.stats.questions import CHOSEN
from gan_eval.stats.recruitment import ALPHA
from gan_eval.tables.cells import is_missing

if TYPE_CHECKING:
    import pandas as pd

SINGLE, RATING = "single", "rating"
EVERYTHING = "all"
"""Name of the model or data set in the row over all."""
ABOVE, EQUIVALENT, BELOW = "told apart", "equivalent to chance", "below chance"
UNDECIDED, INTERIM, NONE = "undecided", "interim", "no verdict"
VERDICTS = (ABOVE, EQUIVALENT, BELOW, UNDECIDED, INTERIM, NONE)
PRESET = "preset"
"""Origin of a rule or a margin: the study's plan."""
EXPLORATORY = "exploratory"
"""Origin of a rule or a margin that is not in the plan."""
BY_RULE = "by rule"
"""Origin of a rule or a margin that is given without a plan."""
_NAN = float("nan")
NO_ESTIMATE = Estimate(_NAN, _NAN, _NAN)
NUMBERS = {
    "fooling_rate": ("fooling", "Fooling rate, %", 100, 1),
    "real_called_real": ("real", "Real called real, %", 100, 1),
    "accuracy": ("accuracy", "Accuracy, %", 100, 1),
    "dprime": ("dprime", "d′", 1, 2),
    "chosen": ("chosen", "Chosen, % of their pairs", 100, 1),
    "preference": ("preference", "Preferred to the average model, %", 100, 1),
    "grade": ("grade", "Grade", 1, 2),
    "threshold_ms": ("threshold_ms", "Threshold, ms", 1, 0),
}
"""For each number of `paper` the prefix of its interval's columns, and for readers heading, factor and digits."""
_QUESTIONS = {SINGLE: "detection", PAIRED: "detection", TWO_MODELS: "preference", RATING: "grades"}
"""Question behind a row of `paper`, by its protocol; others: the threshold of exposure."""
_MEASURES = {"detection": "accuracy", "preference": "preference", "grades": "grade", "threshold": "threshold_ms"}
"""Number that answers it."""
_TEXTS = ("verdict", "basis", "untested", "dataset", "model", "kind")
"""Texts of a result that are columns of the same name."""


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
    verdict: str = ""
    basis: str = ""
    reason: str = ""
    """The note: a reader must know it, or it explains a missing number or verdict."""
    untested: str = ""
    protocol: str = ""
    """One of the words of `paper`; empty: a difference of `comparisons`."""
    dataset: str = ""
    model: str = ""
    kind: str = ""
    """Kind of the graded pictures; empty: not known."""
    name: str = ""
    """Name of the comparison, for readers."""
    a: str = ""
    b: str = ""
    sensitivity: str = ""
    """Whose answers are left out or added; empty: the analysis itself."""
    within: Estimate = NO_ESTIMATE
    """The number with its 90% interval."""
    simultaneous: Estimate = NO_ESTIMATE
    """The number with the interval that agrees with Holm's p."""
    p_unadjusted: float = _NAN
    p_holm: float = _NAN
    """p after Holm's correction; NaN if it is not one of several that are corrected together."""
    exploratory: bool | None = None
    """True if it is not in the plan; None: nothing was planned."""
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
    shares_reals: bool = False
    """True if the share of reals called real is from a fit of several models."""
    picture_variance: float = _NAN
    simulated: bool = False
    fraction: float = _NAN

    @property
    def p(self) -> float:
        """Holm's p, else the unadjusted one."""
        return self.p_unadjusted if is_missing(self.p_holm) else self.p_holm

    @property
    def is_known(self) -> bool:
        """True if there is a number."""
        return not is_missing(self.estimate.value)

    @property
    def is_adjusted(self) -> bool:
        """True if Holm's method has changed p."""
        return self.p > self.p_unadjusted

    @property
    def on_chance(self) -> str:
        """The verdict on a difference from chance, one of `VERDICTS`."""
        if self.verdict == INTERIM:
            return INTERIM
        if not self.verdict or is_missing(self.p):
            return NONE
        words = {"different": BELOW if self.estimate.value < 0 else ABOVE, "equivalent": EQUIVALENT}
        return words.get(self.verdict, UNDECIDED)

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
    def known(self) -> set[str]:
        """Names of the numbers that some row has."""
        return {name for each in self.every for name, number in each.numbers.items() if not is_missing(number.value)}

    @property
    def has_intervals(self) -> bool:
        """True if some row to cite has a number with an interval."""
        return any(not is_missing(number.low) for each in self.cited for number in each.numbers.values())

    @property
    def detection(self) -> list[Result]:
        """The rows of single pictures and of pairs with a real one, all models first."""
        of_detection = [each for each in self.cited if each.question == "detection"]
        return sorted(of_detection, key=lambda each: not each.is_of_all)

    def differences(self, question: str) -> list[Result]:
        """Return the differences that answer a question, without sensitivity analyses."""
        return [each for each in self.compared if each.question == question and not each.sensitivity]


def results_of(paper: "pd.DataFrame", comparisons: "pd.DataFrame | None" = None) -> Results:
    """Return the results of the tables `paper` and `comparisons`, which may be empty."""
    compared = [] if comparisons is None else [compared_result(row) for row in comparisons.to_dict("records")]
    every = [_cited(row) for row in paper.to_dict("records")]
    tests = Counter(each.protocol for each in every if not (is_missing(each.p_holm) or each.is_of_all))
    margins = {each.measure: each.margin for each in reversed(compared) if each.question == "detection" and each.margin}
    measures = {SINGLE: "called_fake", PAIRED: CHOSEN}
    every = [_judged(each, margins.get(measures.get(each.protocol, "")), tests[each.protocol]) for each in every]
    return Results(every, compared)


def _judged(each: Result, margin: Margin | None, n_tests: int) -> Result:
    """Return a row of `paper` with its margin, and the number of tests that are corrected together."""
    is_equivalent = margin is not None and all(abs(end - 0.5) < margin.size for end in each.within[1:])
    return replace(each, margin=margin, is_equivalent=is_equivalent, n_tests=1 if each.is_of_all else max(n_tests, 1))


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


def estimate_in(row: Mapping[Any, Any], value: str, low: str, high: str) -> Estimate:
    """Return the number in a row's columns, with its interval; NaN where a cell is missing."""
    return Estimate(_number(row, value), _number(row, low), _number(row, high))


def _shared(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the fields that both tables have."""
    columns = {"reason": "note"} | {name: name for name in _TEXTS}
    texts = {name: "" if is_missing(row.get(of)) else str(row[of]) for name, of in columns.items()}
    counts = {str(name): None if is_missing(n) else int(n) for name, n in row.items() if str(name).startswith("n_")}
    return texts | {
        "p_unadjusted": _number(row, "p"),
        "p_holm": _number(row, "p_holm"),
        "exploratory": None if is_missing(row.get("exploratory")) else bool(row["exploratory"]),
        "counts": counts,
        "simulated": not is_missing(row.get("simulated")) and bool(row["simulated"]),
        "fraction": _number(row, "fraction"),
    }


def own_result(row: Mapping[Any, Any], protocol: str, estimate: Estimate, **more: Any) -> Result:
    """Return the result of a statistic's row: the number that answers the question of its protocol."""
    question = _QUESTIONS.get(protocol, "threshold")
    fields = _shared(row) | {"protocol": protocol, "estimate": estimate, **more}
    return Result(question=question, measure=_MEASURES[question], **fields)


def _cited(row: Mapping[Any, Any]) -> Result:
    numbers = {
        name: estimate_in(row, name, f"{of}_low", f"{of}_high") for name, (of, *_) in NUMBERS.items() if name in row
    }
    shared = estimate_in(row, "shared_real", "shared_real_low", "shared_real_high")
    is_own = is_missing(shared.low) or shared.low == numbers["real_called_real"].low
    if not is_missing(shared.value):
        numbers["real_called_real"] = shared
    measure = _MEASURES[_QUESTIONS.get(row["protocol"], "threshold")]
    return own_result(
        row,
        row["protocol"],
        numbers.get(measure, NO_ESTIMATE),
        within=estimate_in(row, "accuracy", "accuracy90_low", "accuracy90_high"),
        numbers=numbers,
        shares_reals=not is_own,
    )


def compared_result(row: Mapping[Any, Any]) -> Result:
    """Return the result of a row of `comparisons`."""
    margin = None
    if not is_missing(row["margin"]):
        is_exploratory = not is_missing(row.get("margin_exploratory")) and bool(row["margin_exploratory"])
        source = EXPLORATORY if is_exploratory else BY_RULE if is_missing(row["exploratory"]) else PRESET
        margin = Margin(float(row["margin"]), source)
    return Result(
        question=row["question"],
        measure=row["measure"],
        estimate=estimate_in(row, "difference", "ci_low", "ci_high"),
        within=estimate_in(row, "difference", "ci90_low", "ci90_high"),
        simultaneous=estimate_in(row, "difference", "simultaneous_low", "simultaneous_high"),
        name=row["comparison"],
        a=row["a"],
        b=row["b"],
        sensitivity="" if is_missing(row.get("sensitivity")) else row["sensitivity"],
        margin=margin,
        p_equivalent=_number(row, "p_equivalent"),
        is_equivalent=_number(row, "p_equivalent") < ALPHA,
        picture_variance=_number(row, "picture_variance"),
        **_shared(row),
    )
