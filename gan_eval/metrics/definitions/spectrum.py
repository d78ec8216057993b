"""The peak that upsampling leaves in the spectrum of generated pictures (Durall et al. 2020; Zhang et al. 2019).

A generator that enlarges its layers by 2 repeats the spectrum of the smaller layer: power gathers at half and at a
quarter of a cycle a pixel, which shows as a checkerboard. The radial spectrum of a picture is the mean power over the
rings of equal frequency. The peak is that of the difference between generated and real spectra above its neighbouring
rings, so that pictures that are merely sharper, softer or noisier have none.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features, require_finite
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_picture, require_side

PER_CYCLE = 64
"""Number of rings per frequency of 1 cycle/pixel."""
RINGS = 45
"""Rings 1 to 45: 1/64 to 45/64 cycles/pixel, up to the corner of the spectrum at √½."""
MIN_SIDE = PER_CYCLE
FIRST_RING = PER_CYCLE // 8
"""First ring in which a peak counts: copies from three upsamplings by 2 lie at 1/8 cycle/pixel and above."""
REACH = 5
"""Number of neighbours on each side with which a ring is compared, without the nearest one."""
ROUNDING = 1 / 12
"""Power of rounding to whole levels, added so that flat pictures have a spectrum."""


def radial_spectrum(picture: Pixels) -> NDArray[np.float64]:
    """Return the mean power of the integer luma in each of 45 rings of frequency, in dB.

    The luma minus its mean is multiplied by a Hann window, without which the picture's edges fill both axes of the
    spectrum. Ring k holds the frequencies that round to k/64 cycle a pixel. 0 dB is the power of white noise of one
    level's variance.

    Raises:
        Unmeasurable: a side is below 64 pixels.

    >>> noise = np.random.default_rng(0).normal(128, 16, (256, 256, 1)).astype(np.uint8).repeat(3, axis=2)
    >>> radial_spectrum(noise)[[15, 31, 40]].round()
    array([24., 24., 24.])
    """
    picture = as_picture(picture)
    height, width, _ = picture.shape
    require_side(picture, MIN_SIDE, "a radial spectrum")
    luma = compiled.luma(picture).astype(np.float64)
    window = np.hanning(height + 2)[1:-1, None] * np.hanning(width + 2)[None, 1:-1]
    power = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2 / np.square(window).sum()
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    ring = np.rint(PER_CYCLE * radius).astype(np.intp).ravel()
    means = np.bincount(ring, power.ravel(), RINGS + 1) / np.bincount(ring, minlength=RINGS + 1)
    return 10 * np.log10(means[1 : RINGS + 1] + ROUNDING)


def upsampling_peak(real: Features, fake: Features) -> float:
    """Return the largest excess, in dB, of a ring over its neighbours in the difference of two mean spectra.

    Args:
        real, fake: (N, 45) and (M, 45) radial spectra in dB.

    Raises:
        Unmeasurable: a set is empty, or a spectrum is not finite.

    >>> real = np.zeros((2, 45))
    >>> fake = np.linspace(3, 0, 45) + 4 * (np.arange(1, 46) == 32)
    >>> round(upsampling_peak(real, fake[None]), 9)
    4.0
    """
    return _peak(real, fake)[0]


def peak_frequency(real: Features, fake: Features) -> float:
    """Return the frequency of that ring in cycles/pixel, at least 1/8; arguments and errors as `upsampling_peak`."""
    return _peak(real, fake)[1] / PER_CYCLE


def _peak(real: Features, fake: Features) -> tuple[float, int]:
    """Return the largest excess and its ring."""
    if min(len(real), len(fake)) == 0:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; spectra are compared between sets")
    difference = fake.mean(axis=0, dtype=np.float64) - real.mean(axis=0, dtype=np.float64)
    require_finite(difference)
    rings = np.arange(1, RINGS + 1)
    excess = {}
    for ring in range(FIRST_RING, RINGS + 1):
        away = np.abs(rings - ring)
        excess[ring] = float(difference[ring - 1] - np.median(difference[(away > 1) & (away <= REACH)]))
    best = max(excess, key=lambda ring: excess[ring])
    return excess[best], best


UPSAMPLING_PEAK = Metric(
    name="upsampling_peak",
    title="Upsampling peak",
    kind="set",
    measures="excess of one ring of the generated pictures' power spectrum over its neighbours, minus that of the "
    "real pictures; a trace of upsampling by 2, such as a checkerboard",
    low=-math.inf,
    unit="dB",
    source="ours, on the radial spectrum of Durall et al. 2020: integer luma, Hann window, rings of 1/64 cycle a pixel",
    definition="upsampling-peak/int-luma/hann/64-rings/above-median-of-8",
    function=upsampling_peak,
    min_size=(MIN_SIDE, MIN_SIDE),
    extractor="spectrum",
    depends_on_count=True,
)

METRICS = (UPSAMPLING_PEAK,)
