"""Users' own metrics of single pictures and pairs, as functions for the pass over the pictures.

An own metric is a subclass of `torchmetrics.Metric`, found by its entry point (`gan_eval.metrics.own.entries`). It is
given (1, 3, H, W) uint8 tensors, copies that it may change, and for every picture it is reset, updated and computed.
Whatever goes wrong inside is the reason of that picture's row.
"""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gan_eval.errors import UserError, shortened
from gan_eval.metrics.catalogue import Metric, PictureFunction
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable
from gan_eval.metrics.own.entries import own_class

if TYPE_CHECKING:
    import torchmetrics


def own_functions(metrics: Iterable[Metric], *, device: str | None = None) -> dict[str, PictureFunction]:
    """A function for each own pair and single metric among `metrics`, by name; any number of threads may call it.

    Args:
        metrics: those required; built-in ones and set metrics are ignored.
        device: where they compute; default: the CPU.

    Raises:
        UserError: a metric cannot be made.
    """
    own = [metric for metric in metrics if metric.distribution and metric.kind != "set"]
    return {metric.name: _OwnFunction(metric, device or "cpu") for metric in own}


def make_own(metric: Metric, *, device: str) -> "torchmetrics.Metric":
    """A new instance of an own metric, on its device.

    Raises:
        UserError: making it fails, or needs arguments.
    """
    try:
        return own_class(metric.name)().to(device)
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # whatever another's class raises
        problem = f"it cannot be made without arguments ({error_message(error)})"
        raise UserError(f"metric {metric.name!r} of {metric.distribution}: {problem}") from error


def as_batch(picture: Pixels, device: str) -> Tensor:
    """(H, W, 3) uint8 to a (1, 3, H, W) uint8 tensor of its own."""
    planes = torch.as_tensor(picture).permute(2, 0, 1)[None]
    return planes.clone(memory_format=torch.contiguous_format).to(device)


def single_number(value: Any) -> float:
    """The result of `compute` as one number; infinite is a number.

    Raises:
        Unmeasurable: NaN, several numbers, or none.
    """
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise Unmeasurable(f"compute gave {what}, not one number")
    if value != value:
        raise Unmeasurable("compute gave NaN")
    return float(value)


def error_message(error: BaseException) -> str:
    """An error in one line of 300 characters at the most."""
    return shortened(" ".join(f"{type(error).__name__}: {error}".split()), 300)


class _OwnFunction:
    """One own metric; every thread that calls it has an instance to itself."""

    def __init__(self, metric: Metric, device: str) -> None:
        self._name = metric.name
        self._device = device
        self._original = make_own(metric, device=device)
        self._original.sync_on_compute = self._original._to_sync = False  # one picture's value is no process's business
        self._of_thread = threading.local()

    def __call__(self, *pictures: Pixels) -> float:
        """The value for (generated, real) or (picture).

        Raises:
            Unmeasurable: there is none, or the metric failed.
        """
        try:
            if not hasattr(self._of_thread, "metric"):
                self._of_thread.metric = self._original.clone()
            metric = self._of_thread.metric
            metric.reset()
            metric.update(*(as_batch(picture, self._device) for picture in pictures))
            return single_number(metric.compute())
        except Unmeasurable as reason:
            raise Unmeasurable(f"{self._name}: {reason}") from reason
        except (Exception, SystemExit) as error:  # an own metric's failure is its row's, never the run's
            raise Unmeasurable(f"{self._name}: {error_message(error)}") from error
