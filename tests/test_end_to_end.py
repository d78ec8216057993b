"""A whole small study from its file: every stage and table, skipped when up to date, resumed, asked of people."""

import csv
from pathlib import Path

import numpy as np
import pytest

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.pictures import decode as pictures
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables import frames as tabular

STUDY = """
[study]
name = "tiny"
title = "Tiny <study>"
seed = 3
published = ["quiz_numbers.csv"]

[data.stripes]
direction = "BtoA"
[data.dots]

[training]
steps = 4
image_size = 64
generator_channels = 4
discriminator_channels = 4

[models.net_stripes]
data = "stripes"
[models.net_dots]
data = "dots"

[quiz]
real = 3
fake = 3
participants = 4

[metrics]
names = ["psnr"]
"""
PUBLISHED = """study,source,dataset,group,trials,percent_correct,note
tiny,"Somebody, 1999",stripes,real,25,72,
tiny,"Somebody, 1999",stripes,fake,25,60,
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A data root with two paired sets (one with too few test pictures for 3 + 3) and the study file."""
    root = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(0)
    for dataset, split, number, side in (
        ("stripes", "train", 4, 64),
        ("stripes", "test", 8, 64),
        ("dots", "train", 3, 80),
        ("dots", "val", 4, 80),
    ):
        for stem in range(number):
            path = root / "data" / dataset / split / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures.write_png(path, rng.integers(0, 256, (side, 2 * side, 3), dtype=np.uint8))
    (root / "study.toml").write_text(STUDY)
    (root / "quiz_numbers.csv").write_text(PUBLISHED)
    return root


def call(world: Path, out: str, *more: str) -> int:
    arguments = ["run", world / "study.toml", "--data-root", world / "data", "--out", world / out, *more]
    return run([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def done(world):
    """The study run with simulated participants for half of the steps."""
    assert call(world, "out", "--simulate", "default", "--fraction", "0.5") == 0
    return world / "out"


@pytest.mark.slow
def test_every_stage_leaves_its_results(done):
    assert (done / "report.html").stat().st_size > 20_000
    for model, dataset in (("net_stripes", "stripes"), ("net_dots", "dots")):
        assert (done / "models" / model / "generator.safetensors").is_file()
        assert len(list((done / "stimuli" / f"{dataset}-{model}" / "fake").glob("*.png"))) in (4, 8)
    assert "Somebody, 1999" in (done / "report.html").read_text(), "published numbers stand next to ours"
    analysed = ("rates", "reaction_times", "mixed_models", "comparisons", "correlations")
    for name in ("trials", "sessions", "plans", *analysed):
        tabular.read_table(done / "tables" / f"{name}.csv", ALL_TABLES[name])
    for name in ("image_metrics", "set_metrics", "runs"):
        csv_frame = tabular.read_table(done / "metrics" / f"{name}.csv", tables.TABLES[name])
        parquet_frame = tabular.read_table(done / "metrics" / f"{name}.parquet", tables.TABLES[name])
        assert csv_frame.astype(object).equals(parquet_frame.astype(object))


def test_the_fraction_and_the_simulation_are_reported_in_every_table(done):
    written = [*(done / "tables").glob("*.csv"), *(done / "metrics").glob("*.csv"), *done.glob("*/*/*.csv")]
    assert len(written) >= 15
    for path in (path for path in written if path.stem != "giveaways"):  # clues are of pictures, whoever judged them
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        assert {row["fraction"] for row in rows} <= {"0.5"}, path
        if path.parent.name == "tables":
            assert {row["simulated"] for row in rows} <= {"true"}, path
    report = (done / "report.html").read_text()
    assert "Simulated participants" in report.split("</title>")[0]
    assert "50%" in report.replace("\u202f", " ").replace("\u00a0", " ")


def test_small_pools_are_dealt_equally_and_said_in_the_report(done):
    trials = tabular.read_table(done / "tables" / "trials.csv", tables.TRIALS)
    counts = trials.groupby(["session", "dataset", "kind"]).size().unique()
    assert sorted(counts) == [2, 3]
    assert trials["session"].nunique() == 4
    for _, session in trials.groupby("session"):
        assert session["item"].is_unique, "nobody sees the real and the fake of one item"
    assert "3 real + 3 fake" in (done / "report.html").read_text()


@pytest.mark.nightly
def test_the_report_command_gives_the_very_report(world, done):
    assert run(["report", str(done), "--out", str(world / "again.html")]) == 0
    assert (world / "again.html").read_bytes() == (done / "report.html").read_bytes()


def test_the_same_command_again_does_nothing(world, done, capsys):
    changing = {*(f"store.sqlite{ending}" for ending in ("", "-shm", "-wal")), "digests.json"}  # opened; of new files

    def times() -> dict[Path, int]:
        files = (path for path in done.rglob("*") if path.is_file() and path.suffix != ".toml")
        return {path: path.stat().st_mtime_ns for path in files if path.name not in changing}

    before = times()
    assert call(world, "out", "--simulate", "default", "--fraction", "0.5") == 0
    assert capsys.readouterr().err.count("up to date") == 10
    assert times() == before
