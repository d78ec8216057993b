"""The user's segmenter: it predicts a class for each pixel, and the predictions are counted by true class.

The user gives the network as a TorchScript file. It takes one picture, (1, 3, H, W) float32 in 0..1, and returns scores
(1, 19, h, w) in the order of Cityscapes' training numbers. As in the evaluation of Isola et al. 2017, a picture is
first resized to its label map. If the generated pictures are label maps themselves, no network is needed: the word
`palette` is given instead of a file.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from gan_eval.base.digests import sha256_file, unchanged
from gan_eval.base.errors import UserError, first_sentence, last_words, memory_ran_out
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
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.extractors import Extractor, VectorExtractor
from gan_eval.metrics.weights.files import first_nonfinite
from gan_eval.pictures.decode import Picture, resize

PALETTE = Path("palette")
"""Word to give instead of a network's file if the pictures are label maps."""

RESAMPLING = Image.Resampling.BILINEAR
"""The filter for bringing a picture to the size of its label map, as in the published evaluation."""

Network = Callable[[Tensor], Tensor]
"""Function that takes a picture, (1, 3, H, W) float32, and returns the network's output; both are on its device."""


def load_network(file: Path, *, device: str, option: str | None = None) -> Network:
    """Load a network from its file. Loading TorchScript runs the code in the file.

    Several threads may call the result at the same time.

    Args:
        option: the option and its value as the user wrote them, for messages; default: `--segmenter FILE`.
    """
    option = option or f"--segmenter {file}"
    if not file.is_file():
        raise UserError(f"{option}: no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # deprecated for new exports, but still common
            network = torch.jit.load(file, map_location=device).eval()
    except Exception as error:  # RuntimeError for most damage; code in the file may raise anything
        if memory_ran_out(error):
            message = f"{option}: too little memory on {device}; free some, or choose another --device"
            raise UserError(message) from error
        raise UserError(
            f"{option}: not a TorchScript network ({first_sentence(error)}); a file of weights is not enough: export "
            "the network with torch.jit.trace"
        ) from error

    if key := first_nonfinite(network.state_dict()):
        raise UserError(f"{option}: its weight {key} is not finite; export the network again")

    def run(picture: Tensor) -> Tensor:
        output = network(picture)  # the scores, or a dictionary with the entry `out`, or a tuple that starts with them
        if isinstance(output, dict):
            output = output.get("out")
        if isinstance(output, tuple | list):
            output = output[0]
        if not isinstance(output, Tensor):
            raise ValueError(f"its output is {type(output).__name__}, expected a tensor")
        return output

    return run


def load_segmenter(file: Path, *, device: str | None = None) -> Extractor:
    """Load a segmenter from a file.

    Args:
        file: the file of the network, or the word `palette` (`PALETTE`).
        device: cpu, cuda, ...; default: CUDA if there is one.
    """

    def counts_of_palette(picture: Picture, companion: Picture | None) -> NDArray[np.float32]:
        assert companion is not None
        if companion.shape != picture.shape:
            raise Unmeasurable(f"label maps of {_size(picture)} and {_size(companion)}: sizes differ")
        return confusion(_of_label_map(companion, "reference_file"), class_map(picture))

    if file == PALETTE:
        key = "segmenter/palette/cityscapes19"
        return VectorExtractor(name="segmenter", size=COUNTS, key=key, companion="reference", vector=counts_of_palette)
    device = usable_device(device)
    with unchanged(file):
        network = load_network(file, device=device)
        sha256 = sha256_file(file)

    def counts(picture: Picture, companion: Picture | None) -> NDArray[np.float32]:
        assert companion is not None
        true = _of_label_map(companion, "input_file")
        resized = resize(picture, true.shape, resampling=RESAMPLING)
        return confusion(true, read_classes(network, resized, device=device))

    key = f"segmenter/{sha256}/cityscapes19"
    return VectorExtractor(name="segmenter", size=COUNTS, key=key, companion="input", sha256=sha256, vector=counts)


def label_colours() -> Extractor:
    """Return the extractor of the mean colour in each label's region of a picture. It needs no network."""

    def colours(picture: Picture, companion: Picture | None) -> NDArray[np.float32]:
        assert companion is not None
        true = _of_label_map(companion, "input_file")
        return region_colours(true, resize(picture, true.shape, resampling=RESAMPLING))

    key = "label-colours/cityscapes19"
    return VectorExtractor(name="label_colours", size=COLOURS_SIZE, key=key, companion="input", vector=colours)


def read_classes(network: Network, picture: Picture, *, device: str) -> ClassMap:
    """Return the class that the network predicts for each pixel, (H, W) uint8, of a picture, (H, W, 3) uint8.

    Raises:
        Unmeasurable: the network fails, or its output is not scores.
        MemoryError, RuntimeError: there is too little memory (see `memory_ran_out`).
    """
    with exact_inference(device):
        try:
            levels = torch.tensor(picture, device=device).permute(2, 0, 1)[None].float()
            scores = network((levels * (1 / 255)).contiguous()).float()
        except Exception as error:  # any error of the user's network
            if memory_ran_out(error):
                raise
            raise Unmeasurable(f"the segmenter fails on a picture of {_size(picture)}: {last_words(error)}") from error
        if scores.ndim != 4 or scores.shape[:2] != (1, len(CLASSES)):
            raise Unmeasurable(
                f"the segmenter's output has the shape {tuple(scores.shape)}; expected scores "
                f"(1, {len(CLASSES)}, h, w), one for each class"
            )
        if scores.isnan().any():
            raise Unmeasurable("the segmenter gives scores that are not numbers")
        if scores.shape[2:] != picture.shape[:2]:
            scores = F.interpolate(scores, picture.shape[:2], mode="bilinear", align_corners=False)
        return scores.argmax(dim=1)[0].cpu().numpy().astype(np.uint8)


def _of_label_map(picture: Picture, column: str) -> ClassMap:
    try:
        return label_classes(picture)
    except Unmeasurable as reason:
        raise Unmeasurable(f"{column}: {reason}") from reason


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"
