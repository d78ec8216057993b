"""Findings of the check, and the contact sheet."""

import os
from pathlib import Path

import numpy as np
import pytest
from made_photographs import noise, save
from PIL import Image
from refusals import refused
from training_runs import Settings, train

from gan_eval.settings.choices import Direction
from trainer.datasets.check import INPUT, TARGET, DataReport, check, preview
from trainer.datasets.pairs import PairedSet


def drawing(seed: int, side: int = 32) -> np.ndarray:
    boxes = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    return boxes.repeat(8, 0).repeat(8, 1)


def photograph(seed: int, width: int = 32, height: int = 32) -> np.ndarray:
    return noise(1000 + seed, width, height)


def scene(seed: int, width: int = 64) -> np.ndarray:
    """A photograph, 64 pixels high, with smooth fields and fine grain."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    fields = np.asarray(coarse.resize((width, 64), Image.Resampling.BICUBIC))
    return np.uint8(np.clip(fields + rng.normal(0, 8, (64, width, 1)), 0, 255))


@pytest.fixture
def facades(tmp_path: Path) -> Path:
    """Five training pictures and two others: photograph left, drawing right."""
    for number in range(7):
        split = "train" if number < 5 else "val"
        save(tmp_path / "facades" / split / f"{number}.png", photograph(number), drawing(number))
    return tmp_path / "facades"


@pytest.fixture
def landscapes(tmp_path: Path) -> Path:
    """Ten photographs to train on, in two folders, and three to test with."""
    for number in range(10):
        save(tmp_path / "set" / "train" / f"lake{number % 2}" / f"{number}.png", photograph(number, 24, 16))
    for number in range(3):
        save(tmp_path / "set" / "test" / f"{number}.png", photograph(100 + number, 40, 30))
    return tmp_path / "set"


def lines(report: DataReport, kind: str) -> list[str]:
    return [finding.line for finding in report.findings if finding.kind == kind]


def test_a_set_is_described(facades: Path) -> None:
    (facades / "notes" / "folder.png").mkdir(parents=True)
    report = check(facades)
    assert report.splits == {"train": 5, "val": 2}
    assert report.sizes == {"64x32": 7}
    assert (report.drawn, report.direction) == ("B", "BtoA")
    assert report.findings == []


def test_pictures_that_cannot_be_used_are_named_and_the_rest_is_checked(facades: Path) -> None:
    (facades / "train" / "torn.png").write_bytes((facades / "train" / "0.png").read_bytes()[:300])
    Image.new("RGB", (65, 32)).save(facades / "train" / "wide.png")
    report = check(facades)
    assert [path.name for path in report.unusable] == ["torn.png", "wide.png"]
    assert "torn.png:" in lines(report, "unusable")[0]
    assert "width 65" in lines(report, "unusable")[1]
    assert sum(report.splits.values()) == 7
    assert sum(line.startswith("  unusable: ") for line in report.lines()) == 2


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


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    refused(r"maps:.*--data-root \S+", check, tmp_path / "maps")
    refused(r"/<split>/\*\.jpg", check, tmp_path)
    refused("no pictures below it", check, tmp_path, photographs=True)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.png").write_text("hello")
    refused(r"1 pictures.*a\.png", check, tmp_path)


def test_a_test_photograph_that_is_trained_on_is_found_whatever_its_file_is_like(landscapes: Path) -> None:
    Image.open(landscapes / "train" / "lake1" / "7.png").save(landscapes / "test" / "other.bmp")
    save(landscapes / "train" / "again.png", photograph(0, 24, 16))
    report = check(landscapes, photographs=True)
    assert lines(report, "duplicate") == [
        "the same picture across splits: train/lake1/7.png, test/other.bmp",
        "the same picture: train/again.png, train/lake0/0.png",
    ]


def test_every_other_fault_of_photographs_is_told(landscapes: Path) -> None:
    (landscapes / "train" / "lake0" / "0.png").write_bytes(b"no picture")
    save(landscapes / "train" / "small.png", photograph(7, 7, 9))
    save(landscapes / "shown" / "0.png", photograph(10))
    report = check(landscapes, photographs=True)
    unusable = lines(report, "unusable")
    assert len(unusable) == 2
    assert "lake0/0.png" in unusable[0]
    assert "7x9 pixels; each side needs at least 8" in unusable[1]
    assert lines(report, "split") == ["pictures: 1 outside train, val and test not looked at, such as shown/0.png"]


@pytest.fixture
def real_data() -> Path:
    """The folder of the real test pictures."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("GAN_EVAL_DATA") or default)
    if not (folder / "facades").is_dir():
        pytest.skip("no real data: neither $GAN_EVAL_DATA nor ../shared/data has facades")
    return folder


@pytest.mark.parametrize(
    ("name", "drawn"), [("facades", "B"), ("maps", "B"), ("cityscapes", "B"), ("edges2shoes", "A")]
)
def test_the_sides_of_the_real_sets_are_seen(real_data: Path, tmp_path: Path, name: str, drawn: str) -> None:
    for split in (real_data / name).iterdir():
        (tmp_path / name / split.name).mkdir(parents=True)
        for path in sorted(split.iterdir())[:8]:
            (tmp_path / name / split.name / path.name).symlink_to(path)
    report = check(tmp_path / name)
    assert report.drawn == drawn
    assert lines(report, "unusable") == lines(report, "duplicate") == []


RED, GREEN = (220, 30, 30), (30, 220, 30)


