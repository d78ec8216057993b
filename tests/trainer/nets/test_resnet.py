"""The ResNet generator: size, layout, range, settings."""

import pytest
import torch

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.nets.build import empty_generator
from trainer.nets.resnet import ResNet


@pytest.mark.parametrize(
    ("blocks", "norm", "count"), [(9, "instance", 11_378_179), (9, "batch", 11_383_427), (6, "batch", 7_841_411)]
)
def test_parameter_count_is_the_published_networks(blocks: int, norm: str, count: int) -> None:
    """11.378 M is what CycleGAN prints of its generator, 11.383 M what Pix2Pix prints of it with batch norm."""
    with torch.device("meta"):
        net = ResNet(blocks=blocks, norm=norm)
    assert sum(weight.numel() for weight in net.parameters()) == count


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UserError, match="depth 4: only U-Nets have it"):
        empty_generator(TrainingSettings(steps=1, image_size=64, generator="resnet_9", depth=4))
    with pytest.raises(UserError, match="image_size 66: a ResNet needs a multiple of 4"):
        empty_generator(TrainingSettings(steps=1, image_size=66, generator="resnet_9"))
