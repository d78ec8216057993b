"""`benchmarks/smooth_fills.py`: fills by formula, and the sets that are made with them."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gan_eval.__main__ import run
from gan_eval.stimuli import pictures
from gan_eval.stimuli.sets import read_set

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture
def fills(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    pytest.importorskip("skimage")
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("smooth_fills")


def ramp(height: int = 20, width: int = 30) -> pictures.Picture:
    """Levels that rise linearly, differently in each channel."""
    down, right = np.mgrid[:height, :width]
    return np.stack([3 * down + 4 * right, 5 * down, 100 + 2 * right], axis=-1).astype(np.uint8)


def two_parts() -> np.ndarray:
    hole = np.zeros((20, 30), bool)
    hole[3:9, 4:12] = hole[10:17, 15:26] = hole[5:8, 20:22] = True
    return hole


@pytest.mark.parametrize("name", ["harmonic", "biharmonic"])
def test_a_linear_ramp_is_restored(fills: ModuleType, name: str) -> None:
    hole = two_parts()
    torn = np.where(hole[..., None], 255, ramp()).astype(np.uint8)
    assert np.allclose(fills.FILLS[name](torn, hole), ramp()[hole], atol=1e-6)


def test_the_sets_have_the_same_holes_and_known_pixels(
    fills: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role, picture in {"real": ramp(), "fake": np.zeros_like(ramp())}.items():
        (tmp_path / "results" / role).mkdir(parents=True)
        pictures.write_png(tmp_path / "results" / role / "1.png", picture)
    (tmp_path / "results" / "mask").mkdir()
    pictures.write_png(tmp_path / "results" / "mask" / "1.png", np.where(two_parts(), 255, 0).astype(np.uint8))
    assert run(["stimuli", "import", str(tmp_path / "results"), "--out", str(tmp_path / "set"), "--dataset", "d"]) == 0
    monkeypatch.setattr(sys, "argv", ["smooth_fills.py", str(tmp_path / "set"), "--out", str(tmp_path / "fills")])
    fills.main()
    for name in fills.FILLS:
        made = read_set(tmp_path / "fills" / name)
        real, fake = made.rows
        assert (fake["stimulus"], fake["model"], real["model"]) == (f"d/{name}/1", name, None)
        assert fake["mask_area"] == pytest.approx(two_parts().mean())
        known = pictures.read_rgb(made.path(fake))[~two_parts()]
        assert (known == ramp()[~two_parts()]).all()
    both = [str(tmp_path / "set"), *(str(tmp_path / "fills" / name) for name in fills.FILLS)]
    assert run(["metrics", *both, "--metrics", "psnr_hole", "--out", str(tmp_path / "metrics")]) == 0
