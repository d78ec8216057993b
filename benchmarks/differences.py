"""The tables of `docs/differences.md`: python benchmarks/differences.py [--peers FOLDER] [--check]

Other programs are installed, in exactly these versions, into a folder of their own (pip and npm). Both sides get
the same pictures, features and answers, which are made here. `--check` writes nothing and fails where a value moved.
"""

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib import import_module
from importlib.metadata import distribution, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from installed_programs import INSTALLED, lme4, of_files

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "differences.md"
BEGIN = "<!-- made by benchmarks/differences.py: do not edit by hand -->"
END = "<!-- end of what is made -->"
PEERS = (
    *("piq==0.8.0", "pytorch-msssim==1.0.0", "sewar==0.4.10", "prdc==0.2", "pytorch-fid==0.3.0", "clean-fid==0.1.35"),
    *("opencv-contrib-python-headless==5.0.0.93", "krippendorff==0.9.0", "pingouin==0.7.0", "nltk==3.10.4"),
    *("choix==0.4.1", "evalica==0.4.2", "statsmodels==0.15.0", "torch-fidelity==0.4.0", "mixedlm==1.3.0"),
)
ALONE = (
    *("irrCAC==0.4.4", "sureal==0.9.0", "metadpy==0.1.2", "psignifit==4.3", "pyiqa==0.1.16"),
    "image-similarity-measures==0.3.6",
)
"""Installed without what they ask for: they pin old versions, or bring what is not needed here."""
NEEDED = ("huggingface_hub==2.4.0", "phasepack==1.5")
"""What two of these need all the same; on no row."""
NPM = ("ssim.js@3.5.0", "image-ssim@0.2.0", "@imagemagick/magick-wasm@0.0.43")

FILE_ROWS = (
    ("PSNR, dB", "psnr", ""),
    (
        "PSNR, dB",
        "psnr of yuv420p",
        "a video's luma (16 to 235 beside a peak of 255) and smoothed chroma: not of the picture",
    ),
    ("SSIM", "ssim", "windows of 8x8, a step of 4 apart; of each channel"),
)
"""Metric, call and cause of the rows of programs that read files."""

KNOWN = "as if the spreads were known"

Row = tuple[str, str, list[float], str]
"""What is measured, by which program and call, the values, why it differs."""
HEADS = {
    "Pairs of pictures": "| metric | program | blur | JPEG | noise | equal | why |",
    "Single pictures": "| metric | program | blur | JPEG | noise | untouched | why |",
    "Sets of features": "| metric | program | value | why |",
    "Judgements": "| statistic | program | value | why |",
}


def main() -> None:
    """Measure, and write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder of the other programs (default: a temporary one)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a value has moved")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measured(options.peers)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        made = tables(options.peers or Path(temporary))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    if options.check:
        sys.exit("\n".join(moved(old, made)) or None)
    PAGE.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")


def tables(folder: Path) -> str:
    """The page's tables, measured with the other programs in `folder`."""
    from peers import peers_python

    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "--prefix", str(folder / "npm"), *NPM], check=True)
    python = peers_python(folder / "python", (*PEERS, *NEEDED), alone=ALONE)
    command = [python, __file__, "--measure", "--peers", folder]
    rows = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1])
    parts = [f"Measured on {date.today()}."]
    for name, head in HEADS.items():
        lines = [line(*row) for row in rows[name]]
        parts += [f"### {name}", "\n".join([head, "|" + " --- |" * (head.count("|") - 1), *lines])]
    return "\n\n".join(parts)


def line(what: str, program: str, values: Sequence[float | None], why: str) -> str:
    """A row as a line of its table."""
    return " | ".join(("", what, program, *map(shown, values), why, "")).strip()


def shown(value: float | None) -> str:
    """A value as a table's cell."""
    return "" if value is None or math.isnan(value) else f"{value:.4f}" if abs(value) < 100 else f"{value:.1f}"


def moved(old: str, new: str) -> Iterator[str]:
    """The lines of a table whose numbers moved by more than two units of the last digit, or whose words changed."""
    number = re.compile(r"(?<=\| )-?(?:\d+\.\d+|inf)(?= \|)")
    lines = [[line for line in text.splitlines() if line.startswith("| ")] for text in (old, new)]
    both = set.intersection(*({line.split(" | ")[1] for line in side} for side in lines))
    lines = [[line for line in side if not is_installed(line) or line.split(" | ")[1] in both] for side in lines]
    if len(lines[0]) != len(lines[1]):
        yield f"{len(lines[0])} lines are now {len(lines[1])}"
    for was, now in zip(*lines, strict=False):
        pairs = zip(number.findall(was), number.findall(now), strict=False)
        if not all(a == b or near(a, b) for a, b in pairs) or number.sub("", was) != number.sub("", now):
            yield f"was {was}\nnow {now}"


