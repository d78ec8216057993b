"""Maps of a generated picture: where does a metric, or a user's program, see a difference? High values are bad.

They are compared with the marks of people (`gan_eval.stats.marks`). A map may be smaller than its picture.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.labels import label_map
from gan_eval.metrics.definitions.no_reference import BLOCK, niqe_blocks
from gan_eval.metrics.definitions.perceptual import LPIPS_ALEX_HOLE, PerceptualDistance
from gan_eval.metrics.definitions.similarity import WINDOW, l1_map, ssim_map
from gan_eval.metrics.kernels.pictures import Missing, Unmeasurable
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measure import PictureFiles
from gan_eval.metrics.weights.cache import open_weights

Map = NDArray[np.float32]
OWN_MAPS = ("l1", "ssim", "niqe", "lpips")
"""Names of the maps that are computed here."""
SUFFIXES = (".npy", ".png")
_NEAR = 16
"""Maximum difference of each channel between two colours that are of one label."""
FLAT = 0.9
"""Minimum share of a label's pixels with its colour; photographs have less."""


class PictureMaps:
    """The maps and the regions of generated pictures."""

    def __init__(self, stimuli: Iterable[Stimulus], given: Mapping[str, Path] | None = None, *, resize: bool = False):
        """Find the files of the user's maps.

        Args:
            given: folders by the map's name: a grey PNG or a NumPy file for each picture, called as the picture.
            resize: a generated picture is resized to its reference, as in `metrics --resize`.

        Raises:
            UserError: a name is taken, a folder is absent, or none or several of its files are of a picture.
        """
        self._stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli if stimulus.is_fake}
        self._resize = resize
        self._colours: list[NDArray[np.float64]] = []
        self.given = {name: self._files_of(name, Path(folder)) for name, folder in (given or {}).items()}
        """Files of the user's maps by name and stimulus."""
        self.names = (*OWN_MAPS, *self.given)

    def __call__(self, name: str, stimulus: str) -> Map | str:
        """Return a map, (H, W), NaN where it has no value; or the reason why there is none."""
        known = self._stimuli.get(stimulus)
        if known is None:
            return "the picture is in none of the sets"
        try:
            if name in self.given:
                file = self.given[name].get(stimulus)
                return f"no file for {stimulus}" if file is None else read_map(file)
            return self._own(name, known)
        except (Unmeasurable, UserError) as reason:
            return str(reason)
        except ImportError as error:
            return f"{error.name} is not installed"

    def _own(self, name: str, stimulus: Stimulus) -> Map | str:
        files = PictureFiles()
        own = Missing(stimulus.problem) if stimulus.problem else files.read(stimulus.file)
        if isinstance(own, Missing):
            return own.reason
        if name == "niqe":
            return niqe_map(files.picture(own))
        real = files.read(stimulus.companion("reference"))
        if isinstance(real, Missing):
            return real.reason
        pair = files.pair(own, real, any_format=name != "lpips", resize=self._resize)
        if name == "lpips":
            return self._lpips if isinstance(self._lpips, str) else self._lpips.map(*pair)
        return l1_map(*pair) if name == "l1" else _with_rim(1 - ssim_map(*pair))

    @cached_property
    def _lpips(self) -> PerceptualDistance | str:
        """The network that gives a distance for each pixel, or the reason why there is none."""
        metric = LPIPS_ALEX_HOLE
        try:
            (name,), (read,) = metric.weights, metric.readers
            network = metric.make(open_weights(name, read, None).contents, device="cpu") if metric.make else None
        except Unmeasurable as reason:
            return str(reason)
        assert isinstance(network, PerceptualDistance)
        return network

    def regions(self, stimulus: str) -> dict[str, NDArray[np.bool_]]:
        """Return the hole that was filled, or the labels of the label picture that the generator was given.

        They are (H, W) bool by name: `hole`, or the colour of a label such as `#0000aa`.

        Colours of two pictures that differ by at most `_NEAR` in each channel have one name. A picture with other than
        flat colours, such as a photograph, has no labels.
        """
        known, files = self._stimuli.get(stimulus), PictureFiles()
        if known is None:
            return {}
        mask, source = (files.read(known.companion(name)) for name in ("mask", "input"))
        try:
            if not isinstance(mask, Missing):
                return {"hole": np.asarray(files.hole(mask), bool)}
            if isinstance(source, Missing):
                return {}
            picture = files.picture(source)
            labels = label_map(picture)
        except (Unmeasurable, UserError):
            return {}
        found = dict[str, NDArray[np.bool_]]()
        for label in np.unique(labels):
            inside = labels == label
            colour = np.median(picture[inside], axis=0)
            if (np.abs(picture[inside] - colour).max(axis=1) <= _NEAR).mean() < FLAT:
                return {}
            name = self._name(colour)
            found[name] = found.get(name, False) | inside
        return found

    def _name(self, colour: NDArray[np.float64]) -> str:
        same = next((known for known in self._colours if np.abs(known - colour).max() <= _NEAR), None)
        if same is None:
            self._colours.append(same := np.rint(colour))
        return "#" + bytes(same.astype(np.uint8)).hex()

    def _files_of(self, name: str, folder: Path) -> dict[str, Path]:
        """Return the map's file by stimulus."""
        if name in OWN_MAPS:
            raise UserError(f"--maps {name}={folder}: {name} is a map of ours; choose another name")
        if not folder.is_dir():
            raise UserError(f"--maps {name}={folder}: no such folder")
        files = {
            path.relative_to(folder).with_suffix("").as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in SUFFIXES
        }
        found, users = {}, dict[Path, str]()
        for stimulus in self._stimuli:
            parts = stimulus.split("/")
            ends = ("/".join(parts[start:]) for start in range(len(parts)))
            file = next((files[end] for end in ends if end in files), None)
            if file is None:
                continue
            if users.setdefault(file, stimulus) != stimulus:
                raise UserError(
                    f"--maps {name}={folder}: {file.name} may be of {users[file]} and {stimulus}; put the maps of each "
                    "model into a folder of the model's name"
                )
            found[stimulus] = file
        if not found and self._stimuli:
            raise UserError(
                f"--maps {name}={folder}: no file is called as a generated picture, such as "
                f"{next(iter(self._stimuli)).rpartition('/')[2]}.png or .npy"
            )
        return found


