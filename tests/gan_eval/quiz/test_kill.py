"""Nothing that was acknowledged is lost, whenever the program is killed: `pytest -k kill --kills 200`."""

from pathlib import Path

import pytest
from kill_sessions import kill_sessions

from gan_eval.stimuli.sets import StimulusSet


def test_sessions_killed_at_any_moment_lose_double_and_tear_nothing(
    stimuli: StimulusSet, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    outcome = kill_sessions(stimuli.folder, tmp_path / "store.sqlite", kills=kills, seed=kills)
    print(outcome.kills, "kills", outcome.acknowledged, "acknowledged", outcome.on_screen, "on the screen")
    assert outcome.acknowledged >= kills // 2, "the kills come too early to say anything"
    assert outcome.on_screen or kills < 50, "no kill fell on a picture"
