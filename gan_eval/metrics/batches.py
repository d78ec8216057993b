"""Batches of tensors: checks, a value for each picture on the batch's device, and features as arrays."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gan_eval.metrics.definitions.labels import NO_DIFFERENCE
from gan_eval.metrics.definitions.segmentation import COUNTS
from gan_eval.metrics.kernels.pictures import Unmeasurable

Network = Callable[..., float]
"""A function of pictures, such as `gan_eval.metrics.functional.load` returns."""
Features = ArrayLike | Tensor
"""(N, d): a vector for each picture; a tensor on any device, or an array."""


def each_picture(measure: Network, fake: Tensor, real: Tensor | None = None, hole: Tensor | None = None) -> Tensor:
    """Return (N,) values of (N, 3, H, W) pictures, on their device; on the CPU if that has no float64."""
    if hole is not None and (hole.dtype != torch.bool or hole.ndim != 3):
        raise TypeError(f"expected holes as (N, H, W) bool, found {tuple(hole.shape)} {hole.dtype}")
    for others, what in ((hole, "holes"), (real, "references")):
        if others is not None and len(others) != len(fake):
            raise ValueError(f"{len(fake)} generated pictures and {len(others)} {what}")
    batches = [by_row(pictures) for pictures in (fake, real) if pictures is not None]
    batches += [] if hole is None else [hole]
    values = []
    for index, pictures in enumerate(zip(*batches, strict=True)):
        try:
            values.append(measure(*pictures))
        except Unmeasurable as reason:
            raise Unmeasurable(f"picture {index}: {reason}") from reason
    return torch.tensor(values, dtype=torch.float64, device="cpu" if fake.device.type == "mps" else fake.device)


def each_item(measure: Callable[..., NDArray[np.float64]], inputs: Tensor, photographs: Tensor) -> Tensor:
    """Return (N,) values of items that are compared with each other."""
    if len(inputs) != len(photographs):
        raise ValueError(f"{len(inputs)} inputs and {len(photographs)} photographs")
    values = torch.as_tensor(measure(list(by_row(inputs)), list(by_row(photographs))), dtype=torch.float64)
    if values.isnan().any():
        raise Unmeasurable(f"picture {int(values.isnan().int().argmax())}: {NO_DIFFERENCE}")
    return values if inputs.device.type == "mps" else values.to(inputs.device)


def check_pictures(pictures: Tensor) -> None:
    """Raise TypeError unless the pictures are (N, 3, H, W) uint8."""
    if not isinstance(pictures, Tensor):
        raise TypeError(f"expected a torch.Tensor, (N, 3, H, W) uint8; found {type(pictures).__name__}")
    if pictures.dtype != torch.uint8 or pictures.ndim != 4 or pictures.shape[1] != 3:
        raise TypeError(f"expected (N, 3, H, W) uint8, found {tuple(pictures.shape)} {pictures.dtype}")


def by_row(pictures: Tensor) -> Tensor:
    """Return (N, 3, H, W) uint8 as (N, H, W, 3), each picture's pixels side by side."""
    check_pictures(pictures)
    return pictures.permute(0, 2, 3, 1).contiguous()


def two_sets(real: Features, fake: Features) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the features of both sets as arrays."""
    x, y = as_array(real), as_array(fake)
    if x.shape[1] != y.shape[1]:
        widths = f"real pictures have {x.shape[1]} features and generated ones {y.shape[1]}"
        raise ValueError(f"{widths}; expected (N, d) and (M, d)")
    return x, y


def label_counts(counts: Features) -> NDArray[np.floating]:
    """Return pixel counts as an array."""
    array = as_array(counts)
    if array.shape[1] != COUNTS:
        raise ValueError(f"expected (N, {COUNTS}) counts, found the shape {array.shape}")
    return array


def as_array(features: Features) -> NDArray[np.floating]:
    """Return (N, d) as an array; whole numbers and half precision become float64."""
    array = features.detach().cpu().double().numpy() if isinstance(features, Tensor) else np.asarray(features)
    if array.ndim != 2:
        raise ValueError(f"expected (N, d) features, found the shape {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
