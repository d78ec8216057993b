"""Every metric next to outside judges, and what holds for all of them: one table each for pictures, holes, sets.

A row is (metric, judge, the judge's function, tolerance). The judges are other programs, or the definition written out
plainly. What is left out: numbers that peers publish for pictures which are not ours to distribute, or by another
definition (piq's SSIM at half size, BRISQUE with MATLAB's luma).
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import piq
import pytest
import torch
import torchmetrics.functional.image as tm
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_sets import (
    SETS,
    by_neighbours,
    cmmd_by_matrices,
    fid_of_torch_fidelity,
    fid_of_torchmetrics,
    fifty_digits,
    kid_by_double_sum,
    kid_of_torch_fidelity,
    machine,
    neighbours_of_torch_fidelity,
)
from metric_pictures import disturbed, planes, texture
from picture_strategies import pictures
from scipy.ndimage import laplace
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchmetrics.image.kid import poly_mmd

from gan_eval.metrics import classes
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import cmmd, kid, neighbours, separability
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.one_value import scores
from gan_eval.pictures.decode import Picture

SCIKIT_IMAGE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
Judge = Callable[..., Any]
Range = tuple[float, float]


def luma(picture: Picture) -> Picture:
    return ((picture.astype(int) @ [299, 587, 114] + 500) // 1000).astype(np.uint8)


def by_sums(fake: Picture, real: Picture) -> float:
    """PSNR by exact sums of whole numbers."""
    squares = int(((fake.astype(np.int64) - real) ** 2).sum())
    return 10 * math.log10(255**2 * fake.size / squares) if squares else math.inf


def of_piq(name: str, **how: Any) -> Judge:
    """piq's function of pictures in 0..255, or in 0..1 where it is given no range."""
    scale = 1 if how else 255
    return lambda *pair: getattr(piq, name)(
        *(planes(part).to(torch.float64 if how else torch.float32) / scale for part in pair), **how
    )


def of_torchmetrics(name: str) -> Judge:
    return lambda *pair: getattr(tm, name)(*map(planes, pair), data_range=255.0)


def of_skimage(fake: Picture, real: Picture) -> float:
    return float(structural_similarity(fake, real, channel_axis=-1, **SCIKIT_IMAGE))


PICTURES: list[tuple[str, str, Judge, float]] = [
    ("psnr", "exact sums", by_sums, 0),
    ("psnr", "scikit-image", lambda x, y: peak_signal_noise_ratio(y, x, data_range=255), 1e-9),
    ("psnr", "piq", of_piq("psnr", data_range=255), 5e-5),  # it adds 1e-8 to the error
    ("psnr", "torchmetrics", of_torchmetrics("peak_signal_noise_ratio"), 5e-6),  # a float32 logarithm
    ("l1", "exact sums", lambda x, y: int(abs(x.astype(np.int64) - y).sum()) / x.size, 0),
    ("ssim", "scikit-image", of_skimage, 5e-7),
    ("ssim", "piq", of_piq("ssim", data_range=255, downsample=False), 1e-8),
    # torchmetrics counts a border that it has reflected
    ("ssim", "torchmetrics", of_torchmetrics("structural_similarity_index_measure"), 0.02),
    ("ssim_luma", "scikit-image", lambda x, y: structural_similarity(luma(x), luma(y), **SCIKIT_IMAGE), 5e-7),
    ("ms_ssim", "piq", of_piq("multi_scale_ssim", data_range=255), 1e-7),
    ("ms_ssim", "torchmetrics", of_torchmetrics("multiscale_structural_similarity_index_measure"), 4e-3),
    ("sharpness", "scipy", lambda x: laplace(luma(x).astype(int))[1:-1, 1:-1].var(), 1e-9),
    *((name, "piq", of_piq(theirs), 1e-7) for name, theirs in (
        ("vif", "vif_p"), ("fsim", "fsim"), ("gmsd", "gmsd"), ("ms_gmsd", "multi_scale_gmsd"), ("vsi", "vsi"),
        ("mdsi", "mdsi"), ("haarpsi", "haarpsi"),
    )),
]  # fmt: skip
ANY_SIZE = {"exact sums": 1, "scikit-image": 11, "scipy": 3}
"""Judges that are asked about any pictures, and the shortest side."""
REAL = np.ascontiguousarray(data.astronaut()[:192, 100:300])
FAKE = np.clip(REAL + np.random.default_rng(0).normal(0, 12, REAL.shape), 0, 255).astype(np.uint8)
ASTRONAUT = data.astronaut()


