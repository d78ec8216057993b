"""The page's arithmetic of frames: its own trial.js, run by node on displays of known rates; times of events."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from gan_eval.quiz.protocol import Timing
from gan_eval.quiz.remote import nanoseconds
from gan_eval.quiz.serve.pages import HERE
from gan_eval.quiz.station import round_exposure
from gan_eval.quiz.trial import Flag, Trial

NODE = shutil.which("node")
pytestmark = [pytest.mark.skipif(NODE is None, reason="needs node on the PATH"), pytest.mark.slow]

EXPOSURES = (50, 100, 150, 250, 300, 350, 400, 500, 1000, 1500, 2000, 3000)
RATES = (59.94, 60, 75, 120, 144)
PHASES = (0, 0.13, 0.4, 0.55, 0.9)
DISPLAYS = [{"hz": hz, "phase": phase, "whole": whole} for hz in RATES for phase in PHASES for whole in (True, False)]
"""`whole`: the times of frames are whole milliseconds, as WebKit gives them."""


def run(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    assert NODE is not None
    script, page = Path(__file__).with_name("virtual_display.js"), HERE / "static" / "trial.js"
    done = subprocess.run([NODE, script, page], input=json.dumps(jobs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


@cache
def measured_rates() -> list[float]:
    return [each["measured"]["refresh_hz"] for each in run([{**display, "show": []} for display in DISPLAYS])]


def shown(**disturbed: float) -> list[tuple[dict[str, Any], float, dict[str, Any], bool]]:
    """Each display, exposure asked for, report, and whether its row is flagged as late."""
    rates, jobs = measured_rates(), []
    for display, rate in zip(DISPLAYS, rates, strict=True):
        show = [{"planned_ms": round_exposure(asked, rate), **disturbed} for asked in EXPOSURES]
        jobs.append({**display, "show": show})
    found = []
    for job, rate, result in zip(jobs, rates, run(jobs), strict=True):
        for asked, report in zip(EXPOSURES, result["reports"], strict=True):
            trial = Trial({}, Timing(asked, 4000))
            trial.plan(partial(round_exposure, refresh_hz=rate))
            trial.appear(nanoseconds(report["showings"][0]["onset_ms"]))
            trial.vanish(nanoseconds(report["showings"][0]["offset_ms"]))
            found.append((job, asked, report, Flag.LATE in (trial.measured()["flags"] or "")))
    return found


def test_refresh_rates_are_measured_from_times_in_whole_milliseconds() -> None:
    for display, rate in zip(DISPLAYS, measured_rates(), strict=True):
        assert rate == pytest.approx(display["hz"], rel=0.001 if display["whole"] else 1e-6), display


def test_no_right_exposure_is_late_and_no_frame_is_missed() -> None:
    for display, asked, report, late in shown():
        showing, frame = report["showings"][0], 1000 / display["hz"]
        assert not late, (display, asked, report)
        assert report["missed_frames"] == 0, (display, asked, report)
        assert abs(showing["offset_ms"] - showing["onset_ms"] - asked) <= frame / 2 + 0.1, (display, asked)


@pytest.mark.parametrize("skipped", [1, 2])
def test_an_exposure_that_lasts_a_frame_longer_is_late_and_its_frames_are_counted(skipped: int) -> None:
    for display, asked, report, late in shown(skipped=skipped):
        assert late, (display, asked, report)
        assert report["missed_frames"] == skipped, (display, asked, report)


def test_frames_are_counted_in_an_interval_of_seconds() -> None:
    (result,) = run([{"hz": 60, "phase": 0.3, "whole": True, "show": [{"planned_ms": 250, "skipped": 120}]}])
    (report,) = result["reports"]
    assert report["missed_frames"] == 120
    assert report["flags"] == ["missed_frames"]


@pytest.mark.parametrize("late_ms", [5, 11])
def test_a_late_callback_after_which_the_next_is_in_time_misses_no_frame(late_ms: float) -> None:
    show = [{"planned_ms": 100, "late_ms": late_ms}] * 9
    (result,) = run([{"hz": 60, "phase": 0.3, "whole": True, "show": show}])
    for report in result["reports"]:
        assert (report["missed_frames"], report["flags"]) == (0, [])
        assert report["frame_ms"] == pytest.approx(1000 / 60, abs=0.1)
