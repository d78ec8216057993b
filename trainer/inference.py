"""Running a generator outside training, in either mode, without a trace in its state."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from gan_eval.images import Picture
from gan_eval.study import Mode
from trainer.data import as_tensor
from trainer.randomness import Purpose, seeded


@contextmanager
def inference(net: nn.Module, mode: Mode) -> Iterator[None]:
    """Inside, `net` runs without gradients and keeps its running statistics as they are.

    Mode train: BatchNorm uses the batch's own statistics and dropout is on, as in training (the published way of
    testing, arXiv 1611.07004, section 3.3). Mode eval: running statistics, no dropout.
    """
    was_training = net.training
    tracking = {module: module.track_running_stats for module in net.modules() if isinstance(module, nn.BatchNorm2d)}
    net.train(mode == "train")
    try:
        if mode == "train":
            for module in tracking:
                module.track_running_stats = False
        with torch.inference_mode():
            yield
    finally:
        for module, tracked in tracking.items():
            module.track_running_stats = tracked
        net.train(was_training)


def translate(net: nn.Module, picture: Picture, *, purpose: Purpose, seed: int, number: int) -> Picture:
    """One picture through the generator, alone in its batch.

    Args:
        picture: (H, W, 3) uint8, sides multiples of the network's.
        purpose, seed, number: the stream that decides dropout.

    Returns:
        (H, W, 3) uint8, rounded to the nearest level.
    """
    device = next(net.parameters()).device
    x = as_tensor(picture.transpose(2, 0, 1)[None]).to(device)
    with seeded(device, purpose, seed, number):
        y = net(x)[0]
    levels = ((y.float() + 1.0) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
