"""The training step of Pix2Pix (arXiv 1611.07004, section 3.3): one function, read from top to bottom."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trainer.losses import AdversarialLoss, ReconstructionLoss, bce, l1


@dataclass(frozen=True)
class Gan:
    """The two networks, each with its optimizer."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer


@dataclass(frozen=True)
class Objective:
    """What is minimised. Defaults: arXiv 1611.07004, eq. 4 with lambda = 100, and D's objective halved."""

    adversarial: AdversarialLoss = bce
    reconstruction: ReconstructionLoss = l1
    reconstruction_weight: float = 100.0
    d_loss_factor: float = 0.5


def training_step(
    gan: Gan,
    objective: Objective,
    condition: Tensor,
    target: Tensor,
    *,
    backward: Callable[[Tensor], None] = Tensor.backward,
    gradient_norm: bool = False,
) -> dict[str, Tensor]:
    """One update of the discriminator, then one of the generator against the updated discriminator.

    Args:
        condition, target: (N, C, H, W) in [-1, 1].
        backward: computes the gradients of a loss.
        gradient_norm: also return the Euclidean norm of the generator's gradient.

    Returns:
        The unweighted terms as detached scalars: g_adversarial, g_l1, d_real, d_fake (and g_gradient_norm).
    """
    G, D = gan.generator, gan.discriminator
    fake = G(condition)

    D.requires_grad_(True)
    gan.discriminator_optimizer.zero_grad()
    d_fake = objective.adversarial(D(torch.cat([condition, fake.detach()], 1)), real=False)
    d_real = objective.adversarial(D(torch.cat([condition, target], 1)), real=True)
    backward(objective.d_loss_factor * (d_fake + d_real))
    gan.discriminator_optimizer.step()

    D.requires_grad_(False)  # its gradients are not needed to update the generator
    gan.generator_optimizer.zero_grad()
    g_adversarial = objective.adversarial(D(torch.cat([condition, fake], 1)), real=True)
    g_reconstruction = objective.reconstruction(fake, target)
    backward(g_adversarial + objective.reconstruction_weight * g_reconstruction)
    gan.generator_optimizer.step()

    terms = {"g_adversarial": g_adversarial, "g_l1": g_reconstruction, "d_real": d_real, "d_fake": d_fake}
    if gradient_norm:
        gradients = [weight.grad for weight in G.parameters() if weight.grad is not None]
        terms["g_gradient_norm"] = nn.utils.get_total_norm(gradients)
    return {name: term.detach() for name, term in terms.items()}
