"""Accuracy, both error rates, d′ and criterion, and reaction times for every scope."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from gan_eval.base.inference import binomial_p, proportion, wilson
from gan_eval.judgements.contradictions import possible_times
from gan_eval.judgements.doubts import of_scores
from gan_eval.judgements.trials import AnyTrials, typed
from gan_eval.stats.groups import Groups, distinct, groups, notes_on_one, provenance
from gan_eval.tables.frames import conform
from gan_eval.tables.schema import (
    HOLE_SCOPES,
    KINDS,
    PROVENANCE,
    SCOPES,
    SHARE,
    Table,
    integer,
    interval_columns,
    milliseconds,
    number,
    text,
)

RATES = Table(
    "rates",
    "Accuracy and signal detection by group. Unanswered, practice and catch trials are in no rate. Intervals and p "
    "take the answers as independent: they are about these people and pictures.",
    (
        text("scope", "what the row is about", words=(*SCOPES, *HOLE_SCOPES), filled=True),
        text("id", "which participant, stimulus, model, ...; `all` for the scope all", filled=True),
        integer("n_real", "answered trials with a real picture", filled=True),
        integer("n_fake", "answered trials with a generated picture", filled=True),
        integer("n_none", "trials without an answer", filled=True),
        integer("hits", "fakes called fake", filled=True),
        integer("misses", "fakes called real", filled=True),
        integer("false_alarms", "reals called fake", filled=True),
        integer("correct_rejections", "reals called real", filled=True),
        number("accuracy", "share of answered trials that are correct", unit=SHARE),
        *interval_columns("accuracy", "its Wilson 95% interval", unit=SHARE),
        number("accuracy_p", "exact two-sided binomial test against 1/2", unit=SHARE),
        number("real_correct", "share of reals called real", unit=SHARE),
        *interval_columns("real", "its Wilson 95% interval", unit=SHARE),
        number("fake_correct", "share of fakes called fake; the fooling rate is 1 minus this", unit=SHARE),
        *interval_columns("fake", "its Wilson 95% interval", unit=SHARE),
        number("dprime", "z(hit rate) - z(false-alarm rate), log-linear correction"),
        number("criterion", "-(z(hit rate) + z(false-alarm rate))/2; above 0 leans to `real`"),
        *PROVENANCE,
    ),
    key=("scope", "id"),
)

REACTION_TIMES = Table(
    "reaction_times",
    "Reaction times of answered trials by group.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        integer("n", "number of answered trials with a reaction time", filled=True),
        milliseconds("median_ms", "median"),
        milliseconds("q25_ms", "lower quartile"),
        milliseconds("q75_ms", "upper quartile"),
        milliseconds("geometric_mean_ms", "exp of the mean log reaction time"),
        *PROVENANCE,
    ),
    key=("scope", "id", "kind", "answers"),
)

UNEVEN = 1.2
"""Minimum ratio of the numbers of reals and fakes for a note."""


def rates(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `rates` of a trials table.

    Args:
        trials: the table `trials` (see `gan_eval.judgements.trials.fill_trials` for frames with fewer columns).
            With the columns of `gan_eval.stats.groups.with_holes` come the scopes `mask_kind` and `mask_area_band`.
    """
    main = typed(trials).main
    answered, is_fake, says_fake = (main[name].to_numpy(bool) for name in ("answered", "is_fake", "says_fake"))
    # 0 correct rejection, 1 false alarm, 2 miss, 3 hit, 4 no answer
    outcome = np.where(answered, 2 * is_fake.astype(np.intp) + says_fake, 4)
    early = _with_more_answers(main[answered])
    counts, scopes, ids, facts = [], list[str](), list[str](), []
    for scope in (*SCOPES, *(name for name in HOLE_SCOPES if name in main and main[name].notna().any())):
        grouped = groups(main, scope)
        counts.append(grouped.tally(outcome, 5))
        scopes += [scope] * len(grouped.ids)
        ids += grouped.ids
        facts.append(provenance(main, grouped, _notes(main, counts[-1], grouped, scope, early)))
    correct_rejections, false_alarms, misses, hits, n_none = np.concatenate(counts).T
    n_real, n_fake = false_alarms + correct_rejections, hits + misses
    right, n = hits + correct_rejections, n_real + n_fake
    columns = {
        "scope": scopes,
        "id": ids,
        "n_real": n_real,
        "n_fake": n_fake,
        "n_none": n_none,
        "hits": hits,
        "misses": misses,
        "false_alarms": false_alarms,
        "correct_rejections": correct_rejections,
        "accuracy": proportion(right, n),
        "accuracy_p": binomial_p(right, n),
        "real_correct": proportion(correct_rejections, n_real),
        "fake_correct": proportion(hits, n_fake),
    }
    columns["accuracy_low"], columns["accuracy_high"] = wilson(right, n)
    columns["real_low"], columns["real_high"] = wilson(correct_rejections, n_real)
    columns["fake_low"], columns["fake_high"] = wilson(hits, n_fake)
    columns["dprime"], columns["criterion"] = dprime_and_criterion(hits, misses, false_alarms, correct_rejections)
    table = pd.DataFrame(columns).assign(**pd.concat(facts, ignore_index=True))
    return conform(table, RATES, where="rates")