def is_installed(line: str) -> bool:
    """Whether the row is of a program that a machine may lack, or have in another version."""
    return line.split(" | ")[1].startswith(INSTALLED)


def near(was: str, now: str) -> bool:
    """Whether two cells differ by at most two units of the last digit."""
    return math.isclose(float(was), float(now), abs_tol=2.5 * 10.0 ** -len(now.partition(".")[2]))


def measured(folder: Path) -> dict[str, list[Row]]:
    """All rows, measured in the other programs' environment."""
    import torch

    torch.set_num_threads(1)
    bare("pyiqa", "archs")
    return {
        "Pairs of pictures": sorted(pictures(folder), key=metric_order),
        "Single pictures": single_pictures(folder),
        "Sets of features": sets(),
        "Judgements": judgements(),
    }


def named(package: str, call: str = "") -> str:
    """A program's cell."""
    return f"{package} {version(package)}" + (f" `{call}`" if call else "")


def pictures(folder: Path) -> list[Row]:
    """Full-reference metrics of three damaged photographs and of one with itself."""
    import cv2
    import piq
    import sewar
    import torch
    import torchmetrics.functional.image as tm
    from image_similarity_measures import quality_metrics as similarity
    from pytorch_msssim import ms_ssim, ssim
    from skimage import metrics as sk

    from gan_eval.metrics import functional as ours

    pairs = four_pairs()

    def each(function: Callable[[Any, Any], Any], kind: str = "arrays") -> list[float]:
        as_kind = {
            "arrays": np.asarray,
            "bytes": bytes_of,
            "floats": lambda picture: bytes_of(picture).double() / 255,
            "singles": lambda picture: bytes_of(picture).float() / 255,
            "levels": lambda picture: bytes_of(picture).double(),
        }[kind]
        return [float(np.mean(np.asarray(function(as_kind(fake), as_kind(reference))))) for fake, reference in pairs]

    def mine(function: Callable[[Any, Any], Any]) -> list[float]:
        return each(function, "bytes")

    def iqa(module: str, name: str, **settings: Any) -> list[float]:
        with torch.no_grad():
            return each(getattr(import_module(f"pyiqa.archs.{module}"), name)(**settings).eval(), "singles")

    def quality(name: str) -> Callable[[Any, Any], Any]:
        return lambda a, b: getattr(cv2.quality, f"Quality{name}_compute")(a, b)[0][:3]

    javascript = node(folder, pairs)
    programs = of_files(pairs)
    measures = "image-similarity-measures"
    paper = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    common = {"channel_axis": -1, "data_range": 255}
    return [
        ("PSNR, dB", "gan_eval `psnr`", mine(ours.psnr), ""),
        ("PSNR, dB", named("scikit-image"), each(lambda a, b: sk.peak_signal_noise_ratio(b, a)), ""),
        (
            "PSNR, dB",
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: tm.peak_signal_noise_ratio(a, b, 1.0), "floats"),
            "",
        ),
        (
            "PSNR, dB",
            named("piq"),
            each(lambda a, b: piq.psnr(a, b), "floats"),
            "1e-8 is added to the error: 80 dB for equal pictures",
        ),
        ("PSNR, dB", named("sewar"), each(lambda a, b: sewar.psnr(b, a)), ""),
        (
            "PSNR, dB",
            f"OpenCV {cv2.__version__} `PSNR`",
            each(lambda a, b: cv2.PSNR(a, b)),
            "a tiny number is added: 361 dB for equal pictures",
        ),
        (
            "PSNR, dB",
            f"OpenCV {cv2.__version__} `quality.QualityPSNR`",
            each(quality("PSNR")),
            "mean of the channels' dB",
        ),
        ("SSIM", "gan_eval `ssim`", mine(ours.ssim), ""),
        ("SSIM", "gan_eval `ssim_luma`", mine(ours.ssim_luma), "of the luma"),
        (
            "SSIM",
            named("scikit-image", "gaussian_weights=True, sigma=1.5, use_sample_covariance=False"),
            each(lambda a, b: sk.structural_similarity(a, b, **paper, **common)),
            "",
        ),
        (
            "SSIM",
            named("scikit-image"),
            each(lambda a, b: sk.structural_similarity(a, b, **common)),
            "uniform window of 7x7, sample covariance",
        ),
        ("SSIM", named("pytorch-msssim"), each(lambda a, b: ssim(a, b, data_range=1.0), "floats"), ""),
        (
            "SSIM",
            named("piq"),
            each(lambda a, b: piq.ssim(a, b, data_range=1.0), "floats"),
            "halves pictures from 384 pixels on",
        ),
        (
            "SSIM",
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: tm.structural_similarity_index_measure(a, b, data_range=1.0), "floats"),
            "counts a border",
        ),
        ("SSIM", named("sewar"), each(lambda a, b: sewar.ssim(b, a)[0]), "uniform window of 11x11"),
        ("SSIM", f"OpenCV {cv2.__version__} `quality.QualitySSIM`", each(quality("SSIM")), "counts a border"),
        (
            "SSIM",
            "ssim.js 3.5.0",
            javascript["ssim.js"],
            "luma; sums over windows in whole numbers; halves pictures from 384 pixels on",
        ),
        (
            "SSIM",
            "ssim.js 3.5.0 `ssim: 'fast'`",
            javascript["ssim.js fast"],
            "luma; halves pictures from 384 pixels on",
        ),
        (
            "SSIM",
            "image-ssim 0.2.0",
            javascript["image-ssim"],
            "luma of Rec. 709; windows of 8x8 that do not overlap; sample covariance",
        ),
        (
            "SSIM",
            f"ImageMagick {javascript['ImageMagick']}",
            javascript["ImageMagick SSIM"],
            "since 7.1.2 (1 - SSIM) / 2; counts a border",
        ),
        ("MS-SSIM", "gan_eval `ms_ssim`", mine(ours.ms_ssim), ""),
        ("MS-SSIM", named("pytorch-msssim"), each(lambda a, b: ms_ssim(a, b, data_range=1.0), "floats"), ""),
        ("MS-SSIM", named("piq"), each(lambda a, b: piq.multi_scale_ssim(a, b, data_range=1.0), "floats"), ""),
        (
            "MS-SSIM",
            named("torchmetrics", "data_range=1.0"),
            each(lambda a, b: tm.multiscale_structural_similarity_index_measure(a, b, data_range=1.0), "floats"),
            "border, at every scale",
        ),
        (
            "MS-SSIM",
            named("sewar"),
            each(lambda a, b: np.real(sewar.msssim(b, a))),
            "uniform windows; a complex number, its real part is shown",
        ),
        ("VIF", "gan_eval `vif`", mine(ours.vif), ""),
        ("VIF", named("piq"), each(lambda a, b: piq.vif_p(a, b, data_range=1.0), "floats"), ""),
        ("VIF", named("sewar", "vifp"), each(lambda a, b: sewar.vifp(b, a)), "of the channels, not of the luma"),
        (
            "VIF",
            named("torchmetrics", "pictures in 0..255"),
            each(tm.visual_information_fidelity, "levels"),
            "of the channels, not of the luma",
        ),
        (
            "VIF",
            named("torchmetrics", "pictures in 0..1"),
            each(tm.visual_information_fidelity, "floats"),
            "its noise of 2 is meant for 0..255",
        ),
        (
            "UQI",
            named("torchmetrics"),
            each(tm.universal_image_quality_index, "floats"),
            "Gaussian window of 11x11 (the paper: uniform, 8x8); below 1 for equal pictures with flat areas",
        ),
        ("UQI", named("sewar"), each(lambda a, b: sewar.uqi(b, a)), "takes the means of a window for its sums"),
        ("FSIM", "gan_eval `fsim`", mine(ours.fsim), ""),
        ("FSIM", named("piq"), each(lambda a, b: piq.fsim(a, b, data_range=1.0), "floats"), ""),
        ("GMSD", "gan_eval `gmsd`", mine(ours.gmsd), ""),
        ("GMSD", named("piq"), each(lambda a, b: piq.gmsd(a, b, data_range=1.0), "floats"), ""),
        (
            "GMSD",
            f"OpenCV {cv2.__version__} `quality.QualityGMSD`",
            each(quality("GMSD")),
            "of each channel, mean of three",
        ),
        ("PSNR, dB", named("pyiqa", "psnr"), iqa("psnr_arch", "PSNR"), "as piq: 80 dB for equal pictures"),
        ("PSNR, dB", named("pyiqa", "psnry"), iqa("psnr_arch", "PSNR", test_y_channel=True), "of the luma"),
        (
            "PSNR, dB",
            named(measures),
            each(lambda a, b: similarity.psnr(b, a)),
            "peak 4095, meant for satellites: 24.1 dB too much",
        ),
        ("SSIM", named("pyiqa", "ssim"), iqa("ssim_arch", "SSIM", test_y_channel=True), "of the luma: our `ssim_luma`"),
        ("SSIM", named("pyiqa", "ssimc"), iqa("ssim_arch", "SSIM", test_y_channel=False), ""),
        (
            "SSIM",
            named(measures),
            each(lambda a, b: similarity.ssim(b, a)),
            "range 4095; uniform window of 7x7, sample covariance",
        ),
        (
            "MS-SSIM",
            named("pyiqa", "ms_ssim"),
            iqa("ssim_arch", "MS_SSIM", test_y_channel=True, is_prod=True),
            "of the luma",
        ),
        (
            "VIF",
            named("pyiqa", "vif"),
            iqa("vif_arch", "VIF"),
            "of wavelet subbands (the paper's first form), not of pixels",
        ),
        (
            "UQI",
            named(measures, "uiq"),
            each(lambda a, b: similarity.uiq(b, a)),
            "as the paper (uniform, 8x8); flat windows count as 0",
        ),
        ("FSIM", named("pyiqa", "fsim"), iqa("fsim_arch", "FSIM", chromatic=True), ""),
        (
            "FSIM",
            named(measures),
            each(lambda a, b: similarity.fsim(b, a)),
            "of each channel; other phase congruency, gradients clipped at 0",
        ),
        ("GMSD", named("pyiqa", "gmsd"), iqa("gmsd_arch", "GMSD", test_y_channel=True), "luma in whole levels"),
        *(
            (metric, f"{program} `{call}`", values[call], why)
            for program, values in programs.items()
            for metric, call, why in FILE_ROWS
            if call in values
        ),
    ]


