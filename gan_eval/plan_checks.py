"""What a study names, looked at before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING

from gan_eval.errors import UserError
from gan_eval.metrics.registry import select
from gan_eval.quiz.simulate import parse_observer
from gan_eval.stimuli import read_set
from gan_eval.tables import PARTICIPATION, TRIALS
from gan_eval.tabular import frame_of
from gan_eval.training_settings import TrainingSettings

if TYPE_CHECKING:
    from gan_eval.plan import Plan


def check_what_comes_late(plan: "Plan") -> None:
    """Find now what would otherwise be found after days of training or after people have sat.

    Raises:
        UserError: data, published tables, imported stimuli, a generator to start from, folders of masks or the
            weights of a style network are not there, or a metric, a mode, a rule or a simulated participant is not
            understood.
    """
    for model, settings in plan.study.models.items():
        for split in (plan.study.data[settings.data].train_split, plan.split(settings.data)):
            plan.pictures(model, split)
    for model in plan.study.models:
        training = plan.study.training_of(model)
        if training.validate_every is not None:
            select(training.validation_metrics)
        plan.initial_file(model)
        if training.inpainting is not None:
            _check_inpainting(plan, training)
    if plan.simulate:
        parse_observer(plan.simulate)
    plan.published()
    plan.segmenter()
    for name in plan.study.stimuli.sets:
        read_set(plan.file.parent / name)
    if plan.study.metrics.names:
        select(plan.study.metrics.names)
    if plan.study.analysis.exclude:
        from gan_eval.stats.exclusion.rules import exclude

        exclude(frame_of([], TRIALS), plan.study.analysis.exclude, where=f"{plan.file}: analysis.exclude")
    if plan.study.analysis.exclude_participants:
        from gan_eval.stats.exclusion.rules import exclude

        rules = plan.study.analysis.exclude_participants
        exclude(frame_of([], PARTICIPATION), rules, where=f"{plan.file}: analysis.exclude_participants")


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
