"""Design of a planned study as it is simulated: its groups of pictures, its trials and its questions."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gan_eval.tables.names import REAL, Role


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
