"""A seeded Inception and folders of pictures for the metric tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from metric_pictures import Thumbnails, disturbed, texture
from tiny_segmenters import NearestColour, save

from gan_eval.base.digests import sha256_file
from gan_eval.metrics.run import measure as measures
from gan_eval.pictures import decode as pictures


def _random_state() -> dict[str, torch.Tensor]:
    """Seeded weights of a sane size, in the official `.pth` layout, which is that of torch-fidelity's network."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    network = FeatureExtractorInceptionV3.__new__(FeatureExtractorInceptionV3)
    with pytest.MonkeyPatch.context() as patch, torch.device("meta"):
        patch.setattr(torch, "load", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network.__init__("seeded", ["2048"], feature_extractor_weights_path="none")  # type: ignore[misc]
    generator = torch.Generator().manual_seed(7)

    def drawn(name: str, shape: torch.Size) -> torch.Tensor:
        normal = torch.randn(shape, generator=generator)
        if name.endswith("bn.weight"):
            return 1 + 0.1 * normal.clamp(-2, 2)
        if name.endswith("running_var"):
            return 0.5 + normal.abs()
        return normal * (2 / shape[1:].numel()) ** 0.5 if len(shape) == 4 else 0.2 * normal

    return {name: drawn(name, value.shape) for name, value in network.state_dict().items()}


@pytest.fixture(scope="session")
def seeded_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `.pth` of seeded random Inception weights."""
    path = tmp_path_factory.mktemp("weights") / "seeded.pth"
    torch.save(_random_state(), path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Makes `real/` and `fake/` with n paired pictures each and returns both folders."""

    def make(count: int, *, height: int = 96, width: int = 192) -> tuple[Path, Path]:
        for n in range(count):
            real = texture(n, height, width)
            pictures.write_png(tmp_path / "real" / f"p{n}.png", real)
            pictures.write_png(tmp_path / "fake" / f"p{n}.png", disturbed(real, n))
        return tmp_path / "real", tmp_path / "fake"

    return make


@pytest.fixture
def thumbnails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Thumbnails:
    """Takes the network's place; the weights' file `any.pth` is there but not looked into."""
    (tmp_path / "any.pth").write_bytes(b"weights")
    extractor = Thumbnails(sha256=sha256_file(tmp_path / "any.pth"))
    monkeypatch.setattr(measures, "load_extractor", lambda *_, **__: extractor)
    return extractor


@pytest.fixture(scope="module")
def colour_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a network that reads the palette's colours."""
    return save(NearestColour(), tmp_path_factory.mktemp("network") / "net.pt")
