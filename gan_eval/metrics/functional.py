"""Every metric as a plain function on tensors, made from its record.

Functions of pictures take (N, 3, H, W) uint8, 0..255, on any device (a range is never guessed from the data) and give
(N,) float64, one value for each picture, on the same device. `inf` is a value (psnr of equal pictures). Where a picture
has no value (too small, flat, sizes that differ), `Unmeasurable` is raised: its message names the picture's index
and the reason. To learn all the reasons in a batch, call for one picture at a time.

Those of the generator's input take it alone, or, where they ask what it tells of the photographs, the inputs and the
photographs of a data set's items, each (N, 3, H, W). Those of the hole of inpainted pictures take the holes too,
(N, H, W) bool. Those with pretrained weights take what `load` gives as `network`; without, it is loaded for the call.

Functions of sets take the (N, d) features of the real and of the generated pictures, in this order, and give a float.
The features come from `gan_eval.metrics.networks.extractors`, or from any network; those of the segmentation scores are
pixel counts (`gan_eval.metrics.definitions.segmentation.confusion`), of the generated pictures alone.

>>> black = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
>>> psnr(black + 1, black)
tensor([48.1308, 48.1308], dtype=torch.float64)
>>> ssim_hole(black, black, torch.ones(2, 16, 16, dtype=torch.bool))
tensor([1., 1.], dtype=torch.float64)
>>> lpips_alex(black, black, network=lambda fake, real: 0.25)  # any function of two (H, W, 3) pictures
tensor([0.2500, 0.2500], dtype=torch.float64)
>>> niqe(black)
Traceback (most recent call last):
gan_eval.metrics.kernels.pictures.Unmeasurable: picture 0: 16x16 pixels hold 0 blocks of 96x96; NIQE needs two
"""

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.definitions.labels import FEWEST_ITEMS, NO_DIFFERENCE
from gan_eval.metrics.definitions.segmentation import COUNTS
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.learned import learned_metrics

Network = Callable[..., float]
"""What `load` gives."""
Features = ArrayLike | Tensor
"""(N, d): a vector for each picture; a tensor on any device, or an array."""


def load(name: str, *, paths: Mapping[str, Path] | None = None, device: str = "cpu") -> Network:
    """The network or regression of a metric with pretrained weights, loaded once for many calls.

    Args:
        name: lpips_alex, lpips_vgg, dists, lpips_alex_hole, dists_hole or brisque.
        paths: files by the weights' name (alexnet, vgg16, dists, brisque); default: the cache.
        device: where it runs.

    Returns:
        A function of (H, W, 3) uint8 pictures.

    Raises:
        UserError: a file will not do, or is not in the cache.

    >>> load("psnr")
    Traceback (most recent call last):
    gan_eval.errors.UserError: metric 'psnr': it has no pretrained weights; choose from lpips_alex, lpips_vgg, dists, \
lpips_alex_hole, dists_hole, brisque
    """
    names = [metric.name for metric in METRICS.values() if metric.make is not None]
    if name not in names:
        raise UserError(f"metric {name!r}: it has no pretrained weights; choose from {', '.join(names)}")
    learned = learned_metrics([METRICS[name]], paths=paths, device=device)
    if not learned.sha256:  # the function raises the reason
        try:
            learned.functions[name](None, None)
        except Unmeasurable as reason:
            raise UserError(f"metric {name!r}: {reason}") from reason
    return learned.functions[name]


_PICTURES_DOC = """{measures}.

    {source}.

    Args:
        {arguments}

    Returns:
        (N,) float64, {low:g} to {high:g}{unit}; {better} is better.

    Raises:
        Unmeasurable: a picture has no value{least}.

    >>> pictures = torch.randint(0, 256, ({count}, 3, {side}, {longer}), dtype=torch.uint8)
    >>> {name}({call}).shape
    torch.Size([{count}])
    """
_COUNTS_DOC = """{measures}.

    {source}.

    Args:
        counts: (N, 380): for each generated picture the pixels of each of the 19 classes by what they are read as.

    Returns:
        {low:g} to {high:g}; higher is better.

    Raises:
        Unmeasurable: no pixel is labelled.
        ValueError: not 380 columns.

    >>> counts = torch.zeros(1, 19, 20)  # the last column: read as none of the classes
    >>> counts[0, 0, 0], counts[0, 1, 1] = 6, 2
    >>> {name}(counts.flatten(1))
    1.0
    """


