"""Metrics as functions: of batches one value for each picture, and reasons that name the picture; of two sets."""

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, texture
from refusals import refused

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.one_value import load, score, scores

REAL = [texture(n, 192, 200) for n in range(3)]
FAKE = [disturbed(picture, n) for n, picture in enumerate(REAL)]


def batch(pictures) -> torch.Tensor:
    return torch.stack([torch.from_numpy(picture).permute(2, 0, 1) for picture in pictures])


@pytest.mark.parametrize("name", ["psnr", "l1", "ssim", "ssim_luma", "ms_ssim", "niqe", "sharpness"])
def test_batches_give_the_values_of_each_alone(name):
    given = (FAKE,) if METRICS[name].kind == "single" else (FAKE, REAL)
    values = scores(name, *map(batch, given))
    assert values.dtype == torch.float64
    assert values.tolist() == [METRICS[name].function(*pictures) for pictures in zip(*given, strict=True)]


def test_the_reason_names_the_picture():
    pictures = batch(FAKE)
    pictures[1] = 7
    with pytest.raises(Unmeasurable, match=r"^picture 1:"):
        scores("niqe", pictures)
    with pytest.raises(Unmeasurable, match=r"^picture 0: 160x192.*MS-SSIM"):
        scores("ms_ssim", batch(FAKE)[..., :200, :160], batch(REAL)[..., :200, :160])
    with pytest.raises(Unmeasurable, match="sizes"):
        scores("psnr", batch(FAKE)[..., :100], batch(REAL))


def test_other_types_and_shapes_are_refused():
    with pytest.raises(TypeError, match=r"\(N, 3, H, W\) uint8,.*torch.float32"):
        scores("psnr", batch(FAKE).float(), batch(REAL))
    with pytest.raises(TypeError, match="expected"):
        scores("niqe", torch.from_numpy(np.stack(FAKE)))
    with pytest.raises(TypeError, match=r"Tensor.*ndarray"):
        scores("psnr", batch(FAKE).numpy(), batch(REAL).numpy())
    with pytest.raises(ValueError, match=r"3 generated.*2 references"):
        scores("psnr", batch(FAKE), batch(REAL)[:2])
    with pytest.raises(ValueError, match="features"):
        score("fid", torch.zeros(3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"6 features.*ones 5"):
        score("kid", torch.zeros(30, 5), torch.zeros(30, 6))


def test_sets_take_tensors_of_any_type_and_arrays():
    generator = torch.Generator().manual_seed(3)
    real, fake = torch.randn(30, 6, generator=generator), 1.2 * torch.randn(24, 6, generator=generator) + 0.3
    a, b = real.double().numpy(), fake.double().numpy()
    for name in ("fid", "kid", "precision_inception", "recall_inception", "density_inception", "coverage_inception"):
        base = name.removesuffix("_inception")
        assert score(base, fake, real) == score(base, b, a) == METRICS[name].function(a, b)
    assert score("fid", fake, real.bfloat16()) == score("fid", fake, real.bfloat16().double())


def test_segmentation_scores_take_counts_alone():
    counts = np.zeros((2, 19, 20))
    counts[:, 0, 0], counts[:, 0, 1] = 3, 1
    for name in ("pixel_accuracy", "class_accuracy"):
        assert score(name, counts.reshape(2, 380)) == 0.75
    assert score("class_iou", torch.from_numpy(counts).flatten(1)) == 0.75
    with pytest.raises(ValueError, match=r"190 features.*\(N, 380\)"):
        score("pixel_accuracy", counts.reshape(4, 190))


def test_missing_weights_are_the_users_line(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path))
    refused("'brisque':", scores, "brisque", batch(FAKE))
    refused("no such file", load, "lpips_alex", paths={"alexnet": tmp_path / "none.pth"})


def test_functions_of_batches_name_the_picture_and_refuse_other_holes() -> None:
    fake, real = (
        torch.from_numpy(np.stack([one, one])).permute(0, 3, 1, 2) for one in (FAKE[0][:40, :60], REAL[0][:40, :60])
    )
    hole = torch.ones(2, 40, 60, dtype=torch.bool)
    hole[1] = False
    with pytest.raises(Unmeasurable, match=r"^picture 1: "):
        scores("l1_hole", fake, real, hole=hole)
    with pytest.raises(ValueError, match=r"2 .* 1 holes"):
        scores("l1_hole", fake, real, hole=hole[:1])
    with pytest.raises(TypeError, match=r"holes .*\(2, 1, 40, 60\)"):
        scores("ssim_hole", fake, real, hole=hole[:, None])
