"""Metrics that are functions of the user: values, records, and what is refused."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Command
from finished import STUDY, make_set

from gan_eval import tables
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate, folder_pair, score
from gan_eval.metrics.catalogue import select
from gan_eval.metrics.run.inputs import Settings, stimuli_of_sets
from gan_eval.metrics.run.runner import run_metrics
from gan_eval.pictures.decode import read_rgb, write_png
from gan_eval.tables import frames

MINE = """
import help_of_mine

def mean_colour(fake, real):
    '''Distance of the mean colours.'''
    return help_of_mine.distance(fake.mean((0, 1)), real.mean((0, 1)))

def contrast(picture):
    return picture.std()

def strict(picture):
    if picture.std() > 30:
        raise ValueError("too rough for me")
    return 1
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    rng = np.random.default_rng(1)
    for number in range(3):
        for folder in ("real", "fake"):
            write_png(
                tmp_path / folder / f"{number}.png", rng.integers(0, 40 + 100 * (number > 1), (24, 20, 3), np.uint8)
            )
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "help_of_mine.py").write_text("def distance(a, b):\n    return abs(a - b).mean()\n")
    return {"real": tmp_path / "real", "fake": tmp_path / "fake"}


def mean_difference(fake: Any, real: Any) -> float:
    return float(fake.astype(float).mean() - real.astype(float).mean())


def test_a_function_is_measured_as_a_metric(folders: dict[str, Path]) -> None:
    table, _ = evaluate(**folders, metrics=[mean_difference, "psnr"], cache=False)
    rows = table[table["metric"] == "mean_difference"]
    fake, real = (read_rgb(folders[kind] / "1.png").astype(float).mean() for kind in ("fake", "real"))
    assert [*rows["kind"]] == ["fake"] * 3
    assert rows.set_index("stimulus").loc["real/fake/1", "value"] == fake - real
    alone, _ = evaluate(**folders, metrics=mean_difference, cache=False)
    assert [*alone["value"]] == [*rows["value"]]


def test_the_command_takes_a_function_of_a_file_and_records_it(folders: dict[str, Path], command: Command) -> None:
    file = folders["real"].parent / "mine.py"
    out = file.parent / "out"
    words = ["--real", folders["real"], "--fake", folders["fake"], "--dataset", "d", "--out", out]
    names = f"{file}:mean_colour,{file}:contrast,{file}:strict"
    status, _, said = command("metrics", *words, "--metrics", names, "--workers", "2")
    assert status == 0, said
    assert "strict raised ValueError: too rough for me" in said
    images = frames.read_table(out / "image_metrics.csv", tables.IMAGE_METRICS)
    values = images.set_index(["metric", "stimulus"])
    fake, real = (read_rgb(folders[kind] / "0.png").mean((0, 1)) for kind in ("fake", "real"))
    assert values.loc[("mean_colour", "d/fake/0"), "value"] == abs(fake - real).mean()
    assert (images["metric"] == "contrast").sum() == 6, "a function of one picture is measured for both kinds"
    rough = values.loc[("strict", "d/fake/2")]
    assert np.isnan(rough["value"])
    assert rough["reason"] == "strict raised ValueError: too rough for me"
    (run,) = frames.read_table(out / "runs.csv", tables.RUNS).to_dict("records")
    record = json.loads(run["settings"])
    assert record["functions"] == {
        name: {"file": "mine.py", "sha256": sha256_file(file)} for name in ("mean_colour", "contrast", "strict")
    }


def test_two_models_are_compared_by_it_without_a_better_one(folders: dict[str, Path]) -> None:
    rng = np.random.default_rng(2)
    parent = folders["real"].parent
    for number in range(3):
        write_png(parent / "other" / f"{number}.png", rng.integers(150, 256, (24, 20, 3), np.uint8))
    sets = [folder_pair(folders["real"], parent / fake, dataset="d") for fake in ("fake", "other")]
    found = run_metrics(stimuli_of_sets(sets), Settings((mean_difference, "l1")), command="test").metric_comparisons
    by_name = found.set_index("metric")["better"]
    assert by_name["l1"] == "fake"
    assert by_name.isna()["mean_difference"]
    assert found.set_index("metric")["ci_low"].notna()["mean_difference"]


