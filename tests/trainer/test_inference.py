"""Generators outside training: modes, independence of the pictures in a batch, no trace."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from reference_layout import trained
from training_runs import translate

from gan_eval.settings.training import TrainingSettings
from trainer.inference import inference, translate_batch
from trainer.nets.build import new_networks
from trainer.nets.layers import BatchNorm2d, Dropout
from trainer.randomness import Purpose

Settings = Callable[..., TrainingSettings]


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("changes", [{}, {"statistics": "batch"}, {"norm": "instance"}, {"generator": "resnet_6"}])
def test_a_picture_does_not_depend_on_its_batch(mode: str, changes: dict[str, str], tiny: Settings) -> None:
    net = trained(new_networks(tiny(**changes))[0])
    three = pictures(3)
    with inference(net, mode):
        together = translate_batch(net, three, purpose=Purpose.GENERATE, seed=1, numbers=[7, 8, 9])
        alone = [
            translate(net, picture, purpose=Purpose.GENERATE, seed=1, number=number)
            for picture, number in zip(three, (7, 8, 9), strict=True)
        ]
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
        assert (one != other).mean() < 0.001
        assert one.std() > 3


def test_everything_is_as_before_even_after_an_error(tiny: Settings) -> None:
    net, _ = new_networks(tiny(statistics="batch"))
    net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.random.get_rng_state()
    with pytest.raises(RuntimeError):
        with inference(net, "train"):
            translate_batch(net, pictures(2), purpose=Purpose.SAMPLES, seed=0, numbers=[0, 1])
            net(torch.zeros(1, 5, 64, 64))
    norms = [module for module in net.modules() if isinstance(module, BatchNorm2d)]
    assert norms
    assert all(norm.track_running_stats and not norm.per_sample for norm in norms)
    assert all(module.generators is None for module in net.modules() if isinstance(module, Dropout))
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)
