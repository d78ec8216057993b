import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from metric_pictures import Thumbnails, features_of, texture
from PIL import Image

from gan_eval import tables
from gan_eval.base.digests import sha256_file
from gan_eval.metrics import Settings, evaluate, folder_pair, write_metrics
from gan_eval.metrics.definitions.frechet import fid
from gan_eval.metrics.definitions.kid import kid
from gan_eval.metrics.definitions.no_reference import niqe
from gan_eval.metrics.definitions.similarity import psnr, ssim
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.metrics.run.runner import run_metrics
from gan_eval.pictures import decode as images
from gan_eval.tables.frames import read_table

Folders = Callable[..., tuple[Path, Path]]


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE", str(tmp_path / "cache"))


def _frame(real: Path, fake: Path) -> pd.DataFrame:
    return pd.DataFrame(folder_pair(real, fake, dataset="d", model="m").rows)


def _cells(frame: pd.DataFrame, column: str = "value") -> pd.Series:
    return frame.set_index(["stimulus", "metric"])[column]


def test_a_missing_numba_is_named_before_threads_import_it(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = folders(2)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ModuleNotFoundError) as found:
        evaluate(_frame(real, fake), "psnr", cache=False, threads=2)
    assert found.value.name == "numba"


def test_values_are_those_of_the_plain_functions(folders: Folders) -> None:
    real, fake = folders(3)
    found, sets = evaluate(_frame(real, fake), ["psnr", "ssim", "niqe"])
    assert len(sets) == 0
    assert len(found) == 3 + 3 + 6  # pair metrics on the fakes, no-reference metrics on both
    pictures = {kind: images.read_rgb(folder / "p1.png") for kind, folder in (("real", real), ("m", fake))}
    values = _cells(found)
    assert values["d/m/p1", "psnr"] == psnr(pictures["m"], pictures["real"])
    assert values["d/m/p1", "ssim"] == ssim(pictures["m"], pictures["real"])
    assert values["d/m/p1", "niqe"] == niqe(pictures["m"])
    assert values["d/real/p1", "niqe"] == niqe(pictures["real"])
    assert set(found.loc[found["kind"] == "real", "metric"]) == {"niqe"}


def test_fid_is_the_frechet_distance_of_the_features(folders: Folders, thumbnails: Thumbnails, tmp_path: Path) -> None:
    real, fake = folders(2, height=64, width=64)
    _, sets = evaluate(_frame(real, fake), ["fid", "kid"], weights={"inception": tmp_path / "any.pth"})
    features = [features_of(map(images.read_rgb, images.list_pictures(f)), thumbnails) for f in (real, fake)]
    assert list(sets["value"][:2]) == pytest.approx([fid(*features), kid(*features, items=("ab", "ab"))], rel=1e-5)


def test_written_tables_round_trip_with_settings(folders: Folders, thumbnails: Thumbnails, tmp_path: Path) -> None:
    real, fake = folders(2, height=64, width=64)
    weights = tmp_path / "any.pth"
    (fake / "p0.png").write_bytes((real / "p0.png").read_bytes())
    out = tmp_path / "out"
    settings = Settings(("psnr", "niqe", "fid"), weights={"inception": weights})
    found = write_metrics([folder_pair(real, fake)], settings, out)
    for table in (tables.IMAGE_METRICS, tables.SET_METRICS, tables.METRIC_COMPARISONS, tables.RUNS):
        for suffix in (".csv", ".parquet"):
            pd.testing.assert_frame_equal(read_table(out / f"{table.name}{suffix}", table), getattr(found, table.name))
    assert _cells(found.image_metrics)["real/fake/p0", "psnr"] == math.inf
    (run,) = found.runs.to_dict("records")
    assert set(found.image_metrics["run"]) == set(found.set_metrics["run"]) == {run["run"]}
    assert run["weights_sha256"] == sha256_file(weights)
    assert run["resizer"] == "tf1"
    reported = json.loads(run["settings"])
    assert set(reported["metrics"]) == set(reported["definitions"]) == {"psnr", "niqe", "fid"}
    images.write_png(fake / "p1.png", texture(30, 64, 64))
    again = write_metrics([folder_pair(real, fake)], settings, out).runs
    assert again["settings_hash"][0] == run["settings_hash"]
    assert again["input_hash"][0] != run["input_hash"]


