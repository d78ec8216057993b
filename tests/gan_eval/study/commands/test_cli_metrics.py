"""The command `metrics`: its options, its lines, its files and its exit status."""

import json
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gan_eval import tables
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics import Settings
from gan_eval.metrics.definitions.kid import kid
from gan_eval.metrics.run import cache
from gan_eval.metrics.run import runner as runner_module
from gan_eval.pictures import decode as pictures
from gan_eval.tables.frames import read_rows


@pytest.fixture
def command(command):
    return partial(command, "metrics")


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of three real and three generated pictures."""
    rng = np.random.default_rng(1)
    for number in range(3):
        for folder in ("real", "fake"):
            pictures.write_png(tmp_path / folder / f"{number}.png", rng.integers(0, 256, (24, 20, 3), np.uint8))
    return tmp_path / "real", tmp_path / "fake"


def folders(pair: tuple[Path, Path], out: Path) -> list[object]:
    return ["--real", pair[0], "--fake", pair[1], "--out", out, "--dataset", "d", "--model", "m"]


def test_tables_are_written_and_their_folder_is_reported(command, pair, tmp_path):
    out = tmp_path / "out"
    status, reported, _ = command(*folders(pair, out), "--metrics", "psnr", "--json")
    assert (status, list(json.loads(reported))) == (0, ["image_metrics", "set_metrics", "metric_comparisons", "runs"])
    status, reported, err = command(*folders(pair, out), "--metrics", "psnr, l1")
    assert (status, reported) == (0, f"{out}\n")
    assert "metrics: pictures: 6/6" in err
    heads, psnr, l1 = err.splitlines()[-3:]
    assert heads == "Data set  Model  Metric  Pictures  " + heads.split("  ")[-1].strip().rjust(len(psnr) - 35)
    mean = np.mean([row["value"] for row in read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)][::2])
    assert psnr.split()[:4] == ["d", "m", "psnr", "3"]
    assert float(psnr.split()[4]) == pytest.approx(mean, abs=0.06)
    assert l1.split()[2] == "l1"
    written = {path.name for path in out.iterdir() if path.is_file()}
    names = ("image_metrics", "set_metrics", "metric_comparisons", "runs")
    assert written == {f"{name}{suffix}" for name in names for suffix in (".csv", ".parquet")}
    rows = read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)
    assert [(row["stimulus"], row["metric"]) for row in rows[:2]] == [("d/m/0", "psnr"), ("d/m/0", "l1")]


def test_options_reach_the_settings(command, pair, tmp_path, monkeypatch):
    asked: list[Settings] = []

    def remember(_stimuli: object, settings: Settings, **_: object) -> None:
        asked.append(settings)
        raise UserError("far enough")

    monkeypatch.setattr(runner_module, "run_metrics", remember)
    weights = {name: tmp_path / name for name in ("inception", "brisque", "alexnet", "vgg16", "dists")}
    options = [f"--weights={name}={file}" for name, file in weights.items()]
    options += ["--device", "cpu", "--threads", 3, "--no-cache", "--resize", "--resizer", "clean"]
    options += ["--segmenter", tmp_path / "s"]
    names = ("psnr", "fid", "brisque", "lpips_alex", "dists", "class_iou")
    assert command(*folders(pair, tmp_path / "out"), "--metrics", ",".join(names), *options)[0] == 2
    assert asked == [Settings(names, "clean", True, weights, "cpu", 3, tmp_path / "s", cache=None)]
    assert command(*folders(pair, tmp_path / "out"))[0] == 2
    assert asked[1] == Settings(cache=cache.cache_file())


def test_features_of_a_file_give_the_metrics_of_them(command, pair, tmp_path):
    names = [f"d/{owner}/{number}" for owner in ("real", "m") for number in range(3)]
    features = np.random.default_rng(0).normal(size=(6, 2))
    for name, order in (("good", [0, 1, 2, 3, 4, 5]), ("lost", [4, 3, 2, 1, 0]), ("twice", [0, 1, 1])):
        np.savez(tmp_path / f"{name}.npz", stimulus=np.array(names)[order], features=features[order])
    given, out = ["--metrics", "psnr,kid@x", "--features", f"x={tmp_path / 'good.npz'}"], tmp_path / "out"
    status, _, err = command(*folders(pair, out), *given, "--features", f"y={tmp_path / 'lost.npz'}")
    assert status == 0
    rows = {str(row["metric"]): row for row in read_rows(out / "set_metrics.csv", tables.SET_METRICS)}
    assert len(rows) == 11  # those of x are named, all of y are meant
    assert rows["kid@x"]["value"] == kid(features[:3], features[3:], items=("abc", "abc"))
    assert {str(row["reason"]) for name, row in rows.items() if name != "kid@x"} == {
        f"1 of 6 pictures without features: {tmp_path / 'lost.npz'} has no row for 'd/m/2'"
    }
    assert "d  " in err
    settings = json.loads(str(read_rows(out / "runs.csv", tables.RUNS)[0]["settings"]))
    assert settings["features"]["x"] == sha256_file(tmp_path / "good.npz")
    status, _, err = command(*folders(pair, out), "--features", f"x={tmp_path / 'twice.npz'}")
    assert (status, err) == (
        2,
        f"gan-eval: {tmp_path / 'twice.npz'}: rows 2 and 3 are both of 'd/real/1'; remove one\n",
    )
    status, _, err = command(*folders(pair, out), "--metrics", "fid@x")
    assert (status, err) == (2, "gan-eval: metric 'fid@x': no features 'x'; give --features x=FILE or --network\n")
    status, _, err = command(*folders(pair, out), *given, "--features", "x=other.npz")
    assert (status, err) == (2, "gan-eval: --features x=other.npz: expected name=value, each name once\n")


def test_what_is_missing_is_reported_and_counted(command, pair, tmp_path):
    (pair[1] / "1.png").write_bytes(b"")
    (pair[0] / "lonely.png").write_bytes((pair[0] / "0.png").read_bytes())
    status, _, err = command(*folders(pair, tmp_path / "out"), "--metrics", "psnr,ssim")
    assert status == 0
    assert "lonely" in err
    assert "no psnr, ssim" in err
    heads, *rows = [line.split() for line in err.splitlines()[-3:]]
    assert heads[0] == "Data", "a real picture never has these values, so real ones have no row"
    assert [(row[1], row[2], row[3], row[-2:]) for row in rows] == [
        ("m", metric, "2", ["1", "missing"]) for metric in ("psnr", "ssim")
    ]
    assert len(err.splitlines()) < 25


def test_nothing_at_all_is_status_2_with_the_tables_written(command, pair, tmp_path):
    out = tmp_path / "out"
    status, _, err = command(*folders(pair, out), "--metrics", "niqe")
    assert status == 2
    reason = f"gan-eval: metrics: no value could be computed; the tables in {out} have the reasons"
    assert err.splitlines()[-1] == reason
    assert len(read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)) == 6


def test_folders_without_partners_have_the_metrics_that_need_none(command, pair, tmp_path):
    for file in pair[1].iterdir():
        file.rename(file.with_name(f"generated-{file.name}"))
    out = tmp_path / "out"
    status, _, err = command(*folders(pair, out), "--metrics", "sharpness")
    assert status == 0
    assert "no picture with the stem" not in err
    rows = read_rows(out / "image_metrics.csv", tables.IMAGE_METRICS)
    assert [row["value"] is not None for row in rows] == [True] * 6
    status, _, err = command(*folders(pair, tmp_path / "other"), "--metrics", "sharpness,psnr")
    assert status == 0
    assert "0 of 3 real and 3 generated" in err
    status, _, err = command(*folders(pair, tmp_path / "alone"), "--metrics", "psnr")
    assert status == 2
    assert "(niqe, fid, kid)" in err


def test_a_key_of_a_tar_and_partners_belong_to_folders_of_pictures(command, pair, tmp_path):
    for options in (["--tar-key", "png"], ["--unpaired"]):
        status, _, err = command(tmp_path, *options, "--out", tmp_path / "out")
        assert (status, "--real" in err) == (2, True), err
    with tarfile.open(tmp_path / "samples.tar", "w") as archive:
        for file in pair[1].iterdir():
            archive.add(file, file.name)
            archive.add(file, f"{file.stem}.seg.png")
    places = [pair[0], tmp_path / "samples.tar"]
    status, _, err = command(*folders(places, tmp_path / "out"), "--metrics", "sharpness")
    assert (status, "--tar-key" in err) == (2, True), err
    status, _, err = command(*folders(places, tmp_path / "out"), "--metrics", "psnr", "--tar-key", "png")
    assert status == 0, err
