"""A metric as a function: of pictures (files, arrays or batches of tensors), or of the features of two sets.

A range is never guessed from the data. `inf` is a value (psnr of equal pictures). Pictures without a value (too small,
flat, of another size than their reference, without a hole), and sets with too few members or with a feature that is not
finite, raise `Unmeasurable` with the reason.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gan_eval.base.errors import UserError
from gan_eval.metrics.catalogue import METRICS, Metric, select
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.definitions.own import Function
from gan_eval.metrics.definitions.segmentation import COLOURS_SIZE, COUNTS
from gan_eval.metrics.definitions.spectrum import RINGS
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, Unmeasurable, as_picture
from gan_eval.metrics.run.measure import as_one_format
from gan_eval.metrics.weights.cache import open_weights
from gan_eval.pictures.decode import Samples, open_picture

if TYPE_CHECKING:
    from torch import Tensor

Network = Callable[..., float]
"""A function of (H, W, 3) uint8 pictures, such as `load` returns."""
_WIDTHS = {"segmenter": COUNTS, "label_colours": COLOURS_SIZE, "spectrum": RINGS}
"""Number of features of a picture, by the extractor whose features are not those of any network."""


def score(
    metric: str | Function,
    fake: "Pixels | Path | str | ArrayLike",
    real: "Pixels | Path | str | ArrayLike | None" = None,
    *,
    hole: "HolePixels | None" = None,
    weights: Mapping[str, Path] | None = None,
    device: str = "cpu",
) -> float:
    """Return the value of a metric: of a generated picture and its reference, of one picture, or of two sets.

    Args:
        metric: name of a metric, as in `gan-eval metrics --list`, or a function (see
            `gan_eval.metrics.definitions.own`). Metrics of any features have their name without `@NAME`.
        fake: the generated picture, or the only one: (H, W, 3) uint8, 0..255, or a file. For a metric of sets the
            (M, d) features of the generated pictures: a tensor on any device, or an array.
        real: the real picture; none for a metric of one picture, such as niqe. For sets the (N, d) features of the real
            pictures; for p_ids, row i of both is a pair; for the counts of a segmenter none.
        hole: (H, W) bool, True in the hole, for a metric of holes, such as psnr_hole.
        weights, device: see `load`, for metrics with weights.

    Raises:
        UserError: the metric is unknown or takes other pictures; a file cannot be read; weights are missing.
        Unmeasurable: the metric has no value for these pictures; the message has the reason.
        TypeError, ValueError: an array of another shape or type.

    >>> black = np.zeros((32, 32, 3), np.uint8)
    >>> round(score("psnr", black + 10, black), 2), score("ssim", black, black)
    (28.13, 1.0)
    >>> def contrast(picture):
    ...     return picture.std()
    >>> score(contrast, black)
    0.0
    >>> score("niqe", black, black)
    Traceback (most recent call last):
    gan_eval.base.errors.UserError: metric 'niqe': takes one picture, found fake and real
    >>> score("fid", [[3.0], [5.0]], [[0.0], [2.0]])
    9.0
    >>> counts = np.zeros((1, 19, 20))  # the last column: predicted as none of the classes
    >>> counts[0, 0, 0], counts[0, 1, 1] = 6, 2
    >>> score("pixel_accuracy", counts.reshape(1, -1))
    1.0
    """
    facts = _metric(metric)
    if facts.kind == "set" and facts.extractor == "segmenter" and real is None:
        real = fake
    _require(facts, fake=fake, real=real, hole=hole)
    if facts.kind == "set":
        assert facts.function is not None
        return float(facts.function(*_two_sets(facts, real, fake)))
    function = facts.function or load(facts.name, paths=weights, device=device)
    samples = [_samples(picture) for picture in (fake, real) if picture is not None]
    pictures = as_one_format(samples, any_format=facts.any_format)
    return float(function(*pictures, *([] if hole is None else [hole])))


def scores(
    metric: str | Function,
    fake: "Tensor",
    real: "Tensor | None" = None,
    *,
    hole: "Tensor | None" = None,
    network: Network | None = None,
) -> "Tensor":
    """Return the values of a metric for a batch of pictures: (N,) float64 on the pictures' device.

    Args:
        metric: as for `score`, but not of sets.
        fake, real: (N, 3, H, W) uint8, 0..255, on any device.
        hole: (N, H, W) bool, True in the hole.
        network: for metrics with weights, which `load` returned; default: they are loaded for this call.

    Raises:
        UserError, TypeError, ValueError: as for `score`.
        Unmeasurable: a picture has no value. The message names its index; for all reasons, call it for each picture.

    >>> import torch
    >>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    >>> scores("psnr", black + 1, black)
    tensor([48.1308, 48.1308], dtype=torch.float64)
    >>> scores("ssim_hole", black, black, hole=torch.ones(2, 16, 16, dtype=torch.bool))
    tensor([1., 1.], dtype=torch.float64)
    >>> scores("lpips_alex", black, black, network=lambda fake, real: 0.25)  # any function of two (H, W, 3) pictures
    tensor([0.2500, 0.2500], dtype=torch.float64)
    >>> scores("niqe", black)
    Traceback (most recent call last):
    gan_eval.metrics.kernels.pictures.Unmeasurable: picture 0: 16x16 pixels; NIQE needs at least 192x96 or 96x192
    """
    import torch

    facts = _metric(metric)
    if facts.kind == "set":
        raise UserError(f"metric {facts.name!r}: compares sets; give their features to `score`")
    _require(facts, fake=fake, real=real, hole=hole)
    measure, values = network or facts.function or load(facts.name), []
    for index, given in enumerate(zip(*_batches(fake, real, hole), strict=True)):
        try:
            values.append(measure(*given))
        except Unmeasurable as reason:
            raise Unmeasurable(f"picture {index}: {reason}") from reason
    # MPS has no float64
    return torch.tensor(values, dtype=torch.float64, device="cpu" if fake.device.type == "mps" else fake.device)


def _batches(fake: "Tensor", real: "Tensor | None", hole: "Tensor | None") -> "list[Tensor]":
    """Return the pictures as (N, H, W, 3), each one's pixels side by side, and the holes; refuse others."""
    import torch

    if hole is not None and (hole.dtype != torch.bool or hole.ndim != 3):
        raise TypeError(f"expected holes as (N, H, W) bool, found {tuple(hole.shape)} {hole.dtype}")
    for others, what in ((hole, "holes"), (real, "references")):
        if others is not None and len(others) != len(fake):
            raise ValueError(f"{len(fake)} generated pictures and {len(others)} {what}")
    batches = []
    for pictures in (fake, real):
        if pictures is not None:
            check_pictures(pictures)
            batches.append(pictures.permute(0, 2, 3, 1).contiguous())
    return batches if hole is None else [*batches, hole]


