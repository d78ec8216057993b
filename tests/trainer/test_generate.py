"""Stimulus sets: layout, exactness, modes, determinism, continuation, bad input; and generators outside training."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from made_photographs import save
from PIL import Image
from reference_layout import trained
from refusals import refused
from safetensors import safe_open
from safetensors.torch import save_file
from training_runs import Pairs, Settings, finished_run, hashes, train, translate

from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_folder, hold_lock
from gan_eval.pictures.importing import import_folder
from gan_eval.tables import STIMULI
from gan_eval.tables.frames import read_rows
from trainer.batches import as_tensor
from trainer.generate import generate
from trainer.inference import as_pictures, inference, translate_batch
from trainer.nets.build import new_networks
from trainer.nets.layers import BatchNorm2d, Dropout
from trainer.nets.unet import UNet
from trainer.randomness import Purpose
from trainer.state.run_folder import GENERATOR, digest_of, load_generator, run_lock


@pytest.fixture
def run(tmp_path: Path, tiny: Settings) -> Path:
    return finished_run(tmp_path / "pix2pix", tiny())


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert (image.mode, image.info) == ("RGB", {})
        return np.asarray(image)


@pytest.mark.parametrize("does", ["train", "generate"])
def test_a_linked_folder_is_not_written_through_nor_one_that_another_process_holds(
    run: Path, make_pairs: Pairs, tiny: Settings, tmp_path: Path, does: str
) -> None:
    data, out = make_pairs(train=2), tmp_path / "out"
    for name in (".gan-eval", "../photographs"):
        (out / name).mkdir(parents=True)

    def write() -> None:
        if does == "train":
            train(tiny(), data, out, direction="BtoA")
        else:
            generate(run, data, split="train", out=out)

    with (
        hold_lock(*run_lock(out)) if does == "train" else hold_folder(out),
        pytest.raises(UserError, match="ing there; wait"),
    ):
        write()
    for link in ("real", "checkpoints"):
        (out / link).symlink_to(tmp_path / "photographs")
    refused("is a link", write)
    assert not any((tmp_path / "photographs").iterdir())


def test_set_is_as_the_contract_says(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(name="facades", test=3)
    calls: list[tuple[int, int]] = []
    out = generate(run, data, split="test", out=tmp_path / "set", on_progress=lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    rows = read_rows(out / "stimuli.csv", STIMULI)
    assert len(rows) == 6
    real, fake = rows[2:4]
    assert (real["stimulus"], real["item"], real["kind"]) == ("facades/real/1", "facades/1", "real")
    assert (fake["stimulus"], fake["item"], fake["kind"]) == ("facades/pix2pix/1", "facades/1", "fake")
    assert (real["model"], fake["model"]) == (None, "pix2pix")
    assert (real["file"], fake["file"]) == ("real/1.png", "fake/1.png")
    assert (real["reference_file"], fake["reference_file"]) == (None, "real/1.png")
    for row in rows:
        assert (row["dataset"], row["split"], row["input_file"]) == ("facades", "test", f"input/{row['item'][8:]}.png")
        assert (row["width"], row["height"], row["fraction"]) == (64, 64, 0.25)
        assert row["sha256"] == sha256_file(out / row["file"])
        assert pixels(out / row["file"]).shape == (64, 64, 3)


def test_mode_seed_and_direction_change_the_fakes(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(test=1)
    variants = [{}, {"mode": "eval"}, {"seed": 9}, {"direction": "AtoB"}]
    fakes = [
        hashes(generate(run, data, split="test", out=tmp_path / f"set{number}", **options))["fake/0.png"]
        for number, options in enumerate(variants)
    ]
    assert len(set(fakes)) == 4
    evals = [
        hashes(generate(run, data, split="test", out=tmp_path / f"eval{seed}", mode="eval", seed=seed))["fake/0.png"]
        for seed in (1, 2)
    ]
    assert evals[0] == evals[1] == fakes[1]  # no dropout, so no seed


@pytest.mark.parametrize(("swapped", "said"), [(False, False), (True, True)])
def test_test_pictures_with_exchanged_sides_are_told(tiny: Settings, tmp_path: Path, swapped: bool, said: bool) -> None:
    for split, name in (("train", "data"), ("test", "other")):
        for number in range(4):
            labels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            photo = np.uint8(labels * 0.6 + np.random.default_rng(number).integers(0, 90, (64, 64, 3)))
            halves = (photo, labels) if swapped and split == "test" else (labels, photo)
            save(tmp_path / name / split / f"{number}.png", *halves)
    train(tiny(steps=1), tmp_path / "data", tmp_path / "run", direction="AtoB")
    lines: list[str] = []
    generate(tmp_path / "run", tmp_path / "other", split="test", out=tmp_path / "set", on_message=lines.append)
    wanted = "the target looks drawn in these pictures, in those of the training the input: are their halves exchanged?"
    assert [line.startswith(wanted) for line in lines if "drawn" in line] == [True] * said
    other = {"out": tmp_path / "turned", "direction": "BtoA" if swapped else "AtoB"}
    generate(tmp_path / "run", tmp_path / "other", split="test", on_message=lines.append, **other)
    assert sum("looks drawn in these" in line for line in lines) == said


def test_one_bad_picture_is_named_and_the_rest_is_done(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(test=3)
    (data / "test" / "1.png").write_bytes(b"broken")
    messages: list[str] = []
    out = generate(run, data, split="test", out=tmp_path / "set", on_message=messages.append)
    assert "1.png" in messages[0]
    assert messages[1:] == [
        f"{data / 'test'}: 1 of 3 pictures left out",
        f"{out}: whether pix2pix was trained on 2 of these 2 pictures is not known",  # the run has no record of them
    ]
    assert [row["item"] for row in read_rows(out / "stimuli.csv", STIMULI)] == ["data/0", "data/0", "data/2", "data/2"]


def test_another_set_in_the_folder_is_refused(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(test=1)
    generate(run, data, split="test", out=tmp_path / "set")
    refused(r"'train',.*'eval'", generate, run, data, split="test", out=tmp_path / "set", mode="eval")
    import_folder(tmp_path / "set", tmp_path / "imported", dataset="d")
    refused(str(tmp_path / "imported"), generate, run, data, split="test", out=tmp_path / "imported")


def test_unfinished_or_broken_run_is_refused(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(test=1)
    file = run / "generator.safetensors"
    whole = file.read_bytes()
    save_file({"weight": torch.zeros(1)}, file, {"somebody": "else"})
    refused("no settings of gan_eval", generate, run, data, split="test", out=tmp_path / "set")
    file.write_bytes(whole[:1000])
    refused("not a readable generator", generate, run, data, split="test", out=tmp_path / "set")
    file.unlink()
    refused("rerun", generate, run, data, split="test", out=tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_native_size_is_padded_for_the_network_and_cropped_back(run: Path, make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(side=90, height=50, test=2)
    messages: list[str] = []
    out = generate(run, data, split="test", out=tmp_path / "set", image_size="native", on_message=messages.append)
    assert [line for line in messages if "is not known" not in line] == []
    for number in range(2):
        whole = np.asarray(Image.open(data / "test" / f"{number}.png"))
        np.testing.assert_array_equal(pixels(out / "real" / f"{number}.png"), whole[:, :90])
        np.testing.assert_array_equal(pixels(out / "input" / f"{number}.png"), whole[:, 90:])
        padded = np.pad(whole[:, 90:], ((0, 14), (0, 38), (0, 0)), mode="reflect")
        net, _ = load_generator(run)
        with inference(net, "train"):
            number_of_name = int(hashlib.sha256(str(number).encode()).hexdigest()[:16], 16)
            fake = translate(net, padded, purpose=Purpose.GENERATE, seed=5, number=number_of_name)
        np.testing.assert_array_equal(pixels(out / "fake" / f"{number}.png"), fake[:50, :90])
    assert [(row["width"], row["height"]) for row in read_rows(out / "stimuli.csv", STIMULI)] == [(90, 50)] * 4


@pytest.mark.parametrize("size", [0, 65, 2**40])
def test_a_size_unfit_for_the_network_is_refused(run: Path, make_pairs: Pairs, tmp_path: Path, size: int) -> None:
    with pytest.raises(UserError, match=rf"--image-size {size}:.*64.*64.*16384"):
        generate(run, make_pairs(test=1), split="test", out=tmp_path / "set", image_size=size)


def test_a_picture_that_is_not_finite_is_refused_by_name(
    run: Path, make_pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finite weights can overflow at some pictures. Finished pictures stay; no table is written."""
    data = make_pairs(name="facades", test=4)
    Image.new("RGB", (128, 64), "white").save(data / "test" / "3.png")  # the last one
    forward = UNet.forward

    def overflowing(net: UNet, x: torch.Tensor) -> torch.Tensor:
        y = forward(net, x).clone()
        y[(x == 1).flatten(1).all(1), :, 5, 7] = float("nan")
        return y

    line = r"generator\.safetensors: gives numbers that are not finite for the item 3; take another file"
    with monkeypatch.context() as patch:
        patch.setattr(UNet, "forward", overflowing)
        refused(line, generate, run, data, split="test", out=tmp_path / "set", batch_size=2)
    left = hashes(tmp_path / "set" / "fake")
    assert sorted(left) == ["0.png", "1.png"]
    assert not (tmp_path / "set" / "stimuli.csv").exists()
    generate(run, data, split="test", out=tmp_path / "set", batch_size=2)
    assert left.items() <= hashes(tmp_path / "set" / "fake").items()


