"""Possible mistakes in a trials table, of which the user is warned."""

import shlex
from collections import defaultdict

import numpy as np
import pandas as pd

from gan_eval.errors import abbreviated
from gan_eval.stats.contradictions import agreement, are_single, possible_times
from gan_eval.tables import TRIALS
from gan_eval.tables.cells import person_of

MAX_NAMED = 3
"""Number of persons or sessions that a warning names."""
MIN_EQUAL_TIMES = 3
"""Minimum number of equal reaction times for the warning that two sessions may be one."""
MIN_ANSWERS = 10
"""Minimum number of answers of a person whose keys may have been exchanged."""
FAR_BELOW, FAR_ABOVE = 0.35, 0.65
"""Shares of correct answers of a person whose keys may have been exchanged, and of the others."""
MAX_QUESTIONS, ALIKE = 9, 0.8
"""Maximum number of trials of a picture that may be questions; minimum share of pictures with one number of trials."""
_OF_PICTURE = ("session", "block", "phase", "stimulus_b", "kind", "model", "dataset", "requested_exposure_ms")
"""Columns, next to `stimulus`, that are equal in all questions about a picture."""


def doubts(trials: pd.DataFrame) -> list[str]:
    """Return warnings: alike codes, impossible times, equal sessions, rows that may be questions, below chance."""
    is_timed = trials[["reaction_time_ms", "requested_exposure_ms"]].notna().any(axis=None)
    of_times = (_doubtful_times, _equal_sessions) if is_timed else ()
    checks = (_alike_codes, *of_times, _rows_in_succession, _below_chance)
    return [line for check in checks for line in check(trials)]


def _alike_codes(trials: pd.DataFrame) -> list[str]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for code in map(str, trials["participant"].dropna().unique()):
        spellings[person_of(code)].append(code)
    alike = [f"{' and '.join(map(repr, codes))}" for codes in spellings.values() if len(codes) > 1]
    if not alike:
        return []
    return [
        f"participants {_some(alike)} differ only in case or spaces and are counted as different people; if they are "
        "one person, write one code"
    ]


def _doubtful_times(trials: pd.DataFrame) -> list[str]:
    """Return warnings of impossible reaction times, and of columns in which some rows seem to be seconds."""
    lines = []
    impossible = trials["reaction_time_ms"][~possible_times(trials)].dropna()
    if len(impossible):
        lines.append(
            f"column reaction_time_ms: {len(impossible)} not above 0, or infinite; the first is "
            f"{impossible.iloc[0]:g} ms in row {impossible.index[0] + 1}. They count as missing, the answers count; "
            "correct the times, or remove the rows"
        )
    for name, least in (("reaction_time_ms", 10.0), ("requested_exposure_ms", 1.0)):
        times = trials[name][trials[name] > 0]
        low = times[times < least]
        if len(low) > max(2, len(times) / 100):
            lines.append(
                f"column {name}: {len(low)} of {len(times)} are below {least:g} ms, the first is {low.iloc[0]:g} in "
                f"row {low.index[0] + 1}: are these seconds? Bring all rows to milliseconds"
            )
    return lines


def _equal_sessions(trials: pd.DataFrame) -> list[str]:
    timed = trials[["session", "stimulus", "reaction_time_ms"]].dropna()
    session, names = pd.factorize(timed["session"].array)
    stimulus, time = pd.factorize(timed["stimulus"].array)[0], timed["reaction_time_ms"].to_numpy("float64")
    order = np.lexsort((time, stimulus, session))
    of_sessions = np.split(np.column_stack([stimulus, time])[order], np.flatnonzero(np.diff(session[order])) + 1)
    same: dict[bytes, list[str]] = defaultdict(list)
    for name, times in zip(names, of_sessions, strict=False):  # no name where nothing is timed
        if len(np.unique(times[:, 1])) >= MIN_EQUAL_TIMES:
            same[times.tobytes()].append(str(name))
    repeated = [" and ".join(map(abbreviated, sessions)) for sessions in same.values() if len(sessions) > 1]
    if not repeated:
        return []
    return [
        f"sessions {_some(repeated)} have the same pictures with equal reaction times: one session under two names? "
        "remove one of them"
    ]


