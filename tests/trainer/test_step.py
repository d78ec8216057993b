"""The training step against an independent implementation in float64."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn as nn
from reference_layout import ReferenceUNet
from torch import Tensor

from gan_eval.settings.training import TrainingSettings
from trainer.losses import l1, l2, ssim
from trainer.model import _renamed
from trainer.nets.discriminators import PatchGAN
from trainer.nets.layers import initialise
from trainer.nets.unet import UNet
from trainer.step import Batch, Gan, Objective, Term, accuracy, training_step
from trainer.tasks import Translation

SIZE, DEPTH, CHANNELS = 64, 6, 3


def published(**changes: Any) -> Objective:
    """The published objective, or another in some respects."""
    return replace(Translation(TrainingSettings(), "AtoB").objective(torch.device("cpu")), **changes)


def of_target(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Batch], Tensor]:
    return lambda output, batch: loss(output, batch.target)


def new_pair(*, depth: int = DEPTH) -> tuple[UNet, PatchGAN]:
    generator, discriminator = UNet(depth=depth, channels=CHANNELS), PatchGAN(channels=CHANNELS)
    random = torch.Generator().manual_seed(1)
    initialise(generator, random)
    initialise(discriminator, random)
    return generator.double(), discriminator.double()


def adam(net: nn.Module, *, fused: bool) -> torch.optim.Adam:
    return torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=fused)


def reference_steps(G: nn.Module, D: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> list[list[float]]:
    """The published order of one step, in plain words: D on the detached fake and the real, then G."""
    optimizer_g, optimizer_d = adam(G, fused=False), adam(D, fused=False)
    log_sigmoid = nn.LogSigmoid()
    terms = []
    for number, (a, b) in enumerate(batches):
        torch.manual_seed(number)
        fake = G(a)
        d_fake = -log_sigmoid(-D(torch.cat([a, fake.detach()], 1))).mean()
        d_real = -log_sigmoid(D(torch.cat([a, b], 1))).mean()
        optimizer_d.zero_grad()
        ((d_fake + d_real) / 2).backward()
        optimizer_d.step()
        g_adversarial = -log_sigmoid(D(torch.cat([a, fake], 1))).mean()
        g_l1 = (fake - b).abs().mean()
        optimizer_g.zero_grad()
        (g_adversarial + 100 * g_l1).backward()
        optimizer_g.step()
        terms.append([float(term.detach()) for term in (g_adversarial, g_l1, d_real, d_fake)])
    return terms


@pytest.mark.parametrize("batch", [1, 3])
def test_step_equals_an_independent_reference_in_float64(batch: int) -> None:
    random = torch.Generator().manual_seed(7)
    batches = [
        tuple(torch.rand(batch, 3, SIZE, SIZE, generator=random, dtype=torch.float64) * 2 - 1 for _ in "ab")
        for _ in range(4)
    ]
    G, D = new_pair()
    reference_G, reference_D = ReferenceUNet(DEPTH, CHANNELS, norm="batch").double(), copy.deepcopy(D)
    reference_G.load_state_dict(_renamed(G))
    expected = reference_steps(reference_G, reference_D, batches)

    before = copy.deepcopy(G)
    gan = Gan(G, D, adam(G, fused=True), adam(D, fused=True))
    found = []
    for number, (a, b) in enumerate(batches):
        torch.manual_seed(number)
        terms = training_step(gan, published(), Batch(a, b))
        found.append([float(terms[name]) for name in ("g_adversarial", "g_l1", "d_real", "d_fake")])

    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), rtol=0, atol=1e-12)
    moved = copy.deepcopy(reference_G)
    moved.load_state_dict(_renamed(G))
    for name, value in reference_G.state_dict().items():
        torch.testing.assert_close(moved.state_dict()[name], value, rtol=0, atol=1e-12, msg=name)
    for name, value in reference_D.state_dict().items():
        torch.testing.assert_close(D.state_dict()[name], value, rtol=0, atol=1e-12, msg=name)
    assert D.model[3].num_batches_tracked == 3 * len(batches)
    shift = max(
        float((new - old).detach().abs().max()) for new, old in zip(G.parameters(), before.parameters(), strict=True)
    )
    assert shift > 1e-4  # the comparison is not of untouched weights


def one_step(objective: Objective) -> tuple[UNet, PatchGAN, dict[str, Tensor]]:
    """The networks after one step of plain gradient descent, and its terms; the start is always the same."""
    G, D = new_pair(depth=4)
    random = torch.Generator().manual_seed(3)
    a, b = (torch.rand(1, 3, SIZE, SIZE, generator=random, dtype=torch.float64) * 2 - 1 for _ in "ab")
    torch.manual_seed(0)
    sgd = [torch.optim.SGD(net.parameters(), lr=1.0) for net in (G, D)]
    return G, D, training_step(Gan(G, D, *sgd), objective, Batch(a, b))


def test_without_the_adversarial_term_the_discriminator_is_left_alone() -> None:
    untouched = new_pair(depth=4)[1]
    _, D, terms = one_step(published(adversarial_weight=0.0))
    assert set(terms) == {"g_l1", "g_gradient_norm"}
    for name, value in untouched.state_dict().items():
        assert torch.equal(D.state_dict()[name], value), name


def test_weights_of_several_terms_add_up() -> None:
    """The weights' change is linear in the terms' weights."""

    def move(objective: Objective) -> Tensor:
        return one_step(objective)[0].down[0].conv.weight.detach() - new_pair(depth=4)[0].down[0].conv.weight.detach()

    terms = {"g_l1": (l1, 3.0), "g_l2": (l2, 5.0), "g_ssim": (ssim, 7.0)}
    single = [
        move(published(adversarial_weight=0.0, reconstruction=(Term(name, of_target(loss), 1.0),)))
        for name, (loss, _) in terms.items()
    ]
    both = move(
        published(
            adversarial_weight=0.0,
            reconstruction=tuple(Term(name, of_target(loss), weight) for name, (loss, weight) in terms.items()),
        )
    )
    expected = sum(weight * part for (_, weight), part in zip(terms.values(), single, strict=True))
    torch.testing.assert_close(both, expected, rtol=0, atol=1e-12)


def test_accuracy_counts_logits_on_the_right_side() -> None:
    fake, real = torch.tensor([-1.0, 0.0, 0.2, 3.0]), torch.tensor([0.1, -0.1])
    assert accuracy(fake, real, 0.0) == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert accuracy(fake, real, 0.5) == pytest.approx((3 / 4 + 0) / 2)
    thirds = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)
    assert float(accuracy(thirds, thirds, 0.0)) == pytest.approx(0.5, abs=1e-15)
    assert accuracy(thirds, -thirds, 0.0).item() == pytest.approx(2 / 3, abs=1e-15), "counted in float64"
    assert accuracy(thirds.bfloat16(), -thirds.bfloat16(), 0.0).item() == pytest.approx(2 / 3, abs=1e-7)
