"""Design of a planned study: its pool, the participants' lists from the quiz's draw, and its questions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.quiz.draw.choose import possible_counts
from gan_eval.quiz.draw.offers import REAL, Role, pools_of
from gan_eval.quiz.draw.rounds import choices, never_shown
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.tables.frames import Row


def require_power_is_defined(settings: QuizSettings, *, where: str) -> None:
    """Refuse protocols whose exposures follow the answers."""
    if settings.protocol in ADAPTIVE_PROTOCOLS:
        raise UserError(
            f"{where}: quiz.protocol: power is not defined for {settings.protocol}: its exposures follow the "
            "answers, so that all participants end near one share of correct answers with any pictures; plan with "
            "quick_response, yes_no, rating, paired or model_vs_model"
        )


def planned_stimuli(versions: Iterable[tuple[str, str]], size: int) -> list[Row]:
    """Return the rows of a pool that does not exist yet.

    Args:
        versions: (data set, model) of each stimulus set.
        size: number of items of each data set, each real and from each of its models.
    """
    models = sorted(set(versions))
    if not models:
        raise UserError("no models are known; give those of the imported sets too (`versions_of` with their rows)")
    real = sorted({(dataset, "") for dataset, _ in models})
    return [
        {
            "stimulus": f"{dataset}/{model or 'real'}/{number}",
            "item": f"{dataset}/{number}",
            "kind": "fake" if model else "real",
            "model": model or None,
            "dataset": dataset,
            "sha256": "",
        }
        for dataset, model in [*real, *models]
        for number in range(size)
    ]


def versions_of(study: Study, rows: Sequence[Row] = ()) -> list[tuple[str, str]]:
    """Return the pairs (data set, model) of the study's own models, and of the fakes among rows of imported sets."""
    trained = [(model.data, name) for name, model in study.models.items()]
    imported = [(row["dataset"], row["model"]) for row in rows if row["kind"] == "fake"]
    return list(dict.fromkeys([*trained, *imported]))


@dataclass(frozen=True)
class SimulatedGroup:
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
class StudyDesign:
    """All main trials of a study, sorted by participant."""

    groups: tuple[SimulatedGroup, ...]
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

    def first(self, participants: int) -> "StudyDesign":
        """Return the trials of the first participants."""
        return self.only(np.arange(participants * self.trials))

    def only(self, chosen: np.ndarray) -> "StudyDesign":
        """Return the chosen trials, given as indices or (N,) bool."""
        return replace(self, participant=self.participant[chosen], stimulus=self.stimulus[chosen])


def deal_design(stimuli: Iterable[Row], settings: QuizSettings, *, seed: int, participants: int) -> StudyDesign:
    """Deal lists 1 to `participants`.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`.
        seed: the study's, so that the lists are those that people will get.

    Raises:
        UserError: a data set lacks a class of pictures, or has too few items under `strict_counts`.
    """
    pools = pools_of(stimuli, settings)
    groups: list[SimulatedGroup] = []
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
            groups.append(SimulatedGroup(name, role, len(pool.roles[role]), settings.shows_pairs))
        lists = islice(choices(pool, counts, seed=seed), participants)
        stimuli_of_lists.append(np.array([[number[key] for key in chosen] for chosen in lists]))
        start += len(number)
    stimulus = np.hstack(stimuli_of_lists)
    return StudyDesign(
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
