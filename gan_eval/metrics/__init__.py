"""Picture metrics: PSNR, SSIM, NIQE, BRISQUE for single pictures, FID and KID for sets.

>>> from gan_eval.metrics import evaluate
>>> image_metrics, set_metrics = evaluate(Path("stimuli/facades"), ["psnr", "ssim", "fid"])  # doctest: +SKIP

The names below are imported when they are first used: this package starts without torch and pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.metrics.gaps import missing_values
    from gan_eval.metrics.inputs import folder_pair
    from gan_eval.metrics.runner import Evaluation, Settings, evaluate, run_metrics, write_metrics

_HOMES = {
    "folder_pair": "inputs",
    "missing_values": "gaps",
    "Evaluation": "runner",
    "Settings": "runner",
    "evaluate": "runner",
    "run_metrics": "runner",
    "write_metrics": "runner",
}
__all__ = ["Evaluation", "Settings", "evaluate", "folder_pair", "missing_values", "run_metrics", "write_metrics"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