def rewritten(file: Path, change: Callable[..., object]) -> None:
    """Write the file again with changed metadata or tensors, and their right digest unless a change has given one."""
    with safe_open(file, framework="pt") as content:
        tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        definition = json.loads(content.metadata()["gan_eval"])
    del definition["digest"]
    changed = change(definition, tensors)
    definition.setdefault("digest", digest_of(definition, tensors))
    save_file(tensors, file, {"gan_eval": changed if isinstance(changed, str) else json.dumps(definition)})


def setting(**changes: object) -> Callable[..., object]:
    return lambda definition, _tensors: definition["settings"].update(changes)


def weight(value: float) -> Callable[..., object]:
    return lambda _definition, tensors: tensors["down.1.conv.weight"].view(-1)[1].fill_(value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (setting(generator_channels=4096), r"down\.0\.conv\.weight"),
        (setting(generator_channels=10**18), r"generator_channels: found 1000.*4096"),
        (setting(depth=14), r"image_size 64.*2\^depth = 16384"),
        (setting(generator_channels="many"), "generator_channels"),
        (lambda definition, _: definition.pop("fraction"), "its metadata are damaged"),
        (lambda definition, _: definition.update(fraction="all"), "its metadata are damaged"),
        (lambda definition, _: definition.update(fraction=7), "its metadata are damaged"),
        (lambda definition, _: definition.update(settings=[1]), "its metadata are damaged"),
        (lambda definition, _: "[" * 100_000, "its metadata are damaged"),
        (lambda definition, _: definition.update(digest="0"), "changed since it was written"),
        (lambda definition, _: definition.update(format=3, digest="0"), "format is 3, and this program knows 2; use"),
        (weight(float("nan")), r"down\.1\.conv\.weight"),
        (weight(float("inf")), r"down\.1\.conv\.weight"),
    ],
)  # fmt: skip
def test_damaged_metadata_are_refused_before_anything_is_made(
    run: Path, make_pairs: Pairs, tmp_path: Path, change: Callable[..., object], line: str
) -> None:
    """Check for a one-line refusal, without allocating the memory that a number asks for."""
    rewritten(run / GENERATOR, change)
    with pytest.raises(UserError, match=rf"generator\.safetensors: .*({line})") as caught:
        generate(run, make_pairs(name="facades", test=1), split="test", out=tmp_path / "set")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("changes", [{}, {"statistics": "batch"}, {"norm": "instance"}, {"generator": "resnet_6"}])
