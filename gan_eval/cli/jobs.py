"""The training that `train` runs: of a study's model, or from options, `--set` and a preset."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.cli.options import pairs
from gan_eval.errors import UserError
from gan_eval.settings.sections import as_flag, check_options
from gan_eval.settings.training import Direction, TrainingSettings
from trainer.job import TrainingJob

if TYPE_CHECKING:
    from trainer.datasets.presets import Preset

LENGTHS = frozenset({"steps", "epochs"})
OPTIONS = LENGTHS | {
    "image_size", "batch_size", "learning_rate", "lambda_l1", "generator", "norm", "precision", "seed", "init_from",
    "init_encoder",
}  # fmt: skip
"""Settings that have an option of their own; the others are given by `--set`."""


def job_of_study(
    study: Path,
    model: str | None,
    data_root: Path | None,
    *,
    init_from: Path | None = None,
    init_encoder: Path | None = None,
) -> TrainingJob:
    """The training of one of a study's models.

    Args:
        init_from: the run of the model that this one starts from.
        init_encoder: the run of the model whose encoder it starts with.

    Raises:
        UserError: the study is bad, has no such model, or its data or the run that it starts from are not there.
    """
    from gan_eval.settings.study import load_study
    from gan_eval.study.plan import Plan

    checked = load_study(study)
    if model not in checked.models:
        problem = "is missing" if model is None else repr(model)
        raise UserError(f"train: --model {problem}; the models of {study}: {', '.join(checked.models) or 'none'}")
    dataset = checked.models[model].data
    data = checked.data[dataset]
    plan = Plan(checked, study, Path(), data_root)
    settings = checked.training_of(model)
    if init_from is None and init_encoder is None:
        if settings.starts_from in checked.models:
            flag = "--init-encoder" if settings.init_encoder else "--init-from"
            raise UserError(f"train: {model} starts from {settings.starts_from}; name its run: {flag} DIR")
        if settings.init_encoder:
            init_encoder = plan.initial_file(model)
        else:
            init_from = plan.initial_file(model)
    return TrainingJob(
        settings,
        plan.data_folder(dataset),
        data.direction,
        data.train_split,
        data_root or Path(),
        init_from,
        init_encoder,
        uses_best=checked.generate.checkpoint == "best",
    )


def preset_training(preset: str | None) -> "tuple[Preset | None, Mapping[str, Any]]":
    """Return what `--preset` names: a data set, where it is one, and the settings of a training.

    Raises:
        UserError: the preset is unknown.
    """
    if preset is None:
        return None, {}
    from trainer.datasets.presets import TRAININGS, preset_of

    if preset in TRAININGS:
        return None, TRAININGS[preset]
    known = preset_of(preset, also=TRAININGS)
    return known, known.training()


def job_of_options(
    options: Mapping[str, Any],
    assignments: Sequence[str] = (),
    *,
    data: Path | None = None,
    data_root: Path | None = None,
    direction: Direction | None = None,
    preset: str | None = None,
) -> TrainingJob:
    """The training that options without a study file ask for.

    Args:
        options: settings that have an option of their own.
        assignments: `NAME=VALUE` texts of `--set`, for any setting.
        data: default: the preset's name below `data_root`.
        direction: default: the preset's, else AtoB.
        preset: the name of a training, or of a data set whose training is known; options override what it says.

    Raises:
        UserError: a value is not what it must be, a setting is given twice, or data or length are missing.
    """
    known, training = preset_training(preset)
    assigned = assigned_settings(assignments)
    if twice := sorted(set(options) & set(assigned)):
        raise UserError(f"--set {twice[0]}: there is also {as_flag(twice[0])}; give one of them")
    values = {**options, **assigned}
    hidden = LENGTHS if LENGTHS & set(values) else set()  # their epochs would contradict the user's steps
    known_values = {name: value for name, value in training.items() if name not in hidden}
    sections = {  # of which only the keys that the user gives are replaced
        name: {**known_values[name], **value}
        for name, value in values.items()
        if isinstance(value, dict) and isinstance(known_values.get(name), dict)
    }
    values = {**known_values, **values, **sections}
    if set(values) >= LENGTHS:
        raise UserError("train: give --steps or --epochs, not both")
    if not LENGTHS & set(values):
        raise UserError("train: give --steps N or --epochs N")
    if data is None and known is not None and data_root is not None:
        data = data_root / known.name
    if data is None:
        if known is not None:
            raise UserError(f"train: where is {known.name}? give --data-root DIR (or $GAN_EVAL_DATA), or --data DIR")
        raise UserError("train: --data is missing; name the folder with train/")
    settings = check_options(
        TrainingSettings,
        values,
        spelled=lambda name: as_flag(name) if name in OPTIONS and name not in assigned else f"--set {name}",
    )
    root = data_root or Path()
    return TrainingJob(settings, data, direction or (known.direction if known else "AtoB"), root=root)


def assigned_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """The settings of `--set NAME=VALUE`: the value is TOML; text that is not TOML is taken literally.

    A name such as inpainting.fill is a key of a section.

    >>> assigned_settings(["receptive_field=34", "norm=instance", "snapshots=[0, 10]", "jitter=false"])
    {'receptive_field': 34, 'norm': 'instance', 'snapshots': [0, 10], 'jitter': False}
    >>> assigned_settings(["inpainting.fill=noise", "inpainting.masks={centre = 1}"])
    {'inpainting': {'fill': 'noise', 'masks': {'centre': 1}}}

    Raises:
        UserError: a text is not of that form, or a name stands twice.
    """
    values: dict[str, Any] = {}
    for name, text in pairs(assignments, "--set").items():
        section, dot, key = name.strip().partition(".")
        if dot and isinstance(values.setdefault(section, {}), dict):
            values[section][key] = _toml_value(text)
        elif section in values:
            raise UserError(f"--set {section}: is given whole and in parts; give it in one way")
        else:
            values[section] = _toml_value(text)
    return values


def _toml_value(text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # no TOML, a number of thousands of digits, or nested too deeply
        return text.strip()
    return values["value"] if len(values) == 1 else text
