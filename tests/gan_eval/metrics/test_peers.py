"""Numbers that peers publish in their own tests, and every metric that two peers have compared with both.

Numbers are left out that need pictures which are not ours to distribute (piq's TID2013 and Goldhill), pretrained
weights (torch-fidelity's FID of CIFAR-10, 10.3233274; the LPIPS of both) or another definition (piq's SSIM at half
size, BRISQUE with MATLAB's luma).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import piq
import pytest
import torch
import torchmetrics.functional.image as tm
import torchvision
from learned_weights import seeded_dists, seeded_trunk
from metric_pictures import planes
from skimage import data
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.kid import poly_mmd

from gan_eval.metrics import classes, functional
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.perceptual import Trunk, dists_distance, lpips_distance
from gan_eval.metrics.weights.files import State


def eight_bits(values: torch.Tensor) -> torch.Tensor:
    return (255 * values).round().to(torch.uint8)


def torchmetrics_pair() -> tuple[torch.Tensor, torch.Tensor]:
    preds = torch.rand([3, 3, 256, 256], generator=torch.Generator().manual_seed(42))
    return eight_bits(preds), eight_bits(preds * 0.75)


TORCHMETRICS = [  # metric, its value here, the number in the docstrings' tests of torchmetrics dab0333 (2026-08-20)
    ("SSIM of noise and three quarters of it", lambda: functional.ssim(*torchmetrics_pair()).mean(), 0.9219, 1e-3),
    ("MS-SSIM of the same", lambda: functional.ms_ssim(*torchmetrics_pair()).mean(), 0.9628, 1e-3),
    (
        "PSNR of [[0, 1], [2, 3]] and [[3, 2], [1, 0]], range 3",
        lambda: classes.PeakSignalNoiseRatio(3.0)(torch.tensor([[0, 1], [2, 3]]), torch.tensor([[3, 2], [1, 0]])),
        2.5527,
        5e-5,
    ),
]


@pytest.mark.parametrize(("value", "published", "tolerance"), [row[1:] for row in TORCHMETRICS])
def test_torchmetrics_numbers(value: Callable[[], torch.Tensor], published: float, tolerance: float) -> None:
    assert value().item() == pytest.approx(published, abs=tolerance)


REAL = np.ascontiguousarray(data.astronaut()[:192, 100:300])
FAKE = np.clip(REAL + np.random.default_rng(0).normal(0, 12, REAL.shape), 0, 255).astype(np.uint8)
X, Y = planes(FAKE), planes(REAL)
RANDOM = np.random.default_rng(1)
REALS, FAKES = RANDOM.normal(size=(250, 32)), RANDOM.normal(0.3, 1.1, size=(250, 32))
A, B = torch.tensor(REALS), torch.tensor(FAKES)


def fidelitys_fid() -> float:
    return fid_statistics_to_metric(fid_features_to_statistics(A), fid_features_to_statistics(B), False)[
        "frechet_inception_distance"
    ]


def fidelitys_kid() -> float:
    return kid_features_to_metric(A, B, kid_subsets=1, kid_subset_size=250, verbose=False)[
        "kernel_inception_distance_mean"
    ]


def fidelitys_neighbours(name: str) -> float:
    return prc_features_to_metric(B, A, prc_neighborhood=3, prc_batch_size=100, verbose=False)[name]


def torchmetrics_fid() -> float:
    from torchmetrics.image.fid import _compute_fid

    moments = [part for features in (A, B) for part in (features.mean(dim=0), features.T.cov())]
    return float(_compute_fid(*moments))


TWO_PEERS: list[tuple[str, str, Callable[[], Any], float]] = [  # metric, peer, its number, tolerance
    ("psnr", "piq", lambda: piq.psnr(X, Y, data_range=255), 5e-5),  # it adds 1e-8 to the error
    ("psnr", "torchmetrics", lambda: tm.peak_signal_noise_ratio(X, Y, data_range=255.0), 5e-6),  # a float32 logarithm
    ("ssim", "piq", lambda: piq.ssim(X, Y, data_range=255, downsample=False), 1e-8),
    # torchmetrics counts a border that it has reflected
    ("ssim", "torchmetrics", lambda: tm.structural_similarity_index_measure(X, Y, data_range=255.0), 0.02),
    ("ms_ssim", "piq", lambda: piq.multi_scale_ssim(X, Y, data_range=255), 1e-7),
    (
        "ms_ssim",
        "torchmetrics",
        lambda: tm.multiscale_structural_similarity_index_measure(X, Y, data_range=255.0),
        4e-3,
    ),
    ("vif", "piq", lambda: piq.vif_p(X.float() / 255, Y.float() / 255), 1e-7),
    ("fid", "torch-fidelity", fidelitys_fid, 1e-9),
    ("fid", "torchmetrics", torchmetrics_fid, 1e-6),
    ("fid", "piq", lambda: piq.FID()(A, B), 1e-4),  # it adds a constant to the covariances' diagonals
    ("kid", "torch-fidelity", fidelitys_kid, 1e-9),
    ("kid", "torchmetrics", lambda: poly_mmd(A, B), 1e-9),
    ("precision_inception", "torch-fidelity", lambda: fidelitys_neighbours("precision"), 1e-6),
    ("precision_inception", "piq", lambda: piq.PR(nearest_k=3)(A, B)[0], 1e-6),
    ("recall_inception", "torch-fidelity", lambda: fidelitys_neighbours("recall"), 1e-6),
    ("recall_inception", "piq", lambda: piq.PR(nearest_k=3)(A, B)[1], 1e-6),
]


@pytest.mark.parametrize(("name", "peer", "theirs", "tolerance"), TWO_PEERS)
def test_two_peers_agree_with_us(name: str, peer: str, theirs: Callable[[], Any], tolerance: float) -> None:
    metric = METRICS[name]
    ours = metric.function(FAKE, REAL) if metric.kind == "pair" else metric.function(REALS, FAKES)
    assert ours == pytest.approx(float(theirs()), abs=tolerance), peer


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
    trunk: Trunk,
    peer: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
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
