"""The plan in words: a table for a terminal, and sentences."""

from collections.abc import Iterator

import pandas as pd

from gan_eval.stats.compare.grades import MEAN
from gan_eval.stats.power.planning import NO_DIFFERENCE, PowerPlan
from gan_eval.stats.power.questions import PlannedQuestion

_HEADS = ("question", "people", "pictures", "true difference", "power", "95 % interval", "interval width")


def tables(plan: PowerPlan) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Yield caption, heads and rows of a table for each design; `*` marks the recommended number of people."""
    is_planned = plan.table["stimuli"] == plan.table.groupby("question")["stimuli"].transform("first")
    for name, rows in (("As planned", plan.table[is_planned]), ("With a larger pool", plan.table[~is_planned])):
        if rows.empty:
            continue
        cells = [
            [
                str(row["question"]),
                f"{'*' * row['recommended']}{row['participants']}",
                str(row["stimuli"]),
                _amount(row["question"], row["effect"]),
                _percent(row["power"]),
                f"{100 * row['ci_low']:.0f}-{100 * row['ci_high']:.0f}",
                "" if pd.isna(row["interval_width"]) else _amount(row["question"], row["interval_width"]),
            ]
            for row in rows.to_dict("records")
        ]
        trials = " or ".join(map(str, dict.fromkeys(rows["trials"])))
        yield f"{name}, {trials} trials a person:", list(_HEADS), cells


def sentences(plan: PowerPlan) -> list[str]:
    """Return the answer, what was not planned for, and each question's power and interval."""
    questions = [question for question in plan.questions if question.name in plan.recommended]
    numbers = [plan.recommended[question.name] for question in questions]
    assumed = plan.assumed
    goal = f"a chance of {_percent(assumed.target)} or more"
    known = [number for number in numbers if number is not None]
    if not questions:
        answer = "No number can be recommended: nothing is assumed to differ."
    elif len(known) == len(numbers):
        aim = "to answer each of the questions"
        if len(questions) == 1:
            aim = f"to find the assumed difference ({questions[0].name})"
        answer = f"Invite {max(known)} people: they give {goal} {aim}."
        if assumed.dropout or assumed.excluded:
            complete = max(known) * (1 - assumed.dropout) * (1 - assumed.excluded)
            losses = f"{_percent(assumed.dropout)} of them break off and {_percent(assumed.excluded)} are left out"
            answer += f" This allows for losses: {losses}, so that about {complete:.0f} finish and count."
    else:
        missed = f": {', '.join(name for name, number in plan.recommended.items() if number is None)}"
        if not known and len(numbers) > 1:
            missed = " any of the questions"
        answer = f"None of the numbers of people that were tried gives {goal} for{missed}."
    lines = [answer, *plan.warnings]
    for question in questions:
        lines += _on_question(plan, question)
    lines += [
        f"{question.name}: no difference is assumed, so its power is the share of false alarms; give the "
        "rates that would matter in the study file, as power.fooling_rates"
        for question in plan.questions
        if (_rows(plan, question)["note"] == NO_DIFFERENCE).all()
    ]
    return lines


def _on_question(plan: PowerPlan, question: PlannedQuestion) -> Iterator[str]:
    """Power and interval of one question, and what else to try."""
    number = plan.recommended[question.name]
    rows = _rows(plan, question)
    last = rows.iloc[-1]
    row = rows[rows["recommended"]].iloc[0] if number is not None else last
    power = f"{_percent(row['power'])} with {int(row['participants'])} people"
    unit = "grades" if question.measure == MEAN else "points"
    half_width = _amount(question.name, float(row["interval_width"]) / 2)
    width = "" if pd.isna(row["interval_width"]) else f", the 95 % interval about ±{half_width} {unit} wide"
    yield f"{question.name}: power {power}{width}; the pool has {int(row['stimuli'])} pictures."
    if number is None:
        close = last["power"] >= plan.assumed.target
        remedy = "try more simulations: the figure is uncertain" if close else "try more people or more pictures"
        yield f"{question.name}: {remedy}."


def _rows(plan: PowerPlan, question: PlannedQuestion) -> pd.DataFrame:
    """The question's rows with the study's own pool, by number of participants."""
    of_question = plan.table[plan.table["question"] == question.name]
    own_pool = of_question["stimuli"] == of_question["stimuli"].iloc[0]
    return of_question[own_pool].sort_values("participants")


def _amount(question: str, value: float) -> str:
    """A difference in points, that of mean grades in grades."""
    return f"{value:z.2f}" if question.endswith(MEAN) else f"{100 * value:z.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
