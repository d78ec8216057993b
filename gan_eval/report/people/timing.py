"""Was it shown as planned, and how long did they take? Exposures, screens, flags, self-tests and reaction times."""

from collections import Counter

import numpy as np
import pandas as pd

from gan_eval.report.parts.blocks import Lines, Section, Table
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.table import CellFormat, cell, table_of
from gan_eval.report.parts.words import (
    NARROW,
    Record,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    text,
    whole,
)
from gan_eval.stats.answers.times import REACTION_TIMES
from gan_eval.stats.trials import graded_trials, main_trials, pair_trials, requested_exposure
from gan_eval.tables import CHECKS, SESSIONS

_LAG = (
    "Exposures are differences between time stamps of the display. The absolute lag of display and keyboard was not "
    "measured, so reaction times carry a constant of each device."
)
_MOST_CHECKS = 400
MOST_LEVELS = 6
"""Exposures that a sentence lists; of more it gives the ends."""


def timing_section(folder: StudyFolder) -> Section:
    """Return screens, exposures by level, flags, and the self-tests of the screens."""
    trials, checks = presented_trials(folder), folder.table(CHECKS)
    cells: list[str] = trials["flags"].dropna().astype(str).tolist() if len(trials) else []
    counts = Counter(flag for names in cells for flag in set(names.split()))
    rows = [[flag, whole(count), percent(count / len(trials))] for flag, count in sorted(counts.items())]
    flags = Table("Flagged trials", ["flag", "trials", "share of main trials"], rows, source="trials")
    numbers = {session: str(place) for place, session in enumerate(dict.fromkeys(checks["session"]), start=1)}

    def value(row: Record) -> str:
        unit = "" if missing(row["unit"]) else row["unit"]
        return "" if missing(row["value"]) else f"{row['value']:.4g} {unit}".strip()

    self_tests = table_of(
        "Timing self-tests",
        checks.head(_MOST_CHECKS),
        {
            "check": cell(text, "check"),
            "session": lambda row: numbers[row["session"]],
            "value": value,
            "verdict": cell(text, "verdict"),
        },
        text_columns=2,
        last_is_text=True,
        source="checks",
    )
    blocks = [Lines(timing_sentences(folder)), *_exposure_tables(trials), flags, *self_tests]
    return Section("timing", "Was it shown as planned?", blocks)


def timing_sentences(folder: StudyFolder) -> list[str]:
    """Return sentences on screens, flags and what was not measured; nothing without trials and sessions."""
    trials, sessions, checks = presented_trials(folder), folder.table(SESSIONS), folder.table(CHECKS)
    if sessions.empty and (trials.empty or trials["exposure_ms"].isna().all()):
        return []
    sentences = _screen_sentences(sessions)
    flagged = flagged_share(folder, trials)
    if flagged is not None:
        main = plural(len(trials), "main trial")
        sentences.append(f"{percent(flagged)} of {main} carry a flag (late, focus lost, …).")
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


def presented_trials(folder: StudyFolder) -> pd.DataFrame:
    """Return the main trials of every procedure, answered or not, before any exclusion."""
    trials = folder.answers()
    if trials.empty:
        return trials
    return pd.concat([main_trials(trials), graded_trials(trials), pair_trials(trials)])


def _screen_sentences(sessions: pd.DataFrame) -> list[str]:
    """Return sizes, refresh rates, presenters and platforms of the screens, in one sentence."""
    parts = []
    sizes = sessions[["screen_width", "screen_height"]].dropna().drop_duplicates()
    if len(sizes):
        names = [f"{whole(row['screen_width'])} × {whole(row['screen_height'])}" for _, row in sizes.head(6).iterrows()]
        parts.append(f"{'screens of' if len(sizes) > 1 else 'screen of'} {listed(names)} pixels")
    refresh = sorted(set(sessions["refresh_hz"].dropna().round(1)))
    if refresh:
        ends = dict.fromkeys([refresh[0], refresh[-1]])
        parts.append(" to ".join(number(hz, digits=1) for hz in ends) + f"{NARROW}Hz")
    ratios = sorted(set(sessions["device_pixel_ratio"].dropna()))
    if ratios:
        parts.append(f"device pixel ratio {listed([f'{ratio:g}' for ratio in ratios[:6]])}")
    for column, preposition in (("presenter", "presented by"), ("platform", "on")):
        names = list(dict.fromkeys(sessions[column].dropna().astype(str)))
        if names:
            parts.append(f"{preposition} {listed(names[:6])}{' and others' if len(names) > 6 else ''}")
    rounded = sessions["rounded"].dropna()
    if len(rounded):
        some = "" if rounded.all() else f" in {percent(rounded.mean())} of sessions"
        parts.append(f"exposures rounded to whole frames{some}")
    return [f"In {plural(len(sessions), 'session')}: {'; '.join(parts)}."] if parts else []


