"""The discriminator: size, receptive field, output grid."""

import pytest
import torch

from gan_eval.errors import UserError
from gan_eval.study import TrainingSettings
from trainer.nets.build import empty_discriminator
from trainer.nets.patchgan import PatchGAN, patch_grid, receptive_field


def test_parameter_count_is_the_published_networks() -> None:
    with torch.device("meta"):
        net = PatchGAN()
    assert sum(weight.numel() for weight in net.parameters()) == 2_768_705


def test_keys_are_those_of_the_reference_layout() -> None:
    with torch.device("meta"):
        weights = dict(PatchGAN().named_parameters())
    convolutions = [name for name, weight in weights.items() if weight.dim() == 4]
    assert convolutions == [f"model.{number}.weight" for number in (0, 2, 5, 8, 11)]
    assert {f"model.{number}.{part}" for number in (3, 6, 9) for part in ("weight", "bias")} < set(weights)
    assert "model.2.bias" not in weights


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (5, 286)])
def test_receptive_field_is_what_a_gradient_reaches(layers: int, field: int) -> None:
    assert receptive_field(layers) == field
    net = PatchGAN(in_channels=1, channels=1, layers=layers, norm="none")
    for weight in net.parameters():
        torch.nn.init.constant_(weight, 0.01)
    size = 2 * field + 64
    x = torch.rand(1, 1, size, size).requires_grad_()
    logits = net(x)
    assert logits.shape[-1] == patch_grid(size, layers)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    reached = (x.grad[0, 0] != 0).nonzero()
    assert (reached.max(0).values - reached.min(0).values + 1).tolist() == [field, field]


def test_grid_at_256_is_30() -> None:
    assert patch_grid(256, 3) == 30


def test_too_small_pictures_are_refused() -> None:
    with pytest.raises(UserError, match="image_size 16: too small for the 70x70 PatchGAN"):
        empty_discriminator(TrainingSettings(steps=1, image_size=16))
