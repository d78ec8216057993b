"""Checkpoint files: how many are kept, when they are due, and what happens when one cannot be written."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from refusals import refused

from gan_eval.base.errors import UserError
from trainer.state import checkpoints
from trainer.state.checkpoints import checkpoint_path, list_checkpoints, load_latest, save_checkpoint


def state(value: float = 0.5, *, size: int = 4) -> dict[str, Any]:
    weights = {"weight": torch.full((size,), float(value))}
    return {"generator": weights, "discriminator": weights, "fingerprint": "f", "seconds": 1.0}


def silent(_line: str) -> None:
    pass


def test_the_latest_two_are_kept(tmp_path: Path) -> None:
    for step in (9, 10, 100, 12_345_678):
        save_checkpoint(tmp_path, step, state(step))
    assert [path.name for path in list_checkpoints(tmp_path)] == ["step_12345678.pt", "step_0000100.pt"]
    loaded = load_latest(tmp_path, "f", silent)
    assert loaded is not None
    assert loaded["step"] == 12_345_678
    assert torch.equal(loaded["generator"]["weight"], torch.full((4,), 12_345_678.0))


def test_other_settings_and_newer_formats_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, 1, state())
    refused("other settings or another version", load_latest, tmp_path, "g", silent)
    monkeypatch.setattr(checkpoints, "FORMAT", 99)
    refused("other settings or another version", load_latest, tmp_path, "f", silent)


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ({"weight": torch.zeros(4), "bias": torch.zeros(1)}, "generator: bias "),
        ({"weight": torch.zeros(3)}, r"generator: weight .*\(4,\),.*\(3,\)"),
        ({}, "generator: weight "),
    ],
)
def test_another_architecture_is_named_by_its_key(tmp_path: Path, weights: dict[str, torch.Tensor], found: str) -> None:
    """Check the refusal with the same and with another fingerprint of the settings."""
    save_checkpoint(tmp_path, 1, state())
    for fingerprint in ("f", "g"):
        with pytest.raises(UserError, match=rf"step_0000001.pt:.*network: {found}"):
            load_latest(tmp_path, fingerprint, silent, nets={"generator": weights})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"generator": None}, "its part generator is missing or damaged"),
        ({"generator": {"weight": 3}}, "its part generator is missing or damaged"),
        ({"log": []}, "its part log is missing or damaged"),
        ({"seconds": None}, "its step or its seconds are no number"),
        ({"step": "2"}, "its step or its seconds are no number"),
        ({"step": -1}, "step -1"),
        ({"step": 3}, "step 3"),
        ({"seconds": float("nan")}, "step 2 after nan "),
        ({"generator": {"weight": torch.full((4,), float("inf"))}}, "generator: weight "),
    ],
)
def test_a_checkpoint_without_all_parts_is_passed_over(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    save_checkpoint(tmp_path, 1, {**state(), "log": {}})
    torch.save({"format": 1, "step": 2, **state(), "log": {}, **change}, checkpoint_path(tmp_path, 2))
    messages: list[str] = []
    nets = {"generator": {"weight": torch.zeros(4)}}
    loaded = load_latest(tmp_path, "f", messages.append, nets=nets, parts=("generator", "discriminator", "log"))
    assert loaded is not None
    assert loaded["step"] == 1
    assert len(messages) == 2
    assert reason in messages[0]


def test_failed_write_is_the_users_line_and_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, state())
    with largest_file(100_000), pytest.raises(UserError, match=r"step_0000002\.pt:.*\(File too large"):
        save_checkpoint(tmp_path, 2, state(size=10**6))
    assert [path.name for path in tmp_path.iterdir()] == ["step_0000001.pt"]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Writes beyond `size` bytes fail, as on a full disk."""
    resource = pytest.importorskip("resource", reason="the limit on file sizes is POSIX only")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_few_bytes_that_stand_for_a_huge_weight_are_refused(tmp_path: Path) -> None:
    weights = {"weight": torch.zeros(1).expand(10**11)}
    torch.save({"format": 1, "step": 2, **state(), "generator": weights}, checkpoint_path(tmp_path, 2))
    messages: list[str] = []
    with pytest.raises(UserError, match="none of the checkpoints can be read"):
        load_latest(tmp_path, "f", messages.append, nets={"generator": {"weight": torch.zeros(10**11, device="meta")}})
    assert "generator: weight " in messages[0]


UNUSABLE = ("cut", "changed", "NaN", "misnamed", "pipe", "folder", "link", "link to nothing", "text", "empty")


def put(folder: Path, step: int, kind: str) -> None:
    """Put a file of one kind in the place of the checkpoint of a step."""
    path, elsewhere = checkpoint_path(folder, step), folder.parent / f"elsewhere_{step}.pt"
    value = float("nan") if kind == "NaN" else step
    torch.save({"format": 1, "step": step + (kind == "misnamed"), **state(value, size=999)}, elsewhere)
    whole = elsewhere.read_bytes()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link" | "link to nothing":
            path.symlink_to(elsewhere if kind == "link" else folder / "nothing")
        case _:
            changed = whole[:3000] + bytes(byte ^ 1 for byte in whole[3000:3400]) + whole[3400:]
            damages = {"cut": whole[:-100], "changed": changed, "text": b"step", "empty": b""}
            path.write_bytes(damages.get(kind, whole))


@pytest.mark.skipif(os.name == "nt", reason="no named pipes in folders")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 30))])
def test_the_newest_usable_checkpoint_outlives_saves_and_kills(tmp_path: Path, seed: int) -> None:
    """Files of all kinds turn up at odd steps; a run saves at even ones, is killed and resumes."""
    rng, folder, nets = random.Random(seed), tmp_path / "checkpoints", {"generator": {"weight": torch.zeros(999)}}
    save_checkpoint(folder, 0, state(0, size=999))
    good, step = {0}, 0
    for _ in range(12):
        match rng.choice(("put", "put", "resume", "save", "killed before removing")):
            case "put":
                odd = rng.choice(
                    [at for at in range(1, step + 12, 2) if not os.path.lexists(checkpoint_path(folder, at))]
                )
                kind = rng.choice(("good", *UNUSABLE))
                put(folder, odd, kind)
                good |= {odd} if kind == "good" else set()
            case "resume":
                messages: list[str] = []
                passed = [path for path in list_checkpoints(folder) if int(path.stem[5:]) > max(good)]
                loaded = load_latest(folder, "f", messages.append, nets=nets)
                assert loaded is not None
                assert loaded["step"] == max(good)
                assert torch.equal(loaded["generator"]["weight"], torch.full((999,), float(max(good))))
                assert [line.partition(":")[0] for line in messages] == [str(path) for path in (*passed, *passed)]
                assert list_checkpoints(folder)[0] == checkpoint_path(folder, max(good))
                step = max(good) // 2 * 2
            case "save":
                step, keep = step + 2, rng.randint(1, 3)
                save_checkpoint(folder, step, state(step, size=999), keep=keep)
                newest = max(good | {step})
                good = {at for at in good | {step} if checkpoint_path(folder, at).exists()}
                assert {step, newest} <= good
                assert sum(at < step for at in good) <= keep - 1
            case _:
                step += 2
                put(folder, step, "good")
                good.add(step)
