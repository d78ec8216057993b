"""Validation during training, the training log, and the items of the sample grids."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from training_runs import Pairs, Settings, brightness, train

from gan_eval.base.errors import UserError
from gan_eval.metrics import evaluate
from gan_eval.pictures.agreement import evenly_spread
from gan_eval.settings.training import TrainingSettings
from gan_eval.study.training import measure_during_training
from gan_eval.tables import TRAINING_LOG, VALIDATION
from gan_eval.tables.frames import read_rows
from trainer.datasets.pairs import PairedSet
from trainer.job import ValidationMeasure
from trainer.state.run_folder import load_generator
from trainer.tasks import new_task
from trainer.watch import validation
from trainer.watch.log import TrainingLog, ValidationLog
from trainer.watch.validation import SAMPLES, diversity, sample_examples, validation_examples


@pytest.mark.slow
def test_validation_in_both_modes_agrees_with_a_batch_report(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    data, settings = make_pairs(train=2, val=3), tiny(steps=4, validate_every=2, snapshots=(1,), validation_pairs=2)
    run = train(settings, data, tmp_path / "run", measure=measure_during_training(("psnr", "ssim")))
    rows = read_rows(run / "validation.csv", VALIDATION)
    assert {row["step"] for row in rows} == {0, 1, 2, 4}
    assert {(row["mode"], row["metric"]) for row in rows} == {
        (mode, metric) for mode in ("train", "eval") for metric in ("psnr", "ssim", "diversity")
    }
    assert all(row["n"] == 2 and row["split"] == "val" and row["fraction"] == 1.0 for row in rows)
    of_psnr = [row for row in rows if row["metric"] == "psnr"]
    best = max((row for row in of_psnr if row["mode"] == "train" and row["step"]), key=lambda row: row["value"])
    assert load_generator(run / "best.safetensors")[1]["step"] == best["step"]
    last = {row["mode"]: row["value"] for row in of_psnr if row["step"] == 4}
    assert last["train"] != last["eval"]
    for mode, value in last.items():
        images, _ = evaluate(run / "validation" / mode, ["psnr"])
        assert images["value"].mean() == pytest.approx(value, abs=1e-12)


def test_without_pictures_apart_nothing_is_validated(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    run = train(
        tiny(steps=2, validate_every=1), make_pairs(train=2), tmp_path / "run",
        measure=ValidationMeasure(brightness, {"psnr": True, "ssim": True}), on_message=said.append,
    )  # fmt: skip
    assert any("nothing is validated" in line for line in said)
    assert not (run / "validation.csv").exists()


def test_pictures_that_are_trained_on_come_last(make_pairs: Pairs) -> None:
    data_set = PairedSet(make_pairs(train=1, val=4))
    val = data_set.paths("val")
    for known, names, seen in ((val[:2], ["2", "3"], None), (val, ["0", "1", "2", "3"], True)):
        found = validation_examples(data_set, known, count=None, train_split="train")
        assert found is not None
        assert (list(found.paths), found.seen) == (names, seen)


@pytest.mark.nightly
def test_many_pictures_are_measured_in_batches_as_few_are_one_by_one(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, measure = make_pairs(train=2, val=5), ValidationMeasure(brightness, {"brightness": True})
    settings = tiny(steps=1, validate_every=1, validation_pairs="all", validation_metrics=("brightness",))
    one = train(settings, data, tmp_path / "one", measure=measure)
    monkeypatch.setattr(validation, "MAX_ONE_BY_ONE", 4)
    monkeypatch.setattr(validation, "BATCH_SIZE", 2)
    many = train(settings, data, tmp_path / "many", measure=measure)
    rows = [read_rows(run / "validation.csv", VALIDATION) for run in (one, many)]
    assert len(rows[0]) == 2 * 2 * 2
    for by_one, together in zip(*rows, strict=True):
        assert by_one["n"] == together["n"] == 5
        assert by_one["value"] == pytest.approx(together["value"], rel=1e-3)
        for key in ("step", "mode", "metric"):
            assert by_one[key] == together[key]


def test_diversity_is_one_for_the_data_itself_and_zero_for_one_picture() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(4)]
    assert diversity(pictures, pictures) == pytest.approx(1.0)
    assert diversity([pictures[0]] * 4, pictures) == 0.0
    assert diversity(pictures, [pictures[0]] * 4) is None
    half = [(picture // 2).astype(np.uint8) for picture in pictures]
    assert diversity(half, pictures) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_value_that_is_no_finite_number_is_never_the_best(tmp_path: Path, higher_is_better: bool) -> None:
    log = ValidationLog(tmp_path / "validation.csv", facts={}, mode="train")
    values = [math.nan, 1.0, math.nan, math.inf, -math.inf, None, 1.0]
    for step, value in enumerate(values, start=1):
        log.add([{"mode": "train", "metric": "m", "value": value}], step=step, epoch=1)
    best = [log.is_best("m", step=step, higher_is_better=higher_is_better) for step in range(1, len(values) + 1)]
    assert best == [False, True, False, False, False, False, False]
    assert log.best == (2, 1.0)
    resumed = ValidationLog(tmp_path / "validation.csv", facts={}, mode="train")
    resumed.load_state_dict(log.state_dict())
    assert (resumed.rows, resumed.best) == (log.rows, log.best)


def test_a_row_has_means_and_the_largest_gradient_norms_also_after_a_resume(tmp_path: Path) -> None:
    """A single step with an exploding gradient is seen, wherever in its window it is."""
    log = TrainingLog(tmp_path / "training_log.csv", facts={}, total=20)
    for step in range(1, 21):
        if step in (7, 13):
            state = log.state_dict()
            log = TrainingLog(tmp_path / "training_log.csv", facts={}, total=20)
            log.load_state_dict(state)
        norm = 1000.0 if step == 3 else 1.0
        log.add({"g_l1": torch.tensor(float(step)), "d_gradient_norm": torch.tensor(norm)})
        log.check(step)
        if log.row_due(step):
            log.end_row(step=step, epoch=1, images=step, seconds=0.0)
    assert [(row[0], *row[3:5]) for row in log.state_dict()["rows"]] == [
        (10, "g_l1", 5.5), (10, "d_gradient_norm", 100.9), (10, "d_gradient_norm_max", 1000.0),
        (20, "g_l1", 15.5), (20, "d_gradient_norm", 1.0), (20, "d_gradient_norm_max", 1.0),
    ]  # fmt: skip


def test_a_long_log_is_not_written_after_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole table is written each time: with the short steps of a GPU that would take a fifth of the run."""
    now, path = 0.0, tmp_path / "training_log.csv"
    monkeypatch.setattr("trainer.watch.log.time.monotonic", lambda: now)
    log, steps = TrainingLog(path, facts={}, total=1000), []
    for step in range(10, 1001, 10):
        now += 0.25
        log.add({"g_l1": torch.tensor(1.0)})
        log.end_row(step=step, epoch=1, images=step, seconds=now)
        log.write_if_old()
        steps.append(read_rows(path, TRAINING_LOG)[-1]["step"])
    assert sorted(set(steps)) == [10, 410, 810]
    log.add({"g_l1": torch.tensor(float("nan"))})
    with pytest.raises(UserError, match="g_l1 is nan"):
        log.check(1001)
    assert read_rows(path, TRAINING_LOG)[-1]["step"] == 1000


@pytest.mark.parametrize(
    ("splits", "train_split", "shown"),
    [
        (("train", "val", "test"), "train", "test"),
        (("train", "val"), "train", "val"),
        (("train",), "train", "train"),
        (("train", "val", "test"), "test", "val"),
        (("test",), "test", "test"),
        (("train", "val", "test"), "train+test", "val"),
    ],
)
def test_pictures_not_trained_on_come_first(
    make_pairs: Pairs, splits: tuple[str, ...], train_split: str, shown: str
) -> None:
    data_set = PairedSet(make_pairs(**dict.fromkeys(splits, 5)))
    task, train = new_task(TrainingSettings(steps=1, image_size=64)), data_set.training_paths(train_split)
    examples = sample_examples(task, data_set, train, train_split=train_split, say=pytest.fail)
    wanted = evenly_spread(data_set.paths(shown), SAMPLES)
    for example, path in zip(examples, wanted, strict=True):
        np.testing.assert_array_equal(example.condition, data_set.read(path)[0])
