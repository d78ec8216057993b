"""The inpainting task's batches for the training step, and its use of a generator's output."""

from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_photographs import make_photographs
from PIL import Image

from gan_eval.settings.training import InpaintingSettings, TrainingSettings
from trainer.nets.build import new_networks
from trainer.step import Gan, training_step
from trainer.tasks import Inpainting, new_task

MIXTURE = {"centre": 1.0, "blocks": 2.0, "region": 2.0}


def holes_of(**changes: Any) -> InpaintingSettings:
    return InpaintingSettings(**{"masks": MIXTURE, **changes})


def settings_of(inpainting: InpaintingSettings, **changes: Any) -> TrainingSettings:
    small = {
        "steps": 2, "image_size": 32, "batch_size": 2, "generator_channels": 2, "discriminator_channels": 2,
        "bottleneck": 5, "receptive_field": 7, "jitter": False,
    }  # fmt: skip
    return TrainingSettings(**{**small, **changes}, inpainting=inpainting)


def task_of(inpainting: InpaintingSettings, **changes: Any) -> Inpainting:
    task = new_task(settings_of(inpainting, **changes))
    assert isinstance(task, Inpainting)
    return task


def encoder_of(**changes: Any) -> Inpainting:
    """The context encoder's task."""
    holes = InpaintingSettings(**{"masks": {"centre": 1.0}, **changes})
    return task_of(holes, generator="context_encoder", discriminator="global", statistics="batch")


def crops(count: int, side: int = 32) -> np.ndarray:
    levels = np.random.default_rng(1).integers(0, 256, (1, count, 3, side, side))
    return levels.astype(np.float32) / np.float32(127.5) - np.float32(1)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    return make_photographs(tmp_path, train=4, test=4)


@pytest.mark.parametrize(("fill", "channels"), [("zero", False), ("mean", True), ("noise", True)])
def test_the_generator_sees_the_picture_around_the_hole_and_the_fill_in_it(fill: str, channels: bool) -> None:
    task = task_of(holes_of(fill=fill, mask_channel=channels))
    batch = task.assemble(crops(5), [3, 4, 5, 6, 7])
    assert batch.hole is not None
    assert batch.inputs.shape == (5, 3 + channels, 32, 32)
    hidden = (batch.hole > 0).expand(-1, 3, -1, -1)
    torch.testing.assert_close(batch.inputs[:, :3][~hidden], batch.target[~hidden], rtol=0, atol=0)
    inside = batch.inputs[:, :3][hidden]
    if fill == "zero":
        assert torch.equal(inside, torch.zeros_like(inside))
    elif fill == "mean":
        for channel, level in enumerate((117, 104, 123)):
            values = batch.inputs[:, channel][batch.hole[:, 0] > 0]
            torch.testing.assert_close(values, torch.full_like(values, level / 127.5 - 1))
    else:
        assert -1 <= inside.min() < -0.9 < 0.9 < inside.max() <= 1
        assert abs(float(inside.mean())) < 0.1
        assert len(inside.unique()) > 0.5 * len(inside)
    if channels:
        assert torch.equal(batch.inputs[:, 3:], batch.hole)


def test_holes_and_noise_follow_from_the_number_of_the_sample() -> None:
    task = task_of(holes_of(fill="noise"))
    one, other = task.assemble(crops(2), [7, 8]), task.assemble(crops(2), [7, 9])
    assert one.hole is not None
    assert other.hole is not None
    assert torch.equal(one.hole[0], other.hole[0])
    assert torch.equal(one.inputs[0], other.inputs[0])
    assert not torch.equal(one.inputs[1], other.inputs[1])


@pytest.mark.parametrize("shown", [False, True])
def test_the_context_encoder_is_asked_for_the_centre_alone(shown: bool) -> None:
    task = encoder_of(centre=0.5, overlap=3, overlap_shown=shown)
    batch = task.assemble(crops(2), [0, 1])
    whole = torch.from_numpy(crops(2)[0])
    assert batch.hole is None
    assert torch.equal(batch.target, whole[..., 8:24, 8:24])
    start, stop = (11, 21) if shown else (8, 24)
    hidden = torch.zeros(32, 32, dtype=torch.bool)
    hidden[start:stop, start:stop] = True
    assert torch.equal(batch.inputs[..., ~hidden], whole[..., ~hidden])
    assert not batch.inputs[..., hidden].any()
    example = task.hidden(np.zeros((32, 32, 3), np.uint8), task._mask(np.random.default_rng(0), (32, 32)))
    assert example.mask is not None
    assert example.mask.kind == "centre"
    assert example.mask.area == ((stop - start) / 32) ** 2


