"""Metrics of single pictures (PSNR, SSIM, NIQE, ...) and of sets (FID, KID, ...). docs/metrics.md lists them all.
Open catalogue.py first: every metric by name; run/ measures stimulus sets with them.

>>> from gan_eval.metrics import evaluate
>>> image_metrics, set_metrics = evaluate(Path("stimuli/facades"), ["psnr", "ssim", "fid"])  # doctest: +SKIP

The same metrics are plain functions on tensors (`gan_eval.metrics.functional`) and subclasses of torchmetrics'
`Metric` (MeanPeakSignalNoiseRatio, FrechetInceptionDistance, ...: `gan_eval.metrics.classes`). All
names are imported when they are first used: this package starts without torch and pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_eval.metrics.classes import AllPairsKernelInceptionDistance as AllPairsKernelInceptionDistance
    from gan_eval.metrics.classes import Brisque as Brisque
    from gan_eval.metrics.classes import DensityCoverage as DensityCoverage
    from gan_eval.metrics.classes import Dists as Dists
    from gan_eval.metrics.classes import FeatureSimilarity as FeatureSimilarity
    from gan_eval.metrics.classes import FrechetInceptionDistance as FrechetInceptionDistance
    from gan_eval.metrics.classes import GradientDeviation as GradientDeviation
    from gan_eval.metrics.classes import HaarSimilarity as HaarSimilarity
    from gan_eval.metrics.classes import LearnedPerceptualSimilarity as LearnedPerceptualSimilarity
    from gan_eval.metrics.classes import MeanAbsoluteDifference as MeanAbsoluteDifference
    from gan_eval.metrics.classes import MeanDeviationSimilarity as MeanDeviationSimilarity
    from gan_eval.metrics.classes import MeanPeakSignalNoiseRatio as MeanPeakSignalNoiseRatio
    from gan_eval.metrics.classes import MeanStructuralSimilarity as MeanStructuralSimilarity
    from gan_eval.metrics.classes import MultiScaleGradientDeviation as MultiScaleGradientDeviation
    from gan_eval.metrics.classes import MultiScaleStructuralSimilarity as MultiScaleStructuralSimilarity
    from gan_eval.metrics.classes import NaturalImageQuality as NaturalImageQuality
    from gan_eval.metrics.classes import PeakSignalNoiseRatio as PeakSignalNoiseRatio
    from gan_eval.metrics.classes import PrecisionRecall as PrecisionRecall
    from gan_eval.metrics.classes import SaliencySimilarity as SaliencySimilarity
    from gan_eval.metrics.classes import Sharpness as Sharpness
    from gan_eval.metrics.classes import VisualInformation as VisualInformation
    from gan_eval.metrics.run.inputs import Settings as Settings
    from gan_eval.metrics.run.inputs import folder_pair as folder_pair
    from gan_eval.metrics.run.runner import evaluate as evaluate
    from gan_eval.metrics.run.runner import write_metrics as write_metrics

_MODULES = {
    "run.runner": ("evaluate", "write_metrics"),
    "run.inputs": ("Settings", "folder_pair"),
    "classes": (
        *("Brisque", "Dists", "LearnedPerceptualSimilarity", "MeanAbsoluteDifference", "MeanPeakSignalNoiseRatio"),
        *("MeanStructuralSimilarity", "MultiScaleStructuralSimilarity", "NaturalImageQuality", "PeakSignalNoiseRatio"),
        *("AllPairsKernelInceptionDistance", "DensityCoverage", "FrechetInceptionDistance", "PrecisionRecall"),
        *("FeatureSimilarity", "GradientDeviation", "HaarSimilarity", "MeanDeviationSimilarity"),
        *("MultiScaleGradientDeviation", "SaliencySimilarity", "Sharpness", "VisualInformation"),
    ),
}
"""Public names by module."""
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(_MODULE_OF)
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
