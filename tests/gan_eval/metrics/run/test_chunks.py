"""Many pictures in parts on disk: the tables are those of one pass, and no finished part is measured again."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metric_pictures import Thumbnails
from refusals import refused

from gan_eval.base.parallel import in_parallel
from gan_eval.metrics import Settings, folder_pair
from gan_eval.metrics.run import chunks, measure, runner
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.inputs import opened_pair
from gan_eval.metrics.run.measure import measure_pictures
from gan_eval.metrics.run.runner import write_metrics

Folders = Callable[..., tuple[Path, Path]]


def columns(real: Path, fake: Path, out: Path, settings: Settings, **how: Any) -> list[Any]:
    found = write_metrics([folder_pair(real, fake, dataset="d", model="m")], settings, out, **how)
    tables = ("image_metrics", "set_metrics")
    return [{name: cells for name, cells in found.columns[table].items() if name != "run"} for table in tables]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 4)
    monkeypatch.setattr(chunks, "HELD_FEATURES", 100)


@pytest.mark.usefixtures("small_parts")
def test_parts_give_the_same_tables_and_are_removed(
    folders: Folders, thumbnails: Thumbnails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(7)
    (fake / "p3.png").write_bytes(b"damaged")
    settings = Settings(("psnr", "niqe", "fid"), weights={"inception": tmp_path / "any.pth"}, threads=1)
    whole = columns(real, fake, tmp_path / "whole", settings)
    monkeypatch.setattr(runner, "CHUNK", 4)
    out = tmp_path / "parts"
    assert columns(real, fake, out, settings) == whole
    assert columns(real, fake, out, settings, run_tasks=partial(in_parallel, workers=1)) == whole
    assert not (out / runner.MEASURED).exists()
    done: list[int] = []
    monkeypatch.setattr(measure, "_PROGRESS_EVERY_S", 0.0)
    columns(real, fake, out, settings, on_progress=lambda parts, _, what, *more: what == "sets" or done.append(parts))
    assert done[0] == 0
    assert done[-1] == 14
    assert done == sorted(done)
    assert len(done) > 5  # also within the parts


@pytest.mark.usefixtures("small_parts")
def test_after_an_interruption_only_missing_parts_are_measured(
    folders: Folders, thumbnails: Thumbnails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(6)
    settings, out = Settings(("psnr", "sharpness"), threads=1), tmp_path / "out"
    whole = columns(real, fake, tmp_path / "whole", settings)
    monkeypatch.setattr(runner, "CHUNK", 4)
    measured: list[int] = []

    def interrupted(stimuli: Any, *how: Any, **more: Any) -> Any:
        if len(measured) == 2:
            raise KeyboardInterrupt
        measured.append(len(stimuli))
        return measure_pictures(stimuli, *how, **more)

    monkeypatch.setattr(chunks, "measure_pictures", interrupted)
    with pytest.raises(KeyboardInterrupt):
        columns(real, fake, out, settings)
    measured[:] = [0]  # one part is missing
    assert columns(real, fake, out, settings) == whole
    assert measured == [0, 4]


@pytest.mark.usefixtures("small_parts")
def test_parts_of_a_container_are_taken_again_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is unpacked anew, into another folder, and its pictures have new times."""
    monkeypatch.setattr(runner, "CHUNK", 4)
    levels = np.random.default_rng(1).integers(0, 256, size=(6, 16, 16, 3), dtype=np.uint8)
    settings, out, measured = Settings(("psnr",), threads=1), tmp_path / "out", list[int]()

    def counted(stimuli: Any, *how: Any, **more: Any) -> Any:
        measured.append(len(stimuli))
        return measure_pictures(stimuli, *how, **more)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def run(difference: int) -> None:
        np.savez(tmp_path / "real.npz", levels)
        np.savez(tmp_path / "fake.npz", levels ^ difference)
        for number, name in enumerate(("real.npz", "fake.npz")):
            os.utime(tmp_path / name, ns=(0, difference * 10**9 + number))
        measured.clear()
        with opened_pair(tmp_path / "real.npz", tmp_path / "fake.npz", settings, paired=True) as (pair, _):
            write_metrics([pair], settings, out)

    monkeypatch.setattr(chunks, "measure_pictures", counted)
    for later, parts in ((3, []), (60, [4, 4, 4])):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(chunks, "_assembled", killed)
            run(3)
        assert measured == [4, 4, 4]
        run(later)
        assert measured == parts


@pytest.mark.usefixtures("small_parts")
def test_one_command_at_a_time_measures_many_pictures_for_a_folder(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one to end would remove the parts of the other, and each would empty the other's features."""
    monkeypatch.setattr(runner, "CHUNK", 4)
    real, fake = folders(4)
    settings, out = Settings(("psnr",), threads=1), tmp_path / "out"

    def another(*_: object, **__: object) -> None:
        refused("measuring there; wait for it", columns, real, fake, out, settings)

    columns(real, fake, out, settings, on_progress=another)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    refused("not empty and not written by gan_eval", columns, real, fake, tmp_path / "mine", settings)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["note.txt"]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="reserves no space")
def test_features_for_which_the_disk_has_no_room_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found later, in a file that is mapped, a full disk ends the process by a signal."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    refused("the disk is full", FeatureStore, 3, 4, file=tmp_path / "features.npy")
