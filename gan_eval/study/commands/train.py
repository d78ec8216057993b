"""The commands `train` and `generate`."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gan_eval.base.errors import UserError
from gan_eval.base.locks import refuse_if_held
from gan_eval.base.progress import about
from gan_eval.base.reading import no_folder
from gan_eval.settings.choices import Direction
from gan_eval.settings.sections import check_options
from gan_eval.settings.training import TrainingSettings, joined_splits
from gan_eval.settings.words import as_flag
from gan_eval.study.commands.console import Console, print_next_command
from gan_eval.study.commands.options import (
    DataRoot,
    Out,
    Threads,
    given_options,
    on_command_line,
    parse_pairs,
    refuse_with_study,
    refuse_without_effect,
    values_of_options,
    with_settings,
)

if TYPE_CHECKING:
    from trainer.datasets.presets import Preset
    from trainer.job import TrainingJob


Source = Annotated[
    Path, typer.Argument(metavar="RUN|FILE", help="A run's folder, one of its .safetensors, or a latest_net_G.pth.")
]
LENGTHS = frozenset({"steps", "epochs"})


def picture_size(text: str | None) -> int | Literal["native"] | None:
    """Return the value of the option --image-size: pixels, `native`, or None if it is not given."""
    if text is None or text == "native":
        return "native" if text else None
    if not re.fullmatch("[0-9]{1,9}", text):
        raise UserError(f"--image-size {text}: expected a number of pixels, or native")
    return int(text)


@partial(with_settings, [TrainingSettings])
def train(
    context: typer.Context,
    study: Annotated[Path | None, typer.Argument(help="A study file; or give --data.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The run's folder; rerun the command to resume.")] = None,
    model: Annotated[str | None, typer.Option(help="With a study: the model to train.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with train/: A|B pictures, or photographs.")] = None,
    data_root: DataRoot = None,
    split: Annotated[str | None, typer.Option(help="Training split: train (the default), train+val+test, ...")] = None,
    direction: Annotated[Direction | None, typer.Option(help="AtoB (the default): the input is the left half.")] = None,
    assignments: Annotated[
        list[str],
        typer.Option("--set", metavar="NAME=VALUE", help="Any key of [training] in a study file, repeatable."),
    ] = [],
    init_from: Annotated[
        Path | None, typer.Option("--init-from", metavar="RUN|FILE", help="Start from this trained generator.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="published, pathak, hole_filling, or a name of `gan-eval data list`.")
    ] = None,
    fraction: Annotated[float, typer.Option(help="Share of the planned steps, above 0 up to 1.")] = 1.0,
    checkpoint_every: Annotated[
        int | None, typer.Option(min=1, help="Steps between checkpoints; default: a minute.")
    ] = None,
    keep: Annotated[int, typer.Option(min=1, help="Number of the latest checkpoints to keep.")] = 2,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Threads that prepare batches; the result is the same.")
    ] = None,
    threads: Threads = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only estimate time, memory and disk.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --estimate: print JSON.")] = False,
    **settings: Any,
) -> None:
    """Train a generator on A|B pictures, or to fill holes in photographs."""
    _check_usage(study=study, out=out, data=data, preset=preset, estimate=estimate, as_json=as_json)
    options = given_options(**settings)
    if study is not None:
        refuse_with_study(
            {**options, **given_options(split=split, direction=direction, set=assignments or None)}, study
        )
        job = job_of_study(study, model, data_root, init_from=init_from)
    else:
        refuse_without_effect(context, ["model"], "names a model of a study; add the study file, or remove the option")
        job = job_of_options(options, assignments, data=data, data_root=data_root, direction=direction, preset=preset)
        if job.settings.inpainting is not None:
            refuse_without_effect(context, ["direction"], "holes are filled in photographs, which have no direction")
        elif data is not None:
            why = f"--data {data} names the data's own folder; give one of them"
            refuse_without_effect(context, ["data_root"], why)
    job = replace(
        job,
        split=split or job.split,
        init_from=init_from or job.init_from,
        fraction=fraction,
        keep=keep,
        workers=workers,
        threads=threads,
    )
    if out is None or estimate:
        _print_estimate(job, as_json=as_json)
        return
    from trainer.state.run_folder import run_lock

    refuse_if_held(*run_lock(out))  # before the slow import of torch
    from gan_eval.study.training import train_model

    with Console() as console:
        train_model(
            job,
            out,
            checkpoint_every=checkpoint_every,
            on_progress=about("train", console.progress),
            on_message=console.message,
        )
    _print_generate(job, out)
    typer.echo(out)


def _print_estimate(job: "TrainingJob", *, as_json: bool) -> None:
    from gan_eval.study.training import estimate_model

    with Console() as console:
        estimated = estimate_model(job, on_message=console.message, on_progress=about("estimate", console.progress))
        typer.echo(json.dumps(asdict(estimated)) if as_json else "\n".join(estimated.lines()), err=not as_json)


def _check_usage(
    *, study: Path | None, out: Path | None, data: Path | None, preset: str | None, estimate: bool, as_json: bool
) -> None:
    """Refuse options that miss or contradict each other, before the slow imports."""
    if (study is None) == (data is None and preset is None):
        raise UserError("train: give either a study file with --model, or --data DIR")
    if out is None and not estimate:
        raise UserError("train: --out is missing; name a folder for the run")
    if as_json and not estimate:
        raise UserError("train: --json needs --estimate")
    if data is not None and not data.is_dir():
        raise UserError(no_folder(data, "data folder"))


def _print_generate(job: "TrainingJob", run: Path) -> None:
    """Print the command that makes a stimulus set of a split that was not trained on."""
    from trainer.datasets.pairs import PairedSet
    from trainer.datasets.photographs import PhotographSet

    fills_holes = job.settings.inpainting is not None
    data_set = PhotographSet(job.data) if fills_holes else PairedSet(job.data)
    split = next((name for name in ("test", "val") if data_set.has_split(name)), joined_splits(job.split)[0])
    words = [] if split == "test" else ["--split", split]
    words += ["--data-root", str(job.root)] if fills_holes and job.root != Path() else []
    print_next_command("generate", str(run), "--data", str(job.data), *words, "--out", f"{run}-set")


def job_of_study(
    study: Path, model: str | None, data_root: Path | None, *, init_from: Path | None = None
) -> "TrainingJob":
    """Return the training job of one of a study's models."""
    from gan_eval.settings.study import load_study
    from gan_eval.study.plan import Plan
    from gan_eval.study.training import job_of

    checked = load_study(study)
    if model not in checked.models:
        problem = "is missing" if model is None else repr(model)
        raise UserError(f"train: --model {problem}; the models of {study}: {', '.join(checked.models) or 'none'}")
    other = checked.training_of(model).starts_from
    if init_from is None and other in checked.models:
        raise UserError(f"train: {model} starts from {other}; name its run: --init-from DIR")
    return job_of(Plan(checked, study, Path(), data_root), model, init_from=init_from)


