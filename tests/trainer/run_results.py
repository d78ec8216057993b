"""What a training run leaves, in a form that two runs can be compared by."""

from pathlib import Path
from typing import Any

import torch

from gan_eval.files import sha256_file
from gan_eval.tables import TRAINING_LOG
from gan_eval.tabular import read_rows
from trainer.state.checkpoints import list_checkpoints


def result(run: Path) -> dict[str, Any]:
    """Everything a run leaves, without times: files by hash, last checkpoint by tensor bytes, log rows."""
    state = torch.load(list_checkpoints(run / "checkpoints")[0], weights_only=True)
    return {
        "generator": sha256_file(run / "generator.safetensors"),
        "samples": {path.name: sha256_file(path) for path in (run / "samples").iterdir()},
        "log": [{**row, "seconds": None} for row in read_rows(run / "training_log.csv", TRAINING_LOG)],
        "state": flat({key: state[key] for key in state if key not in ("seconds", "log")}),
    }


def flat(value: Any) -> Any:
    """The same with tensors as their types, shapes and bytes, which compare exactly."""
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), tuple(value.shape), value.numpy().tobytes())
    if isinstance(value, dict):
        return {key: flat(inner) for key, inner in value.items()}
    return [flat(inner) for inner in value] if isinstance(value, list | tuple) else value
