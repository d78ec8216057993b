"""Runs that stop before their end: numbers that are not finite, and Ctrl-C."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from training_runs import result, train

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.loop import run as run_module
from trainer.state.checkpoints import NETS, list_checkpoints
from trainer.state.run_folder import load_generator

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]


def test_loss_that_is_not_finite_names_step_and_term(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run_module.training_step
    steps = 0

    def breaking(*args: Any, **options: Any) -> dict[str, torch.Tensor]:
        nonlocal steps
        steps += 1
        terms = plain(*args, **options)
        return terms | {"d_real": torch.tensor(float("nan"))} if steps == 6 else terms

    monkeypatch.setattr(run_module, "training_step", breaking)
    line = "broke down at step 6: the term d_real is nan; the last good checkpoint is of step 4"
    with pytest.raises(UserError, match=line):
        train(tiny(), make_pairs(train=2), tmp_path / "run", direction="AtoB", checkpoint_every=4)
    assert [path.name for path in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["step_0000004.pt"]
    assert not (tmp_path / "run" / "generator.safetensors").exists()


@pytest.mark.parametrize("net", ["generator", "discriminator"])
def test_broken_weights_are_never_saved(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, net: str
) -> None:
    """A weight that overflows in an update, before any term of the log shows it."""
    plain = run_module.training_step
    steps = 0

    def overflowing(gan: Any, *args: Any, **options: Any) -> dict[str, torch.Tensor]:
        nonlocal steps
        steps += 1
        terms = plain(gan, *args, **options)
        if steps == 3:
            with torch.no_grad():
                next(getattr(gan, net).parameters()).view(-1)[0] = float("inf")
        return terms

    monkeypatch.setattr(run_module, "training_step", overflowing)
    line = rf"broke down by step 3: {net} \S+ is not finite; the last good checkpoint is of step 2"
    with pytest.raises(UserError, match=line):
        train(tiny(), make_pairs(train=2), tmp_path / "run", direction="AtoB", checkpoint_every=1)
    kept = list_checkpoints(tmp_path / "run" / "checkpoints")
    assert [path.name for path in kept] == ["step_0000002.pt", "step_0000001.pt"]
    for path in kept:
        state = torch.load(path, weights_only=True)
        assert all(tensor.isfinite().all() for part in NETS for tensor in state[part].values())


@pytest.mark.slow
def test_interrupt_writes_a_checkpoint_after_the_step(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_pairs(train=3)
    straight = train(tiny(), data, tmp_path / "straight", direction="AtoB")

    plain = run_module.training_step
    steps = 0

    def press_ctrl_c(*args: Any, **options: Any) -> dict[str, torch.Tensor]:
        nonlocal steps
        steps += 1
        if steps == 3:
            signal.raise_signal(signal.SIGINT)
        return plain(*args, **options)

    before = signal.getsignal(signal.SIGINT)
    messages: list[str] = []
    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run_module, "training_step", press_ctrl_c)
        train(tiny(), data, run, direction="AtoB", on_message=messages.append)
    assert signal.getsignal(signal.SIGINT) is before
    (last,) = list_checkpoints(run / "checkpoints")
    assert last.name == "step_0000003.pt"
    latest = run / "latest.safetensors"
    assert messages == [f"stopped after step 3 of 8; generate accepts {latest} (step 3)"]
    net, definition = load_generator(latest)
    assert definition["step"] == 3
    saved = torch.load(last, weights_only=True)["generator"]
    assert all(torch.equal(weight, saved[name]) for name, weight in net.state_dict().items())
    assert not (run / "generator.safetensors").exists()

    assert result(train(tiny(), data, run, direction="AtoB")) == result(straight)
    assert not latest.exists(), "there is the finished one now"
