"""Pixels and degrees, and the size that a session has."""

import math

import pytest

from gan_eval.errors import UserError
from gan_eval.quiz.visual_angle import Viewing, picture_width
from gan_eval.settings.quiz import QuizSettings

SEEN = Viewing(pixels_per_mm=1920 / 531, distance_mm=570.0)
"""A usual screen of 24 inches at 57 cm, where a centimetre spans about a degree."""


def test_degrees_become_pixels_by_the_tangent_of_half_the_angle() -> None:
    centimetres = 2 * 57 * math.tan(math.pi * 4 / 180)
    assert SEEN.pixels(8.0) == pytest.approx(centimetres * 1920 / 53.1)
    assert SEEN.visual_angle(288) == pytest.approx(8.0, abs=0.02)
    assert SEEN.pixels(1.0) == pytest.approx(1920 / 53.1 * 0.995, abs=0.03)
    assert picture_width(QuizSettings(picture_size="8 deg"), SEEN) == 288
    assert SEEN.visual_angle(1920) == pytest.approx(2 * math.degrees(math.atan(26.55 / 57)))


@pytest.mark.parametrize("unknown", [Viewing(), Viewing(pixels_per_mm=4.0), Viewing(distance_mm=600.0)])
def test_what_is_not_known_stays_empty_and_degrees_are_refused(unknown: Viewing) -> None:
    columns = unknown.columns(512)
    assert columns["picture_width_px"] == 512
    assert (columns["picture_width_deg"], columns["pixels_per_degree"]) == (None, None)
    assert picture_width(QuizSettings(picture_size=512), unknown) == 512
    assert picture_width(QuizSettings(), unknown) is None
    with pytest.raises(UserError, match=r"8 deg.*--viewing-distance-cm and --screen-width-cm"):
        picture_width(QuizSettings(picture_size="8 deg"), unknown)
