"""Size of a study: simulate studies of several sizes in several processes, and find the number to invite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from gan_eval.base.inference import wilson
from gan_eval.base.parallel import RunTasks, in_parallel
from gan_eval.base.progress import Progress
from gan_eval.settings.analysis import AnalysisSettings, PowerSettings
from gan_eval.stats.estimate.grades import MEAN
from gan_eval.stats.power.design import StudyDesign
from gan_eval.stats.power.simulate import (
    PlannedQuestion,
    Verdict,
    World,
    effect_of,
    one_study,
    questions_of,
    truth_of,
)
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import SHARE, Table, boolean, integer, interval_columns, number, text

POWER = Table(
    "power",
    "What a study of this design would find, by simulation and analysis with the primary model.",
    (
        text("question", "the question: told apart; a model against another; equivalence", filled=True),
        text("measure", "the number that is compared", filled=True),
        boolean("equivalence", "the question is whether the groups are equivalent", filled=True),
        integer("participants", "number of people invited", filled=True),
        integer("trials", "trials of each participant", filled=True),
        integer("stimuli", "different stimuli (of pairs: pairs) in the pool that the question is about", filled=True),
        number("effect", "true difference of shares (-1..1) or mean grades, over all people and pictures", filled=True),
        integer("simulations", "simulated studies", filled=True),
        integer("failed", "simulated studies without an estimate; they count as not found", filled=True),
        number("power", "share of simulated studies that find the effect", unit=SHARE),
        *interval_columns("ci", "its Wilson 95% interval, for all looks at the simulation together", unit=SHARE),
        number("interval_width", "expected width of the difference's 95% interval; of mean grades, in grades"),
        boolean("recommended", "the smallest number that reaches the target power"),
        number("complete", "expected number of those invited who finish and are not excluded", optional=True),
        text("note", "what a reader must know"),
    ),
    key=("question", "participants", "trials", "stimuli"),
)

LOOKS = (100, 300)
"""Numbers of simulated studies after which a family of questions ends if all are decided."""
NEGLIGIBLE = 0.002
"""Difference that counts as none if a question's is smaller."""
NO_DIFFERENCE = "no difference is assumed: this is the share of false alarms"


@dataclass(frozen=True)
class PowerPlan:
    """The result of `gan-eval power`."""

    table: pd.DataFrame
    assumed: PowerSettings
    recommended: Mapping[str, int | None]
    """Number of participants for each question with a difference; None: no number that was tried is enough."""
    warnings: tuple[str, ...]
    """Warnings of the draw on short pools."""


def simulate_power(
    design: StudyDesign,
    settings: PowerSettings,
    analysis: AnalysisSettings,
    *,
    workers: int = 1,
    run_tasks: "RunTasks | None" = None,
    where: str = "study",
    on_progress: Progress | None = None,
) -> PowerPlan:
    """Simulate a study's design for each number of participants in `[power]`.

    Args:
        design: trials of at least as many participants as the largest of these numbers.
        run_tasks: does the simulated studies of each check; default: `workers` processes of this machine.
        on_progress: called with the number of simulated studies that are done, and of those until the next check.

    Raises:
        UserError: a planned comparison without pictures.
        KeyboardInterrupt: interrupted.
    """
    numbers = sorted(set(settings.participants))
    world = make_world(design, settings, analysis, where=where)
    rows = _rows(
        world, numbers, run_tasks or partial(in_parallel, workers=workers), on_progress or (lambda *_, **__: None)
    )
    # the number to invite: the smallest whose power reaches the target with 95% confidence
    recommended: dict[str, int | None] = {}
    for question in world.questions:
        estimates = [row for row in rows if row["question"] == question.name]
        if _is_without_difference(estimates[0]):
            continue
        enough = next((row for row in estimates if row["ci_low"] >= settings.target), None)
        recommended[question.name] = enough["participants"] if enough else None
        if enough:
            enough["recommended"] = True
    return PowerPlan(frame_of(rows, POWER), settings, recommended, tuple(design.warnings))


def make_world(
    design: StudyDesign, settings: PowerSettings, analysis: AnalysisSettings, *, where: str = "study"
) -> World:
    """Return the truths and the questions of a design; errors are those of `questions_of`."""
    questions = tuple(questions_of(design, analysis, where=where))
    scenarios = sorted({question.scenario for question in questions})
    truths = {scenario: truth_of(design.groups, settings, scenario) for scenario in scenarios}
    return World(design, truths, questions, analysis, settings)


def _verdicts(
    world: World, numbers: Sequence[int], looks: Sequence[int], z: float, run_tasks: "RunTasks", on_progress: Progress
) -> dict[tuple[int, int], list[Verdict]]:
    """Return the verdicts of the simulated studies, by number of participants and index of the question.

    A family of questions ends at a check (`looks`, after 0) when each of them is clearly on one side of the target.
    """
    verdicts_of: dict[tuple[int, int], list[Verdict]] = {
        (people, index): [] for people in numbers for index in range(len(world.questions))
    }
    todo = {people: list(range(len(world.questions))) for people in reversed(numbers)}  # longest first
    # equivalence is not corrected: each such question ends alone
    together = [question.name if question.equivalence else question.family for question in world.questions]
    finished = total = 0  # studies of earlier checks, and with those of this one

    def report(done: int) -> None:
        on_progress(finished + done, total, "", "to the next check")

    for before, until in pairwise(looks):
        tasks = [
            (people, study, *members) for people, members in todo.items() if members for study in range(before, until)
        ]
        total = finished + len(tasks)
        studies = run_tasks(one_study, world, tasks, on_done=report)
        finished = total
        for (people, _, *members), verdicts in zip(tasks, studies, strict=True):
            for index, verdict in zip(members, verdicts, strict=True):
                verdicts_of[people, index].append(verdict)
        for people, members in todo.items():
            found = {index: verdicts_of[people, index] for index in members}
            undecided = {together[index] for index in members if _is_undecided(found[index], z, world.assumed.target)}
            todo[people] = [index for index in members if together[index] in undecided]
    return verdicts_of


