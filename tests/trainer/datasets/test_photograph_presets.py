"""Presets of photographs: trainings that the trainer takes, a set that is fetched, and the documentation's tables."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_pictures import picture_bytes

from gan_eval.cli.jobs import job_of_options
from gan_eval.errors import UserError
from gan_eval.settings.study import load_study
from gan_eval.settings.training import TrainingSettings
from trainer.datasets import presets
from trainer.datasets.fetch import fetch
from trainer.datasets.photographs import PhotographSet

ROOT = Path(__file__).parents[3]
TINY = presets.PHOTOGRAPH_PRESETS["tiny_imagenet"]


@pytest.mark.parametrize("name", presets.PHOTOGRAPH_PRESETS)
def test_the_training_of_a_preset_is_one_that_the_trainer_takes(name: str) -> None:
    preset = presets.any_preset_of(name)
    settings = TrainingSettings(**{"epochs": 1, **preset.training()})
    assert settings.inpainting is not None


@pytest.mark.parametrize("name", ["published", "pathak"])
def test_the_context_encoders_have_the_published_weights(name: str, tmp_path: Path) -> None:
    settings = job_of_options({"epochs": 1}, data=tmp_path, preset=name).settings
    assert settings.inpainting is not None
    assert settings.inpainting.overlap == {"published": 7, "pathak": 4}[name]
    assert settings.lambda_l2 / settings.adversarial_weight == pytest.approx(999)
    assert settings.lambda_l1 == 0
    assert settings.learning_rate == pytest.approx(10 * settings.discriminator_learning_rate)
    assert settings.inpainting.overlap_weight == 10


def studied(file: str, model: str) -> dict[str, object]:
    """What a study of ours trains a model with, as a preset says it."""
    return load_study(ROOT / "studies" / file).training_of(model).model_dump()


@pytest.mark.parametrize(
    ("file", "model", "preset"),
    [
        ("context_encoder.toml", "rec_1000", "tiny_imagenet"),
        ("context_encoder_imagenet.toml", "imagenet_64_rec_1000", "imagenet_64"),
        ("context_encoder_imagenet.toml", "imagenet_128_rec_1000", "imagenet_128"),
        ("inpainting_landscapes_paintings.toml", "landscapes", "landscapes"),
    ],
)
def test_the_studies_train_as_the_presets_do(file: str, model: str, preset: str) -> None:
    found = studied(file, model)
    for key, value in presets.any_preset_of(preset).training().items():
        if isinstance(value, dict):
            assert found[key] is not None
            assert {name: found[key][name] for name in value} == value
        elif key != "jitter":
            assert found[key] == value, key


def test_smaller_sources_are_enlarged() -> None:
    found = {name: preset.training()["inpainting"].get("source_size") for name, preset in presets_of_encoders().items()}
    assert found == {"tiny_imagenet": 64, "imagenet_64": 64, "imagenet_128": None}


def presets_of_encoders() -> dict[str, presets.Preset]:
    return {
        name: preset
        for name, preset in presets.PHOTOGRAPH_PRESETS.items()
        if preset.training().get("generator") == "context_encoder"
    }


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


def test_an_unknown_preset_is_refused_with_the_choice_of_both_kinds() -> None:
    newer = "".join(f", {name}" for name in [*presets.PHOTOGRAPH_PRESETS][5:])
    choice = f"facades, .*tiny_imagenet, imagenet_64.*paintings{newer}"
    with pytest.raises(UserError, match=f"'imagenet': there is none.*{choice}$"):
        presets.any_preset_of("imagenet")


def test_a_zip_of_class_folders_is_fetched_with_its_folders(tmp_path: Path, make_archive: Callable[..., Path]) -> None:
    members = {
        f"tiny-imagenet-200/{name}": picture_bytes(n, (9, 9))
        for n, name in enumerate(
            ("train/n1/images/n1_0.png", "train/n2/images/n2_0.png", "val/images/v.png", "test/images/t.png")
        )
    }
    archive = make_archive("tiny.zip", {**members, "tiny-imagenet-200/train/n1/n1_boxes.txt": b"n1_0.png 0 0 8 8"})
    fetched = fetch(TINY, tmp_path / "out", source=str(archive))
    assert fetched.splits == {"train": 2, "val": 1, "test": 1}
    assert any("the official set has train 100000" in remark for remark in fetched.remarks)
    names = [path.relative_to(tmp_path / "out").as_posix() for path in PhotographSet(tmp_path / "out").paths("train")]
    assert names == ["train/n1/images/n1_0.png", "train/n2/images/n2_0.png"]
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


def test_the_documentation_shows_the_table_as_it_is() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert presets.photographs_table() in page, (
        "put the output of `python -m trainer.datasets.presets photographs` into docs/data.md"
    )
