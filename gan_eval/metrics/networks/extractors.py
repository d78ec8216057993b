"""Feature extractors of set metrics: the Inception network, and the base classes of other networks.

FID and KID depend on how pictures are resized, so each rule has a name (`resize`). Inception takes (x - 128)/128, as in
its own graph. pytorch-fid takes x/127.5 - 1 instead, so the rule of its name gives x 256/255. All resizers take (H, W,
3) uint8 and give (3, S, S) float32 in 0..255, not rounded, in the memory layout that is fastest.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.record import DEFAULT_RESIZER, Companion, ExtractorName
from gan_eval.metrics.kernels.devices import exact_inference, usable_device
from gan_eval.metrics.networks import inception
from gan_eval.metrics.weights.cache import find
from gan_eval.pictures.decode import Picture, centre_square

Resizer = Callable[[Picture, int], Tensor]


def resize(picture: Picture, name: str = DEFAULT_RESIZER, *, size: int = inception.SIZE) -> Tensor:
    """Resize with the named rule.

    Args:
        picture: (H, W, 3) uint8.
        name: `tf1` (TensorFlow 1 bilinear, corners not aligned, no antialias; as torch-fidelity), `bilinear`
            (half-pixel bilinear, no antialias; as clean-fid's legacy_pytorch), `pytorch-fid` (the same, with its
            scaling), `bilinear-aa` (with antialias; as torchmetrics 1.9),
            `clean` (Pillow's bicubic on each channel in float32, clipped to 0..255; as clean-fid) or `bicubic`
            (Pillow's bicubic on the 8-bit picture, rounded to 8 bits; as dgm-eval and CMMD).
        size: S.

    Returns:
        (3, S, S) float32, 0..255.

    >>> resize(np.full((64, 48, 3), 7, np.uint8), "clean").unique()
    tensor([7.])
    """
    return RESIZERS[name](picture, size)


def _tf1(picture: Picture, size: int) -> Tensor:
    """Resize as TensorFlow 1's `resize_bilinear`: the source position is i · in/out, without a half-pixel shift."""
    x = torch.as_tensor(picture).to(torch.float32).contiguous()  # channels last: each pixel is one piece of memory
    x = _interpolate(x, 1, *_tf1_places(x.shape[1], size))
    x = _interpolate(x, 0, *_tf1_places(x.shape[0], size))
    return x.permute(2, 0, 1)


def _interpolate(x: Tensor, dim: int, before: Tensor, after: Tensor, fraction: Tensor) -> Tensor:
    """Interpolate (H, W, 3) between rows (dim 0) or columns (dim 1), in TensorFlow's order of sums, to the last bit."""
    near = x.index_select(dim, before)
    fraction = fraction[:, None] if dim == 1 else fraction[:, None, None]
    return x.index_select(dim, after).sub_(near).mul_(fraction).add_(near)


def _tf1_places(length: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each of `size` positions: the pixel before, the pixel after, and the fraction between them (0..1)."""
    position = torch.arange(size, dtype=torch.float32) * torch.tensor(length / size, dtype=torch.float32)
    before = position.floor().long()
    return before, (before + 1).clamp_(max=length - 1), position - before


def _bilinear(picture: Picture, size: int, *, antialias: bool) -> Tensor:
    planes = torch.as_tensor(picture).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)
    return F.interpolate(planes[None], (size, size), mode="bilinear", align_corners=False, antialias=antialias)[0]


def _clean(picture: Picture, size: int) -> Tensor:
    channels = [
        np.array(
            Image.fromarray(picture[..., c].astype(np.float32)).resize((size, size), resample=Image.Resampling.BICUBIC)
        )
        for c in range(3)
    ]
    return torch.from_numpy(np.stack(channels)).clamp_(0, 255)


def _bicubic(picture: Picture, size: int) -> Tensor:
    resized = Image.fromarray(picture).resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).to(torch.float32)


RESIZERS: dict[str, Resizer] = {
    "tf1": _tf1,
    "bilinear": partial(_bilinear, antialias=False),
    "pytorch-fid": lambda picture, size: _bilinear(picture, size, antialias=False).mul_(256 / 255),
    "bilinear-aa": partial(_bilinear, antialias=True),
    "clean": _clean,
    "bicubic": _bicubic,
}


@dataclass(kw_only=True)
class Extractor(ABC):
    """Base class of feature extractors, which return one vector for each picture. Thread-safe.

    If `prepare` raises Unmeasurable, its message is the reason for the missing value.
    """

    name: ExtractorName
    """Name in the metrics' records."""
    size: int
    """Number of features of a picture."""
    key: str
    """Key of cached features: it names all that determines them, except the pictures."""
    batch_size: int = 1
    """Number of pictures for one call of `features`."""
    companion: Companion | None = None
    """Second picture that `prepare` needs."""
    sha256: str = ""
    """SHA-256 of the network's file, if there is one."""
    caveat: str = ""
    """Caveat about the values, for the tables."""

    @abstractmethod
    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """Convert (H, W, 3) uint8 to the input of `features`, of the same shape for all pictures if `batch_size` > 1.

        Raises:
            Unmeasurable: the picture cannot be used.
        """

    def free(self) -> None:  # noqa: B027 - most have nothing to free
        """Free a network, after the last call of `features`."""

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """Return the features (N, size) float32 of N prepared pictures."""
        return np.stack([vector.numpy() for vector in prepared])


@dataclass(kw_only=True)
class VectorExtractor(Extractor):
    """Extractor from a function of a picture and its companion; the function raises Unmeasurable if it fails."""

    vector: Callable[[Picture, Picture | None], NDArray[np.floating]]

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """Convert (H, W, 3) uint8 to the features (size,) float32."""
        return torch.from_numpy(self.vector(picture, companion)).float()


@dataclass(kw_only=True)
class NetworkExtractor(Extractor):
    """Extractor with a network on its device."""

    network: nn.Module
    """Network from (N, 3, side, side) float32 in 0..255 to (N, size) float32."""
    side: int
    resizer: str
    device: str
    crop: bool = False
    """True if only the centred square of a picture is used."""

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """Resize (H, W, 3) uint8 to the network's input (3, side, side) float32 in 0..255."""
        if self.crop:
            picture = np.ascontiguousarray(centre_square(picture))
        return resize(picture, self.resizer, size=self.side)

    def free(self) -> None:
        self.network = nn.Identity()

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """Return the features (N, size) float32 of N prepared pictures, by one call of the network."""
        with exact_inference(self.device):
            batch = torch.stack([picture.permute(1, 2, 0) for picture in prepared]).permute(0, 3, 1, 2)  # channels last
            return self.network(batch.to(self.device)).cpu().numpy()


def inception_extractor(
    weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None
) -> NetworkExtractor:
    """Return the Inception network of FID and KID with the weights of a file.

    Args:
        weights: see `gan_eval.metrics.networks.inception.load_inception`.
        resizer: see `gan_eval.metrics.networks.extractors.resize`.
        device: `cpu`, `cuda`, ...; default: CUDA if it is available.

    Raises:
        UserError: the file is not the network's weights, the resizer is unknown, or the device is not available.
    """
    if resizer not in RESIZERS:
        raise UserError(f"resizer {resizer!r}: unknown; choose one of {', '.join(RESIZERS)}")
    device = usable_device(device)
    return NetworkExtractor(
        name="inception",
        network=inception.load_inception(weights).to(device),
        size=inception.FEATURES,
        side=inception.SIZE,
        key=f"inception-2015-12-05/{sha256_file(weights)}/{resizer}/fp32",
        batch_size=2 if device == "cpu" else 64,  # 16 would be 13% faster on the CPU, with 100 MB more a thread
        resizer=resizer,
        device=device,
    )


FeatureExtractor = Callable[[Tensor], Tensor]
"""Function from (N, 3, H, W) uint8 to (N, d)."""


class InceptionFeatures(nn.Module):
    """Module from (N, 3, H, W) uint8 of any size to (N, 2048) float32 features; see `inception_extractor`."""

    def __init__(self, weights: Path | None, *, resizer: str) -> None:
        super().__init__()
        file = find("inception", path=weights)
        self._extractor = inception_extractor(file, resizer=resizer, device="cpu")
        self.network = self._extractor.network
        self.num_features = self._extractor.size

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the features on the network's device; pictures are resized on the CPU."""
        device = next(self.network.parameters()).device
        extractor = replace(self._extractor, device=str(device))
        parts = [
            torch.from_numpy(extractor.features([extractor.prepare(picture.numpy()) for picture in batch]))
            for batch in pictures.cpu().permute(0, 2, 3, 1).split(extractor.batch_size)
        ]
        return torch.cat(parts).to(device) if parts else torch.empty(0, self.num_features, device=device)


def width_of(extractor: FeatureExtractor) -> int:
    """Return the number of features d: the attribute `num_features`, else the width for a black 299x299 picture.

    Raises:
        ValueError: the extractor does not give (N, d).
    """
    width = getattr(extractor, "num_features", None)
    if isinstance(width, int):
        return width
    device = next((p.device for p in extractor.parameters()), None) if isinstance(extractor, nn.Module) else None
    features = extractor(torch.zeros(1, 3, inception.SIZE, inception.SIZE, dtype=torch.uint8, device=device))
    if features.ndim != 2 or len(features) != 1:
        raise ValueError(f"features of the shape {tuple(features.shape)} of one picture, expected (1, d)")
    return features.shape[1]
