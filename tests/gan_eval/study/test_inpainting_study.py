"""Studies of generators that fill holes: the published ones as a smoke test, and one model that starts from another."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from commands import Command
from listening import Ear
from PIL import Image
from refusals import refused

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_json
from gan_eval.metrics.weights import cache as weights
from gan_eval.settings.study import load_study
from gan_eval.study import markers
from gan_eval.study.plan import Plan, make_plan
from gan_eval.study.stages import list_stages
from gan_eval.tables import IMAGE_METRICS, STIMULI
from gan_eval.tables.frames import read_rows

STUDIES = Path(__file__).resolve().parents[3] / "studies"
RESULTS = {'"../results': f'"{STUDIES.parent}/results'}
FAMILY = ("context_encoder", "context_encoder_imagenet", "inpainting_landscapes_paintings", "inpainting_ablation")
CHAIN = """
[study]
name = "chain"
[data.land]
[data.art]
[training]
steps = 2
image_size = 32
generator = "channelwise_unet"
generator_channels = 2
discriminator_channels = 2
receptive_field = 16
batch_size = 2
jitter = false
[training.inpainting]
fill = "noise"
[models.first]
data = "land"
[models.second]
data = "art"
training = { init_from = "first" }
"""
ENCODER = """
[study]
name = "encoder"
[data.land]
[training]
steps = 2
image_size = 32
generator = "context_encoder"
statistics = "batch"
discriminator = "global"
batch_size = 2
inpainting = {}
[models.m]
data = "land"
"""
TWO_ENCODERS = (
    ENCODER.replace("image_size = 32", "image_size = 32\nbottleneck = 4\ngenerator_channels = 2")
    + '[models.n]\ndata = "land"\ntraining = { init_encoder = "m" }\n'
)


def photographs(folder: Path, size: tuple[int, int], **splits: int) -> None:
    """Write pictures into one folder: the given number in each split, by the hashes of their names."""
    from trainer.datasets.photographs import split_of

    folder.mkdir(parents=True)
    rng, number = np.random.default_rng(len(folder.name)), 0
    while any(splits.values()):
        number += 1
        split = split_of(PurePath(f"{number}.png"))
        if splits[split]:
            splits[split] -= 1
            coarse = Image.fromarray(rng.integers(0, 256, (7, 8, 3), dtype=np.uint8))
            coarse.resize(size, Image.Resampling.BICUBIC).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name in ("landscapes", "paintings"):
        photographs(folder / name, (300, 260), train=8, val=2, test=8)
    for name, side in (("tiny_imagenet", 64), ("imagenet_64", 64), ("imagenet_128", 128)):
        photographs(folder / name, (side, side), train=66, val=2, test=8)
    for name in ("land", "art"):
        photographs(folder / name, (40, 36), train=4, val=1, test=2)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def train_all(plan: Plan, **options: Any) -> list[str]:
    ear = Ear()
    markers.run(list_stages(plan), plan.folder, ear, only="train", **options)
    return [line for line in ear.heard if line.startswith("train-")]


def written(path: Path, text: str, changes: Mapping[str, str] | None = None) -> Path:
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", FAMILY)
def test_every_model_fills_holes_and_is_small_in_a_smoke_test(
    name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.style.style_weights", lambda name: Path())
    study = load_study(STUDIES / f"{name}.toml")
    plan = make_plan(STUDIES / f"{name}.toml", tmp_path / "out", data_root=root, smoke=True)
    assert [stage.name for stage in list_stages(plan)][-5:] == ["metrics", "quiz", "analyze", "training", "report"]
    for model in study.models:
        own, few = study.training_of(model), plan.study.training_of(model)
        assert own.inpainting is not None
        assert few.inpainting == own.inpainting
        assert few.image_size == own.image_size
        assert few.batch_size == {"context_encoder": 64, "context_encoder_imagenet": 512}.get(name, 2)
        assert few.bottleneck == 64
        assert 0 < plan.training_fraction(model) < 1


def test_missing_style_weights_are_reported_before_anything_is_trained(
    root: Path, tmp_path: Path, cache: Path, command: Command
) -> None:
    file = STUDIES / "inpainting_ablation.toml"
    status, _, line = command("run", file, "--smoke", "--data-root", root, "--out", tmp_path / "out")
    assert (status, line.count("\n")) == (2, 1)
    assert line.startswith(f"gan-eval: {file}: training.style_network: weights vgg13_bn: not in the cache")
    assert "vgg13_bn" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.nightly
def test_context_encoders_go_through_every_stage(root: Path, tmp_path: Path, cache: Path, command: Command) -> None:
    text = (STUDIES / "context_encoder.toml").read_text()
    others = text[text.index("[models.rec_100]") : text.index("[models.rec_1000_noise]")]
    file, out = written(tmp_path / "study.toml", text, {others: "", **RESULTS}), tmp_path / "out"
    assert command("run", file, "--smoke", "--data-root", root, "--out", out)[0] == 0
    for model in load_study(file).models:
        rows = read_rows(out / "stimuli" / f"tiny_imagenet-{model}" / "stimuli.csv", STIMULI)
        assert {(row["mask_kind"], row["mask_area"]) for row in rows} == {("centre", 0.25)}
        marker = read_json(out / "stimuli" / f"tiny_imagenet-{model}" / ".gan-eval" / "generate.json")
        assert marker["generator"] == sha256_file(out / "models" / model / "best.safetensors")
        assert marker["mode"] == "eval"


def seeded_vgg13_bn(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the cache that is taken for the network's weights."""
    import torch
    from torchvision.models import vgg13_bn

    known = weights.WEIGHTS["vgg13_bn"]
    assert known.release is not None
    file = cache / "weights" / known.release.file
    file.parent.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save({f"features.{key}": value for key, value in vgg13_bn().features.state_dict().items()}, file)
    release = replace(known.release, sha256=sha256_file(file))
    monkeypatch.setitem(weights.WEIGHTS, "vgg13_bn", replace(known, release=release))


