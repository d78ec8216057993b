"""The study file: one TOML file that describes one experiment, checked with errors that name the field."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_toml
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.choices import Direction, Mode, ResizerName
from gan_eval.settings.design import design_of, keys_of_design
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.sections import (
    SHORT,
    Name,
    NotInDesign,
    Option,
    OptionalPath,
    PathText,
    Section,
    check,
    first_problem,
)
from gan_eval.settings.training import MAX_PICTURES, TrainingSettings, joined_splits
from gan_eval.tables.names import model_name_problem

CheckpointKind = Literal["last", "best"]


class StudySettings(Section):
    """`[study]`: what the experiment is."""

    name: Annotated[Name, SHORT]
    """Name of the study in every table."""
    version: int = Field(default=1, ge=1, le=1_000_000_000)
    """Version of the design; raise it when the design changes after people have judged. Designs are never mixed."""
    title: Annotated[str, NotInDesign("the report's heading")] = ""
    """Title of the report, which participants do not see; default: the name."""
    question: Annotated[str, NotInDesign("a sentence of the report")] = ""
    """The study's question, which the report repeats."""
    seed: Annotated[int, Option("N")] = Field(default=0, ge=0, lt=2**63)
    """Random seed of the draw, of resampling, and of the holes of test pictures."""
    published: Annotated[tuple[PathText, ...], NotInDesign("numbers in the report")] = ()
    """CSV tables of published numbers that the report compares with the run's."""


class DataSettings(Section):
    """`[data.NAME]`: a paired data set, pictures with A (left) and B (right) side by side."""

    folder: Annotated[OptionalPath, SHORT] = ""
    """Folder below the data root; default: the data set's name."""
    direction: Annotated[Direction, SHORT] = "AtoB"
    """AtoB: the left half is the input, the right half the target; BtoA: the reverse."""
    split: OptionalPath = ""
    """Split of the stimuli; default: test, else val."""
    train_split: PathText = "train"
    """Training split. With `train+val+test` no split is held out, and rows of pictures seen in training are marked."""


class ModelSettings(Section):
    """`[models.NAME]`: a generator trained on one data set; training keys here override `[training]`."""

    data: Annotated[Name, SHORT] = Field(examples=["facades"])
    """One of `[data.NAME]`."""
    training: Annotated[dict[str, Any], SHORT] = Field(default={}, examples=[{"lambda_l1": 10.0}])
    """Keys that differ from `[training]`."""


class GenerateSettings(Section):
    """`[generate]`: how the stimuli are made from a trained generator."""

    mode: Mode | None = Field(default=None, examples=["train"])
    """BatchNorm and dropout as in training or in evaluation; default: train, but eval for photographs with BatchNorm
    over the batch."""
    checkpoint: CheckpointKind = "last"
    """The generator that is used: the last, or the best by best_metric."""
    limit: int | None = Field(default=None, ge=1, le=MAX_PICTURES, examples=[200])
    """Maximum number of test items."""


class StimuliSettings(Section):
    """`[stimuli]`: stimulus sets made elsewhere (by `gan-eval stimuli import` or any program)."""

    sets: Annotated[tuple[PathText, ...], SHORT] = ()
    """Folders with a `stimuli.csv`, relative to the study file, shown next to the models' pictures."""
    practice_sets: tuple[PathText, ...] = ()
    """Sets for practice trials; default: items that are not in the participant's list."""
    catch_sets: tuple[PathText, ...] = ()
    """Sets for catch trials: pictures with an obvious truth."""


class MetricsSettings(Section):
    """`[metrics]`: which metrics are computed. Files are relative to the study file."""

    names: Annotated[tuple[str, ...], SHORT] = Field(default=("psnr", "ssim", "niqe", "fid", "kid"), min_length=1)
    """Names of `gan-eval metrics --list`."""
    resizer: ResizerName = "tf1"
    """Resizer to a network's size; part of the definition of FID and KID."""
    resize: bool = False
    """Resize a generated picture to the size of its real one (bicubic)."""
    segmenter: PathText | None = Field(default=None, examples=["palette"])
    """For pixel_accuracy, class_accuracy, class_iou: a network's file, or `palette`."""
    features: dict[Name, PathText] = Field(default={}, examples=[{"dinov2": "dinov2.npz"}])
    """Files of your own features, as `--features`: fid@NAME, ..., all of them unless names has some."""
    networks: dict[Name, PathText] = Field(default={}, examples=[{"clip": "clip.pt"}])
    """Files of your own networks for features, as `--network`."""
    baselines: bool = False
    """Also measure the holes of inpainting models filled without learning: border_mean, harmonic."""


_MAKES_PICTURES = NotInDesign("how pictures are made")


