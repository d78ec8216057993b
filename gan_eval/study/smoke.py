"""A study as a smoke test: every stage is touched, with few steps, pictures and channels."""

from typing import Any

from gan_eval.settings.study import Study

SMOKE_STEPS = 6
SMOKE_ITEMS = 8
SMOKE_BATCH = 2
SMOKE_BOTTLENECK = 64


def shrink(study: Study) -> Study:
    """The study as a smoke test: every stage, few pictures and channels; pictures keep their size for NIQE.

    The training plan stays: that only `SMOKE_STEPS` of it are made is told by the fraction in every table.
    """
    models = {
        name: model.model_copy(update={"training": {**model.training, **_few(study, name)}})
        for name, model in study.models.items()
    }
    quiz = study.quiz.model_copy(
        update={
            "real": min(study.quiz.real, SMOKE_ITEMS // 2),
            "fake": min(study.quiz.fake, SMOKE_ITEMS // 2),
            "participants": min(study.quiz.participants, 3),
            "strict_counts": False,
        }
    )
    generate = study.generate.model_copy(update={"limit": SMOKE_ITEMS})
    return study.model_copy(update={"models": models, "quiz": quiz, "generate": generate})


def _few(study: Study, model: str) -> dict[str, Any]:
    """What makes a model's networks and batches small.

    A context encoder keeps its batch: of an epoch's last one more than one picture has to be left. A generator from
    elsewhere, with more channels, is not started from.
    """
    settings = study.training_of(model)
    few: dict[str, Any] = {"generator_channels": 8, "discriminator_channels": 8, "validation_pairs": 2}
    few["bottleneck"] = min(settings.bottleneck, SMOKE_BOTTLENECK)
    if settings.generator != "context_encoder":
        few["batch_size"] = min(settings.batch_size, SMOKE_BATCH)
    if settings.init_from not in study.models:
        few["init_from"] = ""
    return few
