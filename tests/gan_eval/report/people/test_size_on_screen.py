"""The methods' text on the pictures' size on the screen."""

from pathlib import Path

import pandas as pd
import pytest

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.people.paper import size_on_screen
from gan_eval.settings.study import Study
from gan_eval.tables import SESSIONS


def sentence(picture_size: object, **columns: list[float | None]) -> list[str]:
    """Return the sentence for this setting (None: only the tables exist) and these columns of the sessions."""
    rows = len(next(iter(columns.values())))
    sessions = pd.DataFrame({name: columns.get(name, [None] * rows) for name in SESSIONS.names})
    study = None
    if picture_size is not None:
        study = Study.model_validate(
            {"study": {"name": "s"}, "stimuli": {"sets": ["s"]}, "quiz": {"picture_size": picture_size}}
        )
    folder = StudyFolder(Path(), study, {}, {"sessions": sessions}, {}, {}, {})
    return size_on_screen(folder)


def test_degrees_are_said_with_their_spread_over_screens() -> None:
    seen = {
        "picture_width_px": [288, 510],
        "picture_width_deg": [8.004, 7.997],
        "pixels_per_degree": [36.0, 63.67],
    }
    (said,) = sentence("8 deg", **seen)
    assert said == (
        "On the screen pictures were 288 to 510 physical pixels wide (resampled before the session by Pillow's Lanczos "
        "filter), 8.0° of visual angle at 36.0 to 63.7 pixels per degree."
    )


@pytest.mark.parametrize(
    ("size", "how"), [("native", ", pixel for pixel"), (512, " (resampled before the session by Pillow"), (None, ".")]
)
def test_how_pictures_came_to_their_size_is_said_where_the_study_tells(size: object, how: str) -> None:
    (said,) = sentence(size, picture_width_px=[512, None, 512])
    assert f"On the screen pictures were 512 physical pixels wide{how}" in said
    assert "°" not in said


def test_where_no_session_knows_nothing_is_said() -> None:
    assert sentence("native", picture_width_px=[None, None]) == []
