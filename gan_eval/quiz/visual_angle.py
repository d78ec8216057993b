"""Sizes on the screen in physical pixels and degrees of visual angle: width w at distance d spans 2 atan(w / 2d)."""

from dataclasses import dataclass
from math import atan, degrees, floor, radians, tan

from gan_eval.base.errors import UserError
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class Viewing:
    """Scale of a screen and viewing distance; None: unknown."""

    pixels_per_mm: float | None = None
    distance_mm: float | None = None

    def pixels(self, visual_angle: float) -> float | None:
        """Return the width in pixels that spans an angle in degrees around the middle.

        >>> round(Viewing(4.0, 600.0).pixels(8.0), 2)
        335.65
        """
        if self.pixels_per_mm is None or self.distance_mm is None:
            return None
        return 2 * self.distance_mm * tan(radians(visual_angle) / 2) * self.pixels_per_mm

    def visual_angle(self, pixels: int) -> float | None:
        """Return the angle in degrees that a width in pixels spans around the middle.

        >>> round(Viewing(4.0, 600.0).visual_angle(336), 2)
        8.01
        """
        if self.pixels_per_mm is None or self.distance_mm is None:
            return None
        return 2 * degrees(atan(pixels / self.pixels_per_mm / (2 * self.distance_mm)))

    def columns(self, width: int | None) -> Row:
        """Return the columns of a session's row for the viewing and for pictures of this width in pixels."""
        return {
            "pixels_per_mm": self.pixels_per_mm,
            "viewing_distance_mm": self.distance_mm,
            "picture_width_px": width,
            "picture_width_deg": None if width is None else self.visual_angle(width),
            "pixels_per_degree": self.pixels(1.0),
        }


def enlarged_width(widest: int, screen: int) -> int | None:
    """Return the whole multiple of a width that pictures should have which fill less than a tenth of the screen.

    >>> enlarged_width(256, 3840), enlarged_width(256, 1920)
    (768, None)
    """
    return widest * (screen // (4 * widest)) if 0 < 10 * widest < screen else None  # a pair of these also fits


def largest_factor(size: tuple[int, int], screen: tuple[int, int]) -> int:
    """Return the largest whole factor by which pictures (width, height) fit into nine tenths of a screen; at least 1.

    >>> largest_factor((320, 320), (3840, 2160)), largest_factor((320, 320), (1366, 768))
    (6, 2)
    >>> largest_factor((800, 900), (800, 600))
    1
    """
    return max(1, min(9 * whole // (10 * side) for side, whole in zip(size, screen, strict=True)))


def picture_width(settings: QuizSettings, viewing: Viewing) -> int | None:
    """Return the width in pixels of every picture; None: each at its own size.

    Raises:
        UserError: the study gives degrees, and the screen's scale or the viewing distance is unknown.
    """
    if settings.picture_degrees is None:
        return settings.picture_size if isinstance(settings.picture_size, int) else None
    width = viewing.pixels(settings.picture_degrees)
    if width is None:
        raise UserError(
            f'picture_size = "{settings.picture_size}": degrees need the viewing distance and the width of the screen; '
            "give --viewing-distance-cm and --screen-width-cm, or the same keys in [quiz]"
        )
    return max(1, floor(width + 0.5))
