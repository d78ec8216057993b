"""A segmenter that the user brings: what it reads in the pictures, counted against their label maps.

Its own file is the network, as TorchScript, with its settings next to it (see `SegmenterSettings`).
It takes one picture, (1, 3, H, W) float32, and gives scores (1, K, h, w) or class numbers (1, h, w). As in the
evaluation of Isola et al. 2017, a picture is first brought to the size of its label map, and there the classes are
counted. Where the generated pictures are label maps themselves, the word `palette` stands for the file.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError
from torch import Tensor
from torch.nn import functional as F

from gan_eval.errors import UserError, first_sentence, last_words
from gan_eval.files.digests import sha256_file, sha256_json
from gan_eval.files.reading import read_toml
from gan_eval.metrics.definitions.segmentation import (
    CLASSES,
    COLOURS_SIZE,
    COUNTS,
    ClassMap,
    class_map,
    confusion,
    label_classes,
    region_colours,
)
from gan_eval.metrics.kernels.devices import exact_inference, usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable, memory_ran_out
from gan_eval.metrics.networks.extractors import Extractor
from gan_eval.metrics.weights.files import first_nonfinite
from gan_eval.settings.sections import first_problem
from gan_eval.stimuli.pictures import Picture

PALETTE = Path("palette")
"""Stands for a network's file where the pictures are label maps themselves."""

ClassNumber = Annotated[int, Field(ge=0, lt=len(CLASSES))] | Literal[255]


class SegmenterSettings(BaseModel):
    """The keys of the file; each may be left out.

    The network is given (level * scale - mean) / std of each channel, with levels 0 to 255.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    scale: PositiveFloat = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Mean of each channel, after scaling, in the order of `channels`."""
    std: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (1.0, 1.0, 1.0)
    channels: Literal["rgb", "bgr"] = "rgb"
    size: tuple[PositiveInt, PositiveInt] | None = None
    """Height and width that the network wants; default: those of the label map."""
    classes: tuple[ClassNumber, ...] = tuple(range(len(CLASSES)))
    """The training number of each output: 0..18, or 255 for what is not evaluated."""


def read_settings(network: Path) -> SegmenterSettings:
    """The settings in `NETWORK.toml`, or the defaults if that file does not exist.

    Raises:
        UserError: the file cannot be read, or a key in it is unknown or has a bad value.
    """
    path = network.with_name(f"{network.name}.toml")
    if not os.path.lexists(path):
        return SegmenterSettings()
    values = read_toml(path)
    try:
        return SegmenterSettings(**values)
    except ValidationError as error:
        raise UserError(f"{path}: {first_problem(error, SegmenterSettings)}") from error


def segmenter_key(file: Path) -> str:
    """Return what a segmenter's output depends on, other than the pictures: its file's hash and its settings'.

    Raises:
        UserError: a file cannot be read, or a setting is bad.
    """
    if file == PALETTE:
        return "segmenter/palette/cityscapes19"
    settings = sha256_json(read_settings(file).model_dump(mode="json"))
    return f"segmenter/{sha256_file(file)}/{settings}/cityscapes19"


Network = Callable[[Tensor], Tensor]
"""(1, 3, H, W) float32 on the network's device to its output, there too."""


