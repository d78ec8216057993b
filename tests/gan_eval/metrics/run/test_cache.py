"""The cache of earlier runs: entries are found by content alone, written at each result, and never cause a failure."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from metric_pictures import Thumbnails, texture

from gan_eval.base.errors import UserError
from gan_eval.metrics import Settings, folder_pair
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.kernels.pictures import Missing
from gan_eval.metrics.run import cache as cache_database
from gan_eval.metrics.run import sets
from gan_eval.metrics.run.cache import Cache, cache_file
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.metrics.run.runner import Evaluation, RepeatedRuns, run_metrics
from gan_eval.pictures import decode as pictures

Folders = Callable[..., tuple[Path, Path]]
A, B, C = (bytes([n]) * 32 for n in range(3))


@pytest.fixture(autouse=True)
def _room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "metrics.sqlite"


def measure(real: Path, fake: Path, settings: Settings, **how: object) -> Evaluation:
    stimuli = stimuli_of_sets([folder_pair(real, fake, dataset="d", model="m")])
    return run_metrics(stimuli, settings, command="test", **how)  # type: ignore[arg-type]


def assert_same(one: Evaluation, other: Evaluation) -> None:
    for table in ("image_metrics", "set_metrics"):
        here, there = (getattr(found, table).drop(columns="run") for found in (one, other))
        pd.testing.assert_frame_equal(here, there, check_exact=True)


def kept_of(found: Evaluation) -> int:
    return int(json.loads(found.runs["settings"][0])["kept_values_used"])


def test_during_a_training_real_pictures_are_measured_once_and_values_stand_alone(
    folders: Folders, thumbnails: Thumbnails, tmp_path: Path, file: Path
) -> None:
    settings = Settings(("niqe", "psnr", "fid"), weights={"inception": tmp_path / "any.pth"}, threads=1)
    real, fake = folders(3)
    held = RepeatedRuns(settings)
    for step in range(2):
        for number in range(3):  # the generator has changed
            pictures.write_png(fake / f"p{number}.png", texture(100 + 20 * step + number, 96))
        thumbnails.prepared.clear()
        found = measure(real, fake, settings, held=held)
        assert len(thumbnails.prepared) == (3 if step else 6)
        fresh = measure(real, fake, settings)
        pd.testing.assert_frame_equal(*(one.image_metrics.drop(columns="run") for one in (found, fresh)))
        assert list(found.set_metrics["metric"]) == ["fid"]
        assert found.set_metrics["value"][0] == fresh.set_metrics.set_index("metric")["value"]["fid"]
        assert found.set_metrics["ci_low"].isna().all()
        assert not found.set_metrics["note"].str.contains("interval").any()
    assert not file.exists()  # nothing of a training goes into the user's cache


def test_without_a_file_or_room_nothing_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "0")
    for nothing in (Cache(None), Cache(file)):
        with nothing as kept:
            kept.keep((A, B), b"psnr", 1.0)
            assert [kept.result([A.hex()], lambda text=text: text) for text in "xy"] == ["x", "y"]
            assert (kept.found((A, B), b"psnr"), kept.problem) == (None, None)
    assert not file.exists()


def test_values_features_and_lasting_reasons_come_back(file: Path) -> None:
    lasting, passing = Missing("too small"), Missing("no memory", is_lasting=False)
    with Cache(file) as kept:
        for name, content in ((b"inf", np.inf), (b"tiny", 5e-324), (b"lasting", lasting), (b"passing", passing)):
            kept.keep((A, B), name, content)
        kept.keep((A, b""), b"features", np.arange(3, dtype=np.float32))
    with Cache(file) as kept:
        found = [kept.found((A, B), name) for name in (b"inf", b"tiny", b"lasting", b"passing")]
        assert found == [np.inf, 5e-324, lasting, None]
        assert kept.found((A, b""), b"features").tolist() == [0, 1, 2]


def test_the_environment_names_place_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_file() == tmp_path / "cache" / "metrics.sqlite"
    for bad in ("much", "-1", "inf", "1.5"):
        monkeypatch.setenv("GAN_EVAL_CACHE_MB", bad)
        with pytest.raises(UserError, match=f"GAN_EVAL_CACHE_MB={bad}:"):
            Cache(None)


def test_a_full_cache_is_emptied(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vector = np.zeros(25_000, np.float32)
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "1")
    with Cache(file) as kept:
        for picture in range(30):
            kept.keep((bytes([picture]) * 32, b""), b"network", vector + picture)
            kept.write(now=True)
    assert file.stat().st_size < 1.2 * 2**20
    with Cache(file) as kept:
        there = [picture for picture in range(30) if kept.found((bytes([picture]) * 32, b""), b"network") is not None]
    assert there == list(range(30 - len(there), 30)), "the last ones"
    assert 0 < len(there) < 12


def test_a_second_run_decodes_nothing_and_gives_the_same(
    folders: Folders, thumbnails: Thumbnails, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(12)
    pictures.write_png(fake / "p3.png", texture(3, 10, 10))
    pictures.write_png(real / "p3.png", texture(4, 10, 10))
    plain = Settings(("mdsi", "gmsd", "fid", "kid"), weights={"inception": tmp_path / "any.pth"})
    kept = replace(plain, cache=file)
    first, asked = measure(real, fake, plain), len(thumbnails.prepared)
    assert_same(measure(real, fake, kept), first)
    assert len(thumbnails.prepared) == 2 * asked == 48

    monkeypatch.setattr(pictures, "decode_measured", None)
    monkeypatch.setattr(sets, "compare_sets", None)
    again = measure(real, fake, kept)
    assert_same(again, first)
    assert len(thumbnails.prepared) == 48
    assert kept_of(again) == 48, "12 of each pair metric, 24 features"
    assert again.runs["settings_hash"][0] == first.runs["settings_hash"][0]


def test_values_that_take_less_time_than_decoding_are_not_cached(folders: Folders, file: Path) -> None:
    real, fake = folders(2)
    for _ in range(2):
        assert kept_of(measure(real, fake, Settings(("psnr", "ssim", "niqe", "sharpness"), cache=file))) == 0


def test_content_decides_not_names_or_times(folders: Folders, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = folders(3)
    settings = Settings(("mdsi",), cache=file)
    first, times = measure(real, fake, settings), (fake / "p1.png").stat()
    pictures.write_png(fake / "p1.png", texture(77, 96))
    os.utime(fake / "p1.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    (fake / "p0.png").rename(fake / "p9.png")
    (real / "p0.png").rename(real / "p9.png")
    decode = Mock(wraps=pictures.decode_measured)
    monkeypatch.setattr(pictures, "decode_measured", decode)
    second = measure(real, fake, settings)
    assert sorted(call.args[1] for call in decode.call_args_list) == [fake / "p1.png", real / "p1.png"]
    assert_same(second, measure(real, fake, Settings(("mdsi",))))
    others = first.image_metrics["stimulus"] != "d/m/p1"
    assert set(first.image_metrics["value"]) & set(second.image_metrics["value"]) == set(
        first.image_metrics.loc[others, "value"]
    )


def test_a_changed_definition_is_measured_again_and_the_others_are_found(
    folders: Folders, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(4)
    settings = Settings(("mdsi", "gmsd"), cache=file)
    first = measure(real, fake, settings)
    assert kept_of(measure(real, fake, settings)) == 8
    monkeypatch.setitem(METRICS, "mdsi", replace(METRICS["mdsi"], definition="mdsi/2", function=lambda *_: 1.0))
    changed = measure(real, fake, settings)
    assert kept_of(changed) == 4, "all but mdsi"
    before, after = (each.image_metrics.set_index(["metric", "stimulus"])["value"] for each in (first, changed))
    assert (after["mdsi"] == 1).all()
    pd.testing.assert_series_equal(after["gmsd"], before["gmsd"], check_exact=True)
    assert kept_of(measure(real, fake, settings)) == 8


@pytest.mark.parametrize("harm", ["damaged", "a folder", "no folder", "read-only", "locked"])
def test_a_cache_that_will_not_do_is_told_once_and_the_run_goes_on(
    harm: str, folders: Folders, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, fake = folders(2)
    settings = Settings(("mdsi",), cache=file)
    first = measure(real, fake, settings)
    holder = None
    match harm:
        case "damaged":
            file.write_bytes(b"something else entirely" * 400)
        case "a folder":
            file.unlink()
            file.mkdir()
        case "no folder":
            shutil.rmtree(file.parent)
            file.parent.write_text("a file")
        case "read-only":
            if os.getuid() == 0:
                pytest.skip("root may write everywhere")
            file.chmod(0o400)
            file.parent.chmod(0o500)
        case "locked":
            monkeypatch.setattr(cache_database, "PATIENCE_S", 0.05)
            holder = sqlite3.connect(file, isolation_level=None)
            holder.execute("BEGIN EXCLUSIVE")
    pictures.write_png(fake / "p0.png", texture(5, 96))
    reported: list[str] = []
    found = measure(real, fake, settings, on_message=reported.append)
    assert len(reported) == 1
    assert reported[0].startswith(str(file))
    assert "\n" not in reported[0]
    assert found.image_metrics["value"].notna().all()
    assert found.image_metrics["value"][1] == first.image_metrics["value"][1]
    if holder is not None:
        holder.close()


def test_several_threads_and_caches_at_once(file: Path) -> None:
    def work(first: int) -> None:
        with Cache(file) as kept:
            for picture in range(first, 400, 4):
                kept.keep((picture.to_bytes(32, "big"), B), b"psnr", float(picture))
                assert kept.found((C, B), b"psnr") is None
                if picture % 10 == 0:
                    kept.write(now=True)
            assert kept.problem is None

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Cache(file) as kept:
        assert [kept.found((p.to_bytes(32, "big"), B), b"psnr") for p in range(400)] == list(range(400))


@pytest.mark.nightly
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_goes_on(end: signal.Signals, folders: Folders, file: Path, tmp_path: Path) -> None:
    real, fake = folders(30)
    code = f"""
