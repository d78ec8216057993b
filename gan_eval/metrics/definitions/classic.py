"""VIF, FSIM, GMSD, MS-GMSD, VSI, MDSI and HaarPSI: similarity to the reference without a network, computed by piq.

Each value is piq's own number with its default settings: RGB as float32 in 0..1, the generated picture first. They run
on the CPU, load torch, and take equal sizes. Where a value would be the quotient of two numbers that are 0 (flat
pictures), piq's is a constant or rounding error; there is a reason instead.
"""

import math
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gan_eval.base.errors import memory_ran_out
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_pair


def piq_value(function: str, fake: Pixels, real: Pixels, *, dtype: DTypeLike = np.float32) -> float:
    """Return the value of one of piq's functions for one pair.

    Args:
        function: its name in `piq`.
        fake, real: (H, W, 3) uint8, 0..255.
        dtype: type of the samples in 0..1.

    Raises:
        Unmeasurable: the sizes differ, piq refuses the pair (too small), or it gives no finite number.

    >>> grey = np.full((64, 64, 3), 128, np.uint8)
    >>> piq_value("gmsd", grey, grey)
    0.0
    """
    import piq
    import torch

    from gan_eval.metrics.kernels.devices import exact_inference

    pair = as_pair(fake, real)
    with exact_inference("cpu"):
        planes = [torch.from_numpy(np.divide(p.transpose(2, 0, 1)[None], 255, dtype=dtype, order="C")) for p in pair]
        try:
            value = float(getattr(piq, function)(*planes))
        except (AssertionError, ValueError, RuntimeError) as error:
            if memory_ran_out(error):
                raise
            raise Unmeasurable(f"{pair[0].shape[1]}x{pair[0].shape[0]} pixels; piq: {error}") from error
    if not math.isfinite(value):
        raise Unmeasurable(f"piq gives {value}: the pictures are flat or too small")
    return value


WIDE = 8
"""Minimum side of kernels that `_convolve` makes faster, and the number of shifts that are computed together."""


