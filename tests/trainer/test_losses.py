"""Loss terms against formulas written out and against other people's implementations."""

import numpy as np
import pytest
import torch

from trainer.losses import ADVERSARIAL, bce, hinge, l1, l2, least_squares, ssim

LOGITS = torch.tensor([[-2.0, -0.5], [0.25, 3.0]], dtype=torch.float64)


def test_adversarial_losses_are_their_formulas() -> None:
    x = LOGITS.numpy()
    assert bce(LOGITS, real=True) == pytest.approx(np.mean(np.log1p(np.exp(-x))))
    assert bce(LOGITS, real=False) == pytest.approx(np.mean(np.log1p(np.exp(x))))
    assert least_squares(LOGITS, real=True) == pytest.approx(np.mean((x - 1) ** 2))
    assert least_squares(LOGITS, real=False) == pytest.approx(np.mean(x**2))
    assert hinge(LOGITS, real=True) == pytest.approx(np.mean(np.maximum(0, 1 - x)))
    assert hinge(LOGITS, real=False) == pytest.approx(np.mean(np.maximum(0, 1 + x)))
    assert hinge(LOGITS, real=True, generator=True) == pytest.approx(-x.mean())


@pytest.mark.parametrize("name", list(ADVERSARIAL))
def test_the_generator_wants_higher_logits(name: str) -> None:
    logits = torch.full((3,), -0.5, requires_grad=True)
    ADVERSARIAL[name](logits, real=True, generator=True).backward()
    assert (logits.grad < 0).all()


def test_reconstruction_losses_are_their_formulas() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = (torch.rand(2, 3, 5, 4, generator=random, dtype=torch.float64) for _ in "xy")
    assert l1(x, y) == pytest.approx(float(np.abs(x.numpy() - y.numpy()).mean()))
    assert l2(x, y) == pytest.approx(float(((x.numpy() - y.numpy()) ** 2).mean()))


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


def test_ssim_can_be_learnt_from() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = (torch.rand(1, 3, 16, 16, generator=random, dtype=torch.float64) * 2 - 1 for _ in "xy")
    x.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda fake: ssim(fake, y), (x,), nondet_tol=1e-12)


def test_ssim_takes_pictures_smaller_than_its_window() -> None:
    x = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert float(ssim(x, x)) == pytest.approx(0, abs=1e-6)
    assert 0.5 < float(ssim(x, -x)) <= 2
