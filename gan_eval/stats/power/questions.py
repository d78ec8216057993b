"""Questions of a planned study; each names a row of the table `comparisons` and is answered by the code of that row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from gan_eval.errors import UserError
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.grades import HIGHER, MEAN
from gan_eval.stats.compare.questions import (
    ANY_FAKE,
    CHOSEN,
    GRADED_KINDS,
    GRADED_MODELS,
    MODELS,
    PREFERRED,
    TOLD_APART,
    TOLD_APART_IN_PAIRS,
)
from gan_eval.stats.groups import REAL
from gan_eval.stats.power.design import Group

Scenario = Literal["assumed", "guessing", "equal_models"]
"""Truth in the simulated world: the assumed rates, no difference of real and fake, or none of models."""
Asked = tuple[str, frozenset[str], str]
"""A row of the table `comparisons`: its comparison, a and b, measure."""
EQUIVALENCE = "equivalence"
MOST_PAIRS = 6
"""Largest number of pairs of models that are all compared, and of models whose detection is tested one by one."""


@dataclass(frozen=True)
class PlannedQuestion:
    """One question about the answers."""

    name: str
    family: str
    """Its questions are corrected together (Holm)."""
    asked: Asked
    a: tuple[int, ...]
    """Numbers of the groups whose answers are compared ..."""
    b: tuple[int, ...]
    """... with those of these; none: pairs, whose share is compared with one half."""
    of_models: bool = False
    """Models are compared, not fakes with reals."""
    scenario: Scenario = "assumed"
    equivalence: bool = False
    """True: the question is whether two things are the same."""

    @property
    def measure(self) -> str:
        """The number that is compared."""
        return self.asked[2]


def questions_of(
    groups: Sequence[Group], analysis: AnalysisSettings, *, graded: bool = False, where: str = "study"
) -> list[PlannedQuestion]:
    """Return the questions of a study.

    Single pictures: `told apart`, at most `MOST_PAIRS` models one by one, and `MODEL against MODEL` for the planned
    pairs, else for all pairs of each data set if they are at most `MOST_PAIRS`. Grades: the same, by data set, in both
    measures. Pairs of pictures: the share of choices over all, by data set and by model. With a margin, each question
    also as `equivalence`.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    asked = _of_pairs if groups[0].is_pair else _of_grades if graded else _of_pictures
    questions = list(asked(groups, analysis, where))
    if analysis.margin is None:
        return questions
    return questions + [
        replace(
            question,
            name=f"{EQUIVALENCE}: {question.name}",
            scenario="equal_models" if question.of_models else "guessing",
            equivalence=True,
        )
        for question in questions
    ]


_CALLED_FAKE = "called_fake"


def _of_pictures(groups: Sequence[Group], analysis: AnalysisSettings, where: str) -> Iterator[PlannedQuestion]:
    def told_apart(model: str, on: str, a: Sequence[int], b: Sequence[int]) -> PlannedQuestion:
        asked = (f"{model} {TOLD_APART} on {on}", frozenset((model, REAL)), _CALLED_FAKE)
        name = f"{model} {TOLD_APART}{_on(groups, a[0])}"
        return PlannedQuestion(name, f"MODEL {TOLD_APART}", asked, tuple(a), tuple(b))

    fakes, reals = _fakes(groups), [at for at, group in enumerate(groups) if group.is_real]
    asked = (TOLD_APART, frozenset(("fake", REAL)), _CALLED_FAKE)
    yield PlannedQuestion(TOLD_APART, TOLD_APART, asked, tuple(fakes), tuple(reals))
    if 1 < len(fakes) <= MOST_PAIRS:
        for at in fakes:
            on = groups[at].dataset
            yield told_apart(groups[at].role, on, [at], [real for real in reals if groups[real].dataset == on])
    for first, second in _planned_pairs(groups, analysis, where=where):
        a, b = groups[first].role, groups[second].role
        asked = (f"{MODELS} on {groups[first].dataset}", frozenset((a, b)), "fooling_rate")
        yield PlannedQuestion(f"{a} against {b}{_on(groups, first)}", MODELS, asked, (first,), (second,), True)