class Study(Section):
    """A whole study file."""

    study: StudySettings
    stimuli: Annotated[StimuliSettings, NotInDesign("where pictures are")] = StimuliSettings()
    data: Annotated[dict[Name, DataSettings], _MAKES_PICTURES] = Field(default={}, examples=["facades"])
    models: Annotated[dict[Name, ModelSettings], _MAKES_PICTURES] = Field(default={}, examples=["pix2pix"])
    training: Annotated[TrainingSettings, _MAKES_PICTURES] = TrainingSettings()
    generate: Annotated[GenerateSettings, _MAKES_PICTURES] = GenerateSettings()
    quiz: QuizSettings = QuizSettings()
    metrics: Annotated[MetricsSettings, NotInDesign("computed without people")] = MetricsSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    power: Annotated[PowerSettings, NotInDesign("before the study")] = PowerSettings()

    @check
    def _models_fit(self) -> Iterator[str]:
        folders: dict[str, str] = {}
        for name, model in self.models.items():
            if problem := model_name_problem(name):
                yield f"models.{name}: {problem}"
            if (other := folders.setdefault(f"{model.data}-{name}", name)) != name:
                yield f"models.{name}: its stimuli would share a folder with {other}'s; rename one"
            if model.data not in self.data:
                data_sets = ", ".join(self.data) or "none"
                yield f"models.{name}.data: no data set {model.data!r} in [data.*] (known: {data_sets})"
            settings, names = self.training_of(name), list(self.models)
            start = settings.starts_from
            if start in names and names.index(start) >= names.index(name):
                key = "init_encoder" if settings.init_encoder else "init_from"
                yield f"models.{name}.training.{key}: {start} has to stand before {name}"
            if self.generate.checkpoint == "best" and settings.validate_every is None:
                yield (
                    f"models.{name}.training.validate_every: is missing; generate.checkpoint best is found by "
                    "validation"
                )

    @check
    def _models_of_a_data_set_agree(self) -> Iterator[str]:
        for dataset in self.data:  # A|B pictures or photographs: its models must agree
            fills = {name: self.training_of(name).inpainting is not None for name in self.models_of(dataset)}
            if len(set(fills.values())) > 1:
                filler = next(name for name, fill in fills.items() if fill)
                other = next(name for name, fill in fills.items() if not fill)
                yield (
                    f"models.{filler}.training.inpainting: fills holes in {dataset}, whose halves {other} translates; "
                    "give one of them another data set"
                )

    def has_photographs(self, dataset: str) -> bool:
        """Return whether a data set holds photographs whose holes are filled, not A|B pictures."""
        return any(self.training_of(name).inpainting is not None for name in self.models_of(dataset)[:1])

    def models_of(self, dataset: str) -> list[str]:
        """Return the models that are trained on a data set."""
        return [name for name, model in self.models.items() if model.data == dataset]

    def training_of(self, model: str) -> TrainingSettings:
        """Return a model's training settings: `[training]` overridden by the model's own keys."""
        changes = self.models[model].training
        shared = self.training.model_dump()
        if isinstance(changes.get("inpainting"), dict) and shared["inpainting"] is not None:
            changes = changes | {"inpainting": shared["inpainting"] | changes["inpainting"]}
        if "epochs" in changes or "steps" in changes:
            shared |= {"epochs": None, "steps": None}
        try:
            return TrainingSettings(**(shared | changes))
        except ValidationError as error:
            raise ValueError(first_problem(error, TrainingSettings, prefix=f"models.{model}.training.")) from error

    def split_candidates(self, dataset: str) -> tuple[str, ...]:
        """Return the splits from which stimuli may come, best first."""
        split = self.data[dataset].split
        return (split,) if split else ("test", "val")

    def tests_on_seen(self, dataset: str) -> bool:
        """Return whether the training splits include the first split for stimuli."""
        trained = joined_splits(self.data[dataset].train_split)
        return len(trained) > 1 and self.split_candidates(dataset)[0] in trained

    @property
    def design(self) -> dict[str, Any]:
        """The part of the design that the study file decides: everything except the pictures."""
        return {name: design_of(getattr(self, name)) for name in keys_of_design(type(self))}

    @property
    def design_hash(self) -> str:
        """SHA-256 over the design without its pictures; see `gan_eval.settings.design`."""
        return sha256_json(self.design)

    @property
    def analysis_hash(self) -> str:
        """SHA-256 over the plan of the analysis."""
        return sha256_json(self.model_dump(mode="json", include={"analysis", "metrics"}))


PUBLISHED = Path(sys.prefix) / "share" / "gan-eval" / "studies"
"""Folder of the published studies' files where the package is installed."""


def load_study(path: Path, *, only_plan: bool = False) -> Study:
    """Read and check a study file.

    Args:
        only_plan: it need not say where stimuli come from: its `[analysis]` is for existing trials.

    Raises:
        UserError: no such file, not TOML, or a field is not what it must be; the message names file and field.
    """
    if not path.exists() and (shipped := PUBLISHED / path.name).is_file():
        raise UserError(f"{path}: no such file; the published study of this name is {shipped}")
    values = read_toml(path, what="study file")
    try:
        study = Study(**values)
    except ValidationError as error:
        raise UserError(f"{path}: {first_problem(error, Study)}") from error
    if not (only_plan or study.models or study.stimuli.sets):
        raise UserError(f"{path}: a study needs a [models.NAME] section or stimuli.sets")
    return study
