"""A network of the user's own: its files, its features, and the set metrics of them."""

import base64
import json
import re
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from metric_pictures import features_frame, texture
from PIL import Image
from refusals import refused
from tiny_segmenters import save
from torch import Tensor, nn
from torchvision import transforms

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.metrics.networks import own
from gan_eval.metrics.networks.extractors import resize
from gan_eval.metrics.networks.own import load_own_network
from gan_eval.metrics.run import runner
from gan_eval.metrics.run.inputs import Settings, folder_pair, stimuli_of_sets
from gan_eval.metrics.weights.cache import network_files
from gan_eval.pictures import decode as pictures

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


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for n in range(N):
        for folder in ("real", "fake"):
            pictures.write_png(tmp_path / folder / f"{n}.png", texture(n + 50 * (folder == "fake"), 20, 28))
    return tmp_path / "real", tmp_path / "fake"


def test_metrics_are_those_of_the_networks_features(folders: tuple[Path, Path], tmp_path: Path) -> None:
    file = save(Small(), tmp_path / "net.pt")
    (tmp_path / "tiny.toml").write_text(SETTINGS)
    real, fake = folders
    vectors = []
    for folder in folders:
        levels = [resize(pictures.read_rgb(folder / f"{n}.png"), "clean", size=12) / 255 for n in range(N)]
        scaled = transforms.functional.normalize(torch.stack(levels), [0.4, 0.5, 0.6], [0.2, 0.25, 0.5])
        vectors.append(Small()(scaled).numpy())
    _, found = evaluate(
        metrics=[f"{name}@{source}" for source in ("tiny", "same") for name in ("fid", "kid", "cmmd")],
        real=real,
        fake=fake,
        dataset="d",
        model="m",
        cache=False,
        networks={"tiny": file},
        features={"same": features_frame(*vectors, stem="{}")},
    )
    values = found.set_index("metric")["value"]
    for name in ("fid", "kid", "cmmd"):
        assert values[f"{name}@tiny"] == pytest.approx(values[f"{name}@same"], rel=1e-4, abs=1e-6), name


def test_features_are_kept_until_the_network_or_its_settings_change(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    stimuli = stimuli_of_sets([folder_pair(*folders, dataset="d", model="m")])
    file = save(Small(), tmp_path / "net.pt")

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
    refused(r"--network largest=.*largest.onnx:.*ONNX", load_own_network, "largest", file, device="cpu")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"x.toml.*net.toml.*input_size"),
        ("licence = 'MIT'\n", r"x.toml: input_size:"),
        ("input_size = 8\n", r"x.toml: licence:"),
        ("input_size = 0\nlicence = 'MIT'\n", r"x.toml: input_size: "),
        ("input_size = 8\nlicence = 'MIT'\nresize = 'tf1'\n", "resize:"),
        ("input_size = 8\nlicence = 'MIT'\nresizer = 'nearest'\n", "resizer: "),
        ("input_size = 8\nlicence = 'MIT'\nstd = [1, 0, 1]\n", r"std.1: "),
        ("input_size = [", "x.toml"),
    ],
)
def test_settings_that_will_not_do_are_refused(tmp_path: Path, text: str | None, message: str) -> None:
    file = save(Small(), tmp_path / "net.pt")
    if text is not None:
        (tmp_path / "x.toml").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        load_own_network("x", file, device="cpu")
    assert "\n" not in str(error.value)


def test_files_that_are_no_such_network_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(SETTINGS)
    for network, message in (
        (
            Map(),
            r"--network x=.*: gives \(3, 4, 10, 10\) for three pictures, expected \(3, d\): export it with pooling",
        ),
        (Picky(), "fails on 3 pictures of 12x12: "),
    ):
        refused(message, load_own_network, "x", save(network, tmp_path / "net.pt"), device="cpu")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pt")
    refused(r"--network x=.*weights.pt:.*TorchScript", load_own_network, "x", tmp_path / "weights.pt", device="cpu")
    refused(r"--network x=.*none.pt:", load_own_network, "x", tmp_path / "none.pt", device="cpu")
    with pytest.raises(UserError, match=r"--features.*--network.*'x'"):
        Settings(features={"x": tmp_path / "f.npz"}, networks={"x": tmp_path / "n.pt"}).selected()


class Few(Small):
    """Fails on more than four pictures."""

    def forward(self, x: Tensor) -> Tensor:
        assert len(x) < 5, "no room for more"
        return nn.functional.conv2d(x, self.weight).relu().mean((2, 3))


