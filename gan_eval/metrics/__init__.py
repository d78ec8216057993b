"""Picture metrics: PSNR, SSIM, NIQE, ... of single pictures, FID, KID, ... of sets. docs/metrics.md has them all.

>>> from gan_eval.metrics import evaluate
>>> image_metrics, set_metrics = evaluate(Path("stimuli/facades"), ["psnr", "ssim", "fid"])  # doctest: +SKIP

The same metrics are plain functions on tensors (`gan_eval.metrics.functional`) and subclasses of torchmetrics'
`Metric` (MeanPeakSignalNoiseRatio, FrechetInceptionDistance, ...: `gan_eval.metrics.classes` and `set_classes` make
them from the metrics' records). All names are imported when they are first used: this package starts without torch and
pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.metrics.run.evaluation import Evaluation as Evaluation
    from gan_eval.metrics.run.evaluation import Settings as Settings
    from gan_eval.metrics.run.inputs import FolderPair as FolderPair
    from gan_eval.metrics.run.inputs import folder_pair as folder_pair
    from gan_eval.metrics.run.missing import missing_values as missing_values
    from gan_eval.metrics.run.runner import evaluate as evaluate
    from gan_eval.metrics.run.runner import run_metrics as run_metrics
    from gan_eval.metrics.run.runner import write_metrics as write_metrics

_HOMES = {
    "Evaluation": "run.runner",
    "FolderPair": "run.inputs",
    "PeakSignalNoiseRatio": "classes",
    "Settings": "run.runner",
    "evaluate": "run.runner",
    "folder_pair": "run.inputs",
    "missing_values": "run.missing",
    "run_metrics": "run.runner",
    "write_metrics": "run.runner",
}
"""Public names, other than the classes of the metrics' records, by the module that has them."""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted([*_HOMES, *_classes()])
    home = _HOMES.get(name) or _classes().get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def _classes() -> dict[str, str]:
    """The metrics' classes by the module that has them."""
    from gan_eval.metrics.catalogue import METRICS

    kinds = {metric.torch_class: metric.kind for metric in METRICS.values() if metric.torch_class}
    return {name: "set_classes" if kind == "set" else "classes" for name, kind in kinds.items()}
