"""Participants: who took part, who was left out by which rule, and how far they agree."""

import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import INTERVAL, cell, if_filled, interval_cell, labelled, table_of
from gan_eval.report.parts.words import (
    Record,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    row_notes,
    text,
    whole,
)
from gan_eval.report.people.design import BY, broke_off, exclusion_standing, is_analysed, is_excluded, planned_rules
from gan_eval.stats.answers.agreement import AGREEMENT
from gan_eval.stats.answers.rates import RATES
from gan_eval.stats.trials import main_trials
from gan_eval.tables import PARTICIPATION, SESSIONS

MOST_ROWS = 500
"""Participants in the page's table; the file holds all."""
MOST_NAMED = 20
"""Participants named in a sentence."""


def participants_section(folder: StudyFolder) -> Section:
    """Return how many took part, who was left out, every participant, and how far participants agree."""
    sentences = Lines(participation_sentences(folder))
    blocks = [sentences, *participation_tables(folder), *alpha_tables(folder)]
    return Section("participants", "Participants and exclusions", blocks)


def participation_sentences(folder: StudyFolder) -> list[str]:
    """Return how many started, finished and were left out, and by which rules.

    Without the table of participation: how many answered, from the sessions or the rates.
    """
    table = folder.table(PARTICIPATION)
    if table.empty:
        people, sessions, rates = people_answering(folder), folder.table(SESSIONS), folder.table(RATES)
        if people.empty and sessions.empty:
            return []
        count = plural(len(people) or sessions["participant"].nunique(), "participant")
        notes = [str(note) for note in rates.loc[rates["scope"] == "all", "note"].dropna()[:1]]
        of_answers = [f"Of the answers: {note}." for note in notes if "excluded" in note]
        return [f"{wanted_text(folder)}{count} answered.", *of_answers]
    count = plural(len(table), "participant")
    if table["status"].isna().all():
        took_part = f"{count} {'is' if len(table) == 1 else 'are'} in this table"
    else:
        complete = int((table["status"] == "complete").sum())
        took_part = f"{count} started, {whole(complete)} of them finished"
    sentences = [f"{wanted_text(folder)}{took_part}."]
    aborted = table[broke_off(table)]
    if len(aborted):
        some = int(is_analysed(aborted).sum())
        analysed = "none of their answers is analysed"
        if some:
            whose = "their answers" if some == len(aborted) else f"the answers of {whole(some)} of them"
            analysed = f"{whose} up to then are analysed"
        sentences.append(
            f"{plural(len(aborted), 'participant')} broke off: {analysed}, and they do not count towards the number "
            "wanted."
        )
    rest = table[~is_excluded(table) & ~is_analysed(table)]
    if silent := int((rest["n_answered"] == 0).sum()):
        sentences.append(f"{plural(silent, 'participant')} gave no answer.")
    if len(rest) > silent:
        sentences.append(f"Of {plural(len(rest) - silent, 'participant')} every trial was left out.")
    excluded = table[is_excluded(table)]
    for standing, part in excluded.groupby(exclusion_standing(folder, excluded), sort=False):
        names = [f"{row['participant']} ({text(row['rule'])})" for row in part.head(MOST_NAMED).to_dict("records")]
        more = [f"{whole(len(part) - MOST_NAMED)} more"] if len(part) > MOST_NAMED else []
        who = listed([*names, *more])
        sentences.append(f"{plural(len(part), 'participant')} left out {BY[str(standing)]}: {who}.")
    if excluded.empty and (folder.study is not None or table["n_excluded"].sum()):
        sentences.append("No participant was left out.")
    return [*sentences, *_trial_sentences(folder, table)]


def _trial_sentences(folder: StudyFolder, table: pd.DataFrame) -> list[str]:
    """Return how many trials were left out by which rules, and how many were not answered."""
    n_trials, n_excluded = int(table["n_trials"].sum()), int(table["n_excluded"].sum())
    share = f" ({percent(n_excluded / n_trials)})" if n_trials else ""
    touched = table[table["n_excluded"] > 0]
    counts = touched["n_excluded"].groupby(exclusion_standing(folder, touched), sort=False).sum()
    parts = [f"{whole(count)} {BY[str(standing)]}" for standing, count in counts.items()]
    how = f" {BY[str(counts.index[0])]}" if len(counts) == 1 else f": {listed(parts)}" if parts else ""
    sentences = []
    if folder.study is not None or n_excluded:  # else whether there was a rule is not known
        sentences.append(f"{whole(n_excluded)} of {plural(n_trials, 'main trial')}{share} left out{how}.")
    if folder.study is not None:
        rules = planned_rules(folder.study)
        fixed = f"The rules, fixed before the data: {'; '.join(rules)}."
        sentences.append(fixed if rules else "The plan has no rule to leave out participants or trials.")
    if unanswered := int((table["n_trials"] - table["n_answered"]).sum()):
        sentences.append(f"{plural(unanswered, 'main trial')} without an answer: in no rate.")
    return sentences


