"""A study's plan: its output paths, the checks before anything is trained, and the same study as a smoke test."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.digests import restore_digests, sha256_file
from gan_eval.base.errors import UserError, naming
from gan_eval.base.output_folders import STORE, claim_output_folder, is_study_folder, relative_path
from gan_eval.base.reading import no_folder, read_bytes
from gan_eval.base.record import FolderRecord, read_record
from gan_eval.metrics.catalogue import select
from gan_eval.pictures.decode import list_pictures
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.draw.offers import require_captions
from gan_eval.quiz.simulate import parse_observer
from gan_eval.quiz.wording import require_language
from gan_eval.settings.run_record import RECORD, read_run_record, run_command
from gan_eval.settings.study import MetricsSettings, Study, load_study
from gan_eval.settings.training import joined_splits
from gan_eval.study.markers import DIGESTS
from gan_eval.tables import PARTICIPANTS, PARTICIPATION, TRIALS
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.names import RAW
from trainer.datasets.dataset import VALIDATION_SPLITS
from trainer.datasets.photographs import PhotographSet
from trainer.datasets.presets import PRESETS
from trainer.state.run_folder import generator_file

if TYPE_CHECKING:
    from gan_eval.base.parallel import RunTasks
    from trainer.tasks.task import Task


@dataclass(frozen=True)
class Plan:
    """A study's settings, its output folder, and options of this run."""

    study: Study
    file: Path
    """The study file."""
    folder: Path
    data_root: Path | None
    fraction: float = 1.0
    smoke: bool = False
    simulate: str | None = None
    """Simulated participant of a rehearsal; None: people take part."""
    threads: int | None = None
    """Number of CPU threads for training, generation and metrics; None: their defaults."""
    run_tasks: "RunTasks | None" = None
    """Function that gives pictures to other processes, which measure them; None: this process does."""
    text: bytes | None = None
    """The study file as it was when the run began; None: it is read where it is needed."""

    def command(self, *more: str) -> str:
        """Return the command that continues the study as it was begun; `more` words follow."""
        people = ["--simulate", self.simulate] if self.simulate and not self.smoke else []
        return run_command(
            self.file, self.folder, *people, *more, data_root=self.data_root, fraction=self.fraction, smoke=self.smoke
        )

    @property
    def store(self) -> Path:
        """The default results store."""
        return self.folder / STORE

    def model_folder(self, model: str) -> Path:
        """Return the folder in which a model is trained."""
        return self.folder / "models" / model

    def stimuli_folder(self, model: str) -> Path:
        """Return the folder of a model's stimuli."""
        return self.folder / "stimuli" / f"{self.study.models[model].data}-{model}"

    def stimulus_folders(self) -> dict[str, Path]:
        """Return the folders of all stimulus sets of the study, its own and imported ones, by name."""
        generated = {self.stimuli_folder(model).name: self.stimuli_folder(model) for model in self.study.models}
        return generated | {name: self.file.parent / name for name in self.study.stimuli.sets}

    def training_fraction(self, model: str) -> float:
        """Return a model's share of the planned training steps: the plan's fraction, or that of `SMOKE_STEPS`."""
        if not self.smoke:
            return self.fraction
        settings, data = self.study.training_of(model), self.study.data[self.study.models[model].data]
        pictures = self.pictures(model, data.train_split)
        return min(1.0, SMOKE_STEPS / settings.planned_steps(len(pictures[: settings.max_pairs])))

    def measured_folders(self) -> dict[str, Path]:
        """Return the sets to measure: those that are shown, and the raw outputs of generators that fill holes."""
        presented = self.stimulus_folders()
        raw = {f"{name}/{RAW}": folder / RAW for name, folder in presented.items() if (folder / RAW).is_dir()}
        return presented | raw

    def pictures(self, model: str, split: str) -> list[Path]:
        """Return the pictures of one or several joined splits: A|B pictures, or photographs to fill holes in."""
        folder = self.data_folder(self.study.models[model].data)
        if self.study.training_of(model).inpainting is None:
            return [path for name in joined_splits(split) for path in list_pictures(folder / name)]

        return PhotographSet(folder).training_paths(split)

    def task(self, model: str) -> "Task":
        """Return what the trainer does for a model: the holes that it fills, its style network."""
        from trainer.tasks import new_task

        return new_task(self.study.training_of(model), root=self.data_root or Path())

    def initial_file(self, model: str) -> Path | None:
        """Return the trained generator, or encoder, that a model starts from; None: random weights."""
        name = self.study.training_of(model).starts_from
        if not name:
            return None
        if name in self.study.models:
            return self.model_folder(name) / "generator.safetensors"

        return generator_file(self.file.parent / name)

    def published(self) -> dict[str, Path]:
        """Return the published tables that the study names."""
        return {name: self._named_file("study.published", name) for name in self.study.study.published}

    def segmenter(self) -> Path | None:
        """Return the segmenter that the study names, or the word `palette`."""
        name = self.study.metrics.segmenter
        if name is None or name == "palette":
            return None if name is None else Path(name)
        return self._named_file("metrics.segmenter", name)

    def sources(self) -> tuple[dict[str, Path], dict[str, Path]]:
        """Return the features, and networks for features, that the study names."""
        section = self.study.metrics
        features, networks = (
            {name: self._named_file(f"metrics.{key}.{name}", file) for name, file in files.items()}
            for key, files in (("features", section.features), ("networks", section.networks))
        )
        return features, networks

    def _named_file(self, key: str, name: str) -> Path:
        """Return a file that the study names relative to the study file."""
        path = self.file.parent / name
        if not path.is_file():
            raise UserError(f"{self.file}: {key}: no such file {name}; name it relative to the study file")
        return path

    def data_folder(self, dataset: str) -> Path:
        """Return the folder of a data set below the data root."""
        if self.data_root is None:
            raise UserError("no data root: give --data-root DIR (or set GAN_EVAL_DATA) with the data sets' folders")
        folders = {name: self.data_root / (data.folder or name) for name, data in self.study.data.items()}
        if not folders[dataset].is_dir():
            missing = {folder: name for name, folder in folders.items() if not folder.is_dir()}
            others = ", ".join(f"{name} ({folder})" for folder, name in missing.items() if folder != folders[dataset])
            raise UserError(
                f"{no_folder(folders[dataset])}; the data set {dataset} is expected there (--data-root)"
                + (f", and so are {others}" if others else "")
                + "".join(map(way_to_get, missing))
            )
        return folders[dataset]

    def split(self, dataset: str) -> str:
        """Return the split that stimuli come from: test, else val."""
        candidates = self.study.split_candidates(dataset)
        for split in candidates:
            if self.has_split(dataset, split):
                return split
        raise UserError(f"{self.data_folder(dataset)}: no split {' or '.join(candidates)} to draw stimuli from")

    def has_split(self, dataset: str, split: str) -> bool:
        """Return whether a data set has this split."""
        folder = self.data_folder(dataset)
        if not self.study.has_photographs(dataset):
            return (folder / split).is_dir()

        return PhotographSet(folder).has_split(split)


