"""Possible mistakes in a trials table, of which the user is warned."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gan_eval.errors import abbreviated
from gan_eval.judgements.checks import CHECKS, CODES
from gan_eval.judgements.contradictions import agreement, are_single, possible_times
from gan_eval.judgements.early_stops import of_scores
from gan_eval.judgements.trials import items_of
from gan_eval.tables.cells import person_of

MAX_NAMED = 3
"""Number of persons or sessions that a warning names."""
_OF_ANSWER = ["session", "stimulus", "stimulus_b", "response", "choice", "rating", "reaction_time_ms"]


def doubts(trials: pd.DataFrame, *, time_column: str = "reaction_time_ms") -> list[str]:
    """Return the questions of `CHECKS` on a table `trials`.

    Args:
        time_column: where an imported table had its reaction times.
    """
    is_timed = trials[["reaction_time_ms", "requested_exposure_ms"]].notna().any(axis=None)
    lines = [*_alike_codes(trials), *_people_without_answers(trials)]
    if is_timed:
        lines += [*_without_time(trials, time_column), *_doubtful_times(trials), *_equal_sessions(trials)]
        lines += _copies(trials)
    lines += [*_below_chance(trials), *_with_more_answers(trials)]
    if graded := [name for name in ("rating", "confidence") if trials[name].notna().any()]:
        lines += _codes_among_grades(trials, graded)
    return lines


def _answered(trials: pd.DataFrame) -> np.ndarray:
    """Return (N,) bool: trials with an answer."""
    answered = trials["response"].isin(["real", "fake"]) | trials["choice"].isin(["a", "b"]) | trials["rating"].notna()
    return answered.to_numpy(bool)


def _people_without_answers(trials: pd.DataFrame) -> list[str]:
    is_main = (trials["phase"] == "main").to_numpy(bool)
    answered = pd.Series(_answered(trials)[is_main]).groupby(trials["participant"][is_main].array).agg(["sum", "size"])
    check, without = (
        CHECKS["people_without_answers"],
        answered[answered["sum"] < CHECKS["people_without_answers"].threshold],
    )
    if without.empty or len(without) == len(answered):
        return []
    people = _some([abbreviated(str(name)) for name in without.index])
    return [check.line(people=people, n=int(without["size"].sum()))]


def _without_time(trials: pd.DataFrame, source: str) -> list[str]:
    check, answered, possible = CHECKS["no_time"], _answered(trials), possible_times(trials)
    without = answered & ~possible
    given = trials["reaction_time_ms"][~possible].dropna()
    if not without.any() or (given.empty and without.sum() >= check.threshold * answered.sum()):
        return []
    first = f" (the first is {given.iloc[0]:g} ms in row {given.index[0] + 1})" if len(given) else ""
    return [check.line(count=int(without.sum()), n=int(answered.sum()), first=first, source=source)]


def _copies(trials: pd.DataFrame) -> list[str]:
    """Return a question on rows of an imported table that equal an earlier one."""
    is_copy = trials.duplicated(_OF_ANSWER) & trials["reaction_time_ms"].notna() & trials["onset_ms"].isna()
    rows = [str(row + 1) for row in trials.index[is_copy.to_numpy(bool)]]
    if len(rows) < CHECKS["copies"].threshold:
        return []
    named = ", ".join(rows[:MAX_NAMED]) + ", ..." * (len(rows) > MAX_NAMED)
    return [CHECKS["copies"].line(count=len(rows), rows=named)]


def _alike_codes(trials: pd.DataFrame) -> list[str]:
    """Return warnings of people and models whose names differ only in case, spaces or zeros, and of unnamed models."""
    lines, least = [], CHECKS["alike_codes"].threshold
    for column, what in (("participant", "people"), ("model", "models")):
        spellings: dict[str, list[str]] = defaultdict(list)
        for name in map(str, trials[column].dropna().unique()):
            spellings[re.sub(r"(?<!\d)0+(?=\d)", "", person_of(name))].append(name)
        alike = [f"{' and '.join(map(repr, names))}" for names in spellings.values() if len(names) >= least]
        if alike:
            lines.append(CHECKS["alike_codes"].line(column=column, names=_some(alike), what=what))
    is_fake = (trials["kind"] == "fake").to_numpy(bool, na_value=False)
    unnamed = int(trials["model"][is_fake].isna().sum())
    if CHECKS["no_model"].threshold <= unnamed < is_fake.sum():
        lines.append(CHECKS["no_model"].line(count=unnamed, n=is_fake.sum()))
    return lines


def _doubtful_times(trials: pd.DataFrame) -> list[str]:
    """Return questions on columns of which some rows seem to be seconds, or that are of something else."""
    lines = []
    for name, check in (
        ("reaction_time_ms", CHECKS["short_times"]),
        ("requested_exposure_ms", CHECKS["short_exposures"]),
    ):
        times = trials[name][trials[name] > 0]
        low = times[times < check.threshold]
        if len(low) >= check.n and len(low) > check.share * len(times):
            facts = {"count": len(low), "n": len(times), "least": check.threshold, "first": low.iloc[0]}
            lines.append(check.line(name=name, row=low.index[0] + 1, **facts))
    of_sessions = trials["reaction_time_ms"].groupby(trials["session"], observed=True)
    longer, range_ms = of_sessions.diff().dropna() > 0, (of_sessions.max() - of_sessions.min()).median()
    check = CHECKS["since_start"]
    if len(longer) >= check.n and longer.mean() > check.share and range_ms > check.threshold:
        lines.append(check.line(share=longer.mean()))
    check, is_foreign = CHECKS["longest_time"], trials["onset_ms"].isna().to_numpy(bool)
    times = trials["reaction_time_ms"][_answered(trials) & is_foreign & possible_times(trials)]
    counts = times.value_counts()
    longest = times.max()
    number, others = int(counts.get(longest, 0)), counts.drop(longest, errors="ignore")
    least = max(check.n, check.share * len(times), check.threshold * others.max())
    if len(others) >= check.n and number >= least:
        lines.append(check.line(count=number, n=len(times), time=longest))
    return lines


def _equal_sessions(trials: pd.DataFrame) -> list[str]:
    timed = trials[["session", "stimulus", "reaction_time_ms"]].dropna()
    session, names = pd.factorize(timed["session"].array)
    stimulus, time = pd.factorize(timed["stimulus"].array)[0], timed["reaction_time_ms"].to_numpy("float64")
    order = np.lexsort((time, stimulus, session))
    of_sessions = np.split(np.column_stack([stimulus, time])[order], np.flatnonzero(np.diff(session[order])) + 1)
    same: dict[bytes, list[str]] = defaultdict(list)
    for name, times in zip(names, of_sessions, strict=False):  # no name where nothing is timed
        if len(np.unique(times[:, 1])) >= CHECKS["equal_sessions"].threshold:
            same[times.tobytes()].append(str(name))
    repeated = [" and ".join(map(abbreviated, sessions)) for sessions in same.values() if len(sessions) > 1]
    if not repeated:
        return []
    return [CHECKS["equal_sessions"].line(sessions=_some(repeated))]


def _codes_among_grades(trials: pd.DataFrame, names: list[str]) -> list[str]:
    """Return questions on grades such as -99 or 999 among grades of another size, and on other scales."""
    lines = []
    for name in names:
        for count, code, rest in _codes(trials[name].astype("float64").dropna(), CHECKS["code"].n):
            is_far = (max(rest[0] - code, code - rest[-1])) > CHECKS["code"].threshold * (rest[-1] - rest[0])
            if is_far or code < 0 <= rest[0]:
                lines.append(CHECKS["code"].line(name=name, count=count, code=code, low=rest[0], high=rest[-1]))
    if "rating" not in names:
        return lines
    highest = trials["rating"].astype("float64").groupby(trials["participant"], observed=True).max().dropna()
    other = highest[highest > CHECKS["other_scale"].threshold * highest.median()]
    if len(other) and highest.median() > 0 and not lines:
        people = _some(list(map(abbreviated, other.index)))
        lines.append(CHECKS["other_scale"].line(people=people, highest=other.max(), usual=highest.median()))
    if turned := _other_way_round(trials):
        lines.append(CHECKS["reversed_scale"].line(people=_some(list(map(abbreviated, turned)))))
    return lines


def _codes(numbers: pd.Series, least: int) -> Iterator[tuple[int, float, pd.Index]]:
    """Yield the lowest and the highest number, if it may be a code: its count, it, and the other numbers."""
    counts = numbers.value_counts().sort_index()
    for at, rest in ((0, counts.index[1:]), (-1, counts.index[:-1])):
        if len(rest) >= least and abs(code := float(counts.index[at])) in CODES and (code < 0 or abs(code) != 1):
            yield int(counts.iloc[at]), code, rest


def _other_way_round(trials: pd.DataFrame) -> list[str]:
    """Return the people whose grades of real pictures and of each model fall where those of the others rise.

    A person's grades are regressed on the others' mean grades of the same groups (Student's t, one-sided), so that a
    person whom one model fools, but who grades the other models as everyone does, is not among them. The level of 5%
    is divided by the number of people (Bonferroni).
    """
    graded = trials[(trials["rating"].notna() & trials["kind"].notna()).to_numpy(bool)]
    kinds = graded.groupby(["participant", "kind"], observed=True).size().unstack(fill_value=0)
    check = CHECKS["reversed_scale"]
    if set(kinds.columns) != {"real", "fake"}:
        return []
    kinds = kinds[kinds.min(axis=1) >= check.n]
    graded = graded[graded["participant"].isin(kinds.index)]
    if len(kinds) < check.n:
        return []
    from scipy.special import stdtr

    person, names = pd.factorize(graded["participant"].array)
    group, groups = pd.factorize(
        graded["kind"].astype(str) + " " + graded["model"].astype("object").fillna("").astype(str)
    )
    shape, place = (len(names), len(groups)), person * len(groups) + group
    grade = graded["rating"].to_numpy("float64")
    n, total, squares = (
        np.bincount(place, weights, shape[0] * shape[1]).reshape(shape) for weights in (None, grade, grade**2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(n > 0, total / n, 0.0)
        others = (means.sum(axis=0) - means) / ((n > 0).sum(axis=0) - (n > 0))  # mean of the other people's means
        n = np.where(np.isfinite(others), n, 0)
        total, squares, others = (np.where(n > 0, cells, 0.0) for cells in (total, squares, others))
        count = n.sum(axis=1)
        x = np.where(n > 0, others - ((n * others).sum(axis=1) / count)[:, None], 0.0)
        spread, shared = (n * x**2).sum(axis=1), (total * x).sum(axis=1)
        rest = squares.sum(axis=1) - total.sum(axis=1) ** 2 / count - shared**2 / spread
        t = shared / np.sqrt(spread * np.maximum(rest, 1e-12 * squares.sum(axis=1)) / (count - 2))
    t = np.where(spread > 0, t, np.nan)
    if not np.nanmedian(t) > 1:  # most people do not tell them apart either
        return []
    return [str(name) for name in names[stdtr(count - 2, t) < check.threshold / len(names)]]


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
        shares = {"share": main["agrees"][below].mean(), "others": main["agrees"][~below].mean()}
        lines.append(CHECKS["exchanged_keys"].line(people=_some([abbreviated(name) for name in people]), **shares))
    imported = main[main["onset_ms"].isna()]  # this program knows its question
    for part, check in (
        (imported[~imported["single"]], CHECKS["exchanged_choice"]),
        (imported[imported["single"]], CHECKS["exchanged_meaning"]),
    ):
        share = part["agrees"].mean()
        if share < 0.5 and _is_below_half(part, check.threshold):
            lines.append(check.line(share=share, n=len(part)))
    return lines


def _far_below_others(main: pd.DataFrame) -> list[str]:
    """Return the people with far fewer correct answers than chance, to both kinds, among others far above it."""
    check = CHECKS["exchanged_keys"]
    by_person = main.groupby("participant", observed=True)["agrees"].agg(["sum", "size"])
    share, n = by_person["sum"] / by_person["size"], by_person["size"]
    worst = main.groupby(["participant", main["kind"].fillna("")], observed=True)["agrees"].mean()
    is_low = (share < check.threshold) & (n >= check.n)
    is_low &= worst.groupby(level=0).max().reindex(share.index) <= 0.5
    if not is_low.any():
        return []
    from scipy.special import bdtr

    is_low &= bdtr(by_person["sum"], n.to_numpy(), 0.5) < min(check.share, 0.5 / len(by_person))
    others = by_person[~is_low]
    is_good = others["sum"].sum() >= (1 - check.threshold) * others["size"].sum()
    return [str(name) for name in is_low.index[is_low]] if is_good and is_low.sum() <= len(others) else []


def _with_more_answers(trials: pd.DataFrame) -> list[str]:
    """Return a warning if people's numbers of answers go together with their answers, as if some stopped early."""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    lines = []
    for score, more, less in (
        (agreement(main).astype("float64"), "were more often correct", "were less often correct"),
        (_grade_of_kind(main), "graded real pictures higher", "graded real pictures lower"),
    ):
        part = main[score.notna().to_numpy(bool)]
        if part.empty:
            continue
        participant, kind = (pd.factorize(part[name], use_na_sentinel=False)[0] for name in ("participant", "kind"))
        if found := of_scores(score.dropna().to_numpy(), participant, kind):
            how = more if found.r > 0 else less
            lines.append(CHECKS["stopped_early"].line(how=how, r=found.r, people=found.people))
    return lines


def _grade_of_kind(main: pd.DataFrame) -> pd.Series:
    """Return the grades of real pictures, and those of generated ones times -1, of people who graded both."""
    sign = main["kind"].map({"real": 1.0, "fake": -1.0}).astype("float64")
    grade = main["rating"].astype("float64") * sign
    kinds = main["kind"].where(grade.notna()).groupby(main["participant"], observed=True).transform("nunique")
    return grade.where(kinds == 2)


def _is_below_half(main: pd.DataFrame, level: float) -> bool:
    """Return True if fewer than half of the answers are correct, to both kinds, at this two-sided level.

    The error is clustered by participant and by picture, and by item where pictures share some.
    """
    right, n = main["agrees"].to_numpy(bool), len(main)
    if main.groupby(main["kind"].fillna(""), observed=True)["agrees"].mean().max() >= 0.5:
        return False
    from gan_eval.science.inference import binomial_p, degrees_of_freedom, two_sided_p, two_way

    factors, item = [pd.factorize(main[name])[0] for name in ("participant", "stimulus")], items_of(main)
    variance = two_way(((right - right.mean()) / n)[:, None], *factors, item=item)
    factors += [] if item is None else [item]
    several = [factor for factor in factors if factor.max() > 0]
    p = two_sided_p(right.mean() - 0.5, np.sqrt(variance[0]), max(1, degrees_of_freedom(*several))) if several else 0.0
    return bool(np.nanmax([float(p), float(binomial_p(right.sum(), n))]) < level)


def doubts_of_covariates(names: Sequence[str], trials: pd.DataFrame, participants: pd.DataFrame | None) -> list[str]:
    """Return warnings on answers to covariates: of other sessions, words among numbers, codes, and spellings.

    Args:
        participants: the table, with the answers to questions; other covariates are columns of the trials.
    """
    lines = []
    for name in names:
        rows = trials[["participant", name]].set_axis(["participant", "answer"], axis=1) if name in trials else None
        if participants is not None and (participants["question"] == name).any():
            rows = participants[participants["question"] == name]
            given, judged = {*rows["session"].astype("str")}, {*trials["session"].dropna().astype("str")}
            if judged and (missing := judged - given) and given - judged:
                facts = {"missing": len(missing), "n": len(judged), "others": len(given - judged)}
                first, other = abbreviated(min(missing)), abbreviated(min(given - judged))
                lines.append(CHECKS["other_sessions"].line(name=name, first=first, other=other, **facts))
        if rows is not None:
            lines += _doubtful_answers(name, rows.dropna(subset="answer").drop_duplicates(["participant", "answer"]))
    return lines


def _doubtful_answers(name: str, rows: pd.DataFrame) -> Iterator[str]:
    answers = rows["answer"].astype("str").str.strip()
    numbers = pd.to_numeric(answers.str.replace(",", ".", regex=False), errors="coerce").astype("float64")
    is_text = pd.to_numeric(answers, errors="coerce").isna()
    if is_text.any() and numbers.notna().mean() >= CHECKS["mixed_covariate"].threshold:
        first = is_text.index[is_text][0]
        facts = {"person": abbreviated(rows["participant"][first]), "answer": abbreviated(answers[first])}
        yield CHECKS["mixed_covariate"].line(name=name, count=int((~is_text).sum()), n=len(answers), **facts)
    check = CHECKS["code_of_covariate"]
    for count, code, rest in _codes(numbers, check.n) if numbers.notna().all() else ():
        is_far = code > check.threshold * max(rest[-1], -rest[0], 0) and (count > 1 or code >= 98)
        if is_far or code < 0 <= rest[0]:
            yield check.line(name=name, count=count, code=code, low=rest[0], high=rest[-1])
    spellings: dict[str, set[str]] = defaultdict(set)
    for answer in answers[is_text]:
        spellings[answer.casefold()].add(answer)
    least = CHECKS["alike_answers"].threshold
    if alike := [f"{' and '.join(map(repr, sorted(words)))}" for words in spellings.values() if len(words) >= least]:
        yield CHECKS["alike_answers"].line(name=name, words=_some(alike))


def _some(names: list[str]) -> str:
    more = f", and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
