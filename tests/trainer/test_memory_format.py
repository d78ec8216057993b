"""Checkpoints of a device whose networks have another memory order.

Channels-last networks, as on a GPU, are made on the CPU here: its fused Adam also pairs weights and moments by address.
"""

import copy
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from gan_eval.settings.training import TrainingSettings
from trainer import devices
from trainer.loop.gan import InMemoryOrder, load_optimizer, new_gan
from trainer.state.checkpoints import OPTIMIZERS
from trainer.step import Gan

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
SETTINGS = TrainingSettings(
    steps=6, image_size=64, generator_channels=4, discriminator_channels=4, seed=5, jitter=False
)


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


@pytest.mark.parametrize("order", FORMATS)
def test_moments_are_paired_by_name_in_any_order_of_memory(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that networks may list their weights in another order than when the checkpoint was written."""
    settings = SETTINGS
    made = trained(settings)
    monkeypatch.setattr(devices, "memory_format", lambda *_: FORMATS[order])
    state = {name: getattr(made, name).state_dict() for name in OPTIMIZERS}
    for optimizer in state.values():
        (group,) = optimizer["param_groups"]
        group["param_names"] = group["param_names"][::-1]
        group["params"] = group["params"][::-1]
        renumbered = {old: new for new, old in enumerate(group["params"])}
        optimizer["state"] = {renumbered[place]: values for place, values in optimizer["state"].items()}
        group["params"] = list(range(len(group["params"])))
    torch.testing.assert_close(moments(loaded(settings, state)), moments(made), rtol=0, atol=0)


def test_moments_come_to_the_device_of_their_weights() -> None:
    """The device meta stands for a GPU: it holds no numbers, but what lies on it knows where it is."""
    made = trained(SETTINGS)
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
def test_moments_of_other_weights_are_refused(damage: str) -> None:
    made = trained(SETTINGS)
    state = copy.deepcopy(made.generator_optimizer.state_dict())
    match damage:
        case "another name":
            state["param_groups"][0]["param_names"][0] = "other.weight"
        case "another shape":
            state["state"][0]["exp_avg"] = torch.zeros(3)
        case "no groups":
            del state["param_groups"]
        case _:
            state["state"][0]["exp_avg"] = "text"
    with pytest.raises((ValueError, KeyError, AttributeError)):  # `load_latest` takes the checkpoint before then
        load_optimizer(made.generator_optimizer, state)
