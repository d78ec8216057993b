"""The interface of a training task (pictures, batches, losses, generated pictures), and paired translation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import Picture
from gan_eval.settings.choices import Direction, Mode
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row
from trainer.datasets.dataset import DataSet
from trainer.datasets.pairs import PairedSet
from trainer.devices import placed
from trainer.inference import LUMA, translate_batch
from trainer.losses import ADVERSARIAL, DECISION, PICTURE_LOSSES, PIXEL_LOSSES, ReconstructionLoss
from trainer.masks import Mask
from trainer.nets.layers import Network
from trainer.randomness import Purpose
from trainer.step import Batch, Objective, Term, TermLoss
from trainer.style import StyleLoss, load_style_network, style_weights


@dataclass(frozen=True)
class Example:
    """An item outside training."""

    condition: Picture  # the input picture as shown to participants
    target: Picture
    mask: Mask | None = None  # the hole, if there is one


@dataclass(frozen=True)
class Output:
    """A generator's output for an example."""

    fake: Picture  # the stimulus; around a hole it is the target, bit for bit
    raw: Picture | None = None
    """The generator's picture before its known pixels were replaced; None without a hole."""


class Task(ABC):
    """One way to train the two networks. The training step, the log and the checkpoints are the same for all."""

    modes: tuple[Mode, ...] = ("train", "eval")
    """Modes of generation; the first one is used for sample grids and for choosing the best generator."""
    gives_raw = False  # True if its outputs have a raw picture

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings

    @abstractmethod
    def data_set(self, folder: Path) -> DataSet:
        """Return the data set in a folder."""

    @property
    def row_facts(self) -> Row:
        """Columns of each table row about the task's generator."""
        network = self.settings.style_network
        return {} if network == "none" and self.settings.inpainting is None else {"style_network": network}

    @abstractmethod
    def conditions(self) -> dict[str, Any]:
        """Return the facts that, besides the settings, determine the items."""

    def definition(self) -> dict[str, Any]:
        """Return the facts that, besides the settings, identify a run."""
        network = self.settings.style_network
        return self.conditions() | ({} if network == "none" else {"style_sha256": sha256_file(style_weights(network))})

    def mode(self, requested: Mode | None) -> Mode:
        """Return the requested mode; default: the first of the modes."""
        mode = requested or self.modes[0]
        if mode not in self.modes:
            raise UserError(
                f"mode {mode}: this generator was trained with BatchNorm over whole batches, which a single picture "
                f"does not have; give {self.modes[0]}"
            )
        return mode

    @abstractmethod
    def assemble(self, crops: Sequence[NDArray[np.float32]], samples: list[int]) -> Batch:
        """Return a batch from K crops (N, C, size, size) in [-1, 1] with the sample numbers since the run's start."""

    @abstractmethod
    def judged(self, batch: Batch, picture: Tensor) -> Tensor:
        """Return the discriminator's input for a picture, which is the generator's output or the batch's target."""

    def logit_weights(self, _batch: Batch, _logits: Tensor) -> Tensor | None:
        """Return the weights of the discriminator's logits in the adversarial loss; None: equal weights."""
        return None

    def pixel_weights(self, _batch: Batch) -> Tensor | None:
        """Return the weight of each pixel in L1 and L2; None: equal weights."""
        return None

    def objective(
        self, device: torch.device, *, autocast: Callable[[], AbstractContextManager[Any]] = nullcontext
    ) -> Objective:
        """Return the losses that the training step minimises, on the device.

        Losses of weight 0 are omitted, except L1, which is always logged so that models can be compared.
        """
        settings = self.settings

        def of_pixels(loss: ReconstructionLoss) -> TermLoss:
            return lambda output, batch: loss(output, batch.target, self.pixel_weights(batch))

        def of_picture(loss: Callable[[Tensor, Tensor], Tensor]) -> TermLoss:
            return lambda output, batch: loss(batch.filled(output), batch.target)

        losses = {name: of_pixels(loss) for name, loss in PIXEL_LOSSES.items()}
        losses |= {name: of_picture(loss) for name, loss in PICTURE_LOSSES.items()}
        if settings.style_network != "none":
            network = load_style_network(settings.style_network, layers=settings.style_layers)
            style = placed(StyleLoss(network, settings.style_layers), device)

            def of_style(picture: Tensor, target: Tensor) -> Tensor:
                with autocast():
                    return style(picture, target)

            losses["style"] = of_picture(of_style)
        terms = (Term(f"g_{name}", loss, getattr(settings, f"lambda_{name}")) for name, loss in losses.items())
        return Objective(
            judged=self.judged,
            reconstruction=tuple(term for term in terms if term.weight or term.name == "g_l1"),
            adversarial=ADVERSARIAL[settings.adversarial],
            adversarial_weight=settings.adversarial_weight,
            logit_weights=self.logit_weights,
            decision=DECISION[settings.adversarial],
            d_loss_factor=settings.d_loss_factor,
        )

    @abstractmethod
    def example(self, item: tuple[Picture, ...], *, stem: str, number: int, seed: int, grey: bool = False) -> Example:
        """Return an item outside training from its pictures.

        Args:
            item: the pictures that the data set reads from a file, at the size that is generated.
            stem: the file's stem; if all holes are masks of a folder, the mask with this stem is used unchanged.
            number, seed: they determine the hole.
            grey: True if the generator gives grey pictures; the ground truth is then made grey, too.
        """

    @abstractmethod
    def outputs(
        self, net: nn.Module, examples: Sequence[Example], *, purpose: Purpose, seed: int, numbers: Sequence[int]
    ) -> list[Output]:
        """Generate pictures of one size, each independent of the others (except for the last bits)."""

    def panels(self, example: Example, output: Output) -> list[Picture]:
        """Return the pictures of an example in a sample grid, each (H, W, 3) uint8."""
        return [example.condition, output.fake, example.target]