def _rows_in_succession(trials: pd.DataFrame) -> list[str]:
    """Return a question if nearly all pictures have the same number of trials in succession, as of several questions.

    Pictures shown again in random order, or at several exposures, have not. Trials with an onset are this program's.
    """
    session, stimulus = (pd.factorize(trials[name].array)[0] for name in ("session", "stimulus"))
    order = np.lexsort((trials["trial"].to_numpy("int64"), session))
    is_same = np.diff(stimulus[order]) == 0
    if is_same.sum() <= ALIKE / 2 * len(trials) or trials["onset_ms"].notna().any():
        return []
    for name in _OF_PICTURE:
        is_same &= np.diff(pd.factorize(trials[name].array)[0][order]) == 0
    starts = np.flatnonzero(np.r_[True, ~is_same])
    sizes = np.diff(np.r_[starts, len(trials)])
    size = int(np.bincount(sizes).argmax())
    is_usual = sizes == size
    of_people = pd.Series(is_usual).groupby(session[order[starts]]).mean()
    if is_usual.mean() < ALIKE or of_people.min() < 0.5 or not 1 < size <= MAX_QUESTIONS or stimulus.max() < 3:
        return []
    of_trials = order[starts[is_usual, None] + np.arange(size)]
    fix = "name the question in a new column, and take one with trials import --where COLUMN=QUESTION"
    for name in trials.columns.difference([*TRIALS.names], sort=False)[::-1].map(str):
        words = trials[name].astype(str).to_numpy(str)[of_trials]
        if len({*words[0]}) == size and (np.sort(words) == np.sort(words[0])).all():
            fix = f"take one with trials import --where {shlex.quote(f'{name}={words[0, 0]}')}"
    return [f"each picture has {size} trials in succession: if these are questions about it, {fix}"]


def _below_chance(trials: pd.DataFrame) -> list[str]:
    """Return warnings: people far below chance among others far above it; a question that may be the opposite one."""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    main = main.assign(agrees=agreement(main), single=are_single(main))
    main = main[main["agrees"].notna()].astype({"agrees": bool})
    if main.empty:
        return []
    lines = []
    if people := _far_below_others(main):
        below = main["participant"].isin(people)
        lines.append(
            f"participants {_some([abbreviated(name) for name in people])} answered {main['agrees'][below].mean():.0%} "
            f"correctly, the others {main['agrees'][~below].mean():.0%}: were their keys exchanged?"
        )
    imported = main[main["onset_ms"].isna()]  # this program knows its question
    for part, level, question in (
        (imported[~imported["single"]], 0.05, "if they were to choose the fake one, import with --asked fake"),
        (imported[imported["single"]], 0.001, "are the meanings of real and fake exchanged?"),
    ):
        share = part["agrees"].mean()
        if share < 0.5 and _is_below_half(part, level):
            lines.append(f"{share:.0%} of {len(part)} answers are correct, below chance: {question}")
    return lines


def _far_below_others(main: pd.DataFrame) -> list[str]:
    """Return the people with far fewer correct answers than chance, to both kinds, among others far above it."""
    by_person = main.groupby("participant", observed=True)["agrees"].agg(["sum", "size"])
    share, n = by_person["sum"] / by_person["size"], by_person["size"]
    worst = main.groupby(["participant", main["kind"].fillna("")], observed=True)["agrees"].mean()
    is_low = (share < FAR_BELOW) & (n >= MIN_ANSWERS) & (worst.groupby(level=0).max().reindex(share.index) <= 0.5)
    if not is_low.any():
        return []
    from scipy.special import bdtr

    is_low &= bdtr(by_person["sum"], n.to_numpy(), 0.5) < 0.025
    others = by_person[~is_low]
    if not is_low.any() or is_low.sum() > len(others) or others["sum"].sum() < FAR_ABOVE * others["size"].sum():
        return []
    return [str(name) for name in is_low.index[is_low]]


def _is_below_half(main: pd.DataFrame, level: float) -> bool:
    """Return True if fewer than half of the answers are correct, to both kinds, at this two-sided level.

    The error is clustered by participant and by picture.
    """
    right, n = main["agrees"].to_numpy(bool), len(main)
    if main.groupby(main["kind"].fillna(""), observed=True)["agrees"].mean().max() >= 0.5:
        return False
    from gan_eval.science.inference import binomial_p, degrees_of_freedom, two_sided_p, two_way

    factors = [pd.factorize(main[name])[0] for name in ("participant", "stimulus")]
    variance = two_way(((right - right.mean()) / n)[:, None], *factors)
    several = [factor for factor in factors if factor.max() > 0]
    p = two_sided_p(right.mean() - 0.5, np.sqrt(variance[0]), max(1, degrees_of_freedom(*several))) if several else 0.0
    return bool(np.nanmax([float(p), float(binomial_p(right.sum(), n))]) < level)


def _some(names: list[str]) -> str:
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
