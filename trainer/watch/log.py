"""The training log: means of the loss terms over windows of steps, and the largest norms of the gradients there."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.tables import TRAINING_LOG
from gan_eval.tabular import Row, write_rows
from trainer.state.checkpoints import CHECKPOINTS, broke_down

ROWS = 200
"""About so many windows in a run,"""
SHORTEST, LONGEST = 10, 50
"""of at least and at most so many steps."""


def window_of(total: int) -> int:
    """The number of steps that are averaged into one row.

    >>> window_of(100), window_of(4900), window_of(50_000)
    (10, 24, 50)
    """
    return min(max(total // ROWS, SHORTEST), LONGEST)


class TrainingLog:
    """Rows of the table training_log, and the terms of the steps since the last row.

    Terms may stay on the device until a row is made, so that no step waits for them; then all come at once.
    """

    def __init__(self, path: Path, *, facts: Row, total: int) -> None:
        """
        Args:
            path: the table's file.
            facts: what every row names beside its number.
            total: steps of the run.
        """
        self.path = path
        self.facts = facts
        self.total = total
        self.window = window_of(total)
        self.latest: dict[str, float] = {}
        """The terms of the last row."""
        self.means: list[dict[str, float]] = []
        """The terms of all rows."""
        self._rows: list[list[Any]] = []
        self._pending: list[Mapping[str, Tensor | float]] = []

    def row_due(self, step: int) -> bool:
        """Whether a row ends with step `step`, counted from 1."""
        return step % self.window == 0 or step == self.total

    def add(self, terms: Mapping[str, Tensor | float]) -> None:
        """Take the terms of one step, each a number or a tensor of no dimensions."""
        self._pending.append(terms)

    def end_row(self, *, step: int, epoch: int, images: int, seconds: float) -> None:
        """Average the terms since the previous row into a row for each term; of a gradient's norm also the largest.

        Raises:
            UserError: a term is not finite; the message names step and term.
        """
        self.check(step)
        names = dict.fromkeys(name for terms in self._pending for name in terms)
        for name in names:
            values = [float(terms[name]) for terms in self._pending if name in terms]
            summaries = {name: math.fsum(values) / len(values)}
            if name.endswith("_gradient_norm"):
                summaries[f"{name}_max"] = max(values)
            self.latest |= summaries
            self._rows += [[step, epoch, images, term, value, seconds] for term, value in summaries.items()]
        self.means.append(dict(self.latest))
        self._pending = []

    def check(self, step: int) -> None:
        """Fetch the terms of the steps up to `step` and make sure that they are finite.

        Raises:
            UserError: a term is not finite.
        """
        first = step - len(self._pending) + 1
        on_device = [value for terms in self._pending for value in terms.values() if isinstance(value, Tensor)]
        fetched = iter(torch.stack(on_device).tolist() if on_device else [])
        self._pending = [
            {name: next(fetched) if isinstance(value, Tensor) else float(value) for name, value in terms.items()}
            for terms in self._pending
        ]
        for number, terms in enumerate(self._pending, start=first):
            for name, value in terms.items():
                if not math.isfinite(float(value)):
                    what = f"the term {name} is {value}"
                    raise broke_down(self.path.with_name(CHECKPOINTS), f"at step {number}", what)

    def write(self) -> None:
        """Write the table, whole or not at all."""
        write_rows(self.rows(), self.path, TRAINING_LOG)

    def rows(self, first: int = 0) -> list[Row]:
        """The table's rows, from row `first` on."""
        names = ("step", "epoch", "images", "term", "value", "seconds")
        return [dict(zip(names, row, strict=True)) | self.facts for row in self._rows[first:]]

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold for the log to go on as if nothing had happened; call `check` before."""
        return {"rows": self._rows, "pending": self._pending, "means": self.means}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._rows, self._pending, self.means = list(state["rows"]), list(state["pending"]), list(state["means"])
        self.latest = dict(self.means[-1]) if self.means else {}