class Translation(Task):
    """Paired translation (Pix2Pix, arXiv 1611.07004): one half of a picture is the input, the other the truth."""

    def __init__(self, settings: TrainingSettings, direction: Direction) -> None:
        super().__init__(settings)
        self.direction = direction

    def data_set(self, folder: Path) -> DataSet:
        return PairedSet(folder, self.direction)

    def conditions(self) -> dict[str, Any]:
        return {"direction": self.direction}

    def assemble(self, crops: Sequence[NDArray[np.float32]], samples: list[int]) -> Batch:
        condition, target = crops
        return Batch(torch.from_numpy(condition), torch.from_numpy(target))

    def judged(self, batch: Batch, picture: Tensor) -> Tensor:
        """Return input and picture joined by channel: the discriminator is conditional (arXiv 1611.07004, eq. 1)."""
        return torch.cat([batch.inputs, picture], 1)

    def example(self, item: tuple[Picture, ...], *, stem: str, number: int, seed: int, grey: bool = False) -> Example:
        condition, target = item
        if grey:  # the luma in three equal channels, for generators of grey pictures
            target = np.repeat(np.rint(target @ np.array(LUMA)).astype(np.uint8)[..., None], 3, axis=2)
        return Example(condition, target)

    def outputs(
        self, net: nn.Module, examples: Sequence[Example], *, purpose: Purpose, seed: int, numbers: Sequence[int]
    ) -> list[Output]:
        height, width = examples[0].condition.shape[:2]
        assert isinstance(net, Network)
        margin = ((0, -height % net.multiple), (0, -width % net.multiple), (0, 0))  # reflection, to the right and below
        padded = [np.pad(example.condition, margin, mode="reflect") for example in examples]
        fakes = translate_batch(net, padded, purpose=purpose, seed=seed, numbers=numbers)
        return [Output(np.ascontiguousarray(fake[:height, :width])) for fake in fakes]
