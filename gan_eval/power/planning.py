"""The plan of a study's size: simulated studies of several sizes, the ceiling, and the number to invite.

Many small tasks on several processes, in an order that does not depend on how many there are.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from gan_eval.power.ceiling import SIMULATIONS, ceilings, stimuli_needed
from gan_eval.power.design import Design, deal_design, planned_stimuli, require_power_is_defined, versions_of
from gan_eval.power.questions import Question, effect_of, left_out, questions_of
from gan_eval.power.simulate import Verdict, World, one_study
from gan_eval.power.truth import assumed_truth, equal_models, guessing
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.settings.study import Study
from gan_eval.stats.shares import wilson
from gan_eval.tables import POWER
from gan_eval.tabular import Row, frame_of

if TYPE_CHECKING:
    import pandas as pd

AMPLE = 4
"""A larger pool that is tried beside a short one has so many times the pictures of a list."""
NO_DIFFERENCE = "no difference is assumed: this is the share of false alarms"


@dataclass(frozen=True)
class PowerPlan:
    """What `gan-eval power` tells."""

    table: "pd.DataFrame"
    """`gan_eval.tables.POWER`."""
    questions: tuple[Question, ...]
    target: float
    recommended: Mapping[str, int | None]
    """Participants for each question of which a difference is assumed, or None where no number tried is enough."""
    ceilings: Mapping[str, float]
    """The power that no number of participants can exceed."""
    needed: Mapping[str, int | None]
    """Where the ceiling is below the target: pictures of each class whose ceiling is not."""
    warnings: tuple[str, ...]
    """What the draw says of short pools, and what is not planned for."""


def plan_power(
    study: Study,
    stimuli: Sequence[Row],
    *,
    settings: PowerSettings | None = None,
    workers: int = 1,
    where: str = "study",
    on_progress: Callable[[int, int], None] | None = None,
) -> PowerPlan:
    """Simulate a study's design for each number of participants in `[power]`.

    Args:
        study: quiz, analysis and assumptions.
        stimuli: rows of the pool (`gan_eval.tables.STIMULI`).
        settings: instead of the study's `[power]`.
        workers: processes; the table is the same for any number.
        where: the study file, for messages.
        on_progress: told how many simulated studies of how many are done.

    Raises:
        UserError: a protocol without power, a pool that cannot be dealt, or a planned comparison without pictures.
        KeyboardInterrupt: interrupted.
    """
    settings = settings or study.power
    require_power_is_defined(study.quiz, where=where)
    numbers = sorted(set(settings.participants))
    design = deal_design(stimuli, study.quiz, seed=study.study.seed, participants=numbers[-1])
    world = make_world(design, settings, study.analysis, where=where)
    plans = [(world, numbers)]
    if design.warnings:
        plans.append((make_world(_larger(study, stimuli, design, numbers[-1]), settings, study.analysis), numbers[-1:]))
    total, before = sum(len(tried) for _, tried in plans) * settings.simulations, 0
    rows: list[Row] = []
    for each, tried in plans:
        rows += _rows(each, tried, settings, workers=workers, tell=partial(_tell, on_progress, total, before))
        before += len(tried) * settings.simulations
    return _plan(world, rows, settings, [*design.warnings, *filter(None, [left_out(design.groups, study.analysis)])])


def make_world(design: Design, settings: PowerSettings, analysis: AnalysisSettings, *, where: str = "study") -> World:
    """What is so and what is asked, for a design.

    Raises:
        UserError: the plan compares models that have no pictures of one data set.
    """
    questions = tuple(questions_of(design.groups, analysis, where=where))
    makers = {"assumed": assumed_truth, "guessing": guessing, "equal_models": equal_models}
    asked = sorted({question.scenario for question in questions})
    truths = {scenario: makers[scenario](design.groups, settings) for scenario in asked}
    return World(design, truths, questions, analysis, settings.seed)


def _larger(study: Study, stimuli: Iterable[Row], design: Design, participants: int) -> Design:
    """The same study with a pool that is several times as large as a list."""
    largest = AMPLE * design.trials // len({group.dataset for group in design.groups})
    rows = planned_stimuli(versions_of(study, list(stimuli)), largest)
    return deal_design(rows, study.quiz, seed=study.study.seed, participants=participants)


def _rows(
    world: World,
    numbers: Sequence[int],
    settings: PowerSettings,
    *,
    workers: int,
    tell: Callable[[int], None],
) -> list[Row]:
    """Rows of the table: each question at each number of participants, and its ceiling."""
    tasks = [(number, study) for number in reversed(numbers) for study in range(settings.simulations)]  # longest first
    found = in_parallel(one_study, world, tasks, workers=workers, on_done=tell)
    top = ceilings(world)
    rows = []
    for place, question in enumerate(world.questions):
        shared = _shared(world, question)
        for number in numbers:
            of_number = [verdicts[place] for task, verdicts in zip(tasks, found, strict=True) if task[0] == number]
            rows.append(shared | {"participants": number} | _counted(of_number))
        own = top[question.name]
        rows.append(shared | {"participants": None} | _cells(own.found, SIMULATIONS, 0, own.width))
    return rows


def _shared(world: World, question: Question) -> Row:
    effect = effect_of(question, world.design, world.truths[question.scenario])
    idle = abs(effect) < 1e-9 and not question.equivalence
    return {
        "question": question.name,
        "trials": world.design.trials,
        "stimuli": sum(world.design.groups[number].size for number in (*question.a, *question.b)),
        "effect": 0.0 if abs(effect) < 1e-9 else effect,
        "recommended": False,
        "note": NO_DIFFERENCE if idle else None,
    }


def _counted(verdicts: Sequence[Verdict]) -> Row:
    widths = np.array([each.width for each in verdicts if not each.failed])
    width = float(widths.mean()) if len(widths) else float("nan")
    return _cells(sum(each.found for each in verdicts), len(verdicts), sum(each.failed for each in verdicts), width)


def _cells(found: int, simulations: int, failed: int, width: float) -> Row:
    low, high = wilson(found, simulations)
    return {
        "simulations": simulations,
        "failed": failed,
        "power": found / simulations,
        "ci_low": float(low),
        "ci_high": float(high),
        "interval_width": width,
    }


def _plan(world: World, rows: list[Row], settings: PowerSettings, warnings: Sequence[str]) -> PowerPlan:
    """The number to invite: the smallest tried whose power reaches the target with 95 % confidence."""
    recommended: dict[str, int | None] = {}
    tops: dict[str, float] = {}
    needed: dict[str, int | None] = {}
    for question in world.questions:
        own = _shared(world, question)
        mine = [row for row in rows if row["question"] == question.name and row["stimuli"] == own["stimuli"]]
        tops[question.name] = next(row["power"] for row in mine if row["participants"] is None)
        if own["note"] == NO_DIFFERENCE:
            continue
        enough = [row for row in mine if row["participants"] and row["ci_low"] >= settings.target]
        recommended[question.name] = enough[0]["participants"] if enough else None
        if enough:
            enough[0]["recommended"] = True
        if tops[question.name] < settings.target:
            needed[question.name] = stimuli_needed(world, question, settings.target)
    return PowerPlan(
        frame_of(rows, POWER), world.questions, settings.target, recommended, tops, needed, tuple(warnings)
    )


def _tell(on_progress: Callable[[int, int], None] | None, total: int, before: int, done: int) -> None:
    if on_progress is not None:
        on_progress(before + done, total)


State = TypeVar("State")
Result = TypeVar("Result")
Task = tuple[int, ...]
"""What a task is about, in whole numbers."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_AHEAD = 8
"""Tasks that wait at each process."""
_worker_shared: list[tuple[Callable[..., object], object]] = []
"""In a worker process: the function, and what all its calls share."""


