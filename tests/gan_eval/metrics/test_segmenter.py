"""The user's own segmenter: TorchScript, ONNX, or the palette where the pictures are label maps."""

import math
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from metric_pictures import texture
from torch import Tensor, nn
from torch.nn import functional as F

from gan_eval import images
from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.metrics import Settings, evaluate, folder_pair, write_metrics
from gan_eval.metrics.definitions.palette import CLASSES, COLOURS, VOID, VOID_COLOURS, class_map
from gan_eval.metrics.definitions.segmentation import COUNTS, class_iou, confusion, pixel_accuracy
from gan_eval.metrics.networks import segmenter
from gan_eval.metrics.networks.segmenter import load_segmenter
from gan_eval.metrics.networks.segmenter_networks import load_network
from gan_eval.metrics.networks.segmenter_settings import SegmenterSettings, read_settings, segmenter_key
from gan_eval.metrics.unmeasurable import Unmeasurable
from gan_eval.stimuli import stimulus_row, write_set

PALETTE = np.array(list(COLOURS.values()), dtype=np.uint8)


class NearestColour(nn.Module):
    """Scores each class by how near its colour is, on pictures of 0..1; at every `step`-th pixel only."""

    def __init__(self, order: Sequence[int] = range(19), step: int = 1) -> None:
        super().__init__()
        colours = torch.from_numpy(PALETTE[list(order)]).double() / 255
        self.register_buffer("weight", (2 * colours).float().view(-1, 3, 1, 1))
        self.register_buffer("bias", -(colours**2).sum(dim=1).float())
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, stride=self.step)


class Numbers(NearestColour):
    """The same as class numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).argmax(dim=1)


class Fails(nn.Module):
    """Takes pictures of one size only."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1].reshape(1, 19, 256, -1).expand(1, 19, 256, 256)[:, :, :, :256]


