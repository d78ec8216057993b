"""Participants, exclusions, exposures and reaction times."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd

from gan_eval.judgements.trials import requested_exposure
from gan_eval.report.parts.blocks import Lines, ReportSection, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import CellFormat, cell, labelled, table_of
from gan_eval.report.parts.words import (
    MAX_NAMED,
    NARROW,
    NOTHING,
    Record,
    from_to,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    text,
    whole,
)
from gan_eval.report.people.caveats import BROWSER_LAG, EXCLUDED_BY, in_browser, is_analysed, is_excluded
from gan_eval.report.people.verdicts import BY_RULE, PRESET
from gan_eval.stats.exclusions import participant_groups
from gan_eval.stats.paper import PAPER, SINGLE, distinct_rows, one_kind_sentence
from gan_eval.stats.tables.rates import REACTION_TIMES
from gan_eval.stats.tables.robustness import is_on_outcome
from gan_eval.tables import CHECKS, PARTICIPANTS, PARTICIPATION, SESSIONS
from gan_eval.tables.names import NOT_KNOWN

_LAG = (
    "Exposures are differences between time stamps of the display. The absolute lag of display and keyboard was not "
    "measured, so reaction times contain each device's own lag."
)
MAX_LEVELS = 6
"""Maximum number of exposures in a sentence and of numbers in a table; of more, the range is given."""
MAX_ANSWERS = 12
"""Different answers to a question that are counted one by one."""


def demographics(folder: StudyFolder) -> ShownTable:
    """Return the answers to the study's own questions, of the participants whose answers are analysed.

    Numbers are given by mean, SD and range, other answers by their counts.
    """
    table, part = folder.table(PARTICIPANTS), folder.table(PARTICIPATION)
    if len(part):
        table = table[table["participant"].isin(part.loc[is_analysed(part).to_numpy(bool), "participant"])]
    asked = {question.id: question.text for question in folder.study.quiz.questions} if folder.study else {}
    rows = []
    for question, answers in table.dropna(subset="answer").groupby("question", sort=False)["answer"]:
        name, values = asked.get(str(question), str(question)), pd.to_numeric(answers, errors="coerce")
        counts = answers.value_counts().sort_index()
        if values.notna().all() and len(counts) > MAX_LEVELS:
            spread = f"M = {number(values.mean(), digits=1)}, SD = {number(values.std(), digits=1)}"
            rows.append([name, f"{spread}, {values.min():g} to {values.max():g}", whole(len(values)), NOTHING])
            continue
        if len(counts) > MAX_ANSWERS:
            rows.append([name, plural(len(counts), "different answer"), whole(len(answers)), NOTHING])
            continue
        rows += [[name, str(value), whole(n), percent(n / len(answers))] for value, n in counts.items()]
    head = ["question", "answer", "participants", "share"]
    return ShownTable("Answers to the study's questions", head, rows, 2, source="participants", grouped=True)


def participation_sentences(folder: StudyFolder) -> list[str]:
    """Return how many started, finished and were excluded, and by which rules.

    Without the table of participation: nothing.
    """
    table = folder.table(PARTICIPATION)
    if table.empty:
        return []
    count = plural(len(table), "participant")
    if table["participant"].eq(NOT_KNOWN).all():
        attended = "It is not known how many people answered: their answers were counted by picture"
    elif table["status"].isna().all():
        attended = f"{count} took part"
    else:
        complete = int((table["status"] == "complete").sum())
        attended = f"{count} started, {whole(complete)} of them finished"
    planned = folder.facts.sessions.wanted
    if not planned and folder.study is not None:
        planned = folder.study.quiz.participants
    sentences = [f"Planned: {plural(planned, 'participant')}; {attended}." if planned else f"{attended}."]
    part = participant_groups(table)
    if part.unfinished:
        sentences.append(
            f"{plural(len(part.unfinished), 'participant')} did not finish: their answers are not analysed, and they "
            "do not count towards the planned number."
        )
    if part.silent:
        unanswered = plural(part.unanswered, "trial")
        sentences.append(f"{plural(len(part.silent), 'participant')} gave no answer, in {unanswered}.")
    if every := len(part.excluded) - int(is_excluded(table).sum()):
        sentences.append(f"Every trial of {plural(every, 'participant')} was excluded.")
    if left_out := left_out_text(folder):
        sentences.append(f"{left_out}.")
    return [*sentences, *filter(None, [one_kind_sentence(folder.table(PAPER))])]


def left_out_text(folder: StudyFolder) -> str:
    """Return the numbers of excluded participants and trials with the rules; empty if unknown."""
    table = folder.table(PARTICIPATION)
    touched = table[table["rule"].notna()]
    if table.empty or (folder.study is None and touched.empty):
        return ""
    rules: dict[str, list[str]] = {PRESET: []}
    if folder.study is not None:
        plan = folder.study.analysis
        rules[PRESET] = [*(rule for rule in plan.exclude_participants if not is_on_outcome(rule)), *plan.exclude]
    for standing, named in zip(touched["standing"], touched["rule"], strict=True):
        rules.setdefault(BY_RULE if missing(standing) else standing, []).extend(str(named).split("; "))
    parts = [
        f"{EXCLUDED_BY[standing]}: {listed([*dict.fromkeys(names)])}" for standing, names in rules.items() if names
    ]
    people, trials = int(is_excluded(table).sum()), int(table["n_excluded"].sum())
    by = f" ({'; '.join(parts)})" if parts else ""
    return f"{plural(people, 'participant')} and {plural(trials, 'trial')} were excluded{by}"


def analysed_text(folder: StudyFolder) -> str:
    """Return whose answers are analysed: `the answers of 25 participants`."""
    who = folder.who_text(included_count(folder))
    return f"the answers of {who}{',' * (', ' in who)}"


def included_count(folder: StudyFolder) -> int:
    """Return the number of participants whose answers count: those in the result, if all judged single pictures."""
    table, people = folder.table(PARTICIPATION), folder.scope("participant")
    count = int((is_analysed(table) if len(table) else people["n_real"] + people["n_fake"] > 0).sum())
    paper = distinct_rows(folder.table(PAPER))
    if set(paper["protocol"]) == {SINGLE}:
        count = min(count, int(paper["n_participants"].iloc[-1]))  # of all models, or of the only row
    return count


def timing_section(folder: StudyFolder) -> ReportSection:
    """Return sentences on screens and self-tests, exposures by level, reaction times, and flags."""
    trials = folder.presented
    cells: list[str] = trials["flags"].dropna().astype(str).tolist() if len(trials) else []
    counts = Counter(flag for names in cells for flag in set(names.split()))
    rows = [[flag, whole(count), percent(count / len(trials))] for flag, count in sorted(counts.items())]
    flags = ShownTable("Flagged trials", ["flag", "trials", "share of main trials"], rows, source="trials")
    frame = folder.table(REACTION_TIMES)
    not_crossed = (frame["kind"] == "all") | (frame["answers"] == "all")
    frame = frame[(frame["scope"] == "all") & (frame["n"] > 0) & not_crossed]
    columns = {
        "pictures": labelled({"fake": "generated"}, "kind"),
        "answers": cell(text, "answers"),
        "n": cell(whole, "n"),
        "median": cell(milliseconds, "median_ms"),
        "quartiles": lambda row: f"{milliseconds(row['q25_ms'])} to {milliseconds(row['q75_ms'])}",
    }
    times = table_of("Reaction times", frame, columns, text_columns=2, label="id", source="reaction_times")
    blocks = [Lines(timing_sentences(folder)), *_exposure_tables(folder), *times, flags]
    return ReportSection("timing", "Exposures and reaction times", blocks)


def timing_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on screens, flags and what was not measured; nothing without trials and sessions."""
    if folder.only_simulated:
        return ["The answers are simulated: no picture was shown, and no time was measured."]
    trials, sessions, checks = folder.presented, folder.table(SESSIONS), folder.table(CHECKS)
    if sessions.empty and (trials.empty or trials["exposure_ms"].isna().all()):
        return []
    sentences = [*_screen_sentences(sessions), *_browser_sentences(sessions, trials)]
    checks = checks[~checks["session"].isin(sessions.loc[in_browser(sessions), "session"])]
    flagged = trials["flags"].fillna("") != ""
    if len(trials) and (len(sessions) or flagged.any()):  # imported answers without sessions have no flags
        main = plural(len(trials), "main trial")
        flags = Counter(flag.replace("_", " ") for names in trials["flags"].dropna() for flag in str(names).split())
        named = f": {listed([flag for flag, _ in flags.most_common(MAX_NAMED)])}" if flags else ""
        sentences.append(f"{percent(flagged.mean())} of {main} have a flag{named}.")
    if len(checks):
        count = plural(checks["session"].nunique(), "session")
        bad = checks[checks["verdict"].isin(["warning", "failed"])]
        names = list(dict.fromkeys(bad["check"].astype(str)))[:6]
        sentences.append(
            f"The timing self-test warned or failed in {bad['session'].nunique()} of {count}: {listed(names)}."
            if names
            else f"The timing self-test of {count} found no problem."
        )
    return [*sentences, _LAG]


