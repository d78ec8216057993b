"""The networks of a run with their optimizers, on its device."""

from collections.abc import Mapping
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from gan_eval.metrics.weights.files import storage_problem
from gan_eval.settings.training import TrainingSettings
from trainer.devices import placed
from trainer.nets.build import new_networks
from trainer.step import Gan


class InMemoryOrder(Adam):
    """Adam that reads weights in memory order: the CPU's fused kernel would copy channels-last ones back and forth.

    Weights of 512x512x4x4 take 7.2 ms in place of 12.1 (one thread, 30 November 2026). A gradient in another order than
    its weight would be paired with the wrong weights, without an error.

    It does without torch's decorators for compiled code, which import torch._dynamo: 2 s and 150 MB (torch 2.15).
    """

    add_param_group, zero_grad = unwrap(Adam.add_param_group), unwrap(Adam.zero_grad)
    state_dict, load_state_dict = unwrap(Adam.state_dict), unwrap(Adam.load_state_dict)
    step = torch.no_grad()(unwrap(Adam.step))

    def _init_group(self, group: dict[str, Any], *lists: Any) -> bool:
        complex_weights = super()._init_group(group, *lists)
        weights, gradients, *moments = lists[:4]
        last = [weight.ndim == 4 and not weight.is_contiguous() for weight in weights]
        for tensors in (weights, gradients, *moments):
            tensors[:] = [each.permute(0, 2, 3, 1) if turn else each for each, turn in zip(tensors, last, strict=True)]
        gradients[:] = [gradient.contiguous() for gradient in gradients]  # the kernel pairs tensors by address
        return bool(complex_weights)


def new_gan(device: torch.device, settings: TrainingSettings) -> Gan:
    """Return networks with their initial weights and an Adam each, on the device."""
    parts: list[tuple[nn.Module, Adam]] = []
    net: nn.Module
    for net, rate in zip(new_networks(settings), learning_rates(settings), strict=True):
        net = placed(net, device, settings.precision)
        on_gpu = device.type == "cuda"
        optimizer = InMemoryOrder(
            net.named_parameters(),
            lr=torch.tensor(rate, device=device) if on_gpu else rate,  # a recorded step reads it from the GPU
            betas=(settings.beta1, settings.beta2),
            fused=on_gpu or device.type == "cpu",
            capturable=on_gpu,
        )
        parts.append((net, optimizer))
    (generator, generator_optimizer), (discriminator, discriminator_optimizer) = parts
    return Gan(generator, discriminator, generator_optimizer, discriminator_optimizer, settings.precision)


def load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Restore the state of an optimizer that may have been on another device.

    Each weight gets its moments in the memory order in which the fused kernels need them.
    """
    groups = optimizer.state_dict()["param_groups"]
    names, saved = ([group["param_names"] for group in of] for of in (groups, state["param_groups"]))
    if saved != names:
        raise ValueError("the optimizer has other weights")
    weights = [
        pair for group in optimizer.param_groups for pair in zip(group["param_names"], group["params"], strict=True)
    ]
    for index, (name, weight) in enumerate(weights):
        _check_moments(name, weight, state["state"].get(index, {}))
    optimizer.load_state_dict({"state": state["state"], "param_groups": groups})
    for _, weight in weights:
        for key, moment in optimizer.state.get(weight, {}).items():
            if key != "step":
                optimizer.state[weight][key] = torch.empty_like(weight, dtype=moment.dtype).copy_(moment)


def _check_moments(name: str, weight: Tensor, moments: Mapping[str, Tensor]) -> None:
    """Refuse moments of a weight that have another shape, or are not numbers."""
    for key, moment in moments.items():
        if moment.shape != (() if key == "step" else weight.shape):
            raise ValueError(f"{key} of {name} has shape {tuple(moment.shape)}")
        if storage_problem(moment) or moment.isnan().any():
            raise ValueError(f"{key} of {name} is not a number")


def learning_rates(settings: TrainingSettings) -> tuple[float, float]:
    """Return the learning rates of generator and discriminator."""
    rate = settings.discriminator_learning_rate
    return settings.learning_rate, settings.learning_rate if rate is None else rate


def set_learning_rates(gan: Gan, settings: TrainingSettings, factor: float) -> None:
    """Set each optimizer's learning rate to its setting times `factor`."""
    optimizers: tuple[Optimizer, ...] = (gan.generator_optimizer, gan.discriminator_optimizer)
    for optimizer, rate in zip(optimizers, learning_rates(settings), strict=True):
        for group in optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate * factor)
            else:
                group["lr"] = rate * factor
