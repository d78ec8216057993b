"""How far the exposures asked for were achieved, and on which screens."""

from collections import Counter

import numpy as np
import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import (
    NARROW,
    View,
    listed,
    milliseconds,
    missing,
    number,
    percent,
    plural,
    text,
    whole,
)
from gan_eval.stats.trials import asked_exposure, graded_trials, main_trials, pair_trials
from gan_eval.tables import CHECKS, SESSIONS

_LAG = (
    "Exposures are differences between time stamps of the display; the absolute lag of display and keyboard was not "
    "measured, so reaction times carry a constant of each device."
)
_MOST_CHECKS = 400


def timing_sentences(folder: StudyFolder) -> list[str]:
    """Screens, flags, and what was not measured; nothing without trials and sessions."""
    trials, sessions = shown_trials(folder), folder.table(SESSIONS)
    if sessions.empty and (trials.empty or trials["exposure_ms"].isna().all()):
        return []
    return [*_screens(sessions), *_flags(folder, trials), *_checked(folder.table(CHECKS)), _LAG]


def timing_views(folder: StudyFolder) -> list[View]:
    """Exposures by level, flags, and the self-tests of the screens."""
    trials, checks = shown_trials(folder), folder.table(CHECKS)
    views = [view for view in (_exposures(trials), _flag_table(trials)) if view.rows]
    return [*views, *([_checks(checks)] if len(checks) else [])]


def shown_trials(folder: StudyFolder) -> pd.DataFrame:
    """The main trials that count, of every procedure, answered or not, whatever a rule leaves out later."""
    trials = folder.answers()
    if trials.empty:
        return trials
    return pd.concat([main_trials(trials), graded_trials(trials), pair_trials(trials)])


def _screens(sessions: pd.DataFrame) -> list[str]:
    said = []
    sizes = sessions[["screen_width", "screen_height"]].dropna().drop_duplicates()
    if len(sizes):
        shown = [f"{whole(row['screen_width'])} × {whole(row['screen_height'])}" for _, row in sizes.head(6).iterrows()]
        said.append(f"{'screens of' if len(sizes) > 1 else 'screen of'} {listed(shown)} pixels")
    refresh = sorted(set(sessions["refresh_hz"].dropna().round(1)))
    if refresh:
        span = [refresh[0]] if len(refresh) == 1 else [refresh[0], refresh[-1]]
        said.append(" to ".join(number(hz, digits=1) for hz in span) + f"{NARROW}Hz")
    ratios = sorted(set(sessions["device_pixel_ratio"].dropna()))
    if ratios:
        said.append(f"device pixel ratio {listed([f'{ratio:g}' for ratio in ratios[:6]])}")
    for column, word in (("presenter", "presented by"), ("platform", "on")):
        names = list(dict.fromkeys(sessions[column].dropna().astype(str)))
        if names:
            said.append(f"{word} {listed(names[:6])}{' and others' if len(names) > 6 else ''}")
    rounded = sessions["rounded"].dropna()
    if len(rounded):
        said.append(
            "exposures rounded to whole frames"
            + ("" if rounded.all() else f" in {percent(rounded.mean())} of sessions")
        )
    return [f"In {plural(len(sessions), 'session')}: {'; '.join(said)}."] if said else []


def flagged_share(folder: StudyFolder, trials: pd.DataFrame) -> float | None:
    """Share of the trials with a flag; None where none were recorded: imported answers without sessions and flags."""
    flagged = trials["flags"].fillna("") != ""
    if trials.empty or (folder.table(SESSIONS).empty and not flagged.any()):
        return None
    return float(flagged.mean())


def _flags(folder: StudyFolder, trials: pd.DataFrame) -> list[str]:
    flagged = flagged_share(folder, trials)
    if flagged is None:
        return []
    return [f"{percent(flagged)} of {plural(len(trials), 'main trial')} carry a flag (late, focus lost, …)."]