def _of_grades(groups: Sequence[Group], analysis: AnalysisSettings, where: str) -> Iterator[PlannedQuestion]:
    fakes = _fakes(groups)
    for measure in (HIGHER, MEAN):
        for dataset in sorted({group.dataset for group in groups}):
            own = [at for at, group in enumerate(groups) if group.dataset == dataset]
            a, b = (tuple(at for at in own if (at in fakes) is side) for side in (True, False))
            asked = (f"grades on {dataset}", frozenset(("fake", REAL)), measure)
            name = f"fakes against reals{_on(groups, own[0])}: {measure}"
            yield PlannedQuestion(name, f"{GRADED_KINDS}: {measure}", asked, a, b)
        for first, second in _planned_pairs(groups, analysis, where=where):
            names = groups[first].role, groups[second].role
            asked = (f"{GRADED_MODELS} on {groups[first].dataset}", frozenset(names), measure)
            name = f"{' against '.join(names)}{_on(groups, first)}: {measure}"
            yield PlannedQuestion(name, f"{GRADED_MODELS}: {measure}", asked, (first,), (second,), True)


def _of_pairs(groups: Sequence[Group], analysis: AnalysisSettings, where: str) -> Iterator[PlannedQuestion]:
    if BETWEEN_MODELS in groups[0].role:
        for at, group in enumerate(groups):
            names = group.role.split(BETWEEN_MODELS)
            asked = (f"{PREFERRED} on {group.dataset}", frozenset(names), CHOSEN)
            yield PlannedQuestion(f"{' against '.join(names)}{_on(groups, at)}", PREFERRED, asked, (at,), (), True)
        return
    asked = (TOLD_APART_IN_PAIRS, frozenset(("real", ANY_FAKE)), CHOSEN)
    yield PlannedQuestion(TOLD_APART, TOLD_APART_IN_PAIRS, asked, tuple(range(len(groups))), ())
    if len(groups) > MOST_PAIRS:
        return
    datasets = sorted({group.dataset for group in groups})
    for dataset in datasets:
        own = [at for at, group in enumerate(groups) if group.dataset == dataset]
        of_models = [((at,), groups[at].role) for at in own] if len(own) > 1 else []
        for a, fake in [*([(tuple(own), ANY_FAKE)] if len(datasets) > 1 else []), *of_models]:
            asked = (f"{TOLD_APART_IN_PAIRS} on {dataset}", frozenset(("real", fake)), CHOSEN)
            name = f"{'' if fake == ANY_FAKE else f'{fake} '}{TOLD_APART}{_on(groups, a[0])}"
            yield PlannedQuestion(name, f"{TOLD_APART_IN_PAIRS} on", asked, a, ())


def _on(groups: Sequence[Group], at: int) -> str:
    """Return ` on DATASET` if there are several data sets."""
    return f" on {groups[at].dataset}" if len({group.dataset for group in groups}) > 1 else ""


def _fakes(groups: Sequence[Group]) -> list[int]:
    return [at for at, group in enumerate(groups) if not group.is_real]


def _planned_pairs(groups: Sequence[Group], analysis: AnalysisSettings, *, where: str) -> list[tuple[int, int]]:
    pairs = _pairs_of_models(groups)
    if analysis.comparisons is None:
        return pairs if len(pairs) <= MOST_PAIRS else []
    planned = []
    for names in analysis.comparisons:
        same = [(a, b) for a, b in pairs if {groups[a].role, groups[b].role} == set(names)]
        if not same:
            known = ", ".join(sorted({group.role for group in groups if not group.is_real}))
            raise UserError(
                f"{where}: analysis.comparisons: {names[0]} and {names[1]} have no pictures of one data set; "
                f"there are {known}"
            )
        planned += same
    return list(dict.fromkeys(planned))


def _pairs_of_models(groups: Sequence[Group]) -> list[tuple[int, int]]:
    return [(a, b) for a, b in combinations(_fakes(groups), 2) if groups[a].dataset == groups[b].dataset]
