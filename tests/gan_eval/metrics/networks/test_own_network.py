"""A network of the user's own: its files, its features, and the set metrics of them."""

import base64
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from metric_pictures import texture
from PIL import Image
from torch import Tensor, nn

from gan_eval.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.metrics.networks.own import load_own_network
from gan_eval.metrics.run import runner
from gan_eval.metrics.run.inputs import folder_pair, stimuli_of_sets
from gan_eval.metrics.run.tables import Settings
from gan_eval.stimuli import pictures

SETTINGS = 'input_size = 12\nresizer = "clean"\nmean = [0.4, 0.5, 0.6]\nstd = [0.2, 0.25, 0.5]\nlicence = "MIT"\n'
N = 8
LARGEST = base64.b85decode(
    "2nafx0SYe)0eBJtZ6XO$Wn^_@WldptDhmn(VR&V8Km(uw2PzK=2y10!aAaw1a~J@i0Rjpy3IS~r0cIizQe|XyV`WWYcq$7D1Yvk(b3g*10S77%3J7"
    "auWpHF^ZF3j^paB9B0cTns3ITW$844E&0TL4m0}=sl3IYfN3Ih@Wa|#0z0dry$3IS#k4+;$k0TKxc0}=sl3IYfNLIer`5Df"
)
"""An ONNX network that gives the largest value of each channel."""


class Small(nn.Module):
    """(N, 3, S, S) to (N, 4): a seeded convolution, averaged."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.register_buffer("weight", torch.randn(4, 3, 3, 3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight).relu().mean((2, 3))


class Map(Small):
    """The same, not averaged."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight)


class Picky(Small):
    """Takes pictures of 8x8 only."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, 3 * 8 * 8)[:, :4]


def save(network: nn.Module, folder: Path, name: str = "net") -> Path:
    path = folder / f"{name}.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(str(path))
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for n in range(N):
        for folder in ("real", "fake"):
            pictures.write_png(tmp_path / folder / f"{n}.png", texture(n + 50 * (folder == "fake"), 20, 28))
    return tmp_path / "real", tmp_path / "fake"


def test_metrics_are_those_of_the_networks_features(folders: tuple[Path, Path], tmp_path: Path) -> None:
    file = save(Small(), tmp_path)
    (tmp_path / "tiny.toml").write_text(SETTINGS)
    names, vectors = [], []
    for owner, folder in (("real", folders[0]), ("m", folders[1])):
        for n in range(N):
            picture = Image.open(folder / f"{n}.png")
            channels = [
                np.array(Image.fromarray(np.array(picture)[..., c].astype(np.float32)).resize((12, 12), 3))
                for c in range(3)
            ]
            levels = np.stack(channels).clip(0, 255) / 255
            scaled = (levels - np.array([0.4, 0.5, 0.6])[:, None, None]) / np.array([0.2, 0.25, 0.5])[:, None, None]
            names.append(f"d/{owner}/{n}")
            vectors.append(Small()(torch.from_numpy(scaled[None]).float())[0].numpy())
    given = pd.DataFrame({"stimulus": names} | {f"f{k}": np.stack(vectors)[:, k] for k in range(4)})
    real, fake = folders
    _, found = evaluate(
        metrics=[f"{name}@{source}" for source in ("tiny", "same") for name in ("fid", "kid", "cmmd")],
        real=real,
        fake=fake,
        dataset="d",
        model="m",
        cache=False,
        networks={"tiny": file},
        features={"same": given},
    )
    values = found.set_index("metric")["value"]
    for name in ("fid", "kid", "cmmd"):
        assert values[f"{name}@tiny"] == pytest.approx(values[f"{name}@same"], rel=1e-4, abs=1e-6), name


def test_features_are_kept_until_the_network_or_its_settings_change(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    stimuli = stimuli_of_sets([folder_pair(*folders, dataset="d", model="m")])
    file = save(Small(), tmp_path)

    def kept() -> int:
        settings = Settings(("kid@net",), networks={"net": file}, cache=tmp_path / "cache.sqlite", device="cpu")
        run = runner.run_metrics(stimuli, settings, command="test").runs.iloc[0]
        how = json.loads(run["settings"])
        assert '"licence":"MIT"' in how["networks"]["net"]
        assert len(run["weights_sha256"]) == 64
        return int(how["kept_values_used"])

    (tmp_path / "net.toml").write_text(SETTINGS)
    assert (kept(), kept()) == (0, 2 * N)
    (tmp_path / "net.toml").write_text(SETTINGS.replace("0.25", "0.3"))
    assert kept() == 0


def test_an_onnx_network_gives_its_features(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the extra onnx")
    file = tmp_path / "largest.onnx"
    file.write_bytes(LARGEST)
    (tmp_path / "largest.toml").write_text('input_size = 6\nlicense = "CC0"\n')
    extractor = load_own_network("largest", file, device="cpu")
    picture = np.zeros((6, 6, 3), np.uint8)
    picture[2, 3] = 51, 102, 255
    found = extractor.features([extractor.prepare(picture), extractor.prepare(picture // 2)])
    np.testing.assert_allclose(found, [[0.2, 0.4, 1], [25 / 255, 0.2, 127 / 255]], rtol=1e-6)
    file.write_bytes(LARGEST[:-9])
    with pytest.raises(UserError, match=r"--network largest=.*largest.onnx: not an ONNX network"):
        load_own_network("largest", file, device="cpu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"no x.toml or net.toml next to it; write it with input_size and licence"),
        ("licence = 'MIT'\n", r"x.toml: input_size: is missing"),
        ("input_size = 8\n", r"x.toml: licence: is missing"),
        ("input_size = 0\nlicence = 'MIT'\n", r"x.toml: input_size: "),
        ("input_size = 8\nlicence = 'MIT'\nresize = 'tf1'\n", "resize: no such key; did you mean resizer"),
        ("input_size = 8\nlicence = 'MIT'\nresizer = 'nearest'\n", "resizer: "),
        ("input_size = 8\nlicence = 'MIT'\nstd = [1, 0, 1]\n", r"std.1: "),
        ("input_size = [", "x.toml"),
    ],
)
def test_settings_that_will_not_do_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = save(Small(), tmp_path)
    if text is not None:
        (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_own_network("x", file, device="cpu")
    assert "\n" not in str(error.value)


def test_files_that_are_no_such_network_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(SETTINGS)
    for network, message in (
        (Map(), r"--network x=.*: gives \(2, 4, 10, 10\) for two pictures, wanted \(2, d\): export what pools them"),
        (Picky(), "fails on two pictures of 12x12: "),
    ):
        with pytest.raises(UserError, match=message):
            load_own_network("x", save(network, tmp_path), device="cpu")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pt")
    with pytest.raises(UserError, match=r"--network x=.*weights.pt: not a TorchScript network"):
        load_own_network("x", tmp_path / "weights.pt", device="cpu")
    with pytest.raises(UserError, match=r"--network x=.*none.pt: no such file"):
        load_own_network("x", tmp_path / "none.pt", device="cpu")
    with pytest.raises(UserError, match="--features and --network both name 'x'; rename one"):
        _ = Settings(features={"x": tmp_path / "f.npz"}, networks={"x": tmp_path / "n.pt"}).sources
