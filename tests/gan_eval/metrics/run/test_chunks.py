"""Many pictures in parts on disk: the tables are those of one pass, and no finished part is measured again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from metric_pictures import Thumbnails

from gan_eval.machine.parallel import in_parallel
from gan_eval.metrics import Settings, folder_pair
from gan_eval.metrics.run import chunks, runner
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
    assert columns(real, fake, out, settings, share=partial(in_parallel, workers=1)) == whole
    assert not (out / runner.MEASURED).exists()


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
