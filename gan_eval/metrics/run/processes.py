"""The processes of a run that `torchrun` started: each measures some of the pictures, the first has the tables."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.machine.threads import process_rank, processes
from gan_eval.metrics.run.pictures import PictureResults

T = TypeVar("T")

PATIENCE = timedelta(hours=24)
"""How long one process may wait for another that still measures."""
_ROWS = 1024
"""Pictures whose features are exchanged at a time."""


@dataclass(frozen=True)
class Processes:
    """The processes that share a run's work."""

    rank: int = 0
    count: int = 1
    here: int = 1
    """Those on this machine."""
    device: str = "cpu"
    """Where what they exchange must lie."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that has the tables and the messages."""
        return self.rank == 0

    def share(self, jobs: Sequence[T]) -> Sequence[T]:
        """The jobs of this process: every `count`-th."""
        return jobs[self.rank :: self.count]

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """Inside, a user's error in one process is raised in all of them, when all are through.

        Raises:
            UserError: that of the first process that has one.
        """
        failure: str | None = None
        try:
            yield
        except UserError as error:
            if self.count == 1:
                raise
            failure = str(error)
        if self.count > 1:
            first = next((message for message in self._gather_json(failure) if message is not None), None)
            if first is not None:
                raise UserError(first)

    def gather(self, results: PictureResults, measured: Sequence[int]) -> None:
        """Bring the results of all processes together in the first one's.

        Args:
            results: of this process; the first one's are filled up.
            measured: the numbers of the stimuli that this process measured.
        """
        if self.count == 1:
            return
        sparse = [
            [(row, column, reason) for (row, column), reason in results.reasons.items()],
            list(results.unreadable.items()),
            [(row, digest.hex()) for row, digest in results.hashes.items()],
            [(row, digest.hex()) for row, digest in results.masks.items()],
            [(row, digest.hex()) for row, digest in results.inputs.items()],
            list(results.formats.items()),
            results.cached,
        ]
        everywhere = self._gather_json(sparse)
        rows = np.array(measured, np.int64)
        values = zip(self._gather_array(rows), self._gather_array(results.numbers[rows]), strict=True)
        for rank, (rows, numbers) in enumerate(values):
            if self.leads and rank > 0:
                results.numbers[rows] = numbers
                reasons, unreadable, hashes, masks, inputs, formats, cached = everywhere[rank]
                results.reasons |= {(row, column): reason for row, column, reason in reasons}
                results.unreadable |= dict(unreadable)
                results.hashes |= {row: bytes.fromhex(digest) for row, digest in hashes}
                results.masks |= {row: bytes.fromhex(digest) for row, digest in masks}
                results.inputs |= {row: bytes.fromhex(digest) for row, digest in inputs}
                results.formats |= dict(formats)
                results.cached += cached
        for _, store in sorted(results.stores.items()):
            filled = np.flatnonzero(store.filled)
            rounds = max(self._gather_json(-(-len(filled) // _ROWS)))
            for place in range(0, rounds * _ROWS, _ROWS):  # so that no process ever holds those of all
                part = filled[place : place + _ROWS]
                features = zip(self._gather_array(part), self._gather_array(store.values[part]), strict=True)
                for rank, (rows, vectors) in enumerate(features):
                    if self.leads and rank > 0:
                        store.values[rows] = vectors
                        store.filled[rows] = True
            for rank, reasons in enumerate(self._gather_json(list(store.reasons.items()))):
                if self.leads and rank > 0:
                    store.reasons |= dict(reasons)

    def _gather_json(self, value: Any) -> list[Any]:
        """What each process has, in the order of their ranks."""
        text = np.frombuffer(json.dumps(value).encode(), np.uint8)
        return [json.loads(bytes(part)) for part in self._gather_array(text)]

    def _gather_array(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        import torch
        from torchmetrics.utilities.distributed import gather_all_tensors

        parts = gather_all_tensors(torch.from_numpy(values.copy()).to(self.device))
        return [part.cpu().numpy() for part in parts]


SINGLE = Processes()


@contextmanager
def started_together(device: str | None) -> Iterator[tuple[Processes, str | None]]:
    """The processes that `torchrun` started, joined in a process group, and the device of this one.

    Args:
        device: what the user named; None: this process's GPU where there is one.

    Raises:
        UserError: there are fewer GPUs than processes.
    """
    if processes() == 1:
        yield SINGLE, device
        return
    import torch
    from torch import distributed

    here = int(os.environ["LOCAL_WORLD_SIZE"])
    if device == "cuda" or (device is None and torch.cuda.is_available()):
        if torch.cuda.device_count() < here:
            raise UserError(
                f"--nproc-per-node {here}: this machine has {torch.cuda.device_count()} GPUs; give that number, "
                "or --device cpu"
            )
        device = f"cuda:{os.environ['LOCAL_RANK']}"
    on_gpu = device is not None and device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    try:
        yield Processes(process_rank(), processes(), here, str(device) if on_gpu else "cpu"), device
    finally:
        distributed.destroy_process_group()
