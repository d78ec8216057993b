"""Both sides of each line of `benchmarks/metrics.py`, ready to be called."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

SIDE = 256
PAIRS = 400
SEED = 20_030_413
ROOT = Path(__file__).resolve().parent.parent
CLASSIC = ("vif", "fsim", "gmsd", "ms_gmsd", "vsi", "mdsi", "haarpsi")
PIQ_NAMES = {"vif": "vif_p", "ms_gmsd": "multi_scale_gmsd"}
"""piq's names of those that it calls otherwise."""

Sides = tuple[Callable[[], Any], Callable[[], Any]]
"""Ours, theirs."""


@dataclass(frozen=True)
class Line:
    """One comparison."""

    work: str
    compared_with: str
    prepare: Callable[[Path], Sides]
    """Makes both sides in a scratch folder, each called once before."""
    rounds: int = 5
    calls: int = 1
    """Calls of the work in one round, on both sides."""


def photographs(count: int) -> list[Any]:
    """`count` different (256, 256, 3) uint8 cuts of scikit-image's photographs, in a fixed order."""
    from skimage import data

    sources = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket(), data.cat()]
    random = np.random.default_rng(SEED)
    pictures = []
    for number in range(count):
        source = sources[number % len(sources)]
        top, left = (int(random.integers(0, length - SIDE + 1)) for length in source.shape[:2])
        pictures.append(np.ascontiguousarray(source[top : top + SIDE, left : left + SIDE]))
    return pictures


def damaged(picture: Any, number: int) -> Any:
    """A picture as a generator might have made it: blurred, compressed or noisy."""
    from PIL import Image, ImageFilter

    image = Image.fromarray(picture)
    match number % 3:
        case 0:
            return np.asarray(image.filter(ImageFilter.GaussianBlur(1.2)))
        case 1:
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=30)
            return np.asarray(Image.open(buffer))
        case _:
            noise = np.random.default_rng(number).normal(0, 8, picture.shape)
            return np.clip(picture + noise, 0, 255).astype(np.uint8)


def pair_folders(folder: Path, count: int) -> tuple[Path, Path]:
    """Folders with `count` PNG pairs; a full disk or a slow one is not what is measured, they stay in its cache."""
    from PIL import Image

    real, fake = folder / "real", folder / "fake"
    for directory in (real, fake):
        directory.mkdir(exist_ok=True)
    for number, picture in enumerate(photographs(count)):
        Image.fromarray(picture).save(real / f"{number:04}.png")
        Image.fromarray(damaged(picture, number)).save(fake / f"{number:04}.png")
    return real, fake


def pyiqa_niqe(scratch: Path) -> Callable[[Any], Any]:
    """pyiqa's NIQE with the official parameters, which it would fetch itself."""
    import scipy.io
    from pyiqa.archs.niqe_arch import NIQE

    with np.load(ROOT / "gan_eval" / "metrics" / "data" / "niqe_pristine.npz") as arrays:
        parameters = {"mu_prisparam": arrays["mu"][None], "cov_prisparam": arrays["cov"]}
    file = scratch / "niqe.mat"
    scipy.io.savemat(file, parameters)
    return NIQE(pretrained_model_path=str(file)).eval()


def as_floats(picture: Any) -> Any:
    """(1, 3, H, W) float32, 0..1."""
    import torch

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous().float() / 255


def folders(scratch: Path) -> Sides:
    """400 PNG pairs from disk to tables; theirs measures NIQE of the generated pictures alone, ours of all."""
    import piq
    import torch
    from PIL import Image

    from gan_eval.metrics import evaluate, folder_pair
    from gan_eval.metrics.kernels.compiled import warm_up

    torch.set_num_threads(2)
    warm_up()
    real, fake = pair_folders(scratch, PAIRS)
    niqe = pyiqa_niqe(scratch)

    def ours() -> None:
        evaluate(_stimuli(folder_pair(real, fake)), ["psnr", "ssim", "niqe"], cache=False)

    def theirs() -> None:
        for path in sorted(fake.iterdir()):
            generated, reference = (as_floats(np.asarray(Image.open(p))) for p in (path, real / path.name))
            with torch.no_grad():
                piq.psnr(generated, reference, data_range=1.0)
                piq.ssim(generated, reference, data_range=1.0, downsample=False)
                niqe(generated)

    ours()
    return ours, theirs


