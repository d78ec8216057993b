"""A run goes on from a checkpoint of a device whose networks lie in memory in another order.

Channels-last networks, as on a GPU, are made on the CPU here: its fused Adam too pairs weights and moments by address.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from made_photographs import filler, make_photographs
from torch import nn
from training_runs import Stop, train

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer import devices
from trainer.loop import run as run_module
from trainer.loop.gan import InMemoryOrder, load_optimizer, new_gan
from trainer.loop.run import Run
from trainer.state.checkpoints import OPTIMIZERS, list_checkpoints
from trainer.state.run_folder import load_generator
from trainer.step import Gan
from trainer.watch.validation import Measure

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
BOTH_WAYS = pytest.mark.parametrize(
    ("before", "after"), [("contiguous", "channels_last"), ("channels_last", "contiguous")]
)
Lie = Callable[[str], None]


class Watched(Run):
    """A run that can be looked into."""

    last: "Watched"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        Watched.last = self


@pytest.fixture
def lie(monkeypatch: pytest.MonkeyPatch) -> Lie:
    """Decides in which order networks and batches lie in memory from then on."""
    monkeypatch.setattr(run_module, "Run", Watched)

    def decide(name: str) -> None:
        for module in (devices,):
            monkeypatch.setattr(module, "memory_format", lambda *_: FORMATS[name])

    return decide


def falling(_: Path) -> list[Row]:
    """A metric that gets worse with each look, so that the learning rates fall."""
    falling.value -= 1.0  # type: ignore[attr-defined]
    return [{"metric": "m", "value": falling.value, "sd": None, "n": 2, "reason": None}]  # type: ignore[attr-defined]


MEASURE = Measure(falling, {"m": True})

SETTINGS: dict[str, TrainingSettings] = {
    "translation": TrainingSettings(
        steps=6, image_size=64, generator_channels=4, discriminator_channels=4, seed=5, jitter=False
    ),
    "two discriminators": filler(
        steps=6, generator_channels=4, discriminator_channels=4, discriminator="global_and_patch", plateau_patience=0,
        plateau_factor=0.5, dropout=0.0, validation_metrics=("m",), best_metric="m",
    ),
}  # fmt: skip


def moments(of: Gan) -> dict[str, torch.Tensor]:
    """Every moment by the names of its network and its weight, and the rates."""
    found: dict[str, torch.Tensor] = {}
    for name in OPTIMIZERS:
        optimizer = getattr(of, name)
        for group in optimizer.param_groups:
            found[f"{name} rate"] = torch.tensor(group["lr"])
            for weight_name, weight in zip(group["param_names"], group["params"], strict=True):
                for key, moment in optimizer.state[weight].items():
                    found[f"{name} {weight_name} {key}"] = moment
                    if key != "step":
                        assert moment.stride() == weight.stride(), f"{key} of {weight_name}"
    return found


@pytest.fixture
def data(tmp_path: Path, make_pairs: Callable[..., Path]) -> Callable[[str], Path]:
    def of(kind: str) -> Path:
        if kind == "two discriminators":
            return make_photographs(tmp_path / "photographs", train=4, val=2)
        return make_pairs(train=3)

    return of


def weights(of: Gan) -> dict[str, torch.Tensor]:
    return {
        f"{part} {name}": tensor.clone()
        for part in ("generator", "discriminator")
        for name, tensor in getattr(of, part).state_dict().items()
    }


def assert_equal_but_for_rounding(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Within 5e-4 of each tensor's largest value.

    Kernels of another order add in another order, and what that loses goes with the terms of the sum, not with what is
    left of them (up to 5.1e-5 measured; a moment at another weight is off by about 1, another dropout by 1e-2).
    """
    assert actual.keys() == expected.keys()
    for name, values in expected.items():
        scale = float(values.abs().max())
        torch.testing.assert_close(
            actual[name], values, rtol=0, atol=5e-4 * scale, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.slow
@BOTH_WAYS
@pytest.mark.parametrize("kind", SETTINGS)
def test_a_run_goes_on_in_another_order_of_memory(
    lie: Lie, data: Callable[[str], Path], tmp_path: Path, kind: str, before: str, after: str
) -> None:
    """As the run that nothing interrupted, but for rounding."""
    settings, pictures = SETTINGS[kind], data(kind)
    measure = MEASURE if settings.plateau_patience is not None else None
    common: dict[str, Any] = {"direction": "AtoB", "measure": measure} if measure is None else {"measure": measure}
    falling.value = 100.0  # type: ignore[attr-defined]
    lie(before)
    whole = train(settings, pictures, tmp_path / "whole", **common)
    wanted = weights(Watched.last.gan), moments(Watched.last.gan)

    falling.value = 100.0  # type: ignore[attr-defined]
    with pytest.raises(Stop):
        train(settings, pictures, tmp_path / "cut", checkpoint_every=5, stop_after=5, **common)
    lie(after)
    cut = train(settings, pictures, tmp_path / "cut", **common)
    assert Watched.last.seconds > 0
    weight = next(iter(Watched.last.gan.generator.parameters()))
    assert weight.is_contiguous(memory_format=FORMATS[after])
    assert not weight.is_contiguous(memory_format=FORMATS[before])
    assert_equal_but_for_rounding(weights(Watched.last.gan), wanted[0])
    assert_equal_but_for_rounding(moments(Watched.last.gan), wanted[1])
    here, there = (load_generator(run)[0].state_dict() for run in (cut, whole))
    assert_equal_but_for_rounding(here, there)
    assert all(tensor.is_contiguous() for tensor in here.values())


def trained(settings: TrainingSettings, steps: int = 2) -> Gan:
    """Networks with their moments."""
    made = new_gan(Fabric(accelerator="cpu", devices=1), settings)
    rng = torch.Generator().manual_seed(0)
    for optimizer in (made.generator_optimizer, made.discriminator_optimizer):
        for _ in range(steps):
            for group in optimizer.param_groups:
                for weight in group["params"]:
                    weight.grad = torch.randn(weight.shape, generator=rng).clone(memory_format=torch.preserve_format)
            optimizer.step()
    return made


def loaded(settings: TrainingSettings, state: dict[str, Any]) -> Gan:
    made = new_gan(Fabric(accelerator="cpu", devices=1), settings)
    for name in OPTIMIZERS:
        load_optimizer(getattr(made, name), state[name])
    return made


@pytest.mark.parametrize("of_gradient", FORMATS)
def test_adam_of_channels_last_weights_is_the_librarys(of_gradient: str) -> None:
    rng = torch.Generator().manual_seed(0)
    start, *gradients = torch.randn(4, 6, 5, 3, 2, generator=rng)
    ours, theirs = (
        nn.Parameter(start.clone(memory_format=FORMATS[order])) for order in ("channels_last", "contiguous")
    )
    adams = InMemoryOrder([ours], lr=0.1, fused=True), torch.optim.Adam([theirs], lr=0.1, fused=True)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(memory_format=FORMATS[of_gradient]), gradient
        for adam in adams:
            adam.step()
    torch.testing.assert_close(ours.data, theirs.data, check_stride=False)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    for moment in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(adams[0].state[ours][moment], adams[1].state[theirs][moment], check_stride=False)


def test_moments_are_paired_by_name_not_by_place(lie: Lie) -> None:
    """So that networks may list their weights in another order than when the checkpoint was written."""
    settings = SETTINGS["translation"]
    made = trained(settings)
    state = {name: getattr(made, name).state_dict() for name in OPTIMIZERS}
    for optimizer in state.values():
        (group,) = optimizer["param_groups"]
        group["param_names"] = group["param_names"][::-1]
        group["params"] = group["params"][::-1]
        renumbered = {old: new for new, old in enumerate(group["params"])}
        optimizer["state"] = {renumbered[place]: values for place, values in optimizer["state"].items()}
        group["params"] = list(range(len(group["params"])))
    torch.testing.assert_close(moments(loaded(settings, state)), moments(made), rtol=0, atol=0)


def test_moments_come_to_the_device_of_their_weights(lie: Lie) -> None:
    """The device meta stands for a GPU: it holds no numbers, but what lies on it knows where it is."""
    made = trained(SETTINGS["translation"])
    there = made.generator.module.named_parameters()
    weights = [(name, weight.detach().to("meta").requires_grad_()) for name, weight in there]
    optimizer = torch.optim.Adam(weights, capturable=True)
    load_optimizer(optimizer, made.generator_optimizer.state_dict())
    assert len(optimizer.state) == len(weights)
    for of_weight in optimizer.state.values():
        assert {key: moment.device.type for key, moment in of_weight.items()} == {
            "step": "meta", "exp_avg": "meta", "exp_avg_sq": "meta",
        }  # fmt: skip


@pytest.mark.parametrize("damage", ["another name", "another shape", "no groups", "a moment that is a text"])
def test_moments_of_other_weights_are_refused(
    make_pairs: Callable[..., Path], tiny: Callable[..., TrainingSettings], tmp_path: Path, damage: str
) -> None:
    pictures = make_pairs(train=2)
    run = tmp_path / "run"
    with pytest.raises(Stop):
        train(tiny(), pictures, run, direction="AtoB", checkpoint_every=2, stop_after=2)
    (path,) = list_checkpoints(run / "checkpoints")
    state = torch.load(path, weights_only=True)
    optimizer = state["generator_optimizer"]
    match damage:
        case "another name":
            optimizer["param_groups"][0]["param_names"][0] = "other.weight"
        case "another shape":
            optimizer["state"][0]["exp_avg"] = torch.zeros(3)
        case "no groups":
            del optimizer["param_groups"]
        case _:
            optimizer["state"][0]["exp_avg"] = "text"
    torch.save(state, path)
    told: list[str] = []
    with pytest.raises(UserError, match="none of the checkpoints can be read"):
        train(tiny(), pictures, run, direction="AtoB", on_message=told.append)
    assert "step_0000002.pt: the checkpoint cannot be read (" in told[0]
