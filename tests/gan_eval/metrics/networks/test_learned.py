from pathlib import Path

import pytest
from learned_weights import write_learned
from metric_pictures import disturbed, texture

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.learned import learned_metrics

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


def test_all_metrics_that_need_weights_and_no_others() -> None:
    wanted = {name for name, metric in METRICS.items() if metric.weights and metric.kind != "set"}
    assert (
        set(learned_metrics(METRICS.values(), device="cpu").functions)
        == wanted
        == {*LEARNED, "lpips_alex_hole", "dists_hole"}
    )
    assert learned_metrics([METRICS["psnr"], METRICS["fid"]]).functions == {}


def test_missing_weights_are_the_reason_of_every_picture(paths: dict[str, Path]) -> None:
    found = learned_metrics([METRICS[name] for name in LEARNED], paths={"vgg16": paths["vgg16"]}, device="cpu")
    for name, weights in (("lpips_alex", "alexnet"), ("dists", "dists"), ("brisque", "brisque")):
        with pytest.raises(Unmeasurable, match=f"weights fetch {weights}` or --weights {weights}=FILE"):
            found.functions[name](FAKE, REAL)
    with pytest.raises(Unmeasurable):
        found.functions["brisque"](FAKE)
    assert found.functions["lpips_vgg"](FAKE, REAL) > 0
    assert set(found.sha256) == {"vgg16"}


def test_users_files_with_their_hashes_and_caveats(paths: dict[str, Path]) -> None:
    found = learned_metrics([METRICS[name] for name in PAIR], paths=paths, device="cpu")
    assert all(found.functions[name](FAKE, REAL) > 0 for name in PAIR)
    assert found.sha256 == {name: sha256_file(path) for name, path in paths.items()}
    assert found.caveats["lpips_alex"] == "a.pth is not a known file of the weights alexnet"
    assert found.caveats["dists"] == (
        "v.safetensors is not a known file of the weights vgg16; d.pt is not a known file of the weights dists"
    )


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "dists", "brisque"])
def test_a_named_file_that_will_not_do(name: str, paths: dict[str, Path], tmp_path: Path) -> None:
    metrics = [METRICS[metric] for metric in LEARNED]
    with pytest.raises(UserError, match=rf"--weights {name}=.*absent: no such file"):
        learned_metrics(metrics, paths=paths | {name: tmp_path / "absent"}, device="cpu")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(UserError, match=r"text\.pth: not "):
        learned_metrics(metrics, paths=paths | {name: tmp_path / "text.pth"}, device="cpu")
