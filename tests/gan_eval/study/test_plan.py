"""A study's plan: its folder, and what would else be found after days, such as models tested on seen pictures."""

import os
import shutil
from pathlib import Path, PurePath

import numpy as np
import pytest
from refusals import refused

from gan_eval.base.errors import UserError
from gan_eval.base.file_sets import replaced_set
from gan_eval.pictures.decode import write_png
from gan_eval.report.parts.folder import read_folder
from gan_eval.study.plan import Plan, make_plan, open_plan
from trainer.datasets.photographs import split_of

STUDY = """
[study]
name = "s"
[data.d]
[training]
epochs = 3
[models.m]
data = "d"
[quiz]
real = 9
participants = 40
"""


@pytest.fixture
def world(tmp_path):
    (tmp_path / "s.toml").write_text(STUDY)
    for grey, split in ((0, "train"), (90, "val")):
        (tmp_path / "data" / "d" / split).mkdir(parents=True)
        write_png(tmp_path / "data" / "d" / split / "1.png", np.full((4, 8, 3), grey, np.uint8))
    return tmp_path


def plan_in(world: Path, **options: object):
    return make_plan(world / "s.toml", world / "out", data_root=world / "data", **options)  # type: ignore[arg-type]


def test_a_smoke_test_touches_all_with_little(world):
    plan = plan_in(world, smoke=True)
    training = plan.study.training_of("m")
    assert training.epochs == 3, "the plan stays, and the fraction is the part of it that is done"
    assert plan.training_fraction("m") == 1.0, "6 steps of 3"
    assert training.validation_pairs == 2
    assert training.image_size == 256, "NIQE needs pictures of at least 192 pixels"
    assert plan.study.quiz.real == 4
    assert plan.study.quiz.participants == 3
    assert open_plan(world / "s.toml", world / "out").study == plan.study


def test_missing_data_is_named_before_anything_is_written(world):
    refused("--data-root", make_plan, world / "s.toml", world / "out")
    refused("the data set d is expected there", make_plan, world / "s.toml", world / "out", data_root=world)
    (world / "data" / "d" / "val" / "1.png").unlink()
    (world / "data" / "d" / "val").rmdir()
    refused("no split test or val", plan_in, world)
    assert not (world / "out").exists()
    refused("not a study's folder", open_plan, world / "s.toml", world / "out")


def test_all_missing_data_sets_are_named_with_the_way_to_get_them(world):
    sets = "[data.facades]\n[data.streets]\nfolder = 'cityscapes'\n[data.mine]\n[models.m]\ndata = 'facades'\n"
    sets += "".join(f"[models.{name}]\ndata = '{name}'\n" for name in ("streets", "mine"))
    (world / "s.toml").write_text(f"[study]\nname = 's'\n[training]\nepochs = 1\n{sets}")
    words = r"facades: no such folder; .* so are streets \(.*cityscapes\), mine \(.*\); `gan-eval data fetch facades"
    refused(words + r" --out .*`gan-eval data list` says where cityscapes comes from$", plan_in, world)


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("[analysis]\nexclude = ['reaction_time<200']\n", r"'reaction_time<200':.*column 'reaction_time'"),
        ("[analysis]\ncovariates = ['age']\n", r"analysis.covariates: age:"),
        (
            "[analysis]\nlevel = '95'\n",
            r"analysis.level: 95 is not a column of numbers of the trials; they have .*requested_",
        ),
        ("[analysis]\ncomparisons = [['m', 'mm']]\n", r"s\.toml: analysis\.comparisons:.*'mm'.* m$"),
        ("[analysis]\nexclude = ['late']\n", r"s\.toml: analysis\.exclude:.*'late':"),
        ("[metrics]\nnames = ['nique']\n", r"s\.toml: metrics\.names:.*'nique':.*'niqe'"),
        (
            "[models.n]\ndata = 'd'\ntraining = { validate_every = 2, validation_metrics = ['psnrr'] }\n",
            r"s\.toml: models\.n\.training\.validation_metrics:.*'psnrr':.*'psnr'",
        ),
        ("[metrics]\nnames = []\n", r"s\.toml: metrics\.names:.*\[\];.*1"),
        ("[metrics]\nsegmenter = 'net.pt'\n", r"s\.toml: metrics\.segmenter:.*net\.pt"),
        ("[metrics]\nfeatures = { x = 'x.npz' }\n", r"s\.toml: metrics\.features\.x:.*x\.npz"),
        ("[metrics]\nnetworks = { x = 'x.pt' }\n", r"s\.toml: metrics\.networks\.x:.*x\.pt"),
        ("[metrics]\nfeatures = { x = 's.toml' }\nnetworks = { x = 's.toml' }\n", "both name 'x'; rename one"),
        ("[metrics]\nnames = ['fid@y']\nfeatures = { x = 's.toml' }\n", r"metrics\.names:.*'fid@y':"),
        ("[metrics]\nresizer = 'cleen'\n", "resizer"),
        ("[stimuli]\nsets = ['absent']\n", "not a stimulus set"),
        ("[stimuli]\ncatch_sets = ['absent']\n", "not a stimulus set"),
        ("catch = 5\n", r"s\.toml: quiz\.catch = 5:.*stimuli\."),
        ("show_caption = true\n", r"s\.toml: quiz\.show_caption:"),
        ("language = 'xx'\n", r"s\.toml: quiz\.language xx:"),
    ],
)
def test_what_would_be_found_after_days_is_found_at_once(world, addition, words):
    (world / "s.toml").write_text(STUDY + addition)
    refused(words, plan_in, world)
    assert not (world / "out").exists()
    question = '[[quiz.questions]]\nid = "age"\ntext = "How old are you?"\n[analysis]\ncovariates = ["age"]\n'
    (world / "s.toml").write_text(STUDY + question)
    plan_in(world)


