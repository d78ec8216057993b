"""Full-reference metrics of pairs of pictures, and NIQE of pictures alone."""

import json
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import blazediff_ssim
import cv2
import fast_ssim
import numpy as np
import piq
import pytorch_msssim
import sewar
import torchmetrics.functional.image as tm
from image_similarity_measures import quality_metrics as similarity
from skimage import metrics as sk

from gan_eval.metrics import scores
from other_programs.inputs import Pair, as_bytes, as_doubles, as_levels, as_singles, each, four_pairs, large_pairs
from other_programs.rows import Found, Table, called, named

OPENCV = f"OpenCV {cv2.__version__}"
MEASURES = named("image-similarity-measures")
LUMA = "of the luma"
BORDER = "counts a border"
CHANNELS = "of the channels, not of the luma"
HALVES = "halves pictures from 384 pixels on"


def pairs_of_pictures(folder: Path, programs: Sequence[dict[str, Table]]) -> Table:
    """All metrics of pairs without weights; `programs` have measured files."""
    script = javascript(folder, four_pairs())
    table = {
        "PSNR, dB": psnr(),
        "SSIM": [*ssim(), *javascript_ssim(script)],
        "SSIM, 512x512": large_ssim(javascript(folder, large_pairs())),
        "MS-SSIM": ms_ssim(),
        "VIF": vif(),
        "UQI": uqi(),
        "FSIM": fsim(),
        "GMSD": gmsd(),
        "DSSIM": [
            (f"ImageMagick {script['ImageMagick']}", script["ImageMagick DSSIM"], "(1 - SSIM) / 2; counts a border")
        ],
        "VMAF": [],
        "SSIMULACRA 2": [],
        "Butteraugli": [],
    }
    for found in (found for machine in programs for found in machine.values()):
        for metric, rows in found.items():
            table[metric] += rows
    return {metric: rows for metric, rows in table.items() if rows}


def psnr() -> list[Found]:
    """Peak signal-to-noise ratio."""
    return [
        ("gan_eval `psnr`", each(partial(scores, "psnr"), as_bytes), ""),
        (named("scikit-image"), each(lambda a, b: sk.peak_signal_noise_ratio(b, a)), ""),
        (
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: tm.peak_signal_noise_ratio(a, b, 1.0), as_doubles),
            "",
        ),
        (named("piq"), each(piq.psnr, as_doubles), "1e-8 is added to the error: 80 dB for equal pictures"),
        (named("sewar"), each(lambda a, b: sewar.psnr(b, a)), ""),
        (called(OPENCV, "PSNR"), each(cv2.PSNR), "a tiny number is added: 361 dB for equal pictures"),
        (called(OPENCV, "quality.QualityPSNR"), each(quality("PSNR")), "mean of the channels' dB"),
        (named("pyiqa", "psnr"), pyiqa("psnr_arch", "PSNR"), "as piq: 80 dB for equal pictures"),
        (named("pyiqa", "psnry"), pyiqa("psnr_arch", "PSNR", test_y_channel=True), LUMA),
        (MEASURES, each(lambda a, b: similarity.psnr(b, a)), "peak 4095, meant for satellites: 24.1 dB too much"),
        (
            named("fast-ssim", "psnr"),
            each(lambda a, b: fast_ssim.psnr(b, a)),
            "a tiny number is added: 148 dB for equal pictures",
        ),
    ]


