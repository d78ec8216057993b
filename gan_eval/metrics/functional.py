"""Every metric as a plain function, made from its record: `psnr(fake, real)`, `niqe(pictures)`, `fid(real, fake)`, ...

Their names are those of docs/metrics.md, without `_inception`; `help(psnr)` prints range, direction and source.

Functions of pictures take (N, 3, H, W) uint8 tensors, 0..255, on any device; a range is never guessed from the data.
They return (N,) float64 on the same device, one value for each picture. `inf` is a value (psnr of equal pictures). A
picture without a value (too small, flat, of another size than its reference, without a hole) raises `Unmeasurable`; its
message names the picture's index and the reason. To get all the reasons of a batch, call the function for one picture
at a time. A `network` comes from `load(NAME)`; by default each call loads it (UserError: the weights are missing).

Functions of sets take (N, d) features of the real and (M, d) of the generated pictures, in this order, and return a
float. The features come from `gan_eval.metrics.networks.extractors`, or from any network. A set with too few members,
or with a feature that is not finite, raises `Unmeasurable`; other shapes raise ValueError. `kid` takes the pictures'
`items=(names, names)`, so that pairs of one item do not count, as in our tables. `label_colour_spread` takes (N, 76)
mean colours of regions, `upsampling_peak` (N, 45) radial spectra in dB. `pixel_accuracy`, `class_accuracy` and
`class_iou` take (N, 380): for each generated picture the pixels of each of the 19 classes by predicted class.

>>> import torch
>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> psnr(black + 1, black)
tensor([48.1308, 48.1308], dtype=torch.float64)
>>> ssim_hole(black, black, torch.ones(2, 16, 16, dtype=torch.bool))
tensor([1., 1.], dtype=torch.float64)
>>> lpips_alex(black, black, network=lambda fake, real: 0.25)  # any function of two (H, W, 3) pictures
tensor([0.2500, 0.2500], dtype=torch.float64)
>>> niqe(black)
Traceback (most recent call last):
gan_eval.metrics.kernels.pictures.Unmeasurable: picture 0: 16x16 pixels; NIQE needs at least 192x96 or 96x192
>>> fid(torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [5.0]]))
9.0
>>> counts = torch.zeros(1, 19, 20)  # the last column: predicted as none of the classes
>>> counts[0, 0, 0], counts[0, 1, 1] = 6, 2
>>> pixel_accuracy(counts.flatten(1))
1.0
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.metrics.batches import Features, Network, each_item, each_picture, label_counts, two_sets
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.devices import usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.cache import open_weights

Pictures = Tensor
"""(N, 3, H, W) uint8, 0..255."""
Holes = Tensor
"""(N, H, W) bool, True in the hole."""
Values = Tensor
"""(N,) float64, one value for each picture."""


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
    gan_eval.errors.UserError: metric 'psnr': it has no pretrained weights; choose from lpips_alex, lpips_vgg, dists, \
lpips_alex_hole, dists_hole, brisque
    """
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


def function_of(name: str, metric: Metric) -> Callable[..., Any]:
    """Return a metric as a function of tensors with this name; its docstring says what the record says."""

    def measure(network: Network | None) -> Callable[..., Any]:
        if network is not None and metric.make is None:
            raise TypeError(f"{name} has no network")
        return metric.function or network or load(metric.name)

    def of_pairs(fake: Pictures, real: Pictures, *, network: Network | None = None) -> Values:
        return each_picture(measure(network), fake, real)

    def of_holes(fake: Pictures, real: Pictures, hole: Holes, *, network: Network | None = None) -> Values:
        return each_picture(measure(network), fake, real, hole)

    def of_singles(pictures: Pictures, *, network: Network | None = None) -> Values:
        return each_picture(measure(network), pictures)

    def of_items(inputs: Pictures, photographs: Pictures) -> Values:
        return each_item(measure(None), inputs, photographs)

    def of_sets(real: Features, fake: Features, **named: Any) -> float:
        return float(measure(None)(*two_sets(real, fake), **named))

    def of_counts(counts: Features) -> float:
        array = label_counts(counts)
        return float(measure(None)(array, array))

    function: Callable[..., Any]
    if metric.kind == "set":
        function = of_counts if metric.extractor == "segmenter" else of_sets
    elif metric.kind == "pair":
        function = of_holes if metric.takes_hole else of_pairs
    else:
        function = of_items if metric.of_items else of_singles
    better, size = "higher" if metric.higher_is_better else "lower", metric.min_size
    unit, sides = metric.unit and f" {metric.unit}", f" Sides from {size[0]} and {size[1]} pixels." if size else ""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Compute {name}: {metric.measures}.\n\n{metric.low:g} to {metric.high:g}{unit}; {better} "
        f"is better.{sides} Source: {metric.source}."
    )
    return function


globals().update(
    (name, function_of(name, metric))
    for metric in (*METRICS.values(), *TEMPLATES.values())
    for name in [metric.name.partition("@")[0].removesuffix("_inception")]
)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
