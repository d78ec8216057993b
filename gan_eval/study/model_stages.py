"""The stages of a study's models: train, generate, and when each model's training stopped improving."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval import tables, tabular
from gan_eval.files import sha256_file
from gan_eval.settings.study import CheckpointKind
from gan_eval.study.markers import Listener, Stage, hash_result
from gan_eval.study.plan import Plan

if TYPE_CHECKING:
    from trainer.tasks import Task

GENERATORS: dict[CheckpointKind, str] = {"last": "generator.safetensors", "best": "best.safetensors"}
"""The files of a run that stimuli are made with."""


def train_stage(plan: Plan, model: str) -> Stage:
    """One model's training."""
    study, dataset = plan.study, plan.study.models[model].data
    data, settings = study.data[dataset], study.training_of(model)
    out = plan.model_folder(model)
    fraction = plan.training_fraction(model)
    initial = settings.init_from if settings.init_from in study.models else None

    def work(listener: Listener) -> bool:
        from gan_eval.training import train_model

        what = f"train {model}"
        train_model(
            settings,
            plan.data_folder(dataset),
            out,
            direction=data.direction,
            root=plan.data_root or Path(),
            init_from=plan.initial_file(model),
            fraction=fraction,
            split=data.train_split,
            on_progress=lambda done, total, terms: listener.progress(what, done, total, _terms(terms)),
            on_message=listener.message,
        )
        return True

    def inputs() -> Mapping[str, str]:
        found = _picture_hashes(plan.pictures(model, data.train_split), plan.data_folder(dataset))
        if (start := plan.initial_file(model)) is not None:
            found["initial"] = hash_result(start, f"train-{initial}" if initial else "train")
        return found if settings.inpainting is None else found | _task_hashes(_task(plan, model).definition())

    return Stage(
        name=f"train-{model}",
        settings={
            "training": settings.model_dump(mode="json", exclude_defaults=True),
            "direction": data.direction,
            "split": data.train_split,
            "fraction": fraction,
        },
        inputs=inputs,
        outputs=(out,),
        work=work,
        needs=() if initial is None else (f"train-{initial}",),
    )


def generate_stage(plan: Plan, model: str) -> Stage:
    """One model's stimuli."""
    study, dataset = plan.study, plan.study.models[model].data
    out = plan.stimuli_folder(model)
    file = plan.model_folder(model) / GENERATORS[study.generate.checkpoint]
    mask_seed = None if study.training_of(model).inpainting is None else study.study.seed
    holes = {} if mask_seed is None else {"mask_seed": mask_seed}

    def work(listener: Listener) -> bool:
        from trainer.generate import generate

        generate(
            file,
            plan.data_folder(dataset),
            split=plan.split(dataset),
            out=out,
            mode=study.generate.mode,
            limit=study.generate.limit,
            root=plan.data_root or Path(),
            dataset=dataset,
            model=model,
            mask_seed=mask_seed,
            on_progress=lambda done, total: listener.progress(f"generate {model}", done, total),
            on_message=listener.message,
        )
        return True

    def inputs() -> Mapping[str, str]:
        pictures = _picture_hashes(plan.pictures(model, plan.split(dataset)), plan.data_folder(dataset))
        found = {**pictures, "generator": hash_result(file, f"train-{model}")}
        if study.training_of(model).inpainting is None:
            return found
        return found | _task_hashes(_task(plan, model).conditions())

    return Stage(
        name=f"generate-{model}",
        settings={"generate": study.generate.model_dump(mode="json"), "split": plan.split(dataset), **holes},
        inputs=inputs,
        outputs=(out,),
        work=work,
        needs=(f"train-{model}",),
    )


def training_stage(plan: Plan) -> Stage:
    """When each model's validation metrics stopped improving."""
    out = plan.folder / "tables" / "plateaus.csv"
    files = {model: plan.model_folder(model) / "validation.csv" for model in plan.study.models}

    def work(_: Listener) -> bool:
        from gan_eval.report.training.section import study_plateaus

        found = {name: tabular.read_table(file, tables.VALIDATION) for name, file in files.items() if file.is_file()}
        tabular.write_table(study_plateaus(found, plan.study), out, tables.PLATEAUS)
        return True

    return Stage(
        name="training",
        settings={},
        inputs=lambda: {model: sha256_file(file) for model, file in files.items() if file.is_file()},
        outputs=(out,),
        work=work,
        derives=True,
        needs=tuple(f"train-{model}" for model in plan.study.models),
    )


def _picture_hashes(pictures: list[Path], folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in pictures}


def _task(plan: Plan, model: str) -> "Task":
    """What a model that fills holes learns, with its shapes and masks.

    Raises:
        UserError: a folder of shapes or masks is not there.
    """
    from trainer.tasks import new_task

    return new_task(plan.study.training_of(model), root=plan.data_root or Path())


def _task_hashes(values: Mapping[str, Any]) -> dict[str, str]:
    """The files that a task reads beside its pictures: shapes and masks, the weights of a style network."""
    return {name: str(value) for name, value in values.items()}


def _terms(terms: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in terms.items())