def value(name: str, *pair: Any) -> float:
    """The metric of (fake, real, ...), or of the fake alone."""
    metric = METRICS[name]
    assert metric.function is not None
    return float(metric.function(*pair[: 1 if metric.kind == "single" else None]))


@pytest.mark.parametrize(("name", "by", "judge", "tolerance"), PICTURES)
def test_a_photograph_has_the_judges_value(name: str, by: str, judge: Judge, tolerance: float) -> None:
    pairs = [(FAKE, REAL)]
    if METRICS[name].library:  # three of them halve pictures with sides from 384 pixels
        sizes = ((41, 90), (97, 120), *([(385, 386)] if name in ("fsim", "vsi", "mdsi") else []))
        pairs = [(disturbed(part, 5), part) for part in (ASTRONAUT[:height, :width] for height, width in sizes)]
    for pair in pairs:
        given = pair[:1] if METRICS[name].kind == "single" else pair
        assert value(name, *pair) == pytest.approx(float(judge(*given)), abs=tolerance), by
        batches = [torch.from_numpy(part.copy()).permute(2, 0, 1)[None] for part in given]
        assert scores(name, *batches).tolist() == [value(name, *pair)]


@pytest.mark.parametrize(("name", "by", "judge", "tolerance"), [row for row in PICTURES if row[1] in ANY_SIZE])
def test_any_pictures_have_the_judges_value(name: str, by: str, judge: Judge, tolerance: float) -> None:
    @settings(max_examples=25)
    @given(pictures(2, st.integers(ANY_SIZE[by], 90)))
    def compared(pair: list[Picture]) -> None:
        given = pair[:1] if METRICS[name].kind == "single" else pair
        with np.errstate(divide="ignore"):  # scikit-image, for equal pictures
            wanted = float(judge(*given))
        assert value(name, *pair) == pytest.approx(wanted, rel=1e-12, abs=tolerance)

    compared()


@pytest.mark.nightly
@settings(max_examples=3)  # piq takes half a second in float64
@given(pictures(2, st.integers(161, 180)))
def test_ms_ssim_of_any_pictures_is_piqs(pair: list[Picture]) -> None:
    theirs = piq.multi_scale_ssim(*map(planes, pair), data_range=255)
    assert value("ms_ssim", *pair) == pytest.approx(float(theirs), abs=1e-5)


Hole = np.ndarray


