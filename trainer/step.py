"""The training step of a conditional GAN (arXiv 1611.07004, section 3.3): one function, read from top to bottom.

All tasks use it. Its `Objective` defines what the discriminator sees and the losses. recording.py starts it faster.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trainer.devices import autocast, on_device
from trainer.losses import AdversarialLoss, bce, mean_of


@dataclass(frozen=True)
class Batch:
    """The input of a training step: N items, float32 in [-1, 1]."""

    inputs: Tensor  # (N, C, H, W): the generator's input
    target: Tensor  # (N, 3, h, w): the ground truth
    hole: Tensor | None = None
    """(N, 1, h, w): 1 in the hole that the generator fills, 0 where the picture is known. None: the whole picture."""

    def to(self, device: torch.device) -> "Batch":
        """Return a copy on the device. Copying pinned memory to a GPU does not block."""
        return self._each(lambda tensor: on_device(tensor, device))

    def pinned(self) -> "Batch":
        """Return a copy in pinned (page-locked) memory."""
        return self._each(Tensor.pin_memory)

    def tensors(self) -> list[Tensor]:
        """Return the tensors that the batch has."""
        return [self.inputs, self.target, *([] if self.hole is None else [self.hole])]

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        hole = None if self.hole is None else change(self.hole)
        return replace(self, inputs=change(self.inputs), target=change(self.target), hole=hole)

    def filled(self, output: Tensor) -> Tensor:
        """Return the composite (N, 3, h, w): `output` in the hole and the target's exact pixels around it."""
        return output if self.hole is None else torch.where(self.hole > 0, output, self.target)


@dataclass(frozen=True)
class Gan:
    """The two networks, each with its optimizer."""

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: Optimizer
    discriminator_optimizer: Optimizer
    precision: str = "fp32"
    """Precision of forward passes (see `autocast`)."""


TermLoss = Callable[[Tensor, Batch], Tensor]  # function of the output and its batch


@dataclass(frozen=True)
class Term:
    """A loss of the generator's output with its weight in the objective; at weight 0 it is only logged."""

    name: str
    loss: TermLoss
    weight: float


@dataclass(frozen=True)
class Objective:
    """The losses that a training step minimises."""

    judged: Callable[[Batch, Tensor], Tensor]
    """Function of a batch and a picture (output or target) that returns the discriminator's input."""
    reconstruction: tuple[Term, ...]
    adversarial: AdversarialLoss = bce
    adversarial_weight: float = 1.0  # at 0 no discriminator is trained
    logit_weights: Callable[[Batch, Tensor], Tensor | None] = lambda _batch, _logits: None
    """Function that returns the weights of the discriminator's logits in the adversarial loss; None: equal weights."""
    decision: float = 0.0  # a logit above it means real
    d_loss_factor: float = 0.5
    """Factor of the discriminator's loss (fakes + reals). Adam's updates hardly depend on it."""


def training_step(gan: Gan, objective: Objective, batch: Batch) -> dict[str, Tensor]:
    """Update the discriminator once, then the generator against the updated discriminator.

    Returns:
        Detached scalars. Losses without their weights: g_adversarial, d_real, d_fake and each reconstruction term.
        d_accuracy: weighted share of logits on the correct side, before D's update. g_gradient_norm, d_gradient_norm:
        Euclidean norms of the gradients that the two updates used.
    """
    G, D = (forward_of(net, gan.precision) for net in (gan.generator, gan.discriminator))
    fake = G(batch.inputs)
    terms: dict[str, Tensor] = {}
    g_loss = fake.new_zeros(())

    if objective.adversarial_weight:
        gan.discriminator.requires_grad_(True)
        fake_logits = D(objective.judged(batch, fake.detach()))
        real_logits = D(objective.judged(batch, batch.target))
        weight = objective.logit_weights(batch, fake_logits)
        terms["d_fake"] = objective.adversarial(fake_logits, real=False, weight=weight)
        terms["d_real"] = objective.adversarial(real_logits, real=True, weight=weight)
        (objective.d_loss_factor * (terms["d_fake"] + terms["d_real"])).backward()
        terms["d_gradient_norm"] = total_gradient_norm(gan.discriminator)
        update(gan.discriminator_optimizer)
        terms["d_accuracy"] = accuracy(fake_logits, real_logits, objective.decision, weight=weight)

        gan.discriminator.requires_grad_(False)  # its gradients are not needed to update the generator
        logits = D(objective.judged(batch, fake))
        terms["g_adversarial"] = objective.adversarial(logits, real=True, weight=weight)
        g_loss = objective.adversarial_weight * terms["g_adversarial"]

    for term in objective.reconstruction:
        terms[term.name] = term.loss(fake, batch)
        if term.weight:
            g_loss = g_loss + term.weight * terms[term.name]
    g_loss.backward()
    terms["g_gradient_norm"] = total_gradient_norm(gan.generator)
    update(gan.generator_optimizer)
    return {name: term.detach() for name, term in terms.items()}


def forward_of(net: nn.Module, precision: str) -> Callable[[Tensor], Tensor]:
    """Return the forward pass of a network in a precision; what it gives has the type of its input."""
    if precision == "fp32":
        return net

    def forward(batch: Tensor) -> Tensor:
        with autocast(batch.device, precision):
            return net(batch).to(batch.dtype)

    return forward


def update(optimizer: Optimizer) -> None:
    """Update a network, and free its gradients now: the other network's work has their memory meanwhile."""
    optimizer.step()
    optimizer.zero_grad()


def accuracy(fake_logits: Tensor, real_logits: Tensor, decision: float, *, weight: Tensor | None = None) -> Tensor:
    """Return the mean of two shares of logits, weighted by `weight`: reals above `decision`, and fakes not above it."""
    dtype = torch.promote_types(real_logits.dtype, torch.float32)
    correct_reals = mean_of((real_logits.detach() > decision).to(dtype), weight)
    correct_fakes = mean_of((fake_logits.detach() <= decision).to(dtype), weight)
    return (correct_reals + correct_fakes) / 2


def total_gradient_norm(net: nn.Module) -> Tensor:
    """Return the Euclidean norm of all gradients of `net` as one vector."""
    return nn.utils.get_total_norm([weight.grad for weight in net.parameters() if weight.grad is not None])