def in_parallel(
    function: Callable[[State, Task], Result],
    state: State,
    tasks: Sequence[Task],
    *,
    workers: int,
    on_done: Callable[[int], None] | None = None,
) -> list[Result]:
    """`function(state, task)` of each task, in the tasks' order.

    Args:
        function: of a module's top level; it uses no random numbers but those that follow from state and task.
        state: sent to each process once.
        tasks: the shorter, the sooner an interruption is heeded.
        workers: processes; 1: this one alone.
        on_done: told how many tasks are done.

    Raises:
        KeyboardInterrupt: interrupted; what runs is ended first.
    """
    tell = on_done or (lambda done: None)
    if workers == 1:
        found = []
        for number, task in enumerate(tasks, start=1):
            found.append(function(state, task))
            tell(number)
        return found
    with _one_thread_each():
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (function, state))
        try:
            return _spread(pool, tasks, workers, tell)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _spread(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], workers: int, tell: Callable[[int], None]
) -> list[Result]:
    """Keep the processes busy with a few tasks ahead; results in the tasks' order."""
    found: dict[int, Result] = {}
    running: dict[Future[Any], int] = {}
    left = enumerate(tasks)
    with _uninterrupted():  # as many as there are processes, which are started by it
        running |= {pool.submit(_call, task): number for number, task in islice(left, workers)}
    while running:
        ahead = workers * _AHEAD - len(running)
        running |= {pool.submit(_call, task): number for number, task in islice(left, ahead)}
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            found[running.pop(future)] = future.result()
            tell(len(found))
    return [found[number] for number in range(len(tasks))]


def _start(function: Callable[..., object], state: object) -> None:
    """In a new process: the interruption is for the first process, which then ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker_shared[:] = [(function, state)]


def _end_with_parent() -> None:
    """A first process that is killed cannot end the others, and each of them would wait for tasks for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(task: Task) -> object:
    function, state = _worker_shared[0]
    return function(state, task)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interruption waits until the end, and processes that are started inside never get one: the first process ends
    them. Without it one that is still importing would answer with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started inside compute in one thread: more would only be in each other's way."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
