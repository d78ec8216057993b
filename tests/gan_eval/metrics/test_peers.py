"""LPIPS and DISTS next to the authors', torchmetrics' and piq's, with weights made from a seed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import piq
import pytest
import torch
import torchvision
from learned_weights import seeded_dists, seeded_trunk
from metric_pictures import planes
from skimage import data

from gan_eval.metrics.definitions.perceptual import Trunk, dists_distance, lpips_distance
from gan_eval.metrics.weights.files import State

REAL = np.ascontiguousarray(data.astronaut()[:192, 100:300])
FAKE = np.clip(REAL + np.random.default_rng(0).normal(0, 12, REAL.shape), 0, 255).astype(np.uint8)


def with_weights(trunk: Trunk, convolutions: State) -> torch.nn.Module:
    """torchvision's network."""
    with torch.device("meta"):
        network = getattr(torchvision.models, trunk)(weights=None)
    network.load_state_dict(convolutions, strict=False, assign=True)
    return network.eval()


def torchmetrics_lpips(trunk: Trunk, convolutions: State, patch: pytest.MonkeyPatch) -> Callable[..., torch.Tensor]:
    from torchmetrics.functional.image import lpips

    patch.setattr(lpips, "_get_tv_model_features", lambda *_, **__: with_weights(trunk, convolutions).features)
    network = lpips._LPIPS(net="alex" if trunk == "alexnet" else "vgg")
    return lambda x, y: network(x, y, normalize=True)


def authors_lpips(trunk: Trunk, convolutions: State, patch: pytest.MonkeyPatch) -> Callable[..., torch.Tensor]:
    import lpips

    made = with_weights(trunk, convolutions)
    patch.setattr(torchvision.models, trunk, lambda *_, **__: made)
    network = lpips.LPIPS(net="alex" if trunk == "alexnet" else "vgg", pnet_rand=True, verbose=False).eval()
    return lambda x, y: network(x, y, normalize=True)


def piq_lpips(trunk: Trunk, convolutions: State, patch: pytest.MonkeyPatch) -> Callable[..., torch.Tensor]:
    from torchmetrics.functional.image import lpips

    heads = torch.load(Path(lpips.__file__).parent / "lpips_models" / "vgg.pth", map_location="cpu", weights_only=True)
    patch.setattr(
        torch.hub, "load_state_dict_from_url", lambda *_, **__: [heads[f"lin{n}.model.1.weight"] for n in range(5)]
    )
    patch.setattr("piq.perceptual.vgg16", lambda **_: with_weights(trunk, convolutions))
    return piq.LPIPS()


def torchmetrics_dists(convolutions: State, own: State, patch: pytest.MonkeyPatch) -> Callable[..., torch.Tensor]:
    from torchmetrics.functional.image import dists

    patch.setattr(dists, "vgg16", lambda **_: with_weights("vgg16", convolutions))
    network = dists.DISTSNetwork()
    network.alpha.data, network.beta.data = own["alpha"], own["beta"]
    return network


def piq_dists(convolutions: State, own: State, patch: pytest.MonkeyPatch) -> Callable[..., torch.Tensor]:
    patch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: own)
    patch.setattr("piq.perceptual.vgg16", lambda **_: with_weights("vgg16", convolutions))
    return piq.DISTS()


@pytest.mark.filterwarnings("ignore:.*weight.*:UserWarning", "ignore:.*pretrained.*:UserWarning")
@pytest.mark.parametrize(
    ("trunk", "peer"),
    [
        ("alexnet", authors_lpips),
        pytest.param("alexnet", torchmetrics_lpips, marks=pytest.mark.nightly),
        pytest.param("vgg16", authors_lpips, marks=pytest.mark.nightly),
        pytest.param("vgg16", torchmetrics_lpips, marks=pytest.mark.nightly),
        ("vgg16", piq_lpips),
    ],
)
def test_lpips_is_that_of_its_peers(
    trunk: Trunk, peer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    convolutions = seeded_trunk(trunk)
    fake, real = FAKE[:96, :100], REAL[:96, :100]
    ours = lpips_distance(trunk, convolutions)(fake, real)
    assert capfd.readouterr().out == ""
    with torch.inference_mode():
        theirs = float(peer(trunk, convolutions, monkeypatch)(planes(fake).float() / 255, planes(real).float() / 255))
    assert ours == pytest.approx(theirs, rel=2e-5)
    assert ours > 1e-3


@pytest.mark.filterwarnings("ignore:.*weight.*:UserWarning", "ignore:.*pretrained.*:UserWarning")
@pytest.mark.parametrize(
    ("peer", "times"), [(torchmetrics_dists, 1), pytest.param(piq_dists, 1, marks=pytest.mark.nightly), (piq_dists, 3)]
)
def test_dists_is_that_of_its_peers(peer: Callable[..., Any], times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times as large, the pictures are above 256 pixels: piq and we scale them."""
    convolutions, own = seeded_trunk("vgg16"), seeded_dists()
    fake, real = (part[:96, :100].repeat(times, axis=0).repeat(times, axis=1) for part in (FAKE, REAL))
    ours = dists_distance(convolutions, own)(fake, real)
    with torch.inference_mode():
        theirs = float(peer(convolutions, own, monkeypatch)(planes(fake).float() / 255, planes(real).float() / 255))
    assert ours == pytest.approx(theirs, abs=1e-6 if peer is piq_dists else 1e-5)
    assert ours > 1e-3