def save(network: nn.Module, file: Path, size: tuple[int, int] = (256, 256)) -> Path:
    """The network as TorchScript, or as ONNX where the file's name says so."""
    example = torch.rand(1, 3, *size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if file.suffix == ".onnx":
            axes = {"picture": {2: "height", 3: "width"}}
            torch.onnx.export(network, (example,), file, input_names=["picture"], dynamic_axes=axes, dynamo=False)
        else:
            torch.jit.trace(network, example).save(file)
    return file


def labels(seed: int, height: int = 64, width: int = 96) -> np.ndarray:
    """(H, W) classes in patches of 8 x 8, every class among them."""
    rng = np.random.default_rng(seed)
    patches = np.concatenate([np.arange(19), rng.integers(0, 19, height * width // 64 - 19)])
    return rng.permutation(patches).reshape(height // 8, width // 8).repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture(scope="module", params=["net.pt", "net.onnx"])
def colour_network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a network that reads the palette's colours."""
    return save(NearestColour(), tmp_path_factory.mktemp("network") / request.param)


def test_a_perfect_and_a_half_wrong_picture(colour_network):
    segmenter = load_segmenter(colour_network, device="cpu")
    assert (segmenter.name, segmenter.size, segmenter.companion) == ("segmenter", COUNTS, "input")
    true = labels(0)
    label_map = PALETTE[true]
    shifted = true.copy()
    shifted[:, 48:] = (true[:, 48:] + 1) % 19
    perfect, half = (segmenter.prepare(PALETTE[read], label_map) for read in (true, shifted))
    features = segmenter.features([perfect, half])
    assert features.dtype == np.float32
    assert features.shape == (2, COUNTS)
    assert np.array_equal(features[0], confusion(true, true))
    assert np.array_equal(features[1], confusion(true, shifted))
    assert pixel_accuracy(features, features[:1]) == class_iou(features, features[:1]) == 1
    assert pixel_accuracy(features, features[1:]) == 0.5
    assert pixel_accuracy(features, features) == 0.75


def test_void_pixels_are_not_counted(colour_network):
    segmenter = load_segmenter(colour_network, device="cpu")
    true = labels(1)
    label_map = PALETTE[true]
    label_map[:, :40] = VOID_COLOURS["unlabelled"]
    counts = segmenter.prepare(PALETTE[true], label_map)
    assert counts.sum() == 64 * 56
    assert pixel_accuracy(counts[None], counts[None]) == 1


def test_class_numbers_and_scores_of_another_size(tmp_path):
    """Numbers come from the nearest pixel, scores are brought up bilinearly; patches keep their middle."""
    true = labels(2)
    for name, network in (
        ("numbers.pt", Numbers(step=2)),
        ("scores.pt", NearestColour(step=2)),
    ):
        segmenter = load_segmenter(save(network, tmp_path / name), device="cpu")
        read = segmenter.read(PALETTE[true])
        inside = np.zeros(true.shape, bool)
        inside.reshape(8, 8, 12, 8)[:, 2:6, :, 2:6] = True
        assert np.array_equal(read[inside], true[inside])
        assert read.shape == true.shape
    assert np.array_equal(load_segmenter(tmp_path / "numbers.pt", device="cpu").read(PALETTE[true]), true)


def test_a_picture_is_brought_to_its_label_map(tmp_path):
    segmenter = load_segmenter(save(NearestColour(), tmp_path / "net.pt"), device="cpu")
    true = labels(3)
    small = PALETTE[true[::2, ::2]]
    counts = segmenter.prepare(small, PALETTE[true])
    assert counts.sum() == true.size
    assert pixel_accuracy(counts[None], counts[None]) > 0.75


def test_the_settings_beside_the_network_are_followed(tmp_path):
    """A network with its own order of classes, channels and range of levels, that wants one size."""
    order = [5, 3, *range(6, 19), 0, 1, 2, 4]
    network = nn.Sequential(_Unnormalise(), NearestColour(order))
    file = save(network, tmp_path / "net.pt", size=(32, 48))
    named = ", ".join(f'"{CLASSES[number]}"' for number in order)
    levels = 'scale = 1\nmean = [104.0, 117, 124]\nstd = [2, 3, 4]\nchannels = "bgr"\nsize = [32, 48]\n'
    (tmp_path / "net.pt.toml").write_text(f"{levels}classes = [{named}]\n")
    segmenter = load_segmenter(file, device="cpu")
    true = labels(4)
    assert np.array_equal(segmenter.read(PALETTE[true[::2, ::2]]), true[::2, ::2])
    read = segmenter.read(PALETTE[true])
    inside = np.zeros(true.shape, bool)
    inside.reshape(8, 8, 12, 8)[:, 2:6, :, 2:6] = True
    assert (read == true)[inside].mean() > 0.95
    plain = save(NearestColour(), tmp_path / "plain.pt")
    assert len({segmenter_key(file), segmenter_key(plain), segmenter.key}) == 2
    before = segmenter_key(plain)
    (tmp_path / "plain.pt.toml").write_text("scale = 1\n")
    assert segmenter_key(plain) != before == load_segmenter_key_without(plain)


def load_segmenter_key_without(file: Path) -> str:
    """The key when the file with settings is gone."""
    file.with_name(f"{file.name}.toml").unlink()
    return load_segmenter(file, device="cpu").key


class _Unnormalise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        mean, std = torch.tensor([104.0, 117, 124]).view(1, 3, 1, 1), torch.tensor([2.0, 3, 4]).view(1, 3, 1, 1)
        return (x * std + mean).flip(1) / 255


def test_outputs_that_are_no_class_count_as_misses(tmp_path):
    file = save(NearestColour(), tmp_path / "net.pt")
    names = ", ".join(["255", '"void"', *(f'"{name}"' for name in CLASSES[2:])])
    (tmp_path / "net.pt.toml").write_text(f"classes = [{names}]")
    read = load_segmenter(file, device="cpu").read(PALETTE[None, :3])
    assert read.tolist() == [[VOID, VOID, 2]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("scale = ", "not valid TOML"),
        ("sizes = [1, 2]", "sizes: no such key; known: scale, mean, std, channels, size, classes"),
        ("std = [1, 0, 1]", "std.1: Input should be greater than 0, found 0"),
        ("mean = [1, 2]", "mean.2: Field required"),
        ("scale = nan", "scale: Input should be a finite number"),
        ("size = [256]", "size.1: Field required"),
        ('channels = "hsv"', "channels: Input should be 'rgb' or 'bgr', found 'hsv'"),
        ('classes = ["rode"]', "classes: 'rode' is no class of Cityscapes; did you mean 'road'?"),
        ('classes = ["xyz"]', "classes: 'xyz' is no class of Cityscapes; known: road, sidewalk"),
        ("classes = [0, 19]", "classes: 19 is no class; wanted 0 to 18, or 255"),
        ("classes = [0, -1]", "classes.1: Input should be greater than or equal to 0"),
        ('classes = ["void"]', "classes: no output stands for an evaluated class"),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path, text, line):
    (tmp_path / "net.pt.toml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_settings(tmp_path / "net.pt")
    assert str(caught.value).startswith(f"{tmp_path / 'net.pt.toml'}: {line}")


def test_without_settings_there_are_defaults(tmp_path):
    assert read_settings(tmp_path / "net.pt") == SegmenterSettings()
    assert SegmenterSettings().classes == tuple(range(19))


def test_what_is_no_network_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "weights.pth")
    for name in ("text.pt", "text.onnx", "net.bin"):
        (tmp_path / name).write_text("hello")
    for name, line in (
        ("absent.pt", "no such file"),
        ("weights.pth", "not a TorchScript network .* weights alone do not do"),
        ("text.pt", "not a TorchScript network"),
        ("text.onnx", "not an ONNX network"),
        ("net.bin", r"wanted a network as \.onnx, or TorchScript as \.pt"),
    ):
        with pytest.raises(UserError, match=rf"--segmenter .*{name}: {line}"):
            load_segmenter(tmp_path / name, device="cpu")


def test_a_network_with_other_outputs_is_refused(tmp_path):
    for network, line in (
        (
            NearestColour(range(7)),
            r"the segmenter's output has the shape \(1, 7, 256, 256\) .* wanted scores \(1, 19, h",
        ),
        (nn.Flatten(), r"has the shape \(1, 196608\)"),
        (Fails(), "the segmenter fails on a picture of 256x256: .*net.pt.toml"),
    ):
        with pytest.raises(UserError, match=line):
            load_segmenter(save_scripted(network, tmp_path / "net.pt"), device="cpu")


def save_scripted(network: nn.Module, file: Path) -> Path:
    """As TorchScript from its code, which need not run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(file)
    return file


def test_a_network_of_one_size_needs_its_settings(tmp_path):
    file = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(NearestColour(), (torch.rand(1, 3, 64, 96),), file, dynamo=False)
    with pytest.raises(UserError, match=r"fails on a picture of 256x256: .*Got: 256 Expected: 64.*net\.onnx\.toml"):
        load_segmenter(file, device="cpu")
    (tmp_path / "net.onnx.toml").write_text("size = [64, 96]")
    true = labels(7)
    assert np.array_equal(load_segmenter(file, device="cpu").read(PALETTE[true]), true)


def test_numbers_beyond_the_classes_are_a_reason(tmp_path):
    file = save(Numbers(), tmp_path / "net.pt")
    (tmp_path / "net.pt.toml").write_text(f"classes = {list(range(15))}")
    segmenter = load_segmenter(file, device="cpu")  # the empty picture on which it is tried is read as class 14
    with pytest.raises(Unmeasurable, match="the segmenter gives class numbers 0 to 18; wanted 0 to 14"):
        segmenter.read(PALETTE[None])
    (tmp_path / "net.pt.toml").write_text('classes = ["road", "sidewalk"]')
    with pytest.raises(UserError, match=r"gives class numbers 14 to 14; wanted 0 to 1; .* belong into net\.pt\.toml"):
        load_segmenter(file, device="cpu")


def test_onnxruntime_may_be_absent(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").touch()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"ONNX networks need onnxruntime; install it with `pip install onnxruntime`"):
        load_segmenter(tmp_path / "net.onnx", device="cpu")


def test_what_a_stimulus_lacks_is_a_reason(tmp_path):
    file = save(NearestColour(), tmp_path / "net.pt")
    with pytest.raises(Unmeasurable, match="no input_file"):
        load_segmenter(file, device="cpu").prepare(texture(0))
    with pytest.raises(Unmeasurable, match="no reference_file"):
        load_segmenter(Path("palette")).prepare(texture(0))
    with pytest.raises(Unmeasurable, match="input_file: not a label map in the colours of Cityscapes"):
        load_segmenter(file, device="cpu").prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="reference_file: not a label map in the colours of Cityscapes"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1))
    with pytest.raises(Unmeasurable, match="192x192 and 64x96: sizes differ"):
        load_segmenter(Path("palette")).prepare(texture(0), texture(1, 96, 64))


def test_label_maps_are_read_by_the_palette():
    palette = load_segmenter(Path("palette"))
    assert (palette.size, palette.companion, palette.key) == (COUNTS, "reference", "segmenter/palette/cityscapes19")
    true, fake = PALETTE[labels(5)], PALETTE[labels(6)]
    counts = palette.features([palette.prepare(fake, true)])
    assert np.array_equal(counts[0], confusion(class_map(true), class_map(fake)))


def test_scores_of_a_stimulus_set(colour_network, tmp_path):
    """Values known by construction: of four pictures one is perfect, two are half wrong, and one has no label map."""
    rows = []
    for number, stem in enumerate("abcd"):
        true = labels(number)
        read = true.copy()
        if stem in "bc":
            read[:, 48:] = (true[:, 48:] + 1) % 19
        for kind, classes in (("input", true), ("real", true), ("fake", read)):
            images.write_png(tmp_path / kind / f"{stem}.png", PALETTE[classes])
        shared = {
            "dataset": "d",
            "stem": stem,
            "size": true.shape,
            "input_file": f"input/{stem}.png" if stem != "d" else None,
        }
        rows.append(stimulus_row(tmp_path, tmp_path / "real" / f"{stem}.png", kind="real", **shared))
        fake = {"kind": "fake", "model": "m", "reference_file": f"real/{stem}.png"}
        rows.append(stimulus_row(tmp_path, tmp_path / "fake" / f"{stem}.png", **fake, **shared))
    write_set(tmp_path, rows)
    names = ["pixel_accuracy", "class_accuracy", "class_iou"]
    _, sets = evaluate(tmp_path, names, segmenter=colour_network, device="cpu", cache=False)
    sets = sets.set_index("metric")
    assert sets.loc["pixel_accuracy", "value"] == pytest.approx(2 / 3, rel=1e-12)
    assert list(sets["n_fake"]) == [3, 3, 3]
    assert "no input_file" in sets.loc["class_iou", "note"]
    counts = sum(confusion(t, r).reshape(19, 20).astype(float) for t, r in _read(tmp_path, "abc"))
    assert sets.loc["class_accuracy", "value"] == pytest.approx(np.mean(np.diag(counts) / counts.sum(1)), rel=1e-9)
    _, of_maps = evaluate(tmp_path, names, segmenter=Path("palette"), cache=False)
    of_maps = of_maps.set_index("metric")
    assert of_maps.loc["pixel_accuracy", "value"] == pytest.approx(3 / 4, rel=1e-12)
    assert list(of_maps["n_fake"]) == [4, 4, 4]


def _read(folder: Path, stems: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The classes of each label map and of its generated picture."""
    return [
        (
            class_map(images.read_rgb(folder / "input" / f"{s}.png")),
            class_map(images.read_rgb(folder / "fake" / f"{s}.png")),
        )
        for s in stems
    ]


class Sometimes:
    """A network that fails on one picture of many, for as long as it is told to."""

    def __init__(self, sound, error: Exception) -> None:
        self.sound, self.error, self.fails = sound, error, False

    def __call__(self, picture: Tensor) -> Tensor:
        if self.fails:
            raise self.error
        return self.sound(picture)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "too little memory for a picture"),
        (OSError("a lost connection"), "the segmenter fails on a picture of 96x64: a lost connection"),
    ],
)
def test_a_failure_that_passes_is_not_kept(tmp_path, monkeypatch, error, reason):
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    network = save(NearestColour(), tmp_path / "net.pt")
    found = Sometimes(load_network(network, device="cpu"), error)
    folder = tmp_path / "set"
    _write_maps(folder, "ab")

    def score() -> pd.Series:
        asked = {"segmenter": network, "device": "cpu", "cache": tmp_path / "cache"}
        return evaluate(folder, ["pixel_accuracy"], **asked)[1].iloc[0]

    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "load_network", lambda *_, **__: found)
        patch.setattr(segmenter.NetworkSegmenter, "prepare", _failing(found, segmenter.NetworkSegmenter.prepare))
        first = score()
    assert math.isnan(first["value"])
    assert first["reason"].startswith(reason)
    second = score()
    assert second["value"] == 1
    assert (second["n_real"], second["n_fake"]) == (2, 2)


def _failing(network: Sometimes, prepare):
    """`prepare`, with a network that fails from now on; it was sound when it was tried."""

    def failing(self, *pictures):
        network.fails = True
        return prepare(self, *pictures)

    return failing


def test_too_little_memory_for_the_network_is_the_users_line(tmp_path, monkeypatch):
    file = save(NearestColour(), tmp_path / "net.pt")
    error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    def fail(*_, **__):
        raise error

    line = rf"--segmenter {file}: too little memory on cpu; make some free, or name another --device"
    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "load_network", lambda *_, **__: fail)
        with pytest.raises(UserError, match=line):
            load_segmenter(file, device="cpu")
    monkeypatch.setattr(torch.jit, "load", fail)
    with pytest.raises(UserError, match=line):
        load_segmenter(file, device="cpu")


