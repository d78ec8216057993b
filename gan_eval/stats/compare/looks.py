"""The looks at a study, planned and taken: whether these answers have a verdict, and what their p is held against."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.stats.looks import ALPHA, Look, LookPlan
from gan_eval.tables.frames import frame_of
from gan_eval.tables.schema import ANALYSIS_RUN, NOTE, SHARE, Table, boolean, integer, number

LOOKS = Table(
    "looks",
    "The looks that the study plans: when there is a verdict, and what p is held against. Analyses of a study whose "
    "number of people is known have it; rehearsals do not.",
    (
        integer("look", "1, 2, ...; the last one is that at all people", filled=True),
        integer("due_at", "people at whom it is due", filled=True),
        integer("taken_at", "people at whom it was taken; empty: not taken"),
        number("information", "their share of the people wanted", unit=SHARE),
        number(
            "alpha_spent", "of the 5 % spent by this look and those before it (Lan & DeMets, O'Brien-Fleming type)",
            unit=SHARE,
        ),
        number("z", "critical value, two-sided"),
        number("alpha", "nominal two-sided level: p_holm and p_equivalent of `comparisons` are held against it"),
        boolean("current", "this analysis is that look; with none, there is no verdict", filled=True),
        integer("n_people", "people who have come: complete sessions, none simulated", filled=True),
        integer("n_wanted", "people whom the study wants", filled=True),
        NOTE,
        ANALYSIS_RUN,
    ),
    key=("look",),
)  # fmt: skip
_ANSWER = ("participant", "stimulus", "stimulus_b", "trial", "response", "choice", "rating")


class Looked(NamedTuple):
    """What these answers are among the looks at a study."""

    table: pd.DataFrame
    """`looks`"""
    words: str
    """Why there is no verdict, or at which of several planned looks there is one; else empty."""
    taken: Sequence[Look]
    """To be noted once somebody has seen what the look says: those before, and this one where several are planned."""


def take_look(
    plan: LookPlan, taken: Sequence[Look], trials: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> Looked | None:
    """What these answers are: a look that is due, one that was taken, or none.

    The same answers again are the same look, and spend nothing; others before the next look is due are none.

    Who counts are people with a complete session, whom the analysis may leave out all the same: the number wanted is
    the number to invite, which has room for them.

    Args:
        plan: of the study.
        taken: the looks before, in order.
        trials: the table `trials`.
        sessions: the table `sessions`; trials of sessions that it does not name count as complete.

    Returns:
        None where no person has answered: a rehearsal.
    """
    of_people = trials[~trials["simulated"].fillna(False).to_numpy(bool)]
    if of_people.empty:
        return None
    complete = of_people
    if sessions is not None:
        unfinished = sessions.loc[(sessions["status"] != "complete").fillna(False).to_numpy(bool), "session"]
        complete = of_people[~of_people["session"].isin(unfinished)]
    people, answers = complete["participant"].nunique(), ""
    if plan.looks > 1 or taken:
        hashes = pd.util.hash_pandas_object(of_people[list(_ANSWER)], index=False)
        answers = f"{int(hashes.sum()):016x}"  # in whichever order they stand
    current = plan.current(people, taken, answers)
    if current is not None and current not in taken and (plan.looks > 1 or taken):
        taken = [*taken, current]
    by_number = {plan.number(look.people): look for look in ([current] if current and not taken else taken)}
    rows, words = [], plan.words(people, taken, current)
    for place in range(1, plan.looks + 1):
        look = by_number.get(place)
        of_look = {} if look is None else {
            "taken_at": look.people,
            "information": min(1.0, look.people / plan.wanted),
            "alpha_spent": look.spent,
            "z": look.z,
            "alpha": look.alpha,
        }  # fmt: skip
        shared = {"look": place, "due_at": plan.due_at(place), "n_people": people, "n_wanted": plan.wanted}
        is_current = look is not None and look == current
        rows.append({**shared, **of_look, "current": is_current, "note": words or None})
    return Looked(frame_of(rows, LOOKS), words, taken)


def level(looks: pd.DataFrame | None) -> float:
    """What p values are held against: 5 %, at one of several looks its own level; NaN: no verdict.

    Args:
        looks: the table `looks`; None, or without rows: it is not known how many people the study wants.
    """
    if looks is None or looks.empty:
        return ALPHA
    current = looks.loc[looks["current"].to_numpy(bool), "alpha"]
    return float(current.iloc[0]) if len(current) else np.nan


def looks_text(looks: pd.DataFrame) -> str:
    """What `Looked.words` were, from the table."""
    notes = looks["note"].dropna()
    return str(notes.iloc[0]) if len(notes) else ""