def classic(scratch: Path) -> Sides:
    """The classic metrics of 40 PNG pairs, from disk to tables on our side and to numbers on theirs."""
    import piq
    import torch
    from PIL import Image

    from gan_eval.metrics import evaluate, folder_pair

    torch.set_num_threads(2)
    real, fake = pair_folders(scratch, 40)
    functions = [getattr(piq, PIQ_NAMES.get(name, name)) for name in CLASSIC]

    def ours() -> None:
        evaluate(_stimuli(folder_pair(real, fake)), CLASSIC, cache=False)

    def theirs() -> None:
        for path in sorted(fake.iterdir()):
            generated, reference = (as_floats(np.asarray(Image.open(p))) for p in (path, real / path.name))
            with torch.no_grad():
                for function in functions:
                    function(generated, reference)

    ours()
    theirs()
    return ours, theirs


def _stimuli(pair: Any) -> Any:
    """Return the stimulus set of two folders."""
    return getattr(pair, "stimuli", pair)


def one_pair(_: Path) -> tuple[Any, Any]:
    """A real picture and a damaged one."""
    (picture,) = photographs(1)
    return picture, damaged(picture, 1)


def repeated(work: Callable[[], Any], calls: int) -> Callable[[], None]:
    """The same call several times, after one to warm up."""
    work()

    def run() -> None:
        for _ in range(calls):
            work()

    return run


def pair_metric(ours_name: str, theirs: Callable[[Any, Any], Any], calls: int, scratch: Path) -> Sides:
    """One pair, single thread; the conversion to floats is not counted on their side."""
    import torch

    from gan_eval.metrics.definitions import similarity

    torch.set_num_threads(1)
    real, fake = one_pair(scratch)
    function = getattr(similarity, ours_name)
    x, y = as_floats(fake), as_floats(real)
    with torch.no_grad():
        return repeated(lambda: function(fake, real), calls), repeated(partial(theirs, x, y), calls)


def classic_call(name: str, calls: int, scratch: Path) -> Sides:
    """One pair of 8-bit pictures, single thread; both sides make floats of them."""
    import piq
    import torch

    from gan_eval.metrics.catalogue import METRICS

    torch.set_num_threads(1)
    real, fake = one_pair(scratch)
    function, ours = getattr(piq, PIQ_NAMES.get(name, name)), METRICS[name].function
    assert ours is not None

    def theirs() -> None:
        with torch.no_grad():
            function(as_floats(fake), as_floats(real))

    return repeated(partial(ours, fake, real), calls), repeated(theirs, calls)


def piq_ssim(x: Any, y: Any) -> Any:
    """piq's SSIM at full size."""
    import piq

    return piq.ssim(x, y, data_range=1.0, downsample=False)


def msssim_ssim(x: Any, y: Any) -> Any:
    """pytorch-msssim's SSIM."""
    import pytorch_msssim

    return pytorch_msssim.ssim(x, y, data_range=1.0)


def msssim_ms_ssim(x: Any, y: Any) -> Any:
    """pytorch-msssim's MS-SSIM."""
    import pytorch_msssim

    return pytorch_msssim.ms_ssim(x, y, data_range=1.0)


def piq_psnr(x: Any, y: Any) -> Any:
    """piq's PSNR."""
    import piq

    return piq.psnr(x, y, data_range=1.0)


def niqe(scratch: Path) -> Sides:
    """One picture, single thread."""
    import torch

    from gan_eval.metrics.definitions.no_reference import niqe as ours

    torch.set_num_threads(1)
    _, fake = one_pair(scratch)
    peer, x = pyiqa_niqe(scratch), as_floats(fake)
    with torch.no_grad():
        return repeated(lambda: ours(fake), 20), repeated(lambda: peer(x), 20)


def features(count: int) -> tuple[Any, Any]:
    """Two sets of (count, 2048) float32 features with a falling spectrum, as a network's have."""
    random = np.random.default_rng(SEED)
    scales = (np.arange(1, 2049) ** -0.5).astype(np.float32)
    mix = np.linalg.qr(random.normal(size=(2048, 2048)))[0].astype(np.float32)
    real, fake = ((random.normal(size=(count, 2048)).astype(np.float32) * scales) @ mix for _ in range(2))
    return real, fake + np.float32(0.01)


