"""Possible mistakes in a trials table, of which the user is warned."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.errors import abbreviated
from gan_eval.base.inference import cells, two_sided_p
from gan_eval.judgements.checks import CHECKS, CODES
from gan_eval.judgements.contradictions import agreement, answered, are_single, possible_times, some
from gan_eval.judgements.trials import items_of, text_coded
from gan_eval.tables.cells import person_of

_READ = (
    *("participant", "session", "stimulus", "item", "kind", "model", "phase", "protocol"),
    *("response", "choice", "rating", "confidence", "onset_ms", "reaction_time_ms", "requested_exposure_ms"),
)
"""Columns that the checks read."""
_IMAGE = re.compile(
    r"(?i)((source|original|base|reference)[_ .-]?)?(image|img|photo(graph)?|picture|scene)([_ .-]?(id|name|no|nr))?"
)
"""Names of columns that may say what several pictures have in common."""


def doubts(trials: pd.DataFrame, *, time_column: str = "reaction_time_ms") -> list[str]:
    """Return the questions of `CHECKS` on a table `trials`.

    The checks get its text as categories, and three more columns: `agrees`, whether answer and truth agree (1, 0;
    missing: not known), `answered`, and `timed`, whether the reaction time is possible.

    Args:
        time_column: where an imported table had its reaction times.
    """
    asked = [_shared_images(trials)]
    facts = {"answered": answered(trials), "timed": possible_times(trials)}
    trials = text_coded(trials[[*_READ]].assign(agrees=agreement(trials).astype("float64"), **facts))
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    asked += [_alike_codes(trials), _no_model(main), _people_without_answers(main)]
    if trials[["reaction_time_ms", "requested_exposure_ms"]].notna().any(axis=None):
        asked += [_no_time(trials, time_column), _short_times(trials), _since_start(trials), _longest_time(trials)]
        asked += [_equal_sessions(trials)]
    asked += [_exchanged_keys(main), _below_chance(main), _stopped_early(main)]
    graded = [name for name in ("rating", "confidence") if trials[name].notna().any()]
    asked += [_codes_among_grades(trials, graded), _other_scale(trials), _reversed_scale(trials)]
    return [line for lines in asked for line in lines]


def _people_without_answers(main: pd.DataFrame) -> Iterator[str]:
    check = CHECKS["people_without_answers"]
    given = main["answered"].groupby(main["participant"], observed=True).agg(["sum", "size"])
    without = given[given["sum"] < check.threshold]
    if 0 < len(without) < len(given):
        yield check.line(people=some(without.index), n=int(without["size"].sum()))


def _no_time(trials: pd.DataFrame, source: str) -> Iterator[str]:
    check, n = CHECKS["no_time"], int(trials["answered"].sum())
    without = int((trials["answered"] & ~trials["timed"]).sum())
    given = trials["reaction_time_ms"][~trials["timed"]].dropna()
    if without and (len(given) or without < check.threshold * n):
        first = f" (the first is {given.iloc[0]:g} ms in row {given.index[0] + 1})" if len(given) else ""
        yield check.line(count=without, n=n, first=first, source=source)


def _alike_codes(trials: pd.DataFrame) -> Iterator[str]:
    for column, what in (("participant", "people"), ("model", "models")):
        names = map(str, trials[column].dropna().unique())
        alike = _alike(names, lambda name: re.sub(r"(?<!\d)0+(?=\d)", "", person_of(name)), "alike_codes")
        if alike:
            yield CHECKS["alike_codes"].line(column=column, names=some(alike, str), what=what)


def _alike(names: Iterable[str], key: Callable[[str], str], check: str) -> list[str]:
    """Return the names that have one key, joined."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for name in names:
        spellings[key(name)].append(name)
    return [" and ".join(map(repr, each)) for each in spellings.values() if len(each) >= CHECKS[check].threshold]


