"""Run a generator outside training, in either mode and on pictures of any size, without changing its state."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from gan_eval.pictures.decode import Picture
from gan_eval.settings.choices import Mode
from trainer.batches import as_tensor
from trainer.devices import on_device
from trainer.nets.layers import BatchNorm2d, Dropout
from trainer.randomness import Purpose, torch_seed

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in a grey level (ITU-R BT.601)


@contextmanager
def inference(net: nn.Module, mode: Mode) -> Iterator[None]:
    """Within the block, `net` runs without gradients and the caller's autocast, and keeps its running statistics.

    Mode train: BatchNorm uses each picture's own statistics and dropout is on, as in training at batch size 1 (the
    published way of testing, arXiv 1611.07004, section 3.3). Mode eval: running statistics, no dropout.
    """
    was_training = net.training
    norms = [module for module in net.modules() if isinstance(module, BatchNorm2d)]
    before = [(norm.track_running_stats, norm.per_sample) for norm in norms]
    net.train(mode == "train")
    try:
        for norm in norms if mode == "train" else ():
            norm.track_running_stats, norm.per_sample = False, True
        with torch.inference_mode(), torch.autocast(next(net.parameters()).device.type, enabled=False):
            yield
    finally:
        for norm, (tracking, per_sample) in zip(norms, before, strict=True):
            norm.track_running_stats, norm.per_sample = tracking, per_sample
        net.train(was_training)


def translate_batch(
    net: nn.Module, pictures: Sequence[Picture], *, purpose: Purpose, seed: int, numbers: Sequence[int]
) -> list[Picture]:
    """Run pictures of one size through the generator; see `generated`."""
    x = as_tensor(np.stack(pictures).transpose(0, 3, 1, 2))
    if getattr(net, "in_channels", 3) == 1:
        x = (x * torch.tensor(LUMA)[:, None, None]).sum(1, keepdim=True)
    return generated(net, x, purpose=purpose, seed=seed, numbers=numbers)


def generated(net: nn.Module, x: Tensor, *, purpose: Purpose, seed: int, numbers: Sequence[int]) -> list[Picture]:
    """Return the pictures of a generator, each independent of the others (but for the last bits).

    Returns:
        For each (H, W, 3) uint8, rounded to the nearest level; grey made RGB in three equal channels.
    """
    device = next(net.parameters()).device
    layers = [module for module in net.modules() if isinstance(module, Dropout)]
    generators = [torch.Generator(device).manual_seed(torch_seed(purpose, seed, number)) for number in numbers]
    try:
        for layer in layers:
            layer.generators = generators
        return as_pictures(net(on_device(x, device)))
    finally:
        for layer in layers:
            layer.generators = None


class NotFiniteError(ValueError):
    """A generator's output is not finite; `index` is the picture's number in its batch, from 0."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the generator gives numbers that are not finite (picture {index} of its batch)")
        self.index = index


def as_pictures(y: Tensor) -> list[Picture]:
    """Convert (N, 3 or 1, H, W) in [-1, 1] to N of (H, W, 3) uint8; a single channel is repeated."""
    sound = y.isfinite().flatten(1).all(1).tolist()
    if not all(sound):
        raise NotFiniteError(sound.index(False))
    levels = ((y.float() + 1.0) * 127.5).round_().clamp_(0, 255).to(torch.uint8).cpu()  # one transfer for all
    return [np.ascontiguousarray(picture.expand(3, -1, -1).permute(1, 2, 0).numpy()) for picture in levels]
