"""People who have come, of those whom a study wants: until all have come, every verdict is `interim`.

Testing at 5% after every few people and stopping when p is small calls equal things different in up to 11% of studies
with three looks (docs/plan.md, "Interim analyses").
"""

from typing import TYPE_CHECKING

from gan_eval.tables.schema import ANALYSIS_RUN, Table, integer

if TYPE_CHECKING:
    import pandas as pd

ALPHA = 0.05
"""Two-sided level of significance."""
NO_VERDICT = "interim: no verdict"
RECRUITMENT = Table(
    "recruitment",
    "People who have come, and people whom the study wants; until they have come, every verdict is `interim`. Analyses "
    "of a study whose number of people is known have it; rehearsals do not.",
    (
        integer("n_people", "people who have come: complete sessions, none simulated", filled=True),
        integer("n_wanted", "people whom the study wants", filled=True),
        ANALYSIS_RUN,
    ),
    key=("n_wanted",),
)


def recruitment(trials: "pd.DataFrame", wanted: int, sessions: "pd.DataFrame | None" = None) -> "pd.DataFrame | None":
    """Return the table `recruitment`; None if only simulated participants have answered.

    Everyone with a complete session counts, even if the analysis later excludes them: the planned number of people
    already allows for exclusions.

    Args:
        wanted: number of people whom the study wants.
        sessions: the table `sessions`; trials of sessions that it does not name count as complete.
    """
    from gan_eval.judgements.trials import in_finished_session
    from gan_eval.tables.frames import frame_of

    of_people = trials[~trials["simulated"].fillna(False).to_numpy(bool)]
    if of_people.empty:
        return None
    people = of_people.loc[in_finished_session(of_people, sessions), "participant"].nunique()
    return frame_of([{"n_people": people, "n_wanted": wanted}], RECRUITMENT)


def is_waiting(recruited: "pd.DataFrame | None") -> bool:
    """Return whether people are missing, by the table `recruitment`; None, or without rows: their number is unknown."""
    return recruited is not None and bool((recruited["n_people"] < recruited["n_wanted"]).any())


def waiting_text(recruited: "pd.DataFrame | None") -> str:
    """Return the reason for a missing verdict, `interim: no verdict (3 of 6 people)`; empty if nobody is missing."""
    if recruited is None or not is_waiting(recruited):
        return ""
    people, wanted = (int(recruited[name].iloc[0]) for name in ("n_people", "n_wanted"))
    return f"{NO_VERDICT} ({people} of {wanted} {'person' if wanted == 1 else 'people'})"
