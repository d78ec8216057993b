"""Runs that start from a trained generator."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from made_photographs import encoder, filler, make_photographs
from refusals import refused
from safetensors.torch import save_file
from torch import Tensor
from training_runs import train

from gan_eval.base.reading import read_json
from gan_eval.settings.training import TrainingSettings
from trainer.loop import run as run_module
from trainer.loop.initial_weights import find_initial, load_encoder
from trainer.loop.run import Run
from trainer.nets.build import generator_for
from trainer.state.checkpoints import list_checkpoints, read_checkpoint
from trainer.state.run_folder import load_generator


def quiet(**changes: object) -> TrainingSettings:
    return filler(**{"steps": 4, "validate_every": None, "plateau_patience": None, **changes})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_photographs(tmp_path_factory.mktemp("photographs"), train=4, test=1)


@pytest.fixture(scope="module")
def first(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the others start from."""
    torch.set_num_threads(1)
    return train(quiet(), data, tmp_path_factory.mktemp("runs") / "first")


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(tensor, b[name]) for name, tensor in a.items())


def weights_at_start(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mapping[str, Tensor]]:
    """Filled by the next training with what its networks are before the first step."""
    seen: dict[str, Mapping[str, Tensor]] = {}

    class Watched(Run):
        def step(self) -> None:
            if not self.done:
                nets = {"generator": self.gan.generator, "discriminator": self.gan.discriminator}
                seen.update({name: {k: v.clone() for k, v in net.state_dict().items()} for name, net in nets.items()})
            super().step()

    monkeypatch.setattr(run_module, "Run", Watched)
    return seen


def test_a_run_starts_with_exactly_those_weights(
    first: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, messages = weights_at_start(monkeypatch), list[str]()
    settings = quiet(seed=9, snapshots=(0,))
    run = train(settings, data, tmp_path / "run", init_from=first, on_message=messages.append)
    net, _ = load_generator(first)
    assert equal(seen["generator"], net.state_dict())
    assert equal(load_generator(run / "snapshots" / "step_0000000.safetensors")[0].state_dict(), net.state_dict())
    state = read_checkpoint(list_checkpoints(first / "checkpoints")[0])
    assert state is not None
    assert equal(seen["discriminator"], state["discriminator"])
    assert not any("random weights" in line for line in messages)
    assert not equal(load_generator(run)[0].state_dict(), net.state_dict()), "it continues to learn"


def test_another_discriminator_is_new(first: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, messages = weights_at_start(monkeypatch), list[str]()
    settings = quiet(discriminator="patch")
    train(settings, data, tmp_path / "run", init_from=first, on_message=messages.append)
    assert any(line.startswith(f"init_from {first}:") for line in messages)
    from_start = weights_at_start(monkeypatch)
    train(settings, data, tmp_path / "drawn")
    assert equal(seen["discriminator"], from_start["discriminator"])
    assert not equal(seen["generator"], from_start["generator"])


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (quiet(generator_channels=3), r"down\.0\.conv\.weight"),
        (filler({"mask_channel": False}, validate_every=None, plateau_patience=None), r"down\.0\.conv\.weight"),
        (encoder(), r"\w+\.\w+"),
        (quiet(encoder_order="activation_norm"), r"encoder_order.*norm_activation"),
    ],
)
def test_another_network_is_refused_by_its_key(
    first: Path, data: Path, tmp_path: Path, settings: TrainingSettings, key: str
) -> None:
    refused(rf"init_from.*{key}", train, settings, data, tmp_path / "run", init_from=first)
    assert not (tmp_path / "run").exists()


def small(**changes: object) -> TrainingSettings:
    return encoder(**{"steps": 2, "validate_every": None, **changes})


@pytest.fixture(scope="module")
def pretrained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context encoder's run, from which others take the encoder."""
    torch.set_num_threads(1)
    return train(small(), data, tmp_path_factory.mktemp("pretrained") / "encoder")


def of_encoder(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in weights.items() if name.startswith(("encoder.", "bottleneck."))}


@pytest.mark.slow
def test_an_encoder_of_a_run_is_taken_and_the_decoder_drawn(
    pretrained: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, messages = weights_at_start(monkeypatch), list[str]()
    settings = small(seed=9, init_encoder=str(pretrained))
    run = train(settings, data, tmp_path / "run", on_message=messages.append)
    drawn = weights_at_start(monkeypatch)
    train(small(seed=9), data, tmp_path / "drawn")
    theirs, ours = load_generator(pretrained)[0].state_dict(), seen["generator"]
    assert equal(of_encoder(ours), of_encoder(theirs))
    decoder = {name for name in ours if name.startswith("decoder.")}
    assert decoder | of_encoder(ours).keys() == ours.keys()
    assert all(torch.equal(ours[name], drawn["generator"][name]) for name in decoder)
    assert equal(seen["discriminator"], drawn["discriminator"])
    (line,) = (line for line in messages if "init_encoder" in line)
    assert line.startswith(f"init_encoder {pretrained}: loaded encoder.0.conv, encoder.1.conv, encoder.1.norm, ")
    assert line.endswith("bottleneck.conv, bottleneck.norm")
    config = read_json(run / "config.json")
    assert config["initial_encoder"]["encoder.1.norm"] == "encoder.1.norm"
    assert len(config["initial_encoder_sha256"]) == 64
    refused("initial_encoder_sha256 is gone", train, small(seed=9), data, run)


def test_an_encoder_for_holes_anywhere_takes_what_it_has(pretrained: Path, data: Path, tmp_path: Path) -> None:
    settings = small(generator="region_encoder", init_encoder=str(pretrained))
    initial = find_initial(None, settings)
    assert initial is not None
    assert {name.partition(".")[0] for name in initial.weights} == {"encoder"}


@pytest.mark.parametrize(("suffix", "prefix"), [(".pth", "module.generator."), (".safetensors", "")])
def test_files_of_other_programs_are_matched_by_name(suffix: str, prefix: str, tmp_path: Path) -> None:
    """Check that absent weights or other shapes stay random, and that a norm needs its convolution."""
    own = of_encoder(generator_for(small()).state_dict())
    state = {f"{prefix}{name}": torch.full(tensor.shape, 0.5) for name, tensor in own.items()}
    del state[f"{prefix}bottleneck.norm.weight"]
    del state[f"{prefix}encoder.2.norm.bias"]
    state[f"{prefix}encoder.1.conv.weight"] = torch.zeros(3, 4)
    state[f"{prefix}discriminator.0.weight"] = torch.ones(3, 4)
    file = tmp_path / f"net{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": state, "epoch": 3}, file)
    else:
        save_file(state, file)
    weights, taken, left = load_encoder(file, small())
    prefix = prefix.removeprefix("module.")
    assert taken == {
        layer: f"{prefix}{layer}" for layer in ("encoder.0.conv", "encoder.2.conv", "encoder.2.norm", "bottleneck.conv")
    }
    assert left == ["encoder.1.conv", "encoder.1.norm", "bottleneck.norm"]
    assert "encoder.2.norm.bias" not in weights
    assert torch.equal(weights["bottleneck.conv.weight"], torch.full_like(weights["bottleneck.conv.weight"], 0.5))


def test_no_matching_layer_is_named(tmp_path: Path) -> None:
    torch.save({"bn.weight": torch.ones(8), "fc.weight": torch.ones(3, 3)}, tmp_path / "a.pth")
    refused(r"encoder\.0\.conv,.*bottleneck\.norm$", load_encoder, tmp_path / "a.pth", small())
