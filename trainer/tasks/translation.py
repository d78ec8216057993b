"""Paired translation (Pix2Pix, arXiv 1611.07004): one half of a picture from the other."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction, TrainingSettings
from gan_eval.stimuli.pictures import Picture
from gan_eval.stimuli.pixel_formats import RGB8, Samples
from trainer.batches import pair_batch
from trainer.datasets.dataset import DataSet
from trainer.datasets.pairs import Formats, PairedSet
from trainer.inference import LUMA, crop_back, pad_to_multiple, translate_batch
from trainer.randomness import Purpose
from trainer.state.run_folder import named_formats
from trainer.step import Batch, Objective
from trainer.tasks.task import Autocast, Example, Output, Task, loss_terms, objective_of


class Translation(Task):
    """A|B pictures: one half is the input, the other the ground truth."""

    def __init__(self, settings: TrainingSettings, direction: Direction, formats: Formats = (RGB8, RGB8)) -> None:
        super().__init__(settings)
        self.direction = direction
        self.formats = formats
        if settings.style_network != "none" and formats[1].channels != 3:
            raise UserError(
                f"style_network: {settings.style_network} takes RGB, and the pictures are {formats[1]}; "
                'give style_network = "none" and lambda_style = 0'
            )

    def data_set(self, folder: Path) -> DataSet:
        return PairedSet(folder, self.direction, self.formats)

    def conditions(self) -> dict[str, Any]:
        return {"direction": self.direction, **named_formats(self.formats)}

    def assemble(self, crops: Sequence[NDArray[np.float32]], samples: list[int]) -> Batch:
        return pair_batch(crops, samples)

    def objective(self, device: torch.device, *, autocast: Autocast = nullcontext) -> Objective:
        return objective_of(self.settings, joined_with_input, loss_terms(self.settings, device, autocast=autocast))

    def example(self, item: tuple[Samples, ...], *, stem: str, number: int, seed: int, grey: bool = False) -> Example:
        condition, target = item
        return Example(condition, as_grey(target) if grey else target, formats=self.formats)

    def outputs(
        self, net: nn.Module, examples: Sequence[Example], *, purpose: Purpose, seed: int, numbers: Sequence[int]
    ) -> list[Output]:
        conditions = [example.condition for example in examples]
        padded = [pad_to_multiple(condition, net.multiple) for condition in conditions]  # type: ignore[arg-type]
        fakes = translate_batch(net, padded, purpose=purpose, seed=seed, numbers=numbers, formats=self.formats)
        return [Output(crop_back(fake, like)) for fake, like in zip(fakes, conditions, strict=True)]


def joined_with_input(batch: Batch, picture: Tensor) -> Tensor:
    """The input and the picture joined by channel: the discriminator is conditional (arXiv 1611.07004, eq. 1)."""
    return torch.cat([batch.inputs, picture], 1)


def as_grey(picture: Picture) -> Picture:
    """The luma of (H, W, 3) uint8 in three equal channels, for generators of grey pictures."""
    luma = np.rint(picture @ np.array(LUMA)).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)
