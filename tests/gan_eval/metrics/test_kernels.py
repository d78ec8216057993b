"""The compiled code as a whole: what it takes, what it costs to import, where it is kept."""

import ast
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
from gan_eval.metrics.kernels import loops
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


def test_a_second_process_compiles_nothing() -> None:
    kernels.warm_up()
    code = """
from gan_eval.metrics.kernels import compiled, loops
compiled.warm_up()
found = [loops.difference_sums, loops.luma, loops.similarity_sums, loops.sample_moments, loops.halve]
print([(sum(each.stats.cache_hits.values()), sum(each.stats.cache_misses.values())) for each in found])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[(1, 0), (1, 0), (2, 0), (1, 0), (1, 0)]"


def test_a_kernel_reads_nothing_of_another_file() -> None:
    """numba compiles again when the kernel's own file changes, and looks at no other."""
    imported = {
        node.module
        for node in ast.walk(ast.parse(Path(loops.__file__).read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert not any(name.startswith("gan_eval") for name in imported if name)
