"""Maps of a generated picture: where does a metric, or a user's program, see a difference? High values are bad.

They are compared with the marks of people (`gan_eval.stats.marks`). A map may be smaller than its picture.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import cast
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.base.arrays import require_small_arrays
from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.labels import label_map
from gan_eval.metrics.definitions.no_reference import BLOCK, niqe_blocks
from gan_eval.metrics.definitions.perceptual import PerceptualDistance
from gan_eval.metrics.definitions.similarity import WINDOW, l1_map, ssim_map
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.one_value import load
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measure import PictureFiles
from gan_eval.pictures.decode import open_picture

Map = NDArray[np.float32]
OWN_MAPS = ("l1", "ssim", "niqe", "lpips")
_ALIKE = 0.05
"""Maximum difference of the aspect ratios of a map and its picture, turned by 90 degrees if its axes are exchanged."""
_NEAR = 16
"""Maximum difference of each channel between colours of one label."""
_FLAT = 0.9
"""Minimum share of a label's pixels that have its colour."""


class PictureMaps:
    """The maps and the regions of generated pictures."""

    def __init__(self, stimuli: Iterable[Stimulus], given: Mapping[str, Path | str] | None = None):
        """Find the files of the user's maps in `given` folders by the map's name; `UserError`: they do not fit."""
        self._stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli if stimulus.is_fake}
        self._colours: list[NDArray[np.float64]] = []
        self.given = {name: self._files_of(name, Path(folder)) for name, folder in (given or {}).items()}
        self.names = (*OWN_MAPS, *self.given)

    def __call__(self, name: str, stimulus: str) -> Map:
        """Return a map, (H, W), NaN where it has no value; `UserError`: the reason why there is none."""
        if stimulus not in self._stimuli:
            raise UserError("the picture is in none of the sets")
        if name in self.given and stimulus not in self.given[name]:
            raise UserError(f"no file for {stimulus}")
        try:
            if name in self.given:
                return self._of_user(self.given[name][stimulus], self._stimuli[stimulus])
            return self._own(name, self._stimuli[stimulus])
        except Unmeasurable as reason:
            raise UserError(str(reason)) from reason
        except ImportError as error:
            raise UserError(f"{error.name} is not installed") from error

    def _of_user(self, file: Path, stimulus: Stimulus) -> Map:
        values = read_map(file)
        height, width = PictureFiles().picture(open_picture(stimulus.file)).shape[:2]
        rows, columns = values.shape
        if abs(columns * width / (rows * height) - 1) < _ALIKE < abs(columns * height / (rows * width) - 1):
            raise UserError(f"the map is {columns}x{rows}, the picture {width}x{height}: save it as (H, W), not (W, H)")
        return values

    def _own(self, name: str, stimulus: Stimulus) -> Map:
        if stimulus.problem or (name != "niqe" and stimulus.reference is None):
            raise Unmeasurable(stimulus.problem or stimulus.no_reference)
        files, file = PictureFiles(), open_picture(stimulus.file)
        if stimulus.reference is None or name == "niqe":
            picture = files.picture(file)
            blocks = niqe_blocks(picture).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
            rim = [(0, side - of_blocks) for side, of_blocks in zip(picture.shape, blocks.shape, strict=False)]
            return np.pad(blocks, rim, constant_values=np.nan).astype(np.float32)
        pair = files.pair(file, open_picture(stimulus.reference), any_format=name != "lpips", resize=False)
        if name == "lpips":
            return self._lpips.map(*pair)
        # no window of SSIM fits at the rim
        return l1_map(*pair) if name == "l1" else np.pad(1 - ssim_map(*pair), WINDOW // 2, constant_values=np.nan)

    @cached_property
    def _lpips(self) -> PerceptualDistance:
        return cast(PerceptualDistance, load("lpips_alex_hole"))

    def regions(self, stimulus: str) -> dict[str, NDArray[np.bool_]]:
        """Return the hole that was filled, or the labels of the label picture that the generator was given.

        They are (H, W) by name: `hole`, or a label's colour such as `#0000aa`. Colours of two pictures that differ by
        at most `_NEAR` in each channel have one name. A picture without flat colours, such as a photograph, has none.
        """
        row, files, masks = self._stimuli.get(stimulus), PictureFiles(), dict[str, NDArray[np.bool_]]()
        try:
            if row and row.mask:
                return {"hole": np.asarray(files.hole(open_picture(row.mask)), bool)}
            if row is None or row.input is None:
                return masks
            labels = label_map(picture := files.picture(open_picture(row.input)))
        except (Unmeasurable, UserError):
            return masks
        for inside in (labels == label for label in np.unique(labels)):
            colour = np.median(picture[inside], axis=0)
            if (np.abs(picture[inside] - colour).max(axis=1) <= _NEAR).mean() < _FLAT:
                return {}
            same = next((near for near in self._colours if np.abs(near - colour).max() <= _NEAR), np.rint(colour))
            self._colours.append(same)
            name = "#" + bytes(same.astype(np.uint8)).hex()
            masks[name] = masks.get(name, False) | inside
        return masks

    def _files_of(self, name: str, folder: Path) -> dict[str, Path]:
        """Return the map's file by stimulus."""
        where, users = f"--maps {name}={folder}", dict[Path, str]()
        if name in OWN_MAPS:
            raise UserError(f"{where}: {name} is a map of ours; choose another name")
        files = {normalize("NFC", path.relative_to(folder).as_posix()): path for path in folder.rglob("*")}
        for stimulus in self._stimuli:
            parts = stimulus.split("/")
            ends = ("/".join(parts[start:]) + suffix for start in range(len(parts)) for suffix in (".npy", ".png"))
            file = next((files[end] for end in ends if end in files), None)
            if file is not None and users.setdefault(file, stimulus) != stimulus:
                both = f"{users[file]} and {stimulus}; put each model's maps into a folder of its name"
                raise UserError(f"{where}: {file.name} may be of {both}")
        if self._stimuli and not users:
            raise UserError(f"{where}: found no file called as a generated picture, such as {parts[-1]}.png or .npy")
        return {stimulus: file for file, stimulus in users.items()}


def read_map(file: Path) -> Map:
    """Read a map: a grey picture of 8 or 16 bits, or a NumPy file of one (H, W) array; else raise `UserError`."""
    try:
        if file.suffix == ".npy":
            require_small_arrays(file)
            values = np.squeeze(np.load(file, allow_pickle=False))
        else:
            with Image.open(file) as image:
                values = np.asarray(image if image.mode[0] in "LIF" and image.mode != "LA" else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise UserError(f"{file}: cannot be read as a map: {error}") from error
    if values.ndim == 3 and (values == values[..., :1]).all():
        values = values[..., 0]  # grey, saved as RGB
    if values.ndim != 2 or not values.size or values.dtype.kind not in "buif":
        raise UserError(f"{file}: found {values.dtype} of shape {values.shape}, expected one grey value for each pixel")
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)
