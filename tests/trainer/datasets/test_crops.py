"""Crops of photographs: every picture's in one split, the same at every call, and none lost to a break."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import read_rgb, resize
from trainer.datasets import crops as crops_module
from trainer.datasets.crops import Cut, crops_of, make_crops
from trainer.datasets.photographs import PhotographSet, centre_square, split_of


def noise(seed: int, width: int, height: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path: Path, *, width: int = 40, height: int = 24, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(seed, width, height)).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(30):
        save(tmp_path / "photos" / f"class{number % 2}" / f"{number}.png", seed=number)
    return tmp_path / "photos"


def written(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.glob("[!.]*/*.png"))}


def test_one_crop_is_the_centre_square_in_the_split_of_the_path(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = make_crops([photos], out, Cut(16))
    assert sum(made.splits.values()) == made.photographs == 30
    assert len(written(out)) == 30
    for number in range(30):
        relative = Path(f"class{number % 2}/{number}.png")
        crop = read_rgb(out / split_of(relative) / f"photos-class{number % 2}-{number}-0.png")
        np.testing.assert_array_equal(crop, resize(centre_square(noise(number, 40, 24)), (16, 16)))


def test_all_crops_of_a_photograph_are_in_one_split(photos: Path, tmp_path: Path) -> None:
    made = make_crops([photos], tmp_path / "out", Cut(16, per_picture=3))
    assert sum(made.splits.values()) == 90
    splits: dict[str, set[str]] = {}
    for split, paths in PhotographSet(tmp_path / "out").by_split().items():
        assert len(paths) == made.splits[split]
        for path in paths:
            splits.setdefault(path.stem.rpartition("-")[0], set()).add(split)
    assert len(splits) == 30
    assert all(len(found) == 1 for found in splits.values())


def test_usual_splits_are_kept_and_a_split_can_be_named(tmp_path: Path) -> None:
    source = tmp_path / "facades"
    for name in ("train/1", "train/2", "val/1", "test/sub/1"):
        save(source / f"{name}.png")
    assert make_crops([source], tmp_path / "kept", Cut(8)).splits == {"train": 2, "val": 1, "test": 1}
    assert (tmp_path / "kept/test/facades-test-sub-1-0.png").is_file()
    assert make_crops([source], tmp_path / "named", Cut(8, split="holdout")).splits == {"holdout": 4}


@pytest.mark.parametrize("seed", range(12))
def test_random_squares_lie_inside_and_have_half_of_the_shorter_side_or_more(seed: int) -> None:
    """The picture tells in red and green where each pixel was: crops at their own size give their corners."""
    height, width = np.random.default_rng(seed).integers(16, 200, 2)
    places = np.indices((height, width)).transpose(1, 2, 0)
    picture = np.concatenate([places, np.zeros((height, width, 1), int)], axis=2).astype(np.uint8)
    squares: list[np.ndarray] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.datasets.crops.resize", lambda square, _: squares.append(square))
        crops_of(picture, Cut(8, per_picture=20, seed=seed), "photos/1.png")
    np.testing.assert_array_equal(squares[0], centre_square(picture))
    for square in squares[1:]:
        side = square.shape[0]
        assert square.shape == (side, side, 3)
        assert round(min(height, width) / 2) <= side <= min(height, width)
        top, left = square[0, 0, :2]
        np.testing.assert_array_equal(square, picture[top : top + side, left : left + side])
    assert len({square.shape for square in squares}) > 3


def test_crops_follow_from_seed_and_name_and_more_leave_the_first_as_they_are() -> None:
    picture = noise(1, 60, 50)
    few, many = crops_of(picture, Cut(16, per_picture=3), "a/1"), crops_of(picture, Cut(16, per_picture=6), "a/1")
    np.testing.assert_array_equal(few, many[:3])
    for other in (crops_of(picture, Cut(16, per_picture=3), "a/2"), crops_of(picture, Cut(16, None, 3, seed=1), "a/1")):
        np.testing.assert_array_equal(other[0], few[0])
        assert not np.array_equal(other[1], few[1])


@pytest.mark.parametrize("half", ["left", "right"])
def test_half_of_a_pair_is_taken_alone(half: str, tmp_path: Path) -> None:
    save(tmp_path / "pairs" / "train" / "1.png", width=48, height=24, seed=5)
    make_crops([tmp_path / "pairs"], tmp_path / "out", Cut(24, half))  # type: ignore[arg-type]
    wanted = noise(5, 48, 24)[:, :24] if half == "left" else noise(5, 48, 24)[:, 24:]
    np.testing.assert_array_equal(read_rgb(tmp_path / "out/train/pairs-train-1-0.png"), wanted)


def test_pairs_without_a_half_cause_a_remark(tmp_path: Path) -> None:
    save(tmp_path / "pairs" / "1.png", width=48, height=24)
    (remark,) = make_crops([tmp_path / "pairs"], tmp_path / "out", Cut(8)).remarks
    assert "A|B pairs" in remark


def test_broken_and_small_pictures_are_left_out_and_named(photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    save(photos / "small.png", width=100, height=20)
    save(photos / "tiny.png", width=7, height=7)
    made = make_crops([photos], tmp_path / "out", Cut(16, min_side=24))
    assert (made.photographs, made.too_small) == (30, 1)
    assert set(made.broken) == {(photos / name).resolve() for name in ("broken.png", "tiny.png")}
    assert "2 pictures left out" in "\n".join(made.lines())
    assert not list((tmp_path / "out").rglob("*small*"))


def test_where_nothing_can_be_cropped_that_is_said_and_another_way_can_be_tried(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "1.png", width=31, height=20)
    with pytest.raises(UserError, match=r"none of 1 pictures .*the width 31 is odd"):
        make_crops([tmp_path / "photos"], tmp_path / "out", Cut(8, "left"))
    assert make_crops([tmp_path / "photos"], tmp_path / "out", Cut(8)).photographs == 1


def test_a_broken_off_call_goes_on_and_gives_the_same(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut(16, per_picture=2)
    make_crops([photos], tmp_path / "whole", cut)
    whole = written(tmp_path / "whole")
    write, count = crops_module.write_png, 0

    def breaking(path: Path, picture: np.ndarray) -> None:
        nonlocal count
        count += 1
        if count == 22:
            raise KeyboardInterrupt
        write(path, picture)

    monkeypatch.setattr(crops_module, "write_png", breaking)
    with pytest.raises(KeyboardInterrupt):
        make_crops([photos], tmp_path / "out", cut)
    monkeypatch.setattr(crops_module, "write_png", write)
    assert len(written(tmp_path / "out")) == 21
    assert make_crops([photos], tmp_path / "out", cut).already_there == 10
    assert written(tmp_path / "out") == whole


def test_damaged_and_outdated_crops_are_made_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_crops([photos], out, Cut(16))
    before = written(out)
    first, second, *_ = (out / name for name in before)
    first.write_bytes(first.read_bytes()[:-30])
    Image.fromarray(noise(0, 8, 8)).save(second)
    assert make_crops([photos], out, Cut(16)).already_there == 28
    assert written(out) == before
    save(photos / "class0" / "0.png", seed=99)
    assert make_crops([photos], out, Cut(16)).already_there == 29
    crop = read_rgb(next(out.glob("*/photos-class0-0-0.png")))
    np.testing.assert_array_equal(crop, resize(centre_square(noise(99, 40, 24)), (16, 16)))


def test_sources_share_a_folder_at_one_size_but_none_is_cropped_in_two_ways(photos: Path, tmp_path: Path) -> None:
    save(tmp_path / "pairs" / "1.png", width=48, height=24)
    out = tmp_path / "out"
    make_crops([photos], out, Cut(16))
    make_crops([tmp_path / "pairs"], out, Cut(16, "left"))
    assert len(written(out)) == 31
    with pytest.raises(UserError, match="holds crops of photos with per-picture 1, not 2"):
        make_crops([photos], out, Cut(16, per_picture=2))
    with pytest.raises(UserError, match="--size 16, not 8"):
        make_crops([photos], out, Cut(8))


@pytest.mark.parametrize("record", ["null", "1", '"x"', "[]", "{}", '{"size": 16, "sources": []}'])
def test_a_damaged_record_of_crops_is_named(photos: Path, tmp_path: Path, record: str) -> None:
    out = tmp_path / "out"
    make_crops([photos], out, Cut(16))
    (out / ".gan-eval" / "crops.json").write_text(record)
    with pytest.raises(UserError, match=r"crops\.json: damaged: size, sources not found in it; restore it"):
        make_crops([photos], out, Cut(16))


@pytest.mark.parametrize("source", ["null", '"x"', "{}"])
def test_a_source_without_its_settings_is_not_continued(photos: Path, tmp_path: Path, source: str) -> None:
    out = tmp_path / "out"
    make_crops([photos], out, Cut(16))
    (out / ".gan-eval" / "crops.json").write_text(f'{{"size": 16, "sources": {{"photos": {source}}}}}')
    with pytest.raises(UserError, match="holds crops of photos with folder None"):
        make_crops([photos], out, Cut(16))


def test_sources_that_cannot_be_told_apart_are_refused_before_anything_is_written(photos: Path, tmp_path: Path) -> None:
    save(tmp_path / "other" / "photos" / "1.png")
    save(tmp_path / "clash" / "1.png")
    save(tmp_path / "clash" / "1.jpg")
    out = tmp_path / "out"
    for sources, message in (
        ([photos, tmp_path / "other" / "photos"], "called as"),
        ([photos, photos / "class0"], "lie in one another"),
        ([tmp_path], "--out lie in one another"),
        ([tmp_path / "clash"], "would be called clash-1"),
        ([tmp_path / "absent"], "no such folder"),
    ):
        with pytest.raises(UserError, match=message):
            make_crops(sources, out, Cut(8))
    assert not out.exists()


@pytest.mark.parametrize(
    "values",
    [{"size": 7}, {"per_picture": 0}, {"seed": -1}, {"min_side": 0}, {"split": "../x"}, {"split": ".gan-eval"}],
)
def test_values_out_of_range_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(UserError, match=f"--{next(iter(values)).replace('_', '-')} "):
        Cut(**{"size": 16, **values})


def test_the_command_tells_the_counts_and_leaves_broken_pictures_out(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    command = ["data", "crops", str(photos), "--out", str(tmp_path / "out"), "--size", "16", "--split", "test"]
    assert run(command) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'out'}\n"
    assert "broken.png: not a readable picture" in told.err
    assert "test 30 crops of 30 photographs" in told.err
    assert run([*command, "--half", "left"]) == 2