def _no_model(trials: pd.DataFrame) -> Iterator[str]:
    models = trials["model"][(trials["kind"] == "fake").to_numpy(bool, na_value=False)]
    if CHECKS["no_model"].threshold <= (unnamed := int(models.isna().sum())) < len(models):
        yield CHECKS["no_model"].line(count=unnamed, n=len(models))


def _shared_images(trials: pd.DataFrame) -> Iterator[str]:
    """Yield a question on a column of images of which each has several pictures, where there are no items."""
    check = CHECKS["shared_image"]
    for name in trials if trials["item"].isna().all() else ():
        if not _IMAGE.fullmatch(str(name)):
            continue
        pictures = trials[["stimulus", name]].dropna().drop_duplicates()
        count = pictures[name].nunique()
        if count >= check.n and pictures["stimulus"].is_unique and len(pictures) >= check.threshold * count:
            yield check.line(name=name, count=count, n=len(pictures))


def _short_times(trials: pd.DataFrame) -> Iterator[str]:
    for name, check in (
        ("reaction_time_ms", CHECKS["short_times"]),
        ("requested_exposure_ms", CHECKS["short_exposures"]),
    ):
        times = trials[name][trials[name] > 0]
        low = times[times < check.threshold]
        if len(low) >= check.n and len(low) > check.share * len(times):
            facts = {"count": len(low), "n": len(times), "least": check.threshold, "first": low.iloc[0]}
            yield check.line(name=name, row=low.index[0] + 1, **facts)


def _since_start(trials: pd.DataFrame) -> Iterator[str]:
    check, of_sessions = CHECKS["since_start"], trials["reaction_time_ms"].groupby(trials["session"], observed=True)
    longer, range_ms = of_sessions.diff().dropna() > 0, (of_sessions.max() - of_sessions.min()).median()
    if len(longer) >= check.n and longer.mean() > check.share and range_ms > check.threshold:
        yield check.line(share=longer.mean())


def _longest_time(trials: pd.DataFrame) -> Iterator[str]:
    check, is_foreign = CHECKS["longest_time"], trials["onset_ms"].isna().to_numpy(bool)
    times = trials["reaction_time_ms"][trials["answered"] & is_foreign & trials["timed"]]
    counts, longest = times.value_counts(), times.max()
    number, others = int(counts.get(longest, 0)), counts.drop(longest, errors="ignore")
    least = max(check.n, check.share * len(times), check.threshold * others.max())
    if len(others) >= check.n and number >= least:
        yield check.line(count=number, n=len(times), time=longest)


def _equal_sessions(trials: pd.DataFrame) -> Iterator[str]:
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
    if repeated:
        yield CHECKS["equal_sessions"].line(sessions=some(repeated, str))


def _codes_among_grades(trials: pd.DataFrame, names: list[str]) -> Iterator[str]:
    """Yield questions on grades such as -99 or 999 among grades of another size."""
    check = CHECKS["code"]
    for name in names:
        for count, code, rest in _codes(trials[name].astype("float64").dropna(), check.n):
            is_far = (max(rest[0] - code, code - rest[-1])) > check.threshold * (rest[-1] - rest[0])
            if is_far or code < 0 <= rest[0]:
                yield check.line(name=name, count=count, code=code, low=rest[0], high=rest[-1])


def _codes(numbers: pd.Series, least: int) -> Iterator[tuple[int, float, pd.Index]]:
    """Yield the lowest and the highest number, if it may be a code: its count, it, and the other numbers."""
    counts = numbers.value_counts().sort_index()
    for at, rest in ((0, counts.index[1:]), (-1, counts.index[:-1])):
        if len(rest) >= least and abs(code := float(counts.index[at])) in CODES and (code < 0 or abs(code) != 1):
            yield int(counts.iloc[at]), code, rest


def _other_scale(trials: pd.DataFrame) -> Iterator[str]:
    check, is_coded = CHECKS["other_scale"], any(_codes_among_grades(trials, ["rating"]))
    highest = trials["rating"].astype("float64").groupby(trials["participant"], observed=True).max().dropna()
    other = highest[highest > check.threshold * highest.median()]
    if len(other) and highest.median() > 0 and not is_coded:
        yield check.line(people=some(other.index), highest=other.max(), usual=highest.median())


