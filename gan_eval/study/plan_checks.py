"""What a study names, looked at before anything is trained."""

from collections.abc import Hashable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gan_eval.errors import UserError
from gan_eval.metrics.registry import select
from gan_eval.quiz.simulate import parse_observer
from gan_eval.settings.study import Study
from gan_eval.settings.training import TrainingSettings
from gan_eval.stimuli.sets import read_set
from gan_eval.tables import PARTICIPATION, TRIALS
from gan_eval.tabular import frame_of
from trainer.datasets.layout import VALIDATION_SPLITS

if TYPE_CHECKING:
    from gan_eval.study.plan import Plan


def check_what_comes_late(plan: "Plan") -> None:
    """Find now what would otherwise be found after days of training or after people have sat.

    Raises:
        UserError: data, published tables, imported stimuli, a generator to start from, folders of masks or the
            weights of a style network are not there; a model is tested with pictures that its training or the choice
            of its checkpoint has seen; or a metric, a mode, a rule or a simulated participant is not understood.
    """
    for model, settings in plan.study.models.items():
        for split in (plan.study.data[settings.data].train_split, plan.split(settings.data)):
            plan.pictures(model, split)
    _check_splits(plan)
    for model in plan.study.models:
        training = plan.study.training_of(model)
        if training.validate_every is not None:
            _check_metrics(training.validation_metrics, f"{plan.file}: models.{model}.training.validation_metrics")
        plan.initial_file(model)
        if training.inpainting is not None:
            _check_inpainting(plan, training)
    if plan.simulate is not None:
        parse_observer(plan.simulate)
    plan.published()
    plan.segmenter()
    for name in plan.study.stimuli.sets:
        read_set(plan.file.parent / name)
    if plan.study.metrics.names:
        _check_metrics(plan.study.metrics.names, f"{plan.file}: metrics.names")
    if plan.study.analysis.exclude:
        from gan_eval.stats.compare.outcomes import refuse_outcome_rules
        from gan_eval.stats.rules import exclude

        rules, where = plan.study.analysis.exclude, f"{plan.file}: analysis.exclude"
        exclude(frame_of([], TRIALS), rules, where=where)
        refuse_outcome_rules(rules, frame_of([], TRIALS), where=where)
    if plan.study.analysis.exclude_participants:
        from gan_eval.stats.rules import exclude

        rules = plan.study.analysis.exclude_participants
        exclude(frame_of([], PARTICIPATION), rules, where=f"{plan.file}: analysis.exclude_participants")


def _check_metrics(names: Sequence[str], where: str) -> None:
    try:
        select(names)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def _check_splits(plan: "Plan") -> None:
    """Whether every model is tested with pictures that neither its training nor its validation has seen.

    Raises:
        UserError: they have pictures in common, or there is nothing to validate on where something hangs on it.
    """

    @cache
    def files(dataset: str, split: str) -> dict[Hashable, Path]:
        return {_identity(path): path for path in plan.pictures(plan.study.models_of(dataset)[0], split)}

    for model, settings in plan.study.models.items():
        dataset, split = settings.data, plan.split(settings.data)
        tested = files(dataset, split)
        for one in _lineage(plan.study, model):
            source = plan.study.models[one].data
            own = plan.study.data[source].train_split
            if seen := tested.keys() & files(source, own).keys():
                example = min(tested[key] for key in seen).relative_to(plan.data_folder(dataset))
                place = f"data.{dataset}.train_split" if one == model else f"models.{model}.training.init_from"
                raise UserError(
                    f"{plan.file}: {place}: {one} is trained on {own!r} of {source}, which has {len(seen)} of the "
                    f"pictures of {split!r} of {dataset} that {model} is tested with, such as {example}; name splits "
                    "that have no picture in common"
                )
        if (steered := _steered(plan.study, model)) is None:
            continue
        watched = _validation_split(plan, dataset)
        if watched is None:
            raise UserError(
                f"{plan.file}: {steered}: is decided by validation, for which {dataset} has no pictures; give the data "
                "set a split val"
            )
        if tested.keys() & files(dataset, watched).keys():
            raise UserError(
                f"{plan.file}: {steered}: would be decided on {watched!r} of {dataset}, whose pictures {model} is "
                "tested with; give the data set a split val, and draw stimuli from another (such as test)"
            )


def _validation_split(plan: "Plan", dataset: str) -> str | None:
    """The split that the trainer measures on while it trains."""
    others = [split for split in VALIDATION_SPLITS if split != plan.study.data[dataset].train_split]
    return next((split for split in others if plan.has_split(dataset, split)), None)


def _identity(path: Path) -> Hashable:
    """The file that a path leads to, by whatever name."""
    try:
        status = path.stat()
    except OSError:  # told when it is read
        return path
    return (status.st_dev, status.st_ino) if status.st_ino else path.resolve()


def _lineage(study: Study, model: str) -> Iterator[str]:
    """A model, the study's model that it starts from, the one that that starts from, and so on."""
    while model in study.models:
        yield model
        model = study.training_of(model).init_from


def _steered(study: Study, model: str) -> str | None:
    """The setting by which validation decides on a model, if any."""
    if study.training_of(model).plateau_patience is not None:
        return f"models.{model}.training.plateau_patience"
    return "generate.checkpoint best" if study.generate.checkpoint == "best" else None


def _check_inpainting(plan: "Plan", training: TrainingSettings) -> None:
    """
    Raises:
        UserError: shapes, masks or the weights of the style network are not there, or the generator gives no pictures
            in the mode that stimuli are made in.
    """
    from trainer.style import style_weights
    from trainer.tasks import new_task

    try:
        task = new_task(training, root=plan.data_root or Path())
        if training.inpainting is not None and training.inpainting.style_network != "none":
            style_weights(training.inpainting.style_network)
    except UserError as error:
        raise UserError(f"{plan.file}: {error}") from error
    try:
        task.mode(plan.study.generate.mode)
    except UserError as error:
        raise UserError(f"{plan.file}: generate.{error}") from error