def some_hole(kind: str, height: int, width: int, seed: int) -> Hole:
    rng, hole = np.random.default_rng(seed), np.zeros((height, width), bool)
    if kind == "centre":
        hole[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    elif kind == "border":
        hole[:, : width // 2] = True
    elif kind == "point":
        hole[rng.integers(5, height - 5), rng.integers(5, width - 5)] = True
    else:
        hole = rng.random((height, width)) < (1.0 if kind == "everything" else 0.3)
        hole[height // 2, width // 2] = True
    return hole


def ssim_of_hole(fake: Picture, real: Picture, hole: Hole) -> float:
    _, found = structural_similarity(fake, real, full=True, channel_axis=-1, **SCIKIT_IMAGE)
    return float(found[5:-5, 5:-5][hole[5:-5, 5:-5]].mean())


HOLES: list[tuple[str, Judge]] = [
    ("psnr_hole", lambda x, y, hole: by_sums(x[hole], y[hole])),
    ("l1_hole", lambda x, y, hole: abs(x[hole].astype(float) - y[hole]).mean()),
    ("ssim_hole", ssim_of_hole),
]


@settings(max_examples=40)
@given(
    pictures(2, st.integers(12, 90)),
    st.sampled_from(["centre", "border", "point", "everything", "scattered"]),
    st.integers(0, 10**6),
)
def test_holes_have_the_judges_value(pair: list[Picture], kind: str, seed: int) -> None:
    hole = some_hole(kind, *pair[0].shape[:2], seed)
    for name, judge in HOLES:
        assert value(name, *pair, hole) == pytest.approx(judge(*pair, hole), abs=1e-6), name


BY_PICTURES = {
    name: metric
    for name, metric in METRICS.items()
    if metric.kind in ("pair", "single") and metric.function and not metric.takes_hole
}


def test_every_metric_of_pictures_has_a_judge() -> None:
    judged = {name for name, *_ in PICTURES} | {"niqe"}  # its release's values: test_no_reference.py
    assert BY_PICTURES.keys() - judged == set(), "a row in PICTURES"


@pytest.mark.parametrize("name", [name for name, metric in BY_PICTURES.items() if metric.kind == "pair"])
def test_what_holds_for_every_metric_of_pairs(name: str) -> None:
    metric = METRICS[name]
    best = {"vif": 1}.get(name, metric.high if metric.higher_is_better else metric.low)
    assert value(name, REAL, REAL) == pytest.approx(best, abs=1e-5)
    assert metric.low <= value(name, FAKE, REAL) <= metric.high
    assert (value(name, FAKE, REAL) < best) == metric.higher_is_better
    is_symmetric = value(name, REAL, FAKE) == pytest.approx(value(name, FAKE, REAL), abs=1e-4)
    assert is_symmetric == (name not in ("vif", "mdsi"))
    with pytest.raises(Unmeasurable, match="200x192 and 192x200"):
        value(name, REAL, REAL.swapaxes(0, 1))


@pytest.mark.parametrize("name", [name for name, metric in BY_PICTURES.items() if metric.min_size])
def test_a_picture_of_the_least_size_has_a_value_and_a_smaller_one_a_reason(name: str) -> None:
    short, long = sorted(METRICS[name].min_size or ())
    for height, width in ((short, long), (long, short)):
        part = ASTRONAUT[:height, 150 : 150 + width]
        assert math.isfinite(value(name, disturbed(part, 0), part))
    small = ASTRONAUT[: short - 1, 150 : 150 + long]
    with pytest.raises(Unmeasurable):
        value(name, disturbed(small, 0), small)


FLAT = [np.full((192, 192, 3), level, np.uint8) for level in (0, 110, 255)]
NOISE = np.random.default_rng(0).integers(0, 256, (192, 192, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", ["vif", "vsi", "fsim", "haarpsi", "niqe"])
def test_flat_pictures_have_a_reason_where_peers_give_a_constant_or_rounding_error(name: str) -> None:
    black, grey, white = FLAT
    pairs = [(white, black), (black, black), (grey, white)]
    pairs += [(NOISE, black), (NOISE, grey)] if name in ("vif", "vsi") else []  # of any flat reference
    for pair in pairs:
        with pytest.raises(Unmeasurable, match="flat"):
            value(name, *pair)
    if name != "niqe":
        assert value(name, *((black, NOISE) if name in ("vif", "vsi") else (NOISE, grey))) < 0.5


def test_sums_of_large_pictures_do_not_overflow() -> None:
    white = np.full((1000, 1200, 3), 255, np.uint8)
    assert [value(name, white, np.zeros_like(white)) for name in ("psnr", "l1")] == [0, 255]


@pytest.mark.parametrize(
    ("name", "brighter", "negative", "opposite"),
    [
        ("psnr", (5.9, 6.1), (5, 6), (0, 0)),  # 128 levels are 20 log10(255 / 128) dB
        ("l1", (128, 128), (110, 130), (255, 255)),
        ("ssim", (0.5, 0.7), (-0.3, 0), (0, 0.001)),
        ("ssim_luma", (0.5, 0.7), (-0.3, 0), (0, 0.001)),
        ("ms_ssim", (0.9, 0.95), (0, 0), (0.2, 0.3)),  # brightness counts at the coarsest of its five scales only
    ],
)
def test_a_brighter_copy_a_negative_and_black_for_white_are_not_perfect(
    name: str, brighter: Range, negative: Range, opposite: Range
) -> None:
    dark = REAL // 2
    black, _, white = FLAT
    pairs = [(dark + np.uint8(128), dark), (255 - REAL, REAL), (black, white)]
    for pair, (low, high) in zip(pairs, (brighter, negative, opposite), strict=True):
        assert low <= value(name, *pair) <= high


@pytest.mark.parametrize("name", ["psnr", "l1", "ssim", "ms_ssim"])
def test_a_value_range_is_never_guessed(name: str) -> None:
    whole = texture(0, 16, 16)
    floats = whole.astype(np.float32) / 255
    for wrong in (floats, torch.from_numpy(floats), whole.astype(np.int16), [[[0, 0, 0]]]):
        with pytest.raises(TypeError, match="uint8 or uint16"):
            value(name, wrong, wrong)
    with pytest.raises(TypeError, match="depth"):
        value(name, whole, whole.astype(np.uint16))


def test_unfit_holes_have_no_value() -> None:
    fake, real = FAKE[:40, :60], REAL[:40, :60]
    hole = np.ones((40, 60), bool)
    for name, _ in HOLES:
        with pytest.raises(Unmeasurable, match="no hole"):
            value(name, fake, real, ~hole)
        with pytest.raises(Unmeasurable, match=r"59x40 .* 60x40"):
            value(name, fake, real, hole[:, 1:])
        with pytest.raises(TypeError, match="uint8"):
            value(name, fake, real, hole.view(np.uint8))
    rim = hole.copy()
    rim[5:-5, 5:-5] = False
    with pytest.raises(Unmeasurable, match="border"):
        value("ssim_hole", fake, real, rim)
    assert value("psnr_hole", fake, real, rim) > 0


CMMD = Metric("cmmd", "set", "", "", "", function=cmmd.cmmd)
P_IDS, U_IDS = (
    Metric(function.__name__, "set", "", "", "", function=function)
    for function in (separability.p_ids, separability.u_ids)
)
OF_SETS = {
    **{name: METRICS[f"{name}_inception"] for name in ("precision", "recall", "density", "coverage")},
    **{name: METRICS[name] for name in ("fid", "kid", "kid_all_pairs")},
    "cmmd": CMMD,
    "p_ids": P_IDS,
    "u_ids": U_IDS,
}
JUDGES: list[tuple[str, str, Judge, float]] = [
    ("fid", "50 digits", lambda x, y: fifty_digits(x, y)[0], 1e-9),
    ("fid", "torch-fidelity", fid_of_torch_fidelity, 1e-9),
    ("fid", "torchmetrics", fid_of_torchmetrics, 1e-6),
    ("fid", "piq", lambda x, y: piq.FID()(*map(torch.tensor, (x, y))), 1e-4),  # adds to the covariances' diagonals
    ("kid", "scikit-learn", kid_by_double_sum, 1e-12),
    ("kid", "torch-fidelity", kid_of_torch_fidelity, 1e-9),
    ("kid", "torchmetrics", lambda x, y: poly_mmd(*map(torch.tensor, (x, y))), 1e-9),
    ("kid_all_pairs", "scikit-learn", kid_by_double_sum, 1e-12),
    ("cmmd", "scikit-learn", cmmd_by_matrices, 1e-7),
    ("p_ids", "scikit-learn", lambda x, y: machine(x, y)[0], 1e-12),
    ("u_ids", "scikit-learn", lambda x, y: machine(x, y)[1], 1e-12),
    *((name, "scipy", lambda x, y, name=name: by_neighbours(x, y)[name], 1e-12)
      for name in ("precision", "recall", "density", "coverage")),
    *((name, "torch-fidelity", lambda x, y, name=name: neighbours_of_torch_fidelity(x, y)[name], 1e-6)
      for name in ("precision", "recall")),
    *((name, "piq", lambda x, y, at=at: piq.PR(nearest_k=3)(*map(torch.tensor, (x, y)))[at], 1e-6)
      for at, name in enumerate(("precision", "recall"))),
]  # fmt: skip


@pytest.mark.parametrize("block", [7, 2048])
@pytest.mark.parametrize(("name", "by", "judge", "tolerance"), JUDGES)
def test_a_set_has_the_judges_value(
    name: str, by: str, judge: Judge, tolerance: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, constant in ((kid, "BLOCK"), (cmmd, "BLOCK"), (neighbours, "MAX_DISTANCES")):
        monkeypatch.setattr(module, constant, block)
    any_sizes = by in ("50 digits", "scikit-learn", "scipy") and name not in ("p_ids", "u_ids")
    for real, fake in SETS:
        if any_sizes or len(real) == len(fake):
            wanted = pytest.approx(float(judge(real, fake)), rel=tolerance, abs=tolerance)
            assert of_sets(name, real, fake) == wanted, len(real)


def of_sets(name: str, real: np.ndarray, fake: np.ndarray) -> float:
    function = OF_SETS[name].function
    assert function is not None
    return float(function(real, fake))


LEAST = {"fid": 2, "kid": 2, "kid_all_pairs": 2, "cmmd": 1, "precision": 4, "recall": 4, "density": 6, "coverage": 6}
"""Pictures of each kind that a metric needs."""


@pytest.mark.parametrize("name", OF_SETS)
def test_what_holds_for_every_metric_of_sets(name: str) -> None:
    real, fake = (each.astype(float) for each in SETS[0])
    if name in LEAST:
        least = LEAST[name]
        assert math.isfinite(of_sets(name, real, fake[:least]))
        for few in ((real, fake[: least - 1]), (real[: least - 1], fake)):
            with pytest.raises(Unmeasurable, match=f"{len(few[0])} real and {len(few[1])} generated"):
                of_sets(name, *few)
        order = np.random.default_rng(1).permutation(len(fake))
        assert of_sets(name, real, fake[order]) == pytest.approx(of_sets(name, real, fake), rel=1e-7)
    else:
        with pytest.raises(Unmeasurable):
            of_sets(name, real, fake[:0])
    for number in (2, len(fake)):  # fewer pictures than features, and more
        broken = fake[:number].copy() if name in ("fid", "kid", "cmmd") else fake.copy()
        broken[1, 1] = np.nan
        with pytest.raises(Unmeasurable, match="not finite"):
            of_sets(name, real, broken)
    equal = {"fid": 0, "cmmd": 0, "precision": 1, "recall": 1, "coverage": 1}
    if name in equal:
        assert of_sets(name, real, real[::-1]) == pytest.approx(equal[name], abs=1e-9)
    if name in ("fid", "kid", "kid_all_pairs", "cmmd"):
        assert of_sets(name, fake, real) == pytest.approx(of_sets(name, real, fake), rel=1e-7)


def torchmetrics_pair() -> tuple[torch.Tensor, torch.Tensor]:
    preds = torch.rand([3, 3, 256, 256], generator=torch.Generator().manual_seed(42))
    return (255 * preds).round().to(torch.uint8), (255 * preds * 0.75).round().to(torch.uint8)


def test_numbers_in_the_docstrings_of_torchmetrics() -> None:
    """Compare with the docstrings of torchmetrics dab0333 (2026-08-20)."""
    assert scores("ssim", *torchmetrics_pair()).mean().item() == pytest.approx(0.9219, abs=1e-3)
    assert scores("ms_ssim", *torchmetrics_pair()).mean().item() == pytest.approx(0.9628, abs=1e-3)
    grids = torch.tensor([[0, 1], [2, 3]]), torch.tensor([[3, 2], [1, 0]])
    assert classes.PeakSignalNoiseRatio(3.0)(*grids).item() == pytest.approx(2.5527, abs=5e-5)