def test_onnxruntime_s_lack_of_memory_is_one(tmp_path, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    network = load_network(save(NearestColour(), tmp_path / "net.onnx"), device="cpu")
    text = (
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bfc_arena.cc:376 Failed to allocate memory for requested buffer"
    )

    def fail(*_):
        raise onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException(text)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", fail)
    with pytest.raises(MemoryError, match="Failed to allocate memory"):
        network(torch.zeros(1, 3, 8, 8))


def _write_maps(folder: Path, stems: str) -> None:
    """A stimulus set of which all pictures are their label maps."""
    rows = []
    for number, stem in enumerate(stems):
        for kind in ("input", "real", "fake"):
            images.write_png(folder / kind / f"{stem}.png", PALETTE[labels(number)])
        shared = {"dataset": "d", "stem": stem, "size": (64, 96), "input_file": f"input/{stem}.png"}
        rows.append(stimulus_row(folder, folder / "real" / f"{stem}.png", kind="real", **shared))
        fake = {"kind": "fake", "model": "m", "reference_file": f"real/{stem}.png"}
        rows.append(stimulus_row(folder, folder / "fake" / f"{stem}.png", **fake, **shared))
    write_set(folder, rows)


def test_two_folders_name_no_label_maps(tmp_path, capsys):
    for kind in ("real", "fake"):
        images.write_png(tmp_path / kind / "a.png", PALETTE[labels(0)])
    network = save(NearestColour(), tmp_path / "net.pt")
    folders = ["--real", tmp_path / "real", "--fake", tmp_path / "fake", "--out", tmp_path / "out"]
    command = ["metrics", *folders, "--metrics", "class_iou,psnr", "--segmenter", network, "--device", "cpu"]
    assert run([*map(str, command), "--no-cache"]) == 0
    reason = "no input_file: the label map that the picture was generated from; a stimulus set with input/ has it"
    assert f"fake on real: no class_iou: {reason}\n" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "out" / "set_metrics.csv")["reason"].tolist() == [reason]


def test_without_a_segmenter_there_is_a_reason(tmp_path):
    for kind in ("real", "fake"):
        images.write_png(tmp_path / kind / "a.png", texture(0, 16, 16))
    _, sets = evaluate(folder_pair(tmp_path / "real", tmp_path / "fake"), ["class_iou"], cache=False)
    assert list(sets["reason"]) == ["no segmenter was given: --segmenter FILE"]


def test_threads_share_a_segmenter(colour_network):
    segmenter = load_segmenter(colour_network, device="cpu")
    pairs = [(PALETTE[labels(2 * n)], PALETTE[labels(2 * n + 1)]) for n in range(12)]
    alone = [segmenter.prepare(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: segmenter.prepare(*pair), pairs))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_run_names_onnxruntime_where_it_read_the_pictures(colour_network, tmp_path):
    _write_maps(tmp_path / "set", "ab")
    settings = Settings(("pixel_accuracy",), segmenter=colour_network, device="cpu")
    (run,) = write_metrics([tmp_path / "set"], settings, tmp_path / "out")["runs"].to_dict("records")
    assert ("onnxruntime" in run["software"]) == (colour_network.suffix == ".onnx")
    assert pd.isna(run["resizer"]), "a segmenter has a size of its own"