def test_a_folder_knows_its_study_file_and_its_data(world, monkeypatch):
    plan_in(world)
    monkeypatch.chdir(world)
    plan = open_plan(None, Path("out"))
    assert (plan.file, plan.data_root) == (Path("s.toml"), Path("data"))
    moved = world / "moved"
    moved.mkdir()
    for name in ("s.toml", "out", "data"):
        (world / name).rename(moved / name)
    assert open_plan(None, moved / "out").split("d") == "val", "also when all of it was moved"
    shutil.copytree(moved / "data" / "d" / "val", moved / "data" / "d" / "test")
    assert open_plan(None, moved / "out").split("d") == "test", "test, else val"
    (moved / "s.toml").unlink()
    refused(r"s\.toml:", open_plan, None, moved / "out")


def test_a_study_file_that_is_a_link_is_named_where_the_link_is(world):
    (world / "shared").mkdir()
    (world / "s.toml").rename(world / "shared" / "s.toml")
    (world / "s.toml").symlink_to(world / "shared" / "s.toml")
    plan_in(world)
    assert open_plan(None, world / "out").file == world / "s.toml", "its sets are relative to the link"


def test_a_damaged_record_of_a_folder_is_named(world):
    plan_in(world)
    (world / "out" / ".gan-eval" / "run.json").write_text('{"study": "s", "fraction": "x", "smoke": false}')
    uses = (lambda: open_plan(None, world / "out"), lambda: plan_in(world), lambda: read_folder(world / "out"))
    for use in uses:
        refused(r"run\.json: damaged:", use)


def test_a_report_of_damaged_tables_names_the_command_with_its_options(world, monkeypatch):
    monkeypatch.chdir(world)
    make_plan(Path("s.toml"), Path("out"), data_root=Path("data"), fraction=0.5)
    with replaced_set(Path("out", "tables"), "analysis") as new:
        new.run = "x"
        (new.folder / "rates.csv").write_text("scope,id\n")
    Path("out", "tables", "rates.csv").unlink()
    with pytest.raises(UserError) as refusal:
        read_folder(Path("out"))
    command = "gan-eval run s.toml --out out --data-root data --fraction 0.5"
    assert all(part in str(refusal.value) for part in ("rates.csv: ", command))
    assert open_plan(None, Path("out")).command() == command


def test_a_bad_fraction_simulation_or_split_is_found_at_once(world):
    for fraction in (0.0, -1.0, 1.5, float("nan")):
        refused("--fraction", plan_in, world, fraction=fraction)
    refused("--simulate dprim=1", plan_in, world, simulate="dprim=1")
    (world / "data" / "d" / "train" / "1.png").unlink()
    refused("train: no pictures", plan_in, world)
    assert not (world / "out").exists()


def test_a_folder_is_made_in_one_way_of_one_study(world):
    plan_in(world, fraction=0.5)
    refused(r"fraction was 0\.5, is 1\.0", plan_in, world)
    refused("smoke was False, is True", plan_in, world, smoke=True)
    assert open_plan(world / "s.toml", world / "out").fraction == 0.5
    plan_in(world, redo=True)
    assert open_plan(world / "s.toml", world / "out").fraction == 1.0
    (world / "s.toml").write_text(STUDY.replace('name = "s"', 'name = "other"'))
    for use in (lambda: open_plan(world / "s.toml", world / "out"), lambda: plan_in(world)):
        refused(r"'s'.*'other'", use)


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


def refusal(folder: Path, text: str) -> str:
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
    line = refusal(tmp_path, with_data(text, train_split="test"))
    assert line.startswith("data.d.train_split: m ")
    assert all(part in line for part in (" 2 ", str(PurePath("test/0.png"))))
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
    assert "'test'" in refusal(tmp_path, with_data(text, train_split="train+val"))


def test_a_sub_folder_overlaps_a_split_by_hash(tmp_path: Path) -> None:
    names = [PurePath(place) / f"{number}.png" for place in ("lake", "sea") for number in range(40)]
    for name in names:
        picture(tmp_path / "data" / "d" / name)
    shared = sum(split_of(name) == "test" for name in names if name.parts[0] == "lake")
    assert shared
    assert f" {shared} of the pictures " in refusal(tmp_path, with_data(HOLES, train_split="lake"))
    for whole in (".", "./", "lake/.."):
        every = sum(split_of(name) == "test" for name in names)
        assert f" {every} of the pictures " in refusal(tmp_path, with_data(HOLES, train_split=whole))
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
    assert "'test'" in refusal(tmp_path, PAIRS)


def test_what_a_model_starts_from_has_not_seen_them_either(tmp_path: Path) -> None:
    splits(tmp_path, "train", "val", "test")
    chain = HOLES + '[data.e]\nfolder = "d"\ntrain_split = "val"\n[models.n]\ndata = "e"\n'
    start = 'training = { init_from = "m" }\n'
    plan_of(tmp_path, chain + start)
    line = refusal(tmp_path, chain.replace("[models.n]", 'split = "train"\n[models.n]') + start)
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
    assert refusal(tmp_path, wanted) == line
    plan_of(tmp_path, text)
    (tmp_path / "data" / "d" / "test").rename(tmp_path / "data" / "d" / "shown")
    assert refusal(tmp_path, with_data(wanted, split="shown")) == line
    (tmp_path / "data" / "d" / "shown").rename(tmp_path / "data" / "d" / "test")
    splits(tmp_path, "val")
    assert refusal(tmp_path, with_data(wanted, split="val")) == line
    plan_of(tmp_path, wanted)
