"""Colours: charts are drawn with marks, and a palette says what each mark becomes on the page or on paper.

Where models differ by the weights of their loss, dashes tell the loss (L1, L2, SSIM, the GAN alone) and the colours of
one loss run from dark to light with its weight, so that neighbours differ in lightness too, whatever colours a reader
sees. Models that differ otherwise have colours without an order, and neighbours have other dashes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES = {"real": "#040404", "fake": "#050505", "all": "#060606", "open": MUTED}

LIGHT = {
    "": ("#1b6f8a", "#c2571a", "#55427a", "#5d7a2f", "#b0305c", "#8a6d00", "#2a5fc4", "#8c4a2f", "#2f7d63", "#5f636b"),
    "L1": ("#37005b", "#2e177f", "#01388b", "#035276", "#066475", "#077573", "#03886a", "#289b45", "#7ba011"),
    "L2": ("#80011d", "#9e170c", "#b13d02", "#c35b00", "#d57703"),
    "SSIM": ("#80027c", "#9d188a", "#b73095", "#d244a0", "#ed58a9"),
    "GAN": ("#33363d",),
}
"""Of curves on white; each family from dark to light in equal steps of OKLCH lightness and hue."""
_DARK = {
    "": ("#62bfdb", "#f29a5f", "#bda7ea", "#a8c972", "#f08bb0", "#e0c35a", "#8fb4ff", "#d6a58c", "#7fd1b5", "#b4b9c2"),
    "L1": ("#9065d0", "#7680ec", "#4b9dfa", "#06b7f2", "#0bcde1", "#09e1cf", "#59f2b0", "#a9f98e", "#ebfb74"),
    "L2": ("#d8625c", "#eb7956", "#fc9252", "#ffb168", "#fece8c"),
    "SSIM": ("#cf64bb", "#e472c5", "#f881ce", "#ff9cd3", "#febad9"),
    "GAN": ("#c9cdd6",),
}
_PLACES = [(family, place) for family, colours in LIGHT.items() for place in range(len(colours))]
DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.6), (1.2, 1.2), (5, 1.4, 1.2, 1.4))
"""Inked and blank in turn, in widths of the line: solid, dashed, dotted, dashes with dots."""


class Look(NamedTuple):
    """A curve's colour and dashes."""

    number: int
    """Of its colour in the style sheet, from 1."""
    dashes: tuple[float, ...]
    """Inked and blank in turn, in widths of the line; empty for a solid line."""

    @property
    def mark(self) -> str:
        """The colour that stands for this one in a drawing until it is put on a page or into a file."""
        return f"#0a0a{self.number:02x}"

    @property
    def light(self) -> str:
        """The colour on white."""
        family, place = _PLACES[self.number - 1]
        return LIGHT[family][place]

    @property
    def css(self) -> str:
        """The style of an SVG line, 2.5 wide, that looks so on the page."""
        dashes = " ".join(f"{2.5 * length:g}" for length in self.dashes)
        return f"stroke: var(--curve-{self.number})" + (f"; stroke-dasharray: {dashes}" if dashes else "")


def series_look(number: int) -> Look:
    """The look of the curve `number` (from 0) of things without an order; twenty in turn are unlike each other."""
    return Look(1 + number % len(LIGHT[""]), DASHES[number % len(DASHES)])


def family_look(family: str, place: int, dashes: tuple[float, ...]) -> Look:
    """The look of a curve of a family of LIGHT, `place` counting its colours from the darkest."""
    return Look(1 + _PLACES.index((family, place)), dashes)


_LOOKS = [Look(number, ()) for number in range(1, len(_PLACES) + 1)]


@dataclass(frozen=True)
class Palette:
    """What a chart's marks become."""

    colours: Mapping[str, str]
    """By mark."""
    background: str = "none"


PAGE = Palette(
    {
        INK: "var(--ink)",
        MUTED: "var(--muted)",
        GRID: "var(--line)",
        **{SERIES[name]: f"var(--{name})" for name in ("real", "fake", "all")},
        **{look.mark: f"var(--curve-{look.number})" for look in _LOOKS},
    }
)
"""The style sheet's variables, light and dark."""
PAPER = Palette(
    {
        INK: "#1c1d21",
        MUTED: "#4a4d55",
        GRID: "#dfddd6",
        SERIES["real"]: "#1b6f8a",
        SERIES["fake"]: "#c2571a",
        SERIES["all"]: "#55427a",
        **{look.mark: look.light for look in _LOOKS},
    },
    background="white",
)
"""Dark on white."""


def curve_styles() -> Markup:
    """The curves' colours for the page's style sheet: light, dark, and light again on paper."""

    def variables(colours: Mapping[str, Sequence[str]]) -> str:
        values = [colours[family][place] for family, place in _PLACES]
        return " ".join(f"--curve-{number}: {colour};" for number, colour in enumerate(values, start=1))

    return Markup(
        f":root {{ {variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(_DARK)} }} }}\n"
        f"@media print {{ :root {{ {variables(LIGHT)} }} }}"
    )
