"""Options of the command line as the values that functions take."""

from pathlib import Path
from typing import Any, Literal

from gan_eval.errors import UserError


def training_of_study(
    study: Path, model: str | None, data_root: Path | None
) -> tuple[Any, Path, Literal["AtoB", "BtoA"], str]:
    from gan_eval.plan import Plan
    from gan_eval.study import load_study

    checked = load_study(study)
    if model not in checked.models:
        raise UserError(f"train: --model {model or 'is missing'}: known in {study}: {', '.join(checked.models)}")
    plan = Plan(checked, study, Path(), data_root)
    dataset = checked.models[model].data
    data = checked.data[dataset]
    return checked.training_of(model), plan.data_folder(dataset), data.direction, data.train_split


def training_of_options(**options: Any) -> Any:
    from gan_eval.study import TrainingSettings, check_options

    if options["steps"] is None and options["epochs"] is None:
        raise UserError("train: give --steps N or --epochs N")
    return check_options(TrainingSettings, options)


def quiz_of_options(*, exposure_ms: str, keys: str, **options: Any) -> Any:
    from gan_eval.study import QuizSettings, check_options

    exposure: float | str = exposure_ms
    if exposure_ms != "until-answer":
        try:
            exposure = float(exposure_ms)
        except ValueError as error:
            raise UserError(f"--exposure-ms {exposure_ms}: wanted milliseconds or until-answer") from error
    return check_options(QuizSettings, {**options, "exposure_ms": exposure, "keys": pairs(keys.split(","), "--keys")})


def pairs(texts: list[str], option: str) -> dict[str, str]:
    pairs = dict(text.split("=", 1) for text in texts if "=" in text)
    if len(pairs) != len(texts):
        raise UserError(f"{option} {' '.join(texts)}: wanted name=value, each name once")
    return pairs


def metric_inputs(
    sets: list[Path] | None, real: Path | None, fake: Path | None, dataset: str | None, model: str | None
) -> Any:
    from gan_eval.metrics import folder_pair
    from gan_eval.stimuli import read_set

    if bool(sets) == bool(real or fake):
        raise UserError("metrics: give either stimulus sets, or --real DIR and --fake DIR")
    if sets:
        return [read_set(folder) for folder in sets]
    if real is None or fake is None:
        raise UserError("metrics: --real DIR and --fake DIR belong together")
    return [folder_pair(real, fake, dataset=dataset, model=model)]