def frechet_few(_: Path) -> Sides:
    """400 pictures a set compared with scipy's matrix root."""
    import scipy.linalg
    import torch

    torch.set_num_threads(2)
    real, fake = features(400)

    def theirs() -> float:
        x, y = real.astype(np.float64), fake.astype(np.float64)
        first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
        root = scipy.linalg.sqrtm(first @ second)
        shift = x.mean(axis=0) - y.mean(axis=0)
        return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * np.trace(root.real))

    from gan_eval.metrics.definitions.frechet import fid

    fid(real, fake)
    return lambda: fid(real, fake), theirs


def frechet_many(_: Path) -> Sides:
    """5,000 pictures a set compared with torch-fidelity, from features to the distance on both sides."""
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    torch.set_num_threads(2)
    real, fake = features(5000)
    x, y = torch.from_numpy(real), torch.from_numpy(fake)

    def theirs() -> Any:
        return fid_statistics_to_metric(fid_features_to_statistics(x), fid_features_to_statistics(y), False)

    from gan_eval.metrics.definitions.frechet import fid

    fid(real, fake)
    return lambda: fid(real, fake), theirs


def kid_many(_: Path) -> Sides:
    """5,000 pictures a set compared with torch-fidelity, whose one subset holds all of them.

    It computes in the features' precision: given float32, it takes half the time and is off by 6e-4 of the value.
    """
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    from gan_eval.metrics.definitions.kid import kid

    torch.set_num_threads(2)
    real, fake = features(5000)
    x, y = (torch.from_numpy(side.astype(np.float64)) for side in (real, fake))

    def theirs() -> float:
        found = kid_features_to_metric(y, x, kid_subsets=1, kid_subset_size=len(x), verbose=False)
        return float(found["kernel_inception_distance_mean"])

    kid(real[:64], fake[:64])
    return lambda: kid(real, fake), theirs


def clip_features(count: int) -> tuple[Any, Any]:
    """Two sets of (count, 768) float32 features whose directions are alike, as CLIP's are."""
    random = np.random.default_rng(SEED)
    centre = 1.2 * random.normal(size=768)
    real, fake = (centre + 0.1 * n * random.normal(size=768) + random.normal(size=(count, 768)) for n in range(2))
    return real.astype(np.float32), fake.astype(np.float32)


def cmmd_many(precision: str, _: Path) -> Sides:
    """5,000 pictures a set compared with the published program's arithmetic: whole kernel matrices in torch."""
    import torch

    from gan_eval.metrics.definitions.cmmd import cmmd

    torch.set_num_threads(2)
    real, fake = clip_features(5000)
    x, y = (torch.from_numpy(side).to(getattr(torch, precision)) for side in (real, fake))

    def mean(a: Any, b: Any) -> Any:
        distances = -2 * (a @ b.T) + (a * a).sum(1)[:, None] + (b * b).sum(1)[None]
        return torch.exp(-distances / (2 * 10**2)).mean()

    def theirs() -> float:
        a, b = (side / torch.linalg.norm(side, dim=1, keepdim=True) for side in (x, y))
        return float(1000 * (mean(a, a) + mean(b, b) - 2 * mean(a, b)))

    cmmd(real[:64], fake[:64])
    return lambda: cmmd(real, fake), theirs


def separability(_: Path) -> Sides:
    """P-IDS, U-IDS and their intervals of 1,000 pairs compared with a loop over eleven fits of scikit-learn."""
    from sklearn.svm import LinearSVC

    from gan_eval.metrics.definitions.jackknife import GROUPS, PictureSet, deal, groups_of
    from gan_eval.metrics.definitions.separability import compare_separability

    real, fake = (side[:1000, :512] for side in clip_features(1000))
    items = tuple(f"{n:04}" for n in range(len(real)))
    groups = groups_of(items, deal(items))
    sets = [PictureSet(side, items, groups) for side in (real, fake)]

    def fitted(x: Any, y: Any) -> tuple[float, float]:
        both, truth = np.vstack([x, y]), np.repeat([1, 0], [len(x), len(y)])
        machine = LinearSVC(dual=False).fit(both, truth)
        return (
            float(np.mean(machine.decision_function(y) > machine.decision_function(x))),
            1 - machine.score(both, truth),
        )

    def theirs() -> Any:
        return [fitted(real[groups != group], fake[groups != group]) for group in range(-1, GROUPS)]

    def ours() -> Any:
        return compare_separability(sets[0])(sets[1], ["p_ids", "u_ids"])

    fitted(real[:64], fake[:64])
    return ours, theirs


