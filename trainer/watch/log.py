"""The tables of a run: training_log with means of the loss terms over windows of steps, and validation."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.settings.choices import Mode
from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import Row, write_rows
from trainer.state.checkpoints import CHECKPOINTS, broke_down

ROWS = 200  # approximate number of windows in a run
MIN_WINDOW = 10
"""Minimum number of steps in a window."""
MAX_WINDOW = 50
"""Maximum number of steps in a window."""
SECONDS = 10.0
"""Minimum time between two writes after a row: the whole table is written, and a GPU's steps are short."""


class TrainingLog:
    """Rows of the table training_log, and the terms of the steps since the last row.

    Terms stay on the device until a row is written, so that no step waits for them; then one transfer fetches all.
    """

    def __init__(self, path: Path, *, facts: Row, total: int) -> None:
        self.path = path
        self.facts = facts
        self.total = total
        self.window = min(max(total // ROWS, MIN_WINDOW), MAX_WINDOW)
        """Number of steps that are averaged into one row."""
        self.latest: dict[str, float] = {}
        """Values of the last row by term."""
        self._rows: list[list[Any]] = []
        self._pending: list[Mapping[str, Tensor | float]] = []
        self._written = -math.inf

    def row_due(self, step: int) -> bool:
        """Return whether a row ends with step `step`, counted from 1."""
        return step % self.window == 0 or step == self.total

    def add(self, terms: Mapping[str, Tensor | float]) -> None:
        """Add the terms of one step, each a number or a tensor of no dimensions."""
        self._pending.append(terms)

    def end_row(self, *, step: int, epoch: int, images: int, seconds: float) -> None:
        """Average the terms since the previous row into a row for each term; for gradient norms also the maximum."""
        self.check(step)
        names = dict.fromkeys(name for terms in self._pending for name in terms)
        for name in names:
            values = [float(terms[name]) for terms in self._pending if name in terms]
            summaries = {name: math.fsum(values) / len(values)}
            if name.endswith("_gradient_norm"):
                summaries[f"{name}_max"] = max(values)
            self.latest |= summaries
            self._rows += [[step, epoch, images, term, value, seconds] for term, value in summaries.items()]
        self._pending = []

    def check(self, step: int) -> None:
        """Fetch the terms of the steps up to `step` and make sure that they are finite."""
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
                    self.write()
                    what = f"the term {name} is {value}"
                    raise broke_down(self.path.with_name(CHECKPOINTS), f"at step {number}", what)

    def write_if_old(self) -> None:
        """Write the table unless it was written in the last SECONDS."""
        if time.monotonic() - self._written >= SECONDS:
            self.write()

    def write(self) -> None:
        """Write the table, whole or not at all."""
        self._written = time.monotonic()
        names = ("step", "epoch", "images", "term", "value", "seconds")
        write_rows([dict(zip(names, row, strict=True)) | self.facts for row in self._rows], self.path, TRAINING_LOG)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint; call `check` before."""
        return {"rows": self._rows, "pending": self._pending, "latest": self.latest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self._rows, self._pending, self.latest = list(state["rows"]), list(state["pending"]), dict(state["latest"])


class ValidationLog:
    """Rows of the table validation, and the best generator so far."""

    def __init__(self, path: Path, *, facts: Row, mode: Mode) -> None:
        self.rows: list[Row] = []
        self.best: tuple[int, float] | None = None
        """Step and value of the best generator."""
        self._path = path
        self._facts = facts
        self._mode = mode

    def add(self, rows: Sequence[Row], *, step: int, epoch: int) -> None:
        """Add the values measured after `step` steps."""
        self.rows += [{"step": step, "epoch": epoch, **row, **self._facts} for row in rows]

    def value(self, metric: str, *, step: int) -> float | None:
        """Return the value measured after `step` steps in the deciding mode."""
        key = (step, metric, self._mode)
        return next((row["value"] for row in self.rows if (row["step"], row["metric"], row["mode"]) == key), None)

    def is_best(self, metric: str, *, step: int, higher_is_better: bool) -> bool:
        """Return whether the generator after `step` steps is the best so far; if so, remember it.

        The untrained generator never is, nor one whose value is missing or not finite.
        """
        value = self.value(metric, step=step)
        if value is None or not math.isfinite(value) or not step:
            return False
        if self.best is not None and (value <= self.best[1] if higher_is_better else value >= self.best[1]):
            return False
        self.best = step, value
        return True

    def write(self) -> None:
        """Write the table, whole or not at all; not without rows."""
        if self.rows:
            write_rows(self.rows, self._path, VALIDATION)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"rows": self.rows, "best": None if self.best is None else [*self.best]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.rows = list(state["rows"])
        self.best = None if state["best"] is None else (state["best"][0], state["best"][1])
