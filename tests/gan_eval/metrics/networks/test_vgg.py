from pathlib import Path

import numpy as np
import pytest
import torch
from learned_weights import seeded_trunk
from metric_pictures import texture
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.extractors import FEATURES, features_of, load_vgg16, vgg16_extractor, vgg16_of
from gan_eval.metrics.weights import cache

PICTURES = [texture(0, 224, 224), texture(1, 100, 130)]


@pytest.fixture(scope="module")
def whole() -> dict[str, Tensor]:
    """A seeded network of the whole file's layout, as it is in memory: on disk it would have 550 MB."""
    generator = torch.Generator().manual_seed(9)
    state = seeded_trunk("vgg16")
    for place, outputs, inputs in ((0, 4096, 25088), (3, 4096, 4096), (6, 8, 4096)):
        block = (
            torch.randn(64, inputs, generator=generator) * (2 / inputs) ** 0.5
        )  # few numbers are drawn, and repeated
        state[f"classifier.{place}.weight"] = block.repeat(-(-outputs // 64), 1)[:outputs]
        state[f"classifier.{place}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
    return state


@pytest.mark.slow
def test_the_second_hidden_layer_of_torchvisions_network(
    whole: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from torchvision.models import vgg16
    from torchvision.transforms.functional import normalize

    monkeypatch.setattr("gan_eval.metrics.networks.extractors.read_state", lambda path, name: whole)
    (tmp_path / "mine.pth").write_bytes(b"stands for the weights")
    extractor = vgg16_extractor(tmp_path / "mine.pth", resizer="bilinear-aa", device="cpu")
    found = features_of(PICTURES, extractor)
    with torch.device("meta"):
        peer = vgg16(weights=None, num_classes=8)
    peer.load_state_dict(whole, assign=True)
    planes = torch.stack([extractor.prepare(picture) for picture in PICTURES])
    scaled = normalize(planes / 255, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    with torch.inference_mode():
        wanted = peer.eval().classifier[:5](peer.avgpool(peer.features(scaled)).flatten(1)).numpy()
    assert found.shape == (2, FEATURES)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    assert found.std() > 0
    assert np.abs(found - wanted).max() < 1e-5 * wanted.max()
    assert extractor.key.startswith("vgg16-fc2/")
    assert extractor.key.endswith("/bilinear-aa/fp32")


def test_convolutions_alone_are_not_enough(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(seeded_trunk("vgg16"), tmp_path / "trunk.safetensors")
    with pytest.raises(
        Unmeasurable,
        match=r"trunk\.safetensors holds .* convolutions alone; .*vgg16-397923af\.pth: --vgg16-weights FILE",
    ):
        load_vgg16(tmp_path / "trunk.safetensors")


def test_another_networks_layers(whole: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    with pytest.raises(UserError, match=r"mine\.pth: not the weights vgg16 \(no classifier\.3\.bias\)"):
        vgg16_of({key: value for key, value in whole.items() if key != "classifier.3.bias"}, path)
    with pytest.raises(UserError, match=r"classifier\.3\.weight has the shape \(2, 2\), wanted \(4096, 4096\)"):
        vgg16_of(whole | {"classifier.3.weight": torch.zeros(2, 2)}, path)
    torch.save({"a": torch.zeros(2)}, path)
    with pytest.raises(UserError, match=r"mine\.pth: not the weights vgg16"):
        load_vgg16(path)


def test_the_users_whole_file() -> None:
    """Runs where torchvision's own file is in the cache."""
    try:
        path = cache.find("vgg16")
    except UserError as error:
        pytest.skip(str(error))
    if path.suffix != ".pth":
        pytest.skip(f"{path.name} holds the convolutions alone")
    features = features_of(PICTURES, vgg16_extractor(path, device="cpu"))
    assert features.shape == (2, FEATURES)
    assert (features >= 0).all()