def job_of_options(
    options: Mapping[str, str],
    assignments: Sequence[str] = (),
    *,
    data: Path | None = None,
    data_root: Path | None = None,
    direction: Direction | None = None,
    preset: str | None = None,
) -> "TrainingJob":
    """Return the training job given by options, without a study file.

    Args:
        data: folder of the data set; default: the folder of the preset's name below `data_root`.
        direction: default: the preset's, else AtoB.
        preset: name of a published training, or of a data set with one; `options` and `assignments` override it.
    """
    data_preset, training = _preset(preset)
    assigned = assigned_settings(assignments)
    if twice := sorted(set(options) & set(assigned)):
        raise UserError(f"--set {twice[0]}: there is also {as_flag(twice[0])}; give one of them")
    values = overridden(training, {**values_of_options(TrainingSettings, options), **assigned})
    if not LENGTHS & set(values):
        raise UserError("train: give --steps N or --epochs N")
    folder = data or _folder_of(data_preset, data_root)
    from trainer.job import TrainingJob

    settings = check_options(
        TrainingSettings, values, spelled=lambda name: as_flag(name) if name in options else f"--set {name}"
    )
    root = data_root or Path()
    return TrainingJob(settings, folder, direction or (data_preset.direction if data_preset else "AtoB"), root=root)


def _preset(name: str | None) -> "tuple[Preset | None, Mapping[str, Any]]":
    """Return the data set of a preset, if it is one, and its settings."""
    if name is None:
        return None, {}
    from trainer.datasets.presets import TRAININGS, preset_of

    if name in TRAININGS:
        return None, TRAININGS[name]
    preset = preset_of(name, also=TRAININGS)
    return preset, preset.training()