import signal, time
from dataclasses import replace
from functools import wraps
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.run import cache
signal.signal(signal.SIGINT, signal.default_int_handler)
cache._WRITE_EVERY_S = 0.05
measure = METRICS["mdsi"].function
@wraps(measure)
def slow(*pictures):
    time.sleep(0.03)
    return measure(*pictures)
METRICS["mdsi"] = replace(METRICS["mdsi"], function=slow)
import sys
from gan_eval.__main__ import run
sys.exit(run(["metrics", "--real", {str(real)!r}, "--fake", {str(fake)!r}, "--metrics", "mdsi",
              "--out", {str(tmp_path / "out")!r}, "--threads", "2", "--dataset", "d", "--model", "m"]))
"""
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 100
        while kept_numbers(file) < 10:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(end)
        _, reported = process.communicate(timeout=60)
    assert process.returncode == (130 if end == signal.SIGINT else -end)
    assert not (tmp_path / "out" / "image_metrics.csv").exists()
    if end == signal.SIGINT:
        assert reported.splitlines()[-1].startswith("gan-eval: interrupted")
    before = kept_numbers(file)
    assert 10 <= before < 30
    whole = measure(real, fake, Settings(("mdsi",)))
    continued = measure(real, fake, Settings(("mdsi",), cache=file))
    assert_same(continued, whole)
    assert kept_of(continued) == before


def kept_numbers(file: Path) -> int:
    """Values in the cache, as another process sees it."""
    if not file.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM kept WHERE definition != x''").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
