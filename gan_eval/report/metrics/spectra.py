"""The radial power spectra behind the upsampling peak: reals and each model's pictures as one curve each."""

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.spectrum import FIRST_RING, PER_CYCLE, RINGS, UPSAMPLING_PEAK, radial_spectrum
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.report.metrics.data import REAL, Measured
from gan_eval.report.parts.blocks import Charts, Section
from gan_eval.report.parts.chart import INK, MUTED, STYLE, Chart, line_style, panel
from gan_eval.report.parts.words import listed
from gan_eval.stimuli.pictures import read_rgb

MOST_PICTURES = 500
"""Pictures of each set whose spectrum is drawn; they are read once more."""


def spectra_section(measured: Measured) -> Section:
    """Return a chart for each data set whose upsampling peak was computed, and whose files can be read."""
    charts = []
    for place, dataset in enumerate(measured.datasets):
        if UPSAMPLING_PEAK.name not in measured.set_metrics(dataset):
            continue
        curves = {name: _mean_spectrum(measured, dataset, name) for name in (REAL, *measured.models(dataset))}
        known = {name: curve for name, curve in curves.items() if curve is not None}
        if len(known) > 1:
            charts.append(_chart(dataset, known, f"spectra-{place}"))
    return Section("spectra", "Does upsampling leave a trace in the spectrum?", [Charts(charts)])


def _mean_spectrum(measured: Measured, dataset: str, name: str) -> NDArray[np.float64] | None:
    """Return the mean spectrum of a set in dB; None where no picture has one."""
    spectra = []
    for file in measured.files(dataset, name)[:MOST_PICTURES]:
        try:
            spectra.append(radial_spectrum(read_rgb(file)))
        except (UserError, Unmeasurable):
            continue
    return np.mean(spectra, axis=0) if spectra else None


def _chart(dataset: str, curves: dict[str, NDArray[np.float64]], name: str) -> Chart:
    """Return the curves of a data set, the real pictures' in ink."""
    frequency = np.arange(1, RINGS + 1) / PER_CYCLE
    with mpl.rc_context(STYLE):
        figure, axes = panel(2.4 + 0.17 * len(curves))
        for place, (of, curve) in enumerate(curves.items()):
            style = {"color": INK, "linestyle": "-"} if of == REAL else line_style(place - 1)
            axes.plot(frequency, curve, label="real" if of == REAL else of.replace("$", r"\$"), **style)
        axes.axvline(FIRST_RING / PER_CYCLE, color=MUTED, linewidth=1, linestyle=":", zorder=0)
        axes.set_xlim(0, RINGS / PER_CYCLE)
        axes.grid(axis="y")
        axes.set_xlabel("cycles a pixel")
        axes.set_ylabel("power, dB")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    caption = (
        "Mean power of the luma in rings of equal frequency. A peak that only a model's curve has is a trace of "
        "upsampling; peaks count to the right of the dotted line."
    )
    models = [of for of in curves if of != REAL]
    return Chart(
        dataset, [figure], caption, f"Radial power spectra of the real pictures and of {listed(models)}.", name
    )