def _screen_sentences(sessions: pd.DataFrame) -> list[str]:
    parts = []
    sizes = sessions[["screen_width", "screen_height"]].dropna().drop_duplicates()
    if len(sizes):
        names = [f"{row['screen_width']:.0f} × {row['screen_height']:.0f}" for _, row in sizes.head(6).iterrows()]
        parts.append(f"{'screens of' if len(sizes) > 1 else 'screen of'} {listed(names)} pixels")
    if len(refresh := sessions["refresh_hz"].dropna()):
        parts.append(from_to(refresh, partial(number, digits=1)) + f"{NARROW}Hz")
    systems = sessions.loc[~in_browser(sessions), "platform"].dropna().astype(str)
    platforms = list(dict.fromkeys(systems.map(_system_name)))
    if platforms:
        parts.append(f"on {listed(platforms[:6])}{' and others' if len(platforms) > 6 else ''}")
    rounded = sessions["rounded"].dropna()
    if rounded.any():
        some = "" if rounded.all() else f" in {percent(rounded.mean())} of sessions"
        parts.append(f"exposures rounded to whole frames{some}")
    return [f"In {plural(len(sessions), 'session')}: {'; '.join(parts)}."] if parts else []


def _system_name(platform: str) -> str:
    """Return the name of an operating system without the numbers of its kernel.

    >>> _system_name("Linux-6.1.0-18-amd64-x86_64-with-glibc2.36"), _system_name("Windows-11-10.0.22631-SP0")
    ('Linux', 'Windows 11')
    """
    name, _, rest = platform.partition("-")
    release = rest.partition("-")[0]
    return f"{name} {release}" if release and name in ("Windows", "macOS") else name


