"""The options of `train`: settings by name, presets, and the line that is shown meanwhile."""

from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from gan_eval.__main__ import run
from gan_eval.base.progress import about
from gan_eval.settings.training import TrainingSettings
from gan_eval.study.commands import console as console_module
from gan_eval.study.commands.console import Console
from gan_eval.study.commands.train import assigned_settings, job_of_options, picture_size

DATA = Path("data")


def test_settings_can_be_given_by_name():
    assert assigned_settings(["a=1\nb=2", "f=True"]) == {"a": "1\nb=2", "f": "True"}, "one value, no further keys"
    texts = ["steps=7", "receptive_field = 34", "validation_metrics=['psnr', 'fid']", 'best_metric="fid"']
    assert job_of_options({}, texts, data=DATA).settings == TrainingSettings(
        steps=7, receptive_field=34, validation_metrics=("psnr", "fid"), best_metric="fid"
    )


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["lambda=3"], r"--set lambda:.*lambda_\w+\?"),
        (["receptive_field=0"], r"--set receptive_field: found 0;.*1"),
        (["norm=Batch"], r"--set norm:.*'Batch';.*'batch', 'instance'.*'none'"),
        (["validation_metrics=psnr"], r"--set validation_metrics:.*'psnr';.*\['psnr'\]$"),
        (["seed"], r"--set seed:.*name=value"),
        (["batch_size=2"], r"--set batch_size:.*--batch-size"),
        (["epochs=2"], "give epochs or steps, not both"),
        (["inpainting.centre=1.0"], r"--set inpainting\.centre:.*1\.0"),
        (["inpainting.masks={folder=1}"], r"--set inpainting\.mask_folder:"),
        (["inpainting.colour=red"], r"--set inpainting\.colour:"),
    ],
)
def test_bad_settings_are_named_as_they_were_written(texts, message):
    refused(message, job_of_options, {"steps": "3", "batch_size": "1"}, texts, data=DATA)


def test_a_preset_gives_length_settings_direction_and_folder_unless_options_do():
    job = job_of_options({}, preset="cityscapes", data_root=Path("root"))
    assert (job.data, job.direction) == (Path("root/cityscapes"), "BtoA")
    assert (job.settings.steps, job.settings.epochs, job.settings.d_loss_factor) == (50_000, None, 1.0)
    assert job_of_options({}, preset="edges2shoes", data=DATA).direction == "AtoB"
    job = job_of_options({}, ["inpainting.fill=mean", "epochs=3"], data=DATA, preset="tiny_imagenet")
    assert job.settings.inpainting is not None
    assert (job.settings.inpainting.fill, job.settings.inpainting.overlap, job.settings.epochs) == ("mean", 7, 3)
    options = {"preset": "facades", "data": DATA, "data_root": Path("root"), "direction": "AtoB"}
    job = job_of_options({"steps": "9"}, ["lambda_l1=10"], **options)
    assert (job.data, job.direction) == (DATA, "AtoB")
    assert (job.settings.steps, job.settings.epochs, job.settings.lambda_l1) == (9, None, 10.0)


def test_missing_data_length_or_preset():
    refused(r"--data-root DIR \(or \$GAN_EVAL_DATA\),.*--data DIR", job_of_options, {}, preset="facades")
    refused(r"train: --data.*train/", job_of_options, {"steps": "3"})
    refused(r"--steps.*--epochs", job_of_options, {}, data=DATA)
    refused("'facade':", job_of_options, {}, preset="facade", data=DATA)


def test_the_line_reports_images_a_second_time_left_and_losses(capsys, monkeypatch):
    from trainer.loop.run import losses_text

    now = 100.0
    monkeypatch.setattr(console_module.time, "monotonic", lambda: now)
    progress = about("train", Console().progress)
    progress(1, 100, unit="images", units_each=4)
    now = 120.0
    progress(51, 100, "", losses_text({"d_real": 0.5, "g_l1": 0.25}), unit="images", units_each=4)
    assert capsys.readouterr().err == "train: 51/100, 10.0 images/s, 0:00:20 left  g_l1 0.25  d_real 0.5\n"


def test_the_command_hands_everything_on(monkeypatch, tmp_path, capsys):
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    monkeypatch.setattr("gan_eval.study.training.train_model", lambda *given, **how: calls.append((given, how)))
    options = "--epochs 3 --image-size 128 --batch-size 2 --seed 9"
    settings = ["--set", "generator=resnet_6", "--set", "norm=instance", "--set", "snapshots=[1, 2]"]
    watching = ["--keep", "4", "--checkpoint-every", "9", "--fraction", "0.5"]
    watching += ["--split", "train+val+test"]
    status = run(["train", "--data", str(tmp_path), "--out", str(tmp_path), *options.split(), *settings, *watching])
    assert status == 0
    ((job, out), how) = calls[0]
    assert (job.data, out) == (tmp_path, tmp_path)
    assert job.settings == TrainingSettings(
        epochs=3, image_size=128, batch_size=2, seed=9, generator="resnet_6", norm="instance", snapshots=(1, 2)
    )
    assert (job.keep, job.fraction, job.direction, job.split) == (4, 0.5, "AtoB", "train+val+test")
    assert how["checkpoint_every"] == 9
    assert f"--data {tmp_path} --split" in capsys.readouterr().err, "there is neither test nor val"


def test_picture_size():
    assert [picture_size(text) for text in (None, "native", "512")] == [None, "native", 512]
    for text in ("large", "-4", "12.5", "", "9" * 5000):
        refused("expected a number of pixels, or native", picture_size, text)
