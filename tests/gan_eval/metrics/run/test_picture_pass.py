"""The pass over the pictures: each file once, only what is asked for, in bounded memory."""

import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from metric_pictures import Thumbnails, disturbed, texture

from gan_eval.metrics import Settings, folder_pair
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import similarity
from gan_eval.metrics.kernels.pictures import NO_MEMORY
from gan_eval.metrics.networks.extractors import inception_extractor
from gan_eval.metrics.run.features import FeatureBatches
from gan_eval.metrics.run.inputs import Stimulus, stimuli_of_sets
from gan_eval.metrics.run.runner import Evaluation, run_metrics
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Picture

Folders = Callable[..., tuple[Path, Path]]


def measure(stimuli: list[Stimulus], *names: str, **how: object) -> Evaluation:
    return run_metrics(stimuli, Settings(names, **how), command="test")  # type: ignore[arg-type]


def models(folder: Path, count: int, items: int, *, size: int = 96) -> list[Stimulus]:
    """Items with a real picture and those of several models."""
    stimuli = []
    for item in range(items):
        real = folder / "real" / f"{item}.png"
        images.write_png(real, texture(item, size, 2 * size))
        stimuli.append(Stimulus(f"d/real/{item}", f"d/{item}", "real", None, "d", real, None, None))
        for model in range(count):
            file = folder / f"m{model}" / f"{item}.png"
            images.write_png(file, disturbed(texture(item, size, 2 * size), model))
            stimuli.append(Stimulus(f"d/m{model}/{item}", f"d/{item}", "fake", f"m{model}", "d", file, real, None))
    return stimuli


def compute_by(monkeypatch: pytest.MonkeyPatch, name: str, function: Callable[..., float]) -> None:
    """Have a metric computed by another function."""
    monkeypatch.setitem(METRICS, name, replace(METRICS[name], function=function))


def test_each_file_is_read_and_decoded_once_and_read_once_more_for_the_note_however_many_models(
    tmp_path: Path, thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    stimuli = models(tmp_path, 3, 4)
    read, decoded = Mock(wraps=images.read_file), Mock(wraps=images.decode_measured)
    monkeypatch.setattr(images, "read_file", read)
    monkeypatch.setattr(images, "decode_measured", decoded)
    scored = Mock(wraps=METRICS["niqe"].function)
    compute_by(monkeypatch, "niqe", scored)
    measure(stimuli, "psnr", "ssim", "niqe", "fid", weights={"inception": tmp_path / "any.pth"}, threads=2)
    files = {str(one.file) for one in stimuli}
    assert Counter(str(call.args[-1]) for call in decoded.call_args_list) == Counter(dict.fromkeys(files, 1))
    again = "for the note on technical differences, which is then cached"
    assert Counter(str(call.args[-1]) for call in read.call_args_list) == Counter(dict.fromkeys(files, 2)), again
    assert scored.call_count == len(stimuli), "a real picture once, not once for each model"
    assert len(thumbnails.prepared) == len(stimuli)


def test_a_generated_picture_equal_to_the_real_one_of_several_models(folders: Folders, tmp_path: Path) -> None:
    real, fake = folders(2)
    other = tmp_path / "other"
    for stem in ("p0", "p1"):
        images.write_png(other / f"{stem}.png", images.read_rgb(fake / f"{stem}.png"))
    (fake / "p1.png").write_bytes((real / "p1.png").read_bytes())
    sets = [folder_pair(real, folder, dataset="d") for folder in (fake, other)]
    values = measure(stimuli_of_sets(sets), "psnr", "ssim").image_metrics.set_index(["stimulus", "metric"])["value"]
    assert values["d/fake/p1", "psnr"] == np.inf
    assert values["d/other/p1", "psnr"] < 100


def test_an_unexpected_error_names_the_picture(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = folders(9)
    third = images.read_rgb(fake / "p3.png")

    def fail(picture: Picture) -> float:
        if np.array_equal(picture, third):
            raise ZeroDivisionError("a mistake in the program")
        return 1.0

    compute_by(monkeypatch, "niqe", fail)
    with pytest.raises(ZeroDivisionError) as raised:
        measure(stimuli_of_sets([folder_pair(real, fake)]), "niqe", threads=2)
    assert raised.value.__notes__ == [f"while measuring {fake / 'p3.png'}"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("metrics")]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: ..."),
        RuntimeError("DefaultCPUAllocator: not enough memory: ..."),  # on Windows
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_too_little_memory_for_one_picture_is_its_reason(
    error: Exception, folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(3)
    images.write_png(fake / "p1.png", texture(1, 96, 193))

    def greedy(picture: Picture) -> float:
        if picture.shape[1] == 193:
            raise error
        return 1.0

    compute_by(monkeypatch, "niqe", greedy)
    frame = measure(stimuli_of_sets([folder_pair(real, fake)]), "niqe").image_metrics
    assert frame.loc[frame["value"].isna(), ["stimulus", "reason"]].to_numpy().tolist() == [
        ["real/fake/p1", NO_MEMORY.reason]
    ]


def test_batches_are_full_in_any_order(folders: Folders, thumbnails: Thumbnails, tmp_path: Path) -> None:
    stimuli = stimuli_of_sets([folder_pair(*folders(5))])
    names = {"weights": {"inception": tmp_path / "any.pth"}}
    first = measure(stimuli, "kid", **names, threads=1).set_metrics["value"]
    assert thumbnails.batches == [4, 4, 4], "the last one filled up"
    assert measure(stimuli, "kid", **names, threads=3).set_metrics["value"].tolist() == first.tolist()


@pytest.mark.nightly
def test_a_pictures_features_do_not_depend_on_its_neighbours(seeded_weights: Path) -> None:
    extractor = inception_extractor(seeded_weights, device="cpu")
    prepared = [extractor.prepare(texture(n, 64, 64)) for n in range(6)]

    def features(order: list[int]) -> dict[int, np.ndarray]:
        found: dict[int, np.ndarray] = {}
        batches = FeatureBatches(extractor)
        for number in order:
            batches.add(prepared[number], partial(found.__setitem__, number))
        batches.finish()
        return found

    first, second = features([0, 1, 2, 3, 4, 5]), features([5, 3, 1, 4, 2, 0])
    for number in range(6):
        np.testing.assert_array_equal(first[number], second[number])


def test_giant_and_tiny_pictures_of_one_job_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any moment a thread holds the real picture and one generated one."""
    stimuli = models(tmp_path, 6, 1, size=400)
    tracemalloc.start()
    peaks = []

    def watched(fake: Picture, real: Picture) -> float:
        peaks.append(tracemalloc.get_traced_memory()[0])
        return similarity.psnr(fake, real)

    compute_by(monkeypatch, "psnr", watched)
    measure(stimuli, "psnr", threads=1)
    tracemalloc.stop()
    assert len(peaks) == 6
    assert peaks[-1] - peaks[1] < 400 * 800 * 3
