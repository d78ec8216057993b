from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import features_of, texture

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.networks.extractors import inception_extractor, load_extractors
from gan_eval.metrics.weights import cache

ON_INCEPTION = [name for name, metric in METRICS.items() if metric.extractor == "inception"]
PICTURES = [texture(n, 64, 80) for n in range(3)]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))


def test_missing_weights_are_a_reason_for_each_metric() -> None:
    found = load_extractors(METRICS.values(), device="cpu")
    assert set(found.ready) == {"label_colours"}
    needing = {name for name, metric in METRICS.items() if metric.extractor is not None}
    assert set(found.unavailable) == needing - {"label_colour_spread"}
    assert "`gan-eval weights fetch inception` or --weights FILE" in found.unavailable["fid"]
    assert "--segmenter FILE" in found.unavailable["class_iou"]


@pytest.mark.slow
def test_a_users_file_is_loaded_with_a_caveat(seeded_weights: Path) -> None:
    found = load_extractors(METRICS.values(), paths={"inception": seeded_weights}, resizer="clean", device="cpu")
    assert not set(found.unavailable) & set(ON_INCEPTION)
    assert found.sha256 == {"inception": sha256_file(seeded_weights)}
    assert found.caveats == {"inception": "seeded.pth is not a known file of the weights inception"}
    extractor = found.ready["inception"]
    assert (extractor.name, extractor.size, extractor.companion) == ("inception", 2048, None)
    assert extractor.key == f"inception-2015-12-05/{found.sha256['inception']}/clean/fp32"
    assert features_of(PICTURES, extractor).shape == (3, 2048)
    assert features_of([], extractor).shape == (0, 2048)


def test_a_damaged_cache_is_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "weights" / cache.WEIGHTS["inception"].packaged.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    found = load_extractors([METRICS["kid"]], device="cpu")
    assert "damaged" in found.unavailable["kid"]


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="a processor without bf16")
@pytest.mark.slow
def test_bf16_is_another_extractor_and_close(seeded_weights: Path) -> None:
    exact, quick = (
        inception_extractor(seeded_weights, device="cpu", precision=precision) for precision in ("fp32", "bf16")
    )
    assert exact.key.removesuffix("fp32") + "bf16" == quick.key
    wanted, found = features_of(PICTURES, exact), features_of(PICTURES, quick)
    assert found.dtype == np.float32
    relative = np.linalg.norm(found - wanted) / np.linalg.norm(wanted)
    assert 1e-5 < relative < 0.05


def test_bf16_on_a_processor_without_it_is_the_user_s_line(
    seeded_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    with pytest.raises(UserError, match="--precision bf16: this processor has no instructions for it"):
        inception_extractor(seeded_weights, device="cpu", precision="bf16")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_features(seeded_weights: Path) -> None:
    here, there = (inception_extractor(seeded_weights, device=device) for device in ("cpu", "cuda"))
    wanted, found = features_of(PICTURES, here), features_of(PICTURES, there)
    assert np.linalg.norm(found - wanted) < 1e-5 * np.linalg.norm(wanted)
