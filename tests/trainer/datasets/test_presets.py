"""Presets say what the studies say, and are trainings that the trainer takes."""

from pathlib import Path

import pytest

from gan_eval.settings.study import load_study
from gan_eval.settings.training import TrainingSettings
from trainer.datasets import presets

ROOT = Path(__file__).parents[3]
TINY = presets.PRESETS["tiny_imagenet"]


@pytest.mark.parametrize("name", presets.PRESETS)
def test_the_training_of_a_preset_is_one_that_the_trainer_takes(name: str) -> None:
    preset = presets.preset_of(name)
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
    study, preset = load_study(ROOT / "studies" / file), presets.preset_of(name)
    if model is None:
        (model,) = (key for key, settings in study.models.items() if settings.data == name)
        assert study.data[name].direction == preset.direction
    found = study.training_of(model).model_dump()
    for key, value in preset.training().items():
        if isinstance(value, dict):
            assert {inner: found[key][inner] for inner in value} == value
        elif key != "jitter":
            assert found[key] == value, key
