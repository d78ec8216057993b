"""The ResNet generator: size, layout, range, settings."""

import pytest
import torch

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.nets.build import empty_generator, new_networks
from trainer.nets.resnet import ResNet


@pytest.mark.parametrize(
    ("blocks", "norm", "count"), [(9, "instance", 11_378_179), (9, "batch", 11_383_427), (6, "batch", 7_841_411)]
)
def test_parameter_count_is_the_published_networks(blocks: int, norm: str, count: int) -> None:
    """11.378 M is what CycleGAN prints of its generator, 11.383 M what Pix2Pix prints of it with batch norm."""
    with torch.device("meta"):
        net = ResNet(blocks=blocks, norm=norm)
    assert sum(weight.numel() for weight in net.parameters()) == count


def test_convolutions_stand_where_the_layout_has_them() -> None:
    with torch.device("meta"):
        plain, dropout = ResNet(blocks=9, dropout=0), ResNet(blocks=9)
    for net, second in ((plain, 5), (dropout, 6)):
        kernels = [name.removesuffix(".weight") for name, weight in net.named_parameters() if weight.dim() == 4]
        blocks = [f"model.{block}.conv_block.{place}" for block in range(10, 19) for place in (1, second)]
        assert kernels == ["model.1", "model.4", "model.7", *blocks, "model.19", "model.22", "model.26"]


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize("generator", ["resnet_6", "resnet_9"])
def test_output_has_the_input_shape_and_range(generator: str, norm: str, upsampling: str) -> None:
    settings = TrainingSettings(
        steps=1, image_size=64, generator=generator, generator_channels=2, norm=norm, upsampling=upsampling
    )
    net, _ = new_networks(settings)
    with torch.no_grad():
        y = net(torch.rand(2, 3, 20, 64) * 2 - 1)
    assert y.shape == (2, 3, 20, 64)
    assert 0 < float(y.abs().max()) <= 1


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(UserError, match="depth 4: only U-Nets have it"):
        empty_generator(TrainingSettings(steps=1, image_size=64, generator="resnet_9", depth=4))
    with pytest.raises(UserError, match="image_size 66: a ResNet needs a multiple of 4"):
        empty_generator(TrainingSettings(steps=1, image_size=66, generator="resnet_9"))
