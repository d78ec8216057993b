"""What a run finds out about itself: validation values, which generator was the best so far, and two warnings, given
once each while there is time to stop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_eval.settings.training import Mode
from gan_eval.tables import TRAINING_WARNINGS, VALIDATION
from gan_eval.tabular import Row, write_rows
from trainer.watch.validation import DIVERSITY

OVERPOWERS, DIVERSITY_LOST = "discriminator_overpowers", "diversity_lost"

LOSS_NEAR_ZERO, ACCURACY_NEAR_ONE = 0.1, 0.95
"""The discriminator's two losses together, and its accuracy."""
ROWS = 5
"""That many rows of the log in a row."""
LEAST_DIVERSITY = 0.5
"""Diversity below this share of its highest value so far is lost."""
VALIDATIONS = 3
"""Judged from that many measurements on."""


@dataclass(frozen=True)
class Best:
    """The generator that the chosen validation metric prefers."""

    step: int
    value: float


class Findings:
    """Rows of the tables validation and training_warnings, and the best generator so far."""

    def __init__(self, folder: Path, *, fraction: float, facts: Row | None = None, mode: Mode = "train") -> None:
        """
        Args:
            folder: the run's.
            fraction: of the planned training.
            facts: what every row of the table validation names beside its number.
            mode: the one that decides, of those in which the generator is measured.
        """
        self.best: Best | None = None
        self.validation: list[Row] = []
        """Rows of the table validation."""
        self._folder = folder
        self._fraction = fraction
        self._facts = facts or {}
        self._mode = mode
        self._warnings: list[Row] = []

    def add_validation(self, rows: Sequence[Row], *, step: int, epoch: int) -> None:
        """Take the values measured after `step` steps."""
        self.validation += [
            {"step": step, "epoch": epoch, **row, **self._facts, "fraction": self._fraction} for row in rows
        ]

    def value(self, metric: str, *, step: int) -> float | None:
        """What was measured after `step` steps."""
        return next((row["value"] for row in self._validation_rows(metric) if row["step"] == step), None)

    def is_best(self, metric: str, *, step: int, higher_is_better: bool) -> bool:
        """Whether the generator after `step` steps is better than every one before; if so it is the best now.

        The untrained one is not, nor one whose value could not be had or is no finite number.
        """
        value = self.value(metric, step=step)
        if value is None or not math.isfinite(value) or not step:
            return False
        if self.best is not None and (value <= self.best.value if higher_is_better else value >= self.best.value):
            return False
        self.best = Best(step, value)
        return True

    def new_warnings(self, means: Sequence[dict[str, float]], *, step: int) -> list[str]:
        """The warnings that are due after `step` steps and were not given before, as messages.

        Args:
            means: the rows of the training log, each as a dict of its terms.
        """
        details = {
            OVERPOWERS: overpowered(means),
            DIVERSITY_LOST: diversity_lost(self._validation_rows(DIVERSITY)),
        }
        given = {row["warning"] for row in self._warnings}
        new = {name: detail for name, detail in details.items() if detail is not None and name not in given}
        self._warnings += [
            {"step": step, "warning": name, "detail": detail, "fraction": self._fraction}
            for name, detail in new.items()
        ]
        return [f"step {step}: {name.replace('_', ' ')}: {detail}" for name, detail in new.items()]

    def _validation_rows(self, metric: str) -> list[Row]:
        return [row for row in self.validation if row["metric"] == metric and row["mode"] == self._mode]

    def write(self) -> None:
        """Write the tables that have rows, each whole or not at all."""
        if self.validation:
            write_rows(self.validation, self._folder / "validation.csv", VALIDATION)
        if self._warnings:
            write_rows(self._warnings, self._folder / "training_warnings.csv", TRAINING_WARNINGS)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        best = None if self.best is None else [self.best.step, self.best.value]
        return {"validation": self.validation, "warnings": self._warnings, "best": best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.validation, self._warnings = list(state["validation"]), list(state["warnings"])
        self.best = None if state["best"] is None else Best(*state["best"])


def overpowered(rows: Sequence[dict[str, float]]) -> str | None:
    """Whether the discriminator overpowers the generator: a message with the numbers, or None.

    Args:
        rows: the means of the loss terms by name, one dict for each row of the log, the latest last.
    """
    recent = [row for row in rows[-ROWS:] if "d_accuracy" in row]
    if len(recent) < ROWS:
        return None
    loss = max(row["d_real"] + row["d_fake"] for row in recent)
    accuracy = min(row["d_accuracy"] for row in recent)
    if loss > LOSS_NEAR_ZERO or accuracy < ACCURACY_NEAR_ONE:
        return None
    return (
        f"for {ROWS} rows of the log its loss was at most {loss:.3g} and its accuracy at least {accuracy:.3f}; "
        "the generator learns little from it"
    )


def diversity_lost(rows: Sequence[Row]) -> str | None:
    """Whether the samples lose diversity: a message with the numbers, or None.

    Args:
        rows: of the table validation for the metric diversity in one mode, the latest last.
    """
    values = [(row["value"], row["step"]) for row in rows if row["value"] is not None and row["step"] > 0]
    if len(values) < VALIDATIONS:
        return None
    (highest, at), (now, _) = max(values), values[-1]
    if now >= LEAST_DIVERSITY * highest:
        return None
    return f"the pictures' diversity is {now:.3g}, it was {highest:.3g} at step {at}; the modes may be collapsing"
