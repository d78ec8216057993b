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
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib.metadata import distribution, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "differences.md"
BEGIN = "<!-- made by benchmarks/differences.py: do not edit by hand -->"
END = "<!-- end of what is made -->"
PEERS = (
    *("piq==0.8.0", "pytorch-msssim==1.0.0", "sewar==0.4.10", "prdc==0.2", "pytorch-fid==0.3.0", "clean-fid==0.1.35"),
    *("opencv-contrib-python-headless==5.0.0.93", "krippendorff==0.9.0", "pingouin==0.7.0", "nltk==3.10.4"),
    *("choix==0.4.1", "evalica==0.4.2", "statsmodels==0.15.0"),
)
ALONE = ("irrCAC==0.4.4", "sureal==0.9.0", "metadpy==0.1.2")
"""Installed without what they ask for: they pin old versions, or bring what is not needed here."""
NPM = ("ssim.js@3.5.0", "image-ssim@0.2.0", "@imagemagick/magick-wasm@0.0.43")

Row = tuple[str, str, list[float], str]
"""What is measured, by which program and call, the values, why it differs."""
HEADS = {
    "Pairs of pictures": "| metric | program | blur | JPEG | noise | equal | why |",
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
    python = peers_python(folder / "python", PEERS, alone=ALONE)
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
    if len(lines[0]) != len(lines[1]):
        yield f"{len(lines[0])} lines are now {len(lines[1])}"
    for was, now in zip(*lines, strict=False):
        pairs = zip(number.findall(was), number.findall(now), strict=False)
        if not all(a == b or near(a, b) for a, b in pairs) or number.sub("", was) != number.sub("", now):
            yield f"was {was}\nnow {now}"


def near(was: str, now: str) -> bool:
    """Whether two cells differ by at most two units of the last digit."""
    return math.isclose(float(was), float(now), abs_tol=2.5 * 10.0 ** -len(now.partition(".")[2]))


def measured(folder: Path) -> dict[str, list[Row]]:
    """All rows, measured in the other programs' environment."""
    import torch

    torch.set_num_threads(1)
    return {"Pairs of pictures": pictures(folder), "Sets of features": sets(), "Judgements": judgements()}


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
    from metric_sides import damaged, photographs
    from pytorch_msssim import ms_ssim, ssim
    from skimage import metrics as sk

    from gan_eval.metrics import functional as ours

    real = photographs(3)
    pairs = [(damaged(picture, number), picture) for number, picture in enumerate(real)] + [(real[0], real[0])]

    def each(function: Callable[[Any, Any], Any], kind: str = "arrays") -> list[float]:
        def bytes_of(picture: Any) -> Any:
            return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous()

        as_kind = {
            "arrays": np.asarray,
            "bytes": bytes_of,
            "floats": lambda picture: bytes_of(picture).double() / 255,
            "levels": lambda picture: bytes_of(picture).double(),
        }[kind]
        return [float(np.mean(np.asarray(function(as_kind(fake), as_kind(reference))))) for fake, reference in pairs]

    def mine(function: Callable[[Any, Any], Any]) -> list[float]:
        return each(function, "bytes")

    def quality(name: str) -> Callable[[Any, Any], Any]:
        return lambda a, b: getattr(cv2.quality, f"Quality{name}_compute")(a, b)[0][:3]

    javascript = node(folder, pairs)
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
    piq_precision, piq_recall = piq.PR(nearest_k=5).compute_metric(a, b)
    return [
        ("FID", "gan_eval `fid`", [ours.fid(a, b)], ""),
        ("FID", named("pytorch-fid"), [float(calculate_frechet_distance(*moments))], ""),
        ("FID", named("clean-fid"), [float(frechet_distance(*moments))], ""),
        ("FID", named("torchmetrics"), [float(_compute_fid(*map(torch.from_numpy, moments)))], ""),
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
        ("recall", "gan_eval `recall`", [ours.recall(a, b)], "k = 3"),
        ("recall", named("prdc", "nearest_k=3"), [three["recall"]], ""),
        ("recall", named("piq", "nearest_k=5"), [float(piq_recall)], "its usual k"),
        ("density", "gan_eval `density`", [ours.density(a, b)], "k = 5"),
        ("density", named("prdc", "nearest_k=5"), [five["density"]], ""),
        ("coverage", "gan_eval `coverage`", [ours.coverage(a, b)], "k = 5"),
        ("coverage", named("prdc", "nearest_k=5"), [five["coverage"]], ""),
    ]


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
    from sureal.pc_subjective_model import BradleyTerryMlePairedCompSubjectiveModel as Sureal

    from gan_eval.stats.answers.agreement import alpha
    from gan_eval.stats.answers.rates import dprime_and_criterion
    from gan_eval.stats.shares import binomial_p, wilson

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
    ]


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