def test_the_loss_of_the_context_encoder_by_hand() -> None:
    """0.999 MSE with ten times the weight on the border of 3 pixels, in float64 without PyTorch."""
    holes = InpaintingSettings(overlap=3)
    task = task_of(
        holes, generator="context_encoder", discriminator="global", statistics="batch", lambda_l1=0.0,
        lambda_l2=0.999, adversarial_weight=0.001,
    )  # fmt: skip
    batch = task.assemble(crops(2), [0, 1])
    output = torch.from_numpy(np.random.default_rng(5).uniform(-1, 1, batch.target.shape))
    weight = np.full((16, 16), 10.0)
    weight[3:13, 3:13] = 1.0
    expected = (weight * (output.numpy() - batch.target.numpy().astype(np.float64)) ** 2).mean()
    objective = task.objective(torch.device("cpu"))
    assert [(term.name, term.weight) for term in objective.reconstruction] == [("g_l1", 0.0), ("g_l2", 0.999)]
    double = type(batch)(batch.inputs.double(), batch.target.double())
    assert float(objective.reconstruction[1].loss(output, double)) == pytest.approx(expected, rel=1e-12)
    assert (objective.adversarial_weight, objective.d_loss_factor) == (0.001, 0.5)
    assert torch.equal(objective.judged(batch, output), output), "the discriminator sees the hole alone"


@pytest.mark.parametrize("discriminator", ["patch", "global_and_patch"])
def test_patches_at_holes_are_judged_alone(discriminator: Any) -> None:
    holes = holes_of(masks={"centre": 1.0}, centre=0.25, judged_patches="hole")
    task = task_of(holes, discriminator=discriminator, statistics="batch", adversarial="least_squares", lambda_l1=0.0,
                   lambda_l2=1.0)  # fmt: skip
    generator, network = new_networks(task.settings)
    seen: list[np.ndarray] = []
    network.register_forward_hook(lambda _net, _given, logits: seen.append(logits.detach().double().numpy()))
    gan = Gan(generator, network, *(torch.optim.SGD(net.parameters(), lr=0.0) for net in (generator, network)))
    batch = task.assemble(crops(2), [0, 1])
    terms = training_step(gan, task.objective(torch.device("cpu")), batch)
    fake, real = (logits.reshape(2, -1) for logits in seen[:2])
    patches = fake.shape[1] - (discriminator == "global_and_patch")
    side = round(patches**0.5)
    cell = 32 / side  # the hole is rows and columns 12..19
    inside = [floor(row * cell) < 20 and ceil((row + 1) * cell) > 12 for row in range(side)]
    there = np.outer(inside, inside).ravel()
    assert 1 < there.sum() < patches
    there = np.concatenate([np.ones(fake.shape[1] - patches, bool), there])
    assert float(terms["d_fake"]) == pytest.approx(float((fake[:, there] ** 2).mean()), rel=1e-5)
    assert float(terms["d_real"]) == pytest.approx(float(((real[:, there] - 1) ** 2).mean()), rel=1e-5)
    assert float(terms["g_adversarial"]) == pytest.approx(float(((seen[2].reshape(2, -1)[:, there] - 1) ** 2).mean()))
    right = ((real[:, there] > 0.5).mean() + (fake[:, there] <= 0.5).mean()) / 2
    assert float(terms["d_accuracy"]) == pytest.approx(right)


def test_a_mask_with_the_picture_s_name_is_taken_as_it_is(photographs: Path, tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    for name in ("e\u0301", "other"):  # as macOS writes it
        hole = np.zeros((64, 64), np.uint8)
        hole[8:24, 40 : 48 if name == "other" else 60] = 255
        Image.fromarray(hole).save(tmp_path / "masks" / f"{name}.png")
    settings = settings_of(InpaintingSettings(masks={"folder": 1.0}, mask_folder="masks"))
    task = new_task(settings, root=tmp_path)
    data_set = task.data_set(photographs)
    item = data_set.read(data_set.paths("test")[0], 32)
    own, drawn = (task.example(item, stem=name, number=5, seed=0).mask for name in ("\u00e9", "2"))
    wanted = np.zeros((32, 32), np.bool_)
    wanted[4:12, 20:30] = True
    assert own is not None
    assert drawn is not None
    np.testing.assert_array_equal(own.hole, wanted)
    assert drawn.kind == "folder"
