"""Runs that end early: numbers that are not finite, memory, disk, Ctrl-C; checkpoints are kept."""

import os
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from refusals import refused
from training_runs import Pairs, Settings, result, train

from gan_eval.base.atomic import is_temporary_name
from gan_eval.base.errors import UserError
from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import read_rows
from trainer.loop import run as run_module
from trainer.loop.run import memory_for_training
from trainer.state.checkpoints import NETS, list_checkpoints
from trainer.state.run_folder import load_generator

Terms = dict[str, torch.Tensor]


def at_step(
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    *,
    before: Callable[[], object] = lambda: None,
    after: Callable[[Any, Terms], Terms] = lambda _gan, terms: terms,
) -> None:
    """Call `before` and `after` a training's step of this number, counted from 1."""
    plain, steps = run_module.training_step, count(1)

    def step(gan: Any, *args: Any, **options: Any) -> Terms:
        is_it = next(steps) == number
        if is_it:
            before()
        terms = plain(gan, *args, **options)
        return after(gan, terms) if is_it else terms

    monkeypatch.setattr(run_module, "training_step", step)


def test_out_of_memory_names_what_to_lower_and_keeps_checkpoints_and_the_rows_before_it(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is written every ten seconds, and the rows since then say why a run failed."""
    monkeypatch.setattr("trainer.watch.log.MIN_WINDOW", 2)
    at_step(monkeypatch, 7, before=lambda: torch.empty(2**50))  # more than any machine gives: the allocator's own error
    with pytest.raises(UserError, match="out of memory") as caught:
        train(tiny(batch_size=2), make_pairs(train=4), tmp_path / "run", checkpoint_every=4)
    line = str(caught.value)
    for word in ("batch_size 2", "image_size 64", "generator_channels", "precision = 'bf16'", "checkpoints are kept"):
        assert word in line
    assert [path.name for path in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["step_0000004.pt"]
    assert read_rows(tmp_path / "run" / "training_log.csv", TRAINING_LOG)[-1]["step"] == 6


def test_out_of_memory_is_recognised_in_the_words_of_a_gpu(tiny: Settings) -> None:
    with pytest.raises(UserError, match="out of memory for a training step"), memory_for_training(tiny()):
        raise torch.AcceleratorError("CUDA error: out of memory")


@pytest.mark.parametrize("target", ["training_log.csv", "step_0000002.safetensors"])
def test_full_disk_is_one_line_wherever_it_happens(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """The log, the samples and the snapshots; the checkpoints' is in test_checkpoints."""
    flush = os.fsync

    def full(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        if is_temporary_name(name) and name.startswith(f".{Path(target).stem}.") and name.endswith(Path(target).suffix):
            raise OSError(28, "No space left on device")
        flush(handle)

    monkeypatch.setattr(os, "fsync", full)
    refused(rf"{target}:", train, tiny(snapshots=(2,)), make_pairs(train=2), tmp_path / "run", checkpoint_every=4)
    assert not [path for path in tmp_path.glob("run/**/*") if is_temporary_name(path.name)]


def test_loss_that_is_not_finite_names_step_and_term(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 6, after=lambda _gan, terms: terms | {"d_real": torch.tensor(float("nan"))})
    line = "broke down at step 6: the term d_real is nan; the last good checkpoint is of step 4"
    refused(line, train, tiny(), make_pairs(train=2), tmp_path / "run", checkpoint_every=4)
    assert [path.name for path in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["step_0000004.pt"]
    assert not (tmp_path / "run" / "generator.safetensors").exists()


@pytest.mark.parametrize("net", ["generator", "discriminator"])
def test_broken_weights_are_never_saved(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: str
) -> None:
    """A weight that overflows in an update, before any term of the log shows it."""

    def overflow(gan: Any, terms: Terms) -> Terms:
        with torch.no_grad():
            next(getattr(gan, net).parameters()).view(-1)[0] = float("inf")
        return terms

    at_step(monkeypatch, 3, after=overflow)
    line = rf"broke down by step 3: {net} \S+ is not finite; the last good checkpoint is of step 2"
    refused(line, train, tiny(), make_pairs(train=2), tmp_path / "run", checkpoint_every=1)
    kept = list_checkpoints(tmp_path / "run" / "checkpoints")
    assert [path.name for path in kept] == ["step_0000002.pt", "step_0000001.pt"]
    for path in kept:
        state = torch.load(path, weights_only=True)
        assert all(tensor.isfinite().all() for part in NETS for tensor in state[part].values())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_writes_a_checkpoint_after_the_step(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    data = make_pairs(train=3)
    settings = tiny(steps=5)
    straight = train(settings, data, tmp_path / "straight")
    before = signal.getsignal(number)
    messages: list[str] = []
    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        at_step(patch, 3, before=lambda: signal.raise_signal(number))
        train(settings, data, run, on_message=messages.append)
    assert signal.getsignal(number) is before
    (last,) = list_checkpoints(run / "checkpoints")
    assert last.name == "step_0000003.pt"
    latest = run / "latest.safetensors"
    assert messages == [f"stopped after step 3 of 5; generate accepts {latest} (step 3)"]
    net, definition = load_generator(latest)
    assert definition["step"] == 3
    saved = torch.load(last, weights_only=True)["generator"]
    assert all(torch.equal(weight, saved[name]) for name, weight in net.state_dict().items())
    assert not (run / "generator.safetensors").exists()

    assert result(train(settings, data, run)) == result(straight)
    assert not latest.exists(), "there is the finished one now"


def test_a_task_that_is_not_wanted_any_more_loses_no_step(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    def progress(done: int, *_: object, **__: object) -> None:
        if done == 2:
            raise InterruptedError

    data, settings, run = make_pairs(train=3), tiny(steps=4), tmp_path / "run"
    with pytest.raises(InterruptedError):
        train(settings, data, run, on_progress=progress)
    assert [path.name for path in list_checkpoints(run / "checkpoints")] == ["step_0000002.pt"]
    assert result(train(settings, data, run)) == result(train(settings, data, tmp_path / "straight"))
