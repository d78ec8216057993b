"""The sides of `inpainting_step.py`: the settings of its two families, made pictures, our step and the plain one."""

import argparse
import itertools
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from inpainting_plain import Connected, networks, plain_step
from PIL import Image
from torch import nn

from gan_eval.pictures.holes import mask_of
from gan_eval.settings.training import TrainingSettings
from trainer.batches import Batches, Pictures, jitter_size
from trainer.devices import exact_kernels, workers_for
from trainer.loop.gan import new_gan, set_learning_rates
from trainer.masks import region
from trainer.nets.layers import ChannelwiseLinear
from trainer.nets.unet import UNet
from trainer.randomness import Purpose, seeded
from trainer.step import Batch, Gan, training_step
from trainer.style import load_style_network
from trainer.tasks.inpainting import Inpainting

PICTURES = 32
CHECKED_STEPS = 3


def settings_of(options: argparse.Namespace, **holes: Any) -> TrainingSettings:
    """The settings of a family: those of studies/context_encoder.toml and inpainting_landscapes_paintings.toml, but for
    size, batch, BatchNorm over the batch, and equal rates of both networks."""

    shared = {"steps": 1, "image_size": options.size, "generator_channels": options.channels, "statistics": "batch"}
    if options.family == "context_encoder":
        inpainting = {"masks": {"centre": 1}, "overlap": max(options.size * 7 // 128, 1)}
        own = {"discriminator": "global", "bottleneck": options.bottleneck, "batch_size": options.batch or 16}
        own |= {"lambda_l1": 0.0, "lambda_l2": 0.999, "adversarial_weight": 0.001, "jitter": False}
        own |= {"discriminator_channels": options.channels}
    else:
        inpainting = {"masks": {"centre": 1, "blocks": 2, "region": 2}, "fill": "noise", "mask_channel": True}
        style = {"style_network": "vgg16", "lambda_style": 100.0} if options.style else {}
        own = {"lambda_tv": 0.1, **style}
        own |= {"discriminator": "global_and_patch", "receptive_field": 40, "batch_size": options.batch or 8}
        own |= {"adversarial": "least_squares", "lambda_l1": 100.0, "dropout": 0.0}
        own |= {"discriminator_channels": options.channels // 2}
    kind = "context_encoder" if options.family == "context_encoder" else "channelwise_unet"
    return TrainingSettings.model_validate({**shared, **own, "generator": kind, "inpainting": {**inpainting, **holes}})


@contextmanager
def prepared(
    options: argparse.Namespace, settings: TrainingSettings, *, workers: int | None = None
) -> Iterator[tuple[Inpainting, Batches]]:
    """The task with made pictures and masks, and its batches as in a run."""

    chosen = options.workers if workers is None else workers
    with TemporaryDirectory() as name:
        root = Path(name)
        paths = made_files(root, settings.image_size)
        task = Inpainting(settings, root)
        pictures = Pictures(task.data_set(root), paths, side=jitter_size(settings))
    threads = workers_for(device_of(options), chosen)
    with closing(Batches(pictures, settings, assemble=task.assemble, workers=threads)) as batches:
        yield task, batches


def made_files(root: Path, size: int) -> list[Path]:
    """Photographs of noise at the size of `size`, and a folder `masks` of silhouettes."""
    rng = np.random.default_rng(0)
    paths = [root / f"{number:02}.png" for number in range(PICTURES)]
    for path in paths:
        Image.fromarray(rng.integers(0, 256, (size, size, 3), np.uint8)).save(path, compress_level=0)
    (root / "masks").mkdir()
    for number in range(8):
        hole = region(rng, (256, 256), shapes=(), least=0.1, most=0.4)
        Image.fromarray(mask_of(hole)).save(root / "masks" / f"{number}.png")
    return paths


def device_of(options: argparse.Namespace) -> Any:
    """The torch device of both sides."""

    return torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))


def ours(options: argparse.Namespace, task: Inpainting, batches: Batches) -> Callable[[], object]:
    """Do a step as `trainer.loop.run.Run.step` does, without the log."""

    where = device_of(options)
    gan = new_gan(where, task.settings)
    train = our_step(where, gan, task)
    numbers = itertools.count()

    def step() -> object:
        batch = batches(next(numbers)).to(where)
        set_learning_rates(gan, task.settings, 1.0)
        with exact_kernels(where):
            return train(batch)

    return step


def our_step(where: Any, gan: Gan, task: Inpainting) -> Callable[[Batch], dict[str, Any]]:
    """The trainer's step on a batch that is on the device."""

    objective = task.objective(where)

    def step(batch: Batch) -> dict[str, Any]:
        with seeded(where, Purpose.DROPOUT, 0, 0):
            return training_step(gan, objective, batch)

    return step


def plain(options: argparse.Namespace, task: Inpainting, batches: Batches) -> Callable[[], object]:
    """The plain step on batches that were made beforehand."""

    where = device_of(options)
    ready = itertools.cycle([batches(number).to(where) for number in range(PICTURES // task.settings.batch_size or 1)])
    G, D = (net.to(where) for net in networks(task.settings))
    train = plain_step(task.settings, G, D, vgg_of(options, where))
    return lambda: train(next(ready))


def vgg_of(options: argparse.Namespace, where: Any) -> Any:
    """VGG16's layers, where the style loss is asked for."""
    if not options.style or options.family != "hole_filling":
        return None

    return load_style_network("vgg16").to(where)


def check(options: argparse.Namespace) -> float:
    """The largest relative difference of a loss between the sides over some steps from equal weights.

    In float64, but for the style loss, whose network is float32.
    """
    settings = settings_of(options)
    dtype = torch.float32 if options.style else torch.float64
    where = device_of(options)
    gan = new_gan(where, settings)
    for net in (gan.generator, gan.discriminator):
        net.to(dtype)
    G, D = (net.to(where, dtype) for net in networks(settings))
    with prepared(options, settings) as (task, batches):
        step = our_step(where, gan, task)
        plain = plain_step(settings, G, D, vgg_of(options, where))
        for mine, other in ((gan.generator, G), (gan.discriminator, D)):
            copy_in_order(mine, other)
        worst = 0.0
        for number in range(CHECKED_STEPS):
            made = batches(number)
            whole = [None if part is None else part.to(dtype) for part in (made.inputs, made.target, made.hole)]
            batch = Batch(*whole).to(where)  # type: ignore[arg-type]
            here, there = step(batch), plain(batch)
            worst = max(worst, *(abs(float(here[name] / there[name]) - 1) for name in there))
    return worst


def copy_in_order(net: Any, other: Any) -> None:
    """Copy the weights of our network into the plain one, layer by layer from input to output."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, ChannelwiseLinear, Connected)
    parts = [*net.down, net.bottleneck, *reversed(net.up)] if isinstance(net, UNet) else [net]
    ours = [module for part in parts for module in part.modules() if isinstance(module, kinds)]
    theirs = [module for module in other.modules() if isinstance(module, kinds)]
    with torch.no_grad():
        for layer, copy in zip(ours, theirs, strict=True):
            copy.load_state_dict({name: tensor.clone() for name, tensor in layer.state_dict().items()})
