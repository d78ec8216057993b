"""The compiled code as a whole: what it takes, what it costs to import, where it is kept."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, texture

from gan_eval.metrics.definitions.no_reference import niqe, sharpness
from gan_eval.metrics.definitions.similarity import l1, ms_ssim, psnr, ssim, ssim_luma
from gan_eval.metrics.kernels import compiled as kernels
from gan_eval.pictures.decode import Picture

REAL = texture(0, 193, 210)
FAKE = disturbed(REAL, 1)
METRICS = (psnr, l1, ssim, ssim_luma, ms_ssim, niqe, sharpness)


def values(fake: Picture, real: Picture) -> list[float]:
    return [metric(fake) if metric in (niqe, sharpness) else metric(fake, real) for metric in METRICS]


def read_only(picture: Picture) -> Picture:
    picture = picture.copy()
    picture.flags.writeable = False
    return picture


def every_second(picture: Picture) -> Picture:
    """The same picture as a view of a larger one."""
    return picture.repeat(2, axis=0).repeat(2, axis=1)[::2, ::2]


def mapped(picture: Picture) -> Picture:
    """The picture as numpy's memory map, a class of its own."""
    return picture.view(np.memmap)


@pytest.mark.parametrize(
    "form",
    [read_only, every_second, np.asfortranarray, mapped, torch.from_numpy, lambda p: torch.from_numpy(every_second(p))],
    ids=["read-only", "strided", "Fortran", "memmap", "tensor", "strided tensor"],
)
def test_any_form_of_a_picture_has_the_same_values(form: Callable[[Picture], Picture]) -> None:
    assert values(form(FAKE), form(REAL)) == values(FAKE, REAL)


def test_luma_is_exact_for_every_sum_of_thousandths() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    grey = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    for picture in (colours, grey):
        wanted = (picture.astype(np.int64) @ [299, 587, 114] + 500) // 1000
        assert np.array_equal(kernels.luma(picture), wanted)
    assert kernels.luma(grey).ravel().tolist() == list(range(256))


@pytest.mark.nightly
@pytest.mark.parametrize("broken", ["fails", "gives other sums"])
def test_where_the_code_does_not_work_numba_runs_the_kernels(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = values(FAKE, REAL)
    kernels._functions.cache_clear()

    def wrong(*_: object) -> None:
        if broken == "fails":
            raise RuntimeError

    monkeypatch.setattr(kernels, "_call", wrong)
    try:
        assert values(FAKE, REAL) == wanted
        assert "numba" in sys.modules
    finally:
        kernels._functions.cache_clear()


def test_kept_code_gives_the_same_values_without_numba(tmp_path: Path) -> None:
    kernels.warm_up()
    np.save(tmp_path / "pair.npy", np.stack([FAKE, REAL]))
    code = f"""
import sys
import numpy as np
from gan_eval.metrics.definitions import no_reference, similarity
fake, real = np.load({str(tmp_path / "pair.npy")!r})
names = {[metric.__name__ for metric in METRICS]}
for name in names:
    metric = getattr(similarity, name, None)
    print(repr(metric(fake, real) if metric else getattr(no_reference, name)(fake)))
assert "numba" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [float(line) for line in done.stdout.split()] == values(FAKE, REAL)


def test_damaged_code_is_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "places_for", lambda name: [tmp_path / name])
    monkeypatch.setattr(kernels, "_compile", lambda _: b"new code")
    from llvmlite import binding

    assert kernels.kept_code(binding) == b"new code"
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    monkeypatch.setattr(kernels, "_compile", lambda _: b"newer code")
    assert kernels.kept_code(binding) == b"newer code"
    monkeypatch.setattr(kernels, "_compile", lambda _: pytest.fail("it is kept"))
    assert kernels.kept_code(binding) == b"newer code"
