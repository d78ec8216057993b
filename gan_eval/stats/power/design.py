"""Design of a planned study: its pool, the participants' lists from the quiz's draw, and its questions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.quiz.draw.choose import possible_counts
from gan_eval.quiz.draw.offers import BETWEEN_MODELS, REAL, Role, pools_of
from gan_eval.quiz.draw.rounds import choices, never_shown
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
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
from gan_eval.tables.frames import Row


def require_power_is_defined(settings: QuizSettings, *, where: str) -> None:
    """Refuse protocols whose exposures follow the answers."""
    if settings.protocol in ADAPTIVE_PROTOCOLS:
        raise UserError(
            f"{where}: quiz.protocol: power is not defined for {settings.protocol}: its exposures follow the "
            "answers, so that all participants end near one share of right answers with any pictures; plan with "
            "quick_response, yes_no, rating, paired or model_vs_model"
        )


def planned_stimuli(versions: Iterable[tuple[str, str]], size: int) -> list[Row]:
    """Return the rows of a pool that does not exist yet.

    Args:
        versions: (data set, model) of each stimulus set.
        size: number of items of each data set, each real and from each of its models.
    """
    known = sorted(set(versions))
    real = sorted({(dataset, "") for dataset, _ in known})
    return [
        {
            "stimulus": f"{dataset}/{model or 'real'}/{number}",
            "item": f"{dataset}/{number}",
            "kind": "fake" if model else "real",
            "model": model or None,
            "dataset": dataset,
            "sha256": "",
        }
        for dataset, model in [*real, *known]
        for number in range(size)
    ]


def versions_of(study: Study, rows: Sequence[Row] = ()) -> list[tuple[str, str]]:
    """Return the pairs (data set, model) of the study's own models, and of the fakes among rows of imported sets."""
    own = [(model.data, name) for name, model in study.models.items()]
    imported = [(row["dataset"], row["model"]) for row in rows if row["kind"] == "fake"]
    return list(dict.fromkeys([*own, *imported]))


@dataclass(frozen=True)
class Group:
    """Stimuli of one data set and role."""

    dataset: str
    role: Role
    """`REAL`, a model's name, or two models' names."""
    size: int
    """Number of stimuli (or pairs) in the pool."""
    is_pair: bool = False
    """True: a trial shows two pictures."""

    @property
    def is_real(self) -> bool:
        """True for single real pictures."""
        return self.role == REAL


@dataclass(frozen=True)
class Design:
    """All main trials of a study, sorted by participant."""

    groups: tuple[Group, ...]
    participant: np.ndarray
    """(N,) int, 0.., in the order of the lists."""
    stimulus: np.ndarray
    """(N,) int, index of the stimulus or pair in the pool."""
    stimulus_group: np.ndarray
    """(S,) int, the group of each stimulus of the pool."""
    item: np.ndarray
    """(S,) int, the item of each stimulus of the pool."""
    trials: int
    """Number of trials of each participant."""
    grades: int = 0
    """Number of grades, from 1; 0: pictures are not graded."""
    warnings: tuple[str, ...] = ()
    """Warnings of the draw on pools that are too small."""

    @property
    def group(self) -> np.ndarray:
        """(N,) int, the group of each trial."""
        return self.stimulus_group[self.stimulus]

    def first(self, participants: int) -> "Design":
        """Return the trials of the first participants."""
        return self.only(np.arange(participants * self.trials))

    def only(self, chosen: np.ndarray) -> "Design":
        """Return the chosen trials, given as indices or (N,) bool."""
        return replace(self, participant=self.participant[chosen], stimulus=self.stimulus[chosen])


