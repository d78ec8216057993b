"""bf16, the number of workers and other ways to compute the same run."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from training_runs import train

from gan_eval.files.digests import sha256_file
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import read_rows
from trainer.state.checkpoints import list_checkpoints

Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]


def files_of(run: Path) -> dict[str, str]:
    """The generator and the grids by hash."""
    return {path.name: sha256_file(path) for path in (run / "generator.safetensors", *(run / "samples").iterdir())}


def terms_of(run: Path) -> list[tuple[int, str, float]]:
    return [(row["step"], row["term"], row["value"]) for row in read_rows(run / "training_log.csv", TRAINING_LOG)]


@pytest.mark.slow
def test_bf16_computes_other_numbers_and_keeps_fp32_weights(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data = make_pairs(train=3)
    runs = {kind: train(tiny(precision=kind), data, tmp_path / kind, direction="AtoB") for kind in ("fp32", "bf16")}
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