def test_a_picture_does_not_depend_on_its_batch(mode: str, changes: dict[str, str], tiny: Settings) -> None:
    net = trained(new_networks(tiny(**changes))[0])
    three = pictures(3)
    with inference(net, mode):
        together = translate_batch(net, three, purpose=Purpose.GENERATE, seed=1, numbers=[7, 8, 9])
        alone = [
            translate(net, picture, purpose=Purpose.GENERATE, seed=1, number=number)
            for picture, number in zip(three, (7, 8, 9), strict=True)
        ]
        other = translate(net, three[0], purpose=Purpose.GENERATE, seed=1, number=8)
    assert np.array_equal(alone[0], other) == (mode == "eval"), "each number has its own dropout"
    for one, other in zip(together, alone, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1
        assert (one != other).mean() < 0.001
        assert one.std() > 3


def test_everything_is_as_before_even_after_an_error(tiny: Settings) -> None:
    net, _ = new_networks(tiny(statistics="batch"))
    net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.random.get_rng_state()
    with pytest.raises(RuntimeError):
        with inference(net, "train"):
            translate_batch(net, pictures(2), purpose=Purpose.SAMPLES, seed=0, numbers=[0, 1])
            net(torch.zeros(1, 5, 64, 64))
    norms = [module for module in net.modules() if isinstance(module, BatchNorm2d)]
    assert norms
    assert all(norm.track_running_stats and not norm.per_sample for norm in norms)
    assert all(module.generators is None for module in net.modules() if isinstance(module, Dropout))
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_photograph_in_the_generators_range_comes_back_as_it_was() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    values = as_tensor(levels).permute(2, 0, 1)[None]
    (found,) = as_pictures(values)
    assert np.array_equal(found, levels)
    (rounded,) = as_pictures(values + 0.6 / 127.5)
    assert np.array_equal(rounded, np.minimum(levels.astype(int) + 1, 255))


def test_an_autocast_of_the_caller_leaves_the_pictures_as_they_are() -> None:
    net = UNet(depth=5, channels=8)
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)) * 0.2)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)

    def translated() -> np.ndarray:
        with inference(net, "eval"):
            return translate_batch(net, [picture], purpose=Purpose.GENERATE, seed=0, numbers=[0])[0]

    alone = translated()
    with torch.autocast("cpu", torch.bfloat16):
        assert np.array_equal(translated(), alone)
