"""Power of a study that is planned: its pictures and lists from the quiz's draw, simulated by the statistics."""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.base.parallel import RunTasks
from gan_eval.base.progress import Progress
from gan_eval.quiz.draw.choose import possible_counts
from gan_eval.quiz.draw.offers import pools_of
from gan_eval.quiz.draw.rounds import choices, never_shown
from gan_eval.settings.analysis import PowerSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.settings.quiz import QuizSettings
from gan_eval.settings.study import Study
from gan_eval.stats.power.design import SimulatedGroup, StudyDesign
from gan_eval.stats.power.planning import PowerPlan, simulate_power
from gan_eval.tables.frames import Row
from gan_eval.tables.names import Role


def plan_power(
    study: Study,
    stimuli: Sequence[Row],
    *,
    settings: PowerSettings | None = None,
    workers: int = 1,
    run_tasks: RunTasks | None = None,
    where: str = "study",
    on_progress: Progress | None = None,
) -> PowerPlan:
    """Deal the lists of a study, and simulate it for each number of participants in `[power]`.

    Args:
        stimuli: rows of the pool (`gan_eval.tables.STIMULI`).
        settings: replaces the study's `[power]`.
        run_tasks: does the simulated studies of each check; default: `workers` processes of this machine.
        on_progress: called with the number of simulated studies that are done, and of those until the next check.

    Raises:
        UserError: a protocol without power, a pool that cannot be dealt, or a planned comparison without pictures.
        KeyboardInterrupt: interrupted.
    """
    settings = settings or study.power
    require_power_is_defined(study.quiz, where=where)
    design = deal_design(stimuli, study.quiz, seed=study.study.seed, participants=max(settings.participants))
    return simulate_power(
        design, settings, study.analysis, workers=workers, run_tasks=run_tasks, where=where, on_progress=on_progress
    )


def require_power_is_defined(settings: QuizSettings, *, where: str) -> None:
    """Refuse protocols whose exposures follow the answers."""
    if settings.protocol in ADAPTIVE_PROTOCOLS:
        raise UserError(
            f"{where}: quiz.protocol: power is not defined for {settings.protocol}: its exposures follow the "
            "answers, so that all participants end near one share of correct answers with any pictures; plan with "
            "quick_response, yes_no, rating, paired or model_vs_model"
        )


def planned_stimuli(versions: Iterable[tuple[str, str]], size: int) -> list[Row]:
    """Return the rows of a pool that does not exist yet.

    Args:
        versions: (data set, model) of each stimulus set.
        size: number of items of each data set, each real and from each of its models.
    """
    models = sorted(set(versions))
    if not models:
        raise UserError("no models are known; give those of the imported sets too (`versions_of` with their rows)")
    real = sorted({(dataset, "") for dataset, _ in models})
    return [
        {
            "stimulus": f"{dataset}/{model or 'real'}/{number}",
            "item": f"{dataset}/{number}",
            "kind": "fake" if model else "real",
            "model": model or None,
            "dataset": dataset,
            "sha256": "",
        }
        for dataset, model in [*real, *models]
        for number in range(size)
    ]


def versions_of(study: Study, rows: Sequence[Row] = ()) -> list[tuple[str, str]]:
    """Return the pairs (data set, model) of the study's own models, and of the fakes among rows of imported sets."""
    trained = [(model.data, name) for name, model in study.models.items()]
    imported = [(row["dataset"], row["model"]) for row in rows if row["kind"] == "fake"]
    return list(dict.fromkeys([*trained, *imported]))


def deal_design(stimuli: Iterable[Row], settings: QuizSettings, *, seed: int, participants: int) -> StudyDesign:
    """Deal lists 1 to `participants`.

    Args:
        stimuli: rows of `gan_eval.tables.STIMULI`.
        seed: the study's, so that the lists are those that people will get.

    Raises:
        UserError: a data set lacks a class of pictures, or has too few items under `strict_counts`.
    """
    pools = pools_of(stimuli, settings)
    groups: list[SimulatedGroup] = []
    stimuli_of_lists: list[np.ndarray] = []
    items: list[int] = []
    number_of_item: dict[str, int] = {}
    warnings: list[str] = []
    start = 0
    for name in sorted(pools):
        pool = pools[name]
        counts, warning = possible_counts(pool, settings)
        warnings += [line for line in (warning, never_shown(pool, counts)) if line]
        number: dict[tuple[Role, str], int] = {}
        for role in sorted(pool.roles):
            number |= {(role, item): start + len(number) + at for at, item in enumerate(sorted(pool.roles[role]))}
            items += [number_of_item.setdefault(item, len(number_of_item)) for item in sorted(pool.roles[role])]
            groups.append(SimulatedGroup(name, role, len(pool.roles[role]), settings.shows_pairs))
        lists = islice(choices(pool, counts, seed=seed), participants)
        stimuli_of_lists.append(np.array([[number[key] for key in chosen] for chosen in lists]))
        start += len(number)
    stimulus = np.hstack(stimuli_of_lists)
    return StudyDesign(
        groups=tuple(groups),
        participant=np.repeat(np.arange(participants), stimulus.shape[1]),
        stimulus=stimulus.ravel(),
        stimulus_group=np.repeat(np.arange(len(groups)), [group.size for group in groups]),
        item=np.array(items),
        trials=stimulus.shape[1],
        grades=settings.grades if settings.protocol == "rating" else 0,
        warnings=tuple(warnings),
    )