def four_pairs() -> list[tuple[Any, Any]]:
    """A blurred, a compressed and a noisy photograph, each before its original, and one photograph twice."""
    from metric_sides import damaged, photographs

    real = photographs(3)
    return [(damaged(picture, number), picture) for number, picture in enumerate(real)] + [(real[0], real[0])]


def bytes_of(picture: Any) -> Any:
    """(1, 3, H, W) uint8."""
    import torch

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous()


def metric_order(row: Row) -> int:
    """Where the row's metric stands in the table."""
    return ("PSNR, dB", "SSIM", "MS-SSIM", "VIF", "UQI", "FSIM", "GMSD").index(row[0])


def single_pictures(folder: Path) -> list[Row]:
    """NIQE of the pictures alone."""
    from metric_sides import pyiqa_niqe

    from gan_eval.metrics import functional as ours

    fakes = [bytes_of(fake) for fake, _ in four_pairs()]
    theirs = pyiqa_niqe(folder)
    return [
        ("NIQE", "gan_eval `niqe`", [float(ours.niqe(fake)) for fake in fakes], ""),
        (
            "NIQE",
            named("pyiqa", "niqe"),
            [float(theirs(fake.float() / 255)) for fake in fakes],
            "flat areas: gan_eval sets their contrast to 0",
        ),
    ]


