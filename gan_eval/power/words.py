"""The plan in words: a table for a terminal, and what to do."""

from collections.abc import Iterator

import pandas as pd

from gan_eval.power.planning import NO_DIFFERENCE, PowerPlan
from gan_eval.power.questions import Question

_HEADER = (
    "question",
    "people",
    "trials",
    "pictures in all",
    "true difference",
    "power",
    "95 % interval",
    "interval width",
)

_CERTAIN = 0.995
"""A ceiling above this is none."""


def table_lines(plan: PowerPlan) -> list[str]:
    """The table as lines of text, columns aligned; `*` marks the number that is recommended."""
    cells = [_HEADER, *(_cells(row) for _, row in plan.table.iterrows())]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADER))]
    lines = []
    for row in cells:
        first, *rest = row
        right = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return lines


def _cells(row: pd.Series) -> tuple[str, ...]:
    mark = "*" if row["recommended"] else ""
    return (
        str(row["question"]),
        "no limit" if pd.isna(row["participants"]) else f"{mark}{int(row['participants'])}",
        str(int(row["trials"])),
        str(int(row["stimuli"])),
        f"{100 * row['effect']:.1f}",
        _percent(row["power"]),
        f"{100 * row['ci_low']:.0f}-{100 * row['ci_high']:.0f}",
        "" if pd.isna(row["interval_width"]) else f"{100 * row['interval_width']:.1f}",
    )


def sentences(plan: PowerPlan) -> list[str]:
    """What to do, the answer first; then what was not planned for, each question's ceiling and expected interval."""
    asked = [question for question in plan.questions if question.name in plan.recommended]
    return [_answer(plan, asked), *plan.warnings, *_for_each(plan, asked), *_idle(plan)]


def _answer(plan: PowerPlan, asked: list[Question]) -> str:
    found = [plan.recommended[question.name] for question in asked]
    if not asked:
        return "No number can be recommended: nothing is assumed to differ."
    goal = f"a chance of {_percent(plan.target)} or more"
    if all(number is not None for number in found):
        most = max(number for number in found if number is not None)
        what = (
            f"to find the assumed difference ({asked[0].name})"
            if len(asked) == 1
            else "to answer each of the questions"
        )
        return f"Invite {most} people: they give {goal} {what}."
    missed = ", ".join(name for name, number in plan.recommended.items() if number is None)
    return f"None of the numbers of people that were tried gives {goal} for: {missed}."


def _for_each(plan: PowerPlan, asked: list[Question]) -> Iterator[str]:
    for question in asked:
        number, top = plan.recommended[question.name], plan.ceilings[question.name]
        rows = _rows(plan, question)
        last = rows.iloc[-1]
        chosen = rows[rows["recommended"]].iloc[0] if number is not None else last
        power = f"{_percent(chosen['power'])} with {int(chosen['participants'])} people"
        half = 50 * float(chosen["interval_width"])
        width = "" if pd.isna(chosen["interval_width"]) else f", the 95 % interval about ±{half:.1f} points wide"
        yield f"{question.name}: power {power}{width}; {_ceiling(plan, question, top)}."
        yield from _larger_pool(plan, question)
        if number is None and top >= plan.target:
            close = last["power"] >= plan.target
            mend = "try more simulations: the figure is uncertain" if close else "try more people"
            yield f"{question.name}: {mend}."


def _larger_pool(plan: PowerPlan, question: Question) -> Iterator[str]:
    """What a larger pool would give, where one was tried and its power is surely larger."""
    mine = plan.table[(plan.table["question"] == question.name) & plan.table["participants"].notna()]
    for _, row in mine[mine["stimuli"] > mine["stimuli"].iloc[0]].iterrows():
        before = mine[mine["participants"] == row["participants"]].iloc[0]
        if row["ci_low"] <= before["power"]:
            continue
        yield (
            f"{question.name}: with {int(row['stimuli'])} pictures instead of {int(before['stimuli'])}, power "
            f"{_percent(row['power'])} instead of {_percent(before['power'])} with {int(row['participants'])} people, "
            f"the interval ±{50 * row['interval_width']:.1f} instead of ±{50 * before['interval_width']:.1f} points."
        )


def _ceiling(plan: PowerPlan, question: Question, top: float) -> str:
    pictures = int(_rows(plan, question).iloc[0]["stimuli"])
    if top >= _CERTAIN:
        return f"its {pictures} pictures set no limit"
    told = f"with these {pictures} pictures no number of people gives more than {_percent(top)}"
    if question.name not in plan.needed:
        return told
    needed = plan.needed[question.name]
    if needed is None:
        return f"{told}, nor would any number of pictures"
    return f"{told}; the pool needs at least {needed} pictures of each class in each data set"


def _idle(plan: PowerPlan) -> Iterator[str]:
    for question in plan.questions:
        if (_rows(plan, question)["note"] == NO_DIFFERENCE).all():
            yield (
                f"{question.name}: no difference is assumed, so its power is the share of false alarms; give the "
                "rates that would matter, such as --effect fooling_rates.MODEL=0.5"
            )


def _rows(plan: PowerPlan, question: Question) -> pd.DataFrame:
    """The question's rows with the study's own pool, by number of participants, without the ceiling."""
    mine = plan.table[plan.table["question"] == question.name]
    own = mine[(mine["stimuli"] == mine["stimuli"].iloc[0]) & mine["participants"].notna()]
    return own.sort_values("participants")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
