"""LPIPS and DISTS of holes, and of pictures that are too small; whole ones are compared in test_peers.py."""

import numpy as np
import pytest
import torch
from learned_weights import seeded_dists, seeded_trunk
from metric_pictures import disturbed, planes, texture

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.perceptual import dists_distance, lpips_distance
from gan_eval.metrics.kernels.pictures import Unmeasurable

REAL, FAKE = texture(0, 96, 80), disturbed(texture(0, 96, 80), 1)


HOLE = np.zeros(REAL.shape[:2], bool)
HOLE[20:60, 30:50] = HOLE[25:40, 10:45] = True  # its bounding box: rows 20 to 59, columns 10 to 49


@pytest.mark.filterwarnings("ignore:.*weight.*:UserWarning", "ignore:.*pretrained.*:UserWarning")
def test_lpips_of_a_hole_is_the_mean_of_the_library_s_map(monkeypatch: pytest.MonkeyPatch) -> None:
    import lpips

    convolutions = seeded_trunk("alexnet")
    distance = METRICS["lpips_alex_hole"].make(convolutions, device="cpu")
    for draw in ("kaiming_uniform_", "kaiming_normal_", "normal_"):  # saves seconds: the weights are replaced below
        monkeypatch.setattr(torch.nn.init, draw, lambda tensor, *_, **__: tensor)
    library = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False, spatial=True)
    for name, parameter in library.net.named_parameters():
        parameter.data.copy_(convolutions["features." + name.split(".", 1)[1]])
    with torch.inference_mode():
        wanted = library(*(planes(picture).float() / 127.5 - 1 for picture in (FAKE, REAL)))[0, 0].numpy()
    assert wanted.shape == HOLE.shape
    for hole in (HOLE, np.ones_like(HOLE), np.eye(*HOLE.shape, dtype=bool)):
        assert distance(FAKE, REAL, hole) == pytest.approx(wanted[hole].mean(dtype=float), rel=1e-6)
    assert distance(FAKE, REAL, torch.from_numpy(HOLE)) == distance(FAKE, REAL, HOLE)
    with pytest.raises(Unmeasurable, match="no hole"):
        distance(FAKE, REAL, np.zeros_like(HOLE))


def test_dists_of_a_hole_is_that_of_its_bounding_box() -> None:
    convolutions, own = seeded_trunk("vgg16"), seeded_dists()
    whole, of_hole = (METRICS[name].make(convolutions, own, device="cpu") for name in ("dists", "dists_hole"))
    box = (slice(20, 60), slice(10, 50))
    assert of_hole(FAKE, REAL, HOLE) == whole(FAKE[box], REAL[box])
    composite = np.where(HOLE[..., None], FAKE, REAL)
    assert 0 < of_hole(composite, REAL, HOLE) < of_hole(FAKE, REAL, HOLE)
    with pytest.raises(Unmeasurable, match="1x20 pixels"):
        of_hole(FAKE, REAL, np.pad(np.ones((20, 1), bool), ((0, 76), (0, 79))))


def test_small_pictures() -> None:
    vgg16 = seeded_trunk("vgg16")
    for distance, least in (
        (lpips_distance("alexnet", seeded_trunk("alexnet")), 31),
        (lpips_distance("vgg16", vgg16), 16),
        (dists_distance(vgg16, seeded_dists()), 16),
    ):
        small = texture(5, least, least + 3)
        assert np.isfinite(distance(disturbed(small, 6), small))
        with pytest.raises(Unmeasurable, match=f"{least - 1}x40 .*{least}x{least}"):
            distance(texture(5, 40, least - 1), texture(6, 40, least - 1))
        with pytest.raises(Unmeasurable, match="40x40"):
            distance(texture(5, 40, 40), texture(5, 40, 41))
