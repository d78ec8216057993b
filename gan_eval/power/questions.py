"""What a planned study asks of its answers: can people tell, which model fools more, are two the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.power.design import Design, Group
from gan_eval.power.truth import Truth
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import AnalysisSettings

Scenario = Literal["assumed", "guessing", "equal_models"]
"""What is so in the simulated world: the assumed rates, no difference of real and fake, or none of models."""
TOLD_APART = "told apart"
MODELS = "models"
EQUIVALENCE = "equivalence"
MOST_PAIRS = 6
"""So many pairs of models are all compared where the study names none."""


@dataclass(frozen=True)
class Question:
    """One thing that is asked of the answers."""

    name: str
    family: str
    """`TOLD_APART` or `MODELS`; its questions are corrected together (Holm)."""
    a: tuple[int, ...]
    """Numbers of the groups whose share is compared ..."""
    b: tuple[int, ...]
    """... with that of these; none: pairs, whose share is compared with one half."""
    scenario: Scenario = "assumed"
    margin: float | None = None
    """Of equivalence: it is asked whether the difference lies within it, instead of whether it is 0."""

    @property
    def equivalence(self) -> bool:
        """Whether two things are the same, not whether they differ."""
        return self.margin is not None


def questions_of(groups: Sequence[Group], analysis: AnalysisSettings, *, where: str = "study") -> list[Question]:
    """The questions of a study.

    Single pictures: `told apart`, then `MODEL against MODEL` for the planned pairs, else for all pairs of each data
    set where they are at most `MOST_PAIRS`. Pairs of pictures: the share of choices, of each two models on each data
    set. With a margin, each again as `equivalence`.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    found = _of_choices(groups) if groups[0].is_pair else _of_single_pictures(groups, analysis, where=where)
    margin = analysis.margin
    return found if margin is None else [*found, *(_equivalence(question, margin) for question in found)]


def left_out(groups: Sequence[Group], analysis: AnalysisSettings) -> str | None:
    """A line for the user where no models are compared because nobody says which."""
    pairs = _pairs_of_models(groups)
    if groups[0].is_pair or analysis.comparisons is not None or len(pairs) <= MOST_PAIRS:
        return None
    return f"{len(pairs)} pairs of models are too many to plan for; name those that count in analysis.comparisons"


def effect_of(question: Question, design: Design, truth: Truth) -> float:
    """The true difference of shares, over all people and pictures; data sets count by their trials, as in the
    analysis."""
    shares, trials = truth.shares(), np.bincount(design.group, minlength=len(design.groups))
    if not question.b:
        return float(np.average(shares[list(question.a)], weights=trials[list(question.a)]) - 0.5)
    if question.family == MODELS:
        return float(shares[list(question.b)].mean() - shares[list(question.a)].mean())  # of calling them real
    total, weighed = 0.0, 0.0
    for dataset in sorted({group.dataset for group in design.groups}):
        a, b = ([at for at in side if design.groups[at].dataset == dataset] for side in (question.a, question.b))
        weight = float(trials[[*a, *b]].sum())
        total += weight * float(np.average(shares[a], weights=trials[a]) - np.average(shares[b], weights=trials[b]))
        weighed += weight
    return total / weighed


def _of_choices(groups: Sequence[Group]) -> list[Question]:
    """Real beside fake: are the right ones chosen; model beside model: is one of them chosen more often."""
    several = len({group.dataset for group in groups}) > 1
    if BETWEEN_MODELS not in groups[0].role:
        return [Question(TOLD_APART, TOLD_APART, tuple(range(len(groups))), ())]
    found = []
    for number, group in enumerate(groups):
        one, _, other = group.role.partition(BETWEEN_MODELS)
        found.append(Question(_pair_name(one, other, group.dataset if several else ""), MODELS, (number,), ()))
    return found


def _of_single_pictures(groups: Sequence[Group], analysis: AnalysisSettings, *, where: str) -> list[Question]:
    fakes = tuple(number for number, group in enumerate(groups) if not group.is_real)
    reals = tuple(number for number, group in enumerate(groups) if group.is_real)
    pairs = _planned_pairs(groups, analysis, where=where)
    several = len({group.dataset for group in groups}) > 1
    return [
        Question(TOLD_APART, TOLD_APART, fakes, reals),
        *(
            Question(
                _pair_name(groups[a].role, groups[b].role, groups[a].dataset if several else ""), MODELS, (a,), (b,)
            )
            for a, b in pairs
        ),
    ]


def _pair_name(one: str, other: str, dataset: str) -> str:
    return f"{one} against {other}{f' on {dataset}' if dataset else ''}"


def _planned_pairs(groups: Sequence[Group], analysis: AnalysisSettings, *, where: str) -> list[tuple[int, int]]:
    pairs = _pairs_of_models(groups)
    if analysis.comparisons is None:
        return pairs if len(pairs) <= MOST_PAIRS else []
    found = []
    for names in analysis.comparisons:
        same = [(a, b) for a, b in pairs if {groups[a].role, groups[b].role} == set(names)]
        if not same:
            known = ", ".join(sorted({group.role for group in groups if not group.is_real}))
            raise UserError(
                f"{where}: analysis.comparisons: {names[0]} and {names[1]} have no pictures of one data set; "
                f"there are {known}"
            )
        found += same
    return list(dict.fromkeys(found))


def _pairs_of_models(groups: Sequence[Group]) -> list[tuple[int, int]]:
    fakes = [number for number, group in enumerate(groups) if not group.is_real]
    return [(a, b) for a, b in combinations(fakes, 2) if groups[a].dataset == groups[b].dataset]


def _equivalence(question: Question, margin: float) -> Question:
    """Of `told apart`: within 5 points of guessing, 50 % right, is a difference of called-fake shares within 10."""
    told_apart = question.family == TOLD_APART
    scenario: Scenario = "guessing" if told_apart else "equal_models"
    wide = 2 * margin if told_apart and question.b else margin
    return Question(f"{EQUIVALENCE}: {question.name}", question.family, question.a, question.b, scenario, wide)
