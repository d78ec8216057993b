"""The training step on a GPU, recorded as a CUDA graph and started as a whole."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.step import Batch

WARM_UP = 3
"""Successive batches of one shape before the step is recorded: they make the optimizers' state and cuDNN's plans."""


@dataclass(frozen=True)
class Recording:
    """A step as a CUDA graph, with the tensors that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    batch: Batch
    names: tuple[str, ...]  # of the terms
    terms: Tensor  # (len(names),)


class RecordedStep:
    """A training step on a GPU that ends with the same bits as `step`, faster.

    At batch size 1 a GPU waits most of the time for Python, which starts some 500 kernels one by one.
    Batches of another shape than the recorded one, such as the last of an epoch, go through `step` itself.
    """

    def __init__(self, step: Callable[[Batch], dict[str, Tensor]]) -> None:
        """Set up; `step` must depend on the batch and on GPU tensors alone: what Python computes in it is kept."""
        self._step = step
        self._stream = torch.cuda.Stream()  # a graph cannot be recorded on the default stream
        self._shapes: list[torch.Size] = []
        self._alike = 0
        self._recording: Recording | None = None

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Do the step on a batch on the GPU, and return its terms."""
        shapes = [tensor.shape for tensor in batch.tensors()]
        if self._recording is None:
            self._alike = self._alike + 1 if shapes == self._shapes else 1
            self._shapes = shapes
            if self._alike > WARM_UP:
                self._recording = self._record(batch)
        if self._recording is None or shapes != self._shapes:
            return self._unrecorded(batch)
        for kept, new in zip(self._recording.batch.tensors(), batch.tensors(), strict=True):
            kept.copy_(new)
        self._recording.graph.replay()
        return dict(zip(self._recording.names, self._recording.terms.clone(), strict=True))

    def _unrecorded(self, batch: Batch) -> dict[str, Tensor]:
        """Do the step on the stream of the recording: autograd ties each weight to the stream that used it first."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            terms = self._step(batch)
        torch.cuda.current_stream().wait_stream(self._stream)
        return terms

    def _record(self, batch: Batch) -> Recording:
        """Record the step without doing it."""
        graph = torch.cuda.CUDAGraph()
        # thread_local: other threads keep preparing batches
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
            terms = self._step(batch)
            stacked = torch.stack(list(terms.values()))
        return Recording(graph, batch, tuple(terms), stacked)
