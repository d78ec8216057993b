"""Participants, exclusions, exposures and reaction times."""

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd

from gan_eval.judgements.trials import requested_exposure
from gan_eval.report.parts.blocks import Lines, ReportSection, ShownTable
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.sentences import said, sentence
from gan_eval.report.parts.table import CellFormat, cell, labelled, table_of
from gan_eval.report.parts.words import (
    MAX_NAMED,
    NARROW,
    NOTHING,
    Record,
    from_to,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    text,
    whole,
)
from gan_eval.report.people.caveats import BROWSER_LAG, in_browser, is_analysed, is_excluded
from gan_eval.stats.cited import one_kind_sentence
from gan_eval.stats.exclusions import participant_groups
from gan_eval.stats.results import BY_RULE, PRESET, SINGLE
from gan_eval.stats.tables.rates import REACTION_TIMES
from gan_eval.stats.tables.robustness import is_on_outcome
from gan_eval.tables import CHECKS, PARTICIPANTS, PARTICIPATION, SESSIONS
from gan_eval.tables.names import NOT_KNOWN

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
    is_known = not table["participant"].eq(NOT_KNOWN).all()
    n_complete = None if table["status"].isna().all() else int((table["status"] == "complete").sum())
    planned = folder.facts.sessions.wanted or (folder.study.quiz.participants if folder.study is not None else 0)
    part = participant_groups(table)
    n_excluded = len(part.excluded) - int(is_excluded(table).sum())
    counts = len(part.unfinished), len(part.silent), part.unanswered, n_excluded
    left_out = left_out_text(folder)
    return [
        *said("participants", "took_part", planned, len(table), n_complete, is_known, folder.only_simulated),
        *said("participants", "without_answers", *counts),
        *([f"{left_out}."] if left_out else []),
        *filter(None, [one_kind_sentence(folder.results)]),
    ]


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
    given = [(source, [*dict.fromkeys(names)]) for source, names in rules.items() if names]
    people, trials = int(is_excluded(table).sum()), int(table["n_excluded"].sum())
    return sentence("participants", "left_out", people, trials, given)


def analysed_text(folder: StudyFolder) -> str:
    """Return whose answers are analysed: `the answers of 25 participants`."""
    return sentence("participants", "analysed", folder.who_text(included_count(folder)))


def included_count(folder: StudyFolder) -> int:
    """Return the number of participants whose answers count: those in the result, if all judged single pictures."""
    table, people = folder.table(PARTICIPATION), folder.scope("participant")
    count = int((is_analysed(table) if len(table) else people["n_real"] + people["n_fake"] > 0).sum())
    cited = folder.results.cited
    if {each.protocol for each in cited} == {SINGLE}:
        count = min(count, cited[-1].counts["n_participants"] or 0)  # of all models, or of the only row
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
        return said("participants", "simulated")
    trials, sessions, checks = folder.presented, folder.table(SESSIONS), folder.table(CHECKS)
    if sessions.empty and (trials.empty or trials["exposure_ms"].isna().all()):
        return []
    sentences = [*_screen_sentences(sessions), *_browser_sentences(sessions, trials)]
    checks = checks[~checks["session"].isin(sessions.loc[in_browser(sessions), "session"])]
    if len(trials) and (len(sessions) or (trials["flags"].fillna("") != "").any()):
        sentences += _flag_sentences(trials)  # imported answers without sessions have no flags
    return [*sentences, *_check_sentences(checks), sentence("participants", "lag")]


def _flag_sentences(trials: pd.DataFrame) -> list[str]:
    flags = Counter(flag.replace("_", " ") for names in trials["flags"].dropna() for flag in str(names).split())
    names = [flag for flag, _ in flags.most_common(MAX_NAMED)]
    return said("participants", "flags", (trials["flags"].fillna("") != "").mean(), len(trials), names)


def _check_sentences(checks: pd.DataFrame) -> list[str]:
    if checks.empty:
        return []
    bad = checks[checks["verdict"].isin(["warning", "failed"])]
    names = list(dict.fromkeys(bad["check"].astype(str)))[:6]
    return said("participants", "checks", checks["session"].nunique(), bad["session"].nunique(), names)


def _screen_sentences(sessions: pd.DataFrame) -> list[str]:
    sizes = sessions[["screen_width", "screen_height"]].dropna().drop_duplicates().itertuples(index=False)
    names = [f"{width:.0f} × {height:.0f}" for width, height in sizes]
    refresh, rounded = sessions["refresh_hz"].dropna(), sessions["rounded"].dropna()
    refresh_hz = from_to(refresh, partial(number, digits=1)) if len(refresh) else ""
    systems = sessions.loc[~in_browser(sessions), "platform"].dropna().astype(str)
    platforms = list(dict.fromkeys(systems.map(_system_name)))
    share = rounded.mean() if len(rounded) else 0
    return said("participants", "screens", len(sessions), names, refresh_hz, platforms, share)


def _browser_sentences(sessions: pd.DataFrame, trials: pd.DataFrame) -> list[str]:
    online = sessions[in_browser(sessions)]
    if online.empty:
        return []
    shown, missed = trials[trials["session"].isin(online["session"])] if len(trials) else trials, None
    if "missed_frames" in shown and shown["missed_frames"].notna().any():
        missed = float((shown["missed_frames"].dropna() > 0).mean())
    return said("participants", "browsers", len(online), len(sessions), missed, BROWSER_LAG)


def _system_name(platform: str) -> str:
    """Return the name of an operating system without the numbers of its kernel.

    >>> _system_name("Linux-6.1.0-18-amd64-x86_64-with-glibc2.36"), _system_name("Windows-11-10.0.22631-SP0")
    ('Linux', 'Windows 11')
    """
    name, _, rest = platform.partition("-")
    release = rest.partition("-")[0]
    return f"{name} {release}" if release and name in ("Windows", "macOS") else name


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
