"""Pictures to the 2048 features of the Inception network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_eval.images import Picture
from gan_eval.metrics.inception import FEATURES, Inception, load_inception
from gan_eval.metrics.registry import DEFAULT_RESIZER
from gan_eval.metrics.resizers import resize


@dataclass(frozen=True)
class Extractor:
    """The network on its device, with its resizer."""

    network: Inception
    resizer: str = DEFAULT_RESIZER
    device: str = "cpu"

    @property
    def batch_size(self) -> int:
        """Pictures for one call. A CPU gains nothing above 4, and small batches spread better over its cores."""
        return 4 if self.device == "cpu" else 32

    def prepare(self, picture: Picture) -> Tensor:
        """(H, W, 3) uint8 to the network's (3, 299, 299) float32 in 0..255."""
        return resize(picture, self.resizer)

    def features(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        """(N, 2048) float32 of prepared pictures, in one call of the network."""
        with torch.inference_mode():
            batch = torch.stack(list(prepared)).to(self.device, memory_format=torch.channels_last)
            return self.network(batch).cpu().numpy()


def load_extractor(weights: Path, *, resizer: str = DEFAULT_RESIZER, device: str | None = None) -> Extractor:
    """An extractor with the weights of a file.

    Args:
        weights: see `gan_eval.metrics.inception.load_inception`.
        resizer: see `gan_eval.metrics.resizers.resize`.
        device: `cpu`, `cuda`, ...; default: CUDA where there is one.

    Raises:
        UserError: the file is not the network's weights.
    """
    device = device or default_device()
    return Extractor(load_inception(weights).to(device), resizer, device)


def default_device() -> str:
    """`cuda` where there is one, else `cpu`."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def inception_features(pictures: Iterable[Picture], extractor: Extractor) -> NDArray[np.float32]:
    """(N, 2048) float32 of (H, W, 3) uint8 pictures of any sizes; they are read and forgotten batch by batch."""
    prepared = map(extractor.prepare, pictures)
    parts = []
    while batch := list(islice(prepared, extractor.batch_size)):
        parts.append(extractor.features(batch))
    return np.concatenate(parts) if parts else np.empty((0, FEATURES), np.float32)