def overridden(preset: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset's settings with the user's; of a section only the keys that the user gives are replaced.

    A length of the user's replaces the preset's, which may be in the other unit.

    >>> overridden({"epochs": 200, "norm": "batch", "inpainting": {"fill": "noise", "centre": 0.5}},
    ...     {"steps": 8, "inpainting": {"fill": "mean"}})
    {'norm': 'batch', 'inpainting': {'fill': 'mean', 'centre': 0.5}, 'steps': 8}
    """
    merged = {name: value for name, value in preset.items() if not (name in LENGTHS and LENGTHS & set(values))}
    for name, value in values.items():
        earlier = merged.get(name)
        merged[name] = {**earlier, **value} if isinstance(value, dict) and isinstance(earlier, dict) else value
    return merged


def _folder_of(preset: "Preset | None", data_root: Path | None) -> Path:
    """Return the folder of a preset's data set below `data_root`."""
    if preset is None:
        raise UserError("train: --data is missing; name the folder with train/")
    if data_root is None:
        raise UserError(f"train: {preset.name} needs --data-root DIR (or $GAN_EVAL_DATA), or --data DIR")
    return data_root / preset.name


def assigned_settings(assignments: Sequence[str]) -> dict[str, Any]:
    """Return the settings of `--set NAME=VALUE`. The value is TOML; text that is not TOML is taken literally.

    A name such as inpainting.fill is a key of a section.

    >>> assigned_settings(["receptive_field=34", "norm=instance", "snapshots=[0, 10]", "jitter=false"])
    {'receptive_field': 34, 'norm': 'instance', 'snapshots': [0, 10], 'jitter': False}
    >>> assigned_settings(["inpainting.fill=noise", "inpainting.masks={centre = 1}"])
    {'inpainting': {'fill': 'noise', 'masks': {'centre': 1}}}
    """
    values: dict[str, Any] = {}
    for name, text in parse_pairs(assignments, "--set").items():
        section, dot, key = name.strip().partition(".")
        if dot and isinstance(values.setdefault(section, {}), dict):
            values[section][key] = _toml_value(text)
        elif section in values:
            raise UserError(f"--set {section}: both the section and keys of it are given; give one of them")
        else:
            values[section] = _toml_value(text)
    return values


def _toml_value(text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # not TOML, a number with thousands of digits, or nested too deeply
        return text.strip()
    return values["value"] if len(values) == 1 else text


def generate(
    context: typer.Context,
    source: Source,
    data: Annotated[Path, typer.Option(help="Folder with the split's folder (A|B pictures, or photographs).")],
    out: Out,
    split: Annotated[str, typer.Option(help="The split; '.' for the pictures in the data folder itself.")] = "test",
    direction: Annotated[Direction | None, typer.Option(help="Default: the run's; of another program AtoB.")] = None,
    mode: Annotated[
        Literal["train", "eval"] | None, typer.Option(help="BatchNorm and dropout; default: as it was trained.")
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(metavar="N|native", help="Default: the run's; else 256, of a unet_128 128. native: no resizing."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures in a batch.")] = 1,
    no_dropout: Annotated[
        bool, typer.Option("--no-dropout", help="For another program's U-Net that was trained without dropout.")
    ] = False,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of dropout; default: the run's.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data set; default: the folder's.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of the generator; default: the run folder's.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of pictures.")] = None,
    masks: Annotated[Path | None, typer.Option(help="Filling holes: folder of masks to use instead.")] = None,
    mask_seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Random seed for the holes; default: 0.")
    ] = None,
    data_root: DataRoot = None,
    threads: Threads = None,
) -> None:
    """Write a stimulus set: generated pictures with their input and ground truth."""
    from trainer.generate import generate as generate_set

    if on_command_line(context, "data_root"):
        from trainer.model import load_model

        if load_model(source, dropout=not no_dropout).settings.inpainting is None:
            refuse_without_effect(context, ["data_root"], f"--data {data} names the data's own folder; remove it")

    with Console() as console:
        generate_set(
            source,
            data,
            split=split,
            out=out,
            mode=mode,
            root=data_root or Path(),
            masks=masks,
            direction=direction,
            image_size=picture_size(image_size),
            batch_size=batch_size,
            dropout=not no_dropout,
            seed=seed,
            mask_seed=mask_seed,
            dataset=dataset,
            model=model,
            limit=limit,
            threads=threads,
            on_progress=about("generate", console.progress),
            on_message=console.message,
        )
    print_next_command("study", "new", "--stimuli", str(out), "--out", f"{out}-study.toml")
    typer.echo(out)
