"""Metrics of single pictures (PSNR, SSIM, NIQE, ...) and of sets (FID, KID, ...). docs/metrics.md lists them all.
Open catalogue.py first: every metric by name; run/ measures stimulus sets with them.

>>> from gan_eval.metrics import evaluate
>>> image_metrics, set_metrics = evaluate(Path("stimuli/facades"), ["psnr", "ssim", "fid"])  # doctest: +SKIP

`score("ssim", fake, real)` is the value of two files, arrays or sets of features, `scores` the values of batches of
tensors. The same metrics are subclasses of torchmetrics' `Metric` (MeanPeakSignalNoiseRatio, FrechetInceptionDistance,
...: `gan_eval.metrics.classes`). All names are imported when they are first used: this package starts without torch
and pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.metrics.classes import *  # noqa: F403
    from gan_eval.metrics.one_value import load as load
    from gan_eval.metrics.one_value import score as score
    from gan_eval.metrics.one_value import scores as scores
    from gan_eval.metrics.run.inputs import Settings as Settings
    from gan_eval.metrics.run.inputs import folder_pair as folder_pair
    from gan_eval.metrics.run.runner import evaluate as evaluate
    from gan_eval.metrics.run.runner import write_metrics as write_metrics

_MODULE_OF = {
    "Settings": "run.inputs",
    "evaluate": "run.runner",
    "folder_pair": "run.inputs",
    "load": "one_value",
    "score": "one_value",
    "scores": "one_value",
    "write_metrics": "run.runner",
}
"""Public names by module; the other ones that begin with a capital are in `classes`."""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        classes = import_module(f"{__name__}.classes")
        here = [each for each, value in vars(classes).items() if getattr(value, "__module__", "") == classes.__name__]
        return sorted([*_MODULE_OF, *(each for each in here if each[0].isupper())])
    module = _MODULE_OF.get(name) or ("classes" if name[0].isupper() else "")
    if not module:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
