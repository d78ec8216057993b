"""Pictures on tensors to features, as the classes of set metrics take them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gan_eval.metrics.networks.features import NetworkExtractor, inception_extractor
from gan_eval.metrics.networks.resizers import check_resizer
from gan_eval.settings.training import Precision
from gan_eval.weights.cache import find

FeatureExtractor = Callable[[Tensor], Tensor]
"""(N, 3, H, W) uint8 to (N, d)."""


class InceptionFeatures(nn.Module):
    """(N, 3, H, W) uint8, of any sizes, to (N, 2048) float32: see `inception_extractor`."""

    def __init__(self, weights: Path | None, *, resizer: str, precision: Precision) -> None:
        super().__init__()
        check_resizer(resizer)
        file = find("inception", path=weights)
        self._extractor = inception_extractor(file, resizer=resizer, device="cpu", precision=precision)
        self.network = self._extractor.network
        self.num_features = self._extractor.size

    def forward(self, pictures: Tensor) -> Tensor:
        """The features, on the network's device; pictures are resized on the CPU."""
        device = next(self.network.parameters()).device
        extractor: NetworkExtractor = replace(self._extractor, device=str(device))
        parts = [
            torch.from_numpy(extractor.features([extractor.prepare(picture.numpy()) for picture in batch]))
            for batch in pictures.cpu().permute(0, 2, 3, 1).split(extractor.batch_size)
        ]
        return torch.cat(parts).to(device) if parts else torch.empty(0, self.num_features, device=device)


def width_of(extractor: FeatureExtractor) -> int:
    """d of its features: what it tells as `num_features`, else what a black picture of 299x299 gives.

    Raises:
        ValueError: it gives something else than (N, d).
    """
    told = getattr(extractor, "num_features", None)
    if isinstance(told, int):
        return told
    device = next((p.device for p in extractor.parameters()), None) if isinstance(extractor, nn.Module) else None
    features = extractor(torch.zeros(1, 3, 299, 299, dtype=torch.uint8, device=device))
    if features.ndim != 2 or len(features) != 1:
        raise ValueError(f"features of the shape {tuple(features.shape)} of one picture, wanted (1, d)")
    return features.shape[1]