def deal_design(stimuli: Iterable[Row], settings: QuizSettings, *, seed: int, participants: int) -> Design:
    """Deal lists 1 to `participants`.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`.
        seed: the study's, so that the lists are those that people will get.

    Raises:
        UserError: a data set lacks a class of pictures, or has too few items under `strict_counts`.
    """
    pools = pools_of(stimuli, settings)
    groups: list[Group] = []
    stimuli_of_lists: list[np.ndarray] = []
    items: list[int] = []
    number_of_item: dict[str, int] = {}
    warnings: list[str] = []
    start = 0
    for name in sorted(pools):
        pool = pools[name]
        counts, warning = possible_counts(pool, settings)
        warnings += [line for line in (warning, never_shown(pool, counts)) if line]
        number: dict[tuple[Role, str], int] = {}
        for role in sorted(pool.roles):
            number |= {(role, item): start + len(number) + at for at, item in enumerate(sorted(pool.roles[role]))}
            items += [number_of_item.setdefault(item, len(number_of_item)) for item in sorted(pool.roles[role])]
            groups.append(Group(name, role, len(pool.roles[role]), settings.shows_pairs))
        lists = islice(choices(pool, counts, seed=seed), participants)
        stimuli_of_lists.append(np.array([[number[key] for key in chosen] for chosen in lists]))
        start += len(number)
    stimulus = np.hstack(stimuli_of_lists)
    return Design(
        groups=tuple(groups),
        participant=np.repeat(np.arange(participants), stimulus.shape[1]),
        stimulus=stimulus.ravel(),
        stimulus_group=np.repeat(np.arange(len(groups)), [group.size for group in groups]),
        item=np.array(items),
        trials=stimulus.shape[1],
        grades=settings.grades if settings.protocol == "rating" else 0,
        warnings=tuple(warnings),
    )


Scenario = Literal["assumed", "guessing", "equal_models"]
"""Truth of a simulation: the assumed rates, no difference of real and fake, or no difference of models."""
Asked = tuple[str, frozenset[str], str]
"""Key of a row of the table `comparisons`: comparison, a and b, measure."""
MOST_PAIRS = 6
"""Maximum number of pairs of models to compare, and of models to test one by one."""


@dataclass(frozen=True)
class PlannedQuestion:
    """One question about the answers: a row of the table `comparisons`, answered by the code of that row."""

    name: str
    family: str
    """Questions that are corrected together (Holm)."""
    asked: Asked
    a: tuple[int, ...]
    """Indices of the groups of a."""
    b: tuple[int, ...] = ()
    """Indices of the groups of b; empty: a is pairs, whose share is compared with one half."""
    of_models: bool = False
    """True: models are compared, not fakes with reals."""
    scenario: Scenario = "assumed"
    equivalence: bool = False
    """True: the question is equivalence, not a difference."""

    @property
    def measure(self) -> str:
        """The number that is compared."""
        return self.asked[2]