def dprime_and_criterion(
    hits: ArrayLike, misses: ArrayLike, false_alarms: ArrayLike, correct_rejections: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Compute d′ and criterion with the log-linear correction: (count + 0.5) / (trials + 1) for both rates, always.

    The correction keeps both finite at rates of 0 and 1 (Hautus 1995, Behavior Research Methods, Instruments, &
    Computers 27, 46-51). Both are NaN without reals or without fakes; a criterion above 0 leans to `real`.

    >>> dprime, criterion = dprime_and_criterion(15, 10, 7, 18)
    >>> round(float(dprime), 6), round(float(criterion), 6)
    (0.801289, 0.15724)
    """
    hits, false_alarms = np.asarray(hits, float), np.asarray(false_alarms, float)
    n_fake = hits + np.asarray(misses, float)
    n_real = false_alarms + np.asarray(correct_rejections, float)
    z_hit = ndtri((hits + 0.5) / (n_fake + 1))
    z_false_alarm = ndtri((false_alarms + 0.5) / (n_real + 1))
    defined = (n_fake > 0) & (n_real > 0)
    criterion = -(z_hit + z_false_alarm) / 2 + 0.0  # + 0.0 turns -0.0 into 0.0
    return np.where(defined, z_hit - z_false_alarm, np.nan), np.where(defined, criterion, np.nan)


def _with_more_answers(answered: pd.DataFrame) -> str:
    """Return the note on pooled answers if people's numbers of answers go together with their answers; else empty."""
    participant = pd.factorize(answered["participant"])[0]
    kind, correct = answered["is_fake"].to_numpy(int), answered["correct"].to_numpy(float)
    found = of_scores(correct, participant, kind)
    if found is None:
        return ""
    how = "more" if found.r > 0 else "less"
    return f"participants with more answers were {how} often correct (r = {found.r:.2f}), and count more here"


def _notes(
    main: pd.DataFrame, counts: np.ndarray, grouped: Groups, scope: str, early: str
) -> list[tuple[np.ndarray, str]]:
    """Return the notes of the groups, from (G, 5) their counts of each outcome.

    Args:
        early: the note on pooled answers if some people stopped early; empty: none.
    """
    n_real, n_fake = counts[:, :2].sum(axis=1), counts[:, 2:4].sum(axis=1)
    n = n_real + n_fake
    notes = []
    if scope == "all":
        notes.append((distinct(main["study"], grouped) > 1, "trials of several studies"))
    notes.append((n == 0, "no answered trials"))
    if scope != "stimulus":
        edge = (counts[:, :4] == 0).any(axis=1)
        notes += [
            ((n > 0) & (n_real == 0), "no real pictures: d′ and criterion undefined"),
            ((n > 0) & (n_fake == 0), "no generated pictures: d′ and criterion undefined"),
            ((n_real > 0) & (n_fake > 0) & edge, "a rate of 0 or 1: d′ rests on the log-linear correction"),
            ((n > 0) & (n < 10), "fewer than 10 answers"),
        ]
    if scope not in ("participant", "stimulus"):  # participants pooled, and both kinds of picture
        fewer, more = np.minimum(n_real, n_fake), np.maximum(n_real, n_fake)
        uneven = (fewer > 0) & (more >= UNEVEN * fewer)
        notes.append((uneven, "real and generated pictures not equally many: accuracy mixes skill and leaning, see d′"))
        participants = distinct(main["participant"], grouped)
        notes += notes_on_one(main["participant"], grouped, participants == 1)
        if early:
            notes.append((participants > 1, early))
    return notes


def reaction_times(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `stimulus` has one truth, so its rows are for `kind` all. Only the row for everything may have no trial.
    """
    answered = typed(trials).answered
    times = answered["reaction_time_ms"].to_numpy("float64")
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(times)).sum())
    timed = answered[possible].reset_index(drop=True)
    scopes = SCOPES if len(timed) else ("all",)
    table = pd.concat([_scope_times(timed, scope) for scope in scopes], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table.reindex(columns=list(REACTION_TIMES.names)), REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, scope: str) -> pd.DataFrame:
    grouped = groups(timed, scope)
    is_fake, is_correct = (timed[name].to_numpy(bool)[grouped.row] for name in ("is_fake", "correct"))
    every = np.ones(len(is_fake), bool)
    within = {"all": every, "fake": is_fake, "real": ~is_fake, "correct": is_correct, "wrong": ~is_correct}
    kinds = ("all",) if scope == "stimulus" else ("all", *KINDS)
    combinations = [*product(kinds, ("all", "correct", "wrong"))]
    parts = [np.flatnonzero(within[of] & within[answers]) for of, answers in combinations]
    chosen, combination = np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    time = timed["reaction_time_ms"].to_numpy("float64")[grouped.row[chosen]]
    row = grouped.group[chosen] * len(parts) + combination
    counts = np.bincount(row, minlength=1)
    has_rows = scope != "all" or len(row) > 0
    rows = np.flatnonzero(counts) if has_rows else np.zeros(1, np.intp)
    group, of_row = np.divmod(rows, len(parts))
    columns: dict[str, Any] = {"scope": scope, "id": [grouped.ids[index] for index in group]}
    for column, name in enumerate(("kind", "answers")):
        columns[name] = [combinations[index][column] for index in of_row]
    columns["n"] = n = counts[rows]
    if has_rows:
        columns["geometric_mean_ms"] = np.exp(np.bincount(row, np.log(time))[rows] / n)
        columns["q25_ms"], columns["median_ms"], columns["q75_ms"] = _quartiles(time, row, n)
    of_group = provenance(timed, grouped)
    return pd.DataFrame(columns | {name: of_group[name].to_numpy()[group] for name in of_group})


def _quartiles(time: np.ndarray, row: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return (3, R) the quartiles of the times of each row, by their numbers; interpolated between two times."""
    time = time[np.argsort(row.astype(np.min_scalar_type(row.max(initial=0))), kind="stable")]  # few bytes: faster
    ends = np.cumsum(n)
    for first, end in zip(ends - n, ends, strict=True):
        time[first:end].sort()
    position = np.array([[0.25], [0.5], [0.75]]) * (n - 1)
    low = ends - n + np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, ends - 1)
    return np.asarray(time[low] + (time[high] - time[low]) * (position % 1))
