"""`[training.inpainting]` of `gan_eval.settings.training` under the name that scripts know."""

from gan_eval.settings.training import (
    MOST_WEIGHT,
    NEUTRAL_GREY,
    FillKind,
    InpaintingSettings,
    JudgedPatches,
    MaskKind,
    StyleLayers,
    StyleNetwork,
)

__all__ = [
    "MOST_WEIGHT",
    "NEUTRAL_GREY",
    "FillKind",
    "InpaintingSettings",
    "JudgedPatches",
    "MaskKind",
    "StyleLayers",
    "StyleNetwork",
]
