"""The pictures that a planned study draws from: those it has, or as many as are planned."""

from collections.abc import Iterable, Sequence

from gan_eval.errors import UserError
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.tabular import Row

UNDEFINED = {
    "staircase": "a staircase's exposures follow the answers, so that all participants end near one share of right "
    "answers, whatever the pictures",
    "rating": "grades are averaged, not compared by the model of right and wrong answers",
}
"""Protocols that have no question for the primary model, and why."""


def require_power_is_defined(settings: QuizSettings, *, where: str) -> None:
    """
    Raises:
        UserError: the protocol asks nothing that the primary model answers.
    """
    if settings.protocol in UNDEFINED:
        raise UserError(
            f"{where}: quiz.protocol: power is not defined for {settings.protocol}: {UNDEFINED[settings.protocol]}; "
            "plan with quick_response, yes_no, paired or model_vs_model"
        )


def planned_stimuli(versions: Iterable[tuple[str, str]], size: int) -> list[Row]:
    """Rows of a pool that does not exist yet.

    Args:
        versions: (data set, model) of each stimulus set.
        size: pictures of each class: so many items of each data set, each real and from each of its models.

    Returns:
        Rows with what the draw reads of `gan_eval.tables.STIMULI`.
    """
    known = sorted(set(versions))
    real = sorted({(dataset, "") for dataset, _ in known})
    return [_row(dataset, model, number) for dataset, model in [*real, *known] for number in range(size)]


def versions_of(study: Study, rows: Sequence[Row] = ()) -> list[tuple[str, str]]:
    """(data set, model) of the study's own models, and of the fakes among rows of imported sets."""
    own = [(model.data, name) for name, model in study.models.items()]
    imported = [(row["dataset"], row["model"]) for row in rows if row["kind"] == "fake"]
    return list(dict.fromkeys([*own, *imported]))


def _row(dataset: str, model: str, number: int) -> Row:
    return {
        "stimulus": f"{dataset}/{model or 'real'}/{number}",
        "item": f"{dataset}/{number}",
        "kind": "fake" if model else "real",
        "model": model or None,
        "dataset": dataset,
        "sha256": "",
    }
