"""Networks as extractors of features, and the resizers before them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import features_of, planes, texture
from PIL import Image
from skimage import transform
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from gan_eval.metrics.networks.extractors import RESIZERS, inception_extractor, resize

PICTURES = [texture(n, 64, 80) for n in range(3)]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_features(seeded_weights: Path) -> None:
    here, there = (inception_extractor(seeded_weights, device=device) for device in ("cpu", "cuda"))
    wanted, found = features_of(PICTURES, here), features_of(PICTURES, there)
    assert np.linalg.norm(found - wanted) < 1e-5 * np.linalg.norm(wanted)


SIZES = [(64, 80), (256, 256), (600, 333), (299, 299)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tf1_is_torch_fidelitys_to_the_last_bit(height: int, width: int) -> None:
    picture = texture(0, height, width)
    wanted = interpolate_bilinear_2d_like_tensorflow1x(planes(picture).float(), size=(299, 299), align_corners=False)[0]
    assert torch.equal(resize(picture, "tf1"), wanted)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_bilinear_is_scikit_images_half_pixel_rule(height: int, width: int) -> None:
    picture = texture(1, height, width)
    wanted = transform.resize(picture.astype(float), (299, 299), order=1, mode="edge", anti_aliasing=False)
    assert np.abs(resize(picture, "bilinear").permute(1, 2, 0).numpy() - wanted).max() < 0.02


@pytest.mark.parametrize("name", RESIZERS)
def test_a_flat_picture_stays_flat(name: str) -> None:
    for side in (64, 299, 600):
        resized = resize(np.full((side, side, 3), 200, np.uint8), name)
        expected = 200 * 256 / 255 if name == "pytorch-fid" else 200.0
        assert torch.allclose(resized, torch.tensor(expected), atol=1e-3), side


def test_the_rule_of_pytorch_fid_gives_the_network_its_scaling() -> None:
    picture = texture(1, 96, 80)
    there = 2 * torch.nn.functional.interpolate(planes(picture).float() / 255, (299, 299), mode="bilinear")[0] - 1
    assert ((resize(picture, "pytorch-fid") - 128) / 128 - there).abs().max() < 2e-6


@pytest.mark.parametrize(
    ("name", "rule", "near"), [("bilinear-aa", Image.Resampling.BILINEAR, 0.02), ("clean", Image.Resampling.BICUBIC, 0)]
)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_two_rules_are_pillows(height: int, width: int, name: str, rule: Image.Resampling, near: float) -> None:
    picture = np.where(texture(2, height, width) > 128, np.uint8(255), np.uint8(0))  # so that bicubic overshoots
    for c, plane in enumerate(resize(picture, name).numpy()):
        image = Image.fromarray(picture[..., c].astype(np.float32))
        wanted = np.asarray(image.resize((299, 299), rule)).clip(0, 255)
        assert np.abs(plane - wanted).max() <= near