def load(name: str, *, paths: Mapping[str, Path] | None = None, device: str = "cpu") -> Network:
    """Load the network or regression of a metric with pretrained weights once, for many calls.

    Args:
        name: lpips_alex, lpips_vgg, dists, lpips_alex_hole, dists_hole or brisque.
        paths: files by the weights' name (alexnet, vgg16, dists, brisque); default: the cache.
        device: where it runs.

    Returns:
        A function of (H, W, 3) uint8 pictures.

    Raises:
        UserError: a file cannot be used, or is not in the cache.

    >>> load("psnr")
    Traceback (most recent call last):
    gan_eval.base.errors.UserError: metric 'psnr': it has no pretrained weights; choose from lpips_alex, lpips_vgg, \
dists, lpips_alex_hole, dists_hole, brisque
    """
    from gan_eval.metrics.kernels.devices import usable_device

    metric = METRICS.get(name)
    if metric is None or metric.make is None:
        names = [metric.name for metric in METRICS.values() if metric.make is not None]
        raise UserError(f"metric {name!r}: it has no pretrained weights; choose from {', '.join(names)}")
    try:
        files = [
            open_weights(weights, read, (paths or {}).get(weights))
            for weights, read in zip(metric.weights, metric.readers, strict=True)
        ]
    except Unmeasurable as reason:
        raise UserError(f"metric {name!r}: {reason}") from reason
    return metric.make(*(file.contents for file in files), device=usable_device(device))


def check_pictures(pictures: "Tensor") -> None:
    """Raise TypeError unless the pictures are (N, 3, H, W) uint8."""
    import torch

    if not isinstance(pictures, torch.Tensor):
        raise TypeError(f"expected a torch.Tensor, (N, 3, H, W) uint8; found {type(pictures).__name__}")
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
        raise TypeError(f"expected (N, 3, H, W) uint8, found {tuple(pictures.shape)} {pictures.dtype}")


def _metric(metric: str | Function) -> Metric:
    """Return the record of a metric by its name, also of any features without their name, or of a function."""
    if isinstance(metric, str) and metric in TEMPLATES and metric not in METRICS:
        return TEMPLATES[metric]
    return select([metric])[0]


def _require(metric: Metric, **given: object) -> None:
    """Raise UserError unless the metric takes exactly these pictures."""
    if metric.of_items:
        raise UserError(f"metric {metric.name!r}: compares the items of a data set; use evaluate")
    needed = ["fake", *["real"] * (metric.kind in ("pair", "set")), *["hole"] * metric.takes_hole]
    names = [name for name, value in given.items() if value is not None]
    if names != needed:
        expected = "one picture" if needed == ["fake"] else " and ".join(needed)
        raise UserError(f"metric {metric.name!r}: takes {expected}, found {' and '.join(names)}")


def _samples(picture: Any) -> Samples:
    """Return the pixels of a file as metrics see them, or an array."""
    if isinstance(picture, Path | str):
        return open_picture(Path(picture)).samples()
    return as_picture(picture, any_format=True)


def _two_sets(metric: Metric, *sets: Any) -> list[NDArray[np.floating]]:
    """Return the features of real and of generated pictures as arrays of one width."""
    real, fake = arrays = [_as_array(features) for features in sets]
    width = _WIDTHS.get(metric.extractor or "", real.shape[1])
    if (real.shape[1], fake.shape[1]) != (width, width):
        widths = f"real pictures have {real.shape[1]} features and generated ones {fake.shape[1]}"
        raise ValueError(f"{widths}; expected (N, {width}) and (M, {width})")
    return arrays


def _as_array(features: Any) -> NDArray[np.floating]:
    """Return (N, d) as an array; whole numbers and half precision become float64."""
    array = np.asarray(features.detach().cpu().double() if hasattr(features, "detach") else features)
    if array.ndim != 2:
        raise ValueError(f"expected (N, d) features, found the shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
