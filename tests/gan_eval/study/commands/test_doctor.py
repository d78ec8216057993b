"""The doctor's findings, each on a machine that lacks something."""

import importlib.metadata
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan_eval.base.system_libraries import can_import_qt
from gan_eval.metrics.weights import cache
from gan_eval.metrics.weights.known import WEIGHTS
from gan_eval.quiz.station import ScreenKey, ScreenTiming, save_timing
from gan_eval.study.commands import doctor
from gan_eval.study.commands.doctor import SystemFinding

needs_qt = pytest.mark.skipif(not can_import_qt(), reason="the system lacks libraries that Qt needs")


def pretend_installed(monkeypatch: pytest.MonkeyPatch, requires: list[str], versions: dict[str, str]) -> None:
    """Let the metadata list only these requirements and these installed versions."""

    def version(name: str) -> str:
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: requires)
    monkeypatch.setattr(importlib.metadata, "version", version)


def test_libraries_are_compared_with_what_is_asked_for(monkeypatch):
    requires = ["numpy>=2.1", "pandas>=3.0", "rich>=13.9", 'torch>=2.14; extra == "metrics"', 'mypy; extra == "dev"']
    requires.append('gan-eval[metrics]; extra == "train"')
    pretend_installed(monkeypatch, requires, {"numpy": "2.4.6", "pandas": "2.2.3"})
    findings = {finding.what: finding for finding in doctor.library_findings()}
    assert findings["numpy"] == SystemFinding("numpy", "ok", "2.4.6")
    assert findings["pandas"].status == "missing"
    assert findings["pandas"].detail == "2.2.3, expected >=3.0"
    assert findings["rich"].detail == "not installed"
    assert findings["torch (extra metrics)"].status == "warning"
    assert "--extras metrics" in findings["torch (extra metrics)"].fix
    assert len(findings) == 4


def test_the_free_disk_space_is_compared_with_a_full_set_up(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=7.04e9))
    assert doctor.disk_finding().detail.startswith(f"7.0 GB free at {sys.prefix};")


def test_every_extra_that_commands_need_is_examined():
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*doctor.SHOWN_EXTRAS} == project["optional-dependencies"].keys() - {"notebook", "dev"}


@needs_qt
def test_without_a_display_sessions_can_only_be_rehearsed(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    starts, screen = doctor.screen_findings()
    assert starts.status == "ok", starts
    assert screen.status == "warning"
    assert "DISPLAY" in screen.detail


@needs_qt
def test_a_display_that_cannot_be_reached_is_reported_not_crashed_on(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":4711")
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    (finding,) = doctor.screen_findings()
    assert finding.status == "missing"
    assert "no-such-platform" in finding.detail


def test_screens_are_listed_with_their_timing_and_unbelievable_rates_named(monkeypatch, tmp_path):
    screens = [
        {"name": "DP-1", "width": 2560, "height": 1440, "ratio": 1.5, "hertz": 143.998},
        {"name": "HDMI-1", "width": 1280, "height": 800, "ratio": 2.0, "hertz": 0.0},
    ]
    answer = {"version": "6.12.0", "platform": "xcb", "screens": screens}
    monkeypatch.setattr(doctor, "probe_screens", lambda: (answer, ""))
    monkeypatch.setattr("gan_eval.quiz.station.station_file", lambda: tmp_path / "screens.json")
    monkeypatch.setenv("DISPLAY", ":0")
    known = ScreenKey("DP-1", 3840, 2160, 143.998, "xcb")
    save_timing(known, ScreenTiming("opengl", vsync=True, refresh_hz=143.951, measured_at="2026-01-31T12:00:00Z"))
    _, first, measured, second, unknown = doctor.screen_findings()
    assert first == SystemFinding("screen DP-1", "ok", "2560 × 1440, 144 Hz, device pixel ratio 1.5")
    assert second.status == "warning"
    assert "device pixel ratio 2" in second.detail
    assert measured.what == "timing of the screen DP-1"
    assert measured.status == "ok"
    assert "143.95 Hz, opengl window; measured 2026-01-31" in measured.detail
    assert unknown == SystemFinding(
        "timing of the screen HDMI-1",
        "warning",
        "not measured, so exposures are not rounded to the screen's frames",
        "gan-eval quiz --self-test",
    )


def test_only_what_is_not_in_order_is_listed(monkeypatch, command):
    found = [
        SystemFinding("Python", "ok", "3.11"),
        SystemFinding("disk", "ok", "9 GB"),
        SystemFinding("screen", "warning", "none", "look"),
    ]
    found += [SystemFinding(f"weights {name}", "optional", "absent") for name in "abc"]
    monkeypatch.setattr(doctor, "examine", lambda: found)
    found += [
        SystemFinding(f"{name} (extra web)", "warning", "not installed", "./run setup") for name in ("segno", "uvicorn")
    ]
    lines = command("doctor")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["warning", "warning", "optional", "ok"]
    assert "segno (extra web), uvicorn (extra web)" in lines[1]
    assert "3 files" in lines[2]
    assert "2 checks" in lines[3]
    assert len(command("doctor", "--all")[1].splitlines()) == len(found)


def test_weights_that_are_not_there_come_with_the_command_and_without_alarm(monkeypatch):
    listed = [(WEIGHTS["dists"], None), (WEIGHTS["inception"], Path("/cache/i.pt"))]
    monkeypatch.setattr(cache, "list_weights", lambda: listed)
    absent, present = doctor.weights_findings()
    assert absent == SystemFinding(
        "weights dists",
        "optional",
        "not in the cache (weights of structure and texture in VGG16's layers, for DISTS)",
        "if you need them: `gan-eval weights fetch dists`",
    )
    assert present == SystemFinding("weights inception", "ok", "/cache/i.pt")


@pytest.mark.parametrize(("count", "detail"), [(1, "H200"), (0, "none that torch ")])
def test_what_torch_would_train_on(monkeypatch, count, detail):
    cuda = pytest.importorskip("torch").cuda
    monkeypatch.setattr(cuda, "device_count", lambda: count)
    monkeypatch.setattr(cuda, "get_device_name", lambda number: "H200")
    (finding,) = doctor.gpu_findings()
    assert finding.detail.startswith(detail)