class Ragged(Small):
    """Gives fewer features for more than four pictures."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight).relu().mean((2, 3))[:, : 4 if len(x) < 5 else 3]


class OverBatch(Small):
    """Normalises its features over the pictures of a call."""

    def forward(self, x: Tensor) -> Tensor:
        features = nn.functional.conv2d(x, self.weight).relu().mean((2, 3))
        return (features - features.mean(0)) / (features.std(0) + 1e-3)


def traced_in_training(*layers: nn.Module) -> torch.jit.ScriptModule:
    network = nn.Sequential(nn.Conv2d(3, 32, 3), *layers, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(network, torch.rand(4, 3, 12, 12), check_trace=False)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Few(), r"16 pictures.*12x12:"),
        (Ragged(), r"gives \(16, 3\) for 16 pictures"),
        (OverBatch(), "features depend on the other pictures of a call; export the network in evaluation mode"),
        (traced_in_training(nn.BatchNorm2d(32)), "features depend on the other pictures of a call"),
        (traced_in_training(nn.Dropout(0.2)), "features change from call to call"),
    ],
)
def test_a_network_that_cannot_be_trusted_is_a_line(
    folders: tuple[Path, Path], tmp_path: Path, network: nn.Module, message: str
) -> None:
    (tmp_path / "x.toml").write_text(SETTINGS)
    file = tmp_path / "net.pt"
    network.save(file) if isinstance(network, torch.jit.ScriptModule) else save(network, file)
    with pytest.raises(UserError, match=rf"--network x=.*{message}") as error:
        evaluate(real=folders[0], fake=folders[1], metrics="kid@x", networks={"x": file}, cache=False, device="cpu")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_networks_of_few_bits_are_used(tmp_path: Path, kind: torch.dtype) -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.layers = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.ReLU()).to(kind)

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x.to(kind)).mean((2, 3))

    (tmp_path / "x.toml").write_text(SETTINGS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Half().eval(), torch.rand(2, 3, 12, 12)).save(tmp_path / "net.pt")
    assert load_own_network("x", tmp_path / "net.pt", device="cpu").size == 64


def external(message: bytes, name: bytes) -> bytes:
    """An ONNX file's entry that names a file of weights."""
    return message + b"\x0a\x08location\x12" + bytes([len(name)]) + name


def test_an_onnx_files_digest_covers_its_weights(tmp_path: Path) -> None:
    file, weights = tmp_path / "own.onnx", tmp_path / "own.onnx.data"
    file.write_bytes(external(b"graph", b"own.onnx.data"))
    assert network_files(file) == [file, weights]
    digests = set()
    for content in (b"A", b"B"):
        weights.write_bytes(content)
        digests.add(own.digest(file))
    assert len(digests) == 2
    file.write_bytes(LARGEST)
    assert own.digest(file) == sha256_file(file)
    pytest.importorskip("onnxruntime", reason="the extra onnx")
    (tmp_path / "own.toml").write_text(SETTINGS)
    weights.unlink()
    file.write_bytes(external(b"graph", b"own.onnx.data"))
    refused(r"own.onnx.data", load_own_network, "own", file, device="cpu")


DOCS = Path(__file__).resolve().parents[4] / "docs" / "metrics_networks.md"
SIDES = {"dinov2": 224, "clip": 336}


class Patches(nn.Module):
    """A small seeded network in the place of a ViT: patches of 14 pixels, a class token, positions, d features."""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(6)
            self.patch = nn.Conv2d(3, 8, 14, 14)
            self.token = nn.Parameter(torch.randn(1, 1, 8))
            self.places = nn.Parameter(torch.randn(1, (side // 14) ** 2 + 1, 8))
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Linear(8, width)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], dim=1) + self.places
        return self.head(self.attention(tokens, tokens, tokens, need_weights=False)[0][:, 0])


def published_input(name: str, picture: np.ndarray) -> Tensor:
    """Return the input that dgm-eval (torchvision's transforms) or the program of CMMD (Pillow) gives its network."""
    image = Image.fromarray(picture)
    if name == "dinov2":
        steps = [
            transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
        return transforms.Compose(steps)(image)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((336, 336), Image.Resampling.BICUBIC)
    levels = np.asarray(image).astype(np.float32) / 255
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    return torch.from_numpy(((levels - mean) / std).astype(np.float32)).permute(2, 0, 1)


@pytest.mark.parametrize(("name", "width"), [("dinov2", 1024), ("clip", 768)])
def test_a_known_network_is_exported_as_the_page_says_and_sees_what_the_published_program_shows_it(
    name: str, width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Patches(SIDES[name], width)

    def from_hub(repository: str, model: str, **_: object) -> Any:
        if name == "dinov2":
            assert (repository, model) == ("facebookresearch/dinov2", "dinov2_vitl14")
            return network
        assert (repository, model) == ("openai/CLIP", "ViT_L_14_336px")
        return SimpleNamespace(visual=network), None

    (script,) = (block for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S) if "torch.hub" in block)
    weights = tmp_path / "checkpoints" / "dinov2_vitl14_pretrain.pth"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    for function, result in (("load", from_hub), ("get_dir", lambda: str(tmp_path))):
        monkeypatch.setattr(torch.hub, function, result)
    monkeypatch.setattr(sys, "argv", ["export.py", name])
    monkeypatch.chdir(tmp_path)
    if name == "dinov2":
        with pytest.raises(AssertionError, match=r"dinov2_vitl14_pretrain\.pth"):
            exec(script, {})  # our own page
        script = re.sub(r'"[0-9a-f]{64}"', repr(sha256_file(weights)), script)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(script, {})

    extractor = load_own_network(name, tmp_path / f"{name}.pt", device="cpu")
    given = [texture(1, 260, 390), texture(2, 400, 300), texture(3, 50, 60)]
    found = extractor.features([extractor.prepare(picture) for picture in given])
    with torch.inference_mode():
        expected = network(torch.stack([published_input(name, picture) for picture in given])).numpy()
    assert found.shape == (3, width)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_another_network_under_a_known_name_is_refused_without_settings_of_its_own(tmp_path: Path) -> None:
    file = save(Small(), tmp_path / "net.pt")
    refused(r"--network clip=.*4 features.*expect 768", load_own_network, "clip", file, device="cpu")
    (tmp_path / "clip.toml").write_text(SETTINGS)
    assert load_own_network("clip", file, device="cpu").size == 4