def node(folder: Path, pairs: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """The values of the programs in JavaScript."""
    work = folder / "npm"
    for number, pair in enumerate(pairs):
        for name, picture in zip(("fake", "real"), pair, strict=True):
            opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
            (work / f"{name}{number}.rgba").write_bytes(opaque.tobytes())
    side = pairs[0][0].shape[0]
    command = ["node", HERE / "differences.mjs", work, str(len(pairs)), str(side)]
    result: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return result


def sets() -> list[Row]:
    """Distances of two sets of 300 features in 128 dimensions; the second lies a little apart."""
    import piq
    import torch
    from cleanfid.fid import frechet_distance, kernel_distance
    from prdc import compute_prdc
    from pytorch_fid.fid_score import calculate_frechet_distance
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.kid import poly_mmd

    from gan_eval.metrics import functional as ours

    random = np.random.default_rng(0)
    real = np.abs(random.normal(size=(300, 128)))
    fake = np.abs(random.normal(size=(300, 128)) * 1.1 + 0.1)
    a, b = torch.from_numpy(real), torch.from_numpy(fake)
    moments = (real.mean(0), np.cov(real, rowvar=False), fake.mean(0), np.cov(fake, rowvar=False))
    three, five = ({k: float(v) for k, v in compute_prdc(real, fake, nearest).items()} for nearest in (3, 5))
    swapped = compute_prdc(fake, real, 3)
    both = [fid_features_to_statistics(side) for side in (b, a)]
    fidelity = [prc_features_to_metric(*order, verbose=False) for order in ((b, a), (a, b))]

    def fidelity_kid(**settings: Any) -> list[float]:
        found = kid_features_to_metric(b, a, kid_subset_size=300, kid_subsets=1, verbose=False, **settings)
        return [found["kernel_inception_distance_mean"]]

    piq_precision, piq_recall = piq.PR(nearest_k=5).compute_metric(a, b)
    return [
        ("FID", "gan_eval `fid`", [ours.fid(a, b)], ""),
        ("FID", named("pytorch-fid"), [float(calculate_frechet_distance(*moments))], ""),
        ("FID", named("clean-fid"), [float(frechet_distance(*moments))], ""),
        ("FID", named("torchmetrics"), [float(_compute_fid(*map(torch.from_numpy, moments)))], ""),
        (
            "FID",
            named("torch-fidelity"),
            [fid_statistics_to_metric(*both, verbose=False)["frechet_inception_distance"]],
            "",
        ),
        ("FID", named("piq"), [float(piq.FID().compute_metric(b, a))], "the matrix root is iterated, and stops early"),
        ("KID", "gan_eval `kid_all_pairs`", [ours.kid_all_pairs(a, b)], "of all pictures, no random subsets"),
        (
            "KID",
            named("torchmetrics", "subset_size=300"),
            [float(poly_mmd(a, b))],
            "one subset of all pictures; by default 100 random subsets of 1,000",
        ),
        (
            "KID",
            named("clean-fid"),
            [float(kernel_distance(real, fake, num_subsets=1))],
            "random subsets of up to 1,000",
        ),
        ("KID", named("piq"), [float(piq.KID().compute_metric(b, a))], ""),
        (
            "KID",
            named("torch-fidelity", "kid_subset_size=300"),
            fidelity_kid(),
            "one subset of all; by default 100 random subsets of 1,000, and fewer pictures are refused",
        ),
        (
            "KID",
            named("torch-fidelity", "kid_kernel='rbf'"),
            fidelity_kid(kid_kernel="rbf"),
            "a Gaussian kernel of width 10: another distance, though it has KID's name",
        ),
        ("CMMD", "gan_eval `cmmd`", [ours.cmmd(a, b)], "of all pairs, a picture with itself counts (biased)"),
        ("CMMD", "the published arithmetic, float64", [published_cmmd(real, fake, np.float64)], ""),
        (
            "CMMD",
            "the published arithmetic, float32",
            [published_cmmd(real, fake, np.float32)],
            "as published; rounds where the sets are close",
        ),
        ("precision", "gan_eval `precision`", [ours.precision(a, b)], "k = 3"),
        ("precision", named("prdc", "nearest_k=3"), [three["precision"]], ""),
        ("precision", named("prdc", "nearest_k=5"), [five["precision"]], "its usual k"),
        ("precision", named("prdc", "fake and real exchanged"), [float(swapped["precision"])], "this is the recall"),
        (
            "precision",
            named("piq", "PR(nearest_k=5).compute_metric(real, fake)"),
            [float(piq_precision)],
            "its usual k",
        ),
        (
            "precision",
            named("torch-fidelity", "generated set first"),
            [fidelity[0]["precision"]],
            "",
        ),
        (
            "precision",
            named("torch-fidelity", "real set first"),
            [fidelity[1]["precision"]],
            "its first input is the generated set: this is the recall",
        ),
        ("recall", "gan_eval `recall`", [ours.recall(a, b)], "k = 3"),
        ("recall", named("prdc", "nearest_k=3"), [three["recall"]], ""),
        ("recall", named("piq", "nearest_k=5"), [float(piq_recall)], "its usual k"),
        ("density", "gan_eval `density`", [ours.density(a, b)], "k = 5"),
        ("density", named("prdc", "nearest_k=5"), [five["density"]], ""),
        ("coverage", "gan_eval `coverage`", [ours.coverage(a, b)], "k = 5"),
        ("coverage", named("prdc", "nearest_k=5"), [five["coverage"]], ""),
    ]


def published_cmmd(real: Any, fake: Any, precision: Any) -> float:
    """CMMD as published, written by hand: 1000 (mean k(x, x) + mean k(y, y) - 2 mean k(x, y))."""
    x, y = ((side / np.linalg.norm(side, axis=1, keepdims=True)).astype(precision) for side in (real, fake))

    def mean(a: Any, b: Any) -> Any:
        squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
        return np.exp(-squares / precision(2 * 10**2)).mean()

    return float(1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y)))


