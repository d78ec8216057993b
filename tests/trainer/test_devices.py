"""Checks of training on a GPU that a CPU can run: kernels, memory, waiting, precision, order of memory."""

import copy
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from made_photographs import encoder, filler, make_photographs
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from training_runs import Pairs, Settings, train

from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import read_rows
from trainer import devices
from trainer.devices import exact_kernels
from trainer.loop import run as run_module
from trainer.loop.gan import InMemoryOrder, load_optimizer, new_gan
from trainer.state.checkpoints import OPTIMIZERS, list_checkpoints
from trainer.step import Gan

CUDA = torch.device("cuda")


@pytest.mark.slow
def test_a_gpu_takes_exact_kernels_and_all_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with pytest.raises(KeyError), exact_kernels(CUDA):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled(), "a run does not end by an operation without"
        assert not torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    with exact_kernels(torch.device("cpu")):
        assert not torch.are_deterministic_algorithms_enabled()


class Waits(TorchDispatchMode):
    """Counts what makes a GPU wait for the CPU, or the other way round."""

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal.default", "index.Tensor")

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if any(name in str(func) for name in self.NAMES):
            self.found[str(func)] += 1
        return func(*args, **(kwargs or {}))


KINDS: dict[str, TrainingSettings] = {
    "translation": TrainingSettings(
        steps=3, image_size=64, generator_channels=2, discriminator_channels=2, batch_size=2, lambda_ssim=1.0
    ),
    "a context encoder": encoder(steps=3, validate_every=None),
    "patches at holes": filler(
        {"judged_patches": "hole", "overlap": 2}, steps=3, validate_every=None, plateau_patience=None
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_waits(make_pairs: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    plain, steps = run_module.training_step, []

    def watched(*args: Any, **options: Any) -> dict[str, Tensor]:
        with Waits() as waits:
            terms = plain(*args, **options)
        steps.append(waits.found)
        return terms

    monkeypatch.setattr(run_module, "training_step", watched)
    pairs = kind == "translation"
    data = make_pairs(train=4) if pairs else make_photographs(tmp_path / "photographs", train=4)
    train(KINDS[kind], data, tmp_path / "run")
    assert steps == [Counter()] * 3


@pytest.mark.parametrize(
    ("requested", "recorded", "environment", "device", "channels", "threads"),
    [
        (3, 2, "1", "cpu", 64, 3),  # what was asked for
        (None, 2, "4", "cpu", 64, 4),  # what the user has set
        (None, 2, None, "cpu", 2, 2),  # the run's own: it shall end bit for bit as it would have
        (None, None, None, "cpu", 64, 3),  # what is free
        (None, None, None, "cpu", 2, 1),  # a network that is too small to gain from two
        (None, None, None, "cuda", 64, 4),
    ],
)
def test_threads(
    requested: int | None, recorded: int | None, environment: str | None, device: str, channels: int, threads: int,
    monkeypatch: pytest.MonkeyPatch, tiny: Settings,
) -> None:  # fmt: skip
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if environment:
        monkeypatch.setenv("OMP_NUM_THREADS", environment)
    monkeypatch.setattr(devices, "free_cores", lambda: 3)
    torch.set_num_threads(4)
    settings = tiny(generator_channels=channels)
    with devices.cpu_threads(requested, torch.device(device), recorded=recorded, settings=settings):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 4


FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
SETTINGS = TrainingSettings(
    steps=6, image_size=64, generator_channels=4, discriminator_channels=4, seed=5, jitter=False
)


def adams(of: Gan) -> list[torch.optim.Optimizer]:
    return [of.generator_optimizer, of.discriminator_optimizer]


def moments(of: Gan) -> list[dict[str, torch.Tensor]]:
    """The moments of each weight, which lie as it does."""
    found = []
    for optimizer in adams(of):
        for weight in optimizer.param_groups[0]["params"]:
            state = optimizer.state[weight]
            assert state["exp_avg"].stride() == state["exp_avg_sq"].stride() == weight.stride()
            found.append(dict(state))
    return found


def trained() -> Gan:
    """Networks with their moments."""
    made = new_gan(torch.device("cpu"), SETTINGS)
    rng = torch.Generator().manual_seed(0)
    for optimizer in adams(made) * 2:
        for weight in optimizer.param_groups[0]["params"]:
            weight.grad = torch.randn(weight.shape, generator=rng).clone(memory_format=torch.preserve_format)
        optimizer.step()
    return made


@pytest.mark.parametrize("of_gradient", FORMATS)
def test_adam_of_channels_last_weights_is_the_librarys(of_gradient: str) -> None:
    rng = torch.Generator().manual_seed(0)
    start, *gradients = torch.randn(4, 6, 5, 3, 2, generator=rng)
    ours, theirs = (
        nn.Parameter(start.clone(memory_format=FORMATS[order])) for order in ("channels_last", "contiguous")
    )
    adams = InMemoryOrder([ours], lr=0.1, fused=True), torch.optim.Adam([theirs], lr=0.1, fused=True)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(memory_format=FORMATS[of_gradient]), gradient
        for adam in adams:
            adam.step()
    torch.testing.assert_close(ours.data, theirs.data, check_stride=False)
    assert ours.is_contiguous(memory_format=torch.channels_last)
    for moment in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(adams[0].state[ours][moment], adams[1].state[theirs][moment], check_stride=False)


@pytest.mark.parametrize("order", FORMATS)
def test_moments_come_in_any_order_of_memory(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trained()
    monkeypatch.setattr(devices, "memory_format", lambda *_: FORMATS[order])
    other = new_gan(torch.device("cpu"), SETTINGS)
    for name in OPTIMIZERS:
        load_optimizer(getattr(other, name), getattr(made, name).state_dict())
    torch.testing.assert_close(moments(other), moments(made), rtol=0, atol=0)


def test_moments_come_to_the_device_of_their_weights() -> None:
    """The device meta stands for a GPU: it holds no numbers, but what lies on it knows where it is."""
    made = trained()
    there = made.generator.named_parameters()
    weights = [(name, weight.detach().to("meta").requires_grad_()) for name, weight in there]
    optimizer = torch.optim.Adam(weights, capturable=True)
    load_optimizer(optimizer, made.generator_optimizer.state_dict())
    assert len(optimizer.state) == len(weights)
    for of_weight in optimizer.state.values():
        assert {key: moment.device.type for key, moment in of_weight.items()} == {
            "step": "meta", "exp_avg": "meta", "exp_avg_sq": "meta",
        }  # fmt: skip


@pytest.mark.parametrize("damage", ["another name", "another shape", "no groups", "a moment that is a text"])
def test_moments_of_other_weights_are_refused(damage: str) -> None:
    made = trained()
    state = copy.deepcopy(made.generator_optimizer.state_dict())
    match damage:
        case "another name":
            state["param_groups"][0]["param_names"][0] = "other.weight"
        case "another shape":
            state["state"][0]["exp_avg"] = torch.zeros(3)
        case "no groups":
            del state["param_groups"]
        case _:
            state["state"][0]["exp_avg"] = "text"
    with pytest.raises((ValueError, KeyError, AttributeError)):  # `load_latest` takes the checkpoint before then
        load_optimizer(made.generator_optimizer, state)


def terms_of(run: Path) -> list[tuple[int, str, float]]:
    return [(row["step"], row["term"], row["value"]) for row in read_rows(run / "training_log.csv", TRAINING_LOG)]


@pytest.mark.slow
def test_bf16_computes_other_numbers_and_keeps_fp32_weights(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    runs = {kind: train(tiny(steps=2, precision=kind), data, tmp_path / kind) for kind in ("fp32", "bf16")}
    for (_, term, coarse), (_, same, fine) in zip(terms_of(runs["bf16"]), terms_of(runs["fp32"]), strict=True):
        assert term == same
        # the largest of several norms varies more than a mean or a loss
        assert coarse == pytest.approx(fine, rel=0.2 if term.endswith("_norm_max") else 0.05), term
    assert terms_of(runs["bf16"]) != terms_of(runs["fp32"])

    state = torch.load(list_checkpoints(runs["bf16"] / "checkpoints")[0], weights_only=True)
    kept = [*state["generator"].values(), *state["discriminator"].values()]
    for part in ("generator_optimizer", "discriminator_optimizer"):
        kept += [value for moments in state[part]["state"].values() for value in moments.values()]
    assert {tensor.dtype for tensor in kept if tensor.is_floating_point()} == {torch.float32}