def ssim() -> list[Found]:
    """Structural similarity, but for programs in JavaScript."""
    paper = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    common = {"channel_axis": -1, "data_range": 255}
    return [
        ("gan_eval `ssim`", each(partial(scores, "ssim"), as_bytes), ""),
        ("gan_eval `ssim_luma`", each(partial(scores, "ssim_luma"), as_bytes), LUMA),
        (
            named("scikit-image", "gaussian_weights=True, sigma=1.5, use_sample_covariance=False"),
            each(lambda a, b: sk.structural_similarity(a, b, **paper, **common)),
            "",
        ),
        (
            named("scikit-image"),
            each(lambda a, b: sk.structural_similarity(a, b, **common)),
            "uniform window of 7x7, sample covariance",
        ),
        (named("pytorch-msssim"), each(lambda a, b: pytorch_msssim.ssim(a, b, data_range=1.0), as_doubles), ""),
        (named("piq"), each(piq.ssim, as_doubles), ""),
        (
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: tm.structural_similarity_index_measure(a, b, data_range=1.0), as_doubles),
            BORDER,
        ),
        (named("sewar"), each(lambda a, b: sewar.ssim(b, a)[0]), "uniform window of 11x11"),
        (called(OPENCV, "quality.QualitySSIM"), each(quality("SSIM")), BORDER),
        (named("pyiqa", "ssim"), pyiqa("ssim_arch", "SSIM", test_y_channel=True), "of the luma: our `ssim_luma`"),
        (named("pyiqa", "ssimc"), pyiqa("ssim_arch", "SSIM", test_y_channel=False), ""),
        (MEASURES, each(lambda a, b: similarity.ssim(b, a)), "range 4095; uniform window of 7x7, sample covariance"),
        (named("fast-ssim"), each(lambda a, b: fast_ssim.ssim(b, a)), "uniform window of 7x7, sample covariance"),
        (named("blazediff-ssim", "ssim"), blazediff("ssim"), "of the luma, not rounded as in our `ssim_luma`"),
        (
            named("blazediff-ssim", "hitchhikers-ssim"),
            blazediff("hitchhikers-ssim"),
            "uniform windows; the variation of its map in place of the mean",
        ),
    ]


def blazediff(metric: str, *, large: bool = False) -> list[float]:
    """A metric of blazediff-ssim, which takes opaque RGBA."""

    def score(fake: Any, real: Any) -> float:
        both = [np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]).tobytes() for picture in (fake, real)]
        return float(blazediff_ssim.compare_rgba(*both, fake.shape[1], fake.shape[0], metric=metric).score)

    return each(score, large=large)


def javascript_ssim(found: dict[str, Any]) -> list[Found]:
    """Structural similarity by programs for browsers and Node.js."""
    luma = "luma of Rec. 709; windows of 8x8 that do not overlap; sample covariance"
    return [
        ("ssim.js 3.5.0", found["ssim.js"], "luma; sums over windows in whole numbers"),
        ("ssim.js 3.5.0 `ssim: 'fast'`", found["ssim.js fast"], "luma"),
        ("image-ssim 0.2.0", found["image-ssim"], luma),
        (
            f"ImageMagick {found['ImageMagick']}",
            found["ImageMagick SSIM"],
            "since 7.1.2 (1 - SSIM) / 2; counts a border",
        ),
    ]


def large_ssim(found: dict[str, Any]) -> list[Found]:
    """Return rows of the same pictures at twice the side."""
    return [
        ("gan_eval `ssim`", each(partial(scores, "ssim"), as_bytes, large=True), ""),
        (named("piq"), each(piq.ssim, as_doubles, large=True), HALVES),
        (
            named("piq", "downsample=False"),
            each(lambda a, b: piq.ssim(a, b, downsample=False), as_doubles, large=True),
            "",
        ),
        (named("pyiqa", "ssimc"), pyiqa("ssim_arch", "SSIM", test_y_channel=False, large=True), ""),
        ("ssim.js 3.5.0 `ssim: 'fast'`", found["ssim.js fast"], f"luma; {HALVES}"),
        (named("blazediff-ssim", "ssim"), blazediff("ssim", large=True), f"luma; {HALVES}"),
    ]


def ms_ssim() -> list[Found]:
    """Structural similarity at five scales."""
    theirs = tm.multiscale_structural_similarity_index_measure
    return [
        ("gan_eval `ms_ssim`", each(partial(scores, "ms_ssim"), as_bytes), ""),
        (named("pytorch-msssim"), each(lambda a, b: pytorch_msssim.ms_ssim(a, b, data_range=1.0), as_doubles), ""),
        (named("piq"), each(piq.multi_scale_ssim, as_doubles), ""),
        (
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: theirs(a, b, data_range=1.0), as_doubles),
            "border, at every scale",
        ),
        (
            named("sewar"),
            each(lambda a, b: np.real(sewar.msssim(b, a))),
            "uniform windows; a complex number, its real part is shown",
        ),
        (named("pyiqa", "ms_ssim"), pyiqa("ssim_arch", "MS_SSIM", test_y_channel=True, is_prod=True), LUMA),
        (named("blazediff-ssim", "ms-ssim"), blazediff("ms-ssim"), LUMA),
    ]


