"""The animated picture of a run's evolution: which frames, how large, how long, always the same bytes."""

import doctest
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.stimuli.pictures import write_png
from trainer import evolution
from trainer.evolution import durations, thinned, write_evolution
from trainer.watch.samples import grid_path, list_grids

Grids = Callable[..., Path]


@pytest.fixture
def grids(tmp_path: Path) -> Grids:
    """Writes a run's samples: grey pictures whose level is told by `levels`, with noise where asked for."""

    def write(levels: dict[int, int], *, height: int = 64, width: int = 96, noise: int = 0) -> Path:
        rng = np.random.default_rng(0)
        for step, level in levels.items():
            picture = level + rng.integers(0, noise + 1, (height, width, 3))
            write_png(grid_path(tmp_path / "run" / "samples", step), picture.astype(np.uint8))
        return tmp_path / "run"

    return write


def frames_of(path: Path) -> list[tuple[Image.Image, float]]:
    """Each frame with the time it is shown, in ms."""
    found = []
    with Image.open(path) as animation:
        for number in range(animation.n_frames):
            animation.seek(number)
            found.append((animation.convert("RGB"), animation.info["duration"]))
    return found


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_frames_in_order_of_their_steps_and_the_last_held(grids: Grids, suffix: str) -> None:
    run = grids({10_000_000: 200, 0: 20, 1000: 120})
    path = write_evolution(run, suffix=suffix)
    assert path == run / f"evolution{suffix}"
    frames = frames_of(path)
    assert [duration for _, duration in frames] == [500, 500, 2500]
    for (frame, _), level in zip(frames, (20, 120, 200), strict=True):
        assert frame.size == (96, 64 + 14), "a strip above, the grid at its own size"
        assert np.asarray(frame)[20:].mean() == pytest.approx(level, abs=3)
        assert np.asarray(frame)[:14].max() > 240, "the strip is white"
        assert np.asarray(frame)[:14].min() < 100, "with dark text"
    strips = [np.asarray(frame)[:14].tobytes() for frame, _ in frames]
    assert len(set(strips)) == 3, "each tells its own step"


def test_equal_grids_give_equal_bytes(grids: Grids) -> None:
    run = grids({0: 20, 5: 90}, noise=50)
    first = write_evolution(run).read_bytes()
    assert write_evolution(run).read_bytes() == first


def test_frames_are_made_smaller_until_the_file_fits(grids: Grids, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolution, "BYTES", 30_000)
    run = grids(dict.fromkeys(range(6), 100), height=256, width=384, noise=150)
    path = write_evolution(run)
    assert path.stat().st_size <= 30_000
    width, height = frames_of(path)[0][0].size
    assert evolution.SMALLEST <= width < 384
    assert height < width


def test_many_grids_are_thinned_evenly(tmp_path: Path) -> None:
    paths = [grid_path(tmp_path, step) for step in range(200)]
    chosen = thinned(paths, 60)
    assert len(chosen) == len(set(chosen)) == 60
    assert (chosen[0], chosen[-1]) == (paths[0], paths[-1])
    steps = np.diff([paths.index(path) for path in chosen])
    assert set(steps) <= {3, 4}
    assert thinned(paths[:60], 60) == paths[:60]
    assert sum(durations(60)[:-1]) <= 9000


def test_the_example_holds() -> None:
    assert doctest.testmod(evolution).failed == 0


def test_nothing_to_show_is_no_file(grids: Grids, tmp_path: Path) -> None:
    assert write_evolution(tmp_path / "absent") is None
    run = grids({0: 20})
    assert write_evolution(run) is None
    assert not (run / "evolution.webp").exists()


def test_other_files_beside_the_grids_are_left_out(grids: Grids) -> None:
    run = grids({0: 20, 3: 60})
    (run / "samples" / "step_best.png").write_bytes(b"mine")
    assert [path.name for path in list_grids(run / "samples")] == ["step_0000000.png", "step_0000003.png"]
