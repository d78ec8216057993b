"""Masks of several kinds, each as often as the settings say."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import get_args

import numpy as np

from gan_eval.errors import UserError
from gan_eval.settings.training import InpaintingSettings, MaskKind
from gan_eval.stimuli.holes import Hole
from trainer.masks.makers import MOST_OF_BLOCKS, Size, blocks, centre, pasted, strokes
from trainer.masks.silhouettes import region


@dataclass(frozen=True)
class Mask:
    """A hole with its kind."""

    kind: MaskKind
    hole: Hole
    """(H, W), True in the hole."""

    @property
    def area(self) -> float:
        """Share of the picture that the hole takes, 0..1."""
        return int(np.count_nonzero(self.hole)) / self.hole.size


class Masks:
    """Draws masks as `[training.inpainting]` says.

    >>> masks = Masks(InpaintingSettings(masks={"centre": 1, "strokes": 2}))
    >>> masks(np.random.default_rng(1), (128, 128)).hole.shape
    (128, 128)
    """

    def __init__(
        self, settings: InpaintingSettings, *, shapes: Sequence[Hole] = (), folder: Sequence[Hole] = ()
    ) -> None:
        """
        Args:
            settings: kinds, their shares, and the least and the most area.
            shapes: silhouettes of the holes of kind region; none: they are made.
            folder: the masks of kind folder.

        Raises:
            UserError: a kind of hole cannot be made with these.
        """
        if "blocks" in settings.masks and settings.least_area > MOST_OF_BLOCKS:
            raise UserError(
                f"inpainting.least_area: {settings.least_area:g} cannot be reached by holes of kind blocks, which take "
                f"at most {MOST_OF_BLOCKS:g} of the picture; lower it or leave blocks out"
            )
        if "folder" in settings.masks and not folder:
            raise UserError("inpainting.masks: folder: there are no masks; give their folder with mask_folder")
        self._settings = settings
        self._shapes, self._folder = tuple(shapes), tuple(folder)
        self._kinds: list[MaskKind] = [kind for kind in get_args(MaskKind) if kind in settings.masks]
        self._bounds = list(accumulate(settings.masks[kind] for kind in self._kinds))

    def __call__(self, rng: np.random.Generator, size: Size) -> Mask:
        """A mask for a picture of `size` = (height, width); `rng` decides it.

        Every hole's share is between the least and the most area; that of a centre follows from its side alone, in
        whole pixels.

        Raises:
            UserError: no hole of that size has an area between the least and the most.
        """
        kind = self._kind(rng)
        return Mask(kind, self._hole(kind, rng, size))

    def _kind(self, rng: np.random.Generator) -> MaskKind:
        place = rng.random() * self._bounds[-1]
        return next(
            (kind for kind, bound in zip(self._kinds, self._bounds, strict=True) if place < bound), self._kinds[-1]
        )

    def _hole(self, kind: MaskKind, rng: np.random.Generator, size: Size) -> Hole:
        least, most = self._settings.least_area, self._settings.most_area
        match kind:
            case "centre":
                return centre(rng, size, share=self._settings.centre)
            case "blocks":
                return blocks(rng, size, least=least, most=most)
            case "region":
                return region(rng, size, shapes=self._shapes, least=least, most=most)
            case "strokes":
                return strokes(rng, size, least=least, most=most)
            case "folder":
                return pasted(rng, size, masks=self._folder, least=least, most=most)
