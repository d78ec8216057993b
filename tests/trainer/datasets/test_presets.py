"""Presets say what the studies say, and are trainings that the trainer takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_pictures import picture_bytes

from gan_eval.cli.train import job_of_options
from gan_eval.errors import UserError
from gan_eval.settings.study import load_study
from gan_eval.settings.training import TrainingSettings
from trainer.datasets import presets
from trainer.datasets.fetch import fetch
from trainer.datasets.photographs import PhotographSet

ROOT = Path(__file__).parents[3]
TINY = presets.PHOTOGRAPH_PRESETS["tiny_imagenet"]
EVERY = presets.PRESETS | presets.PHOTOGRAPH_PRESETS


@pytest.mark.parametrize("name", EVERY)
def test_the_training_of_a_preset_is_one_that_the_trainer_takes(name: str) -> None:
    preset = presets.any_preset_of(name)
    settings = TrainingSettings(**({"epochs": 1} if preset.has_photographs else {}) | preset.training())
    assert (settings.epochs is None) != (settings.steps is None)
    assert (settings.inpainting is not None) == preset.has_photographs


@pytest.mark.parametrize(
    ("file", "model", "name"),
    [
        ("pix2pix_capability.toml", None, "facades"),
        ("pix2pix_capability.toml", None, "maps"),
        ("pix2pix_capability.toml", None, "edges2shoes"),
        ("cityscapes_convergence.toml", None, "cityscapes"),
        ("context_encoder.toml", "rec_1000", "tiny_imagenet"),
        ("context_encoder_imagenet.toml", "imagenet_64_rec_1000", "imagenet_64"),
        ("context_encoder_imagenet.toml", "imagenet_128_rec_1000", "imagenet_128"),
        ("inpainting_landscapes_paintings.toml", "landscapes", "landscapes"),
    ],
)
def test_a_preset_trains_as_its_study(file: str, model: str | None, name: str) -> None:
    study, preset = load_study(ROOT / "studies" / file), presets.any_preset_of(name)
    if model is None:
        (model,) = (key for key, settings in study.models.items() if settings.data == name)
        assert study.data[name].direction == preset.direction
    found = study.training_of(model).model_dump()
    for key, value in preset.training().items():
        if isinstance(value, dict):
            assert {inner: found[key][inner] for inner in value} == value
        elif key != "jitter":
            assert found[key] == value, key


@pytest.mark.parametrize(
    ("name", "facts"),
    {
        "facades": ("BtoA", 606, {"epochs": 100, "d_loss_factor": 0.5}),
        "maps": ("BtoA", 2194, {"epochs": 100, "d_loss_factor": 0.5}),
        "edges2shoes": ("AtoB", 50_025, {"epochs": 100, "d_loss_factor": 0.5}),
        "cityscapes": ("BtoA", 3475, {"steps": 50_000, "d_loss_factor": 1.0}),
        "edges2handbags": ("AtoB", 0, {"epochs": 15, "batch_size": 4, "statistics": "batch"}),
        "night2day": ("BtoA", 20_120, {"epochs": 17, "batch_size": 4, "statistics": "batch"}),
    }.items(),
)
def test_the_published_sets_are_as_published(name: str, facts: tuple[str, int, dict[str, object]]) -> None:
    preset = presets.PRESETS[name]
    assert (preset.direction, sum(preset.splits.values())) == facts[:2]
    assert {"image_size": 256, "lambda_l1": 100.0, **facts[2]}.items() <= preset.settings.items()


@pytest.mark.parametrize("name", ["published", "pathak"])
def test_the_context_encoders_have_the_published_weights(name: str, tmp_path: Path) -> None:
    settings = job_of_options({"epochs": 1}, data=tmp_path, preset=name).settings
    assert settings.inpainting is not None
    assert settings.inpainting.overlap == {"published": 7, "pathak": 4}[name]
    assert settings.lambda_l2 / settings.adversarial_weight == pytest.approx(999)
    assert settings.lambda_l1 == 0
    assert settings.learning_rate == pytest.approx(10 * settings.discriminator_learning_rate)
    assert settings.inpainting.overlap_weight == 10


def test_smaller_sources_are_enlarged() -> None:
    sizes = [preset.training()["inpainting"].get("source_size") for preset in presets.PHOTOGRAPH_PRESETS.values()]
    assert sizes[:3] == [64, 64, None]


def test_a_training_can_be_changed_without_changing_the_preset() -> None:
    TINY.training()["inpainting"]["masks"]["centre"] = 5
    assert TINY.training()["inpainting"]["masks"] == {"centre": 1.0}


def test_both_kinds_of_presets_make_a_job(tmp_path: Path) -> None:
    job = job_of_options({}, ["inpainting.fill=mean", "epochs=3"], data_root=tmp_path, preset="tiny_imagenet")
    assert job.data == tmp_path / "tiny_imagenet"
    assert job.settings.inpainting.fill == "mean"
    assert job.settings.inpainting.overlap == 7, "the other keys of the section stay the preset's"
    assert job.settings.epochs == 3
    assert job_of_options({}, data=tmp_path, preset="landscapes").settings.epochs == 500
    assert job_of_options({}, data=tmp_path, preset="cityscapes").direction == "BtoA"
    with pytest.raises(UserError, match="give --steps N or --epochs N"):
        job_of_options({}, data=tmp_path, preset="imagenet_128")


def test_an_unknown_preset_is_refused_with_the_choice() -> None:
    with pytest.raises(UserError, match=r"'facade': no preset.*facades, maps, edges2shoes, cityscapes"):
        presets.preset_of("facade")
    with pytest.raises(UserError, match=r"'imagenet': there is none.*facades, .*tiny_imagenet, imagenet_64.*paintings"):
        presets.any_preset_of("imagenet")


def test_a_zip_of_class_folders_is_fetched_with_its_folders(tmp_path: Path, make_archive: Callable[..., Path]) -> None:
    names = ("train/n1/images/n1_0.png", "train/n2/images/n2_0.png", "val/images/v.png", "test/images/t.png")
    members = {f"tiny-imagenet-200/{name}": picture_bytes(n, (9, 9)) for n, name in enumerate(names)}
    archive = make_archive("tiny.zip", {**members, "tiny-imagenet-200/train/n1/n1_boxes.txt": b"n1_0.png 0 0 8 8"})
    fetched = fetch(TINY, tmp_path / "out", source=str(archive))
    assert fetched.splits == {"train": 2, "val": 1, "test": 1}
    assert any("the official set has train 100000" in remark for remark in fetched.remarks)
    found = [path.relative_to(tmp_path / "out").as_posix() for path in PhotographSet(tmp_path / "out").paths("train")]
    assert found == list(names[:2])
    assert fetch(TINY, tmp_path / "out", source=str(archive)).splits == fetched.splits


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"set/train/a/1.png": (7, 9)}, "7x9 pixels are too small"),
        ({"set/a/1.png": (9, 9), "set/b/2.png": (9, 9)}, "not in folders train, val, test"),
    ],
)
def test_an_archive_that_is_no_such_set_is_refused(
    members: dict[str, tuple[int, int]], message: str, tmp_path: Path, make_archive: Callable[..., Path]
) -> None:
    archive = make_archive("bad.zip", {name: picture_bytes(0, size) for name, size in members.items()})
    with pytest.raises(UserError, match=message):
        fetch(TINY, tmp_path / "out", source=str(archive))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["imagenet_64", "imagenet_128", "landscapes", "paintings"])
def test_what_each_user_brings_is_not_fetched(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"^{name}: no address; (register|bring)"):
        fetch(presets.PHOTOGRAPH_PRESETS[name], tmp_path / "out")
