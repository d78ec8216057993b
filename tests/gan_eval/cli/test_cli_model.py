"""`model show`, `model export` and the options of `generate` that files from outside need."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gan_eval.cli.app import application
from gan_eval.cli.train import picture_size
from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.files.foreign import load_foreign, save_foreign
from trainer.nets.build import new_networks
from trainer.state.run_folder import save_generator

SETTINGS = TrainingSettings(steps=1, image_size=64, generator_channels=2, discriminator_channels=2)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with a finished generator."""
    net, _ = new_networks(SETTINGS)
    definition = {"settings": SETTINGS.model_dump(mode="json"), "fraction": 0.5, "direction": "BtoA"}
    save_generator(tmp_path / "pix2pix" / "generator.safetensors", net, definition)
    return tmp_path / "pix2pix"


def gan_eval(*arguments: str | Path) -> str:
    """Return what the command prints to stdout."""
    result = CliRunner().invoke(application(), [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_export_and_show(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "unet.pth"
    assert gan_eval("model", "export", run, "--format", "pth", "--out", out).split() == [str(out)]
    facts = json.loads(gan_eval("model", "show", out, "--json"))
    assert (facts["generator"], facts["depth"], facts["channels"], facts["norm"]) == ("unet", 6, 2, "batch")
    assert (facts["from"], facts["direction"], facts["dropout"]) == ("pytorch-CycleGAN-and-pix2pix", None, 0.5)
    assert json.loads(gan_eval("model", "show", out, "--no-dropout", "--json"))["dropout"] == 0
    lines = gan_eval("model", "show", run).splitlines()
    assert {"from: gan_eval", "direction: BtoA", "fraction: 0.5", "multiple: 64"} < set(lines)
    ours, back = new_networks(SETTINGS)[0], load_foreign(out).net
    assert all(torch.equal(tensor, back.state_dict()[name]) for name, tensor in ours.state_dict().items())


def test_wrong_options_of_export(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a file named \*\.pth is wanted"):
        gan_eval("model", "export", run, "--format", "pth", "--out", tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_generate_from_a_foreign_file(run: Path, tmp_path: Path) -> None:
    net, _ = new_networks(SETTINGS)
    (tmp_path / "theirs").mkdir()
    save_foreign(net, tmp_path / "theirs" / "latest_net_G.pth")
    data = tmp_path / "shoes"
    data.mkdir()
    for number in range(3):
        Image.effect_noise((160, 70), 80).convert("RGB").save(data / f"{number}.png")
    gan_eval(
        "generate", tmp_path / "theirs" / "latest_net_G.pth", "--data", data, "--split", ".", "--direction", "BtoA",
        "--image-size", "native", "--batch-size", "2", "--no-dropout", "--out", tmp_path / "set",
    )  # fmt: skip
    fakes = sorted((tmp_path / "set" / "fake").iterdir())
    assert [Image.open(fake).size for fake in fakes] == [(80, 70)] * 3
    assert "shoes/theirs/0" in (tmp_path / "set" / "stimuli.csv").read_text()


def test_picture_size() -> None:
    assert [picture_size(text) for text in (None, "native", "512")] == [None, "native", 512]
    for text in ("large", "-4", "12.5", ""):
        with pytest.raises(UserError, match="a number of pixels is wanted, or native"):
            picture_size(text)
