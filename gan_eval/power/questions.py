"""What a planned study asks of its answers: can people tell, which model fools more, are two the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.multiple_tests import holm
from gan_eval.power.design import Group
from gan_eval.quiz.draw.offers import BETWEEN_MODELS
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.contrast import ALPHA
from gan_eval.stats.compare.questions import MODELS, TOLD_APART

Scenario = Literal["assumed", "guessing", "equal_models"]
"""What is so in the simulated world: the assumed rates, no difference of real and fake, or none of models."""
EQUIVALENCE = "equivalence"
MOST_PAIRS = 6
"""So many pairs of models are all compared where the study names none."""


@dataclass(frozen=True)
class PlannedQuestion:
    """One thing that will be asked of the answers."""

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


def questions_of(groups: Sequence[Group], analysis: AnalysisSettings, *, where: str = "study") -> list[PlannedQuestion]:
    """The questions of a study.

    Single pictures: `told apart`, then `MODEL against MODEL` for the planned pairs, else for all pairs of each data
    set where they are at most `MOST_PAIRS`. Pairs of pictures: the share of choices, of each two models on each data
    set. With a margin, each again as `equivalence`.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    everything = range(len(groups))
    several = len({group.dataset for group in groups}) > 1
    of_models: list[tuple[str, str, tuple[int, ...], tuple[int, ...]]] = []
    questions = []
    if not groups[0].is_pair:
        fakes, reals = (tuple(at for at in everything if groups[at].is_real is real) for real in (False, True))
        questions.append(PlannedQuestion(TOLD_APART, TOLD_APART, fakes, reals))
        of_models = [
            (groups[a].role, groups[b].role, (a,), (b,)) for a, b in _planned_pairs(groups, analysis, where=where)
        ]
    elif BETWEEN_MODELS in groups[0].role:
        for at in everything:
            first, _, second = groups[at].role.partition(BETWEEN_MODELS)
            of_models.append((first, second, (at,), ()))
    else:
        questions.append(PlannedQuestion(TOLD_APART, TOLD_APART, tuple(everything), ()))
    for first, second, a, b in of_models:
        name = f"{first} against {second}{f' on {groups[a[0]].dataset}' if several else ''}"
        questions.append(PlannedQuestion(name, MODELS, a, b))
    if analysis.margin is None:
        return questions
    for question in list(questions):
        told_apart = question.family == TOLD_APART
        # within 5 points of guessing, 50 % right, is a difference of called-fake shares within 10
        margin = analysis.margin * (2 if told_apart and question.b else 1)
        scenario: Scenario = "guessing" if told_apart else "equal_models"
        name = f"{EQUIVALENCE}: {question.name}"
        questions.append(PlannedQuestion(name, question.family, question.a, question.b, scenario, margin))
    return questions


def omitted_pairs_message(groups: Sequence[Group], analysis: AnalysisSettings) -> str | None:
    """A line for the user where no models are compared because nobody says which."""
    pairs = _pairs_of_models(groups)
    if groups[0].is_pair or analysis.comparisons is not None or len(pairs) <= MOST_PAIRS:
        return None
    return f"{len(pairs)} pairs of models are too many to plan for; name those that count in analysis.comparisons"


def answered_positively(questions: Sequence[PlannedQuestion], p: np.ndarray, p_equivalent: np.ndarray) -> np.ndarray:
    """(..., Q) bool: different, or equivalent where that is asked; false where there is no p.

    The differences of a family are corrected together (Holm), as in the table `comparisons`.

    Args:
        questions: Q of them.
        p: (..., Q) of the differences.
        p_equivalent: (..., Q) of the tests of equivalence.
    """
    adjusted = np.full(p.shape, np.nan)
    for family in {question.family for question in questions}:
        own = [at for at, question in enumerate(questions) if question.family == family and not question.equivalence]
        if own:
            adjusted[..., own] = holm(p[..., own])
    is_equivalence = np.array([question.equivalence for question in questions])
    return np.asarray(np.where(is_equivalence, p_equivalent, adjusted) < ALPHA)


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
    fakes = [number for number, group in enumerate(groups) if not group.is_real]
    return [(a, b) for a, b in combinations(fakes, 2) if groups[a].dataset == groups[b].dataset]