def test_text_does_for_names_and_paths(
    folders: Folders, thumbnails: Thumbnails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAN_EVAL_CACHE_MB", "64")
    frame = _frame(*folders(3)).replace({f"^{tmp_path}/": ""}, regex=True)
    how = {"root": str(tmp_path), "cache": str(tmp_path / "kept"), "weights": {"inception": str(tmp_path / "any.pth")}}
    found, sets = evaluate(frame, ["psnr", "fid"], **how)
    assert found["value"].notna().all()
    assert sets["value"][0] > 0
    assert (tmp_path / "kept").is_dir()
    assert evaluate(frame, "psnr", **how)[0]["value"].notna().all()


def test_a_bad_picture_has_its_reason_and_the_others_are_measured(folders: Folders) -> None:
    real, fake = folders(3)
    (fake / "p0.png").write_bytes((fake / "p0.png").read_bytes()[:-200])
    (real / "p2.png").rename(real / "line\nbreak.png")
    (fake / "p2.png").rename(fake / "line\nbreak.png")
    found, _ = evaluate(_frame(real, fake), ["psnr", "sharpness"], cache=False)
    reasons = _cells(found[found["value"].isna()], "reason")
    assert list(reasons.index) == [("d/m/p0", "psnr"), ("d/m/p0", "sharpness")]
    assert reasons.str.startswith(f"{fake / 'p0.png'}: not a readable picture (").all()
    assert _cells(found)["d/m/line\\nbreak", "psnr"] > 0


def test_16_bits_are_in_the_source_only_where_a_pair_has_them(tmp_path: Path) -> None:
    levels = np.arange(400, dtype=np.uint16).reshape(20, 20) * 150
    for side in ("real", "fake"):
        (tmp_path / side).mkdir()
        Image.fromarray((levels // 257).astype(np.uint8)).save(tmp_path / side / "a.png")
    Image.fromarray(levels).save(tmp_path / "real" / "b.png")
    Image.fromarray((levels // 257).astype(np.uint8)).save(tmp_path / "fake" / "b.png")  # measured in 8 bits

    def source() -> str:
        stimuli = stimuli_of_sets([folder_pair(tmp_path / "real", tmp_path / "fake")])
        run = run_metrics(stimuli, Settings(("psnr",)), command="test", on_message=lambda _: None).runs.iloc[0]
        return str(json.loads(run["settings"])["metrics"]["psnr"])

    assert "65535" not in source()
    for kind in ("png", "tif"):
        Image.fromarray(levels).save(tmp_path / "fake" / f"b.{kind}")
        Image.fromarray(levels).save(tmp_path / "real" / f"b.{kind}")
        assert "65535" in source()
        (tmp_path / "real" / f"b.{kind}").unlink()
        (tmp_path / "fake" / f"b.{kind}").unlink()
    assert "65535" not in source()


def test_a_technical_difference_is_noted_once_a_set(folders: Folders, thumbnails: Thumbnails, tmp_path: Path) -> None:
    real, fake = folders(6, height=64, width=64)
    for place, path in enumerate(images.list_pictures(real)):
        images.write_png(path, texture(place, 64, 96))
    settings = Settings(
        ("fid", "kid", "upsampling_peak"), weights={"inception": tmp_path / "any.pth"}, cache=tmp_path / "values.sqlite"
    )
    stimuli = stimuli_of_sets([folder_pair(real, fake, dataset="d", model="m")])
    for _ in range(2):  # measured, then cached
        said: list[str] = []
        sets = run_metrics(stimuli, settings, command="test", on_message=said.append).set_metrics.set_index("metric")
        squeezed = "real pictures are 96x64, generated ones 64x64: all are squeezed to a square"
        assert [line.startswith("d, m: ") and line.endswith(squeezed) for line in said] == [True]
        assert all(str(sets.loc[name, "note"]).count(squeezed) == 1 for name in ("fid", "kid"))
        assert squeezed not in str(sets.loc["upsampling_peak", "note"])
