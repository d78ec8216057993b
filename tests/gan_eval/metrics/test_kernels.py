"""The compiled code as a whole: what it takes, what it costs to import, where it is kept."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from metric_pictures import disturbed, texture

from gan_eval.metrics.definitions.no_reference import niqe, sharpness
from gan_eval.metrics.definitions.similarity import l1, ms_ssim, psnr, ssim, ssim_luma
from gan_eval.metrics.kernels import compiled as kernels
from gan_eval.stimuli.pictures import Picture

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
