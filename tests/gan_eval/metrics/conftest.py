"""A seeded Inception and folders of pictures for the metric tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from metric_pictures import Thumbnails, disturbed, texture
from tiny_segmenters import NearestColour, save
from torch import nn

from gan_eval.files.digests import sha256_file
from gan_eval.metrics.networks import extractors
from gan_eval.metrics.networks.extractors import Extractors
from gan_eval.stimuli import pictures


def _random_state() -> dict[str, torch.Tensor]:
    """torch-fidelity's network with seeded weights of a sane size, as a state dict in the official `.pth` layout."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    network = FeatureExtractorInceptionV3.__new__(FeatureExtractorInceptionV3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "load", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network.__init__("seeded", ["2048"], feature_extractor_weights_path="none")  # type: ignore[misc]
    generator = torch.Generator().manual_seed(7)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.2, generator=generator)
            nn.init.normal_(module.bias, 0, 0.2, generator=generator)
            nn.init.normal_(module.running_mean, 0, 0.2, generator=generator)
            nn.init.uniform_(module.running_var, 0.5, 2, generator=generator)
    return network.state_dict()


@pytest.fixture(scope="session")
def seeded_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `.pth` of seeded random Inception weights."""
    path = tmp_path_factory.mktemp("weights") / "seeded.pth"
    torch.save(_random_state(), path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Makes `real/` and `fake/` with n paired pictures each and returns both folders."""

    def make(count: int, *, height: int = 192, width: int = 192) -> tuple[Path, Path]:
        for n in range(count):
            real = texture(n, height, width)
            pictures.write_png(tmp_path / "real" / f"p{n}.png", real)
            pictures.write_png(tmp_path / "fake" / f"p{n}.png", disturbed(real, n))
        return tmp_path / "real", tmp_path / "fake"

    return make


@pytest.fixture
def thumbnails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Thumbnails:
    """Takes the network's place; the weights' file `any.pth` is there but not looked into."""
    extractor, file = Thumbnails(), tmp_path / "any.pth"
    file.write_bytes(b"weights")

    def load(metrics: object, **_: object) -> Extractors:
        wanted = any(metric.extractor for metric in metrics)  # type: ignore[attr-defined]
        return Extractors({"inception": extractor}, sha256={"inception": sha256_file(file)}) if wanted else Extractors()

    monkeypatch.setattr(extractors, "load_extractors", load)
    return extractor


@pytest.fixture(scope="module")
def colour_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a network that reads the palette's colours."""
    return save(NearestColour(), tmp_path_factory.mktemp("network") / "net.pt")