def way_to_get(folder: Path) -> str:
    """Return how to get the data set that is missing in this folder, to put after a message; empty without a preset."""
    preset = PRESETS.get(folder.name)
    if preset is None:
        return ""
    if preset.url is None:
        return f"; `gan-eval data list` says where {preset.name} comes from"
    fetch = shlex.join(["gan-eval", "data", "fetch", preset.name, "--out", str(folder)])
    return f"; `{fetch}` downloads it ({preset.archive_note})"


def metrics_for(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the section `metrics` of a new study with these pictures; empty for the default.

    Without partners, the metrics that need a reference are left out.
    """
    if any(row["reference_file"] for row in rows if row["kind"] == "fake") or not rows:
        return {}
    return {"metrics": {"names": [each.name for each in select(MetricsSettings().names) if each.kind != "pair"]}}


def make_plan(
    file: Path,
    folder: Path,
    *,
    data_root: Path | None = None,
    fraction: float = 1.0,
    smoke: bool = False,
    simulate: str | None = None,
    redo: bool = False,
    threads: int | None = None,
) -> Plan:
    """Read a study, check the files that it names, and claim its folder.

    Args:
        simulate: rehearse with this simulated participant; default: people take part, except in a smoke run.
        redo: results will be moved aside, so the folder may have been made with another fraction.

    Raises:
        UserError: the study file is invalid or names a missing file, the fraction is not in (0, 1], or the folder is
            not gan_eval's or was made with other options.
    """
    if not 0 < fraction <= 1:
        raise UserError(f"--fraction {fraction}: expected a share above 0 and at most 1, such as 0.1")
    study, text = load_study(file), read_bytes(file)
    if smoke:
        study = shrink(study)
    simulate = "default" if smoke and simulate is None else simulate
    plan = Plan(
        study, Path(file), Path(folder), data_root, fraction=fraction, smoke=smoke, simulate=simulate, threads=threads,
        text=text,
    )  # fmt: skip
    restore_digests(plan.folder / OWN_FOLDER / DIGESTS)
    check_plan(plan)
    claim_output_folder(plan.folder, private=True)
    _record(plan, redo=redo)
    return plan


def open_plan(file: Path | None, folder: Path) -> Plan:
    """Return the plan of a study folder that `run` has made, with its fraction and smoke setting.

    Raises:
        UserError: the folder was not made by `run`, or by another study; or the study file is missing.
    """
    folder = Path(folder)
    if not is_study_folder(folder):
        command = run_command(file or Path("STUDY.toml"), folder)
        raise UserError(f"{folder}: not a study's folder; make it with: {command}")
    made = read_run_record(folder)
    file = file or made["file"]
    study = load_study(file)
    if made["study"] != study.study.name:
        raise UserError(f"{folder}: made by the study {made['study']!r}, not {study.study.name!r}; name its own folder")
    if made["smoke"]:
        study = shrink(study)
    return Plan(study, Path(file), folder, made.get("data_root"), fraction=made["fraction"], smoke=made["smoke"])


def plan_of_file(file: Path, folder: Path) -> Plan:
    """Return the plan of a study file without writing anything; `folder` need not exist if no model is trained."""
    study = load_study(file)
    made = study.models or is_study_folder(folder)
    return open_plan(file, folder) if made else Plan(study, Path(file), folder, None)


def _record(plan: Plan, *, redo: bool) -> None:
    """Record in the folder how the study is run; a folder belongs to one study and one fraction, smoke or not."""
    file, of_study = plan.folder / OWN_FOLDER / RECORD, {"study": plan.study.study.name}
    record = FolderRecord(file, {**of_study, "fraction": float(plan.fraction), "smoke": plan.smoke})
    if not file.is_file() and any((file.parent / f"{name}.set.json").is_file() for name in ("analysis", "metrics")):
        raise UserError(f"--out {plan.folder}: a report would mix its tables with the study's; name another folder")
    earlier = read_run_record(plan.folder)
    FolderRecord(file, of_study).require_same("name another folder")
    if not redo:
        record.require_same("give the same again, or --redo train to move the old results aside, or another --out")
    facts = {"file": f"{relative_path(plan.file.parent, plan.folder)}/{plan.file.name}"}  # the file may be a link
    if data_root := plan.data_root or earlier.get("data_root"):
        facts["data_root"] = relative_path(data_root, plan.folder)
    if read_record(file) != {**record.made, **facts}:  # the same command again changes nothing
        record.write(**facts)


SMOKE_STEPS = 6
SMOKE_ITEMS = 8


def shrink(study: Study) -> Study:
    """Return the study as a smoke test: every stage, few pictures and channels; pictures keep their size for NIQE.

    The training plan is unchanged; `SMOKE_STEPS` as a share of it is the fraction in every table.
    """
    models = {}
    for name, model in study.models.items():
        settings = study.training_of(name)
        few: dict[str, Any] = {"generator_channels": 8, "discriminator_channels": 8, "validation_pairs": 2}
        few["bottleneck"] = min(settings.bottleneck, 64)
        if settings.generator != "context_encoder":  # the last batch of an epoch needs more than one
            few["batch_size"] = min(settings.batch_size, 2)
        if settings.starts_from not in study.models:  # a generator from elsewhere has more channels
            few["init_from"] = few["init_encoder"] = ""
        models[name] = model.model_copy(update={"training": {**model.training, **few}})
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


def check_plan(plan: Plan) -> None:
    """Check now what would otherwise fail after days of training or after sessions.

    Raises:
        UserError: data, published tables, imported stimuli, a generator to start from, folders of masks or the
            weights of a style network are missing; a model is tested with pictures of its training or of the choice
            of its checkpoint; catch trials have no sets; or a metric, mode, rule, covariate, allowed clue, the quiz's
            language or the simulated participant is unknown.
    """
    for dataset in dict.fromkeys(model.data for model in plan.study.models.values()):
        for split in (plan.study.data[dataset].train_split, plan.split(dataset)):
            plan.pictures(plan.study.models_of(dataset)[0], split)
    _check_splits(plan)
    for model in plan.study.models:
        _check_training(plan, model)
    if plan.simulate is not None:
        parse_observer(plan.simulate)
    if published := plan.published():
        from gan_eval.report.people.published import require_published

        for file in published.values():
            with naming(f"{plan.file}: study.published: "):
                require_published(file)
    plan.segmenter()
    check_sets(plan)
    require_language(plan.study.quiz.language, named=f"{plan.file}: quiz.language")
    features, networks = plan.sources()
    if both := features.keys() & networks.keys():
        raise UserError(f"{plan.file}: metrics.features and metrics.networks both name {min(both)!r}; rename one")
    with naming(f"{plan.file}: metrics.names: "):
        select(plan.study.metrics.names, (*features, *networks), own=False)
    check_analysis(plan)


def _check_training(plan: Plan, model: str) -> None:
    """Check a model's validation metrics, its start, its holes and its style network, without training."""
    training = plan.study.training_of(model)
    if training.validate_every is not None:
        with naming(f"{plan.file}: models.{model}.training.validation_metrics: "):
            select(training.validation_metrics, own=False)
    start = plan.initial_file(model)
    if training.inpainting is None and training.style_network == "none":
        return
    from trainer.loop.initial_weights import load_encoder
    from trainer.style import style_weights

    with naming(f"{plan.file}: "):
        task = plan.task(model)
        if training.style_network != "none":
            style_weights(training.style_network)
        if training.init_encoder and training.init_encoder not in plan.study.models and start is not None:
            load_encoder(start, training)
    with naming(f"{plan.file}: generate."):
        task.mode(plan.study.generate.mode)


def check_sets(plan: Plan) -> None:
    """Check that imported sets can be read, shown ones have captions and the plan's models, and catch trials sets."""
    stimuli, quiz, shown = plan.study.stimuli, plan.study.quiz, list[Row]()
    for key in ("sets", "practice_sets", "catch_sets"):
        for name in getattr(stimuli, key):
            with naming(f"{plan.file}: stimuli.{key}: "):
                rows = read_set(plan.file.parent / name, hash_files=False).rows  # `require_shown_pictures` hashes
            shown += rows if key == "sets" else ()
    if quiz.show_caption:  # models of the study make none
        with naming(f"{plan.file}: "):
            require_captions(shown, quiz)
    _check_compared(plan, shown)
    if quiz.catch and not stimuli.catch_sets:
        raise UserError(
            f"{plan.file}: quiz.catch = {quiz.catch}: there are no sets for catch trials; name some in "
            "stimuli.catch_sets, or make it 0"
        )


def _check_compared(plan: Plan, shown: Sequence[Row]) -> None:
    """Refuse a comparison with a model that the study neither trains nor shows."""
    models = {*plan.study.models, *(row["model"] for row in shown if row["kind"] == "fake")}
    if unknown := {name for pair in plan.study.analysis.comparisons or () for name in pair} - models:
        raise UserError(
            f"{plan.file}: analysis.comparisons: no model {min(unknown)!r}; the study has {', '.join(sorted(models))}"
        )


def check_analysis(plan: Plan) -> None:
    """Check the level, covariates and rules of exclusion on tables without rows."""
    analysis = plan.study.analysis
    if (level := TRIALS.by_name.get(analysis.level)) is None or not level.is_number:
        numbers = ", ".join(column.name for column in TRIALS.columns if column.is_number)
        raise UserError(
            f"{plan.file}: analysis.level: {analysis.level} is not a column of numbers of the trials; they have "
            f"{numbers}"
        )
    if analysis.covariates:
        from gan_eval.stats.mixed.models import with_covariates

        asked = [
            {"session": "none", "participant": "none", "question": question.id, "simulated": True}
            for question in plan.study.quiz.questions
        ]
        with naming(f"{plan.file}: "):
            with_covariates(frame_of([], TRIALS), analysis.covariates, frame_of(asked, PARTICIPANTS))
    if analysis.exclude or analysis.exclude_participants:
        from gan_eval.judgements.rules import rows_fulfilling
        from gan_eval.stats.tables.robustness import refuse_outcome_rules

        where = f"{plan.file}: analysis.exclude"
        rows_fulfilling(frame_of([], TRIALS), analysis.exclude, where=where)
        refuse_outcome_rules(analysis.exclude, where=where)
        rows_fulfilling(frame_of([], PARTICIPATION), analysis.exclude_participants, where=f"{where}_participants")


def _check_splits(plan: Plan) -> None:
    """Refuse a model that is tested with pictures of its training or validation, or copies of them, unless the study
    file joins the tested split into the training itself.
    """

    @cache
    def digests(dataset: str, split: str) -> dict[str, Path]:
        return {sha256_file(path): path for path in plan.pictures(plan.study.models_of(dataset)[0], split)}

    study = plan.study
    for model, settings in study.models.items():
        dataset, split = settings.data, plan.split(settings.data)
        _refuse_trained_on(plan, model, split, digests)
        steered = _steered_by_validation(study, model)
        if not steered:
            continue
        others = [other for other in VALIDATION_SPLITS if other != study.data[dataset].train_split]
        watched = next((other for other in others if plan.has_split(dataset, other)), None)
        if watched is None or digests(dataset, split).keys() & digests(dataset, watched):
            raise UserError(
                f"{plan.file}: {steered}: is decided by validation, for which {dataset} has no pictures that {model} "
                "is not tested with; give the data set a split val, and draw stimuli from another (such as test)"
            )


def _refuse_trained_on(plan: Plan, model: str, split: str, digests: Callable[[str, str], Mapping[str, Path]]) -> None:
    """Refuse a split that the model, or a model of the study that it starts from, is trained on."""
    study = plan.study
    dataset, ancestor = study.models[model].data, model
    tested = digests(dataset, split)
    while ancestor in study.models:
        source = study.models[ancestor].data
        own = study.data[source].train_split
        if len(joined := joined_splits(own)) > 1 and source == dataset and split in joined:
            pass  # the study file holds no picture out
        elif seen := tested.keys() & digests(source, own):
            example = min(tested[digest] for digest in seen).relative_to(plan.data_folder(dataset))
            start = "init_encoder" if study.training_of(model).init_encoder else "init_from"
            key = f"data.{dataset}.train_split" if ancestor == model else f"models.{model}.training.{start}"
            raise UserError(
                f"{plan.file}: {key}: {ancestor} is trained on {own!r} of {source}, which has {len(seen)} of the "
                f"pictures of {split!r} of {dataset} that {model} is tested with, such as {example}; name splits "
                "that have no picture in common"
            )
        ancestor = study.training_of(ancestor).starts_from


def _steered_by_validation(study: Study, model: str) -> str:
    """Return the setting by which validation decides about a model's weights; empty: none."""
    if study.training_of(model).plateau_patience is not None:
        return f"models.{model}.training.plateau_patience"
    return "generate.checkpoint best" if study.generate.checkpoint == "best" else ""
