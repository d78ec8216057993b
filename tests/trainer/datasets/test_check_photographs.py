"""Findings of `data check --photographs`, on synthetic sets with one fault each."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.tables import PHOTOGRAPHS
from gan_eval.tables.frames import read_rows
from trainer.datasets.check import Report, check


def save(path: Path, seed: int, width: int = 24, height: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)
    return path


@pytest.fixture
def landscapes(tmp_path: Path) -> Path:
    """Fifty photographs to train on, in two folders, and three to test with."""
    for number in range(50):
        save(tmp_path / "set" / "train" / f"lake{number % 2}" / f"{number}.png", number)
    for number in range(3):
        save(tmp_path / "set" / "test" / f"{number}.png", 100 + number, 40, 30)
    return tmp_path / "set"


def lines(report: Report, kind: str) -> list[str]:
    return [finding.line for finding in report.findings if finding.kind == kind]


def test_a_test_picture_that_is_trained_on_is_found_whatever_its_file_is_like(landscapes: Path) -> None:
    Image.open(landscapes / "train" / "lake1" / "7.png").save(landscapes / "test" / "other.bmp")
    save(landscapes / "train" / "again.png", 0)
    assert lines(check(landscapes, photographs=True), "duplicate") == [
        "the same picture across splits: train/lake1/7.png, test/other.bmp",
        "the same picture: train/again.png, train/lake0/0.png",
    ]


def test_every_other_fault_is_told(landscapes: Path) -> None:
    (landscapes / "train" / "lake0" / "0.png").write_bytes(b"no picture")
    save(landscapes / "train" / "small.png", 7, 7, 9)
    save(landscapes / "train" / "lake1-1.png", 8)
    save(landscapes / "train" / "lake0-0.png", 9)
    save(landscapes / "shown" / "0.png", 10)
    report = check(landscapes, photographs=True)
    unusable = lines(report, "unusable")
    assert len(unusable) == 2
    assert "lake0/0.png" in unusable[0]
    assert "7x9 pixels are too small" in unusable[1]
    clashes = lines(report, "stem")
    assert len(clashes) == 2, "the broken picture has a name, too"
    assert "would be called lake0-0, as" in clashes[0]
    assert "would be called lake1-1, as" in clashes[1]
    assert lines(report, "split") == ["pictures: 1 outside train, val and test not looked at, such as shown/0.png"]
    assert lines(report, "few") == []
    for number in (2, 4):
        (landscapes / "train" / "lake0" / f"{number}.png").unlink()
    assert lines(check(landscapes, photographs=True), "few") == [
        "train: only 49 photographs; a generator learns them by heart"
    ]


def test_counts_are_compared_with_a_preset(tmp_path: Path, landscapes: Path) -> None:
    report = check(landscapes, photographs=True, preset="tiny_imagenet")
    assert "train: 50 pictures; tiny_imagenet has 100000" in lines(report, "count")
    with pytest.raises(UserError, match=r"--preset facades: is of A\|B pictures"):
        check(landscapes, photographs=True, preset="facades")
    assert check(landscapes, photographs=True, preset="paintings").preset is None, "there is nothing to compare with"
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no pictures below it"):
        check(tmp_path / "empty", photographs=True)


def test_the_command_gives_json_and_a_table(
    landscapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (landscapes / "test" / "1.png").write_bytes(b"")
    assert run(["data", "check", str(landscapes), "--photographs", "--json", "--out", str(tmp_path / "out")]) == 0
    output = json.loads(capsys.readouterr().out)
    assert (output["splits"], output["least_side"], output["split_by_hash"]) == ({"train": 50, "test": 2}, 16, False)
    assert [finding["kind"] for finding in output["findings"]] == ["unusable"]
    rows = list(read_rows(tmp_path / "out" / "photographs.csv", PHOTOGRAPHS))
    assert len(rows) == 53
    assert [row["file"] for row in rows if row["reason"]] == ["test/1.png"]
    assert {len(row["pixels"]) for row in rows if row["pixels"]} == {32}