def _of_pictures(metric: Metric) -> Callable[..., Tensor]:
    """The function of a pair or single metric."""
    measure, name = metric.function, metric.name

    def pair(fake: Tensor, real: Tensor) -> Tensor:
        return _pair_values(measure, fake, real)

    def pair_in_hole(fake: Tensor, real: Tensor, hole: Tensor, *, network: Network | None = None) -> Tensor:
        if hole.dtype != torch.bool or hole.ndim != 3:
            raise TypeError(f"wanted holes as (N, H, W) bool, found {tuple(hole.shape)} {hole.dtype}")
        if len(hole) != len(fake):
            raise ValueError(f"{len(fake)} generated pictures and {len(hole)} holes")
        return _pair_values(network or measure or load(name), fake, real, hole)

    def pair_by_network(fake: Tensor, real: Tensor, *, network: Network | None = None) -> Tensor:
        return _pair_values(network or load(name), fake, real)

    def of_items(inputs: Tensor, photographs: Tensor) -> Tensor:
        if len(inputs) != len(photographs):
            raise ValueError(f"{len(inputs)} inputs and {len(photographs)} photographs")
        assert measure is not None
        values = torch.as_tensor(measure(list(_by_row(inputs)), list(_by_row(photographs))), dtype=torch.float64)
        if values.isnan().any():
            raise Unmeasurable(f"picture {int(values.isnan().int().argmax())}: {NO_DIFFERENCE}")
        return values if inputs.device.type == "mps" else values.to(inputs.device)

    def single(pictures: Tensor) -> Tensor:
        return _values(measure, pictures, _by_row(pictures))

    def single_by_network(pictures: Tensor, *, network: Network | None = None) -> Tensor:
        return _values(network or load(name), pictures, _by_row(pictures))

    side, longer = metric.least_size or (16, 16)
    if metric.of_items is not None:
        function: Callable[..., Tensor] = of_items
        arguments = ["inputs, photographs: (N, 3, H, W) uint8, 0..255, of the items of one data set."]
        call = ["pictures", "pictures"]
    elif metric.kind == "input":
        function, call = single, ["pictures"]
        arguments = ["pictures: (N, 3, H, W) uint8, 0..255, the generator's inputs."]
    elif metric.kind == "single":
        function = single_by_network if metric.make else single
        arguments, call = ["pictures: (N, 3, H, W) uint8, 0..255."], ["pictures"]
    else:
        function = pair_in_hole if metric.takes_hole else pair_by_network if metric.make else pair
        arguments = ["fake, real: (N, 3, H, W) uint8, 0..255: the generated pictures and their references."]
        call = ["pictures", "pictures"]
    if metric.takes_hole:
        arguments.append("hole: (N, H, W) bool, True in the hole.")
        call.append(f"torch.ones(2, {side}, {longer}, dtype=torch.bool)")
    if metric.make:
        arguments.append(f'network: from `load("{name}")`; default: loaded for this call.')
        call.append("network=lambda *pictures: 0.25")
    function.__doc__ = _PICTURES_DOC.format(
        **_facts(metric),
        arguments="\n        ".join(arguments),
        unit=f" {metric.unit}" if metric.unit else "",
        better="higher" if metric.higher_is_better else "lower",
        least=f": below {side} pixels by {longer}, ..." if metric.least_size else "",
        side=side,
        longer=longer,
        count=2 if metric.of_items is None else FEWEST_ITEMS,
        name=name,
        call=", ".join(call),
    )
    function.__name__ = function.__qualname__ = name
    return function


def _pair_values(measure: Network | None, fake: Tensor, real: Tensor, *more: Tensor) -> Tensor:
    """(N,) values of (N, 3, H, W) pairs; `more`: what the measure takes of each beside its pictures."""
    if len(fake) != len(real):
        raise ValueError(f"{len(fake)} generated pictures and {len(real)} references")
    return _values(measure, fake, _by_row(fake), _by_row(real), *more)


def _values(measure: Network | None, like: Tensor, *batches: Tensor) -> Tensor:
    """(N,) values on the device of `like`; on the CPU where that has no float64."""
    assert measure is not None
    values = []
    for index, pictures in enumerate(zip(*batches, strict=True)):
        try:
            values.append(measure(*pictures))
        except Unmeasurable as reason:
            raise Unmeasurable(f"picture {index}: {reason}") from reason
    return torch.tensor(values, dtype=torch.float64, device="cpu" if like.device.type == "mps" else like.device)


def _by_row(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) uint8 to (N, H, W, 3), each picture's pixels side by side.

    Raises:
        TypeError: another shape or dtype.
    """
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
        raise TypeError(f"wanted (N, 3, H, W) uint8, found {tuple(pictures.shape)} {pictures.dtype}")
    return pictures.permute(0, 2, 3, 1).contiguous()


def _of_sets(metric: Metric) -> Callable[..., float]:
    """The function of a set metric: its definition, on tensors too."""
    measure = metric.function
    assert measure is not None
    if metric.extractor == "segmenter":

        def of_counts(counts: Features) -> float:
            array = _array(counts)
            if array.shape[1] != COUNTS:
                raise ValueError(f"wanted (N, {COUNTS}) counts, found the shape {array.shape}")
            return measure(array, array)

        of_counts.__doc__ = _COUNTS_DOC.format(**_facts(metric), name=metric.name)
        function: Callable[..., float] = of_counts
    else:

        @wraps(measure)
        def of_features(real: Features, fake: Features, **options: Any) -> float:
            x, y = _array(real), _array(fake)
            if x.shape[1] != y.shape[1]:
                widths = f"real pictures have {x.shape[1]} features and generated ones {y.shape[1]}"
                raise ValueError(f"{widths}; wanted (N, d) and (M, d)")
            return measure(x, y, **options)

        function = of_features
    function.__name__ = function.__qualname__ = measure.__name__
    function.__module__ = __name__
    return function


def _facts(metric: Metric) -> dict[str, Any]:
    measures = f"{metric.measures[0].upper()}{metric.measures[1:]}"
    return {"measures": measures, "source": metric.source, "low": metric.low, "high": metric.high}


def _array(features: Features) -> NDArray[np.floating]:
    """(N, d) as an array; whole numbers and half precision become float64.

    Raises:
        ValueError: not two axes.
    """
    array = features.detach().cpu().double().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"wanted (N, d) features, found the shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (_of_sets(metric) if metric.kind == "set" else _of_pictures(metric) for metric in METRICS.values())
}
globals().update(_FUNCTIONS)
__all__ = ["Unmeasurable", "load", *_FUNCTIONS]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
