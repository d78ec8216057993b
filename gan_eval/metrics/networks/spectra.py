"""The radial power spectrum of a picture, as the features of set metrics; no network takes part."""

import torch
from torch import Tensor

from gan_eval.metrics.definitions.spectrum import RINGS, radial_spectrum
from gan_eval.metrics.networks.extractors import Extractor
from gan_eval.stimuli.pictures import Picture


class RadialSpectrum(Extractor):
    """Features of `gan_eval.metrics.definitions.spectrum.radial_spectrum`."""

    def __init__(self) -> None:
        super().__init__(name="spectrum", size=RINGS, key="radial-spectrum/int-luma/hann/64-rings")

    def prepare(self, picture: Picture, companion: Picture | None = None) -> Tensor:
        """Return the spectrum, (45,) float32 in dB.

        Raises:
            Unmeasurable: a side is below 64 pixels.
        """
        return torch.from_numpy(radial_spectrum(picture)).float()
