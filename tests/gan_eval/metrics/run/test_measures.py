"""Measures that a run loads: networks and regressions with their hashes and caveats, or why there is none."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from learned_weights import write_learned
from metric_pictures import disturbed, texture
from refusals import refused

from gan_eval.base.digests import sha256_file
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.inputs import Settings
from gan_eval.metrics.run.measure import Tools
from gan_eval.metrics.weights import cache

LEARNED = ["lpips_alex", "lpips_vgg", "dists", "brisque"]
PAIR = ["lpips_alex", "lpips_vgg", "dists"]
REAL = texture(0, 40, 48)
FAKE = disturbed(REAL, 1)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_learned(tmp_path_factory.mktemp("learned"))


def tools_for(names: Iterable[str], *, resizer: str = "tf1", **weights: Path) -> Tools:
    return Tools([METRICS[name] for name in names], Settings(weights=weights, resizer=resizer, device="cpu"))


def test_missing_weights_are_the_reason_of_every_picture_and_set(paths: dict[str, Path]) -> None:
    found = tools_for(METRICS, vgg16=paths["vgg16"])
    functions = {metric.name: function for metric, function in found.measures}
    for name, weights in (("lpips_alex", "alexnet"), ("dists", "dists"), ("brisque", "brisque")):
        with pytest.raises(Unmeasurable, match=rf"{weights}`.*--weights {weights}=FILE"):
            functions[name](FAKE, REAL)
    assert functions["lpips_vgg"](FAKE, REAL) > 0
    assert set(found.sha256) == {"vgg16"}
    assert set(found.extractors) == {"label_colours", "spectrum"}
    needing = {name for name, metric in METRICS.items() if metric.extractor is not None}
    assert set(found.unavailable) == needing - {"label_colour_spread", "upsampling_peak"}
    assert "--weights inception=FILE" in found.unavailable["fid"].reason
    assert "--segmenter FILE" in found.unavailable["class_iou"].reason


def test_users_files_with_their_hashes_and_caveats(paths: dict[str, Path]) -> None:
    found = tools_for(PAIR, **paths)
    assert all(function(FAKE, REAL) > 0 for _, function in found.measures)
    assert found.sha256 == {name: sha256_file(path) for name, path in paths.items()}
    assert found.caveats["lpips_alex"] == "a.pth is not a known file of the weights alexnet"
    assert found.caveats["dists"] == (
        "v.safetensors is not a known file of the weights vgg16; d.pt is not a known file of the weights dists"
    )


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "dists", "brisque"])
def test_a_named_file_that_will_not_do(name: str, paths: dict[str, Path], tmp_path: Path) -> None:
    refused(rf"--weights {name}=.*absent:", tools_for, LEARNED, **paths | {name: tmp_path / "absent"})
    (tmp_path / "text.pth").write_text("no weights")
    refused(r"text\.pth: not ", tools_for, LEARNED, **paths | {name: tmp_path / "text.pth"})


@pytest.mark.slow
def test_a_users_inception_is_loaded_with_a_caveat(seeded_weights: Path) -> None:
    found = tools_for(["fid"], resizer="clean", inception=seeded_weights)
    assert found.sha256 == {"inception": sha256_file(seeded_weights)}
    assert found.caveats == {"inception": "seeded.pth is not a known file of the weights inception"}
    extractor = found.extractors["inception"]
    assert (extractor.name, extractor.size, extractor.companion) == ("inception", 2048, None)
    assert extractor.key == f"inception-2015-12-05/{found.sha256['inception']}/clean/fp32"


def test_a_damaged_cache_is_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "weights" / cache.WEIGHTS["inception"].packaged.file
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    assert "damaged" in tools_for(["kid"]).unavailable["kid"].reason
