"""Picture metrics: PSNR, SSIM, NIQE, ... of single pictures, FID, KID, ... of sets. docs/metrics.md has them all.

>>> from gan_eval.metrics import evaluate
>>> image_metrics, set_metrics = evaluate(Path("stimuli/facades"), ["psnr", "ssim", "fid"])  # doctest: +SKIP

The same metrics are plain functions on tensors (`gan_eval.metrics.functional`) and subclasses of torchmetrics'
`Metric`. The names below are imported when they are first used: this package starts without torch and pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.metrics.classes import (
        Brisque,
        Dists,
        LearnedPerceptualSimilarity,
        MeanAbsoluteDifference,
        MultiScaleStructuralSimilarity,
        NaturalImageQuality,
        PeakSignalNoiseRatio,
        Sharpness,
        StructuralSimilarity,
    )
    from gan_eval.metrics.run.evaluation import Evaluation, Settings
    from gan_eval.metrics.run.inputs import FolderPair, folder_pair
    from gan_eval.metrics.run.missing import missing_values
    from gan_eval.metrics.run.runner import evaluate, run_metrics, write_metrics
    from gan_eval.metrics.set_classes import (
        DensityCoverage,
        FrechetInceptionDistance,
        FrechetInceptionDistanceInfinity,
        KernelInceptionDistance,
        PrecisionRecall,
    )

_HOMES = {
    "run.runner": ("Evaluation", "Settings", "evaluate", "run_metrics", "write_metrics"),
    "run.inputs": ("FolderPair", "folder_pair"),
    "run.missing": ("missing_values",),
    "classes": (
        "Brisque",
        "Dists",
        "LearnedPerceptualSimilarity",
        "MeanAbsoluteDifference",
        "MultiScaleStructuralSimilarity",
        "NaturalImageQuality",
        "PeakSignalNoiseRatio",
        "Sharpness",
        "StructuralSimilarity",
    ),
    "set_classes": (
        "DensityCoverage",
        "FrechetInceptionDistance",
        "FrechetInceptionDistanceInfinity",
        "KernelInceptionDistance",
        "PrecisionRecall",
    ),
}
"""Public names by the module that has them."""
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = [
    "Brisque",
    "DensityCoverage",
    "Dists",
    "Evaluation",
    "FolderPair",
    "FrechetInceptionDistance",
    "FrechetInceptionDistanceInfinity",
    "KernelInceptionDistance",
    "LearnedPerceptualSimilarity",
    "MeanAbsoluteDifference",
    "MultiScaleStructuralSimilarity",
    "NaturalImageQuality",
    "PeakSignalNoiseRatio",
    "PrecisionRecall",
    "Settings",
    "Sharpness",
    "StructuralSimilarity",
    "evaluate",
    "folder_pair",
    "missing_values",
    "run_metrics",
    "write_metrics",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
