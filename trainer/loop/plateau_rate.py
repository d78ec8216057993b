"""Lower learning rates when validation stops improving (ReduceLROnPlateau)."""

import math
from typing import Any

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import ReduceLROnPlateau

from gan_eval.settings.training import TrainingSettings


class PlateauRate:
    """The share of the learning rates that is left: PyTorch's scheduler decides, by best_metric."""

    def __init__(self, settings: TrainingSettings) -> None:
        self._patience = settings.plateau_patience
        self._rate = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        """Its learning rate is the share; it has nothing to learn."""
        self._scheduler = ReduceLROnPlateau(
            self._rate,
            factor=settings.plateau_factor,
            patience=settings.plateau_patience or 0,
            threshold=0.0,
            threshold_mode="abs",
            eps=0.0,
        )

    @property
    def factor(self) -> float:
        """In (0, 1]: both learning rates are multiplied by it."""
        return float(self._rate.param_groups[0]["lr"])

    def told(self, value: float | None, *, step: int, higher_is_better: bool) -> bool:
        """Take the value measured after `step` steps; returns whether the rates are lowered.

        The untrained generator's does not count, nor a value that could not be had.
        """
        if self._patience is None or value is None or not step or not math.isfinite(value):
            return False
        before = self.factor
        self._scheduler.step(-value if higher_is_better else value)
        return self.factor < before

    def state_dict(self) -> dict[str, Any]:
        """What it goes on from."""
        return {
            "factor": self.factor,
            "best": float(self._scheduler.best),
            "bad": self._scheduler.num_bad_epochs,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._rate.param_groups[0]["lr"] = state["factor"]
        self._scheduler.best = state["best"]
        self._scheduler.num_bad_epochs = state["bad"]
