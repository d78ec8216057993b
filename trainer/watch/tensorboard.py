"""RUN/tensorboard/: curves of the loss terms and the validation values, and the sample grids."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.machine.commands import setup_command
from trainer.watch.log import TrainingLog, ValidationLog
from trainer.watch.samples import grid_step, list_grids


def require_tensorboard() -> None:
    """Check for the optional package before the training starts."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"--tensorboard: the package tensorboard is missing; install it with: {setup_command('tensorboard')}"
        ) from error


class TensorBoard:
    """Writer of what is new since the last call. Each start writes the run from its beginning, so points are unique."""

    def __init__(self, run: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        for old in (run / "tensorboard").glob("events.out.tfevents.*"):
            old.unlink()
        self._writer: Any = SummaryWriter(str(run / "tensorboard"))
        self._samples = run / "samples"
        self._logged = self._validated = 0
        self._drawn = -1

    def update(self, log: TrainingLog, validation: ValidationLog, *, done: int) -> None:
        """Write the rows that are new, and the sample grids up to step `done`."""
        for row in log.rows(self._logged):
            self._writer.add_scalar(f"training/{row['term']}", row["value"], row["step"])
            self._logged += 1
        for row in validation.rows[self._validated :]:
            if row["value"] is not None:
                self._writer.add_scalar(f"validation/{row['metric']}_{row['mode']}", row["value"], row["step"])
            self._validated += 1
        for path in list_grids(self._samples):
            if self._drawn < grid_step(path) <= done:
                self._writer.add_image("samples", np.array(Image.open(path)), grid_step(path), dataformats="HWC")
        self._drawn = done
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
