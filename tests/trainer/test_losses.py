"""Loss terms against formulas written out and against other people's implementations."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from trainer.losses import bce, l1, l2, least_squares, pixel_weights, ssim, total_variation

RNG = np.random.default_rng(100)
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
LOGITS = torch.tensor([[-2.0, -0.5], [0.25, 3.0]], dtype=torch.float64)


def test_adversarial_losses_are_their_formulas() -> None:
    x = LOGITS.numpy()
    assert bce(LOGITS, real=True) == pytest.approx(np.mean(np.log1p(np.exp(-x))))
    assert bce(LOGITS, real=False) == pytest.approx(np.mean(np.log1p(np.exp(x))))
    assert least_squares(LOGITS, real=True) == pytest.approx(np.mean((x - 1) ** 2))
    assert least_squares(LOGITS, real=False) == pytest.approx(np.mean(x**2))


def _pictures(seed: int, *, batch: int = 2, size: tuple[int, int] = (7, 5)) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    fake, target = rng.uniform(-1, 1, (2, batch, 3, *size))
    return torch.from_numpy(fake), torch.from_numpy(target)


@pytest.mark.parametrize("weight_batch", [None, 1, 2])
def test_reconstruction_losses_are_means_over_all_elements(weight_batch: int | None) -> None:
    fake, target = _pictures(0)
    weight = np.ones((1, 1, 7, 5)) if weight_batch is None else RNG.uniform(0, 10, (weight_batch, 1, 7, 5))
    given = None if weight_batch is None else torch.from_numpy(weight)
    found = l1(fake, target, given), l2(fake, target, given)
    absolute = squared = 0.0
    for n, channel, row, column in np.ndindex(2, 3, 7, 5):
        difference = float(fake[n, channel, row, column]) - float(target[n, channel, row, column])
        absolute += weight[n % len(weight), 0, row, column] * abs(difference)
        squared += weight[n % len(weight), 0, row, column] * difference**2
    assert float(found[0]) == pytest.approx(absolute / (2 * 3 * 7 * 5), rel=1e-12)
    assert float(found[1]) == pytest.approx(squared / (2 * 3 * 7 * 5), rel=1e-12)


def _weights_pixel_by_pixel(hole: np.ndarray, inside: float, context: float, overlap: int, ring: float) -> np.ndarray:
    weights = np.empty(hole.shape)
    _, _, height, width = hole.shape
    for n, _, row, column in np.ndindex(*hole.shape):
        near_known = any(
            not (0 <= y < height and 0 <= x < width) or not hole[n, 0, y, x]
            for y in range(row - overlap, row + overlap + 1)
            for x in range(column - overlap, column + overlap + 1)
        )
        if not hole[n, 0, row, column]:
            weights[n, 0, row, column] = context
        else:
            weights[n, 0, row, column] = ring if overlap and near_known else inside
    return weights


@pytest.mark.parametrize("overlap", [0, 1, 2, 4, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_pixel_weights_agree_with_a_loop_over_pixels(overlap: int, dtype: torch.dtype) -> None:
    for seed in range(2):
        rng = np.random.default_rng(seed)
        hole = rng.random((3, 1, 13, 11)) < 0.97
        hole[1], hole[2] = True, False
        hole[0, 0, 2:12, 1:9] |= seed % 2 == 0
        given = torch.from_numpy(hole).to(dtype)
        found = pixel_weights(given, hole_weight=0.5, context_weight=0.25, overlap=overlap, overlap_weight=10.0)
        assert found.dtype == dtype
        assert found.shape == given.shape
        assert np.array_equal(found.double().numpy(), _weights_pixel_by_pixel(hole, 0.5, 0.25, overlap, 10.0))


@pytest.mark.parametrize("size", [(7, 5), (2, 9), (16, 16)])
def test_total_variation_is_its_formula(size: tuple[int, int]) -> None:
    for seed in range(5):
        picture, _ = _pictures(seed, size=size)
        x = picture.numpy()
        wanted = np.abs(x[..., 1:] - x[..., :-1]).mean() + np.abs(x[:, :, 1:] - x[:, :, :-1]).mean()
        assert float(total_variation(picture)) == pytest.approx(wanted, rel=1e-12)
        assert float(total_variation(torch.full_like(picture, 0.3))) == 0


@pytest.mark.parametrize("size", [(32, 32), (24, 41)])
def test_ssim_agrees_with_skimage(size: tuple[int, int]) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(0)
    x = random.random((3, *size))
    y = np.clip(x + 0.1 * random.normal(size=x.shape), 0, 1)
    maps = [
        metrics.structural_similarity(
            a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
        )[1][5:-5, 5:-5]  # the places where the whole window fits
        for a, b in zip(x, y, strict=True)
    ]
    ours = ssim(torch.from_numpy(2 * x - 1)[None], torch.from_numpy(2 * y - 1)[None])
    assert float(ours) == pytest.approx(1 - np.mean(maps), abs=1e-9)


def _with_texture(seed: int) -> torch.Tensor:
    """A picture (1, 3, 32, 32) in -0.5..0.5 that has coarse structure."""
    coarse = torch.from_numpy(np.random.default_rng(seed).uniform(-0.5, 0.5, (1, 3, 8, 8)))
    return coarse.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


@pytest.mark.parametrize("loss", [l1, l2, ssim])
def test_every_unlike_picture_has_a_gradient_and_a_perfect_one_a_finite_one(loss: Loss) -> None:
    for seed in range(10):
        target = _with_texture(seed)
        flat = torch.full_like(target, -0.2)
        for start in (_with_texture(seed + 100), -target, flat, target.clone()):
            fake = start.requires_grad_()
            loss(fake, target).backward()
            assert torch.isfinite(fake.grad).all()
            assert (float(fake.grad.detach().norm()) > 1e-4) == (not torch.equal(fake, target))


@pytest.mark.parametrize("loss", [l1, l2, ssim])
def test_a_noisy_picture_that_is_also_brighter_has_the_larger_loss(loss: Loss) -> None:
    for seed in range(10):
        target = _with_texture(seed)
        noise = torch.from_numpy(np.random.default_rng(seed).normal(0, 0.05, target.shape))
        noisy = target + noise - noise.mean()
        assert loss(target, target) < loss(noisy, target) < loss(noisy + 0.02, target) < loss(noisy + 0.2, target)