def _checked(checks: pd.DataFrame) -> list[str]:
    bad = checks[checks["verdict"].isin(["warning", "failed"])]
    if checks.empty:
        return []
    sessions = plural(checks["session"].nunique(), "session")
    if bad.empty:
        return [f"The timing self-test of {sessions} found nothing amiss."]
    names = listed(list(dict.fromkeys(bad["check"].astype(str)))[:6])
    return [f"The timing self-test warned or failed in {bad['session'].nunique()} of {sessions}: {names}."]


def exposure_levels(trials: pd.DataFrame) -> pd.DataFrame:
    """Requested, planned and achieved exposure by level.

    Returns:
        columns requested_ms, planned_ms (median), n (achieved exposures), mean_ms, error_ms (mean of achieved minus
        planned, else minus requested), sd_ms (of that), worst_ms (of that, by size), missing. requested_ms is infinite
        until the answer and missing where it is not known; both have no error.
    """
    rows = []
    asked = pd.Series(asked_exposure(trials), index=trials.index)
    for level, part in trials.groupby(asked, dropna=False, sort=True):
        achieved = part["exposure_ms"].to_numpy(float)
        wanted = part["planned_exposure_ms"].fillna(part["requested_exposure_ms"]).to_numpy(float)
        error = (achieved - wanted)[np.isfinite(achieved - wanted)]
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
                "missing": int(np.isnan(achieved).sum()),
            }
        )
    names = ["requested_ms", "planned_ms", "n", "mean_ms", "error_ms", "sd_ms", "worst_ms", "missing"]
    return pd.DataFrame(rows, columns=names)


def _exposures(trials: pd.DataFrame) -> View:
    levels = exposure_levels(trials) if len(trials) else pd.DataFrame()
    rows = [
        [
            _asked(row["requested_ms"]),
            _ms(row["planned_ms"]),
            whole(row["n"]),
            _ms(row["mean_ms"]),
            _ms(row["error_ms"], digits=2),
            _ms(row["sd_ms"], digits=2),
            _ms(row["worst_ms"], digits=2),
        ]
        for row in levels.to_dict("records")
        if row["n"]
    ]
    head = [
        "requested", "planned (median)", "pictures", "achieved (mean)", "error (mean)", "error (SD)", "worst error",
    ]  # fmt: skip
    notes = ["Error: achieved less planned exposure; planned is what was asked for in whole frames."]
    return View("Exposure asked for and achieved", head, rows, notes=notes, source=("trials",))


def _asked(level: float) -> str:
    if missing(level):
        return "not known"
    return "until the answer" if np.isinf(level) else _ms(level)


def _flag_table(trials: pd.DataFrame) -> View:
    cells: list[str] = trials["flags"].dropna().astype(str).tolist() if len(trials) else []
    counts = Counter(flag for cell in cells for flag in set(cell.split()))
    rows = [[str(flag), whole(count), percent(count / len(trials))] for flag, count in sorted(counts.items())]
    return View("Flagged trials", ["flag", "trials", "share of main trials"], rows, source=("trials",))


def _checks(checks: pd.DataFrame) -> View:
    numbers = {session: str(number) for number, session in enumerate(dict.fromkeys(checks["session"]), start=1)}
    rows = [
        [
            text(row["check"]),
            numbers[row["session"]],
            ""
            if missing(row["value"])
            else f"{row['value']:.4g} {'' if missing(row['unit']) else row['unit']}".strip(),
            text(row["verdict"]),
        ]
        for row in checks.head(_MOST_CHECKS).to_dict("records")
    ]
    return View(
        "Timing self-tests", ["check", "session", "value", "verdict"], rows, text_columns=2, last_is_text=True,
        source=("checks",),
    )  # fmt: skip


def _ms(value: object, *, digits: int = 1) -> str:
    return milliseconds(value) if missing(value) else f"{number(value, digits=digits)}{NARROW}ms"
