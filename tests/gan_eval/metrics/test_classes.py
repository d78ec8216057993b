"""The classes: torchmetrics' manners, the functions' values, one number for any number of processes."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import piq
import pytest
import torch
import torchmetrics
import torchmetrics.image.fid
import torchmetrics.image.kid
from distributed_metrics import OF_PICTURES, SHARES, Colours, hand_in, in_processes, make_all, pictures, values
from learned_weights import write_learned
from metric_pictures import features_of
from torch import multiprocessing

from gan_eval.base.errors import UserError
from gan_eval.metrics import classes
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.classes import (
    AllPairsKernelInceptionDistance,
    Dists,
    FrechetInceptionDistance,
    LearnedPerceptualSimilarity,
    MeanOfPictures,
    MeanStructuralSimilarity,
    SetMetric,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.networks.extractors import inception_extractor
from gan_eval.metrics.one_value import load, score, scores

FAKE, REAL = pictures()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread, as in the two processes and as the tables are measured.

    piq sums in float32, and torch splits a sum among its threads: two threads change FSIM by 2e-7 of its value.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def one_process(one_thread: None) -> dict[str, float]:
    metrics = make_all()
    hand_in(metrics, FAKE, REAL)
    return values(metrics)


def test_the_values_are_the_functions_means(one_process):
    for name in [name for name, metric in make_all().items() if isinstance(metric, MeanOfPictures)]:
        given = (FAKE,) if METRICS[name].kind == "single" else (FAKE, REAL)
        assert one_process[name] == pytest.approx(scores(name, *given).mean().item(), rel=1e-14), name
    real, fake = (Colours()(batch).float() for batch in (REAL, FAKE))
    for name in ("fid", "kid", "precision", "recall", "density", "coverage"):
        assert one_process[name] == pytest.approx(score(name, fake, real), rel=1e-10), name


def test_the_direction_is_that_of_the_registry():
    every = make_all()
    directions = {name: every[name].higher_is_better for name in ("psnr", "l1", "ssim", "niqe", "fid", "kid")}
    assert directions == {"psnr": True, "l1": False, "ssim": True, "niqe": False, "fid": False, "kid": False}


@pytest.mark.nightly
def test_two_processes_give_the_number_of_one(one_process, tmp_path):
    file = tmp_path / "values.pt"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=in_processes, args=(rank, str(file))) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)
    assert [worker.exitcode for worker in workers] == [0, 0]
    found = torch.load(file)
    assert found.keys() == SHARES.keys()
    for name, numbers in found.items():
        assert numbers == pytest.approx(one_process, rel=1e-9), name


def test_a_collection_takes_pairs_and_single_pictures_by_name():
    metrics = make_all()
    names = ("psnr", "ssim", "ssim_luma", "niqe")
    collection = torchmetrics.MetricCollection({name: metrics[name] for name in names})
    grey = REAL[:2, :1].expand(-1, 3, -1, -1)
    collection.update(preds=grey, target=grey)  # ssim and ssim_luma are equal here, yet not one metric
    batch = collection(preds=FAKE[:2], target=REAL[:2])
    assert batch["ssim"].item() == pytest.approx(scores("ssim", FAKE[:2], REAL[:2]).mean().item())
    assert batch["ssim_luma"].item() == pytest.approx(scores("ssim_luma", FAKE[:2], REAL[:2]).mean().item())
    assert collection.compute()["ssim"].item() == pytest.approx(
        (2 + scores("ssim", FAKE[:2], REAL[:2]).sum().item()) / 4
    )


def test_a_batch_with_a_picture_that_has_no_value_leaves_no_trace():
    metric = MeanStructuralSimilarity()
    metric.update(FAKE[:1], REAL[:1])
    before = metric.compute()
    with pytest.raises(Unmeasurable, match="picture 0"):
        metric.update(FAKE[:3, :, :5], REAL[:3, :, :5])
    assert metric.compute() == before


def test_no_class_has_a_peers_name_but_two_that_give_its_number():
    """Keep names apart: a user who changes the import must not get another number."""
    modules = [torchmetrics, torchmetrics.image, torchmetrics.image.fid, torchmetrics.image.kid, piq]
    peers = {name for module in modules for name in dir(module)} | {"StructuralSimilarity"}  # torcheval's
    ours = {name for name, kind in vars(classes).items() if getattr(kind, "__module__", "") == classes.__name__}
    assert ours & peers == {"PeakSignalNoiseRatio", "FrechetInceptionDistance"}


def test_the_page_has_every_class() -> None:
    page = (Path(__file__).parents[3] / "docs" / "metrics_python.md").read_text(encoding="utf-8")
    names = [kind.__name__ for kind in (*OF_PICTURES, *SetMetric.__subclasses__())]
    assert [name for name in names if f"`{name}`" not in page] == [], "docs/metrics_python.md, Classes"


@pytest.mark.parametrize(("name", "more"), [("pooled psnr", {}), ("psnr", {"dim": (1, 2, 3)})])
def test_psnr_is_torchmetrics(one_process, name, more):
    theirs = torchmetrics.image.PeakSignalNoiseRatio(data_range=255.0, **more)
    theirs.set_dtype(torch.float64)
    theirs.update(FAKE.double(), REAL.double())
    assert one_process[name] == pytest.approx(theirs.compute().item(), abs=1e-5)


def test_real_pictures_can_be_kept_for_the_next_model(one_process):
    metric = FrechetInceptionDistance(feature_extractor=Colours(), reset_real_features=False)
    metric.update(REAL, real=True)
    metric.update(REAL // 2, real=False)
    metric.reset()
    metric.update(FAKE, real=False)
    assert metric.compute().item() == pytest.approx(one_process["fid"], rel=1e-9)


def test_too_few_pictures_are_a_reason():
    for metric in make_all().values():
        if isinstance(metric, SetMetric):
            metric.update(REAL[:1], real=True)
            with pytest.raises(Unmeasurable, match="1 real and 0 generated"):
                metric.compute()


def test_the_width_of_features_is_told_or_tried():
    metric = AllPairsKernelInceptionDistance(feature_extractor=lambda pictures: pictures.double().mean(dim=(2, 3)))
    assert metric.num_features == 3
    with pytest.raises(ValueError, match="expected"):
        AllPairsKernelInceptionDistance(feature_extractor=lambda pictures: pictures.double())
    wider = Colours()
    wider.num_features = 13
    metric = AllPairsKernelInceptionDistance(feature_extractor=wider)
    with pytest.raises(ValueError, match=r"features of the shape \(2, 12\), expected \(2, 13\)"):
        metric.update(REAL[:2], real=True)
    with pytest.raises(TypeError, match="uint8"):
        metric.update(REAL[:2].float(), real=True)


@pytest.mark.nightly
def test_fid_is_torchmetrics(seeded_weights):
    theirs = torchmetrics.image.fid.FrechetInceptionDistance(feature_extractor_weights_path=str(seeded_weights))
    metrics = theirs, FrechetInceptionDistance(weights=seeded_weights)
    for metric in metrics:
        metric.update(REAL[:4], real=True)
        metric.update(FAKE[:4], real=False)
    peer, own = (metric.compute().item() for metric in metrics)
    assert own == pytest.approx(peer, rel=1e-4)
    tf1 = FrechetInceptionDistance(weights=seeded_weights, resizer="tf1")
    hand_in({"fid": tf1}, FAKE[:4], REAL[:4])
    assert abs(tf1.compute().item() - peer) > 0.01 * peer


def test_inception_comes_from_a_file(seeded_weights):
    metric = AllPairsKernelInceptionDistance(weights=seeded_weights, resizer="clean")
    metric.update(REAL[:2], real=True)
    metric.update(FAKE[:2], real=False)
    again = pickle.loads(pickle.dumps(metric))
    extractor = inception_extractor(seeded_weights, resizer="clean", device="cpu")
    real, fake = (features_of([p.permute(1, 2, 0).numpy() for p in batch[:2]], extractor) for batch in (REAL, FAKE))
    expected = score("kid", fake, real)
    assert metric.compute().item() == pytest.approx(expected, rel=1e-4)  # batches of other sizes round otherwise
    assert again.compute().item() == metric.compute().item()
    with pytest.raises(UserError, match="unknown"):
        AllPairsKernelInceptionDistance(weights=seeded_weights, resizer="none")


def test_autocast_around_a_metric_leaves_its_number(seeded_weights, tmp_path):
    """The validation of a network that trains in bfloat16 runs inside autocast, and so do its metrics."""
    fake, real = FAKE[:2, :, :64, :64], REAL[:2, :, :64, :64]
    distance = load("lpips_alex", paths=write_learned(tmp_path))
    fid = FrechetInceptionDistance(weights=seeded_weights)

    def numbers() -> list[float]:
        fid.reset()
        hand_in({"fid": fid}, fake, real)
        values = [scores(name, fake, real) for name in ("ssim", "vif", "haarpsi")]
        return torch.cat([*values, scores("lpips_alex", fake, real, network=distance), fid.compute()[None]]).tolist()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = numbers()
    assert inside == numbers()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [(LearnedPerceptualSimilarity, "lpips_alex"), (Dists, "dists")])
def test_learned_distances(kind, name, tmp_path):
    paths = write_learned(tmp_path)
    fake, real = FAKE[:2, :, :64, :64], REAL[:2, :, :64, :64]
    metric = kind(weights=paths)
    metric.update(fake, real)
    expected = scores(name, fake, real, network=load(name, paths=paths)).mean().item()
    assert metric.compute().item() == pytest.approx(expected, rel=1e-6)
    pickled = pickle.dumps(metric)
    assert len(pickled) < 50_000  # the files' names, not the weights
    again = pickle.loads(pickled)
    again.update(real, real)
    assert again.compute().item() == pytest.approx(expected / 2, abs=1e-5)
