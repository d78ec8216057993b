"""FID to statistics of real pictures: the value of the two sets, the files of other programs, and what is refused."""

import pickle
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from refusals import refused

from gan_eval.metrics.definitions.frechet import fid, fid_to, gaussian_of
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run import runner
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.reference import read_reference, write_reference


def features(count, *, seed, width=12, shift=0.0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + shift).astype(np.float32)


@pytest.mark.parametrize("counts", [(30, 40), (8, 40), (40, 8), (5, 6)])
def test_fid_to_statistics_is_that_of_the_two_sets(tmp_path, counts):
    real, fake = features(counts[0], seed=1), features(counts[1], seed=2, shift=0.5)
    write_reference(tmp_path / "ref.npz", real)
    reference = read_reference(tmp_path / "ref.npz", resizer="tf1")
    assert fid_to(reference.gaussian, fake) == pytest.approx(fid(real, fake), rel=1e-7)
    with np.load(tmp_path / "ref.npz") as arrays:
        assert {name: arrays[name].dtype for name in arrays} == {"mu": np.float64, "sigma": np.float64}
        np.testing.assert_allclose(arrays["mu"], real.mean(axis=0, dtype=np.float64), rtol=1e-12)
        np.testing.assert_allclose(arrays["sigma"], np.cov(real.astype(np.float64), rowvar=False), atol=1e-12)


def test_other_content_of_the_file_and_its_precision_are_in_the_note(tmp_path):
    found = gaussian_of(features(30, seed=1))
    batch = np.zeros((2, 4, 4, 3), np.uint8)
    np.savez(tmp_path / "x.npz", mu=found.mean.astype(np.float32), sigma=found.covariance, arr_0=batch)
    note = read_reference(tmp_path / "x.npz", resizer="tf1").note
    assert ("float32" in note, "arr_0" in note, "unknown number" in note) == (True, True, True)


@pytest.mark.parametrize(
    ("name", "resizer", "stated"),
    [
        ("ffhq_clean_custom_na.npz", "clean", None),
        ("ffhq_clean_custom_na.npz", "bilinear", "clean"),
        ("a_legacy_pytorch_train_256.npz", "tf1", "bilinear"),
        ("a_legacy_tensorflow_train_256.npz", "clean", "tf1"),
    ],
)
def test_a_resizer_that_the_files_name_contradicts_is_refused(tmp_path, name, resizer, stated):
    write_reference(tmp_path / name, features(20, seed=1))
    if stated is None:
        assert read_reference(tmp_path / name, resizer=resizer).gaussian.mean.shape == (12,)
        return
    refused(f"{name}: .*--resizer {stated}, not {resizer}", read_reference, tmp_path / name, resizer=resizer)


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        ({"arr_0": np.zeros((2, 4, 4, 3), np.uint8)}, "arr_0"),
        ({"mu": np.zeros(3), "sigma": np.eye(4)}, "shapes"),
        ({"mu": np.full(3, np.nan), "sigma": np.eye(3)}, "finite"),
        ({"mu": np.array([object()]), "sigma": np.eye(1)}, "not a readable npz"),
        (b"PK\x03\x04 damaged", "not a readable npz"),
        (pickle.dumps({"mu": 0, "sigma": 0}), "save mu and sigma by np.savez$"),
    ],
)
def test_a_file_without_statistics_is_refused_by_its_name(tmp_path, arrays, named):
    file = tmp_path / "x.npz"
    if isinstance(arrays, bytes):
        file.write_bytes(arrays)
    else:
        np.savez(file, **arrays)
    refused(named, read_reference, file, resizer="tf1")
    refused("no such file", read_reference, tmp_path / "absent.npz", resizer="tf1")


def test_features_of_another_network_have_a_reason():
    with pytest.raises(Unmeasurable, match="12 features, this network 8"):
        fid_to(gaussian_of(features(20, seed=1)), features(20, seed=2, width=8))


def test_the_command_asks_for_the_resizer_and_takes_no_real_pictures(command, tmp_path):
    write_reference(tmp_path / "ref.npz", features(20, seed=1))
    for options, named in (
        (["--fake", tmp_path], "--resizer"),
        (["--fake", tmp_path, "--real", tmp_path, "--resizer", "tf1"], "--fake DIR"),
        (["--resizer", "tf1"], "--real DIR and --fake DIR"),
    ):
        status, _, err = command("metrics", *options, "--reference", tmp_path / "ref.npz", "--out", tmp_path / "out")
        assert (status, named in err) == (2, True), err


def test_saving_a_reference_does_not_copy_the_features(tmp_path):
    store = FeatureStore(20_000, 64)
    store.values[:] = features(20_000, seed=1, width=64)
    store.filled[5:] = True
    stimuli = [SimpleNamespace(is_fake=number % 2 == 1) for number in range(20_000)]
    write_reference(tmp_path / "warm.npz", store.values[:100])  # imports SciPy
    tracemalloc.start()
    runner._save_reference(tmp_path / "ref.npz", stimuli, SimpleNamespace(stores={"inception": store}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < store.values.nbytes / 4
    with np.load(tmp_path / "ref.npz") as arrays:
        np.testing.assert_allclose(arrays["sigma"], np.cov(store.values[6::2], rowvar=False), rtol=1e-4, atol=1e-3)