def _is_undecided(verdicts: Sequence[Verdict], z: float, target: float) -> bool:
    """Return whether the power, by the verdicts of simulated studies, may be on either side of the target."""
    low, high = wilson(sum(verdict.positive for verdict in verdicts), len(verdicts), z=z)
    return bool(low < target <= high)


def _rows(world: World, numbers: Sequence[int], run_tasks: "RunTasks", on_progress: Progress) -> list[Row]:
    """Return the rows of the table: each question at each number of participants.

    The intervals hold for all checks together (Bonferroni).
    """
    settings = world.assumed
    looks = [0, *(look for look in LOOKS if look < settings.simulations), settings.simulations]
    z = float(ndtri(1 - 0.025 / (len(looks) - 1)))
    found = _verdicts(world, numbers, looks, z, run_tasks, on_progress)
    return [
        _row(world, question, people, found[people, index], z)
        for index, question in enumerate(world.questions)
        for people in numbers
    ]


def _row(world: World, question: PlannedQuestion, people: int, verdicts: Sequence[Verdict], z: float) -> Row:
    """Return the row of a question at a number of participants, from the verdicts of the simulated studies."""
    settings, effect = world.assumed, effect_of(question, world.design, world.truths[question.scenario])
    is_none = abs(effect) < NEGLIGIBLE
    positive = sum(verdict.positive for verdict in verdicts)
    widths = [verdict.width for verdict in verdicts if not np.isnan(verdict.width)]
    low, high = wilson(positive, len(verdicts), z=z)
    return {
        "question": question.name,
        "measure": question.measure,
        "equivalence": question.equivalence,
        "participants": people,
        "trials": world.design.trials,
        "stimuli": sum(world.design.groups[group].size for group in (*question.a, *question.b)),
        "effect": 0.0 if is_none else effect,
        "simulations": len(verdicts),
        "failed": len(verdicts) - len(widths),
        "power": positive / len(verdicts),
        "ci_low": float(low),
        "ci_high": float(high),
        "interval_width": float(np.mean(widths)) if widths else float("nan"),
        "recommended": False,
        "complete": people * (1 - settings.dropout) * (1 - settings.excluded),
        "note": NO_DIFFERENCE if is_none and not question.equivalence else None,
    }


def printed(plan: PowerPlan) -> tuple[str, list[str], list[list[str]]]:
    """Return caption, headings and rows of the table for readers; `*` marks the recommended number of people."""
    heads = ["question", "people", "pictures", "true difference", "power", "95% interval", "interval width"]
    cells = [
        [
            str(row["question"]),
            f"{'*' * row['recommended']}{row['participants']}",
            str(row["stimuli"]),
            _amount(row["measure"], row["effect"]),
            _percent(row["power"]),
            f"{100 * row['ci_low']:.0f}-{100 * row['ci_high']:.0f}",
            "" if pd.isna(row["interval_width"]) else _amount(row["measure"], row["interval_width"]),
        ]
        for row in plan.table.to_dict("records")
    ]
    return f"As planned, {plan.table['trials'].iloc[0]} trials a person:", heads, cells


def sentences(plan: PowerPlan) -> list[str]:
    """Return the answer, the warnings, and advice for each question without a recommended number of people."""
    missed = [name for name, number in plan.recommended.items() if number is None]
    lines = [_answer(plan, missed), *plan.warnings]
    last = {row["question"]: row for row in plan.table.to_dict("records")}  # of the most people
    close = [name for name in missed if last[name]["power"] >= plan.assumed.target]
    if close:
        lines.append(f"Try more simulations, as the figure is uncertain: {', '.join(close)}.")
    if len(close) < len(missed):
        lines.append("Try more people or more pictures.")
    lines += [
        f"{name}: no difference is assumed, so its power is the share of false alarms; give the rates that would "
        "matter in the study file, as power.fooling_rates"
        for name, row in last.items()
        if _is_without_difference(row)
    ]
    return lines


def _answer(plan: PowerPlan, missed: Sequence[str]) -> str:
    """Return the number of people to invite, or the questions for which none is enough (`missed`)."""
    assumed, goal = plan.assumed, f"a chance of {_percent(plan.assumed.target)} or more"
    numbers = [number for number in plan.recommended.values() if number is not None]
    if missed:
        which = f": {', '.join(missed)}" if numbers or len(missed) == 1 else " any of the questions"
        return f"None of the tried numbers of people gives {goal} for{which}."
    if not numbers:
        return "No number can be recommended: nothing is assumed to differ."
    aim = "to answer each of the questions"
    if len(numbers) == 1:
        aim = f"to find the assumed difference ({', '.join(plan.recommended)})"
    answer = f"Invite {max(numbers)} people: they give {goal} {aim}."
    if not (assumed.dropout or assumed.excluded):
        return answer
    complete = max(numbers) * (1 - assumed.dropout) * (1 - assumed.excluded)
    losses = f"{_percent(assumed.dropout)} of them break off and {_percent(assumed.excluded)} are excluded"
    return f"{answer} This allows for losses: {losses}, so that about {complete:.0f} finish and count."


def _is_without_difference(row: Mapping[Any, Any]) -> bool:
    """Return whether a row's power is the share of false alarms, as no difference is assumed."""
    return bool(row["effect"] == 0) and not row["equivalence"]


def _amount(measure: str, value: float) -> str:
    """Return a difference in points, or in grades for mean grades."""
    return f"{value:z.2f}" if measure == MEAN else f"{100 * value:z.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