def test_it_gets_copies_one_call_at_a_time(folders: dict[str, Path]) -> None:
    busy, together = threading.Lock(), []

    def spoils(fake: Any, real: Any) -> float:
        together.append(not busy.acquire(blocking=False))
        fake[:] = real
        busy.release()
        return 0.0

    table, _ = evaluate(**folders, metrics=[spoils, "l1"], threads=3, cache=False)
    assert not any(together)
    assert (table[table["metric"] == "l1"]["value"] > 0).all(), "the pictures of other metrics stay as they were"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda picture: 1.0, "has no name"),
        (print, "expected (fake, real) or (picture)"),
        (3, "has no name"),
    ],
)
def test_what_cannot_be_a_metric_is_refused(function: Any, words: str, folders: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=words.replace("(", r"\(").replace(")", r"\)")):
        evaluate(**folders, metrics=[function], cache=False)


def test_names_and_parameters_are_checked() -> None:
    def ssim(fake: Any, real: Any) -> float:
        return 0.0

    def swapped(real: Any, fake: Any) -> float:
        return 0.0

    def of_three(a: Any, b: Any, c: Any) -> float:
        return 0.0

    with pytest.raises(UserError, match="another metric has this name"):
        select([ssim])
    with pytest.raises(UserError, match="the generated picture comes first"):
        select([swapped])
    with pytest.raises(UserError, match=r"takes \(a, b, c\)"):
        select([of_three])


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (MINE, "contrst", "has no function 'contrst'; it has mean_colour, contrast, strict"),
        ("1 / 0", "f", "running it failed: ZeroDivisionError"),
        ("raise SystemExit('no')", "f", "running it failed: SystemExit: no"),
        ("def f(:", "f", "running it failed: SyntaxError"),
        (None, "f", "no such file"),
    ],
)
def test_a_file_that_has_no_such_function_is_named(
    text: str | None, name: str, words: str, folders: dict[str, Path], command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "other.py"
    if text is not None:
        file.write_text(text)
    pictures = ["--real", folders["real"], "--fake", folders["fake"]]
    status, _, said = command("metrics", *pictures, "--out", tmp_path / "o", "--metrics", f"{file}:{name}")
    assert status == 2
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_study_refuses_a_function(tmp_path: Path, command: Command) -> None:
    study = tmp_path / "s.toml"
    make_set(tmp_path / "main", 4)
    study.write_text(STUDY.replace("psnr", "mine.py:f"))
    status, _, said = command("run", study, "--out", tmp_path / "o")
    assert (status, "a function is for" in said) == (2, True)


def test_score_is_the_value_of_the_tables(folders: dict[str, Path]) -> None:
    table, _ = evaluate(**folders, metrics=["ssim", "psnr"], cache=False)
    files = [folders[kind] / "0.png" for kind in ("fake", "real")]
    for name in ("ssim", "psnr"):
        of_table = table[table["metric"] == name].set_index("stimulus").loc["real/fake/0", "value"]
        assert score(name, *files) == of_table
        assert score(name, str(files[0]), read_rgb(files[1])) == of_table
    assert score(mean_difference, *files) == mean_difference(*map(read_rgb, files))


def test_progress_shows_itself_where_somebody_looks(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measure: Callable[..., Any] = evaluate
    measure(**folders, metrics="psnr", cache=False)
    assert capsys.readouterr().err == "", "a pipe has no progress"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    measure(**folders, metrics="psnr", cache=False, on_progress=False)
    assert capsys.readouterr().err == ""
    measure(**folders, metrics="psnr", cache=False)
    shown = capsys.readouterr().err
    assert "\rmetrics: pictures 6/6" in shown
    assert shown.endswith("\r"), "the line is removed at the end"