def inception(_: Path) -> Sides:
    """64 pictures through both networks on two cores.

    Ours as the pass over the pictures does it: two workers of one thread, batches of 16. Theirs: two threads in each
    call, batches of 16, unfolded, NCHW.
    """
    from concurrent.futures import ThreadPoolExecutor

    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    from gan_eval.metrics.networks.extractors import inception_extractor
    from gan_eval.metrics.weights.cache import find

    pictures = photographs(64)
    extractor = inception_extractor(find("inception"), device="cpu")
    peer = peer_network(FeatureExtractorInceptionV3)
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()

    def work(first: int) -> None:
        extractor.features([extractor.prepare(picture) for picture in pictures[first : first + 16]])

    def ours() -> None:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(2) as workers:
            list(workers.map(work, range(0, len(pictures), 16)))

    def theirs() -> None:
        torch.set_num_threads(2)
        with torch.inference_mode():
            for part in batch.split(16):
                peer(part)

    ours()
    theirs()
    return ours, theirs


def peer_network(kind: Any) -> Any:
    """torch-fidelity's network as it starts out, without its weights: its speed does not depend on them."""
    source = "torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url"
    with mock.patch(source, return_value={}), mock.patch.object(kind, "load_state_dict"):
        return kind("inception", ["2048"]).eval()


def again(metrics: tuple[str, ...], scratch: Path) -> Sides:
    """The second run over the same pictures compared with the first."""
    import shutil

    from gan_eval.metrics import evaluate, folder_pair
    from gan_eval.metrics.kernels.compiled import warm_up

    warm_up()
    real, fake = pair_folders(scratch, PAIRS)
    stimuli = _stimuli(folder_pair(real, fake))
    filled, fresh = scratch / "kept", scratch / "fresh"
    evaluate(stimuli, metrics, cache=filled)

    def first() -> None:
        shutil.rmtree(fresh, ignore_errors=True)
        evaluate(stimuli, metrics, cache=fresh)

    return lambda: evaluate(stimuli, metrics, cache=filled), first


LINES: dict[str, Line] = {
    "folders": Line("400 PNG pairs 256x256 from disk: PSNR, SSIM, NIQE", "piq + pyiqa in a loop", folders),
    "psnr": Line("PSNR", "piq", partial(pair_metric, "psnr", piq_psnr, 200), 9, 200),
    "ssim": Line("SSIM", "pytorch-msssim", partial(pair_metric, "ssim", msssim_ssim, 40), 9, 40),
    "ssim-piq": Line("SSIM", "piq", partial(pair_metric, "ssim", piq_ssim, 40), 9, 40),
    "ms-ssim": Line("MS-SSIM", "pytorch-msssim", partial(pair_metric, "ms_ssim", msssim_ms_ssim, 30), 9, 30),
    "classic": Line("40 PNG pairs 256x256: VIF, FSIM, GMSD, MS-GMSD, VSI, MDSI, HaarPSI", "piq in a loop", classic),
    **{
        name: Line(name, "piq, conversion to floats included", partial(classic_call, name, 20), 9, 20)
        for name in CLASSIC
    },
    "niqe": Line("NIQE", "pyiqa", niqe, 9, 20),
    "frechet-400": Line("Fréchet distance, N = 400, d = 2048", "scipy's sqrtm", frechet_few, 3),
    "frechet-5000": Line("Fréchet distance, N = 5,000, d = 2048", "torch-fidelity", frechet_many, 5),
    "kid-5000": Line(
        "KID, all pairs, N = 5,000, d = 2048", "torch-fidelity, one subset of all, both in float64", kid_many, 3
    ),
    **{
        f"cmmd-5000-{precision}": Line(
            "CMMD, N = 5,000, d = 768",
            f"the published arithmetic in torch, {precision}",
            partial(cmmd_many, precision),
            5,
        )
        for precision in ("float32", "float64")
    },
    "p-ids": Line("P-IDS and U-IDS with intervals, 1,000 pairs, d = 512", "a loop over eleven fits", separability, 3),
    "inception": Line("Inception features", "plain NCHW float32, batch 16", inception),
    "again": Line("second run: PSNR, SSIM, NIQE of 400 pairs", "first run", partial(again, ("psnr", "ssim", "niqe"))),
    "again-fid": Line(
        "second run: the same with FID and KID", "first run", partial(again, ("psnr", "ssim", "niqe", "fid", "kid")), 1
    ),
}
