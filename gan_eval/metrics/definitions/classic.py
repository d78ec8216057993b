"""VIF, FSIM, GMSD, MS-GMSD, VSI, MDSI and HaarPSI: similarity to the reference without a network, as piq computes it.

Each value is piq's own number with its default settings: RGB as float32 in 0..1, the generated picture first. They run
on the CPU, load torch, and take equal sizes.
"""

import math
from functools import partial

import numpy as np

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_pair, memory_ran_out


def piq_value(function: str, fake: Pixels, real: Pixels) -> float:
    """Return the number of one of piq's functions for one pair.

    Args:
        function: its name in `piq`.
        fake, real: (H, W, 3) uint8, 0..255.

    Raises:
        Unmeasurable: the sizes differ, piq refuses the pair (too small), or it gives no finite number.

    >>> grey = np.full((64, 64, 3), 128, np.uint8)
    >>> piq_value("gmsd", grey, grey)
    0.0
    """
    import piq
    import torch

    pair = as_pair(fake, real)
    with torch.inference_mode():
        planes = [
            torch.from_numpy(np.divide(p.transpose(2, 0, 1)[None], np.float32(255), dtype=np.float32, order="C"))
            for p in pair
        ]
        try:
            value = float(getattr(piq, function)(*planes))
        except (AssertionError, ValueError, RuntimeError) as error:
            if memory_ran_out(error):
                raise
            raise Unmeasurable(f"{pair[0].shape[1]}x{pair[0].shape[0]} pixels; piq: {error}") from error
    if not math.isfinite(value):
        raise Unmeasurable(f"piq gives {value}: the pictures are flat or too small")
    return value


_DEFAULTS = "piq's defaults, RGB 0..1 in float32"

vif = partial(piq_value, "vif_p")
VIF = Metric(
    name="vif",
    title="VIF",
    kind="pair",
    measures="share of the reference's information that is left, at four scales; above 1 where contrast is enhanced",
    higher_is_better=True,
    source=f"Sheikh and Bovik 2006, in the pixel domain, luma; {_DEFAULTS}",
    definition="vif/pixel-domain/piq/rgb/float32",
    function=vif,
    least_size=(41, 41),
    library="piq",
)

fsim = partial(piq_value, "fsim")
FSIM = Metric(
    name="fsim",
    title="FSIM",
    kind="pair",
    measures="agreement with the reference in phase congruency, gradients and colour",
    high=1,
    higher_is_better=True,
    source=f"Zhang et al. 2011, with colour (FSIMc); {_DEFAULTS}",
    definition="fsim/chromatic/piq/rgb/float32",
    function=fsim,
    least_size=(2, 2),
    library="piq",
)

gmsd = partial(piq_value, "gmsd")
GMSD = Metric(
    name="gmsd",
    title="GMSD",
    kind="pair",
    measures="how unevenly the gradients differ from the reference's",
    high=0.5,
    source=f"Xue et al. 2014, luma at half size; {_DEFAULTS}",
    definition="gmsd/piq/rgb/float32",
    function=gmsd,
    library="piq",
)

ms_gmsd = partial(piq_value, "multi_scale_gmsd")
MS_GMSD = Metric(
    name="ms_gmsd",
    title="MS-GMSD",
    kind="pair",
    measures="as gmsd at four scales",
    high=0.5,
    source=f"Zhang et al. 2017, without colour; {_DEFAULTS}",
    definition="ms-gmsd/luma/piq/rgb/float32",
    function=ms_gmsd,
    least_size=(17, 17),
    library="piq",
)

vsi = partial(piq_value, "vsi")
VSI = Metric(
    name="vsi",
    title="VSI",
    kind="pair",
    measures="agreement with the reference in salience, gradients and colour, weighted by salience",
    high=1,
    higher_is_better=True,
    source=f"Zhang et al. 2014; {_DEFAULTS}",
    definition="vsi/piq/rgb/float32",
    function=vsi,
    library="piq",
)

mdsi = partial(piq_value, "mdsi")
MDSI = Metric(
    name="mdsi",
    title="MDSI",
    kind="pair",
    measures="how unevenly gradients and colours differ from the reference's",
    source=f"Nafchi et al. 2016, sum of both similarities; {_DEFAULTS}",
    definition="mdsi/sum/piq/rgb/float32",
    function=mdsi,
    library="piq",
)

haarpsi = partial(piq_value, "haarpsi")
HAARPSI = Metric(
    name="haarpsi",
    title="HaarPSI",
    kind="pair",
    measures="agreement with the reference in Haar wavelets' coefficients",
    high=1,
    higher_is_better=True,
    source=f"Reisenhofer et al. 2018, at half size; in flat pictures up to 4e-6 above 1; {_DEFAULTS}",
    definition="haarpsi/subsampled/piq/rgb/float32",
    function=haarpsi,
    least_size=(16, 16),
    library="piq",
)

METRICS = (VIF, FSIM, GMSD, MS_GMSD, VSI, MDSI, HAARPSI)