def vif() -> list[Found]:
    """Visual information fidelity."""
    theirs = tm.visual_information_fidelity
    return [
        ("gan_eval `vif`", each(partial(scores, "vif"), as_bytes), ""),
        (named("piq"), each(piq.vif_p, as_doubles), ""),
        (named("sewar", "vifp"), each(lambda a, b: sewar.vifp(b, a)), CHANNELS),
        (named("torchmetrics", "pictures in 0..255"), each(theirs, as_levels), CHANNELS),
        (named("torchmetrics", "pictures in 0..1"), each(theirs, as_doubles), "its noise of 2 is meant for 0..255"),
        (
            named("pyiqa", "vif"),
            pyiqa("vif_arch", "VIF"),
            "of wavelet subbands (the paper's first form), not of pixels",
        ),
    ]


def uqi() -> list[Found]:
    """Universal quality index."""
    gaussian = "Gaussian window of 11x11 (the paper: uniform, 8x8); below 1 for equal pictures with flat areas"
    return [
        (named("torchmetrics"), each(tm.universal_image_quality_index, as_doubles), gaussian),
        (named("sewar"), each(lambda a, b: sewar.uqi(b, a)), "takes the means of a window for its sums"),
        (
            called(MEASURES, "uiq"),
            each(lambda a, b: similarity.uiq(b, a)),
            "as the paper (uniform, 8x8); flat windows count as 0",
        ),
    ]


def fsim() -> list[Found]:
    """Feature similarity."""
    other = "of each channel; other phase congruency, gradients clipped at 0"
    return [
        ("gan_eval `fsim`", each(partial(scores, "fsim"), as_bytes), ""),
        (named("piq"), each(piq.fsim, as_doubles), ""),
        (named("pyiqa", "fsim"), pyiqa("fsim_arch", "FSIM", chromatic=True), ""),
        (MEASURES, each(lambda a, b: similarity.fsim(b, a)), other),
    ]


def gmsd() -> list[Found]:
    """Gradient magnitude similarity deviation."""
    return [
        ("gan_eval `gmsd`", each(partial(scores, "gmsd"), as_bytes), ""),
        (named("piq"), each(piq.gmsd, as_doubles), ""),
        (called(OPENCV, "quality.QualityGMSD"), each(quality("GMSD")), "of each channel, mean of three"),
        (named("pyiqa", "gmsd"), pyiqa("gmsd_arch", "GMSD", test_y_channel=True), "luma in whole levels"),
    ]


def niqe(folder: Path) -> list[Found]:
    """NIQE of the pictures alone."""
    from metric_sides import pyiqa_niqe

    theirs = pyiqa_niqe(folder)
    return [
        ("gan_eval `niqe`", each(lambda fake, _: scores("niqe", fake), as_bytes), ""),
        (
            named("pyiqa", "niqe"),
            each(lambda fake, _: theirs(fake), as_singles),
            "flat areas: gan_eval sets their contrast to 0",
        ),
    ]


def pyiqa(module: str, name: str, *, large: bool = False, **settings: Any) -> list[float]:
    """A metric of pyiqa, without its loader, which downloads."""
    import torch

    with torch.no_grad():
        metric = getattr(import_module(f"pyiqa.archs.{module}"), name)(**settings).eval()
        return each(metric, as_singles, large=large)


def quality(name: str) -> Callable[[Any, Any], Any]:
    """The channels' values of a metric of OpenCV's module `quality`."""
    return lambda a, b: getattr(cv2.quality, f"Quality{name}_compute")(a, b)[0][:3]


def javascript(folder: Path, pairs: Sequence[Pair]) -> dict[str, Any]:
    """The values of the programs in JavaScript."""
    work = folder / "npm"
    for number, pair in enumerate(pairs):
        for name, picture in zip(("fake", "real"), pair, strict=True):
            opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
            (work / f"{name}{number}.rgba").write_bytes(opaque.tobytes())
    script = Path(__file__).with_suffix("").with_name("javascript.mjs")
    command = ["node", str(script), str(work), str(len(pairs)), str(pairs[0][0].shape[0])]
    result: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return result
