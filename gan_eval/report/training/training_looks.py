"""How a curve of training looks: colours and dashes by which the curves of many models are told apart.

Where models differ by the weights of their loss, dashes tell the loss (L1, L2, SSIM, the GAN alone) and the colours of
one loss run from dark to light with its weight, so that neighbours differ in lightness too, whatever colours a reader
sees. Models that differ otherwise have colours without an order, and neighbours have other dashes.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from gan_eval.report.training.runs import TrainingRun, ratios

_LIGHT = {
    "": ("#1b6f8a", "#c2571a", "#55427a", "#5d7a2f", "#b0305c", "#8a6d00", "#2a5fc4", "#8c4a2f", "#2f7d63", "#5f636b"),
    "L1": ("#37005b", "#2e177f", "#01388b", "#035276", "#066475", "#077573", "#03886a", "#289b45", "#7ba011"),
    "L2": ("#80011d", "#9e170c", "#b13d02", "#c35b00", "#d57703"),
    "SSIM": ("#80027c", "#9d188a", "#b73095", "#d244a0", "#ed58a9"),
    "GAN": ("#33363d",),
}
"""On white; each family from dark to light in equal steps of OKLCH lightness and hue."""
_DARK = {
    "": ("#62bfdb", "#f29a5f", "#bda7ea", "#a8c972", "#f08bb0", "#e0c35a", "#8fb4ff", "#d6a58c", "#7fd1b5", "#b4b9c2"),
    "L1": ("#9065d0", "#7680ec", "#4b9dfa", "#06b7f2", "#0bcde1", "#09e1cf", "#59f2b0", "#a9f98e", "#ebfb74"),
    "L2": ("#d8625c", "#eb7956", "#fc9252", "#ffb168", "#fece8c"),
    "SSIM": ("#cf64bb", "#e472c5", "#f881ce", "#ff9cd3", "#febad9"),
    "GAN": ("#c9cdd6",),
}
_PLACES = [(family, place) for family, colours in _LIGHT.items() for place in range(len(colours))]
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.6), (1.2, 1.2), (5, 1.4, 1.2, 1.4))
"""Drawn and blank in turn, in widths of the line: solid, dashed, dotted, dashes with dots."""
_FAMILY_DASHES = {"L1": 0, "L2": 1, "SSIM": 2, "GAN": 3}
_WEIGHTS = {"SSIM": "lambda_ssim", "L2": "lambda_l2", "L1": "lambda_l1"}


class Look(NamedTuple):
    """A curve's colour and dashes."""

    number: int
    """Of its colour in the style sheet, from 1."""
    dashes: tuple[float, ...]
    """Drawn and blank in turn, in widths of the line; empty for a solid line."""

    @property
    def mark(self) -> str:
        """The colour that stands for this one in a drawing until it is put on a page or into a file."""
        return f"#0a0a{self.number:02x}"

    @property
    def light(self) -> str:
        """The colour on white."""
        family, place = _PLACES[self.number - 1]
        return _LIGHT[family][place]

    @property
    def css(self) -> str:
        """The style of an SVG line, 2.5 wide, that looks so on the page."""
        dashes = " ".join(f"{2.5 * length:g}" for length in self.dashes)
        return f"stroke: var(--curve-{self.number})" + (f"; stroke-dasharray: {dashes}" if dashes else "")


def series_look(number: int) -> Look:
    """The look of the curve `number` (from 0) of things without an order; twenty in turn are unlike each other."""
    return Look(1 + number % len(_LIGHT[""]), _DASHES[number % len(_DASHES)])


def looks_of(runs: Sequence[TrainingRun]) -> list[Look]:
    """A look for each run: by its loss where the weights tell the runs apart, else by its number."""
    families = [loss_family(run.settings) for run in runs]
    if not all(ratios(runs)) or any(families.count(family) > len(_LIGHT[family]) for family in families):
        return [series_look(number) for number in range(len(runs))]
    found: dict[str, Look] = {}
    for family in dict.fromkeys(families):
        members = [run for run, one in zip(runs, families, strict=True) if one == family]
        members.sort(key=lambda run: (_weight(run, family), run.model))
        places = np.linspace(0, len(_LIGHT[family]) - 1, len(members)).round().astype(int)
        for run, place in zip(members, places, strict=True):
            found[run.model] = Look(1 + _PLACES.index((family, place)), _DASHES[_FAMILY_DASHES[family]])
    return [found[run.model] for run in runs]


def loss_family(settings: Mapping[str, Any]) -> str:
    """`SSIM`, `L2` or `L1`, the first that has a weight; `GAN` for the adversarial loss alone.

    >>> loss_family({"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0})
    'SSIM'
    """
    return next((family for family, key in _WEIGHTS.items() if settings.get(key)), "GAN")


def legend_of(names: Sequence[str], looks: Sequence[Look]) -> list[tuple[str, str]]:
    """Each name with the style of its line."""
    return [(name, look.css) for name, look in zip(names, looks, strict=True)]


def curve_variables() -> dict[str, str]:
    """The style sheet's word for each colour that stands for another."""
    return {Look(number, ()).mark: f"var(--curve-{number})" for number in range(1, len(_PLACES) + 1)}


def curve_colours() -> dict[str, str]:
    """The colour on white for each that stands for another."""
    return {look.mark: look.light for look in (Look(number, ()) for number in range(1, len(_PLACES) + 1))}


def curve_styles() -> Markup:
    """The curves' colours for the page's style sheet: light, dark, and light again on paper."""

    def variables(colours: Mapping[str, Sequence[str]]) -> str:
        values = [colours[family][place] for family, place in _PLACES]
        return " ".join(f"--curve-{number}: {colour};" for number, colour in enumerate(values, start=1))

    return Markup(
        f":root {{ {variables(_LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(_DARK)} }} }}\n"
        f"@media print {{ :root {{ {variables(_LIGHT)} }} }}"
    )


def _weight(run: TrainingRun, family: str) -> float:
    """The weight of the family's loss beside the adversarial one."""
    adversarial = float(run.settings.get("adversarial_weight") or 0.0)
    weight = float(run.settings.get(_WEIGHTS.get(family, "adversarial_weight")) or 0.0)
    return weight / adversarial if adversarial else math.inf
