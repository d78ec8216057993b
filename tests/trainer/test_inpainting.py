"""Runs of the two inpainting families from start to end, and the stimulus sets of their generators."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_photographs import SIDE, encoder, filler, make_photographs, make_silhouettes
from PIL import Image
from refusals import refused
from training_runs import Stop, hashes, result, train_measured

from gan_eval.base.digests import sha256_file
from gan_eval.metrics.run.inputs import stimuli_of_sets
from gan_eval.pictures.sets import read_set
from gan_eval.settings.training import NEUTRAL_GREY, TrainingSettings
from gan_eval.tables import STIMULI, TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import read_rows
from trainer.generate import generate


def hasty(**changes: Any) -> TrainingSettings:
    """The GAN at so high a rate that validation gets worse at times."""
    return filler(learning_rate=0.05, **changes)


KINDS: dict[str, Callable[..., TrainingSettings]] = {"encoder": encoder, "filler": hasty}
ITEMS = 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_photographs(tmp_path_factory.mktemp("photographs") / "views", train=6, val=2, test=ITEMS)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An undisturbed run of each kind."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs")
    return {name: train_measured(kind(), data, folder / name) for name, kind in KINDS.items()}


def left_by(run: Path) -> dict[str, Any]:
    """Everything that a run leaves, without times."""
    validation = (run / "validation.csv").read_text()
    return {**result(run), "best": sha256_file(run / "best.safetensors"), "validation": validation}


@pytest.mark.parametrize(("name", "terms"), [("encoder", {"g_l1", "g_l2"}), ("filler", {"g_l1", "g_tv"})])
def test_a_run_logs_validates_and_draws(runs: dict[str, Path], name: str, terms: set[str]) -> None:
    run = runs[name]
    rows = read_rows(run / "training_log.csv", TRAINING_LOG)
    usual = {"g_adversarial", "d_real", "d_fake", "d_accuracy"}
    usual |= {f"{net}_gradient_norm{suffix}" for net in "gd" for suffix in ("", "_max")}
    assert {row["term"] for row in rows} == usual | terms
    assert all(np.isfinite(row["value"]) for row in rows)
    measured = read_rows(run / "validation.csv", VALIDATION)
    assert {row["metric"] for row in measured} == {"psnr_hole", "ssim_hole", "l1_hole", "diversity"}
    assert {row["mode"] for row in measured} == ({"eval"} if name == "encoder" else {"train", "eval"})
    assert sorted({row["step"] for row in measured}) == [0, 2, 4, 6, 8]
    assert {row["style_network"] for row in (*rows, *measured)} == {"none"}
    values = [row["value"] for row in measured if row["metric"] == "psnr_hole"]
    assert all(0 < value < 60 for value in values)
    assert Image.open(run / "samples" / "step_0000008.png").size == (4 * SIDE, 4 * SIDE)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("encoder", marks=pytest.mark.nightly), "filler"])
def test_a_stopped_run_ends_like_another_one(runs: dict[str, Path], data: Path, tmp_path: Path, name: str) -> None:
    """Weights, optimizers, plateau, log, validation, grids and the best generator."""
    settings = KINDS[name]()
    with pytest.raises(Stop):
        train_measured(settings, data, tmp_path / "run", checkpoint_every=2, stop_after=5)
    messages: list[str] = []
    train_measured(settings, data, tmp_path / "run", checkpoint_every=2, on_message=messages.append)
    assert messages[0] == "continuing from step 4 of 8"
    assert left_by(tmp_path / "run") == left_by(runs[name])
    if name == "filler":
        assert result(tmp_path / "run")["state"]["plateau"]["_last_lr"][0] < 1, "it was lowered, so it is looked at"


def made(run: Path, data: Path, out: Path, **options: Any) -> Path:
    return generate(run, data, split="test", out=out, **options)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("name", KINDS)
def test_every_known_pixel_is_kept_and_every_mask_is_named(
    runs: dict[str, Path], data: Path, tmp_path: Path, name: str
) -> None:
    out = made(runs[name], data, tmp_path / "set")
    rows = read_rows(out / "stimuli.csv", STIMULI)
    assert len(rows) == 2 * ITEMS
    kinds = set()
    for row in rows:
        stem = row["item"].split("/")[1]
        mask, real, shown = (pixels(out / kind / f"{stem}.png") for kind in ("mask", "real", "input"))
        hole = mask[..., 0] > 0
        assert set(np.unique(mask)) == {0, 255}
        assert row["mask_file"] == f"mask/{stem}.png"
        assert row["mask_area"] == pytest.approx(hole.mean(), abs=1e-9)
        assert 0.01 <= row["mask_area"] <= 0.6
        kinds.add(row["mask_kind"])
        fake = pixels(out / "fake" / f"{stem}.png")
        np.testing.assert_array_equal(fake[~hole], real[~hole])
        assert (fake[hole] != real[hole]).any()
        np.testing.assert_array_equal(shown[~hole], real[~hole])
        assert (shown[hole] == NEUTRAL_GREY).all()
        if name == "encoder":
            wanted = np.zeros((SIDE, SIDE), np.bool_)
            wanted[8:24, 8:24] = True
            np.testing.assert_array_equal(hole, wanted)
    assert kinds == {"centre"} if name == "encoder" else len(kinds) > 1


def test_next_to_the_composites_are_raw_pictures_and_panels(runs: dict[str, Path], data: Path, tmp_path: Path) -> None:
    out = made(runs["filler"], data, tmp_path / "set")
    raw = out / "raw"
    assert {row["model"] for row in read_set(raw).rows if row["kind"] == "fake"} == {"filler-raw"}
    for number in range(ITEMS):
        original, masked, generated, composite = np.split(pixels(out / "panels" / f"{number}.png"), 4, axis=1)
        hole = pixels(out / "mask" / f"{number}.png")[..., 0] > 0
        for folder, kind, picture in (
            (out, "real", original), (out, "input", masked), (raw, "fake", generated), (out, "fake", composite),
        ):  # fmt: skip
            np.testing.assert_array_equal(pixels(folder / kind / f"{number}.png"), picture)
        np.testing.assert_array_equal(composite[hole], generated[hole])
        assert (generated[~hole] != original[~hole]).any()

    measured = {each.stimulus: each for each in stimuli_of_sets([out, raw])}
    for number in range(ITEMS):
        shown, own = (measured[f"views/{model}/{number}"] for model in ("filler", "filler-raw"))
        for one, other in ((shown.reference, own.reference), (shown.mask, own.mask)):
            np.testing.assert_array_equal(pixels(one), pixels(other), err_msg="measured with the same")


def test_holes_do_not_depend_on_the_other_items_or_the_model(runs: dict[str, Path], data: Path, tmp_path: Path) -> None:
    some = made(runs["filler"], data, tmp_path / "some", limit=2)
    all_of_them = made(runs["filler"], data, tmp_path / "all", batch_size=3)
    best = made(runs["filler"] / "best.safetensors", data, tmp_path / "best", model="best")
    for number in range(2):
        masks = [sha256_file(out / "mask" / f"{number}.png") for out in (some, all_of_them, best)]
        assert len(set(masks)) == 1
    other = made(runs["filler"], data, tmp_path / "other", mask_seed=6)
    assert hashes(other / "mask") != hashes(all_of_them / "mask")
    refused(r"mask_seed.*6,.*0", made, runs["filler"], data, other)


def test_other_masks(runs: dict[str, Path], data: Path, tmp_path: Path) -> None:
    masks = make_silhouettes(tmp_path / "masks", count=3, side=SIDE)
    out = made(runs["filler"], data, tmp_path / "set", masks=masks)
    shapes = {path.read_bytes() for path in (out / "mask").iterdir()}
    assert {row["mask_kind"] for row in read_rows(out / "stimuli.csv", STIMULI)} == {"folder"}
    known = [pixels(path) > 0 for path in masks.iterdir()]
    for path in (out / "mask").iterdir():
        hole = pixels(path)[..., 0] > 0
        assert any(abs(hole.mean() - one.mean()) < 0.1 for one in known)
    assert len(shapes) > 1
    said: list[str] = []
    assert hashes(made(runs["filler"], data, tmp_path / "again", masks=masks, on_message=said.append)) == hashes(out)
    assert not any("a mask is white" in line for line in said)
    (tmp_path / "inverted").mkdir()
    for path in masks.iterdir():
        Image.fromarray(255 - pixels(path)).save(tmp_path / "inverted" / path.name)
    made(runs["filler"], data, tmp_path / "white", masks=tmp_path / "inverted", on_message=said.append)
    assert any("takes more of the picture than most_area 0.6" in line for line in said)
    refused(r"masks was .*; name another folder", made, runs["filler"], data, out)
    refused(r"^--masks \S*nowhere:", made, runs["filler"], data, out, masks=tmp_path / "nowhere")
    make_silhouettes(masks, seed=3, side=SIDE)
    refused("holes_sha256 has changed", made, runs["filler"], data, out, masks=masks)
