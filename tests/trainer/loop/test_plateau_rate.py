"""Learning rates that are lowered when validation stops improving."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_photographs import filler, make_photographs
from training_runs import train

from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer.loop import run as run_module
from trainer.loop.run import PlateauRate
from trainer.watch.validation import Measure


def rate(patience: int | None, factor: float = 0.5) -> PlateauRate:
    every = None if patience is None else 10
    return PlateauRate(
        TrainingSettings(steps=10, validate_every=every, plateau_patience=patience, plateau_factor=factor)
    )


def factors_after(plateau: PlateauRate, values: list[float | None], *, better: bool = False) -> list[float]:
    """The factor after each value."""
    factors = []
    for number, value in enumerate(values):
        plateau.add_value(value, step=10 * (number + 1), higher_is_better=better)
        factors.append(plateau.factor)
    return factors


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_equals_the_librarys(higher_is_better: bool) -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        values = rng.choice(rng.normal(0, 1, 12), 40).tolist()  # equal ones among them
        patience, factor = int(rng.integers(0, 4)), float(rng.uniform(0.1, 0.9))
        sgd, wanted = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), []
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            sgd, "max" if higher_is_better else "min", factor, patience, threshold=0.0, threshold_mode="abs", eps=0.0
        )
        for value in values:
            scheduler.step(value)
            wanted.append(sgd.param_groups[0]["lr"])
        assert factors_after(rate(patience, factor), values, better=higher_is_better) == wanted


def test_the_untrained_generator_and_missing_values_do_not_count() -> None:
    plateau = rate(0)
    assert not plateau.add_value(9.0, step=0, higher_is_better=True)
    assert factors_after(plateau, [None, math.nan, math.inf, 1.0], better=True) == [1, 1, 1, 1]
    assert plateau.add_value(1.0, step=50, higher_is_better=True), "the first lowering is reported"
    assert plateau.factor == 0.5


class Rates(run_module.Run):
    """A run whose optimizers' learning rates are looked at in each step."""

    seen: list[tuple[float, float]]

    def step(self) -> None:
        super().step()
        gan = self.gan
        optimizers: list[Any] = [gan.generator_optimizer, gan.discriminator_optimizer]
        generator, discriminator = ({group["lr"] for group in one.param_groups} for one in optimizers)
        Rates.seen.append((*generator, *discriminator))  # type: ignore[arg-type]


def falling(values: Iterator[float]) -> Measure:
    def measured(_: Path) -> list[Row]:
        return [{"metric": "m", "value": next(values), "sd": None, "n": 2, "reason": None}]

    return Measure(measured, {"m": True})


@pytest.mark.parametrize("decay", [0.5])
def test_both_optimizers_learn_at_the_lowered_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decay: float
) -> None:
    """Check 8 steps, measured before and after every second: 9 untrained, then 3, 2 (lowered), 4, 4 (the end)."""
    monkeypatch.setattr("trainer.loop.run.Run", Rates)
    Rates.seen = []
    settings = filler(
        learning_rate=0.01, discriminator_learning_rate=0.002, decay=decay, plateau_factor=0.1,
        norm="instance", validation_metrics=("m",), best_metric="m",
    )  # fmt: skip
    values = iter([9.0, 9.0, 3.0, 3.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0])
    messages: list[str] = []
    data = make_photographs(tmp_path / "data", train=4, val=2)
    train(settings, data, tmp_path / "run", measure=falling(values), on_message=messages.append)
    shares = [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1]
    linear = [1, 1, 1, 1, 1, 0.75, 0.5, 0.25] if decay else [1] * 8
    wanted = [share * one for share, one in zip(shares, linear, strict=True)]
    assert [pair[0] for pair in Rates.seen] == pytest.approx([0.01 * share for share in wanted])
    assert [pair[1] for pair in Rates.seen] == pytest.approx([0.002 * share for share in wanted])
    lowered = [line for line in messages if "stopped improving" in line]
    assert [line.split(":")[0] for line in lowered] == ["step 4", "step 8"]
    assert lowered[0] == "step 4: m stopped improving; the learning rates are lowered"