@pytest.mark.nightly
def test_landscapes_and_paintings_go_through_every_stage(
    root: Path, tmp_path: Path, cache: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a quarter of the size, with a network of drawn weights for the style."""
    seeded_vgg13_bn(cache, monkeypatch)
    text = (STUDIES / "inpainting_landscapes_paintings.toml").read_text()
    file = written(tmp_path / "study.toml", text, {**RESULTS, "image_size = 256": "image_size = 64"})
    out = tmp_path / "out"
    assert command("run", file, "--smoke", "--data-root", root, "--out", out)[0] == 0
    assert (out / "report.html").stat().st_size > 20_000
    config = read_json(out / "models" / "paintings" / "config.json")
    assert config["initial_sha256"]
    assert config["style_sha256"] == sha256_file(next((cache / "weights").glob("vgg13_bn*")))
    assert "initial_sha256" not in read_json(out / "models" / "landscapes" / "config.json")
    rows = read_rows(out / "metrics" / "image_metrics.csv", IMAGE_METRICS)
    measured = {row["model"] for row in rows if row["metric"] == "psnr_hole" and row["value"] is not None}
    assert measured == {"landscapes", "paintings", "landscapes-raw", "paintings-raw"}


def test_a_model_that_starts_from_another(root: Path, tmp_path: Path) -> None:
    plan = make_plan(written(tmp_path / "s.toml", CHAIN), tmp_path / "out", data_root=root)
    stages = {stage.name: stage for stage in list_stages(plan)}
    assert list(stages)[:4] == ["train-first", "generate-first", "train-second", "generate-second"]
    assert "train-first" in stages["train-second"].needs
    with pytest.raises(UserError, match=r"first/generator\.safetensors:"):
        stages["train-second"].inputs()
    assert [line.split(":")[0] for line in train_all(plan)] == ["train-first", "train-second"]
    assert train_all(plan) == ["train-first: up to date", "train-second: up to date"]
    said = train_all(plan, redo=["train-first"])
    assert [line.split(" ")[0] for line in said] == ["train-first:", "train-second:"] * 2


def test_the_other_has_to_stand_before(tmp_path: Path) -> None:
    before = '[models.k]\ndata = "land"\ntraining = { init_encoder = "m" }\n[models.m]'
    for text, line in (
        (CHAIN.replace('"first" }', '"second" }'), "second.training.init_from: second has to stand before second"),
        (TWO_ENCODERS.replace("[models.m]", before), "k.training.init_encoder: m has to stand before k"),
    ):
        refused(f"models.{line}", load_study, written(tmp_path / "s.toml", text))


@pytest.mark.parametrize(
    ("text", "first", "second", "record"),
    [(CHAIN, "first", "second", "initial_sha256"), (TWO_ENCODERS, "m", "n", "initial_encoder_sha256")],
)
def test_train_takes_one_model_of_a_chain(
    root: Path, tmp_path: Path, command: Command, text: str, first: str, second: str, record: str
) -> None:
    options = ("train", written(tmp_path / "s.toml", text), "--data-root", root)
    assert command(*options, "--model", first, "--out", tmp_path / "one")[0] == 0
    options += ("--model", second, "--out", tmp_path / "two")
    status, _, said = command(*options)
    assert (status, f"gan-eval: train: {second} starts from {first}; name its run: --init-from DIR" in said) == (
        2,
        True,
    )
    assert command(*options, "--init-from", tmp_path / "one")[0] == 0
    assert read_json(tmp_path / "two" / "config.json")[record]


def test_an_encoder_of_a_file(root: Path, tmp_path: Path) -> None:
    import torch

    file = written(tmp_path / "f.toml", TWO_ENCODERS, {'init_encoder = "m"': 'init_encoder = "net.pth"'})
    refused(r"net\.pth:", make_plan, file, tmp_path / "bad", data_root=root)
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "net.pth")
    refused(r"f\.toml: init_encoder.*net\.pth:", make_plan, file, tmp_path / "bad", data_root=root)
    assert not (tmp_path / "bad").exists()
    torch.save({"net.encoder.0.conv.weight": torch.zeros(4, 3, 4, 4)}, tmp_path / "net.pth")
    assert make_plan(file, tmp_path / "good", data_root=root).initial_file("n") == tmp_path / "net.pth"
    smoke = make_plan(file, tmp_path / "smoke", data_root=root, smoke=True)
    assert smoke.initial_file("n") is None, "fewer channels: random weights"


@pytest.mark.parametrize(
    ("text", "changes", "line"),
    [
        (ENCODER, {"[models.m]": '[generate]\nmode = "train"\n[models.m]'}, r"generate\.mode train:"),
        (CHAIN, {'fill = "noise"': 'masks = { region = 1 }\nshapes = "nowhere"'}, r"inpainting\.shapes:"),
        (CHAIN, {'fill = "noise"': 'masks = { folder = 1 }\nmask_folder = "no"'}, r"inpainting\.mask_folder:"),
    ],
)
def test_what_is_missing_is_reported_before_anything_is_trained(
    root: Path, tmp_path: Path, text: str, changes: Mapping[str, str], line: str
) -> None:
    file = written(tmp_path / "s.toml", text, changes)
    refused(rf"s\.toml: {line}", make_plan, file, tmp_path / "out", data_root=root)
    assert not (tmp_path / "out").exists()