def judgements() -> list[Row]:
    """Statistics of small made-up tables of answers."""
    import choix
    import evalica
    import krippendorff
    import pandas as pd
    import pingouin
    from irrCAC.raw import CAC
    from nltk.metrics.agreement import AnnotationTask
    from scipy import stats
    from statsmodels.stats import inter_rater, proportion
    from statsmodels.stats.weightstats import DescrStatsW
    from sureal.pc_subjective_model import BradleyTerryMlePairedCompSubjectiveModel as Sureal

    from gan_eval.science.shares import binomial_p, wilson
    from gan_eval.stats.answers.agreement import alpha
    from gan_eval.stats.answers.choices import bradley_terry
    from gan_eval.stats.answers.rates import dprime_and_criterion

    random = np.random.default_rng(1)
    grades = random.integers(1, 6, (40, 4))
    for row in grades[::2]:
        row[1:] = (row[0] + random.integers(-1, 2, 3)).clip(1, 5)
    counts = np.stack([(grades == grade).sum(axis=1) for grade in range(1, 6)], axis=1)
    table = pd.DataFrame(grades.astype(float))
    task = AnnotationTask(
        [(str(rater), str(picture), int(grade)) for (picture, rater), grade in np.ndenumerate(grades)]
    )

    wins = np.array([[0, 30, 20, 35], [10, 0, 25, 30], [20, 15, 0, 20], [5, 10, 20, 0]])
    votes = [(winner, loser) for (winner, loser), count in np.ndenumerate(wins) for _ in range(count)]
    winners, losers = zip(*votes, strict=True)
    rated = evalica.bradley_terry(winners, losers, [evalica.Winner.X] * len(votes)).scores
    scores, *_, covariance = Sureal.resolve_model(wins.astype(float), display=False)
    strengths = bradley_terry(pair_answers(votes))["strength"].to_numpy()
    shares = np.array([0.41, 0.62, 0.55, 0.47, 0.58, 0.51, 0.66, 0.44, 0.53, 0.49, 0.60, 0.52])
    chosen = choix.ilsr_pairwise(4, votes)
    x = random.normal(size=30)
    correlation = pingouin.corr(x, x + random.normal(size=30), method="kendall").iloc[0]

    def ours_alpha(level: Any) -> list[float]:
        return [alpha(counts, level)]

    def irrcac(name: str, weights: str = "identity") -> list[float]:
        return [float(getattr(CAC(table, weights=weights), name)()["est"]["coefficient_value"])]

    def reference(level: str) -> list[float]:
        return [float(krippendorff.alpha(reliability_data=grades.T, level_of_measurement=level))]

    def edges_alone() -> list[float]:
        hits, false_alarms = metadpy.rates(hits=24, misses=1, fas=0, crs=25)
        return [float(metadpy.dprime(hit_rate=hits, fa_rate=false_alarms))]

    def limits(method: str) -> list[float]:
        return [float(proportion.proportion_confint(33, 50, method=method)[0])]

    metadpy = module_of("metadpy", "metadpy/sdt.py")
    fleiss = "Fleiss' kappa"
    return [
        ("d′, 24 of 25 and 0 of 25", "gan_eval `rates`", [float(dprime_and_criterion(24, 1, 0, 25)[0])], ""),
        (
            "d′, 24 of 25 and 0 of 25",
            named("metadpy", "rates"),
            edges_alone(),
            "moves rates of 0 and 1 alone, by 1/(2N); gan_eval adds half an answer to every count",
        ),
        ("33 of 50: lower end, 95 %", "gan_eval (Wilson)", [float(wilson(33, 50)[0])], ""),
        ("33 of 50: lower end, 95 %", named("statsmodels", "method='wilson'"), limits("wilson"), ""),
        (
            "33 of 50: lower end, 95 %",
            named("statsmodels", "method='beta'"),
            limits("beta"),
            "Clopper and Pearson's exact interval, wider",
        ),
        (
            "33 of 50: lower end, 95 %",
            named("statsmodels", "method='normal'"),
            limits("normal"),
            "its default: mean ± 1.96 standard errors",
        ),
        ("33 of 50: lower end, 95 %", named("statsmodels", "method='agresti_coull'"), limits("agresti_coull"), ""),
        ("3 of 20 against 0.5: p", "gan_eval", [float(binomial_p(3, 20))], ""),
        ("3 of 20 against 0.5: p", named("scipy", "binomtest"), [float(stats.binomtest(3, 20).pvalue)], ""),
        (
            "3 of 20 against 0.3: p",
            named("scipy", "binomtest"),
            [float(stats.binomtest(3, 20, 0.3).pvalue)],
            "all outcomes that are no likelier, as R's binom.test",
        ),
        ("3 of 20 against 0.3: p", "twice the smaller tail", [float(2 * stats.binom.cdf(3, 20, 0.3))], ""),
        (
            "50 of 100 within 50 ± 10 %: p",
            named("statsmodels", "binom_tost"),
            [float(proportion.binom_tost(50, 100, 0.4, 0.6)[0])],
            "exact",
        ),
        (
            "50 of 100 within 50 ± 10 %: p",
            named("statsmodels", "proportions_ztost"),
            [float(proportion.proportions_ztost(50, 100, 0.4, 0.6)[0])],
            "normal, with the sample's variance",
        ),
        (
            "12 people's accuracy within 50 ± 10 %: p",
            named("statsmodels", "DescrStatsW.ttost_mean"),
            [float(DescrStatsW(shares).ttost_mean(0.4, 0.6)[0])],
            "",
        ),
        (
            "12 people's accuracy within 50 ± 10 %: p",
            named("pingouin", "tost(x, 0.5, bound=0.1)"),
            [float(pingouin.tost(shares, 0.5, bound=0.1)["pval"].iloc[0])],
            "the bound is half the width, from the second argument; by default 1",
        ),
        ("alpha, nominal", "gan_eval `agreement`", ours_alpha("nominal"), ""),
        ("alpha, nominal", named("krippendorff"), reference("nominal"), ""),
        ("alpha, nominal", named("irrCAC"), irrcac("krippendorff"), "rounded to 5 digits"),
        ("alpha, nominal", named("nltk", "alpha"), [float(task.alpha())], ""),
        ("alpha, ordinal", "gan_eval `agreement`", ours_alpha("ordinal"), ""),
        ("alpha, ordinal", named("krippendorff"), reference("ordinal"), ""),
        (
            "alpha, ordinal",
            named("irrCAC", "weights='ordinal'"),
            irrcac("krippendorff", "ordinal"),
            "Gwet's weights know the number of grades, Krippendorff's how often each was given",
        ),
        (fleiss, named("statsmodels"), [float(inter_rater.fleiss_kappa(counts))], ""),
        (fleiss, named("irrCAC", "fleiss"), irrcac("fleiss"), ""),
        (fleiss, named("nltk", "pi"), [float(task.pi())], "called Scott's pi there"),
        (fleiss, named("nltk", "multi_kappa"), [float(task.multi_kappa())], "this is Conger's kappa"),
        (
            "Bradley-Terry, first minus second",
            "gan_eval `bradley_terry`",
            [float(strengths[0] - strengths[1])],
            "",
        ),
        ("Bradley-Terry, first minus second", named("choix", "ilsr_pairwise"), [float(chosen[0] - chosen[1])], ""),
        (
            "Bradley-Terry, first minus second",
            named("evalica"),
            [float(np.log(rated[0] / rated[1]))],
            "scores are strengths: take logarithms; stops after 100 steps without a word",
        ),
        ("Bradley-Terry, first minus second", named("sureal"), [float(scores[0] - scores[1])], ""),
        ("its standard error", "inverse information", [information_error(wins, chosen)], ""),
        (
            "its standard error",
            named("sureal"),
            [float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))],
            "from its covariance: too small",
        ),
        (
            "Kendall's tau: lower end, 95 %",
            named("pingouin"),
            [float(correlation["CI95"][0])],
            "Pearson's standard error, 1/sqrt(n - 3)",
        ),
        (
            "Kendall's tau: lower end, 95 %",
            "Fieller: 0.437/(n - 4)",
            [float(np.tanh(np.arctanh(correlation["r"]) - 1.96 * np.sqrt(0.437 / 26)))],
            "",
        ),
        *psychometric_rows(),
        *mixed_rows(),
    ]


