"""Discriminators: size, receptive field, reach, the computation written out, two together."""

import pytest
import torch
import torch.nn.functional as F
from plain_layers import batch_norm, drawn, halve, leaky, weights_of
from torch import Tensor, nn

from trainer.nets.discriminators import (
    GlobalAndPatch,
    GlobalDiscriminator,
    PatchGAN,
    fits,
    grid_sides,
    plan_layers,
    smallest_size,
)


@pytest.mark.parametrize("field", [*range(1, 18), 34, 40, 50, 70, 71, 142, 286])
def test_receptive_field_is_what_a_gradient_reaches(field: int) -> None:
    net = PatchGAN(in_channels=1, channels=1, receptive_field=field, norm="none").double()
    for weight in net.parameters():
        torch.nn.init.constant_(weight, 0.5)
    size = 2 * field + 64
    x = torch.rand(1, 1, size, size, dtype=torch.float64).requires_grad_()
    logits = net(x)
    assert logits.shape[-1] == grid_sides(size, plan_layers(field))[-1]
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    reached = (x.grad[0, 0] != 0).nonzero()
    assert (reached.max(0).values - reached.min(0).values + 1).tolist() == [field, field]


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("field", [1, 2, 5, 16, 25, 34, 50, 70, 90])
def test_the_smallest_size_that_fits_trains(norm: str, field: int) -> None:
    layers = plan_layers(field)
    size = smallest_size(layers)
    assert fits(size, layers)
    assert not fits(size - 1, layers)
    net = PatchGAN(channels=2, receptive_field=field, norm=norm)
    assert net(torch.randn(1, 6, size, size)).shape[-1] == grid_sides(size, layers)[-1]


@pytest.mark.parametrize("size", [8, 16, 64])
def test_is_the_computation_written_out(size: int) -> None:
    for seed in range(3):
        net = drawn(GlobalDiscriminator(size=size, channels=2), seed)
        x = torch.randn(3, 3, size, size, dtype=torch.float64)
        torch.testing.assert_close(net(x), written_out(net, x), rtol=0, atol=1e-10)


def written_out(net: nn.Module, x: Tensor) -> Tensor:
    W, number = weights_of(net), 2
    y = leaky(halve(W, "model.0", x))
    while f"model.{number + 1}.weight" in W:
        y = leaky(batch_norm(W, f"model.{number + 1}", halve(W, f"model.{number}", y)))
        number += 3
    return F.linear(y.flatten(1), W[f"model.{number}.weight"].flatten(1), W[f"model.{number}.bias"])[..., None, None]


@pytest.mark.parametrize(("size", "field"), [(32, 16), (64, 40), (64, 70), (128, 40)])
def test_both_give_the_wholes_logit_then_the_patches(size: int, field: int) -> None:
    net = drawn(GlobalAndPatch(size=size, receptive_field=field, channels=2, norm="instance"))
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    logits = net(x)
    side = grid_sides(size, plan_layers(field))[-1]
    assert logits.shape == (2, 1 + side * side)
    assert torch.equal(logits[:, :1], net.globally(x).flatten(1))
    assert torch.equal(logits[:, 1:].reshape(2, 1, side, side), net.patch(x))