def questions_of(
    groups: Sequence[Group], analysis: AnalysisSettings, *, graded: bool = False, where: str = "study"
) -> list[PlannedQuestion]:
    """Return the questions of a study.

    Single pictures: `told apart`, at most `MOST_PAIRS` models one by one, and `MODEL against MODEL` for the planned
    pairs. Without planned pairs, all pairs of each data set are compared if there are at most `MOST_PAIRS`. Grades: the
    same by data set, in both measures. Pairs of pictures: the share of choices over all, by data set and by model. With
    a margin, there is a question on equivalence for each of these.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    if groups[0].is_pair:
        questions = [*_of_pairs(groups)]
    else:
        asked = _of_grades if graded else _of_pictures
        questions = [*asked(groups, _planned_pairs(groups, analysis, where))]
    if analysis.margin is None:
        return questions
    return questions + [
        replace(
            question,
            name=f"equivalence: {question.name}",
            scenario="equal_models" if question.of_models else "guessing",
            equivalence=True,
        )
        for question in questions
    ]


def _of_pictures(groups: Sequence[Group], pairs: Sequence[tuple[int, int]]) -> Iterator[PlannedQuestion]:
    fakes, reals = (tuple(at for at, group in enumerate(groups) if group.is_real == side) for side in (False, True))
    asked = (TOLD_APART, frozenset(("fake", "real")), "called_fake")
    yield PlannedQuestion(TOLD_APART, TOLD_APART, asked, fakes, reals)
    for at in fakes if 1 < len(fakes) <= MOST_PAIRS else ():
        model, on = groups[at].role, groups[at].dataset
        asked = (f"{model} {TOLD_APART} on {on}", frozenset((model, "real")), "called_fake")
        own = tuple(real for real in reals if groups[real].dataset == on)
        yield PlannedQuestion(f"{model} {TOLD_APART}{_on(groups, at)}", f"MODEL {TOLD_APART}", asked, (at,), own)
    for first, second in pairs:
        a, b = groups[first].role, groups[second].role
        asked = (f"{MODELS} on {groups[first].dataset}", frozenset((a, b)), "fooling_rate")
        name = f"{a} against {b}{_on(groups, first)}"
        yield PlannedQuestion(name, MODELS, asked, (first,), (second,), of_models=True)


def _of_grades(groups: Sequence[Group], pairs: Sequence[tuple[int, int]]) -> Iterator[PlannedQuestion]:
    for measure in (HIGHER, MEAN):
        for dataset in sorted({group.dataset for group in groups}):
            fakes, reals = (
                tuple(at for at, group in enumerate(groups) if (group.dataset, group.is_real) == (dataset, side))
                for side in (False, True)
            )
            asked = (f"grades on {dataset}", frozenset(("fake", "real")), measure)
            name = f"fakes against reals{_on(groups, fakes[0])}: {measure}"
            yield PlannedQuestion(name, f"{GRADED_KINDS}: {measure}", asked, fakes, reals)
        for first, second in pairs:
            names = groups[first].role, groups[second].role
            asked = (f"{GRADED_MODELS} on {groups[first].dataset}", frozenset(names), measure)
            name = f"{' against '.join(names)}{_on(groups, first)}: {measure}"
            family = f"{GRADED_MODELS}: {measure}"
            yield PlannedQuestion(name, family, asked, (first,), (second,), of_models=True)


def _of_pairs(groups: Sequence[Group]) -> Iterator[PlannedQuestion]:
    if BETWEEN_MODELS in groups[0].role:
        for at, group in enumerate(groups):
            names = group.role.split(BETWEEN_MODELS)
            asked = (f"{PREFERRED} on {group.dataset}", frozenset(names), CHOSEN)
            name = f"{' against '.join(names)}{_on(groups, at)}"
            yield PlannedQuestion(name, PREFERRED, asked, (at,), of_models=True)
        return
    asked = (TOLD_APART_IN_PAIRS, frozenset(("real", ANY_FAKE)), CHOSEN)
    yield PlannedQuestion(TOLD_APART, TOLD_APART_IN_PAIRS, asked, tuple(range(len(groups))))
    if len(groups) > MOST_PAIRS:
        return
    datasets = sorted({group.dataset for group in groups})
    for dataset in datasets:
        own = tuple(at for at, group in enumerate(groups) if group.dataset == dataset)
        of_models = [((at,), groups[at].role) for at in own] if len(own) > 1 else []
        for a, fake in [*([(own, ANY_FAKE)] if len(datasets) > 1 else []), *of_models]:
            asked = (f"{TOLD_APART_IN_PAIRS} on {dataset}", frozenset(("real", fake)), CHOSEN)
            name = f"{'' if fake == ANY_FAKE else f'{fake} '}{TOLD_APART}{_on(groups, a[0])}"
            yield PlannedQuestion(name, f"{TOLD_APART_IN_PAIRS} on", asked, a)


def _on(groups: Sequence[Group], at: int) -> str:
    """Return ` on DATASET` if there are several data sets, else nothing."""
    return f" on {groups[at].dataset}" if len({group.dataset for group in groups}) > 1 else ""


def _planned_pairs(groups: Sequence[Group], analysis: AnalysisSettings, where: str) -> list[tuple[int, int]]:
    """Return the pairs of models of one data set: those of the plan, else all if there are at most `MOST_PAIRS`."""
    fakes = [at for at, group in enumerate(groups) if not group.is_real]
    pairs = [(a, b) for a, b in combinations(fakes, 2) if groups[a].dataset == groups[b].dataset]
    if analysis.comparisons is None:
        return pairs if len(pairs) <= MOST_PAIRS else []
    planned = []
    for names in analysis.comparisons:
        same = [(a, b) for a, b in pairs if {groups[a].role, groups[b].role} == set(names)]
        if not same:
            known = ", ".join(sorted({groups[at].role for at in fakes}))
            raise UserError(
                f"{where}: analysis.comparisons: {names[0]} and {names[1]} have no pictures of one data set; "
                f"there are {known}"
            )
        planned += same
    return list(dict.fromkeys(planned))
