"""Pictures to the features of a network: resized by a named rule, then run in batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.metrics.facts import DEFAULT_RESIZER, ExtractorName
from gan_eval.metrics.kernels.devices import exact_inference, usable_device
from gan_eval.metrics.networks import inception, vgg
from gan_eval.metrics.networks.extractor import Extractor
from gan_eval.metrics.networks.resizers import resize
from gan_eval.settings.training import Precision
from gan_eval.stimuli.pictures import Picture

_DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class NetworkExtractor:
    """A network on its device, with its resizer: an `Extractor`."""

    name: ExtractorName
    network: nn.Module
    """(N, 3, side, side) float32 in 0..255 to (N, size) float32."""
    size: int
    side: int
    key: str
    resizer: str = DEFAULT_RESIZER
    device: str = "cpu"
    companion: None = None

    @property
    def batch_size(self) -> int:
        """Pictures for one call: enough that reading the network's weights from memory costs little beside the work."""
        return 16 if self.device == "cpu" else 64

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """(H, W, 3) uint8 to the network's (3, side, side) float32 in 0..255."""
        return resize(picture, self.resizer, size=self.side)

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """(N, size) float32 of N prepared pictures, in one call of the network."""
        with exact_inference(self.device):
            batch = torch.stack([picture.permute(1, 2, 0) for picture in prepared]).permute(0, 3, 1, 2)  # channels last
            return self.network(batch.to(self.device)).cpu().numpy()


def inception_extractor(
    weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None, precision: Precision = "fp32"
) -> NetworkExtractor:
    """The Inception network of FID and KID with the weights of a file.

    Args:
        weights: see `gan_eval.metrics.networks.inception.load_inception`.
        resizer: see `gan_eval.metrics.networks.resizers.resize`.
        device: `cpu`, `cuda`, ...; default: CUDA where there is one.
        precision: `bf16` is about twice as fast on processors that have instructions for it; it moves the features by
            about 2 % (relative RMS) and FID by 0.4 to 0.9 %, and stands in the key.

    Raises:
        UserError: the file is not the network's weights, or there is no such device, or no such precision on it.
    """
    if precision not in _DTYPES:
        raise UserError(f"precision {precision!r}: unknown; choose {' or '.join(_DTYPES)}")
    device = usable_device(device)
    if precision == "bf16" and device == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        raise UserError("--precision bf16: this processor has no instructions for it; leave the option out")
    network = inception.load_inception(weights, dtype=_DTYPES[precision])
    return NetworkExtractor(
        name="inception",
        network=network.to(device),
        size=inception.FEATURES,
        side=inception.SIZE,
        key=f"inception-2015-12-05/{sha256_file(weights)}/{resizer}/{precision}",
        resizer=resizer,
        device=device,
    )


def vgg16_extractor(weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None) -> NetworkExtractor:
    """VGG16's second hidden layer with the weights of torchvision's whole file.

    Args:
        weights, resizer, device: see `inception_extractor`.

    Raises:
        Unmeasurable: the file holds the convolutions alone.
        UserError: the file is not the network's weights, or there is no such device.
    """
    device = usable_device(device)
    network = vgg.load_vgg16(weights)
    return NetworkExtractor(
        name="vgg16",
        network=network.to(device).to(memory_format=torch.channels_last),
        size=vgg.FEATURES,
        side=vgg.SIZE,
        key=f"vgg16-fc2/{sha256_file(weights)}/{resizer}/fp32",
        resizer=resizer,
        device=device,
    )


def features_of(pictures: Iterable[Picture], extractor: Extractor) -> NDArray[np.float32]:
    """(N, size) float32 of (H, W, 3) uint8 pictures of any sizes; they are read and forgotten batch by batch."""
    prepared = map(extractor.prepare, pictures)
    parts = []
    while batch := list(islice(prepared, extractor.batch_size)):
        parts.append(extractor.features(batch))
    return np.concatenate(parts) if parts else np.empty((0, extractor.size), np.float32)
