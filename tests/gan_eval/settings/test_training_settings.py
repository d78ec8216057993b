"""Training settings that contradict each other or ask for nothing, alone and as a model's own in a study."""

from typing import Any

import pytest
from pydantic import ValidationError

from gan_eval.settings.sections import first_problem
from gan_eval.settings.study import Study
from gan_eval.settings.training import TrainingSettings

ENCODER: dict[str, Any] = {"generator": "context_encoder", "statistics": "batch", "image_size": 32}
NOTHING: dict[str, Any] = {"adversarial_weight": 0, "lambda_l1": 0}
FIRST_WEIGHTS = ["adversarial_weight", "lambda_l1", "lambda_l2", "lambda_ssim"]
NEWER = [name for name in TrainingSettings.model_fields if name.startswith("lambda_") and name not in FIRST_WEIGHTS]
WEIGHTS = [name for name in (*FIRST_WEIGHTS, *NEWER) if name != "lambda_tv"]
STYLE = {"style_network": "vgg16", "lambda_style": 1}


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            ENCODER | {"inpainting": {"overlap_shown": True, "overlap": 8}},
            "inpainting.overlap: leaves no hole: 8 pixels",
        ),
        (
            ENCODER | {"inpainting": {"centre": 0.99, "most_area": 0.999}},
            "inpainting.centre: a square of side 0.99 leaves",
        ),
        (
            ENCODER | {"inpainting": {"centre": 0.03, "least_area": 0.0001}},
            "inpainting.centre: a square of side 0.03 is",
        ),
        (
            {"inpainting": {"hole_weight": 0, "context_weight": 0}},
            "inpainting.hole_weight: no pixel counts in the reconstruction; give hole_weight and context_weight more",
        ),
        (
            ENCODER | {"inpainting": {"hole_weight": 0}},
            "inpainting.hole_weight: no pixel counts in the reconstruction; ",
        ),
        ({"inpainting": {"shapes": "silhouettes"}}, "inpainting.shapes: goes with the mask kind region"),
        (ENCODER | {"inpainting": {"judged_patches": "hole"}}, "inpainting.judged_patches: the context encoder's hole"),
        (
            {"discriminator": "global", "inpainting": {"judged_patches": "hole"}},
            "inpainting.judged_patches: a global discriminator has no patches",
        ),
        (NOTHING, f"{', '.join(WEIGHTS[:-1])} and {WEIGHTS[-1]} are 0; give one"),
        (
            NOTHING | {"lambda_tv": 1},
            f"{', '.join(WEIGHTS[:-1])} and {WEIGHTS[-1]} are 0; lambda_tv alone has no target",
        ),
        ({"lambda_style": 1}, "lambda_style: goes with style_network"),
    ],
)
def test_what_contradicts_itself_is_refused(keys: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TrainingSettings(**keys)
    assert line in first_problem(caught.value, TrainingSettings)
    with pytest.raises(ValidationError) as caught:
        Study(study={"name": "s"}, data={"d": {}}, models={"m": {"data": "d", "training": keys}})
    between = "." if line.startswith(("inpainting", "lambda_style")) else ": "
    assert first_problem(caught.value, Study).startswith(f"models.m.training{between}{line}")


@pytest.mark.parametrize(
    "keys",
    [
        ENCODER | {"inpainting": {"overlap_shown": True, "overlap": 7}},
        ENCODER | {"inpainting": {"centre": 0.9, "most_area": 0.999}},
        ENCODER | {"inpainting": {"context_weight": 0}},
        ENCODER | {"inpainting": {"hole_weight": 0, "overlap": 2}},
        {"image_size": 32, "inpainting": {"centre": 0.03, "least_area": 0.0001}},
        {"image_size": 32, "inpainting": {"centre": 0.01, "least_area": 0.0001, "masks": {"blocks": 1}}},
        {"inpainting": {"hole_weight": 0}},
        {"inpainting": {"hole_weight": 0, "context_weight": 0, "overlap": 2}},
        {"inpainting": {"shapes": "silhouettes", "masks": {"centre": 1, "region": 1}}},
        NOTHING | STYLE,
        NOTHING | STYLE | {"inpainting": {}},
    ],
)
def test_what_can_be_done_is_taken(keys: dict[str, Any]) -> None:
    TrainingSettings(**keys)


def test_a_data_set_is_of_pairs_or_of_photographs() -> None:
    training: dict[str, Any] = {"a": {}, "b": {"inpainting": {}}}
    models = {name: {"data": "d", "training": keys} for name, keys in training.items()}
    with pytest.raises(ValidationError) as caught:
        Study(study={"name": "s"}, data={"d": {}}, models=models)
    assert first_problem(caught.value, Study).startswith("models.b.training.inpainting: ")
    models["b"]["data"] = "e"
    study = Study(study={"name": "s"}, data={"d": {}, "e": {}}, models=models)
    assert [study.has_photographs(dataset) for dataset in "de"] == [False, True]