def pair_answers(votes: Sequence[tuple[int, int]]) -> Any:
    """Trials of two models' pictures (winner, loser), by 5 people."""
    import pandas as pd

    from gan_eval.stats.trials import fill_trials

    number, both = np.arange(len(votes)), np.sort(votes, axis=1)
    return fill_trials(
        pd.DataFrame(
            {
                "participant": [f"P{n % 5}" for n in number],
                "stimulus": [f"d/{a}/{n % 7}" for n, (a, _) in enumerate(both)],
                "item": [f"d/{n % 7}" for n in number],
                "kind": None,
                "response": None,
                "dataset": "d",
                "protocol": "model_vs_model",
                "model": [f"{a}|{b}" for a, b in both],
                "choice": np.where(both[:, 0] == np.asarray(votes)[:, 0], "a", "b"),
            }
        )
    )


def psychometric_rows() -> list[Row]:
    """The level with 75 % correct of two, 40 answers at each of six levels; no lapses."""
    from psignifit import psignifit

    from gan_eval.stats.mixed.psychometric import Judgements, pooled

    levels, right, answers = np.arange(1, 7), np.array([21, 24, 27, 33, 36, 38]), 40
    nothing = np.zeros(6 * answers, int)
    judged = Judgements(
        np.concatenate([np.arange(answers) < count for count in right]),
        np.repeat(levels.astype(float), answers),
        *(np.tile(np.arange(answers) % 8, 6), np.arange(6 * answers) % 12),
        *(nothing, False),
    )
    intercept, slope = pooled(judged, 0.0)[0].beta
    fixed = {"lambda": 0.0, "gamma": 0.5}
    table = np.column_stack([levels, right, np.full(6, answers)])
    fit = psignifit(table, experiment_type="2AFC", sigmoid="logistic", fixed_parameters=fixed, verbose=False)
    what = "level of 75 % correct, pairs"
    return [
        (what, "gan_eval `psychometric`, logit, no lapses", [float(-intercept / slope)], "maximum likelihood"),
        (
            what,
            named("psignifit", "threshold(0.75)"),
            [float(fit.threshold(0.75, return_ci=False))],
            "mode of the posterior: priors on threshold and width",
        ),
        (
            what,
            named("psignifit", "threshold(0.75, unscaled=True)"),
            [float(fit.threshold(0.75, unscaled=True, return_ci=False))],
            "75 % of the way from guessing to 100 %: this is 87.5 % correct",
        ),
    ]