def _reversed_scale(trials: pd.DataFrame) -> Iterator[str]:
    """Yield a question on people whose grades of real pictures and of each model fall where those of the others rise.

    A person's grades are regressed on the others' mean grades of the same groups (Student's t, one-sided), so that a
    person whom one model fools, but who grades the other models as everyone does, is not among them. The level of 5%
    is divided by the number of people (Bonferroni).
    """
    check = CHECKS["reversed_scale"]
    graded = trials[(trials["rating"].notna() & trials["kind"].notna()).to_numpy(bool)]
    kinds = graded.groupby(["participant", "kind"], observed=True).size().unstack(fill_value=0)
    people = kinds.index[kinds.min(axis=1) >= check.n] if {*kinds.columns} == {"real", "fake"} else kinds.index[:0]
    if len(people) < check.n:
        return
    from scipy.special import stdtr

    graded = graded[graded["participant"].isin(people)]
    person, model = graded["participant"].astype("str"), graded["model"].astype("object").fillna("").astype("str")
    rows = pd.DataFrame({"person": person, "y": graded["rating"].astype("float64")})
    rows["group"] = graded["kind"].astype("str") + " " + model
    means = rows.pivot_table(index="person", columns="group", values="y")
    others = (means.sum() - means) / (means.notna().sum() - means.notna())  # mean of the other people's means
    rows["x"] = others.stack().reindex(pd.MultiIndex.from_frame(rows[["person", "group"]])).to_numpy()
    rows = rows.replace(np.inf, np.nan).dropna().set_index("person")[["x", "y"]]
    centred = rows - rows.groupby(level=0).transform("mean")
    squares, shared = (centred**2).groupby(level=0).sum(), centred.prod(axis=1).groupby(level=0).sum()
    n, spread = rows.groupby(level=0).size(), squares["x"].where(squares["x"] > 0)
    least = 1e-12 * (rows["y"] ** 2).groupby(level=0).sum()
    t = shared / np.sqrt(spread * np.maximum(squares["y"] - shared**2 / spread, least) / (n - 2))
    turned = t.index[stdtr(n - 2, t) < check.threshold / len(people)]
    if t.median() > 1 and len(turned):  # else most people do not distinguish them either
        yield check.line(people=some(turned))


def _below_chance(main: pd.DataFrame) -> Iterator[str]:
    """Yield questions on a choice or meanings that may be the opposite ones, in tables of other programs."""
    foreign = (main["agrees"].notna() & main["onset_ms"].isna()).to_numpy(bool)  # we know our own question
    single = are_single(main)
    for chosen, check in (
        (foreign & ~single, CHECKS["exchanged_choice"]),
        (foreign & single, CHECKS["exchanged_meaning"]),
    ):
        share = main["agrees"][chosen].mean()
        if share < 0.5 and _is_below_half(main[chosen], check.threshold):
            yield check.line(share=share, n=int(chosen.sum()))


def _exchanged_keys(main: pd.DataFrame) -> Iterator[str]:
    """Yield a question on people with far fewer correct answers than chance, to both kinds, among others far above."""
    check = CHECKS["exchanged_keys"]
    right, n = (getattr(main.groupby("participant", observed=True)["agrees"], of)() for of in ("sum", "count"))
    is_low = (right / n < check.threshold) & (n >= check.n)
    if not is_low.any():
        return
    worst = main.groupby(["participant", "kind"], observed=True, dropna=False)["agrees"].mean()
    is_low &= worst.groupby(level=0).max().reindex(n.index) <= 0.5
    if not is_low.any():
        return
    from scipy.special import bdtr

    is_low &= bdtr(right, n.to_numpy(), 0.5) < min(check.share, 0.5 / len(n))
    if not 0 < is_low.sum() <= len(n) / 2 or right[~is_low].sum() < (1 - check.threshold) * n[~is_low].sum():
        return
    shares = {"share": right[is_low].sum() / n[is_low].sum(), "others": right[~is_low].sum() / n[~is_low].sum()}
    yield check.line(people=some(is_low.index[is_low]), **shares)