def flagged_share(folder: StudyFolder, trials: pd.DataFrame) -> float | None:
    """Return the share of trials with a flag; None where none were recorded: imported answers without sessions."""
    flagged = trials["flags"].fillna("") != ""
    if trials.empty or (folder.table(SESSIONS).empty and not flagged.any()):
        return None
    return float(flagged.mean())


def exposure_levels(trials: pd.DataFrame) -> pd.DataFrame:
    """Return requested, planned and achieved exposure by level.

    Returns:
        columns requested_ms, planned_ms (median), n (achieved exposures), mean_ms, error_ms (mean of achieved minus
        planned, else minus requested), sd_ms (of that), worst_ms (of that, by size). requested_ms is infinite until the
        answer and missing where it is not known; both have no error.
    """
    rows = []
    requested = pd.Series(requested_exposure(trials), index=trials.index)
    for level, part in trials.groupby(requested, dropna=False, sort=True):
        achieved = part["exposure_ms"].to_numpy(float)
        planned = part["planned_exposure_ms"].fillna(part["requested_exposure_ms"]).to_numpy(float)
        error = (achieved - planned)[np.isfinite(achieved - planned)]
        known = achieved[~np.isnan(achieved)]
        rows.append(
            {
                "requested_ms": level,
                "planned_ms": part["planned_exposure_ms"].median(),
                "n": len(known),
                "mean_ms": known.mean() if len(known) else np.nan,
                "error_ms": error.mean() if len(error) else np.nan,
                "sd_ms": error.std(ddof=1) if len(error) > 1 else np.nan,
                "worst_ms": error[np.abs(error).argmax()] if len(error) else np.nan,
            }
        )
    return pd.DataFrame(rows, columns=["requested_ms", "planned_ms", "n", "mean_ms", "error_ms", "sd_ms", "worst_ms"])


def _exposure_tables(trials: pd.DataFrame) -> list[Table]:
    def duration(name: str, digits: int) -> CellFormat:
        return lambda row: (
            milliseconds(row[name]) if missing(row[name]) else f"{number(row[name], digits=digits)}{NARROW}ms"
        )

    def requested(row: Record) -> str:
        if missing(row["requested_ms"]):
            return "not known"
        return "until the answer" if np.isinf(row["requested_ms"]) else duration("requested_ms", 1)(row)

    levels = exposure_levels(trials) if len(trials) else pd.DataFrame({"n": []})
    columns = {
        "requested": requested,
        "planned (median)": duration("planned_ms", 1),
        "pictures": cell(whole, "n"),
        "achieved (mean)": duration("mean_ms", 1),
        "error (mean)": duration("error_ms", 2),
        "error (SD)": duration("sd_ms", 2),
        "worst error": duration("worst_ms", 2),
    }
    note = "Error: achieved minus planned exposure; planned is the request in whole frames."
    return table_of("Requested and achieved exposure", levels[levels["n"] > 0], columns, notes=[note], source="trials")


def times_section(folder: StudyFolder) -> Section:
    """Return the table of reaction times."""
    frame = folder.table(REACTION_TIMES)
    if len(frame):
        whole_rows = frame[(frame["kind"] == "all") & (frame["answers"] == "all")]
        datasets, everything = (whole_rows.loc[whole_rows["scope"] == name, "n"] for name in ("dataset", "all"))
        one_holds_all = len(datasets) == 1 and (everything.empty or datasets.sum() == everything.sum())
        scopes = ["dataset"] if one_holds_all else ["all", "dataset"]
        not_crossed = (frame["kind"] == "all") | (frame["answers"] == "all")
        frame = frame[frame["scope"].isin(scopes) & (frame["n"] > 0) & not_crossed]
    columns = {
        "group": lambda row: "everything" if row["scope"] == "all" else row["id"],
        "pictures": lambda row: "generated" if row["kind"] == "fake" else row["kind"],
        "answers": lambda row: row["answers"],
        "n": cell(whole, "n"),
        "median": cell(milliseconds, "median_ms"),
        "quartiles": lambda row: f"{milliseconds(row['q25_ms'])} to {milliseconds(row['q75_ms'])}",
        "geometric mean": cell(milliseconds, "geometric_mean_ms"),
    }
    tables = table_of("Reaction times", frame, columns, text_columns=3, label="id", source="reaction_times")
    return Section("times", "How long did they take?", tables)
