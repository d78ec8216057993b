"""Who took part, who was left out, by which rule, and whether that rule was fixed in advance."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import filled, of, view_of
from gan_eval.report.parts.words import Record, View, listed, milliseconds, missing, noted, percent, plural, text, whole
from gan_eval.report.people.design import BY, of_exclusions
from gan_eval.stats.compare.outcomes import is_on_outcome
from gan_eval.stats.trials import main_trials
from gan_eval.tables import PARTICIPATION, RATES, SESSIONS

MOST_ROWS = 500
"""Participants in the page's table; the file holds all."""


def participants_sentences(folder: StudyFolder) -> list[str]:
    """Invited, started, finished, left out; how many trials were, and by which rules."""
    table = folder.table(PARTICIPATION)
    if table.empty:
        return _without_table(folder)
    sentences = [f"{invited(folder)}{took_part(table)}."]
    aborted = table[table["status"].isin(["aborted", "open"])]
    if len(aborted):
        sentences.append(f"{plural(len(aborted), 'participant')} broke off; their answers up to then count.")
    left_out = table[excluded(table)]
    if len(left_out):
        sentences += [
            f"{plural(len(part), 'participant')} left out {BY[str(standing)]}: {_named(part)}."
            for standing, part in left_out.groupby(of_exclusions(folder, left_out), sort=False)
        ]
    elif folder.study is not None or table["n_excluded"].sum():
        sentences.append("No participant was left out.")
    return [*sentences, *_trials_left_out(folder, table)]


def took_part(table: pd.DataFrame) -> str:
    """How many started and finished; without sessions only how many there are."""
    people = plural(len(table), "participant")
    if table["status"].isna().all():
        return f"{people} {'is' if len(table) == 1 else 'are'} in this table"
    complete = int((table["status"] == "complete").sum())
    return f"{people} started, {whole(complete)} of them finished"


def _named(left_out: pd.DataFrame, most: int = 20) -> str:
    each = [f"{row['participant']} ({text(row['rule'])})" for _, row in left_out.head(most).iterrows()]
    more = len(left_out) - most
    return f"{', '.join(each)} and {whole(more)} more" if more > 0 else listed(each)


def invited(folder: StudyFolder) -> str:
    """The planned number, as the beginning of a sentence; empty where it is not known."""
    wanted = (folder.facts.get("sessions") or {}).get("wanted")
    if not wanted and folder.study is not None:
        wanted = folder.study.quiz.participants
    return f"{whole(wanted)} invited, " if wanted else ""


def excluded(table: pd.DataFrame) -> pd.Series:
    """(N,) bool: left out altogether."""
    return table["excluded"].fillna(False).astype(bool)


def _trials_left_out(folder: StudyFolder, table: pd.DataFrame) -> list[str]:
    shown, dropped = int(table["n_trials"].sum()), int(table["n_excluded"].sum())
    share = f" ({percent(dropped / shown)})" if shown else ""
    touched = table[table["n_excluded"] > 0]
    by = touched["n_excluded"].groupby(of_exclusions(folder, touched), sort=False).sum()
    each = [f"{whole(count)} {BY[str(standing)]}" for standing, count in by.items()]
    how = f" {BY[by.index[0]]}" if len(by) == 1 else f": {listed(each)}" if len(by) else ""
    said = [f"{whole(dropped)} of {plural(shown, 'main trial')}{share} left out{how}."]
    if folder.study is None and not dropped:
        said = []  # whether there was a rule is not known
    if folder.study is not None:
        plan = folder.study.analysis
        rules = [*(rule for rule in plan.exclude_participants if not is_on_outcome(rule)), *plan.exclude]
        said.append(
            "The rules, fixed before the data: " + "; ".join(rules) + "."
            if rules
            else "No rule to leave anybody or any trial out was fixed."
        )
    unanswered = int((table["n_trials"] - table["n_answered"]).sum())
    if unanswered:
        said.append(f"{plural(unanswered, 'main trial')} without an answer: in no rate.")
    return said


def _without_table(folder: StudyFolder) -> list[str]:
    """From the sessions or the rates, where participation was not tabulated."""
    people = folder.scope("participant")
    if people.empty and folder.table(SESSIONS).empty:
        return []
    count = len(people) or folder.table(SESSIONS)["participant"].nunique()
    rates = folder.table(RATES)
    note = rates.loc[rates["scope"] == "all", "note"].dropna()
    told = [f"Of the answers: {note.iloc[0]}."] if len(note) and "excluded" in str(note.iloc[0]) else []
    return [f"{invited(folder)}{plural(count, 'participant')} answered.", *told]


def participants_views(folder: StudyFolder) -> list[View]:
    """First who was left out, then everybody."""
    table = folder.table(PARTICIPATION)
    if table.empty:
        return []
    touched = table[excluded(table) | (table["n_excluded"] > 0)]
    columns = {
        "participant": of(text, "participant"),
        "left out": lambda row: "the participant" if row["excluded"] is True else "single trials",
        "trials left out": of(whole, "n_excluded"),
        "standing": of(str, "standing"),
        "rule": of(text, "rule"),
    }
    shown = touched.assign(standing=of_exclusions(folder, touched).map(BY)).head(MOST_ROWS)
    left_out = view_of("Left out", shown, columns, text_columns=2, last_is_text=True, source="participation")
    return [*left_out, *_everybody(table)]


def _everybody(table: pd.DataFrame) -> list[View]:
    recorded = table["status"].notna().any() or (table["flagged_share"].fillna(0) > 0).any()
    columns = {
        "participant": of(text, "participant"),
        "last session": filled(table, "status", of(text, "status")),
        "trials": of(whole, "n_trials"),
        "answered": of(whole, "n_answered"),
        "right": of(percent, "accuracy"),
        "catch trials right": filled(table, "catch_accuracy", catch),
        "same answer": of(percent, "same_answer_share"),
        "median time": of(milliseconds, "median_reaction_time_ms"),
        "flagged": of(percent, "flagged_share") if recorded else None,
        "left out": of(whole, "n_excluded"),
    }
    cut = [f"The first {MOST_ROWS} of {whole(len(table))} participants; the file holds all."]
    notes = [*(cut if len(table) > MOST_ROWS else []), *noted(table, "participant")]
    return view_of(
        "Every participant", table.head(MOST_ROWS), columns, text_columns=2, notes=notes, source="participation"
    )


def catch(row: Record) -> str:
    """Share and number of catch trials; nothing where there were none."""
    return (
        text(None) if missing(row["catch_accuracy"]) else f"{percent(row['catch_accuracy'])} of {whole(row['n_catch'])}"
    )


def counted_participants(folder: StudyFolder) -> int:
    """Those whose answers count."""
    table = folder.table(PARTICIPATION)
    if len(table):
        return int((~excluded(table)).sum())
    return len(folder.scope("participant")) or main_trials(folder.answers())["participant"].nunique()
