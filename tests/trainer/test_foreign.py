"""Files of pytorch-CycleGAN-and-pix2pix: inferred whole, or refused by the first key that differs."""

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from reference_layout import ReferenceResNet, ReferenceUNet, trained
from refusals import refused
from safetensors.torch import save_file
from torch import Tensor, nn

from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.generate import picture_size
from trainer.model import _renamed, load_foreign, load_model
from trainer.nets.build import new_networks
from trainer.nets.discriminators import PatchGAN
from trainer.nets.resnet import ResNet
from trainer.state.run_folder import save_generator

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a state dict as `facades/latest_net_G.pth`."""

    def write_it(state: dict[str, Tensor], *, name: str = "latest_net_G.pth") -> Path:
        (tmp_path / "facades").mkdir(exist_ok=True)
        torch.save(state, tmp_path / "facades" / name)
        return tmp_path / "facades" / name

    return write_it


def small_unet(norm: str = "batch", *, depth: int = 6) -> nn.Module:
    return trained(ReferenceUNet(depth, 2, norm=norm))


def assert_same_outputs(ours: nn.Module, theirs: nn.Module, side: int, channels: int = 3) -> None:
    """Check outputs in evaluation, and in training with one seed; close, as matrix products sum in another order."""
    ours, theirs = copy.deepcopy(ours), copy.deepcopy(theirs)
    x = torch.rand(1, channels, side, side) * 2 - 1
    for mode in (True, False):
        ours.train(mode), theirs.train(mode)
        outputs = []
        for net in (ours, theirs):
            torch.manual_seed(3)
            with torch.no_grad():
                outputs.append(net(x))
        torch.testing.assert_close(outputs[0], outputs[1], rtol=0, atol=2e-6)
        assert float(outputs[1].std()) > 0.01


def test_a_checkpoint_that_has_averaged_weights_too_says_which_are_taken(write: Write) -> None:
    theirs = small_unet()
    averaged = {name: value + value.is_floating_point() for name, value in theirs.state_dict().items()}
    both = {"netG": theirs.state_dict(), "netG_ema": averaged, "netD": {"model.0.weight": torch.zeros(1)}, "epoch": 3}
    foreign = load_foreign(write(both))
    assert_same_outputs(foreign.net, theirs, 2**6)
    assert "the generator is its part netG; netG_ema has tensors of the same names" in foreign.notes[0]
    del both["netG_ema"]
    assert not any("netG" in note for note in load_foreign(write(both)).notes)


@pytest.mark.parametrize(
    ("norm", "depth", "width", "channels"),
    [("batch", 5, 3, (3, 3)), ("instance", 6, 2, (1, 3)), ("none", 7, 2, (3, 1)), ("batch", 8, 1, (3, 3))],
)
def test_unet(norm: str, depth: int, width: int, channels: tuple[int, int], write: Write) -> None:
    theirs = trained(ReferenceUNet(depth, width, norm=norm, channels=channels))
    foreign = load_foreign(write(theirs.state_dict()))
    settings = foreign.settings
    assert (settings.generator, settings.depth, settings.generator_channels) == ("unet", depth, width)
    assert (settings.norm, settings.dropout, settings.image_size) == (norm, 0.5, 128 if depth == 7 else 256)
    assert (foreign.net.in_channels, foreign.net.out_channels) == channels
    assert "U-Net's" in foreign.notes[0]
    assert_same_outputs(foreign.net, theirs, 2**depth, channels[0])


@pytest.mark.parametrize(
    ("blocks", "norm", "dropout"), [(6, "batch", True), (9, "instance", False), (6, "none", False), (9, "batch", False)]
)
def test_resnet(blocks: int, norm: str, dropout: bool, write: Write) -> None:
    theirs = trained(ReferenceResNet(blocks, 2, norm=norm, dropout=dropout))
    foreign = load_foreign(write(theirs.state_dict()))
    settings = foreign.settings
    assert (settings.generator, settings.generator_channels, settings.norm) == (f"resnet_{blocks}", 2, norm)
    assert settings.dropout == (0.5 if dropout else 0)
    assert foreign.notes == ()
    assert_same_outputs(foreign.net, theirs, 32)


def test_a_unet_may_have_been_trained_without_dropout_and_other_files_say(write: Write) -> None:
    unet = write(small_unet().state_dict())
    with_dropout, without = load_foreign(unet), load_foreign(unet, dropout=False)
    assert [model.settings.dropout for model in (with_dropout, without)] == [0.5, 0.0]
    assert ("--no-dropout" in with_dropout.notes[0], without.notes) == (True, ())
    assert not any(isinstance(module, nn.Dropout) for module in without.net.modules())
    resnet = write(ReferenceResNet(6, 2, norm="batch", dropout=True).state_dict(), name="resnet.pth")
    refused("ResNet", load_foreign, resnet, dropout=False)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_taken_off(prefix: str, write: Write) -> None:
    state = small_unet().state_dict()
    plain = load_foreign(write(state)).net.state_dict()
    wrapped = load_foreign(write({prefix + key: value for key, value in state.items()})).net.state_dict()
    assert all(torch.equal(tensor, wrapped[key]) for key, tensor in plain.items())


def lightning(net: nn.Module) -> dict[str, object]:
    """A checkpoint of a module with `netG` and `netD`, and a counter in its state."""
    state = {f"netG.{key}": value for key, value in net.state_dict().items()}
    state |= {f"netD.{key}": value for key, value in PatchGAN(channels=2).state_dict().items()}
    return {"epoch": 3, "state_dict": {**state, "steps": torch.tensor(9)}, "hyper_parameters": {"lr": 0.1}}


@pytest.mark.parametrize("name", ["G.pth", "G.pt", "G.bin", "G.ckpt", "G.safetensors", "G"])
@pytest.mark.parametrize("make", [small_unet, lambda: trained(ReferenceResNet(6, 2, norm="batch", dropout=True))])
def test_the_content_decides_how_a_file_is_read(name: str, make: Callable[[], nn.Module], write: Write) -> None:
    net = make()
    state = net.state_dict()
    if name == "G.safetensors":
        save_file({f"netG.{key}": value.contiguous() for key, value in state.items()}, write({}).with_name(name))
    wrapped = {
        "G.pth": {"netG": state, "netD": PatchGAN(channels=2).state_dict(), "epoch": 3},
        "G.pt": {"model": state, "optimizer": {"lr": 0.1}},
        "G.bin": state,
        "G.ckpt": lightning(net),
        "G": {"model": {"state_dict": {f"module.generator.{key}": value for key, value in state.items()}}},
    }
    file = write(wrapped[name], name=name) if name in wrapped else write({}).with_name(name)
    model = load_model(file)
    assert model.name == "G"
    for key, value in _renamed(model.net).items():
        torch.testing.assert_close(value, state[key], rtol=0, atol=0)


def test_a_file_with_two_generators_is_refused(write: Write) -> None:
    state = {f"net{side}.{key}": value for side in ("G_A", "G_B") for key, value in small_unet().state_dict().items()}
    refused(r"\(netG_A., netG_B.\)", load_model, write({"state_dict": state}, name="both.ckpt"))


def test_a_unet_128_has_pictures_of_128(write: Write) -> None:
    for depth, side in ((7, 128), (6, 256)):
        model = load_model(write(small_unet(depth=depth).state_dict()))
        assert [picture_size(asked, model) for asked in (None, 256, "native")] == [side, 256, "native"]
        assert any("128x128" in note for note in model.notes) == (depth == 7)


def test_old_instance_norm_files_hold_running_statistics_that_are_dropped(write: Write) -> None:
    for theirs in (ReferenceUNet(6, 2, norm="instance"), ReferenceResNet(6, 2, norm="instance", dropout=False)):
        state = trained(theirs).state_dict()
        for name, module in theirs.named_modules():
            if isinstance(module, nn.InstanceNorm2d):
                state[f"{name}.running_mean"] = torch.zeros(module.num_features)
                state[f"{name}.running_var"] = torch.ones(module.num_features)
                state[f"{name}.num_batches_tracked"] = torch.tensor(1)
        foreign = load_foreign(write(state))
        assert foreign.settings.norm == "instance"
        assert foreign.net.state_dict().keys() == new_networks(foreign.settings)[0].state_dict().keys()


def test_old_batch_norm_files_without_counts_load(write: Write) -> None:
    state = {key: value for key, value in small_unet().state_dict().items() if not key.endswith("tracked")}
    assert load_foreign(write(state)).settings.norm == "batch"


def test_other_files_are_refused_in_one_line(write: Write, tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(UserError) as caught:
            load_foreign(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "this looks like a discriminator" in refusal(write(PatchGAN(channels=2).state_dict()))
    assert "a ResNet of 0 blocks" in refusal(write({"model.1.weight": torch.zeros(2, 3, 7, 7)}))
    assert "a ResNet of 4 blocks (model.N.conv_block); 6 or 9" in refusal(
        write(ResNet(blocks=4, channels=2).state_dict())
    )
    assert "step is not a tensor" in refusal(write({"step": 3, "generator": {}}))
    assert "fc.weight" in refusal(write({"fc.weight": torch.zeros(2, 2)}))
    assert "contains a list" in refusal(write([torch.zeros(2)]))
    assert "contains a dict" in refusal(write({}))
    assert "no such file" in refusal(tmp_path / "absent.pth")
    pickled = tmp_path / "module.pth"
    torch.save(nn.Conv2d(1, 1, 1), pickled)
    assert "PyTorch" in refusal(pickled)
    pickled.write_bytes(pickle.dumps({"number": 3}, protocol=4))
    with warnings.catch_warnings(action="error"):  # torch remarks on the protocol
        assert "not a readable" in refusal(pickled)


@pytest.mark.parametrize("legacy", [True, False])
def test_truncated_and_damaged_files_are_refused_in_one_line(legacy: bool, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save(small_unet().state_dict(), path, _use_new_zipfile_serialization=not legacy)
    assert load_foreign(path).settings.depth == 6
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused("PyTorch", load_foreign, path)
    if not legacy:
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        refused("is damaged", load_foreign, path)


def test_a_model_is_loaded_from_every_kind_of_file(write: Write, tmp_path: Path) -> None:
    settings = TrainingSettings(steps=1, image_size=64, generator_channels=2, dropout=0.3)
    net, _ = new_networks(settings)
    definition = {"settings": settings.model_dump(mode="json"), "fraction": 0.5, "direction": "BtoA"}
    files = {"generator.safetensors": "run", "best.safetensors": "run-best"}
    files["snapshots/step_0000500.safetensors"] = "run-step_0000500"
    for file, name in files.items():
        save_generator(tmp_path / "run" / file, net, definition)
        model = load_model(tmp_path / "run" / file)
        assert (model.name, model.direction, model.fraction) == (name, "BtoA", 0.5)
        refused("its settings record the dropout", load_model, tmp_path / "run" / file, dropout=False)
    assert load_model(tmp_path / "run").name == "run"

    foreign = write(small_unet().state_dict())
    assert load_model(foreign).name == "facades"
    assert load_model(foreign).direction is None
    names = {"200_net_G.pth": "facades-200", "latest_net_G_A.pth": "facades-A", "mine.pth": "mine"}
    for file, name in names.items():
        assert load_model(write(small_unet().state_dict(), name=file)).name == name


def test_the_command_generates_from_it(write: Write, tmp_path: Path) -> None:
    """Pictures of any size directly in the data folder, named after the file's folder."""
    file = write(small_unet().state_dict())
    (data := tmp_path / "shoes").mkdir()
    for number in range(2):
        Image.effect_noise((160, 70), 80).convert("RGB").save(data / f"{number}.png")
    options = ["--split", ".", "--direction", "BtoA", "--image-size", "native", "--batch-size", "2", "--no-dropout"]
    assert run(["generate", str(file), "--data", str(data), *options, "--out", str(tmp_path / "set")]) == 0
    fakes = sorted((tmp_path / "set" / "fake").iterdir())
    assert [Image.open(fake).size for fake in fakes] == [(80, 70)] * 2
    assert "shoes/facades/0" in (tmp_path / "set" / "stimuli.csv").read_text()
