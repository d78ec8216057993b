"""Checks of training on a GPU that a CPU can run: kernels, memory, waiting."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from made_photographs import encoder, filler, make_photographs
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from training_runs import train

from gan_eval.settings.training import TrainingSettings
from trainer import devices
from trainer.batches import Batches, Pictures
from trainer.datasets.pairs import PairedSet
from trainer.devices import exact_kernels
from trainer.loop import run as run_module
from trainer.loop.gan import new_gan
from trainer.step import training_step
from trainer.tasks import new_task

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]

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
        steps=10, image_size=64, generator_channels=2, discriminator_channels=2, batch_size=2, lambda_ssim=1.0
    ),
    "a context encoder": encoder(steps=10, validate_every=None),
    "patches at holes": filler(
        {"judged_patches": "hole", "overlap": 2}, steps=10, validate_every=None, plateau_patience=None
    ),
}


@pytest.fixture
def data_of(tmp_path: Path, make_pairs: Pairs) -> Callable[[TrainingSettings], Path]:
    def data(settings: TrainingSettings) -> Path:
        if settings.inpainting is None:
            return make_pairs(train=4)
        return make_photographs(tmp_path / "photographs", train=4)

    return data


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_waits_and_a_row_of_the_log_waits_once(
    data_of: Callable[[TrainingSettings], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    plain, steps, transfers = run_module.training_step, [], []

    def watched(*args: Any, **options: Any) -> dict[str, Tensor]:
        with Waits() as waits:
            terms = plain(*args, **options)
        steps.append(waits.found)
        return terms

    end_row, tolist, item = run_module.TrainingLog.end_row, Tensor.tolist, Tensor.__float__

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            transfers.append(original.__name__)
            return original(*args)

        return call

    def watched_row(*args: Any, **options: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Tensor, "tolist", counted(tolist))
            patch.setattr(Tensor, "__float__", counted(item))
            end_row(*args, **options)

    monkeypatch.setattr(run_module, "training_step", watched)
    monkeypatch.setattr(run_module.TrainingLog, "end_row", watched_row)
    settings = KINDS[kind]
    train(settings, data_of(settings), tmp_path / "run", direction="AtoB")
    assert steps == [Counter()] * 10
    assert transfers == ["tolist"]


def test_waiting_is_seen() -> None:
    """So that the test above can fail."""
    values = torch.arange(3.0)
    with Waits() as waits:
        values[values > 1].sum().item()
    assert sum(waits.found.values()) >= 2


@pytest.mark.parametrize("kind", KINDS)
def test_networks_keep_the_order_of_memory_throughout(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer's output of a channels-last network, but for what is too small to have an order."""
    monkeypatch.setattr(devices, "memory_format", lambda *_: torch.channels_last)
    settings = KINDS[kind].model_copy(update={"norm": "instance"} if kind == "translation" else {})
    fabric = Fabric(accelerator="cpu", devices=1)
    gan, task = new_gan(fabric, settings), new_task(settings)
    side, lost = settings.image_size, []

    def look(module: nn.Module, _given: Any, output: Any) -> None:
        of_pictures = isinstance(output, Tensor) and output.ndim == 4 and output.shape[1] > 1 and output.shape[2] > 1
        if of_pictures and not output.is_contiguous(memory_format=torch.channels_last):
            lost.append(type(module).__name__)

    for net in (gan.generator, gan.discriminator):
        for module in net.modules():
            module.register_forward_hook(look)
    count = 1 if settings.inpainting is not None else 2
    crops = torch.rand(count, 2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    batch = task.assemble(crops.numpy(), [0, 1]).to(fabric.device)
    assert batch.inputs.is_contiguous(memory_format=torch.channels_last)
    training_step(gan, task.objective(fabric.device), batch, backward=fabric.backward)
    assert set(lost) <= {"ChannelwiseLinear"}, "whose few pixels the next convolution brings back"


def test_batches_for_a_gpu_are_pinned_by_the_workers(
    make_pairs: Pairs, tiny: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned_by, gpus = [], []

    def pin(tensor: Tensor) -> Tensor:
        pinned_by.append(threading.current_thread().name)
        return tensor.clone()

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: gpus.append(str(device)))
    data_set = PairedSet(make_pairs(train=4), "AtoB")
    pictures = Pictures(data_set, data_set.paths("train"), side=72)
    with (
        closing(Batches(pictures, tiny(), workers=2, pin_for=torch.device("cuda:1"))) as ahead,
        closing(Batches(pictures, tiny())) as plain,
    ):
        for step in range(6):
            here, there = ahead(step), plain(step)
            assert torch.equal(here.inputs, there.inputs)
            assert torch.equal(here.target, there.target)
    assert len(pinned_by) >= 12
    assert all(name.startswith("batches") for name in pinned_by)
    assert set(gpus) == {"cuda:1"}, "a thread would take the first one, and memory on it"


@pytest.mark.parametrize(
    ("requested", "recorded", "environment", "device", "channels", "threads"),
    [
        (3, 2, "1", "cpu", 64, 3),  # what was asked for
        (None, 2, "4", "cpu", 64, 4),  # what the user has set
        (None, 2, None, "cpu", 2, 2),  # the run's own: it shall end bit for bit as it would have
        (None, None, None, "cpu", 64, 1),  # the usable cores
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
    monkeypatch.setattr(devices, "usable_cores", lambda: 1)
    torch.set_num_threads(4)
    settings = tiny(generator_channels=channels)
    with devices.cpu_threads(requested, torch.device(device), recorded=recorded, settings=settings):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == 4
