"""Inpainting: fill holes from the pixels around them (Pathak et al. 2016, arXiv 1604.07379)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import Picture, stem_of
from gan_eval.pictures.holes import Hole
from gan_eval.settings.training import NEUTRAL_GREY, InpaintingSettings, TrainingSettings
from trainer.batches import as_tensor
from trainer.datasets.dataset import DataSet
from trainer.datasets.photographs import PhotographSet
from trainer.inference import generated
from trainer.losses import at_holes, pixel_weights
from trainer.masks import Mask, Masks, at_size, hash_holes, read_holes
from trainer.randomness import Purpose, stream
from trainer.step import Batch
from trainer.tasks.task import Example, Output, Task

MEAN_COLOUR = (117, 104, 123)
"""Red, green, blue in 0..255, as pathak22/context-encoder (defa69a) fills holes: ImageNet's means in another order."""


class Inpainting(Task):
    """Photographs with holes; the ground truth is the whole photograph."""

    def __init__(self, settings: TrainingSettings, root: Path) -> None:
        """Set up; folders of shapes and masks are relative to `root`."""
        super().__init__(settings)
        assert settings.inpainting is not None
        self.holes: InpaintingSettings = settings.inpainting
        self.gives_centre = settings.generator == "context_encoder"
        self.gives_raw = not self.gives_centre or self.holes.overlap_shown
        if settings.norm == "batch" and settings.statistics == "batch":
            self.modes = ("eval",)  # a single picture has no batch statistics
        shapes = _holes_of(root, self.holes.shapes, "shapes") if "region" in self.holes.masks else {}
        limits = {"least": self.holes.least_area, "most": self.holes.most_area, "longest": settings.image_size}
        pictures = _holes_of(root, self.holes.mask_folder, "mask_folder", **limits)
        self._hashes = {"shapes": hash_holes(shapes), "masks": hash_holes(pictures)}
        self._by_name = {stem_of(Path(name)): hole for name, hole in pictures.items()}
        self._masks = Masks(self.holes, shapes=list(shapes.values()), folder=list(pictures.values()))

    def data_set(self, folder: Path) -> DataSet:
        return PhotographSet(folder, self.holes.source_size, self.holes.fit)

    def conditions(self) -> dict[str, Any]:
        return {"holes_sha256": sha256_json(self._hashes)}

    def assemble(self, crops: Sequence[NDArray[np.float32]], samples: list[int]) -> Batch:
        (target,) = crops
        streams = [stream(Purpose.MASK, self.settings.seed, sample) for sample in samples]
        holes = np.stack([self._mask(rng, target.shape[-2:]).hole for rng in streams])
        return self._batch(target, holes, streams)

    def judged(self, batch: Batch, picture: Tensor) -> Tensor:
        """Return the composite without the input; for a context encoder only its square, without the seam around it."""
        return batch.filled(picture)

    def logit_weights(self, batch: Batch, logits: Tensor) -> Tensor | None:
        return None if batch.hole is None or self.holes.judged_patches == "all" else at_holes(logits, batch.hole)

    def pixel_weights(self, batch: Batch) -> Tensor | None:
        holes = self.holes
        if holes.hole_weight == holes.context_weight == 1 and not holes.overlap:
            return None
        return pixel_weights(
            torch.ones_like(batch.target[:1, :1]) if batch.hole is None else batch.hole,
            hole_weight=holes.hole_weight,
            context_weight=holes.context_weight,
            overlap=holes.overlap,
            overlap_weight=holes.overlap_weight,
        )

    def example(self, item: tuple[Picture, ...], *, stem: str, number: int, seed: int, grey: bool = False) -> Example:
        (target,) = item
        size = target.shape[:2]
        if list(self.holes.masks) == ["folder"] and stem in self._by_name:
            return self.hidden(target, Mask("folder", at_size(self._by_name[stem], size)))
        return self.hidden(target, self._mask(stream(Purpose.TEST_MASK, seed, number), size))

    @staticmethod
    def hidden(target: Picture, mask: Mask) -> Example:
        """Return a photograph with a part of it covered in grey."""
        covered = np.where(mask.hole[..., None], np.uint8(NEUTRAL_GREY), target)
        return Example(covered, target, mask)

    def outputs(
        self, net: nn.Module, examples: Sequence[Example], *, purpose: Purpose, seed: int, numbers: Sequence[int]
    ) -> list[Output]:
        masks = [example.mask.hole for example in examples if example.mask is not None]
        levels = as_tensor(np.stack([example.target for example in examples]).transpose(0, 3, 1, 2)).numpy()
        batch = self._batch(levels, np.stack(masks), [stream(purpose, seed, number, 1) for number in numbers])
        pictures = generated(net, batch.inputs, purpose=purpose, seed=seed, numbers=numbers)
        outputs = []
        for example, picture in zip(examples, pictures, strict=True):
            assert example.mask is not None
            hole = example.mask.hole[..., None]
            if self.gives_centre:  # the centre is first put into its place
                whole = example.target.copy()
                whole[self._window(whole.shape[0])] = picture
            else:
                whole = picture
            composite = np.where(hole, whole, example.target)  # its known pixels are those of the target
            outputs.append(Output(composite, whole if self.gives_raw else None))
        return outputs

    def panels(self, example: Example, output: Output) -> list[Picture]:
        """Return original, masked, generated, composite."""
        return [example.target, example.condition, output.fake if output.raw is None else output.raw, output.fake]

    def _mask(self, rng: np.random.Generator, size: tuple[int, ...]) -> Mask:
        mask = self._masks(rng, (size[0], size[1]))
        if not self.gives_centre:
            return mask
        hole = np.zeros(size, np.bool_)
        hole[self._window(size[0], inside=self.holes.overlap if self.holes.overlap_shown else 0)] = True
        return Mask("centre", hole)

    def _window(self, side: int, *, inside: int = 0) -> tuple[slice, slice]:
        """Return the centre that the context encoder gives, or its part at least `inside` pixels from its edge."""
        length = self.holes.centre_side(self.settings.image_size)
        start = (side - length) // 2
        window = slice(start + inside, start + length - inside)
        return window, window

    def _batch(
        self, target: NDArray[np.float32], holes: NDArray[np.bool_], streams: list[np.random.Generator]
    ) -> Batch:
        """Return a batch of pictures (N, 3, H, W) in [-1, 1] with their holes (N, H, W); `streams` give the noise."""
        inputs = np.empty((len(target), 3 + self.holes.mask_channel, *holes.shape[1:]), np.float32)
        inputs[:, :3] = target
        inputs[:, 3:] = holes[:, None]
        for picture, hole, rng in zip(inputs, holes, streams, strict=True):
            match self.holes.fill:
                case "zero":
                    picture[:3, hole] = 0
                case "mean":
                    picture[:3, hole] = np.array(MEAN_COLOUR, np.float32)[:, None] / np.float32(127.5) - np.float32(1)
                case "noise":
                    noise = rng.standard_normal((3, int(hole.sum())), dtype=np.float32)
                    picture[:3, hole] = noise.clip(-1, 1)
        seen, truth = torch.from_numpy(inputs), torch.from_numpy(target)
        if self.gives_centre:
            return Batch(seen, truth[..., *self._window(target.shape[-1])].contiguous())
        return Batch(seen, truth, torch.from_numpy(holes[:, None].astype(np.float32)))


def _holes_of(root: Path, folder: str, field: str, **limits: Any) -> dict[str, Hole]:
    """Return the shapes or masks of a folder by file name; none without a folder."""
    if not folder:
        return {}
    if not (root / folder).is_dir():
        raise UserError(f"inpainting.{field}: no such folder {root / folder}; it is looked for below the data root")
    return read_holes(root / folder, **limits)
