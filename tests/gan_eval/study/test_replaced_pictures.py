"""Pictures that were replaced after they were shown or measured are refused by everything that reads them."""

import shutil
from pathlib import Path

import pytest
from commands import Command
from finished import copy_study
from refusals import refused
from rehashed import rehash

from gan_eval import analyze, evaluate, write_report
from gan_eval.__main__ import run
from gan_eval.base import digests
from gan_eval.pictures.decode import read_rgb, write_png
from gan_eval.pictures.sets import require_same_pictures
from gan_eval.tables import IMAGE_METRICS, STIMULI
from gan_eval.tables.frames import read_table

RUN = "run study.toml --out out --simulate default"
CHANGED = "main/fake/1.png: the picture has changed since it entered the stimulus set"

pytestmark = pytest.mark.slow


@pytest.fixture
def world(finished_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished study, as the working folder."""
    folder = copy_study(finished_study, tmp_path / "study")
    monkeypatch.chdir(folder)
    return folder


def replace(folder: Path, *, in_table: bool = False) -> None:
    """Other pixels in one generated picture; with `in_table`, the set's table has their hash."""
    for number in range(1, 8):
        file = folder / "main" / "fake" / f"{number}.png"
        write_png(file, 255 - read_rgb(file))
    if in_table:
        rehash(folder / "main")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for place in ("tables", "metrics") for path in (folder / place).glob("*.csv")}


def test_every_reader_of_a_set_refuses_a_replaced_picture(world: Path, command: Command) -> None:
    before = contents(world / "out")
    replace(world)
    for words in (
        RUN,
        f"{RUN} --redo metrics",
        "run study.toml --out out --only report",
        "metrics main --metrics psnr --out m",
        "stimuli audit main",
        "stimuli equalise main --out equal",
        "report out",
        "report out/tables --out page.html --stimuli main",
        "analyze --store out/store.sqlite --stimuli main --out t",
        "power study.toml --out p",
    ):
        status, _, said = command(*words.split())
        assert (status, CHANGED in said) == (2, True), words
    refused(CHANGED, evaluate, read_table(Path("main/stimuli.csv"), STIMULI), "psnr", root="main")
    assert contents(world / "out") == before
    assert not any((world / name).exists() for name in ("m", "equal", "t", "p", "page.html"))


def test_other_pictures_than_those_shown_are_refused(world: Path, command: Command) -> None:
    before = contents(world / "out")
    replace(world, in_table=True)
    for words in (RUN, f"{RUN} --redo metrics", "report out"):
        status, _, said = command(*words.split())
        assert status == 2, words
        for part in ("main/stimuli.csv: main/m/", " is another picture here (SHA-256 ", "plans"):
            assert part in said
        assert contents(world / "out") == before


def test_metrics_of_other_pictures_than_those_shown_are_refused(world: Path, command: Command) -> None:
    replace(world, in_table=True)
    assert command("metrics", "main", "--metrics", "sharpness", "--out", "new")[0] == 0
    assert command("export", "--store", "out/store.sqlite", "--out", "exported")[0] == 0
    for source in (("--store", "out/store.sqlite"), ("exported/trials.csv",)):
        status, _, said = command("analyze", *source, "--image-metrics", "new/image_metrics.csv", "--out", "t")
        assert (status, "new/image_metrics.csv: " in said) == (2, True)
        assert not (world / "t").exists()
    values = read_table(world / "new" / "image_metrics.csv", IMAGE_METRICS)
    refused(r"image_metrics: \S+", analyze, "out/store.sqlite", image_metrics=values)
    refused(r"main/stimuli.csv: \S+", analyze, "out/store.sqlite", stimuli="main")
    foreign = values.drop(columns="sha256")
    require_same_pictures({"set": read_table(Path("main/stimuli.csv"), STIMULI)}, measured=("table", foreign))
    shutil.copytree(world / "new", world / "out" / "metrics", dirs_exist_ok=True)
    refused(r"image_metrics.csv: \S+", write_report, "out", "page.html")
    refused(r"image_metrics: \S+", analyze, "out/store.sqlite", image_metrics=values, stimuli="main")


def test_a_run_on_an_unchanged_set_hashes_no_picture(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)  # the copies are new
    hashed: list[str] = []
    digest = digests.hashlib.file_digest
    monkeypatch.setattr(
        digests.hashlib, "file_digest", lambda file, how: (hashed.append(file.name), digest(file, how))[1]
    )
    for attempt in ("first", "second"):
        digests._digests.clear()  # another process
        hashed.clear()
        assert run(RUN.split()) == 0
        pictures = [name for name in hashed if name.endswith(".png")]
        assert len(pictures) == len({*pictures}), attempt
        assert bool(pictures) == (attempt == "first")