def read_map(file: Path) -> Map:
    """Read a map: a grey picture of 8 or 16 bits, or a NumPy file of one (H, W) array.

    Raises:
        UserError: it cannot be read, or has colours or another number of dimensions.
    """
    try:
        if file.suffix.lower() == ".npy":
            values = np.load(file, allow_pickle=False)
        else:
            with Image.open(file) as image:
                modes = {"1": "L", "LA": "L", "P": "RGB", "RGBA": "RGB"}
                values = np.asarray(image.convert(modes.get(image.mode, image.mode)))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserError(f"{file}: cannot be read as a map: {error}") from error
    values = np.squeeze(values)
    if values.ndim == 3 and (values == values[..., :1]).all():
        values = values[..., 0]  # grey, saved as RGB
    if values.ndim != 2 or not values.size or values.dtype.kind not in "buif":
        raise UserError(f"{file}: found {values.dtype} of shape {values.shape}, expected one grey value for each pixel")
    return np.where(np.isfinite(values), values, np.nan).astype(np.float32)


def niqe_map(picture: NDArray[np.uint8]) -> Map:
    """Return (H, W) the distance of each pixel's block from photographs (`niqe_blocks`); NaN outside the blocks."""
    blocks = niqe_blocks(picture)
    found = np.full(picture.shape[:2], np.nan, np.float32)
    rows, columns = (count * BLOCK for count in blocks.shape)
    found[:rows, :columns] = blocks.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    return found


def _with_rim(inner: Map) -> Map:
    """Return the SSIM map with the size of its picture: NaN where no window fits."""
    return np.pad(inner, WINDOW // 2, constant_values=np.nan)
