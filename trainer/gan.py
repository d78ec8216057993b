"""The networks of a run with their optimizers, on its device."""

from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import Adam, Optimizer

from gan_eval.training_settings import TrainingSettings
from trainer.devices import synchronised
from trainer.initial_weights import StartWeights
from trainer.nets.build import empty_generator, new_networks
from trainer.step import Gan


def new_gan(fabric: Fabric, settings: TrainingSettings, *, compiled: bool = False) -> Gan:
    """Networks with their initial weights and an Adam each, on the device.

    Args:
        fabric: device, precision, and other processes.
        settings: which networks, and how they learn.
        compiled: `torch.compile` both; on a GPU with CUDA graphs.
    """
    built_generator, built_discriminator = new_networks(settings)
    of_generator, of_discriminator = learning_rates(settings)
    shared: dict[str, Any] = {"settings": settings, "compiled": compiled}
    generator, generator_optimizer = _set_up(fabric, built_generator, of_generator, **shared)
    discriminator, discriminator_optimizer = _set_up(fabric, built_discriminator, of_discriminator, **shared)
    return Gan(generator, discriminator, generator_optimizer, discriminator_optimizer)


def _set_up(
    fabric: Fabric, net: nn.Module, rate: float, *, settings: TrainingSettings, compiled: bool
) -> tuple[nn.Module, Adam]:
    """A network on the device, and its Adam."""
    on_gpu = fabric.device.type == "cuda"
    if synchronised(settings, fabric):
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    net = net.to(fabric.device)
    if on_gpu:
        net = net.to(memory_format=torch.channels_last)
    optimizer = Adam(
        net.parameters(),
        lr=rate,
        betas=(settings.beta1, settings.beta2),
        fused=fabric.device.type in ("cpu", "cuda"),
    )
    if compiled:
        net = cast(nn.Module, torch.compile(net, mode="reduce-overhead" if on_gpu else None))
    return fabric.setup(net, optimizer)


def plain_generator(gan: Gan, settings: TrainingSettings) -> nn.Module:
    """The generator itself in full precision, without what a device strategy or a compiler wraps around it.

    BatchNorm that is synchronised over devices is replaced by plain one over the same tensors: one process alone could
    not run it.
    """
    wrapped = gan.generator
    net = wrapped.module if isinstance(wrapped.module, nn.Module) else wrapped
    if not any(isinstance(module, nn.SyncBatchNorm) for module in net.modules()):
        return net
    plain = empty_generator(settings)
    plain.load_state_dict(net.state_dict(), assign=True)
    return plain


def start_from(gan: Gan, start: StartWeights) -> None:
    """Replace the drawn weights by trained ones."""
    gan.generator.load_state_dict(start.generator)
    if start.discriminator is not None:
        gan.discriminator.load_state_dict(start.discriminator)


def learning_rates(settings: TrainingSettings) -> tuple[float, float]:
    """Those of generator and discriminator."""
    own = settings.discriminator_learning_rate
    return settings.learning_rate, settings.learning_rate if own is None else own


def set_learning_rates(gan: Gan, settings: TrainingSettings, share: float) -> None:
    """Give each optimizer a share of its learning rate."""
    optimizers: tuple[Optimizer, ...] = (gan.generator_optimizer, gan.discriminator_optimizer)
    for optimizer, rate in zip(optimizers, learning_rates(settings), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate * share
