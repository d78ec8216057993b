"""Findings of `check`, on synthetic sets with one fault each and on the real ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.errors import UserError
from trainer.datasets.check import LISTED, Report, check


def drawing(seed: int, side: int = 32) -> np.ndarray:
    boxes = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return boxes.repeat(8, 0).repeat(8, 1)


def photograph(seed: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(1000 + seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def save(path: Path, a: np.ndarray, b: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([a, b], axis=1)).save(path)


@pytest.fixture
def facades(tmp_path: Path) -> Path:
    """Five training pictures and two others: photograph left, drawing right."""
    for number in range(7):
        split = "train" if number < 5 else "val"
        save(tmp_path / "facades" / split / f"{number}.png", photograph(number), drawing(number))
    return tmp_path / "facades"


def lines(report: Report, kind: str) -> list[str]:
    return [finding.line for finding in report.findings if finding.kind == kind]


def test_a_set_is_described(facades: Path) -> None:
    progress: list[tuple[int, int]] = []
    report = check(facades, on_progress=lambda done, total: progress.append((done, total)))
    assert progress == [(done, 7) for done in range(1, 8)]
    assert report.preset == "facades"
    assert report.splits == {"train": 5, "val": 2}
    assert report.sizes == {"64x32": 7}
    assert (report.drawn, report.direction) == ("B", "BtoA")
    assert lines(report, "count") == [
        "train: 5 pictures; the official facades has 400",
        "val: 2 pictures; the official facades has 100",
        "test: 0 pictures; the official facades has 106",
    ]
    assert lines(report, "sizes") == ["no picture of 512x256 pixels, the size in the official facades"]
    assert {finding.kind for finding in report.findings} == {"count", "sizes"}


def test_exchanged_sides_are_suspected(facades: Path) -> None:
    report = check(facades, preset="edges2shoes")
    assert len(lines(report, "sides")) == 1
    assert "B looks drawn" in lines(report, "sides")[0]
    assert "--direction BtoA, not AtoB" in lines(report, "sides")[0]


def test_pictures_that_cannot_be_used_are_named_and_the_rest_is_checked(facades: Path) -> None:
    (facades / "train" / "torn.png").write_bytes((facades / "train" / "0.png").read_bytes()[:300])
    Image.new("RGB", (65, 32)).save(facades / "train" / "wide.png")
    report = check(facades)
    assert [path.name for path in report.unusable] == ["torn.png", "wide.png"]
    assert "torn.png: not a readable picture" in lines(report, "unusable")[0]
    assert "the width 65 is odd" in lines(report, "unusable")[1]
    assert len(report.pictures) == 7
    rows = report.rows()
    assert [row["file"] for row in rows][-2:] == ["train/torn.png", "train/wide.png"]
    assert len(rows) == 9


def test_exact_duplicates_are_found_by_their_pixels(facades: Path) -> None:
    """The same picture in another format, the same drawing with another photograph."""
    save(facades / "val" / "copy.bmp", photograph(1), drawing(1))
    save(facades / "train" / "drawn.png", photograph(50), drawing(2))
    save(facades / "train" / "seen.png", photograph(3), drawing(51))
    assert lines(check(facades), "duplicate") == [
        "the same picture across splits: train/1.png, val/copy.bmp",
        "the same A half: train/3.png, train/seen.png",
        "the same B half: train/2.png, train/drawn.png",
    ]


def test_people_are_told_the_first_findings_of_a_kind_and_how_many_there_are(facades: Path) -> None:
    for number in range(LISTED + 5):
        (facades / "val" / f"bad{number}.png").write_bytes(b"no picture")
    report = check(facades)
    found = [line for line in report.lines() if line.startswith("  unusable:")]
    assert len(found) == LISTED + 1
    assert found[-1] == "  unusable: and 5 more; --json has all"
    assert len(report.summary()["unusable"]) == LISTED + 5


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"maps: no such data folder; gan-eval data fetch maps --data-root \S+ makes it"
    ):
        check(tmp_path / "maps")
    with pytest.raises(UserError, match=r"no such data folder$"):
        check(tmp_path / "absent")
    with pytest.raises(UserError, match=r"no pictures in folders below it; wanted .*/<split>/\*\.jpg"):
        check(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.png").write_text("hello")
    with pytest.raises(UserError, match=r"none of 1 pictures can be used; the first: .*a\.png"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("name", "drawn"), [("facades", "B"), ("maps", "B"), ("cityscapes", "B"), ("edges2shoes", "A")]
)
def test_the_sides_of_the_real_sets_are_seen(real_data: Path, tmp_path: Path, name: str, drawn: str) -> None:
    report = check(some_of(real_data / name, tmp_path))
    assert report.drawn == drawn
    assert lines(report, "sides") == lines(report, "unusable") == lines(report, "duplicate") == []


def some_of(data: Path, folder: Path) -> Path:
    """The first eight pictures of each split, as links."""
    for split in data.iterdir():
        (folder / data.name / split.name).mkdir(parents=True)
        for path in sorted(split.iterdir())[:8]:
            (folder / data.name / split.name / path.name).symlink_to(path)
    return folder / data.name
