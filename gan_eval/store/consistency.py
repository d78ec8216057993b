"""Checks that a store's rows are complete and agree with each other, before anything is computed from them."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError, abbreviated
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import Store
from gan_eval.tables.schema import Table

if TYPE_CHECKING:
    import pandas as pd

_OF_SESSION = ("participant", "study", "simulated")
"""Columns in which every trial equals its session."""
_OF_PLAN = ("phase", "stimulus", "stimulus_b", "position", "item", "kind", "model", "dataset")
"""Columns in which every trial equals its row of the plan."""
_DURATIONS = [name for name in tables.TRIALS.names if name.endswith(("exposure_ms", "reaction_time_ms"))]
"""Columns of durations, which are never negative."""
_OF_DESIGN = ("study", "protocol", "design_hash", "fraction")
"""Columns that define a design; its complete sessions have the same number of trials."""
RESTORE = "restore the store from a copy"
sessions, plans, trials = (LAYOUTS[table] for table in (tables.SESSIONS, tables.PLANS, tables.TRIALS))
marks = LAYOUTS[tables.MARKS]


def require_consistent(store: Store, *, study: str | None = None) -> None:
    """Refuse a store in which rows are missing or contradict each other.

    Missing: a row's session; a trial before a session's last one, or anywhere in a complete session. A complete session
    without a plan must have as many trials as the longest one of its design. Contradictory: a trial that differs from
    its session or plan; a stimulus that is real and fake; a `correct` that does not follow from kind and response;
    negative times.
    """
    with store.transaction() as connection:
        problem = next(_problems(connection, study, [table for table in LAYOUTS if table not in store.lacking]), None)
    if problem is not None:
        raise UserError(f"{store.where}: {problem}")


def consistent_frames(store: Store, study: str | None) -> "dict[Table, pd.DataFrame]":
    """Return all tables of a store, or of one study in it, as frames, read at one moment.

    Raises:
        UserError: a cell has a wrong value, or rows are missing or contradict each other.
    """
    with store.snapshot():
        frames = {table: store.frame(table) for table in tables.STORED_TABLES}
        require_consistent(store, study=study)
    if study is None:
        return frames
    sessions = frames[tables.SESSIONS]
    ids = sessions.loc[sessions["study"] == study, "session"]
    return {table: frame[frame["session"].isin(ids)] for table, frame in frames.items()}


def _problems(connection: sa.Connection, study: str | None, present: Collection[Table]) -> Iterator[str]:
    scope = [] if study is None else [sessions.c.study == study]
    yield from _without_session(connection, study, present)
    yield from _without_trial(connection, scope)
    yield from _without_plan(connection, scope)
    yield from _contradictions(connection, scope)
    if tables.MARKS in present:
        yield from _marks_without_trial(connection, study)


def _without_session(connection: sa.Connection, study: str | None, present: Collection[Table]) -> Iterator[str]:
    """Yield a message for the first session that a table names and the store lacks."""
    for table in present:
        layout = LAYOUTS[table]
        if table is tables.SESSIONS or (study is not None and "study" not in layout.c):
            continue
        query = sa.select(layout.c.session, sa.func.count()).group_by(layout.c.session).order_by(layout.c.session)
        query = query.where(~sa.exists().where(sessions.c.session == layout.c.session))
        if study is not None:
            query = query.where(layout.c.study == study)
        if row := connection.execute(query.limit(1)).first():
            session, count = row
            yield f"table {table.name}: {count} rows of session {session!r} without that session; {RESTORE}"


def _without_trial(connection: sa.Connection, scope: list[Any]) -> Iterator[str]:
    """Yield a message for the first session that lacks planned trials before its last one."""
    plan = plans.join(sessions, plans.c.session == sessions.c.session).outerjoin(
        trials, (trials.c.session == plans.c.session) & (trials.c.trial == plans.c.trial)
    )
    highest = sa.func.max(trials.c.trial).label("trial")
    last = sa.select(trials.c.session, highest).group_by(trials.c.session).subquery()
    missing = (
        sa.select(
            plans.c.session, sessions.c.participant, sessions.c.status, sa.func.count(), sa.func.min(plans.c.trial)
        )
        .select_from(plan.outerjoin(last, last.c.session == plans.c.session))
        .where(trials.c.trial.is_(None), (sessions.c.status == "complete") | (plans.c.trial < last.c.trial), *scope)
        .group_by(plans.c.session, sessions.c.participant, sessions.c.status)
        .order_by(plans.c.session)
    )
    if row := connection.execute(missing.limit(1)).first():
        session, participant, status, count, first = row
        yield (
            f"table trials: session {session!r} ({participant}, {status}) lacks {count} of its planned trials, "
            f"the first is trial {first}; {RESTORE}, or remove that session (participants forget {participant})"
        )


def _marks_without_trial(connection: sa.Connection, study: str | None) -> Iterator[str]:
    """Yield a message for the first mark on a picture that no trial showed."""
    match = (trials.c.session == marks.c.session) & (trials.c.trial == marks.c.trial)
    match &= marks.c.stimulus.in_((trials.c.stimulus, trials.c.stimulus_b))
    scope = [] if study is None else [marks.c.study == study]
    query = sa.select(marks.c.session, marks.c.trial, marks.c.stimulus).where(~sa.exists().where(match), *scope)
    for session, trial, stimulus in connection.execute(query.limit(1)):
        where = f"table marks, row session={abbreviated(session)} trial={abbreviated(trial)}"
        yield f"{where}: no trial that showed {abbreviated(stimulus)}; {RESTORE}"


def _contradictions(connection: sa.Connection, scope: list[Any]) -> Iterator[str]:
    """Yield a message for the first trial that contradicts its session, its plan, other trials or itself."""
    kind, stimulus, correct, response = (trials.c[name] for name in ("kind", "stimulus", "correct", "response"))
    prefix = trials.c.dataset + "/real/"
    real_name = sa.func.substr(stimulus, 1, sa.func.length(prefix)) == prefix
    is_right = kind == response
    is_answer = response.in_(("real", "fake")) & trials.c.choice.is_(None)
    wrong = (correct == sa.true()) & ~is_right | (correct == sa.false()) & is_right
    several = sa.select(stimulus).where(kind.is_not(None), trials.c.choice.is_(None))
    several = several.group_by(stimulus).having(sa.func.min(kind) != sa.func.max(kind))
    other_kind = stimulus.in_(several) & trials.c.choice.is_(None)
    checks: list[tuple[Any, str, list[Any]]] = [
        *(
            (trials.c[name] != other.c[name], f"{name} {{}}, its {whose} has {{}}", [trials.c[name], other.c[name]])
            for columns, other, whose in ((_OF_SESSION, sessions, "session"), (_OF_PLAN, plans, "plan"))
            for name in columns
        ),
        (other_kind, "kind {} of stimulus {}, which has the other kind elsewhere", [kind, stimulus]),
        ((kind == "fake") & real_name, "kind {} of stimulus {}, which is named as a real picture", [kind, stimulus]),
        (is_answer & wrong, "correct {} contradicts kind {} and response {}", [correct, kind, response]),
        *((trials.c[name] < 0, f"{name} {{}} is negative", [trials.c[name]]) for name in _DURATIONS),
    ]
    both = trials.join(sessions, trials.c.session == sessions.c.session)
    both = both.outerjoin(plans, (plans.c.session == trials.c.session) & (plans.c.trial == trials.c.trial))
    first = sa.case(*((fault, number) for number, (fault, _, _) in enumerate(checks)))
    query = sa.select(first, trials.c.session, trials.c.trial).select_from(both)
    query = query.where(first.is_not(None), *scope).order_by(first, trials.c.session, trials.c.trial)
    if row := connection.execute(query.limit(1)).first():
        number, session, trial = row
        _, text, cells = checks[number]
        values = sa.select(*cells).select_from(both).where(trials.c.session == session, trials.c.trial == trial)
        problem = text.format(*map(abbreviated, connection.execute(values).one()))
        yield f"table trials, row session={abbreviated(session)} trial={trial}: {problem}; {RESTORE}"


def _without_plan(connection: sa.Connection, scope: list[Any]) -> Iterator[str]:
    """Yield a message for each session that, judging without the rows of its plan, has too few trials."""
    columns = [sessions.c[name] for name in ("session", "participant", "status", *_OF_DESIGN)]
    plan_size = sa.select(sa.func.count()).where(plans.c.session == sessions.c.session).scalar_subquery()
    query = sa.select(*columns, sa.func.count(trials.c.trial), sa.func.max(trials.c.trial), plan_size)
    query = query.select_from(sessions.outerjoin(trials, trials.c.session == sessions.c.session)).where(*scope)
    rows = connection.execute(query.group_by(*columns).order_by(sessions.c.session)).all()
    most: dict[tuple[Any, ...], int] = {}
    for _, _, status, *design, count, _, _ in rows:
        if status == "complete":
            most[tuple(design)] = max(count, most.get(tuple(design), 0))
    for session, participant, status, *design, count, last, planned_trials in rows:
        who = f"table trials: session {abbreviated(session)} ({participant}, {status})"
        end = f"{RESTORE}, or remove that session (participants forget {participant})"
        if count and count < last:
            yield f"{who} has trials up to number {last}, but {last - count} of them are missing; {end}"
        elif status == "complete" and not count:
            yield f"{who} has no trials; {end}"
        elif status == "complete" and not planned_trials and count < most[tuple(design)]:
            yield f"{who} has {count} trials, another complete session of its design has {most[tuple(design)]}; {end}"