def columns_of(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """The first and last column that hold a colour."""
    found = np.flatnonzero((sheet == colour).all(axis=2).any(axis=0))
    return int(found[0]), int(found[-1])


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_the_input_is_marked(tmp_path: Path, direction: Direction) -> None:
    (tmp_path / "set" / "train").mkdir(parents=True)
    picture = Image.new("RGB", (192, 96), RED)
    picture.paste(GREEN, (96, 0, 192, 96))
    picture.save(tmp_path / "set" / "train" / "0.png")
    sheet = np.asarray(Image.open(preview(tmp_path / "set", tmp_path / "sheet.png", direction=direction)))
    seen, made = (RED, GREEN) if direction == "AtoB" else (GREEN, RED)
    assert columns_of(sheet, seen) == columns_of(sheet, INPUT)
    assert columns_of(sheet, made) == columns_of(sheet, TARGET)
    assert columns_of(sheet, RED) < columns_of(sheet, GREEN)


def test_broken_pictures_are_named_and_the_rest_is_drawn(facades: Path, tmp_path: Path) -> None:
    (facades / "train" / "2.png").write_bytes(b"no picture")
    said: list[str] = []
    preview(facades, tmp_path / "sheet.png", direction="BtoA", on_message=said.append)
    assert len(said) == 1
    assert "2.png:" in said[0]
    for path in (facades / "val").iterdir():
        path.write_bytes(b"no picture")
    refused(r"5\.png:", preview, facades, tmp_path / "none.png", split="val")
    assert not (tmp_path / "none.png").exists()


def remarks_of(data: Path, direction: Direction) -> list[str]:
    return PairedSet(data, direction).remarks(PairedSet(data).paths("train"))


def test_a_doubtful_direction_is_reported_to_new_runs_alone(facades: Path, tiny: Settings, tmp_path: Path) -> None:
    assert remarks_of(facades, "BtoA") == []
    (doubt,) = remarks_of(facades, "AtoB")
    assert doubt.startswith(
        "B looks drawn, so AtoB makes drawings from photographs; the other way is the direction BtoA"
    )
    said: list[str] = []
    for _ in range(2):
        train(tiny(steps=1), facades, tmp_path / "run", on_message=said.append)
    assert [line for line in said if "looks drawn" in line] == [doubt]


def test_single_pictures_in_place_of_pairs_are_told(tmp_path: Path) -> None:
    for number in range(6):
        save(tmp_path / "set" / "train" / f"{number}.png", photograph(number, 32, 32))
    (line,) = lines(check(tmp_path / "set"), "halves")
    assert line.startswith(
        "6 of 6 pictures have halves higher than wide, such as 16x32: single pictures, or A above B?"
    )
    assert remarks_of(tmp_path / "set", "AtoB") == [line]
    assert PairedSet(tmp_path / "set").remarks(PairedSet(tmp_path / "set").paths("train"), is_trained=True) == [line]


@pytest.mark.parametrize(("exchanged", "said"), [(0, False), (1, False), (3, True), (7, False)])
def test_halves_that_are_exchanged_in_some_pictures_are_told(tmp_path: Path, exchanged: int, said: bool) -> None:
    for number in range(7):
        halves = (photograph(number), drawing(number))
        save(tmp_path / "set" / "train" / f"{number}.png", *(halves[::-1] if number < exchanged else halves))
    found = lines(check(tmp_path / "set"), "halves")
    assert len(found) == said
    assert not said or found[0].startswith("A looks drawn in 3 of 7 pictures, B in 4: are the halves of some")


@pytest.mark.parametrize(("shift", "said"), [(0, False), (3, True)])
def test_pairs_of_two_photographs_are_doubted_if_they_are_of_different_scenes(
    tmp_path: Path, shift: int, said: bool
) -> None:
    for number in range(9):
        darker = np.uint8(scene((number + shift) % 9) * 0.6 + 20)
        save(tmp_path / "set" / "train" / f"{number}.png", scene(number), darker)
    found = lines(check(tmp_path / "set"), "halves")
    assert ["no more alike" in line for line in found] == [True] * said


@pytest.mark.parametrize("shift", [0, 1, -1])
def test_pairs_behind_a_missing_file_are_doubted(tmp_path: Path, shift: int) -> None:
    for at in range(12):
        darker = np.uint8(scene(at + shift * (at > 5)) * 0.6 + 20)
        save(tmp_path / "set" / "train" / f"{at:02}.png", scene(at), darker)
    found = lines(check(tmp_path / "set"), "halves")
    expected = "the halves of one picture are less alike than those of neighbours, from number 7 of the 12"
    assert [line.startswith(expected) for line in found] == [True] * bool(shift)


def test_three_parts_on_white_have_no_seams_but_share_more_than_halves(tmp_path: Path) -> None:
    for number in range(8):
        parts = [scene(number), np.uint8(scene(number) * 0.8), 255 - scene(number)]
        on_white = [np.pad(part, ((0, 0), (8, 8), (0, 0)), constant_values=255) for part in parts]
        save(tmp_path / "three" / "train" / f"{number}.png", *on_white)
        save(tmp_path / "two" / "train" / f"{number}.png", *on_white[1:])
    assert ["3 parts side by side" in line for line in lines(check(tmp_path / "three"), "halves")] == [True]
    assert not lines(check(tmp_path / "two"), "halves")


def test_three_parts_and_single_pictures_are_no_halves(tmp_path: Path) -> None:
    for number in range(6):
        negative = 255 - scene(number)
        save(tmp_path / "three" / "train" / f"{number}.png", scene(number), negative, scene(number + 20))
        save(tmp_path / "single" / "train" / f"{number}.png", scene(number, 128))
    assert ["3 parts side by side" in line for line in lines(check(tmp_path / "three"), "halves")] == [True]
    assert ["no seam in the middle" in line for line in lines(check(tmp_path / "single"), "halves")] == [True]
