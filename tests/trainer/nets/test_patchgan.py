"""The discriminator: size, receptive field, output grid."""

import pytest
import torch

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.nets.build import empty_discriminator
from trainer.nets.discriminators import PatchGAN, fits, grid_sides, plan_layers, smallest_size


def measured_field(field: int) -> list[int]:
    """Height and width of the input that one centre logit's gradient reaches."""
    net = PatchGAN(in_channels=1, channels=1, receptive_field=field, norm="none").double()
    for weight in net.parameters():
        torch.nn.init.constant_(weight, 0.5)
    size = 2 * field + 64
    x = torch.rand(1, 1, size, size, dtype=torch.float64).requires_grad_()
    logits = net(x)
    assert logits.shape[-1] == grid_sides(size, plan_layers(field))[-1]
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    reached = (x.grad[0, 0] != 0).nonzero()
    return (reached.max(0).values - reached.min(0).values + 1).tolist()


def test_parameter_count_is_the_published_networks() -> None:
    with torch.device("meta"):
        net = PatchGAN()
    assert sum(weight.numel() for weight in net.parameters()) == 2_768_705


@pytest.mark.parametrize("field", [*range(1, 18), 34, 40, 50, 70, 71, 142, 286])
def test_receptive_field_is_what_a_gradient_reaches(field: int) -> None:
    assert measured_field(field) == [field, field]


def test_too_small_pictures_are_refused() -> None:
    with pytest.raises(UserError, match="image_size 16: too small for the 70x70 PatchGAN; choose 24 or more"):
        empty_discriminator(TrainingSettings(steps=1, image_size=16))
    with pytest.raises(UserError, match="image_size 64: too small for the 286x286 PatchGAN; choose 96 or more"):
        empty_discriminator(TrainingSettings(steps=1, image_size=64, receptive_field=286))


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("field", [1, 2, 5, 16, 25, 34, 50, 70, 90])
def test_the_smallest_size_that_fits_trains(norm: str, field: int) -> None:
    layers = plan_layers(field)
    size = smallest_size(layers)
    assert fits(size, layers)
    assert not fits(size - 1, layers)
    net = PatchGAN(channels=2, receptive_field=field, norm=norm)
    assert net(torch.randn(1, 6, size, size)).shape[-1] == grid_sides(size, layers)[-1]
