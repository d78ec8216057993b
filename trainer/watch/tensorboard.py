"""RUN/tensorboard/: the log, the validation values, the sample grids and the settings for TensorBoard.

The folder is derived from what the run knows anyway. Each start writes it anew from the beginning, so a resumed run has
each point once, a run may be watched from any start on, and nothing of it is in a checkpoint.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image

from gan_eval.errors import UserError
from gan_eval.launch import setup_command
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tabular import Row, read_rows
from trainer.watch.findings import Findings
from trainer.watch.log import TrainingLog
from trainer.watch.samples import grid_step, list_grids

FOLDER = "tensorboard"
EVENTS = "events.out.tfevents.*"


def require_tensorboard() -> None:
    """Make sure, before hours of training, that the optional package is there.

    Raises:
        UserError: it is not.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"--tensorboard: the package tensorboard is missing; install it with: {setup_command('tensorboard')}"
        ) from error


class TensorBoard:
    """Writes what is new since the last call."""

    def __init__(self, run: Path, settings: TrainingSettings, *, fraction: float) -> None:
        """Begin the folder anew.

        Raises:
            UserError: the package tensorboard is missing.
        """
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        folder = run / FOLDER
        for old in folder.glob(EVENTS):
            old.unlink()
        # With purge_step, a board that is open meanwhile forgets the old points.
        self._writer: Any = SummaryWriter(str(folder), purge_step=0)
        self._samples = run / "samples"
        self._logged = self._validated = 0
        self._written = -1
        """The step up to which grids are."""
        values = plain_values({**settings.model_dump(mode="json"), "fraction": fraction})
        file_writer: Any = self._writer.file_writer
        for summary in hparams(values, {"training/g_l1": None}):
            file_writer.add_summary(summary, 0)

    def update(self, log: TrainingLog, findings: Findings, *, done: int, seconds: float) -> None:
        """Write the rows that are new, and the grids drawn up to step `done`.

        Args:
            seconds: time trained so far; the points' times follow from it.
        """
        self.write(log.rows(self._logged), findings.validation[self._validated :], done=done, seconds=seconds)

    def write(self, log: Iterable[Row], validation: Iterable[Row], *, done: int, seconds: float) -> None:
        """Write rows of the tables training_log and validation, and the grids drawn since the last call."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        began = time.time() - seconds
        for row in log:
            self._scalar(f"training/{row['term']}", row["value"], row["step"], began + row["seconds"])
            self._logged += 1
        for row in validation:
            self._scalar(f"validation/{row['metric']}_{row['mode']}", row["value"], row["step"], None)
            self._validated += 1
        for path in list_grids(self._samples):
            if self._written < grid_step(path) <= done:
                with Image.open(path) as image:
                    width, height = image.size
                content = path.read_bytes()  # the file as it is: no decoding, no encoding
                picture = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=content)
                summary = Summary(value=[Summary.Value(tag="samples", image=picture)])
                self._writer.file_writer.add_summary(summary, grid_step(path))
        self._written = done
        self._writer.flush()

    def close(self) -> None:
        """Write what waits and end."""
        self._writer.close()

    def _scalar(self, tag: str, value: float | None, step: int, at: float | None) -> None:
        if value is not None:
            self._writer.add_scalar(tag, value, step, walltime=at)


def write_board(run: Path, settings: TrainingSettings, *, fraction: float) -> None:
    """The whole board of a finished run, from its tables and sample grids.

    Raises:
        UserError: the package tensorboard is missing, or a table of the run cannot be read.
    """
    log = read_rows(run / "training_log.csv", TRAINING_LOG)
    validation = read_rows(run / "validation.csv", VALIDATION) if (run / "validation.csv").is_file() else []
    with closing(TensorBoard(run, settings, fraction=fraction)) as board:
        board.write(log, validation, done=log[-1]["step"], seconds=log[-1]["seconds"])


def plain_values(settings: Mapping[str, Any]) -> dict[str, bool | int | float | str]:
    """Settings as the texts and numbers that TensorBoard can show.

    >>> plain_values({"steps": None, "snapshots": [0, 10], "norm": "batch"})
    {'steps': '', 'snapshots': '0, 10', 'norm': 'batch'}
    """
    plain: dict[str, bool | int | float | str] = {}
    for name, value in settings.items():
        if isinstance(value, bool | int | float | str):
            plain[name] = value
        elif isinstance(value, Iterable):
            plain[name] = ", ".join(map(str, value))
        else:
            plain[name] = "" if value is None else str(value)
    return plain
