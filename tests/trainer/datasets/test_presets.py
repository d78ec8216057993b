"""The presets say what the studies say, and the documentation shows them as they are."""

from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.settings.study import load_study
from gan_eval.settings.training import TrainingSettings
from trainer.datasets import presets

ROOT = Path(__file__).parents[3]
STUDIED = [preset for preset in presets.PRESETS.values() if preset.length_from.startswith("`studies/")]


@pytest.mark.parametrize(
    ("name", "facts"),
    {
        "facades": ("BtoA", 0.5, "100 epochs", 606),
        "maps": ("BtoA", 0.5, "100 epochs", 2194),
        "edges2shoes": ("AtoB", 0.5, "100 epochs", 50_025),
        "cityscapes": ("BtoA", 1.0, "50,000 iterations", 3475),
    }.items(),
)
def test_the_published_sets_are_as_published(name: str, facts: tuple[str, float, str, int]) -> None:
    preset = presets.PRESETS[name]
    assert (preset.direction, preset.settings["d_loss_factor"], preset.length, sum(preset.splits.values())) == facts
    assert (preset.settings["image_size"], preset.settings["lambda_l1"]) == (256, 100.0)
    assert preset in STUDIED, "its length is that of a study of ours"


def test_the_sets_without_a_study_are_trained_as_by_isola_and_others() -> None:
    handbags, night = presets.PRESETS["edges2handbags"], presets.PRESETS["night2day"]
    assert (handbags.direction, handbags.length, handbags.pictures[:13]) == ("AtoB", "15 epochs", "about 137,000")
    assert (night.direction, night.length, sum(night.splits.values())) == ("BtoA", "17 epochs", 20_120)
    assert not {"edges2handbags", "night2day"} & {preset.name for preset in STUDIED}
    for preset in (handbags, night):
        assert (preset.settings["batch_size"], preset.settings["statistics"]) == (4, "batch")


@pytest.mark.parametrize("name", presets.PRESETS)
def test_the_training_of_a_preset_is_one_that_the_trainer_takes(name: str) -> None:
    settings = TrainingSettings(**presets.preset_of(name).training())
    assert (settings.epochs is None) != (settings.steps is None)


@pytest.mark.parametrize("preset", STUDIED, ids=lambda preset: preset.name)
def test_a_preset_trains_as_the_study_that_it_names(preset: presets.Preset) -> None:
    study = load_study(ROOT / preset.length_from.strip("`"))
    (model,) = (name for name, settings in study.models.items() if settings.data == preset.name)
    trained = study.training_of(model).model_dump()
    assert {name: trained[name] for name in preset.training()} == preset.training()
    assert study.data[preset.name].direction == preset.direction


def test_an_unknown_preset_is_refused_with_the_choice() -> None:
    with pytest.raises(UserError, match=r"'facade': no preset.*facades, maps, edges2shoes, cityscapes"):
        presets.preset_of("facade")


def test_the_documentation_shows_the_table_as_it_is() -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert presets.pairs_table() in page, "put the output of `python -m trainer.datasets.presets` into docs/data.md"