@cache
def _wide_convolutions() -> type[AbstractContextManager[object]]:
    """Return a context in which torch convolves with large kernels as `_convolve`: VIF in a third of the time.

    The sums are the same and in the same order, so the value equals piq's to the last bit.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class WideConvolutions(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            made = _convolve(*args, **kwargs) if function is torch.conv2d else None
            return function(*args, **kwargs) if made is None else made

    return WideConvolutions


def _convolve(picture: Any, kernel: Any, **options: Any) -> Any:
    """Convolve (N, 1, H, W) with a large kernel (1, 1, h, w).

    Torch computes one output of a picture at a time, but several channels together. Here a kernel shifted by 0, 1, ...
    columns makes the channels, and the picture is passed in steps as wide. The added weights are 0.
    """
    if options or len(kernel) > 1 or min(kernel.shape[2:]) < WIDE:
        return None
    from torch.nn import functional as F

    height, width = kernel.shape[2:]
    outputs = picture.shape[3] - width + 1
    steps = -(-outputs // WIDE)
    shifted = kernel.new_zeros(WIDE, 1, height, width + WIDE - 1)
    for shift in range(WIDE):
        shifted[shift, :, :, shift : shift + width] = kernel[0]
    made = F.conv2d(F.pad(picture, (0, steps * WIDE - outputs)), shifted, stride=(1, WIDE)).permute(0, 2, 3, 1)
    return made.reshape(len(picture), 1, -1, steps * WIDE)[..., :outputs]


FAINT = 4.0
"""Standard deviation of the reference's luma in grey levels below which VIF is computed in float64: float32's rounding
errors are then not small compared with the variances."""


def vif(fake: Pixels, real: Pixels) -> float:
    """VIF; see `piq_value`.

    Raises:
        Unmeasurable: also if the reference's luma is constant, because VIF is a share of its information.
    """
    fake, real = as_pair(fake, real)
    contrast = float((real @ np.array([0.299, 0.587, 0.114])).std())
    if contrast < 1e-6:
        raise Unmeasurable("the reference is flat: it has no information, and VIF is a share of it")
    with _wide_convolutions()():
        return piq_value("vif_p", fake, real, dtype=np.float64 if contrast < FAINT else np.float32)


def vsi(fake: Pixels, real: Pixels) -> float:
    """VSI; see `piq_value`.

    Raises:
        Unmeasurable: also if the reference is of one colour, because no part of it is salient.
    """
    fake, real = as_pair(fake, real)
    if _is_flat(real):
        raise Unmeasurable("the reference is flat: VSI weights by salience, and no part of it is salient")
    return piq_value("vsi", fake, real)


def _of_structure(function: str, fake: Pixels, real: Pixels) -> float:
    """Return a value of piq's that is weighted by the structure of both pictures.

    Raises:
        Unmeasurable: also if both pictures are of one colour, so that only piq's border has structure.
    """
    fake, real = as_pair(fake, real)
    if _is_flat(fake) and _is_flat(real):
        raise Unmeasurable("both pictures are flat, without structure to compare")
    return piq_value(function, fake, real)


def _is_flat(picture: NDArray[Any]) -> bool:
    return bool((picture == picture[:1, :1]).all())


fsim = partial(_of_structure, "fsim")
gmsd = partial(piq_value, "gmsd")
ms_gmsd = partial(piq_value, "multi_scale_gmsd")
mdsi = partial(piq_value, "mdsi")
haarpsi = partial(_of_structure, "haarpsi")

_of_piq = partial(Metric, kind="pair", library="piq")
_DEFAULTS = "piq's defaults, RGB 0..1 in float32"
METRICS = (
    _of_piq(
        name="vif",
        title="VIF",
        measures="share of the reference's information that is left, at four scales; above 1 where contrast is "
        "enhanced",
        higher_is_better=True,
        source=f"Sheikh and Bovik 2006, in the pixel domain, luma; {_DEFAULTS}",
        definition="vif/pixel-domain/piq/rgb/float32/faint in float64/not flat",
        function=vif,
        min_size=(41, 41),
    ),
    _of_piq(
        name="fsim",
        title="FSIM",
        measures="agreement with the reference in phase congruency, gradients and colour",
        high=1,
        higher_is_better=True,
        source=f"Zhang et al. 2011, with colour (FSIMc); {_DEFAULTS}",
        definition="fsim/chromatic/piq/rgb/float32/not both flat",
        function=fsim,
        min_size=(2, 2),
    ),
    _of_piq(
        name="gmsd",
        title="GMSD",
        measures="how unevenly the gradients differ from the reference's",
        high=0.5,
        source=f"Xue et al. 2014, luma at half size; {_DEFAULTS}",
        definition="gmsd/piq/rgb/float32",
        function=gmsd,
    ),
    _of_piq(
        name="ms_gmsd",
        title="MS-GMSD",
        measures="as gmsd at four scales",
        high=0.5,
        source=f"Zhang et al. 2017, without colour; {_DEFAULTS}",
        definition="ms-gmsd/luma/piq/rgb/float32",
        function=ms_gmsd,
        min_size=(17, 17),
    ),
    _of_piq(
        name="vsi",
        title="VSI",
        measures="agreement with the reference in salience, gradients and colour, weighted by salience",
        high=1,
        higher_is_better=True,
        source=f"Zhang et al. 2014; {_DEFAULTS}",
        definition="vsi/piq/rgb/float32/not flat",
        function=vsi,
    ),
    _of_piq(
        name="mdsi",
        title="MDSI",
        measures="how unevenly gradients and colours differ from the reference's",
        source=f"Nafchi et al. 2016, sum of both similarities; {_DEFAULTS}",
        definition="mdsi/sum/piq/rgb/float32",
        function=mdsi,
    ),
    _of_piq(
        name="haarpsi",
        title="HaarPSI",
        measures="agreement with the reference in Haar wavelets' coefficients",
        high=1,
        higher_is_better=True,
        source=f"Reisenhofer et al. 2018, at half size; in flat pictures up to 4e-6 above 1; {_DEFAULTS}",
        definition="haarpsi/subsampled/piq/rgb/float32/not both flat",
        function=haarpsi,
        min_size=(16, 16),
    ),
)