def _stopped_early(main: pd.DataFrame) -> Iterator[str]:
    """Yield a question if people's numbers of answers go together with their answers, as if some stopped early."""
    scores = [(main["agrees"], "were more often correct", "were less often correct")]
    if main["rating"].notna().any():
        grade = main["rating"].astype("float64") * main["kind"].map({"real": 1.0, "fake": -1.0}).astype("float64")
        kinds = main["kind"].where(grade.notna()).groupby(main["participant"], observed=True).transform("nunique")
        scores.append((grade.where(kinds == 2), "graded real pictures higher", "graded real pictures lower"))
    for score, more, less in scores:
        part = main.loc[score.notna().to_numpy(bool), ["participant", "kind"]]
        participant, kind = (pd.factorize(part[name], use_na_sentinel=False)[0] for name in ("participant", "kind"))
        if len(part) and (found := of_scores(score.dropna().to_numpy(), participant, kind)):
            yield CHECKS["stopped_early"].line(how=more if found.r > 0 else less, r=found.r, people=found.people)


class Correlation(NamedTuple):
    """Correlation of people's numbers of answers with a score of their answers."""

    r: float
    p: float
    """Two-sided."""
    people: int


def of_scores(score: np.ndarray, participant: np.ndarray, kind: np.ndarray) -> Correlation | None:
    """Return the correlation of people's numbers of answers with their scores, if it is not by chance; else None.

    A person's score is the mean over the kinds of pictures of the person's mean score.

    Args:
        score: (N,) score of each answer.
        participant: (N,) int, 0.. without gaps.
        kind: (N,) int, 0..: kind of the picture.
    """
    of = cells(participant, kind)
    _, first, cell, n = np.unique(of, return_index=True, return_inverse=True, return_counts=True)
    means = np.bincount(cell, score) / n
    person = participant[first]
    found = correlation(np.bincount(participant), np.bincount(person, means) / np.bincount(person))
    return found if found is not None and found.p < CHECKS["stopped_early"].threshold else None


def correlation(number: np.ndarray, score: np.ndarray) -> Correlation | None:
    """Return Pearson's correlation over people; None: too few people, or nearly equal numbers or scores.

    Args:
        number: (P,) each person's number of answers.
        score: (P,) each person's score.

    >>> found = correlation(np.array([10, 20, 30, 40, 50, 60]), np.array([0.5, 0.6, 0.5, 0.7, 0.8, 0.8]))
    >>> round(found.r, 3), round(found.p, 3), found.people
    (0.892, 0.017, 6)
    """
    people, check = len(number), CHECKS["stopped_early"]
    if people < check.n or number.std(ddof=1) < check.share * number.mean() or np.ptp(score) < 1e-12:
        return None
    r = float(np.clip(np.corrcoef(number, score)[0, 1], -1.0, 1.0))
    error = np.sqrt(max(1 - r * r, 1e-300) / (people - 2))
    return Correlation(r, float(two_sided_p(r, error, people - 2)), people)


def _is_below_half(main: pd.DataFrame, level: float) -> bool:
    """Return True if fewer than half of the answers are correct, to both kinds, at this two-sided level.

    The error is clustered by participant and by picture, and by item where pictures share some.
    """
    right, n = main["agrees"].to_numpy(bool), len(main)
    if main.groupby("kind", observed=True, dropna=False)["agrees"].mean().max() >= 0.5:
        return False
    from gan_eval.base.inference import binomial_p, degrees_of_freedom, two_sided_p, two_way

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
    alike = _alike(dict.fromkeys(answers[is_text]), str.casefold, "alike_answers")
    if alike:
        yield CHECKS["alike_answers"].line(name=name, words=some(alike, str))
