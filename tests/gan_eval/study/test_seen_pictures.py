"""Studies whose models would be tested with pictures that their training or the choice of a checkpoint has seen."""

import os
import shutil
from pathlib import Path, PurePath

import numpy as np
import pytest

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import write_png
from gan_eval.study.plan import Plan, make_plan
from trainer.datasets.photographs import split_of

PAIRS = '[study]\nname = "s"\n[data.d]\n[training]\nsteps = 1\n[models.m]\ndata = "d"\n'
HOLES = PAIRS.replace("[models.m]", "inpainting = {}\n[models.m]")
WATCHED = "[training]\nvalidate_every = 1\n"
PATIENT = f"{WATCHED}plateau_patience = 2\n"
BEST = f'[generate]\ncheckpoint = "best"\n{WATCHED}'


def picture(path: Path) -> Path:
    seed = int.from_bytes(bytes(path))
    write_png(path, np.random.default_rng(seed).integers(0, 256, (8, 16, 3), dtype=np.uint8))
    return path


def plan_of(folder: Path, text: str) -> Plan:
    (folder / "s.toml").write_text(text)
    plan = make_plan(folder / "s.toml", folder / "out", data_root=folder / "data")
    shutil.rmtree(folder / "out")
    return plan


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        plan_of(folder, text)
    assert str(caught.value).startswith(f"{folder / 's.toml'}: ")
    assert not (folder / "out").exists()
    return str(caught.value).removeprefix(f"{folder / 's.toml'}: ")


def with_data(text: str, **keys: str) -> str:
    return text.replace("[data.d]", "\n".join(["[data.d]", *(f'{name} = "{value}"' for name, value in keys.items())]))


def splits(folder: Path, *names: str) -> Path:
    for name in names:
        for number in range(2):
            picture(folder / "data" / "d" / name / f"{number}.png")
    return folder


@pytest.mark.parametrize("text", [PAIRS, HOLES])
def test_a_split_for_both_training_and_stimuli_is_refused(tmp_path: Path, text: str) -> None:
    splits(tmp_path, "train", "test")
    line = refused(tmp_path, with_data(text, train_split="test"))
    assert line == (
        "data.d.train_split: m is trained on 'test' of d, which has 2 of the pictures of 'test' of d that m is tested "
        f"with, such as {PurePath('test/0.png')}; name splits that have no picture in common"
    )
    plan_of(tmp_path, text)


@pytest.mark.parametrize("text", [PAIRS, HOLES])
def test_joined_splits_hold_no_picture_out(tmp_path: Path, text: str) -> None:
    splits(tmp_path, "train", "val", "test")
    steered = text.replace("[training]\n", PATIENT)
    plan = plan_of(tmp_path, with_data(steered, train_split="train+val+test"))
    assert len(plan.pictures("m", "train+val+test")) == 6
    assert plan.study.tests_on_seen("d")
    (tmp_path / "data" / "d" / "test" / "0.png").unlink()
    os.link(tmp_path / "data" / "d" / "val" / "1.png", tmp_path / "data" / "d" / "test" / "0.png")
    assert "which has 1 of the pictures of 'test'" in refused(tmp_path, with_data(text, train_split="train+val"))


def test_a_sub_folder_overlaps_a_split_by_hash(tmp_path: Path) -> None:
    names = [PurePath(place) / f"{number}.png" for place in ("lake", "sea") for number in range(40)]
    for name in names:
        picture(tmp_path / "data" / "d" / name)
    shared = sum(split_of(name) == "test" for name in names if name.parts[0] == "lake")
    assert shared
    assert f"which has {shared} of the pictures of 'test'" in refused(tmp_path, with_data(HOLES, train_split="lake"))
    for whole in (".", "./", "lake/.."):
        every = sum(split_of(name) == "test" for name in names)
        assert f"which has {every} of the pictures" in refused(tmp_path, with_data(HOLES, train_split=whole))
    plan_of(tmp_path, with_data(HOLES, train_split="lake", split="sea"))


@pytest.mark.parametrize("change", ["copied", "linked", "renamed", "one more first"])
def test_copies_under_other_names_are_seen_through(tmp_path: Path, change: str) -> None:
    splits(tmp_path, "train")
    test = tmp_path / "data" / "d" / "test"
    copy = os.link if change == "linked" else shutil.copy
    shutil.copytree(tmp_path / "data" / "d" / "train", test, copy_function=copy)
    if change == "renamed":
        for path in sorted(test.iterdir()):
            path.rename(path.with_name(f"z{path.name}"))
    if change == "one more first":
        picture(test / "!.png")
    assert "which has 2 of the pictures of 'test' of d that m is tested with, such as" in refused(tmp_path, PAIRS)


def test_what_a_model_starts_from_has_not_seen_them_either(tmp_path: Path) -> None:
    splits(tmp_path, "train", "val", "test")
    chain = HOLES + '[data.e]\nfolder = "d"\ntrain_split = "val"\n[models.n]\ndata = "e"\n'
    start = 'training = { init_from = "m" }\n'
    plan_of(tmp_path, chain + start)
    line = refused(tmp_path, chain.replace("[models.n]", 'split = "train"\n[models.n]') + start)
    assert line.startswith("models.n.training.init_from: m is trained on 'train' of d, which has 2 of the pictures")


@pytest.mark.parametrize(
    ("text", "wanted", "place"),
    [
        (PAIRS, PAIRS.replace("[training]\n", PATIENT), "models.m.training.plateau_patience"),
        (HOLES, HOLES.replace("[training]\n", BEST), "generate.checkpoint best"),
    ],
)
def test_validation_decides_on_other_pictures(tmp_path: Path, text: str, wanted: str, place: str) -> None:
    splits(tmp_path, "train", "test")
    line = (
        f"{place}: is decided by validation, for which d has no pictures that m is not tested with; give the data set "
        "a split val, and draw stimuli from another (such as test)"
    )
    assert refused(tmp_path, wanted) == line
    plan_of(tmp_path, text)
    (tmp_path / "data" / "d" / "test").rename(tmp_path / "data" / "d" / "shown")
    assert refused(tmp_path, with_data(wanted, split="shown")) == line
    (tmp_path / "data" / "d" / "shown").rename(tmp_path / "data" / "d" / "test")
    splits(tmp_path, "val")
    assert refused(tmp_path, with_data(wanted, split="val")) == line
    plan_of(tmp_path, wanted)
