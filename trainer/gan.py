"""The networks of a run with their optimizers, on its device."""

from typing import Any

from lightning_fabric import Fabric
from torch.optim import Adam, Optimizer

from gan_eval.study import TrainingSettings
from trainer.nets.build import new_networks
from trainer.step import Gan

FABRIC_PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed"}


def new_fabric(settings: TrainingSettings) -> Fabric:
    """The device and the precision of a run."""
    return Fabric(accelerator="auto", devices=1, precision=FABRIC_PRECISION[settings.precision])


def new_gan(fabric: Fabric, settings: TrainingSettings) -> Gan:
    """Networks with their initial weights and an Adam each, on the device."""
    nets = [net.to(fabric.device) for net in new_networks(settings)]
    adam: dict[str, Any] = {
        "lr": settings.learning_rate,
        "betas": (settings.beta1, settings.beta2),
        "fused": fabric.device.type in ("cpu", "cuda"),
    }
    (generator, g_optimizer), (discriminator, d_optimizer) = (
        fabric.setup(net, Adam(net.parameters(), **adam)) for net in nets
    )
    return Gan(generator, discriminator, g_optimizer, d_optimizer)


def set_learning_rate(gan: Gan, rate: float) -> None:
    """Give both optimizers a learning rate."""
    optimizers: tuple[Optimizer, ...] = (gan.generator_optimizer, gan.discriminator_optimizer)
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["lr"] = rate