def load_network(file: Path, *, device: str, option: str | None = None) -> Network:
    """Load a network from its file. Loading TorchScript runs code that the file holds.

    Any number of threads may call the result. `option` is what the user wrote, for messages; default:
    `--segmenter FILE`.

    Raises:
        UserError: no such file, or no network in it.
    """
    option = option or f"--segmenter {file}"
    if not file.is_file():
        raise UserError(f"{option}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # deprecated for new exports, yet many networks are kept so
            network = torch.jit.load(file, map_location=device).eval()
    except Exception as error:  # RuntimeError for most damage; what a file's own code raises is its own
        if memory_ran_out(error):
            message = f"{option}: too little memory on {device}; make some free, or name another --device"
            raise UserError(message) from error
        raise UserError(
            f"{option}: not a TorchScript network ({first_sentence(error)}); weights alone do not do: export "
            "the network with torch.jit.trace"
        ) from error

    if key := first_nonfinite(network.state_dict()):
        raise UserError(f"{option}: its weight {key} is not finite; export the network again")

    def run(picture: Tensor) -> Tensor:
        output = network(picture)  # the scores, a dictionary with the entry `out`, or several, of which the first
        if isinstance(output, dict):
            output = output.get("out")
        if isinstance(output, tuple | list):
            output = output[0]
        if not isinstance(output, Tensor):
            raise ValueError(f"its output is {type(output).__name__}, wanted a tensor")
        return output

    return run


def load_segmenter(file: Path, *, device: str | None = None) -> Extractor:
    """The segmenter in a file.

    Args:
        file: the network, or the word `palette` (`PALETTE`).
        device: cpu, cuda, ...; default: CUDA where there is one.

    Raises:
        UserError: no such file or device, no network in it, or bad settings.
    """
    if file == PALETTE:
        return PaletteSegmenter()
    settings = read_settings(file)
    device = usable_device(device)
    network = load_network(file, device=device)
    return NetworkSegmenter(
        name="segmenter",
        size=COUNTS,
        key=segmenter_key(file),
        companion="input",
        sha256=sha256_file(file),
        network=network,
        settings=settings,
        device=device,
    )


class PaletteSegmenter(Extractor):
    """Reads pictures that are label maps themselves: each pixel is the class of the nearest palette colour.

    As those of `NetworkSegmenter`, its features are the counts of `confusion`.
    """

    def __init__(self) -> None:
        super().__init__(name="segmenter", size=COUNTS, key=segmenter_key(PALETTE), companion="reference")

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """The counts of a generated label map against the real one.

        Raises:
            Unmeasurable: the real label map has another size, or is not a label map.
        """
        assert companion is not None
        if companion.shape != picture.shape:
            raise Unmeasurable(f"label maps of {_size(picture)} and {_size(companion)}: sizes differ")
        return torch.from_numpy(confusion(_of_label_map(companion, "reference_file"), class_map(picture)))


class LabelColours(Extractor):
    """The mean colour of each label's region in a picture; no network takes part.

    Its features are those of `gan_eval.metrics.definitions.segmentation.region_colours`.
    """

    def __init__(self) -> None:
        super().__init__(name="label_colours", size=COLOURS_SIZE, key="label-colours/cityscapes19", companion="input")

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """The colours of the regions of the label map, to whose size the picture is brought.

        Raises:
            Unmeasurable: the label map is another kind of picture.
        """
        assert companion is not None
        true = _of_label_map(companion, "input_file")
        return torch.from_numpy(region_colours(true, _resized(picture, true.shape)))


@dataclass(kw_only=True)
class NetworkSegmenter(Extractor):
    """A network that reads classes in photographs."""

    network: Network
    settings: SegmenterSettings
    device: str

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """The counts of what the network reads in the picture, against the label map.

        Raises:
            Unmeasurable: the label map is another kind of picture, or the network fails on the picture.
        """
        assert companion is not None
        true = _of_label_map(companion, "input_file")
        return torch.from_numpy(confusion(true, self.read(_resized(picture, true.shape))))

    def read(self, picture: Picture) -> ClassMap:
        """(H, W, 3) uint8 to the class of each pixel, (H, W) uint8.

        Raises:
            Unmeasurable: the network fails, or gives something else than scores or class numbers.
            MemoryError, RuntimeError: there is too little memory (see `memory_ran_out`).
        """
        size = picture.shape[:2]
        resized = _resized(picture, self.settings.size or size)
        with exact_inference(self.device):
            try:
                mean, std = (
                    torch.tensor(values, dtype=torch.float32, device=self.device).view(1, 3, 1, 1)
                    for values in (self.settings.mean, self.settings.std)
                )
                levels = torch.from_numpy(np.ascontiguousarray(resized)).to(self.device).permute(2, 0, 1)[None].float()
                if self.settings.channels == "bgr":
                    levels = levels.flip(1)
                output = self.network(((levels * self.settings.scale - mean) / std).contiguous())
            except Exception as error:  # any error of the user's network
                if memory_ran_out(error):
                    raise
                raise Unmeasurable(
                    f"the segmenter fails on a picture of {_size(resized)}: {last_words(error)}"
                ) from error
            return self._classes(output, (size[0], size[1]))

    def _classes(self, output: Tensor, size: tuple[int, int]) -> ClassMap:
        """Scores (1, K, h, w) or numbers (1, h, w) to classes of `size`: bilinearly, or from the nearest pixel."""
        classes = self.settings.classes
        if output.ndim == 4 and output.shape[:2] == (1, len(classes)):
            scores = output.float()
            if scores.isnan().any():
                raise Unmeasurable("the segmenter gives scores that are no numbers")
            if scores.shape[2:] != size:
                scores = F.interpolate(scores, size, mode="bilinear", align_corners=False)
            numbers = scores.argmax(dim=1)
        elif output.ndim == 3 and output.shape[0] == 1 and not output.is_floating_point():
            numbers = F.interpolate(output[None].double(), size, mode="nearest-exact")[0].long()
        else:
            raise Unmeasurable(
                f"the segmenter's output has the shape {tuple(output.shape)} and the type {output.dtype}; wanted "
                f"scores (1, {len(classes)}, h, w), one for each of its classes, or whole class numbers (1, h, w)"
            )
        if numbers.min() < 0 or numbers.max() >= len(classes):
            raise Unmeasurable(
                f"the segmenter gives class numbers {int(numbers.min())} to {int(numbers.max())}; wanted 0 to "
                f"{len(classes) - 1}"
            )
        return np.array(classes, dtype=np.uint8)[numbers[0].cpu().numpy()]


def _of_label_map(picture: Picture, column: str) -> ClassMap:
    try:
        return label_classes(picture)
    except Unmeasurable as reason:
        raise Unmeasurable(f"{column}: {reason}") from reason


def _resized(picture: Picture, size: tuple[int, ...]) -> Picture:
    """(H, W, 3) uint8 at `size` = (height, width), by Pillow's bilinear rule, as the published evaluation did."""
    if picture.shape[:2] == size:
        return picture
    return np.array(Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