def _browser_sentences(sessions: pd.DataFrame, trials: pd.DataFrame) -> list[str]:
    online = sessions[in_browser(sessions)]
    if online.empty:
        return []
    where = f"All {len(online)}" if 1 < len(online) == len(sessions) else f"{len(online)} of {len(sessions)}"
    sentence = f"{where} sessions ran in a browser, with refresh rates measured in the page"
    shown = trials[trials["session"].isin(online["session"])] if len(trials) else trials
    if "missed_frames" in shown and shown["missed_frames"].notna().any():
        share = float((shown["missed_frames"].dropna() > 0).mean())
        sentence += f"; frames were missed in {percent(share)} of their trials"
    return [f"{sentence}.", f"Reaction times in a browser contain a lag, {BROWSER_LAG}."]


def exposure_levels(trials: pd.DataFrame) -> pd.DataFrame:
    """Return requested and achieved exposure by level.

    Returns:
        columns requested_ms, n (achieved exposures), mean_ms, error_ms (mean of achieved minus
        planned, else minus requested), sd_ms (of that), worst_ms (of that, by size). requested_ms is infinite until the
        answer and missing where it is not known; both have no error.
    """
    achieved = trials["exposure_ms"].astype(float)
    planned = trials["planned_exposure_ms"].fillna(trials["requested_exposure_ms"]).astype(float)
    error = (achieved - planned).where(lambda values: np.isfinite(values))
    table = pd.DataFrame({"achieved": achieved, "error": error})
    levels = table.groupby(pd.Series(requested_exposure(trials), index=trials.index), dropna=False, sort=True)
    return pd.DataFrame(
        {
            "n": levels["achieved"].count(),
            "mean_ms": levels["achieved"].mean(),
            "error_ms": levels["error"].mean(),
            "sd_ms": levels["error"].std(),
            "worst_ms": levels["error"].agg(lambda errors: max(errors.dropna(), key=abs, default=np.nan)),
        }
    ).reset_index(names="requested_ms")


def until_answer(window_ms: float | None) -> str:
    """Return the exposure of pictures that stay until the answer, with its limit.

    >>> until_answer(4000.0).split(), until_answer(None)
    (['until', 'the', 'answer,', 'at', 'most', '4', 's'], 'until the answer')
    """
    return "until the answer" if window_ms is None else f"until the answer, at most {window_ms / 1000:g}{NARROW}s"


def window_of(folder: StudyFolder) -> float | None:
    """Return the response window in ms of a study that gan_eval showed; None: unknown or unlimited."""
    return folder.study.quiz.window_ms if folder.study is not None and len(folder.table(SESSIONS)) else None


def _exposure_tables(folder: StudyFolder) -> list[ShownTable]:
    trials, window_ms = folder.presented, window_of(folder)

    def duration(name: str, digits: int) -> CellFormat:
        return lambda row: NOTHING if missing(row[name]) else f"{number(row[name], digits=digits)}{NARROW}ms"

    def requested(row: Record) -> str:
        if missing(row["requested_ms"]):
            return "not known"
        return until_answer(window_ms) if np.isinf(row["requested_ms"]) else duration("requested_ms", 1)(row)

    levels = exposure_levels(trials) if len(trials) else pd.DataFrame({"n": []})
    columns = {
        "requested": requested,
        "pictures": cell(whole, "n"),
        "achieved (mean)": duration("mean_ms", 1),
        "error (mean)": duration("error_ms", 2),
        "error (SD)": duration("sd_ms", 2),
        "worst error": duration("worst_ms", 2),
    }
    shown, notes = levels[levels["n"] > 0], list[str]()
    if len(shown) and shown["error_ms"].notna().any():
        in_frames = ", which is the request in whole frames" * bool(folder.table(SESSIONS)["rounded"].any())
        notes = [f"Error: achieved minus planned exposure{in_frames}."]
    return table_of("Requested and achieved exposure", shown, columns, notes=notes, source="trials")