def participation_tables(folder: StudyFolder) -> list[Table]:
    """Return who was left out, then every participant."""
    frame = folder.table(PARTICIPATION)
    if frame.empty:
        return []
    touched = frame[is_excluded(frame) | (frame["n_excluded"] > 0)]
    left_out = table_of(
        "Left out",
        touched.assign(standing=exclusion_standing(folder, touched).map(BY)).head(MOST_ROWS),
        {
            "participant": cell(text, "participant"),
            "left out": lambda row: "the participant" if row["excluded"] is True else "single trials",
            "trials left out": cell(whole, "n_excluded"),
            "standing": cell(str, "standing"),
            "rule": cell(text, "rule"),
        },
        text_columns=2,
        last_is_text=True,
        source="participation",
    )
    flags_recorded = frame["status"].notna().any() or (frame["flagged_share"].fillna(0) > 0).any()
    notes = row_notes(frame, "participant")
    if len(frame) > MOST_ROWS:
        notes.insert(0, f"The first {MOST_ROWS} of {whole(len(frame))} participants; the file holds all.")
    everybody = table_of(
        "Every participant",
        frame.head(MOST_ROWS),
        {
            "participant": cell(text, "participant"),
            "last session": if_filled(frame, "status", cell(text, "status")),
            "trials": cell(whole, "n_trials"),
            "answered": cell(whole, "n_answered"),
            "right": cell(percent, "accuracy"),
            "catch trials right": if_filled(frame, "catch_accuracy", catch_text),
            "same answer": cell(percent, "same_answer_share"),
            "median time": cell(milliseconds, "median_reaction_time_ms"),
            "flagged": cell(percent, "flagged_share") if flags_recorded else None,
            "left out": cell(whole, "n_excluded"),
        },
        text_columns=2,
        notes=notes,
        source="participation",
    )
    return [*left_out, *everybody]


def alpha_tables(folder: StudyFolder) -> list[Table]:
    """Return Krippendorff's alpha."""
    columns = {
        "answer": labelled({"response": "real or fake", "rating": "grade", "choice": "choice of two"}, "answer"),
        "data set": labelled({}, "dataset", "all"),
        "pictures": labelled({"fake": "generated"}, "kind", "all"),
        "level": cell(text, "level"),
        "pictures judged": cell(whole, "n_stimuli"),
        "participants": cell(whole, "n_participants"),
        "answers": cell(whole, "n_answers"),
        "alpha": cell(number, "alpha"),
        INTERVAL: interval_cell(),
    }
    note = "Krippendorff's alpha: 1 is agreement, 0 is chance; intervals: bootstrap over pictures."
    return table_of(
        "Do participants agree with each other?",
        folder.table(AGREEMENT),
        columns,
        text_columns=4,
        notes=[note],
        label="answer",
        source="agreement",
    )


def catch_text(row: Record) -> str:
    """Return proportion and number of catch trials; nothing where there were none."""
    if missing(row["catch_accuracy"]):
        return text(None)
    return f"{percent(row['catch_accuracy'])} of {whole(row['n_catch'])}"


def wanted_text(folder: StudyFolder) -> str:
    """Return the planned number, as the beginning of a sentence; empty where it is not known."""
    required = (folder.facts.get("sessions") or {}).get("wanted")
    if not required and folder.study is not None:
        required = folder.study.quiz.participants
    return f"{whole(required)} wanted, " if required else ""


def analysed_text(folder: StudyFolder) -> str:
    """Return whose answers are analysed, and how many of them broke off: `the answers of 25 participants`."""
    table = folder.table(PARTICIPATION)
    who = plural(included_count(folder), "simulated participant" if folder.simulated else "participant")
    unfinished = int((broke_off(table) & is_analysed(table)).sum())
    return f"the answers of {who}{f' ({unfinished} of them up to where they broke off)' if unfinished else ''}"


def included_count(folder: StudyFolder) -> int:
    """Return the number of participants whose answers count."""
    table = folder.table(PARTICIPATION)
    if len(table):
        return int(is_analysed(table).sum())
    if len(people := people_answering(folder)):
        return len(people)
    trials = main_trials(folder.answers())
    return trials.loc[trials["answered"], "participant"].nunique()


def people_answering(folder: StudyFolder) -> pd.DataFrame:
    """Return the rates of participants who called any picture real or fake."""
    people = folder.scope("participant")
    return people[people["n_real"] + people["n_fake"] > 0]