def mixed_rows() -> list[Row]:
    """A logistic mixed model of 20 people and 30 pictures, crossed; `y ~ kind + (1 | person) + (1 | picture)`."""
    import mixedlm
    import pandas as pd
    from scipy.special import expit
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    from gan_eval.stats.mixed import fit_crossed

    random = np.random.default_rng(2)
    person, picture = (side.ravel() for side in np.mgrid[:20, :30])
    kind = (picture % 2).astype(float)
    eta = 0.4 - 0.6 * kind + 0.8 * random.normal(size=30)[picture] + 0.5 * random.normal(size=20)[person]
    y = random.random(len(eta)) < expit(eta)
    table = pd.DataFrame({"y": y.astype(float), "kind": kind})
    table = table.assign(person=[f"p{n}" for n in person], picture=[f"s{n}" for n in picture])
    ours = fit_crossed(y, np.stack([np.ones(len(y)), kind], axis=1), person, picture)
    model = "y ~ kind + (1 | person) + (1 | picture)"
    theirs = mixedlm.glmer(model, table, family=mixedlm.families.Binomial())
    np.random.seed(0)  # noqa: NPY002 statsmodels starts from numpy's global numbers
    bayes = BinomialBayesMixedGLM.from_formula(
        "y ~ kind", {"person": "0 + C(person)", "picture": "0 + C(picture)"}, table
    ).fit_vb()
    early, parts = "its usual optimiser stops early", "posterior by independent parts"
    control = 'optimizer = "bobyqa", tolPwrss = 1e-13'
    found: list[tuple[str, list[Any], tuple[str, str, str]]] = [
        ("gan_eval `mixed_models`", [ours.beta[1], np.sqrt(ours.covariance[1, 1]), ours.second.sd], ("", "", ""))
    ]
    for r, values in lme4(table).items():
        found += [
            (f"{r} `{control}`", values[4:7], ("", "", "")),
            (r, values[:3], (early, early, early)),
            (f"{r} `use.hessian = FALSE`", [None, values[7], None], ("", KNOWN, "")),
        ]
    found += [
        (
            named("mixedlm"),
            [theirs.beta[1], np.sqrt(np.asarray(theirs.vcov())[1, 1]), abs(theirs.theta[1])],
            ("", KNOWN, ""),
        ),
        (
            named("statsmodels", "BinomialBayesMixedGLM.fit_vb"),
            [bayes.fe_mean[1], bayes.fe_sd[1], np.exp(bayes.vcp_mean[1])],
            (parts, f"{parts}: far too small", parts),
        ),
    ]
    names = ("mixed model: effect, log-odds", "its standard error, mixed model", "SD of pictures, mixed model")
    return [
        (name, program, [float(values[place])], why[place])
        for place, name in enumerate(names)
        for program, values, why in found
        if values[place] is not None
    ]


def bare(package: str, *folders: str) -> None:
    """Make the modules of a package importable without its `__init__`, which asks for more than is installed."""
    root = Path(str(distribution(package).locate_file(package)))
    for name, path in ((package, root), *((f"{package}.{folder}", root / folder) for folder in folders)):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(path)]


def module_of(package: str, file: str) -> Any:
    """One file of an installed package whose other files ask for more than is installed."""
    spec = spec_from_file_location(package, str(distribution(package).locate_file(file)))
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def information_error(wins: Any, strengths: Any) -> float:
    """The standard error of the first difference by the information of independent votes."""
    chance = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    weight = (wins + wins.T) * chance * (1 - chance)
    covariance = np.linalg.pinv(np.diag(weight.sum(axis=1)) - weight)
    return float(np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))


if __name__ == "__main__":
    main()
